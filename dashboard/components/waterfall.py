"""The waterfall of a run: its steps as a tree and over time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard import words
from dashboard.analytics.fold import Folded, Line, Step
from dashboard.components.assets import component, ignore
from dashboard.components.text import clip

_mount = component(
    "waterfall", '<div class="seam waterfall"><div class="rows" role="tree" aria-label="Steps of the run"></div></div>'
)

GROUPS: Final = {"llm": "model", "tool": "tool", "retrieval": "retrieval"}
"""Step kind to what the run waited for; the rest is orchestration."""
NAME_CHARS: Final = 160
HIDDEN_TRIES: Final = {"http": "its HTTP requests", "resend_count": "its client", "event": "its events"}
"""Evidence of an operation's tries that are no steps of their own, and where they lie."""
UNSEEN: Final = "unseen"
HEIGHT: Final = 620


@dataclass(frozen=True)
class Chosen:
    """What a reader just did."""

    span_id: str | None
    opened_fold: str | None


def group(kind: str) -> str:
    """What a step of this kind waits for: model, tool, retrieval, or nothing but our own orchestration."""
    return GROUPS.get(kind, "orchestration")


def waterfall(
    steps: Sequence[Step],
    folded: Folded,
    *,
    run_id: str,
    begin_ns: int,
    end_ns: int,
    selected: str | None,
    heading: str,
    critical: bool = False,
) -> Chosen:
    """Shows the lines of a folded tree.

    Args:
        steps: rows of `queries/run_steps.sql` or `run_spans.sql`; `folded` holds indices into them.
        begin_ns, end_ns: the ends of the time axis. Bars beyond them, from clocks that disagree, are cut there.
        critical: marks the steps that the end of the run waited for, with how long.
    """
    length = max(1, end_ns - begin_ns)
    data = {
        "rows": [
            _step(steps[line.step], line.depth, begin_ns, length, critical=critical)
            if line.step is not None
            else _fold(steps, line, begin_ns, length)
            for line in folded.lines
        ],
        "ticks": [[part / 4, words.duration(length * part // 4) if part else "0"] for part in range(5)],
        "selected": selected,
        "run": run_id,
        "height": HEIGHT,
        "heading": heading,
    }
    result = _mount(key="waterfall", data=data, on_select_change=ignore, on_unfold_change=ignore)
    return Chosen(result.get("select"), result.get("unfold"))


def _step(step: Step, depth: int, begin_ns: int, length: int, *, critical: bool) -> dict[str, Any]:
    status = "silent" if step["status"] == "ok" and step["in_band"] else step["status"]
    ended = step["end_ns"]
    took = max(0, ended - step["start_ns"]) if ended is not None else None
    notes = [f"try {step['attempt']}"] if step["attempt"] > 1 else []
    if step.get("is_redo") and step["attempt"] == 1:
        notes.append("redo")
    hidden = HIDDEN_TRIES.get(step.get("evidence") or "")
    if hidden and (step["tries"] or 1) > 1:
        notes.append(f"{step['tries']} tries in {hidden}")
    if step["is_orphan"]:
        notes.append("parent missing")
    waited = step.get("critical_ns", 0) if critical else 0
    return {
        "critical": f"the end of the run waited {words.duration(waited)} for it" if waited else "",
        "id": step["span_id"],
        "depth": depth,
        "kind": step["kind"],
        "group": group(step["kind"]),
        "name": clip(step["name"], NAME_CHARS),
        "status": status,
        "note": ", ".join(notes),
        "told": "no retry visible: such a client may retry within the span" if step.get("evidence") == UNSEEN else "",
        "length": words.duration(took) if took is not None else "running",
        **_extent(step["start_ns"], ended, begin_ns, length),
    }


def _fold(steps: Sequence[Step], line: Line, begin_ns: int, length: int) -> dict[str, Any]:
    names = Counter(steps[index]["name"] for index in line.folded)
    said = ", ".join(clip(name, 24) for name, _ in names.most_common(3)) + (" …" if len(names) > 3 else "")
    ends = [steps[index]["end_ns"] for index in line.folded if steps[index]["end_ns"] is not None]
    return {
        "id": f"fold {line.parent}",
        "fold": line.parent,
        "depth": line.depth,
        "name": f"{line.folded_steps:,} more: {said}",
        "failed": line.folded_failed,
        **_extent(min(steps[index]["start_ns"] for index in line.folded), max(ends, default=None), begin_ns, length),
    }


def _extent(start_ns: int, end_ns: int | None, begin_ns: int, length: int) -> dict[str, float]:
    since = min(1.0, max(0.0, (start_ns - begin_ns) / length))
    until = 1.0 if end_ns is None else min(1.0, max(since, (end_ns - begin_ns) / length))
    return {"from": round(since, 6), "width": round(until - since, 6)}
