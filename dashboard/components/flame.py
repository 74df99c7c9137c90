"""The flame chart of a run: one row per depth, width by time."""

from collections.abc import Set
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.analytics.flame import Block, flame
from dashboard.analytics.marks import MARKS, mark
from dashboard.components.asking import Asking
from dashboard.components.assets import component
from dashboard.components.one_run import Run, of_steps
from dashboard.components.run_tree import SPAN_ID, select_span
from dashboard.components.text import clip, safe
from dashboard.components.waterfall import NAME_CHARS, Axis, group

_mount = component("flame", '<div class="seam flame"><div class="chart" role="group"></div></div>', looks="marks")

COLUMNS: Final = 400  # parts of the width: a narrower step cannot be hit with a mouse
MOST: Final = 1_500  # blocks that a browser draws in a few milliseconds
HEIGHT: Final = 620


def run_flame(run: Run, *, end_ns: int, selected: str | None, found: Set[str]) -> None:
    """Shows the chart, or the stretch of a step that `zoom` of the URL names.

    Args:
        found: span ids that a search found.
    """
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    begin, end, first, last = run["start_ns"], max(end_ns, run["start_ns"] + 1), 0, 2**31 - 1
    zoom = st.query_params.get("zoom", "")
    reach = ask("run_reach", span_id=zoom, **of_steps(run)).to_pylist() if SPAN_ID.fullmatch(zoom) else []
    if reach:
        at = reach[0]
        begin, first, last = at["start_ns"], at["first"], at["last"]
        end = max(at["end_ns"] or end, begin + 1)
    rows = ask(
        "run_flame",
        begin_ns=begin,
        end_ns=end,
        columns=COLUMNS,
        first=first,
        last=last,
        limit=MOST,
        **of_steps(run),
    ).to_pylist()
    if not rows:
        st.caption("No steps yet.")
        return
    chart, axis = flame(rows), Axis(begin, end - begin)
    total, shown = rows[0]["total"], sum(block.steps for block in chart.blocks)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if reach:
            st.button("Whole run", icon=":material/zoom_out_map:", key="flame_whole", on_click=_zoom, args=("",))
            st.caption(f"within **{safe(reach[0]['name'], 60)}**")
        elif zoom:
            st.caption("The step that the link zooms into is not in this run.")
        st.caption(_heading(total, shown, len(chart.blocks)) + " Double click or Z zooms in.")
    ASKED.mount(
        _mount,
        {
            "blocks": [_block(block, axis, found) for block in chart.blocks],
            "lanes": chart.lanes,
            "depths": chart.depths,
            "ticks": axis.ticks(),
            "selected": selected,
            "height": HEIGHT,
        },
    )


def _heading(total: int, shown: int, blocks: int) -> str:
    steps = words.plural(total, "step")
    if shown < total:
        return f"Shows {shown:,} of {steps}: the longest."
    return (
        f"{steps}."
        if blocks == total
        else f"{steps} in {words.plural(blocks, 'block')}: narrow ones of one name stand together."
    )


def _zoom(span_id: str) -> None:
    if span_id:
        st.query_params["zoom"] = span_id
    else:
        st.query_params.pop("zoom", None)


def _block(block: Block, axis: Axis, found: Set[str]) -> dict[str, Any]:
    row = block.row
    became = mark(row)
    name = clip(row["name"], NAME_CHARS)
    many = f", {block.steps:,} steps" if block.steps > 1 else ""
    failed = f", {block.failed:,} failed" if block.failed and block.steps > 1 else ""
    return {
        "id": row["span_id"],
        "lane": block.lane,
        "group": group(row["kind"]),
        "mark": became,
        "name": f"{name} ×{block.steps:,}" if block.steps > 1 else name,
        "told": f"{name}{many}{failed}, {words.duration(max(0, block.end_ns - block.start_ns))}: {MARKS[became]}",
        "found": row["span_id"] in found,
        **axis.extent(block.start_ns, block.end_ns),
    }


ASKED: Final = Asking("flame", {"select": select_span, "zoom": _zoom})
