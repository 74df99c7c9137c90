"""What moved in a workflow: retry storms and change points around a window."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, tzinfo
from math import inf
from typing import Final, NamedTuple, Self

from dashboard import alarms, changes
from dashboard.analytics import drift, storms
from dashboard.questions import Questions
from dashboard.reports.weeks import HOUR_NS

AFTERMATH_NS: Final = 6 * HOUR_NS
"""How long after a window a storm is followed to its end."""


class Drifts(NamedTuple):
    """What the days up to a window's end show."""

    observed: drift.Examined
    steps: Sequence[drift.Examined]

    @classmethod
    def of(cls, tested: Sequence[changes.Tested]) -> Self:
        """Of the series of one workflow, its success first."""
        success, *steps = tested
        return cls(success.examined, [one.examined for one in steps])

    def within(self, first: date, last: date) -> "Drifts":
        """Only the change points from one day to another, and a fall before them that still stands and is news.

        A fall is found days after its date: a window of a day would never hold one.
        """

        def cut(examined: drift.Examined) -> drift.Examined:
            standing = examined.standing_fall(last)
            kept = tuple(c for c in examined.changes if c is standing or first <= c.at <= last)
            return replace(examined, changes=kept)

        return Drifts(cut(self.observed), [cut(step) for step in self.steps])


def blind(examined: drift.Examined) -> str:
    """Why there is no verdict on drift, and what it would take; empty where there is one."""
    return {
        "tested": "",
        "too few days": f"too few days: it takes {drift.LEAST_DAYS} with runs",
        "too little traffic": "too little traffic: it takes 30 runs and 5 failures before a day and from it on",
    }[examined.reason]


def storms_in(
    questions: Questions, limits: storms.Limits, since_ns: int, until_ns: int, *, over: bool
) -> list[storms.Episode]:
    """The storms of which some part lies in a window; `alarms.of_workflow` tells those that hit one workflow.

    Args:
        over: whether the window lies in the past, so that a storm can be followed beyond it.
    """
    end_ns = until_ns + AFTERMATH_NS if over else until_ns
    found = alarms.storms_found(questions.table, limits, since_ns=since_ns, until_ns=end_ns, **questions.scope(""))
    return [one for one in found.episodes if one.status == "storm" and one.onset_ns < until_ns]


def counted_once(stormy: Sequence[storms.Episode]) -> int:
    """How many storms these are: those of one name that overlap are one, as of a step that wraps a tool of its name."""
    number = 0
    until_ns: dict[str, float] = {}
    for one in sorted(stormy, key=lambda one: one.onset_ns):
        ends_ns = inf if one.end_ns is None else one.end_ns
        if one.onset_ns >= until_ns.get(one.key.name, 0):
            number += 1
        until_ns[one.key.name] = max(ends_ns, until_ns.get(one.key.name, 0))
    return number


def tested(questions: Questions, workflow: str, until_ns: int, zone: tzinfo) -> list[changes.Tested]:
    """E and the steps' reliability over the days that end with a window."""
    kinds: tuple[changes.Kind, ...] = ("reliability",)
    return changes.tested(questions.table, until_ns, zone, kinds, **questions.scope(workflow))
