"""From one share to another by parts that add up: what a change is made of."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.components.assets import component

_mount = component("bridge", '<div class="seam bridge"></div>')


@dataclass(frozen=True)
class Pier:
    """A row: a level from 0, or what a part moves. In percent; its text may come from spans and is set as text."""

    name: str
    since: float
    until: float
    said: str
    level: bool
    params: dict[str, Any]
    """Of the Runs page."""


def bridge(piers: Sequence[Pier], *, key: str, label: str) -> None:
    """Shows the rows; each leads to its runs. The axis begins where there is something to see.

    Args:
        label: alternative text.
    """
    ends = [end for pier in piers for end in ((pier.until,) if pier.level else (pier.since, pier.until))]
    low, high = min(ends), max(ends)
    room = max(high - low, 1.0)
    data = {
        "piers": [asdict(pier) for pier in piers],
        "low": max(0.0, low - 0.6 * room),
        "high": min(100.0, high + 0.08 * room),
        "label": label,
    }
    _mount(key=key, data=data)
