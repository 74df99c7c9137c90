"""What the waterfall says of a step's tries."""

from typing import Any

import pytest

from dashboard.components.waterfall import _step

STEP: dict[str, Any] = {
    "span_id": "a" * 16, "kind": "llm", "name": "chat", "start_ns": 0, "end_ns": 10, "status": "ok", "in_band": False,
    "attempt": 1, "is_orphan": False, "critical_ns": 0, "tries": 1, "evidence": "single", "is_redo": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({}, ""),
        ({"attempt": 2, "tries": 2, "evidence": "siblings"}, "try 2"),
        ({"tries": 3, "evidence": "http"}, "3 tries in its HTTP requests"),
        ({"tries": 3, "evidence": "resend_count"}, "3 tries in its client"),
        ({"is_redo": True}, "redo"),
    ],
)
def test_tries_are_told_with_what_they_rest_on(told: dict[str, Any], note: str) -> None:
    """Hidden tries say where they lie; redone work is no retry."""
    assert _step({**STEP, **told}, 0, 0, 10, critical=False)["note"] == note


def test_where_a_client_may_hide_retries_the_reader_is_told() -> None:
    """One try seen is not one try made."""
    row = _step({**STEP, "evidence": "unseen"}, 0, 0, 10, critical=False)
    assert row["note"] == ""
    assert row["told"].startswith("no retry visible")
