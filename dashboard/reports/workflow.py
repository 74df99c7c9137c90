"""One workflow's part of a summary."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from dashboard import changes
from dashboard import words as said
from dashboard.analytics import attribution, drift, reliability, storms
from dashboard.analytics.amplification import Amplified
from dashboard.analytics.proportions import Band, difference
from dashboard.analytics.quantiles import Quantile, quantile
from dashboard.analytics.reliability.bands import FEWEST_RUNS
from dashboard.questions import Questions, Row
from dashboard.reports import words
from dashboard.reports.figures import Figures, chain_between, figures
from dashboard.reports.movements import Drifts, blind, tested
from dashboard.reports.weeks import Week, midnight_ns
from schemas.reports import (
    Attribution,
    Before,
    Change,
    ChangePoint,
    Day,
    Estimate,
    FixFirst,
    Latency,
    LatencyMoved,
    Lost,
    Note,
    Parting,
    Ratio,
    SilentFailure,
    Stair,
    Step,
    Storm,
    Verdicts,
    WorkflowSummary,
    moment,
)

MS: Final = 1_000_000
DAY: Final = timedelta(days=1)
MOVED_BY: Final = 1.1
"""A quantile is told as moved from this factor on: a bucket of the roll-up is 9 % wide."""


def summarise(
    questions: Questions,
    name: str,
    week: Week,
    until_ns: int,
    stormy: Sequence[storms.Episode],
    seen: Sequence[Row],
    unfinished: int,
) -> WorkflowSummary:
    """The week of a workflow.

    Args:
        until_ns: where the figures end: the week's end, or now.
        stormy: the storms that hit it.
        seen: its rows of `queries/report_workflows.sql`.
        unfinished: its runs that have not ended.
    """
    now = figures(questions, name, week.start_ns, until_ns)
    before = figures(questions, name, week.before().start_ns, week.start_ns)
    ended, earlier = now.outcomes, before.outcomes
    series = tested(questions, name, until_ns, week.zone)
    moved = Drifts.of(series)
    runs = ended.finished + ended.pending + unfinished
    found = WorkflowSummary(
        name=name,
        finding="",
        notes=_notes(now, before, seen, unfinished, moved.observed),
        versions=tuple(sorted({row["workflow_version"] for row in seen if row["workflow_version"]})),
        environments=tuple(sorted({row["environment"] for row in seen if row["environment"]})),
        runs=runs,
        finished=ended.finished,
        clean=ended.clean,
        recovered=ended.recovered,
        silent_runs=ended.silent,
        failed=ended.failed,
        pending=ended.pending,
        unfinished=unfinished,
        verdicts=Verdicts(passed=ended.verdict_pass, failed=ended.verdict_fail),
        compounded=_estimate(now.compounded),
        first_try=_estimate(now.first_try),
        observed=_estimate(now.observed),
        verified=_estimate(now.verified) if now.verified.n else None,
        retries_buy=_gain(reliability.retries_buy(now.chain)),
        silent=_estimate(now.silent),
        amplification=_ratio(now.amplification),
        p95=_latency(now.p95),
        enough_runs=ended.finished >= FEWEST_RUNS,
        more_runs_needed=now.compounded.more_for_2_points or 0,
        parting=_parting(now),
        before=_before(before) if earlier.finished else None,
        compounded_change=_change(before.compounded, now.compounded),
        observed_change=_change(before.observed, now.observed),
        silent_change=_change(before.silent, now.silent),
        lost=_lost(questions.ask("chain_losses", week.start_ns, until_ns, name), ended.finished),
        stairs=_stairs(now),
        steps=_steps(questions, name, week, until_ns, now.chain.steps),
        fix_first=tuple(
            FixFirst(step=fix.step, gain=fix.gain_half, gain_perfect=fix.gain_never)
            for fix in reliability.fix_first(now.chain)
        ),
        change_points=_change_points(questions, name, week, until_ns, series),
        fall_seen=moved.observed.fall_seen(7),
        storms=tuple(map(_storm, stormy)),
        silent_failures=_silent(questions.ask("failure_codes", week.start_ns, until_ns, name)),
        latency_moved=_latency_moved(before, now),
        days=_days(questions, name, week, until_ns),
    )
    return found.model_copy(update={"finding": words.plain(words.sentence(found))})


# ---- figures ---------------------------------------------------------------------------------------------------------


def _estimate(of: reliability.Estimate) -> Estimate:
    return Estimate(value=of.value, low=max(of.low, 0.0), high=min(of.high, 1.0), n=of.n)


def _gain(of: reliability.Estimate) -> Change | None:
    return None if of.value is None else Change(value=of.value, low=of.low, high=of.high)


def _ratio(of: Amplified | None) -> Ratio:
    if of is None:
        return Ratio(value=None, low=None, high=None, attempts=0, operations=0)
    return Ratio(value=of.value, low=of.low, high=of.high, attempts=of.attempts, operations=of.operations)


def _latency(of: Quantile) -> Latency:
    value, low, high = (None if ns is None else round(ns / MS, 3) for ns in of[:3])
    return Latency(value_ms=value, low_ms=low, high_ms=high, n=of.n)


def _change(before: reliability.Estimate, now: reliability.Estimate) -> Change | None:
    if before.value is None or now.value is None:
        return None
    band = difference(before.value, Band(before.low, before.high), now.value, Band(now.low, now.high))
    return Change(value=now.value - before.value, low=band.low, high=band.high)


def _before(of: Figures) -> Before:
    return Before(
        finished=of.outcomes.finished,
        compounded=_estimate(of.compounded),
        observed=_estimate(of.observed),
        silent=_estimate(of.silent),
        amplification=_ratio(of.amplification),
        p95=_latency(of.p95),
    )


def _parting(of: Figures) -> Parting | None:
    found = reliability.parting(of.chain)
    if found is None:
        return None
    dependence = found.dependence
    return Parting(
        outside=found.outside,
        rescued=found.rescued.value or 0.0,
        dependence=dependence.value or 0.0,
        dependence_low=dependence.low,
        dependence_high=dependence.high,
    )


def _lost(rows: Sequence[Row], finished: int) -> tuple[Lost, ...]:
    runs: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        layers = row["layer_a"] or "unclassified", row["layer_b"] or "unclassified"
        counts = runs.setdefault(layers, [0, 0])
        counts[0] += row["runs"]
        counts[1] += row["runs"] if row["outcome"] == "silent" else 0
    found = [
        Lost.model_validate(
            {"layer_a": a, "layer_b": b, "share": every / finished, "runs": every, "silent_runs": silent}
        )
        for (a, b), (every, silent) in runs.items()
    ]
    return tuple(sorted(found, key=lambda lost: (-lost.runs, lost.layer_a, lost.layer_b)))


def _stairs(of: Figures) -> tuple[Stair, ...]:
    pairs = zip(reliability.staircase(of.chain), reliability.staircase(of.chain, first_try=True), strict=True)
    return tuple(Stair(node=r.node, lost=max(r.drop, 0.0), lost_first_try=max(f.drop, 0.0)) for r, f in pairs)


def _steps(questions: Questions, name: str, week: Week, until_ns: int, order: Sequence[str]) -> tuple[Step, ...]:
    """The steps as a reader follows the chain."""
    earlier = {
        (row["step"], row["kind"]): _reliability(row)
        for row in questions.ask("step_table", week.before().start_ns, week.start_ns, name)
    }
    place = {step: index for index, step in enumerate(order)}
    rows = questions.ask("step_table", week.start_ns, until_ns, name)
    rows.sort(key=lambda row: (place.get(row["step"], len(place)), row["step"], row["kind"] or ""))
    return tuple(
        Step(
            name=row["step"],
            kind=row["kind"] or "",
            operations=row["operations"],
            first_try=_estimate(reliability.share(row["first_good"], row["operations"], "")),
            reliability=_estimate(_reliability(row)),
            p50_ms=_ms(row["p50_ns"]),
            p95_ms=_ms(row["p95_ns"]),
            attempts=row["attempts"],
            change=_change(earlier[key], _reliability(row)) if (key := (row["step"], row["kind"])) in earlier else None,
        )
        for row in rows
    )


def _reliability(row: Row) -> reliability.Estimate:
    return reliability.share(row["good"], row["operations"], "")


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / MS, 3)


def _latency_moved(before: Figures, now: Figures) -> tuple[LatencyMoved, ...]:
    """Steps whose p95 lies outside chance's reach of the week before: the two bands do not touch."""
    moved = []
    for step in sorted(filter(None, before.latencies.keys() & now.latencies.keys())):
        old, new = quantile(before.latencies[step], 0.95), quantile(now.latencies[step], 0.95)
        if old.low_ns is None or old.high_ns is None or new.low_ns is None or new.high_ns is None:
            continue
        factor = (new.value_ns or 0.0) / (old.value_ns or 1.0)
        apart = new.low_ns > old.high_ns or new.high_ns < old.low_ns
        if apart and max(factor, 1 / factor) >= MOVED_BY:
            moved.append(LatencyMoved(step=step, before=_latency(old), after=_latency(new)))
    return tuple(moved)


