"""Stacked columns over time that refresh in place; a drag picks a range, a legend entry a series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard import words
from dashboard.components.assets import component, ignore

_mount = component(
    "timeline",
    '<div class="seam timeline"><div class="legend"></div><div class="plot"></div><div class="tip" hidden></div></div>',
)

STATES: Final = ("failed", "silent", "recovered", "pending", "running", "abandoned", "clean")
"""Bottom to top: what hurts stands on the base line, where heights can be compared."""


@dataclass(frozen=True)
class Picked:
    """What a reader picked on a timeline."""

    range_ns: tuple[int, int] | None
    """Half-open."""
    series: str | None


def timeline(
    counts: Sequence[Mapping[str, Any]],
    *,
    value: str,
    names: Sequence[str],
    key: str,
    title: str,
    since_ns: int,
    until_ns: int,
    bucket_ns: int,
    outcomes: bool = False,
    pick: bool = False,
) -> Picked:
    """Shows counts over time.

    Args:
        counts: rows with `bucket_ns`, `state` (which of `names`) and the count under `value`.
        names: series from bottom to top.
        outcomes: the series are states of runs: drawn with their shapes, and each can be chosen.
        pick: a drag or click picks a range.
    """
    series = []
    for name in names:
        points = [[row["bucket_ns"] // 1_000_000, row[value]] for row in counts if row["state"] == name]
        total = sum(count for _, count in points)
        series.append(
            {
                "name": name,
                "label": name,
                "points": points,
                "total": total,
                "shown": words.count(total),
                "always": name in ("failed", "stored"),
            }
        )
    told = ", ".join(f"{words.count(each['total'])} {each['label']}" for each in series if each["total"]) or "nothing"
    data = {
        "title": title,
        "series": series,
        "since": since_ns // 1_000_000,
        "until": until_ns // 1_000_000,
        "bucket": bucket_ns // 1_000_000,
        "outcomes": outcomes,
        "choose": outcomes,
        "pick": pick,
        "alt": f"{title}, {words.moment(since_ns)} to {words.moment(until_ns)} UTC: {told}",
    }
    result = _mount(key=key, data=data, on_range_change=ignore, on_series_change=ignore)
    chosen: Mapping[str, float] | None = result.get("range")
    range_ns = (int(chosen["from"]) * 1_000_000, int(chosen["to"]) * 1_000_000) if chosen else None
    return Picked(range_ns, result.get("series"))
