"""When runs start: people work on weekdays, by day, and storms bring a crowd."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from demo_data.plan import SECOND

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

WEEKDAY_FACTORS = (1.16, 1.22, 1.20, 1.18, 1.08, 0.60, 0.56)
"""Monday first; the mean is 1."""
HOUR_WEIGHTS = (2, 1, 1, 1, 2, 4, 9, 18, 30, 38, 40, 37, 30, 34, 38, 37, 33, 27, 20, 15, 11, 8, 5, 3)
"""UTC hours of a European service."""


class Storm(NamedTuple):
    """A stretch of time in which one step's dependency fails most tries and callers crowd in."""

    workflow: str
    onset_days: float
    """Days before the end of history."""
    minutes: float
    runs_per_minute: float
    failure_rate: float
    """Chance that one try fails."""

    def starts_ns(self, end_ns: int) -> int:
        """When it begins."""
        return end_ns - int(self.onset_days * DAY)

    def covers(self, time_ns: int, end_ns: int) -> bool:
        """Whether it rages at this time."""
        onset = self.starts_ns(end_ns)
        return onset <= time_ns < onset + int(self.minutes * MINUTE)


STORMS = (
    Storm("refund_triage", onset_days=16.32, minutes=42, runs_per_minute=5.0, failure_rate=0.72),
    Storm("refund_triage", onset_days=5.61, minutes=55, runs_per_minute=5.5, failure_rate=0.68),
    Storm("refund_triage", onset_days=0.12, minutes=36, runs_per_minute=6.0, failure_rate=0.74),
)


LIVE_STORM = Storm("refund_triage", onset_days=0.0, minutes=15, runs_per_minute=5.5, failure_rate=0.72)
"""What rages now and then in live traffic."""
LIVE_STORM_FIRST = 8 * MINUTE
LIVE_STORM_EVERY = 3 * HOUR


def live_storm_rages(age_ns: int) -> bool:
    """Whether the storm rages this long after live traffic began."""
    into = (age_ns - LIVE_STORM_FIRST) % LIVE_STORM_EVERY
    return age_ns >= LIVE_STORM_FIRST and into < int(LIVE_STORM.minutes * MINUTE)


def live_starts(rng: Random, begin_ns: int, runs_per_minute: float, *, stormy: bool) -> Iterator[tuple[int, bool]]:
    """Start times from now on, and whether a run comes with the crowd of a storm; without end.

    Args:
        rng: source of chance.
        begin_ns: when live traffic begins.
        runs_per_minute: mean rate of the usual runs.
        stormy: whether the stormy workflow is among those that run.
    """
    usual = crowd = begin_ns
    while True:
        if usual <= crowd or not stormy:
            yield usual, False
            usual += int(rng.expovariate(runs_per_minute) * MINUTE)
        else:
            if live_storm_rages(crowd - begin_ns):
                yield crowd, True
            crowd += int(rng.expovariate(LIVE_STORM.runs_per_minute) * MINUTE)


def weekday(time_ns: int) -> int:
    """0 for Monday, in UTC."""
    return (time_ns // DAY + 3) % 7


def daily_starts(rng: Random, end_ns: int, days: int, per_day: float) -> list[int]:
    """Start times of the last `days` days before `end_ns`, ascending.

    Args:
        rng: source of chance.
        end_ns: no start at or after it.
        days: length of the history.
        per_day: mean runs a day, over a week.
    """
    begin_ns = end_ns - days * DAY
    starts = []
    for midnight in range(begin_ns // DAY * DAY, end_ns, DAY):
        mean = per_day * WEEKDAY_FACTORS[weekday(midnight)]
        count = max(0, round(rng.gauss(mean, mean**0.5)))
        for hour in rng.choices(range(24), HOUR_WEIGHTS, k=count):
            start = midnight + hour * HOUR + rng.randrange(HOUR)
            if begin_ns <= start < end_ns:
                starts.append(start)
    return sorted(starts)


def storm_starts(rng: Random, storm: Storm, end_ns: int, days: int, factor: float) -> list[int]:
    """Start times of the crowd that a storm brings; none where it lies before the history."""
    onset = storm.starts_ns(end_ns)
    if onset < end_ns - days * DAY:
        return []
    length = int(storm.minutes * MINUTE)
    count = round(storm.minutes * storm.runs_per_minute * factor)
    return sorted(onset + rng.randrange(length) for _ in range(count))
