"""The waterfall of a run: its steps as a tree and over time, the tries of one operation on one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard import words
from dashboard.analytics.fold import Line
from dashboard.analytics.marks import MARKS, mark
from dashboard.components.asking import Asking
from dashboard.components.assets import component
from dashboard.components.run_tree import Step, Tree, open_fold, select_span, turn_tries
from dashboard.components.text import clip

_mount = component(
    "waterfall",
    '<div class="seam waterfall"><div class="rows"></div></div>',
    looks="marks",
)

ASKED: Final = Asking("waterfall", {"select": select_span, "unfold": open_fold, "tries": turn_tries})
GROUPS: Final = {"llm": "model", "tool": "tool", "retrieval": "retrieval"}
"""Step kind to what the run waited for; the rest is orchestration."""
NAME_CHARS: Final = 160
HIDDEN_TRIES: Final = {"http": "its HTTP requests", "resend_count": "its client", "event": "its events"}
"""Evidence of an operation's tries that are no steps of their own, and where they lie."""
UNSEEN: Final = "unseen"
HEIGHT: Final = 620


def group(kind: str) -> str:
    """What a step of this kind waits for: model, tool, retrieval, or nothing but our own orchestration."""
    return GROUPS.get(kind, "orchestration")


def waterfall(
    tree: Tree,
    *,
    run_id: str,
    begin_ns: int,
    end_ns: int,
    selected: str | None,
    heading: str,
    critical: bool = False,
) -> None:
    """Shows the lines of a folded tree.

    Args:
        begin_ns, end_ns: the ends of the time axis. Bars beyond them, from clocks that disagree, are cut there.
        critical: marks the steps that the end of the run waited for, with how long.
    """
    axis = Axis(begin_ns, max(1, end_ns - begin_ns))
    rows = [_row(tree, line, axis, critical=critical) for line in tree.folded.lines]
    data = {
        "rows": [row for row in rows if row],
        "ticks": axis.ticks(),
        "selected": tree.stands_for.get(selected or "", selected),
        "run": run_id,
        "height": HEIGHT,
        "heading": heading,
        "legend": MARKS,
    }
    ASKED.mount(_mount, data)


@dataclass(frozen=True)
class Axis:
    """A stretch of time as a length from 0 to 1."""

    begin_ns: int
    length_ns: int

    def extent(self, start_ns: int, end_ns: int | None) -> dict[str, float]:
        """Where a bar lies, cut to the axis; one without an end reaches its end."""
        since = min(1.0, max(0.0, (start_ns - self.begin_ns) / self.length_ns))
        until = 1.0 if end_ns is None else min(1.0, max(since, (end_ns - self.begin_ns) / self.length_ns))
        return {"from": round(since, 6), "width": round(until - since, 6)}

    def ticks(self) -> list[tuple[float, str]]:
        """Marks of the axis and what stands at them."""
        return [(part / 4, words.duration(self.length_ns * part // 4) if part else "0") for part in range(5)]


def _row(tree: Tree, line: Line, axis: Axis, *, critical: bool) -> dict[str, Any] | None:
    """A line as the browser draws it; None where the run was settled anew since its shape was read."""
    if line.folded:
        return _fold(tree, line, axis)
    if line.tries:
        tries = [tree.steps[index] for index in line.tries if index in tree.steps]
        return _operation(tries, line, axis, critical=critical) if tries else None
    step = tree.steps.get(line.step) if line.step is not None else None
    return _step(step, line, axis, critical=critical) if step else None


def _step(step: Step, line: Line, axis: Axis, *, critical: bool) -> dict[str, Any]:
    return {
        "found": bool(line.matches),
        "critical": _waited([step]) if critical else "",
        "id": step["span_id"],
        "depth": line.depth,
        "kind": step["kind"],
        "group": group(step["kind"]),
        "name": clip(step["name"], NAME_CHARS),
        "mark": mark(step),
        "note": ", ".join(_notes(step)),
        "told": "no retry visible: such a client may retry within the span" if step.get("evidence") == UNSEEN else "",
        "length": _length(step),
        **axis.extent(step["start_ns"], step["end_ns"]),
    }


def _notes(step: Step) -> list[str]:
    notes = [f"try {step['attempt']}"] if step["attempt"] > 1 else []
    if step.get("is_redo") and step["attempt"] == 1:
        notes.append("redo")
    hidden = HIDDEN_TRIES.get(step.get("evidence") or "")
    if hidden and (step["tries"] or 1) > 1:
        notes.append(f"{step['tries']} tries in {hidden}")
    if step["is_orphan"]:
        notes.append("parent missing")
    return notes


def _operation(tries: Sequence[Step], line: Line, axis: Axis, *, critical: bool) -> dict[str, Any]:
    """One line for all tries of an operation."""
    last = tries[-1]
    ends = [step["end_ns"] for step in tries]
    end_ns = None if None in ends else max(ends)
    good = sum(mark(step) == "ok" for step in tries)
    said = f"{good or 'none'} good"
    if line.tried > len(tries):
        said = f"the first and last {len(tries) // 2} of {line.tried:,} drawn"
    said += f", {words.plural(line.inside, 'step')} in earlier ones" if line.inside else ""
    said += ", redo" if last.get("is_redo") else ""
    fate = mark(last) if mark(last) != "ok" else "recovered"
    return {
        "critical": _waited(tries) if critical else "",
        "id": f"tries {last['operation_id']}",
        "tries": last["operation_id"],
        "found": bool(line.matches),
        "tried": line.tried,
        "open": line.is_open,
        "last": last["span_id"],
        "depth": line.depth,
        "kind": last["kind"],
        "group": group(last["kind"]),
        "name": clip(last["name"], NAME_CHARS),
        "mark": fate,
        "note": said,
        "told": "",
        "length": words.duration(max(0, end_ns - tries[0]["start_ns"])) if end_ns is not None else "running",
        "segments": [
            {
                "id": step["span_id"],
                "mark": mark(step),
                "told": f"try {step['attempt']}: {MARKS[mark(step)]}, {_length(step)}",
                **axis.extent(step["start_ns"], step["end_ns"]),
            }
            for step in tries
        ],
        **axis.extent(tries[0]["start_ns"], end_ns),
    }


def _length(step: Step) -> str:
    return words.duration(max(0, step["end_ns"] - step["start_ns"])) if step["end_ns"] is not None else "running"


def _waited(steps: Sequence[Step]) -> str:
    waited = sum(step.get("critical_ns", 0) for step in steps)
    return f"the end of the run waited {words.duration(waited)} for it" if waited else ""


def _fold(tree: Tree, line: Line, axis: Axis) -> dict[str, Any]:
    parent, inside = tree.steps.get(line.parent), tree.folds.get(line.parent)
    said = ""
    if inside:
        said = ": " + ", ".join(clip(name, 24) for name in inside["names"])
        said += " …" if inside["named"] > len(inside["names"]) else ""
    fold = parent["span_id"] if parent else "top"
    return {
        "id": f"fold {fold}",
        "fold": fold,
        "depth": line.depth,
        "name": f"{line.tried:,} more tries" if line.tried else f"{line.folded:,} more{said}",
        "failed": line.folded_failed,
        "matches": words.plural(line.matches, "match", "matches") if line.matches else "",
        **(axis.extent(inside["start_ns"], inside["end_ns"]) if inside else {"from": 0.0, "width": 1.0}),
    }
