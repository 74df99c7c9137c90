"""What moved in a workflow: retry storms and change points around a window."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta, tzinfo
from typing import Final, NamedTuple

from dashboard.analytics import drift, storms
from dashboard.questions import Questions
from dashboard.reports.weeks import HOUR_NS, day_of, midnight_ns

TRIES_SEEN_NS: Final = 7 * 24 * HOUR_NS
"""How long before a window storms look for the most tries of an operation."""
AFTERMATH_NS: Final = 6 * HOUR_NS
"""How long after a window a storm is followed to its end."""


class Drifts(NamedTuple):
    """What the days up to a window's end show."""

    observed: drift.Examined
    steps: Sequence[drift.Examined]

    def within(self, first: date, last: date) -> "Drifts":
        """Only the change points from one day to another."""

        def cut(examined: drift.Examined) -> drift.Examined:
            return replace(examined, changes=tuple(c for c in examined.changes if first <= c.at <= last))

        return Drifts(cut(self.observed), [cut(step) for step in self.steps])


def blind(examined: drift.Examined) -> str:
    """Why there is no verdict on drift, and what it would take; empty where there is one."""
    return {
        "tested": "",
        "too few days": f"too few days: it takes {drift.LEAST_DAYS} with runs",
        "too little traffic": "too little traffic: it takes 30 runs and 5 failures before a day and from it on",
    }[examined.reason]


def storms_in(questions: Questions, workflow: str, since_ns: int, until_ns: int, *, over: bool) -> list[storms.Episode]:
    """The storms of a workflow of which some part lies in a window.

    Args:
        over: whether the window lies in the past, so that a storm can be followed beyond it.
    """
    before_ns, end_ns = max(0, since_ns - TRIES_SEEN_NS), until_ns + AFTERMATH_NS if over else until_ns
    calls = storms.calls_of(questions.ask("calls_over_time", before_ns, end_ns, workflow))
    codes = [
        storms.Failures(storms.Key("", "step", row["step"]), row["bucket_ns"], row["code"], row["failures"])
        for row in questions.ask("report_triggers", before_ns, end_ns, workflow)
    ]
    return [
        episode
        for episode in storms.find(calls, codes, end_ns).episodes
        if episode.status == "storm"
        and episode.onset_ns < until_ns
        and (episode.end_ns is None or episode.end_ns > since_ns)
    ]


def drifts(questions: Questions, workflow: str, until_ns: int, zone: tzinfo, zone_name: str) -> Drifts:
    """The change points of E and of the steps' reliability over the days that end with a window."""
    first = day_of(until_ns - 1, zone) - timedelta(days=drift.MOST_DAYS - 1)
    window = (max(0, midnight_ns(first, zone)), until_ns, workflow)
    versions = [
        drift.Version(day_of(row["at_ns"], zone), row["kind"], row["label"])
        for row in questions.ask("report_versions", *window)
    ]
    runs = [
        (row["day"], row["good"], row["finished"])
        for row in questions.ask("chain_daily_runs", *window, zone=zone_name)
        if row["finished"]
    ]
    counts: dict[str, dict[date, list[int]]] = {}
    for row in questions.ask("chain_daily_nodes", *window, zone=zone_name):
        of_day = counts.setdefault(row["step"], {}).setdefault(row["day"], [0, 0])
        of_day[0] += row["good"]
        of_day[1] += row["operations"]
    steps = [
        _shares(step, [(day, good, operations) for day, (good, operations) in sorted(days.items())])
        for step, days in sorted(counts.items())
    ]
    return Drifts(drift.examine(_shares("", runs), versions), drift.examine_family(steps, versions))


def _shares(name: str, rows: Sequence[tuple[date, int, int]]) -> drift.Shares:
    return drift.Shares(name, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
