"""What became of a step in one word; each word has one shape and one colour wherever steps are drawn."""

from collections.abc import Mapping
from typing import Any, Final

MARKS: Final = {
    "ok": "no failure seen",
    "failed": "failed: where it began",
    "propagated": "failed because a step below or before it did",
    "collateral": "cut off because a step beside it failed",
    "recovered": "failed, and a later try or another way made up for it",
    "silent": "says it is fine; what it holds says otherwise",
    "pending": "waits for a human",
    "open": "not finished",
}
"""Every mark and what it means, for a legend."""


def mark(step: Mapping[str, Any]) -> str:
    """What became of a step.

    Args:
        step: a row of `queries/run_lines.sql` or `run_span_lines.sql`.
    """
    if step["status"] in ("pending", "open"):
        return str(step["status"])
    is_fine = step["status"] == "ok" and not step["in_band"]
    role = None if is_fine and step["severity"] == "low" else step["role"]
    if role == "collateral":
        return "collateral"
    if (role and step["recovered"]) or (step["status"] == "failed" and step.get("operation_outcome") == "recovered"):
        return "recovered"
    if role == "propagated":
        return "propagated" if step["status"] == "failed" else "silent"
    if (role and step["silent"]) or (step["status"] == "ok" and (step["in_band"] or role)):
        return "silent"
    return "failed" if step["status"] == "failed" else "ok"
