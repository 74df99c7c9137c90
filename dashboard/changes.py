"""Change points of a workflow's daily series from the store's roll-ups, for whoever can ask."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, Final, Literal, NamedTuple, get_args

from dashboard.analytics import drift
from dashboard.analytics.attribution import Attribution
from dashboard.analytics.wording import Change
from dashboard.chains import Ask
from dashboard.reports.weeks import day_of, midnight_ns

Kind = Literal["success", "reliability", "p95", "amplification"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Mark(NamedTuple):
    """Something that was first seen, or that somebody posted."""

    at_ns: int
    version: drift.Version
    posted: bool


@dataclass(frozen=True, slots=True)
class Tested:
    """One series, and what it showed."""

    kind: Kind
    name: str
    """The step; empty for the whole workflow."""
    series: drift.Series
    examined: drift.Examined

    @property
    def key(self) -> str:
        """What it is called in a URL."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


def days_before(until_ns: int, zone: tzinfo) -> dict[str, Any]:
    """The window of the days that are tested, up to a moment: parameters of the daily questions."""
    first = day_of(until_ns - 1, zone) - timedelta(days=drift.MOST_DAYS - 1)
    return {"since_ns": max(0, midnight_ns(first, zone)), "until_ns": until_ns}


def marks(ask: Ask, workflow: str, zone: tzinfo, window: Mapping[str, Any]) -> dict[str, list[Mark]]:
    """What changed in each workflow ('' for all of them); what was there on the first day did not change."""
    found: dict[str, list[Mark]] = defaultdict(list)
    for row in ask("versions_seen", workflow=workflow, **window).to_pylist():
        version = drift.Version(day_of(row["at_ns"], zone), row["kind"], row["label"])
        found[row["workflow"]].append(Mark(row["at_ns"], version, row["posted"]))
    for seen in found.values():
        first = min((mark.version.day for mark in seen if not mark.posted), default=None)
        seen[:] = [mark for mark in seen if mark.posted or mark.version.day != first]
    return found


def tested(ask: Ask, until_ns: int, zone: tzinfo, kinds: Collection[Kind], **filters: Any) -> list[Tested]:
    """Every series of one workflow: its success first, then by kind and step.

    Args:
        until_ns: end of the days, in whole 5 minutes.
        kinds: of series, beside its success.
        filters: workflow, version, environment.
    """
    window = days_before(until_ns, zone)
    given = {**window, **filters, "zone": str(zone)}
    known = marks(ask, filters["workflow"], zone, window)
    versions = [mark.version for seen in known.values() for mark in seen]
    runs = [row for row in ask("chain_daily_runs", **given).to_pylist() if row["finished"]]
    success = _shares("", ((row["day"], row["good"], row["finished"]) for row in runs))
    found = [Tested("success", "", success, drift.examine(success, versions))]

    for kind, series_of in FAMILIES.items():
        if kind in kinds:
            family = list(series_of(ask, given))
            examined = drift.examine_family(family, versions)
            found += [Tested(kind, one.name, series, one) for series, one in zip(family, examined, strict=True)]
    return found


def _reliability(ask: Ask, given: Mapping[str, Any]) -> Iterator[drift.Series]:
    for name, rows in _by_name(ask("chain_daily_nodes", scope="", **given).to_pylist(), "step").items():
        yield _shares(name, ((row["day"], row["good"], row["operations"]) for row in rows))


def _latency(ask: Ask, given: Mapping[str, Any]) -> Iterator[drift.Series]:
    for name, rows in _by_name(ask("chain_daily_latency", scope="", **given).to_pylist(), "step").items():
        histograms: dict[date, Counter[int]] = defaultdict(Counter)
        for row in rows:
            histograms[row["day"]][row["octave_8"]] += row["observations"]
        yield drift.latency_series(name, histograms)


def _tries(ask: Ask, given: Mapping[str, Any]) -> Iterator[drift.Series]:
    for name, rows in _by_name(ask("chain_daily_calls", **given).to_pylist(), "name").items():
        if any(row["attempts"] > row["operations"] for row in rows):
            columns = ([row[column] for row in rows] for column in ("day", "attempts", "operations"))
            yield drift.amplification_series(name, *columns)


FAMILIES: Final[Mapping[Kind, Callable[[Ask, Mapping[str, Any]], Iterator[drift.Series]]]] = {
    "reliability": _reliability,
    "p95": _latency,
    "amplification": _tries,
}


def successes(ask: Ask, until_ns: int, zone: tzinfo, **filters: Any) -> dict[str, Tested]:
    """The success of every workflow, day by day.

    Args:
        until_ns: end of the days, in whole 5 minutes.
        filters: workflow, version, environment.
    """
    window = days_before(until_ns, zone)
    known = marks(ask, filters["workflow"], zone, window)
    rows = ask("workflow_daily_runs", zone=str(zone), **window, **filters).to_pylist()
    found = {}
    for name, days in _by_name(rows, "workflow").items():
        series = _shares("", ((row["day"], row["good"], row["finished"]) for row in days))
        versions = [mark.version for mark in (*known.get(name, ()), *known.get("", ()))]
        found[name] = Tested("success", "", series, drift.examine(series, versions))
    return found


def around(one: Tested, change: drift.ChangePoint, until_ns: int, zone: tzinfo) -> tuple[tuple[int, int], ...]:
    """The stretch before a change point and the one after it, each up to the change point beside it."""
    days = one.series.kept().days
    turns = [each.at for each in one.examined.changes if each.verdict != "one day" or each is change]
    first = max((day for day in turns if day < change.at), default=days[0])
    last = min((day for day in turns if day > change.at), default=None)
    if change.verdict == "one day":
        last = change.at + timedelta(days=1)
    begins, turn = midnight_ns(first, zone), midnight_ns(change.at, zone)
    ends = until_ns if last is None else min(until_ns, midnight_ns(last, zone))
    return (begins, turn), (turn, ends)


def told(one: Tested, change: drift.ChangePoint, split: Attribution | None, zone: tzinfo) -> Change:
    """A change point of a workflow's success as a sentence needs it, with the split of what R moved by."""
    version = next((each.name for each in change.versions if each.kind != "model"), None)
    later = [each for each in one.examined.changes if each.at > change.at and each.verdict != "one day"]
    possibly = (midnight_ns(later[-1].at, zone), later[-1].after) if later else None
    certain = change.verdict == "change point"
    return Change(midnight_ns(change.at, zone), change.before, change.after, split, version, possibly, certain)


def _shares(name: str, rows: Iterable[tuple[date, int, int]]) -> drift.Shares:
    days: dict[date, list[int]] = {}
    for day, good, trials in rows:
        counts = days.setdefault(day, [0, 0])
        counts[0] += good
        counts[1] += trials
    order = sorted(days)
    return drift.Shares(name, order, [days[day][0] for day in order], [days[day][1] for day in order])


def _by_name(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[column] or ""].append(row)
    return dict(sorted(found.items()))