def _silent(rows: Sequence[Row]) -> tuple[SilentFailure, ...]:
    """What made runs silent: a judge's verdict and low-severity codes never decide how a run ends."""
    counts: dict[tuple[str | None, str, str, str], int] = {}
    for row in rows:
        if row["certainty"] == "judged" or row["severity"] == "low":
            continue
        key = row["step"], row["code"], row["layer_a"], row["layer_b"]
        counts[key] = counts.get(key, 0) + row["silent"]
    found = [
        SilentFailure.model_validate({"step": step, "code": code, "layer_a": a, "layer_b": b, "failures": silent})
        for (step, code, a, b), silent in counts.items()
        if silent
    ]
    return tuple(sorted(found, key=lambda one: (-one.failures, one.step or "", one.code)))


def _days(questions: Questions, name: str, week: Week, until_ns: int) -> tuple[Day, ...]:
    rows = questions.ask("chain_daily_runs", week.start_ns, until_ns, name, zone=str(week.zone))
    found = {row["day"]: row for row in rows}
    days = [week.monday + number * DAY for number in range(7)]
    return tuple(
        Day(
            day=day.isoformat(),
            finished=found[day]["finished"] if day in found else 0,
            good=found[day]["good"] if day in found else 0,
        )
        for day in days
        if midnight_ns(day, week.zone) < until_ns
    )


