"""A table whose rows lead on: to runs, to a run, to a span."""

from collections.abc import Sequence
from typing import Any

from dashboard.components.assets import component

_mount = component("link_table", '<div class="seam link-table"></div>')

Column = dict[str, Any]
"""`name` and `label`; `look` (layer, ago, share, course, link, strong, mono), `align`, `width`, `help`, `optional`
(1 leaves first where there is no room), `blank` (what stands for a missing value)."""


def link_table(rows: Sequence[dict[str, Any]], columns: Sequence[Column], *, key: str, label: str) -> None:
    """Shows rows; each leads to `page` with `params`, and may have a line of text `below`.

    Values are by `look`: text, or text with a quieter one beside it; layer: `layer_mark`; ago: milliseconds; share: a
    fraction and its text; course: values over time, null where not known; link: `page`, `params`, `text`.
    """
    _mount(key=key, data={"rows": list(rows), "columns": list(columns), "label": label})


def number_column(name: str, label: str, width: int, meaning: str = "", leaves: int = 0) -> Column:
    """A column of numbers; `leaves` first (1) or second (2) where there is no room."""
    column: Column = {"name": name, "label": label, "align": "right", "width": f"{width}px"}
    return column | ({"help": meaning} if meaning else {}) | ({"optional": leaves} if leaves else {})
