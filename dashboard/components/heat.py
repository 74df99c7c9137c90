"""A heat map of layers by step; every cell and every row is a link to its runs."""

from collections.abc import Sequence
from typing import NamedTuple

from dashboard import words
from dashboard.components.assets import component
from dashboard.components.badges import layer_mark

_mount = component("heat", '<div class="seam heat"></div>')


class HeatRow(NamedTuple):
    """One row of the map."""

    name: str
    beside: str
    params: dict[str, str]
    """Parameters of the Runs page; a cell adds its layer."""
    counts: Sequence[int]
    """One per layer."""


def heat(rows: Sequence[HeatRow], layers: Sequence[str], *, key: str, corner: str, what: str, label: str) -> None:
    """Shows how many of `what` fell where; strength goes with the square root, so that few still show beside many."""
    _mount(
        key=key,
        data={
            "columns": [layer_mark(layer) for layer in layers],
            "rows": [
                {"name": row.name, "beside": row.beside, "params": row.params, "cells": list(row.counts)}
                for row in rows
            ],
            "shown": [[words.count(count) for count in row.counts] for row in rows],
            "most": max((count for row in rows for count in row.counts), default=1),
            "corner": corner,
            "what": what,
            "label": label,
        },
    )
