"""A daily series with its bands, its change points and what changed meanwhile; each leads on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.components.assets import component

_mount = component("days", '<div class="seam days"><div class="legend"></div><div class="plot"></div></div>')


@dataclass(frozen=True)
class Day:
    """One day's value. The band may be missing; `beside` is the value of the second line."""

    at: int
    """Which day of the axis, from 0."""
    value: float
    low: float | None
    high: float | None
    beside: float | None
    said: str
    params: Mapping[str, Any]
    """Of the Runs page."""


@dataclass(frozen=True)
class Turn:
    """A change point with the range of its day, and the levels around it."""

    at: int
    earliest: int
    latest: int
    chosen: bool
    said: str
    params: Mapping[str, Any]
    """Of the Drift page."""


@dataclass(frozen=True)
class Stretch:
    """A level that held over some days."""

    first: int
    last: int
    value: float


@dataclass(frozen=True)
class Deploy:
    """What was first seen or posted on a day. Its text may come from spans: it is set as text."""

    at: int
    said: str
    params: Mapping[str, Any]
    """Of the Runs page."""


def days(
    points: Sequence[Day],
    *,
    key: str,
    labels: Sequence[str],
    turns: Sequence[Turn],
    stretches: Sequence[Stretch],
    deploys: Sequence[Deploy],
    ticks: Sequence[tuple[float, str]],
    names: tuple[str, str | None],
    label: str,
) -> None:
    """Shows the days.

    Args:
        labels: every day of the axis.
        ticks: values of the vertical axis with their text, lowest first; they bound it.
        names: of the line, and of the second one, for the legend.
        label: alternative text.
    """
    data = {
        "points": [asdict(point) for point in points],
        "labels": list(labels),
        "turns": [asdict(turn) for turn in turns],
        "stretches": [asdict(stretch) for stretch in stretches],
        "deploys": [asdict(deploy) for deploy in deploys],
        "ticks": [list(tick) for tick in ticks],
        "names": list(names),
        "label": label,
    }
    _mount(key=key, data=data)
