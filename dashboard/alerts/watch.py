"""Asks a store what is wrong now."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from dashboard import alarms, changes
from dashboard.alerts.conditions import Condition, burning, drifting, storming
from dashboard.analytics import burn, drift
from dashboard.analytics.burn import HOUR_NS, Counted
from dashboard.analytics.storms import Limits
from dashboard.questions import Questions, counting
from dashboard.reader import Reader, held
from dashboard.reports.movements import storms_in
from dashboard.reports.weeks import day_of, midnight_ns
from schemas.alerts import AlertSettings
from schemas.zones import zone_of

BUCKET_NS: Final = 300 * 1_000_000_000
"""What the roll-ups are cut by."""
STORM_REACH_NS: Final = 3 * HOUR_NS
"""A workflow without a run in this time has no storm."""
DRIFT_EVERY_NS: Final = HOUR_NS
"""Days change once a day; runs that end late still change them."""


class Watch:
    """Evaluates all rules. What changes slowly is asked less often: storms with each bucket, drift each hour."""

    def __init__(self, settings: AlertSettings, zone_name: str, limits: Limits | None = None) -> None:
        self._settings = settings
        self._zone_name = zone_name
        self._limits = limits or Limits()
        self._slow: dict[str, tuple[int, list[Condition]]] = {}

    def evaluate(self, reader: Reader, at_ns: int) -> list[Condition]:
        """Everything that holds, or that is between the lines.

        Raises:
            DashboardError: the store cannot be asked; nothing follows from that.
        """
        found: list[Condition] = []
        with held(reader) as one:
            questions = counting(one, self._settings.environment)
            found += self._burning(questions, at_ns)
            if self._settings.storms:
                found += self._kept("storm", at_ns // BUCKET_NS, lambda: self._storming(questions, at_ns))
            if self._settings.drift:
                found += self._kept("drift", at_ns // DRIFT_EVERY_NS, lambda: self._drifting(questions, at_ns))
        return found

    def _kept(self, rule: str, turn: int, ask: Callable[[], Iterable[Condition]]) -> list[Condition]:
        if rule not in self._slow or self._slow[rule][0] != turn:
            self._slow[rule] = turn, list(ask())
        return self._slow[rule][1]

    def _burning(self, questions: Questions, at_ns: int) -> Iterable[Condition]:
        if self._settings.objective is None and not self._settings.objectives:
            return
        objectives = {*self._settings.objectives.values(), self._settings.objective} - {None}
        counts: dict[int, dict[str, Counted]] = {}
        for objective in objectives:
            for tier in burn.tiers(objective or 0.0):
                for length_ns in (tier.long_ns, tier.short_ns):
                    counts.setdefault(length_ns, {})
        for length_ns, of_workflow in counts.items():
            since_ns, until_ns = whole_buckets(at_ns - length_ns, at_ns)
            for row in questions.ask("report_workflows", since_ns, until_ns):
                seen = of_workflow.get(row["workflow"], Counted(0, 0))
                of_workflow[row["workflow"]] = Counted(seen.runs + row["finished"], seen.bad + row["lost"])
        for workflow in sorted({name for of_workflow in counts.values() for name in of_workflow}):
            objective = self._settings.objective_of(workflow)
            if workflow and objective is not None:
                seen_by = {length_ns: seen.get(workflow, Counted(0, 0)) for length_ns, seen in counts.items()}
                yield from burning(workflow, objective, seen_by, at_ns)

    def _storming(self, questions: Questions, at_ns: int) -> Iterable[Condition]:
        until_ns = at_ns // BUCKET_NS * BUCKET_NS
        episodes = storms_in(questions, self._limits, until_ns - STORM_REACH_NS, until_ns, over=False)
        for workflow in _ran(questions, at_ns - STORM_REACH_NS, at_ns) if episodes else ():
            yield from storming(workflow, alarms.of_workflow(episodes, workflow))

    def _drifting(self, questions: Questions, at_ns: int) -> Iterable[Condition]:
        zone = zone_of(self._zone_name)
        until_ns = midnight_ns(day_of(at_ns, zone), zone)
        yesterday = day_of(until_ns - 1, zone)
        found = changes.successes(questions.table, until_ns, zone, **questions.scope(""))
        for workflow in _ran(questions, midnight_ns(yesterday - timedelta(days=drift.LEAST_DAYS - 1), zone), until_ns):
            if workflow in found:
                yield from drifting(workflow, found[workflow].examined, yesterday, zone)


def whole_buckets(since_ns: int, until_ns: int) -> tuple[int, int]:
    """A window moved out to whole buckets."""
    return max(0, since_ns // BUCKET_NS * BUCKET_NS), -(-until_ns // BUCKET_NS) * BUCKET_NS


def _ran(questions: Questions, since_ns: int, until_ns: int) -> list[str]:
    """The workflows that ran in a window; runs without one belong to none that could be told of."""
    rows = questions.ask("report_workflows", *whole_buckets(since_ns, until_ns))
    return sorted({row["workflow"] for row in rows if row["workflow"]})
