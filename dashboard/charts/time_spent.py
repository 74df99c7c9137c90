"""Where the time of a run went."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from dashboard import words
from dashboard.components.text import plot_text

BARS: Final = 14
SHADES: Final = {"model": "#4c5866", "tool": "#7d8997", "retrieval": "#a5afba", "orchestration": "#cbd2d9"}
"""Greys: what a run waited for is no outcome and no layer, and those own the colours."""
FAILED: Final = "#d55e00"


def time_spent(rows: Sequence[Mapping[str, Any]], groups: Sequence[str]) -> go.Figure:
    """Own time per named step, longest on top, the part that is failed tries' own apart.

    Args:
        rows: rows of `queries/run_time.sql`, longest first.
        groups: for each row what it waited for, a key of `SHADES`.
    """
    top = list(zip(rows, groups, strict=True))[:BARS][::-1]
    names = [f"{plot_text(row['name'], 36)} × {row['steps']:,}" for row, _ in top]
    good = [(row["self_ns"] - row["failed_self_ns"]) / 1e9 for row, _ in top]
    failed = [row["failed_self_ns"] / 1e9 for row, _ in top]
    said = [words.duration(row["self_ns"]) for row, _ in top]
    position = list(range(len(top)))
    figure = go.Figure(
        [
            go.Bar(
                x=good,
                y=position,
                orientation="h",
                marker={"color": [SHADES[each] for _, each in top]},
                name="good tries",
                customdata=said,
                hovertemplate="%{customdata}<extra></extra>",
            ),
            go.Bar(
                x=failed,
                y=position,
                orientation="h",
                name="failed tries",
                marker={"color": FAILED, "pattern": {"shape": "/"}},
                text=said,
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{x:.3g} s in failed tries<extra></extra>",
            ),
        ]
    )
    figure.update_layout(
        barmode="stack",
        height=60 + 26 * len(top),
        margin={"l": 0, "r": 60, "t": 8, "b": 30},
        showlegend=False,
        bargap=0.3,
        yaxis={"tickmode": "array", "tickvals": position, "ticktext": names, "automargin": True},
        xaxis={"ticksuffix": " s"},
    )
    return figure
