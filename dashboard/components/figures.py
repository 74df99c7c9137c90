"""A row of figures, each with its change, its band and how many it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from dashboard import words
from dashboard.analytics.proportions import wilson
from dashboard.components.assets import component

_mount = component("figures", '<div class="seam figures"></div>')


Tone = Literal["worse", "better", "same"]


@dataclass(frozen=True)
class Figure:
    """One number and what gives it meaning. All text is ours, never a span's."""

    name: str
    label: str
    value: str
    change: str | None = None
    tone: Tone = "same"
    note: str = ""
    spark: Sequence[int] = ()
    line: Sequence[float | None] = ()
    """Its course, drawn as a line between its own extremes; None breaks it."""
    mark: str | None = None
    """The state of runs whose shape stands beside the label."""
    help: str = ""
    opens: Mapping[str, str | list[str]] | None = None
    """Parameters of the page that it leads to; None: nowhere."""
    page: str = "runs"


def figures(row: Sequence[Figure], *, key: str) -> None:
    """Shows a row of figures."""
    _mount(key=key, data=[asdict(figure) for figure in row])


def share_figure(
    name: str,
    label: str,
    part: int,
    whole: int,
    before: tuple[int, int],
    *,
    spark: Sequence[int],
    help: str,  # noqa: A002
    good: bool | None,
) -> Figure:
    """A share of finished runs with its band, set against the window before.

    Args:
        before: part and whole of the window before.
        good: whether more of it is good news; None: neither. It is news only where the old share lies outside
            the new band.
    """
    band = wilson(part, whole)
    change: str | None = None
    tone: Tone = "same"
    if whole and before[1]:
        old = before[0] / before[1]
        moved = part / whole - old
        change = f"{words.signed(100 * moved)} pts" if abs(moved) >= 0.0005 else "± 0"
        if good is not None and not band.low <= old <= band.high:
            tone = "better" if (moved > 0) == good else "worse"
    note = f"[{100 * band.low:.1f}, {100 * band.high:.1f}] of {words.count(whole)}" if whole else "no run finished"
    return Figure(
        name, label, words.share(part, whole), change, tone, note, spark, mark=name, help=help, opens={"state": name}
    )
