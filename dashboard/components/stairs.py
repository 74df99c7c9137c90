"""The compounding as a staircase: from 100 % down to what the chain delivers, with what users got beside it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.components.assets import component

_mount = component("stairs", '<div class="seam stairs"></div>')


@dataclass(frozen=True)
class Step:
    """One step down. Levels are shares of runs, 0–1."""

    name: str
    top: float
    bottom: float
    first_try: float
    """Where the chain would be after this step without any retry."""
    said: str
    """What it loses, as text."""
    biggest: bool
    params: dict[str, Any]


@dataclass(frozen=True)
class Level:
    """A figure beside the stairs, with its band."""

    name: str
    value: float
    low: float
    high: float
    said: str
    help: str
    params: dict[str, Any]
    """Of the Runs page."""


def stairs(steps: Sequence[Step], levels: Sequence[Level], *, key: str, label: str) -> None:
    """Shows the staircase: each step leads to the runs it lost, a figure beside it to all it rests on.

    The axis begins where there is something to see.
    """
    lowest = min([*(s.bottom for s in steps), *(s.first_try for s in steps), *(level.low for level in levels), 1.0])
    floor = max(0.0, int((lowest - 0.04) * 20) / 20)
    data = {
        "steps": [asdict(step) for step in steps],
        "levels": [asdict(level) for level in levels],
        "floor": floor,
        "label": label,
    }
    _mount(key=key, data=data)
