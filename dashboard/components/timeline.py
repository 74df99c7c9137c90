"""Stacked columns over time that refresh in place; a drag opens the runs of a range, a legend entry a series'."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboard import words
from dashboard.components.assets import component
from dashboard.components.badges import layer_mark
from dashboard.components.filters import Window

_mount = component(
    "timeline",
    '<div class="seam timeline"><div class="legend"></div><div class="plot"></div><div class="tip" hidden></div></div>',
)

STATES: Final = ("failed", "silent", "recovered", "pending", "running", "abandoned", "clean")
"""Bottom to top: what hurts stands on the base line, where heights can be compared."""


def timeline(
    counts: Sequence[Mapping[str, Any]],
    *,
    value: str,
    names: Sequence[str],
    key: str,
    title: str,
    window: Window,
    bucket_ns: int,
    outcomes: bool = False,
    layers: bool = False,
    opens: Mapping[str, str] | None = None,
    carry: Sequence[str] = (),
) -> None:
    """Shows counts over time. A drag or click opens the runs of that range.

    Args:
        counts: rows with `bucket_ns`, `state` (which of `names`) and the count under `value`.
        names: series from bottom to top.
        outcomes: the series are states of runs: drawn with their shapes, and each leads to its runs.
        layers: the series are layers: drawn in their colours, and each leads to its runs, from legend and columns.
        opens: parameters of the Runs page that every way of the chart sets.
        carry: parameters of the URL that such a way keeps, beside the shared filters.
    """
    series = []
    for name in names:
        points = [[row["bucket_ns"] // 1_000_000, row[value]] for row in counts if row["state"] == name]
        total = sum(count for _, count in points)
        always = name in ("failed", "stored")
        shown = words.count(total)
        mark = layer_mark(name) if layers else None
        series.append(
            {
                "name": name,
                "label": name,
                "points": points,
                "total": total,
                "shown": shown,
                "always": always,
                "mark": mark,
            }
        )
    told = ", ".join(f"{each['shown']} {each['label']}" for each in series if each["total"]) or "nothing"
    data = {
        "title": title,
        "series": series,
        "since": window.since_ns // 1_000_000,
        "until": window.until_ns // 1_000_000,
        "bucket": bucket_ns // 1_000_000,
        "param": "state" if outcomes else "layer" if layers else None,
        "opens": dict(opens or {}),
        "carry": list(carry),
        "alt": f"{title}, {words.moment(window.since_ns)} to {words.moment(window.until_ns)} UTC: {told}",
    }
    _mount(key=key, data=data)
