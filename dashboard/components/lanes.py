"""Amplification over time, a lane for each step or dependency: columns, lines not to be crossed, storms as blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.components.assets import component
from dashboard.components.filters import Window

_mount = component(
    "lanes", '<div class="seam lanes"><div class="legend"></div><div class="rows"></div><div class="axis"></div></div>'
)


@dataclass(frozen=True)
class Column:
    """Calls that began in one stretch of time."""

    at_ns: int
    amplification: float
    operations: int
    enough: bool
    """Enough operations to judge by; drawn hollow where not."""


@dataclass(frozen=True)
class Block:
    """A storm, or a stretch worth a look."""

    since_ns: int
    until_ns: int
    peak: float
    storm: bool
    said: str
    params: Mapping[str, Any]
    """Of the Runs page."""


@dataclass(frozen=True)
class Lane:
    """One name. Its text may come from spans: it is set as text."""

    name: str
    said: str
    threshold: float | None
    """From where on it is a storm; None: it never retries."""
    columns: Sequence[Column]
    blocks: Sequence[Block]
    params: Mapping[str, Any]
    """Of the Runs page, for a stretch of it: `from` and `to` are added."""


def lanes(rows: Sequence[Lane], *, key: str, window: Window, bucket_ns: int, budget: float, look: float) -> None:
    """Shows the lanes; a column and a block lead to the runs of their time."""
    data = {
        "lanes": [_told(lane) for lane in rows],
        "since": window.since_ns // 1_000_000,
        "until": window.until_ns // 1_000_000,
        "bucket": bucket_ns // 1_000_000,
        "budget": budget,
        "look": look,
    }
    _mount(key=key, data=data)


def _told(lane: Lane) -> dict[str, Any]:
    told = asdict(lane)
    told["columns"] = [[c.at_ns // 1_000_000, c.amplification, c.operations, c.enough] for c in lane.columns]
    told["blocks"] = [
        {**asdict(b), "since": b.since_ns // 1_000_000, "until": b.until_ns // 1_000_000} for b in lane.blocks
    ]
    return told
