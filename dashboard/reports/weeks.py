"""ISO weeks in a time zone: where they begin and end, also where clocks change in between."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Self

from dashboard.errors import DashboardError

NS = 1_000_000_000
HOUR_NS = 3_600 * NS
FIRST: Final = date(1970, 1, 12)
"""The first and the last Monday for which all moments of the week, and of those beside it, are nanoseconds that the
store can hold: from 1970 on, in 63 bits."""
LAST: Final = date(2262, 3, 24)
_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})")


class NoSuchWeek(DashboardError):
    """A text names no ISO week."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:40]!r} is no ISO week: write it like 2026-W46; years have 52 or 53 weeks")


class WeekOutOfReach(NoSuchWeek):
    """An ISO week whose moments the store cannot hold."""

    def __init__(self, text: str) -> None:
        first, last = (f"{day.isocalendar().year}-W{day.isocalendar().week:02d}" for day in (FIRST, LAST))
        DashboardError.__init__(self, f"{text[:40]!r} can hold no run: weeks go from {first} to {last}")


@dataclass(frozen=True, slots=True)
class Week:
    """One ISO week: from Monday's to the next Monday's midnight in its zone, half-open."""

    year: int
    """The ISO year: the one that holds the week's Thursday."""
    number: int
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Self:
        """The week that `2026-W46` names.

        Raises:
            NoSuchWeek: it names none, or none in which a run can have begun.
        """
        found = _NAME.fullmatch(text.strip().upper())
        if found is None:
            raise NoSuchWeek(text)
        year, number = map(int, found.groups())
        try:
            first = date.fromisocalendar(year, number, 1)
        except ValueError as exc:
            raise NoSuchWeek(text) from exc
        if not FIRST <= first <= LAST:
            raise WeekOutOfReach(text)
        return cls(year, number, zone)

    @classmethod
    def of(cls, at_ns: int, zone: tzinfo) -> Self:
        """The week in which a moment lies."""
        year, number, _ = datetime.fromtimestamp(at_ns // NS, zone).isocalendar()
        return cls(year, number, zone)

    @property
    def name(self) -> str:
        """As in `2026-W46`."""
        return f"{self.year:04d}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def start_ns(self) -> int:
        """Monday's midnight."""
        return midnight_ns(self.monday, self.zone)

    @property
    def end_ns(self) -> int:
        """The next Monday's midnight."""
        return midnight_ns(self.monday + timedelta(days=7), self.zone)

    @property
    def hours(self) -> float:
        """168, but for weeks in which clocks change."""
        return (self.end_ns - self.start_ns) / HOUR_NS

    def before(self) -> "Week":
        """The week before it."""
        year, number, _ = (self.monday - timedelta(days=7)).isocalendar()
        return Week(year, number, self.zone)


def last_complete(now_ns: int, zone: tzinfo) -> Week:
    """The newest week that is over."""
    return Week.of(now_ns, zone).before()


def midnight_ns(day: date, zone: tzinfo) -> int:
    """When a day begins: where clocks skip midnight, the moment they do so; where they repeat it, the first one."""
    since_epoch = datetime.combine(day, time(), zone).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * NS


def day_of(at_ns: int, zone: tzinfo) -> date:
    """The day on which a moment lies."""
    return datetime.fromtimestamp(at_ns // NS, zone).date()
