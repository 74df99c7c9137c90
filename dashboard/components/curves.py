"""Shares over time as lines with bands, and what happened meanwhile; each column leads to its runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from dashboard.components.assets import component
from dashboard.components.filters import Window

_mount = component(
    "curves",
    '<div class="seam curves"><div class="legend"></div><div class="plot"></div><div class="tip" hidden></div></div>',
)


@dataclass(frozen=True)
class Curve:
    """One line. Its name is ours; `name` R, E or F decides how it is drawn."""

    name: str
    label: str
    points: Sequence[tuple[int, float, float, float, int]]
    """Start of the stretch in ns, value, low and high of the band, how many it rests on."""


@dataclass(frozen=True)
class Sign:
    """Something that happened. Its text may come from spans: it is set as text."""

    kind: Literal["change", "deploy", "storm"]
    at_ns: int
    until_ns: int
    said: str
    page: str
    params: dict[str, Any]


def curves(
    lines: Sequence[Curve], signs: Sequence[Sign], *, key: str, title: str, window: Window, step_ns: int
) -> None:
    """Shows the lines over a window, in stretches of `step_ns`."""
    last = [f"{line.label} {100 * line.points[-1][1]:.1f} %" for line in lines if line.points]
    data = {
        "title": title,
        "lines": [asdict(line) | {"points": [[at // 1_000_000, *rest] for at, *rest in line.points]} for line in lines],
        "signs": [
            asdict(sign) | {"at": sign.at_ns // 1_000_000, "to": sign.until_ns // 1_000_000, "at_ns": 0, "until_ns": 0}
            for sign in signs
        ],
        "since": window.since_ns // 1_000_000,
        "until": window.until_ns // 1_000_000,
        "bucket": step_ns // 1_000_000,
        "alt": f"{title}, the last stretch: {', '.join(last) or 'nothing'}; {len(signs)} events",
    }
    _mount(key=key, data=data)
