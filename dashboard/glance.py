"""What the overview says first: how each workflow does, how it did before, and what changed, for whoever can ask."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from dashboard import chains, changes
from dashboard.analytics.amplification import Amplified, amplified, tries_of
from dashboard.analytics.attribution import attribute
from dashboard.analytics.drift import NEW_DAYS
from dashboard.analytics.quantiles import Quantile, quantile
from dashboard.analytics.reliability import (
    Chain,
    Estimate,
    Outcomes,
    compounded,
    compounded_value,
    first_try,
    observed,
    together,
    verified,
)
from dashboard.analytics.wording import Change
from dashboard.chains import Ask, Asked
from dashboard.reports.weeks import day_of, midnight_ns

_ONE_STRETCH: Final = 100_000 * 86_400 * 10**9  # days since 1970: all of a window


class Delivered(NamedTuple):
    """What a workflow, or all of them, delivered in a stretch of time."""

    r: Estimate
    e: Estimate
    f: Estimate
    verdicts: Estimate
    outcomes: Outcomes


@dataclass(frozen=True)
class Glance:
    """A window beside the one before it."""

    total: Delivered
    before: Delivered
    workflows: Mapping[str, tuple[Delivered, Delivered | None]]
    """Each in the window and in the one before, the busiest first."""
    course: Mapping[int, Delivered]
    """All of them over time, by the start of the stretch."""
    courses: Mapping[str, Mapping[int, float | None]]
    """R of each over time; the rest of their figures nobody sees, and hundreds of chains cost as much as the asking."""
    tries: tuple[Amplified | None, Amplified | None]
    tries_course: Mapping[int, float]
    p95: tuple[Quantile, Quantile]
    p95_course: Mapping[int, float]


class Turn(NamedTuple):
    """A change point of what users of a workflow got."""

    workflow: str
    at_ns: int
    ratio: float


class Story(NamedTuple):
    """Since when things are as they are."""

    fall: tuple[str, Change] | None
    """The newest fall that is still news: its workflow, and what it fell from, to and by."""
    steady: Mapping[str, int]
    """Of each workflow with enough history to tell: since when nothing changed."""
    turns: tuple[Turn, ...]
    marks: tuple[tuple[int, str, str], ...]
    """What was first seen or posted: when, workflow, and what."""


def delivered(chain: Chain) -> Delivered:
    """The figures of a chain."""
    outcomes = chain.outcomes or Outcomes(0, 0, 0, 0, 0)
    return Delivered(compounded(chain), observed(outcomes), first_try(chain), verified(outcomes), outcomes)


def asked_at_a_glance(step_ns: int, before: Mapping[str, Any], **filters: Any) -> list[Asked]:
    """What `glance` asks, given the same, for whoever can ask side by side."""
    over_time = {"step_ns": step_ns, **filters}
    return [
        *((f"workflow_{kind}_over_time", over_time) for kind in chains.KINDS),
        *((f"workflow_{kind}", before) for kind in chains.KINDS),
        *(("attempts_histogram", window) for window in (filters, before)),
        ("run_lengths", over_time),
        ("run_lengths", {"step_ns": _ONE_STRETCH, **before}),
    ]


def glance(ask: Ask, step_ns: int, before: Mapping[str, Any], **filters: Any) -> Glance:
    """How a window went.

    Args:
        step_ns: how long a stretch of the courses is, in whole 5 minutes.
        before: the parameters of the window before.
        filters: since_ns, until_ns (both in whole 5 minutes), workflow, version, environment.
    """
    courses = chains.over_time(ask, step_ns, **filters)
    now = {name: course.whole for name, course in courses.items()}
    earlier = chains.chains(ask, **before)
    then = {name: delivered(chain) for name, chain in earlier.items()}
    by_time: dict[int, dict[str, Chain]] = defaultdict(dict)
    for name, course in courses.items():
        for at, chain in course.stretches.items():
            by_time[at][name] = chain
    tries = [amplified(tries_of(ask("attempts_histogram", **window).to_pylist())) for window in (filters, before)]
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in ask("workflow_runs_over_time", step_ns=step_ns, **filters).to_pylist():
        counts[row["bucket_ns"]][0] += row["attempts"]
        counts[row["bucket_ns"]][1] += row["operations"]
    lengths = _lengths(ask, step_ns, **filters)
    old = _lengths(ask, _ONE_STRETCH, **before)
    values = {
        name: {at: compounded_value(chain) for at, chain in course.stretches.items()}
        for name, course in courses.items()
    }
    return Glance(
        delivered(together(now)),
        delivered(together(earlier)),
        {name: (delivered(chain), then.get(name)) for name, chain in now.items()},
        {at: delivered(together(found)) for at, found in sorted(by_time.items())},
        values,
        (tries[0], tries[1]),
        {at: attempts / operations for at, (attempts, operations) in sorted(counts.items()) if operations > 0},
        (quantile(_summed(lengths), 0.95), quantile(_summed(old), 0.95)),
        {at: value for at, one in lengths.items() if (value := quantile(one, 0.95).value_ns) is not None},
    )


def asked_by_story(until_ns: int, zone: tzinfo, **filters: Any) -> list[Asked]:
    """What `story` asks at first, given the same."""
    window = changes.days_before(until_ns, zone)
    return [
        ("versions_seen", {"workflow": filters["workflow"], **window}),
        ("workflow_daily_runs", {"zone": str(zone), **window, **filters}),
    ]


def story(ask: Ask, until_ns: int, zone: tzinfo, **filters: Any) -> Story:
    """What changed in the days up to a moment, and since when nothing has.

    Args:
        until_ns: in whole 5 minutes.
        filters: workflow, version, environment.
    """
    found = changes.successes(ask, until_ns, zone, **filters)
    oldest = day_of(until_ns - 1, zone) - timedelta(days=NEW_DAYS)
    turns, steady = [], {}
    fallen: list[tuple[date, str]] = []
    for name, one in found.items():
        certain = [change for change in one.examined.changes if change.verdict == "change point"]
        turns += [Turn(name, midnight_ns(change.at, zone), change.change) for change in certain]
        days = one.series.kept().days
        if one.examined.reason == "tested" and days:
            steady[name] = midnight_ns(certain[-1].at if certain else days[0], zone)
        if certain and certain[-1].change < 0 and certain[-1].at >= oldest:
            fallen.append((certain[-1].at, name))
    fall = None
    if fallen:
        _, name = max(fallen)
        one = found[name]
        change = next(each for each in reversed(one.examined.changes) if each.verdict == "change point")
        (begins, turn), (_, ends) = changes.around(one, change, until_ns, zone)
        given = {**filters, "workflow": name}
        before = chains.chain(ask, since_ns=begins, until_ns=turn, **given)
        after = chains.chain(ask, since_ns=turn, until_ns=ends, **given)
        split = attribute(before, after, version_changed=bool(change.versions))
        fall = (name, changes.told(one, change, split, zone))
    window = changes.days_before(until_ns, zone)
    seen = changes.marks(ask, filters["workflow"], zone, window)
    marks = tuple(
        (mark.at_ns, name, f"{mark.version.kind} {mark.version.name}") for name, some in seen.items() for mark in some
    )
    return Story(fall, steady, tuple(turns), marks)


def _lengths(ask: Ask, step_ns: int, **filters: Any) -> dict[int, Counter[int]]:
    found: dict[int, Counter[int]] = defaultdict(Counter)
    for row in ask("run_lengths", step_ns=step_ns, **filters).to_pylist():
        found[row["bucket_ns"]][row["octave_8"]] += row["observations"]
    return found


def _summed(lengths: Mapping[int, Counter[int]]) -> Counter[int]:
    return sum(lengths.values(), Counter[int]())
