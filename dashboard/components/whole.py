"""One bar that is 100 %: its parts with their shares, each a way to what is behind it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.components.assets import component

_mount = component("whole", '<div class="seam whole"><div class="bar"></div><div class="parts"></div></div>')


@dataclass(frozen=True)
class Part:
    """A part of the whole. Names may come from spans: they are set as text."""

    name: str
    share: float
    """0–1; all parts together are 1."""
    said: str
    """The share as text, with its unit."""
    color: str
    icon: str = ""
    """Name of a Material Symbol."""
    hatched: float = 0.0
    """How much of the part is drawn hatched, 0–1."""
    note: str = ""
    params: dict[str, Any] | None = None
    """Parameters of the Runs page it leads to; None: nowhere."""


def whole(parts: Sequence[Part], *, key: str, title: str, label: str) -> None:
    """Shows the bar and a legend below it. The label is its alternative text."""
    _mount(key=key, data={"title": title, "label": label, "parts": [asdict(part) for part in parts]})
