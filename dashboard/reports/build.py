"""Makes a week's summary from a store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final

from dashboard import alarms
from dashboard import words as said
from dashboard.analytics.storms import Limits
from dashboard.questions import EVERYTHING, Questions, Row, counting
from dashboard.reader import Reader
from dashboard.reports import workflow as one
from dashboard.reports.movements import storms_in
from dashboard.reports.weeks import Week, day_of
from schemas.reports import DataQuality, Note, Source, WeeklySummary, WorkflowSummary, moment
from schemas.taxonomy import LayerA
from schemas.version import RULE_VERSION, SCHEMA_VERSION

BUCKET_NS: Final = 300 * 1_000_000_000
"""What the roll-ups are cut by."""
DAY_NS: Final = 86_400 * 1_000_000_000


def weekly(
    reader: Reader,
    week: Week,
    *,
    now_ns: int,
    zone_name: str,
    workflows: Sequence[str] = (),
    environment: str = "",
    limits: Limits | None = None,
) -> WeeklySummary:
    """The summary of a week. For a week that is over, the same data give the same summary.

    Args:
        now_ns: tells whether the week is over, nothing else.
        zone_name: name of the week's time zone.
        workflows: those to tell of; all where none is named.
        environment: the only one to count; '' for all but those in development, 'all' for those, too.
        limits: from where on retries are a storm; what was measured where not given.
    """
    questions = counting(reader, environment)
    until_ns = max(week.start_ns, min(week.end_ns, -(-now_ns // BUCKET_NS) * BUCKET_NS))
    seen: dict[str, list[Row]] = defaultdict(list)
    for row in questions.ask("report_workflows", week.start_ns, until_ns):
        seen[row["workflow"]].append(row)
    open_runs = {row["workflow"]: row["runs"] for row in questions.ask("report_unfinished", week.start_ns, until_ns)}
    names = set(workflows) & {*seen, *open_runs} if workflows else {*seen, *open_runs}
    is_over = until_ns == week.end_ns
    stormy = storms_in(questions, limits or Limits(), week.start_ns, until_ns, over=is_over) if names else []
    hit = {name: alarms.of_workflow(stormy, name) for name in names}
    told = [
        one.summarise(questions, name, week, until_ns, hit[name], seen[name], open_runs.get(name, 0)) for name in names
    ]
    told.sort(key=lambda w: (-(w.failed + w.silent_runs), -w.finished, w.name))
    left_out = ""
    if not told and (seen or open_runs):
        left_out = _named(workflows)
    elif not told and _began(Questions(reader, EVERYTHING), week.start_ns, until_ns):
        environment_asked = " in the environment asked for" if environment else " outside development"
        left_out = _named(workflows) + environment_asked
    bounds = questions.ask("report_bounds")[0]
    quality = _quality(questions, week.start_ns, until_ns)
    return WeeklySummary(
        week=week.name,
        time_zone=zone_name,
        start=moment(week.start_ns),
        end=moment(week.end_ns),
        hours=week.hours,
        environment=questions.environment or None,
        generated_from=Source(
            seamscope=version("seamscope"),
            store_schema=SCHEMA_VERSION,
            rules=RULE_VERSION,
            first_run=None if bounds["first_ns"] is None else moment(bounds["first_ns"]),
            last_run=None if bounds["last_ns"] is None else moment(bounds["last_ns"]),
        ),
        notes=_notes(week, until_ns, bounds, told, len(set(workflows) - names), quality.runs_removed, left_out),
        workflows=tuple(told),
        data_quality=quality,
    )


def _named(workflows: Sequence[str]) -> str:
    """Those asked for, in our own words."""
    many = len(set(workflows))
    return f" of the {said.plural(many, 'workflow') if many > 1 else 'workflow'} asked for" if many else ""


def _began(questions: Questions, since_ns: int, until_ns: int) -> bool:
    return any(questions.ask(each, since_ns, until_ns) for each in ("report_workflows", "report_unfinished"))


def _notes(
    week: Week,
    until_ns: int,
    bounds: Row,
    told: Sequence[WorkflowSummary],
    missing: int,
    removed: int,
    left_out: str,
) -> tuple[Note, ...]:
    notes = []
    first_ns = bounds["first_ns"]
    if not told:
        where = "the store is empty" if first_ns is None else f"it holds runs from {_span(bounds, week)}"
        nothing = "Nothing of this week is left to count" if removed else "No run began in this week"
        if left_out:
            nothing = f"No run{left_out} began in this week, others did"
        notes.append(Note(code="no_data", text=f"{nothing}; {where}."))
    elif missing:
        many = said.plural(missing, "workflow that was asked for has", "workflows that were asked for have")
        notes.append(Note(code="no_data", text=f"{many} no run in this week."))
    if until_ns < week.end_ns:
        last_ns = bounds["last_ns"]
        upto = "" if last_ns is None else f" The newest run began at {said.iso(last_ns)}."
        notes.append(Note(code="partial_week", text=f"This week is not over: its figures will change.{upto}"))
    if removed:
        notes.append(Note(code="removed", text=_removed(week, removed)))
    if first_ns is not None and week.start_ns < first_ns < week.end_ns and bounds["counted_ns"] >= week.start_ns:
        text = f"The store begins with this week, at {said.iso(first_ns)}: there is no week before to compare with."
        notes.append(Note(code="first_week", text=text))
    if week.hours != 168:
        notes.append(Note(code="clock_change", text=f"Clocks changed: this week has {week.hours:g} hours."))
    return tuple(notes)


def _removed(week: Week, runs: int) -> str:
    many = said.plural(runs, "run")
    whole_days = week.start_ns % DAY_NS == week.end_ns % DAY_NS == 0
    partly = "" if whole_days else ", days that lie in it in part counted whole"
    return (
        f"{many} that began on the days (UTC) of this week went since, by retention or on request{partly}. Of which "
        "workflow and environment is no longer known. Shares, bands and counts of runs still hold them, unless "
        "retention.rollup_days have passed; counts of spans, and of runs that never ended, do not."
    )


def _span(bounds: Mapping[str, int], week: Week) -> str:
    first, last = (day_of(bounds[name], week.zone) for name in ("first_ns", "last_ns"))
    return f"{first.isoformat()} to {last.isoformat()}"


def _quality(questions: Questions, since_ns: int, until_ns: int) -> DataQuality:
    ingest = questions.ask("report_ingest", since_ns, until_ns)[0]
    runs = questions.ask("report_runs_quality", since_ns, until_ns)[0]
    (removed,) = questions.ask("runs_removed", since_ns, until_ns)
    found = questions.ask("failure_codes", since_ns, until_ns)

    def failures(certainty: str) -> int:
        return sum(row["failures"] for row in found if row["certainty"] == certainty)

    return DataQuality(
        spans_received=ingest["received"],
        spans_stored=ingest["stored"],
        spans_duplicate=ingest["duplicate"],
        spans_rejected=ingest["rejected"],
        spans=runs["spans"],
        orphan_spans=runs["orphans"],
        dialect_gaps=runs["gaps"],
        runs_removed=removed["runs"],
        failures=sum(row["failures"] for row in found),
        failures_observed=failures("observed"),
        failures_inferred=failures("inferred"),
        failures_judged=failures("judged"),
        failures_unclassified=sum(row["failures"] for row in found if row["layer_a"] == LayerA.UNCLASSIFIED),
    )
