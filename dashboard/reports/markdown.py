"""The summary as Markdown: short, readable as it stands, for a chat or a pull request."""

import re
from collections.abc import Iterator

from dashboard.components.text import clip
from dashboard.reports import words
from dashboard.rows import printable
from dashboard.words import plural
from schemas.reports import ChangePoint, WeeklySummary, WorkflowSummary

SECTIONS = 12
"""Workflows that are told at length; a chat message is no archive."""
ROWS = 5
FIXES = 3
NAME_CHARS = 60
_BLANK = re.compile(r"\s+")


def render(summary: WeeklySummary) -> str:
    """The whole text. Names from spans stand in code spans, where nothing is mark-up and no address becomes a link."""
    return "\n".join(_lines(summary)) + "\n"


def name(text: str) -> str:
    """Text from a span as a code span that it cannot leave, safe in a table, too."""
    inert = printable(_BLANK.sub(" ", text).strip()).replace("`", "'").replace("|", "¦")
    return f"`{clip(inert, NAME_CHARS) or ' '}`"


def told(pieces: words.Pieces) -> str:
    """Pieces with the names as code."""
    return "".join(name(piece) if index % 2 else piece for index, piece in enumerate(pieces) if piece)


def _lines(summary: WeeklySummary) -> Iterator[str]:
    yield f"# Weekly reliability, {summary.week}"
    yield ""
    scope = f", environment {name(summary.environment)}" if summary.environment else ""
    yield f"{words.dates(summary)}, {summary.time_zone}{scope}"
    for note in summary.notes:
        yield ""
        yield f"> {note.text}"
    if summary.workflows:
        yield ""
        yield from _table(summary)
    for workflow in summary.workflows[:SECTIONS]:
        yield ""
        yield f"## {name(workflow.name)}"
        yield ""
        yield from _workflow(workflow, summary)
    if len(summary.workflows) > SECTIONS:
        yield ""
        others = len(summary.workflows) - SECTIONS
        yield f"The other {others} workflows lost fewer runs; the HTML and the JSON tell of them."
    yield ""
    yield "---"
    yield (
        "R: the chance to get through the chain without a failed operation. E: finished runs that ended well, as far "
        "as their spans tell. Brackets are 95 % bands; a change is told only where its band is off 0. "
        + " ".join(words.quality(summary))
    )


def _table(summary: WeeklySummary) -> Iterator[str]:
    yield "| workflow | finished | R | E | change of E | leaked most | fix first |"
    yield "|---|--:|--:|--:|--:|---|---|"
    for workflow in summary.workflows:
        cells = (
            name(workflow.name),
            f"{workflow.finished:,}",
            words.estimate(workflow.compounded),
            words.estimate(workflow.observed),
            words.change(words.since_before(workflow, "observed")),
            told(words.leaked_most(workflow)),
            told(words.fix_first(workflow)),
        )
        yield f"| {' | '.join(cells)} |"


def _workflow(workflow: WorkflowSummary, summary: WeeklySummary) -> Iterator[str]:
    yield told(words.sentence(workflow))
    if workflow.notes:
        yield ""
        yield "> " + " ".join(note.text for note in workflow.notes)
    if workflow.finished:
        yield ""
        yield from _figures(workflow)
        yield from _events(workflow, summary)
        yield from _fixes(workflow)


def _figures(workflow: WorkflowSummary) -> Iterator[str]:
    yield (
        f"- **Figures**: F {words.estimate(workflow.first_try)}, silent "
        f"{words.estimate(workflow.silent)}, amplification {words.ratio(workflow.amplification)}, p95 of a run "
        f"{words.latency(workflow.p95)}"
    )
    if judged := words.judged(workflow):
        yield f"- **Verdicts**: {judged}"
    if workflow.lost:
        lost = ", ".join(
            f"{entry.layer_a}/{entry.layer_b} {words.part_of_runs(entry.runs, workflow)}"
            for entry in workflow.lost[:ROWS]
        )
        yield f"- **Lost to** (lens A/B): {lost}"
    leaking = sorted((stair for stair in words.stairs(workflow) if stair.lost >= 0.0005), key=lambda stair: -stair.lost)
    if leaking:
        steps = ", ".join(f"{name(stair.node)} {words.points(-stair.lost)}" for stair in leaking[:ROWS])
        yield f"- **Steps, points of R**: {steps}"


def _events(workflow: WorkflowSummary, summary: WeeklySummary) -> Iterator[str]:
    for point in workflow.change_points[:ROWS]:
        yield f"- **Changed**: {told(words.change_point(point, summary))}{_why(point)}"
    for storm in workflow.storms[:ROWS]:
        trigger = f", set off by {storm.trigger}" if storm.trigger else ""
        kind = "" if storm.dimension == "step" else f"{storm.dimension} "
        yield (
            f"- **Retry storm**: {kind}{name(storm.step)} × {storm.amplification:.2f}, {words.stretch(storm, summary)}"
            f"{trigger}; {words.percent(storm.recovered)} recovered"
        )
    for silent in workflow.silent_failures[:ROWS]:
        where = f" at {name(silent.step)}" if silent.step else ""
        yield f"- **Silent**: {silent.code}{where}, {plural(silent.failures, 'time')}"
    for moved in workflow.latency_moved[:ROWS]:
        yield (
            f"- **Latency**: p95 of {name(moved.step)} from {words.milliseconds(moved.before.value_ms)} to "
            f"{words.milliseconds(moved.after.value_ms)}"
        )


def _fixes(workflow: WorkflowSummary) -> Iterator[str]:
    for fix in words.fixes(workflow)[:FIXES]:
        if fix.gain >= 0.0005:
            yield (
                f"- **Fix**: {name(fix.step)}, {words.points(fix.gain)} points of R if its failures were halved, "
                f"{words.points(fix.gain_perfect)} if it never failed"
            )


def _why(point: ChangePoint) -> str:
    parts = sorted(point.attribution, key=lambda part: (-abs(part.points), part.step, part.kind))[:3]
    if not parts:
        return ""
    said = ", ".join(f"{name(part.label)} {words.signed(part.points)}" for part in parts)
    return f" Points of R: {said}."