# ---- what changed ----------------------------------------------------------------------------------------------------


def _change_points(
    questions: Questions, name: str, week: Week, until_ns: int, series: Sequence[changes.Tested]
) -> tuple[ChangePoint, ...]:
    """The change points that lie in the week, E's first. What moved R is told once a day."""
    points: list[ChangePoint] = []
    explained: set[date] = set()
    for one in series:
        for change in one.examined.changes:
            if not week.monday <= change.at < week.monday + 7 * DAY:
                continue
            parts = None
            if change.at not in explained:
                explained.add(change.at)
                parts = _attribution(questions, name, week, one, change, until_ns)
            points.append(_change_point(change, one.name, week, parts))
    return tuple(points)


def _attribution(
    questions: Questions, name: str, week: Week, one: changes.Tested, change: drift.ChangePoint, until_ns: int
) -> attribution.Attribution | None:
    """What made R differ between the days before a change and those from it on, as page Drift tells it."""
    before, after = (chain_between(questions, name, *side) for side in changes.around(one, change, until_ns, week.zone))
    return attribution.attribute(before, after, version_changed=bool(change.versions))


def _change_point(
    change: drift.ChangePoint, step: str, week: Week, parts: attribution.Attribution | None
) -> ChangePoint:
    return ChangePoint(
        metric="reliability" if step else "observed",
        step=step or None,
        at=moment(midnight_ns(change.at, week.zone)),
        at_range=(
            moment(midnight_ns(change.earliest, week.zone)),
            moment(midnight_ns(change.latest, week.zone)),
        ),
        before=change.before.value,
        after=change.after.value,
        p_value=change.p_value,
        certainty="one bad day so far" if change.verdict == "one day" else change.verdict,
        compounded_before=parts.before if parts else None,
        compounded_after=parts.after if parts else None,
        attribution=tuple(
            Attribution(
                step=part.step,
                kind="reliability" if part.kind == "reliability" else "routing",
                label=part.label,
                points=part.points,
            )
            for part in (parts.parts if parts else ())
        ),
        versions=tuple(f"{one.kind} {one.name}" for one in change.versions),
    )


def _storm(episode: storms.Episode) -> Storm:
    return Storm(
        step=episode.key.name,
        dimension=episode.key.dimension,
        start=moment(episode.onset_ns),
        end=None if episode.end_ns is None else moment(episode.end_ns),
        trigger=episode.trigger,
        amplification=episode.amplification,
        peak=episode.peak_amplification,
        attempts=episode.attempts,
        operations=episode.operations,
        recovered=episode.recovered_ratio,
        wasted_ms=_ms(episode.wasted_ns),
        wasted_tokens=episode.wasted_tokens,
        wasted_usd=episode.wasted_usd,
        spread=tuple(sorted({key.name for key in episode.spread} - {episode.key.name})),
    )


# ---- what to know ----------------------------------------------------------------------------------------------------


def _notes(
    now: Figures, before: Figures, seen: Sequence[Row], unfinished: int, examined: drift.Examined
) -> tuple[Note, ...]:
    finished, notes = now.outcomes.finished, []
    if 0 < finished < FEWEST_RUNS:
        text = f"Only {said.plural(finished, 'finished run')}: bands are shown without values."
        notes.append(Note(code="few_runs", text=text))
    elif (more := now.compounded.more_for_2_points) is not None:
        notes.append(Note(code="wide_band", text=f"R is known to ±2 points with {more:,} more runs like these."))
    if finished and not before.outcomes.finished:
        notes.append(
            Note(code="first_week", text="No finished run in the week before: there is nothing to compare with.")
        )
    if len({row["environment"] for row in seen}) > 1:
        text = "Runs of several environments are counted together; --environment picks one."
        notes.append(Note(code="environments", text=text))
    if unfinished:
        text = f"{said.plural(unfinished, 'run has', 'runs have')} not ended and stand in no share."
        notes.append(Note(code="unfinished", text=text))
    if finished and not now.verified.n:
        text = "No run carries a verdict: E is what the spans claim."
        notes.append(Note(code="no_verdicts", text=text))
    if why := blind(examined):
        notes.append(Note(code="drift_blind", text=f"No verdict on drift: {why}."))
    return tuple(notes)
