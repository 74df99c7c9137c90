"""The summary as one CSV: a number a row, in long form, so that one filter or pivot gets any table of it."""

from collections.abc import Iterator
from itertools import chain

from dashboard.rows import csv_row
from schemas.reports import Change, Estimate, Latency, Ratio, WeeklySummary, WorkflowSummary

COLUMNS = ("week", "workflow", "section", "item", "detail", "metric", "value", "low", "high", "n")
"""`section` is a list of the JSON, or `workflow` for its own figures; `item` the step or whatever a row of it is
about; `metric` carries its unit as in the JSON; `low` and `high` are a 95 % band."""

Cell = str | int | float | None
Row = tuple[Cell, ...]


def render(summary: WeeklySummary) -> bytes:
    """UTF-8, every cell quoted, no text able to run as a formula."""
    head = (summary.week,)
    lines = [csv_row(COLUMNS)]
    lines += [csv_row((*head, workflow.name, *row)) for workflow in summary.workflows for row in _workflow(workflow)]
    lines += [
        csv_row((*head, None, "data_quality", None, None, metric, value, None, None, None))
        for metric, value in summary.data_quality.model_dump().items()
    ]
    lines += [csv_row((*head, None, "notes", note.code, note.text, *[None] * 5)) for note in summary.notes]
    return b"".join(lines)


def _workflow(of: WorkflowSummary) -> Iterator[Row]:
    parts = (
        _own,
        _parting,
        _before,
        _lost,
        _stairs,
        _steps,
        _fix_first,
        _change_points,
        _storms,
        _silent,
        _latency,
        _days,
    )
    return chain.from_iterable(part(of) for part in parts)


def _own(of: WorkflowSummary) -> Iterator[Row]:
    at = ("workflow", None, None)
    for metric in ("runs", "finished", "clean", "recovered", "silent_runs", "failed", "pending", "unfinished"):
        yield _count(at, metric, getattr(of, metric))
    yield _count(at, "verdicts_passed", of.verdicts.passed)
    yield _count(at, "verdicts_failed", of.verdicts.failed)
    for metric in ("compounded", "first_try", "observed", "verified", "silent", "amplification"):
        yield *at, metric, *_band(getattr(of, metric))
    yield _count(at, "attempts", of.amplification.attempts)
    yield *at, "p95_ms", *_band(of.p95)
    yield _count(at, "more_runs_needed", of.more_runs_needed)
    yield _count(at, "fall_seen", of.fall_seen)
    for metric in ("retries_buy", "compounded_change", "observed_change", "silent_change"):
        yield *at, metric, *_band(getattr(of, metric))
    for note in of.notes:
        yield "notes", note.code, note.text, None, None, None, None, None


def _parting(of: WorkflowSummary) -> Iterator[Row]:
    if of.parting is not None:
        at = ("parting", None, None)
        yield _count(at, "outside", of.parting.outside)
        yield _count(at, "rescued", of.parting.rescued)
        yield *at, "dependence", of.parting.dependence, of.parting.dependence_low, of.parting.dependence_high, None


def _before(of: WorkflowSummary) -> Iterator[Row]:
    if of.before is not None:
        at = ("before", None, None)
        yield _count(at, "finished", of.before.finished)
        for metric in ("compounded", "observed", "silent", "amplification"):
            yield *at, metric, *_band(getattr(of.before, metric))
        yield _count(at, "attempts", of.before.amplification.attempts)
        yield *at, "p95_ms", *_band(of.before.p95)


def _lost(of: WorkflowSummary) -> Iterator[Row]:
    for lost in of.lost:
        yield "lost", lost.layer_a, lost.layer_b, "share", lost.share, None, None, of.finished
        yield _count(("lost", lost.layer_a, lost.layer_b), "runs", lost.runs)
        yield _count(("lost", lost.layer_a, lost.layer_b), "silent_runs", lost.silent_runs)


def _steps(of: WorkflowSummary) -> Iterator[Row]:
    for step in of.steps:
        at = ("steps", step.name, step.kind)
        yield *at, "first_try", *_band(step.first_try)
        yield *at, "reliability", *_band(step.reliability)
        yield *at, "reliability_change", *_band(step.change)
        for metric in ("operations", "attempts", "p50_ms", "p95_ms"):
            yield _count(at, metric, getattr(step, metric))


def _stairs(of: WorkflowSummary) -> Iterator[Row]:
    for stair in of.stairs:
        yield _count(("stairs", stair.node, None), "lost", stair.lost)
        yield _count(("stairs", stair.node, None), "lost_first_try", stair.lost_first_try)


def _fix_first(of: WorkflowSummary) -> Iterator[Row]:
    for fix in of.fix_first:
        yield _count(("fix_first", fix.step, None), "gain", fix.gain)
        yield _count(("fix_first", fix.step, None), "gain_perfect", fix.gain_perfect)


def _change_points(of: WorkflowSummary) -> Iterator[Row]:
    for point in of.change_points:
        at = ("change_points", point.step or point.metric, _iso(point.at))
        for metric in ("before", "after", "p_value", "compounded_before", "compounded_after"):
            yield _count(at, metric, getattr(point, metric))
        for part in point.attribution:
            yield _count(("attribution", part.label, _iso(point.at)), f"{part.kind}_points", part.points)


def _storms(of: WorkflowSummary) -> Iterator[Row]:
    metrics = (
        "amplification",
        "peak",
        "attempts",
        "operations",
        "recovered",
        "wasted_ms",
        "wasted_tokens",
        "wasted_usd",
    )
    for storm in of.storms:
        at = ("storms", storm.step, _iso(storm.start))
        for metric, text in (("dimension", storm.dimension), ("end", storm.end), ("trigger", storm.trigger)):
            yield _count(at, metric, None if text is None else _iso(text))
        for metric in metrics:
            yield _count(at, metric, getattr(storm, metric))


def _silent(of: WorkflowSummary) -> Iterator[Row]:
    for silent in of.silent_failures:
        yield _count(("silent_failures", silent.step, silent.code), "failures", silent.failures)


def _latency(of: WorkflowSummary) -> Iterator[Row]:
    for moved in of.latency_moved:
        yield "latency_moved", moved.step, None, "p95_before_ms", *_band(moved.before)
        yield "latency_moved", moved.step, None, "p95_ms", *_band(moved.after)


def _days(of: WorkflowSummary) -> Iterator[Row]:
    for day in of.days:
        yield "days", day.day, None, "good", day.good, None, None, day.finished


def _count(at: tuple[Cell, Cell, Cell], metric: str, value: Cell) -> Row:
    return *at, metric, value, None, None, None


def _band(of: Estimate | Change | Ratio | Latency | None) -> tuple[Cell, Cell, Cell, Cell]:
    match of:
        case None:
            return None, None, None, None
        case Estimate():
            return of.value, of.low, of.high, of.n
        case Change():
            return of.value, of.low, of.high, None
        case Ratio():
            return of.value, of.low, of.high, of.operations
        case Latency():
            return of.value_ms, of.low_ms, of.high_ms, of.n


def _iso(at: object) -> str:
    return str(at).replace("+00:00", "Z").replace(" ", "T")
