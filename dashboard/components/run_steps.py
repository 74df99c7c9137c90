"""The steps of a run, as waterfall, flame or graph, and one of them closely: side by side, or one above the other where
there is no room. A span chosen in one of them is chosen in all."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import streamlit as st

from dashboard import words
from dashboard.components import flame, run_graph, waterfall
from dashboard.components.inspector import inspector
from dashboard.components.run_find import Found, find
from dashboard.components.run_tree import Tree, tree

Run = Mapping[str, Any]
Picture = Literal["Waterfall", "Flame", "Graph"]

PICTURES: Final[tuple[Picture, ...]] = ("Waterfall", "Flame", "Graph")


def answer_pictures() -> None:
    """Does what was asked of a picture: puts into the URL what was chosen, opened or zoomed into."""
    for picture in (waterfall.ASKED, flame.ASKED, run_graph.ASKED):
        picture.answer()


def run_steps(run: Run, picture: Picture) -> None:
    """The picture and the inspector."""
    selected = st.query_params.get("span") or run["origin_span_id"] or run["root_span_id"]
    trace_id = None
    grid = st.grid(2, min_column_width=430, gap="medium")
    span: int | Literal["all"] = 1 if picture == "Waterfall" else "all"
    with grid.cell(column_span=span):
        match picture:
            case "Waterfall":
                trace_id = _waterfall(run, selected)
            case "Flame":
                found = {hit["span_id"] for hit in find(run, everything=False).hits}
                end_ns = max(run["end_ns"] or run["last_received_ns"], run["start_ns"])
                flame.run_flame(run, end_ns=end_ns, selected=selected, found=found)
            case "Graph":
                run_graph.run_graph(run, selected)
    with grid.cell(column_span=span), st.container(border=True):
        if selected:
            inspector(trace_id, selected, run)
        else:
            st.caption("Select a step to see what it got, what it answered and all it recorded.")


def _waterfall(run: Run, selected: str | None) -> str | None:
    """Draws the waterfall. -> Trace id of what is selected, where it shows."""
    with st.container(horizontal=True):
        everything = st.toggle(
            "All spans",
            key="spans",
            bind="query-params",
            help="Also transport, protocol and wrapper spans that are no steps of the workflow",
        )
        critical = not everything and st.toggle(
            "Critical path",
            key="critical",
            bind="query-params",
            help="Underlines the steps that the end of the run waited for: only these make it faster",
        )
    found = find(run, everything=everything)
    shown = _tree(run, found, everything=everything)
    noun = "span" if everything else "step"
    if not shown.folded.total:
        st.caption(f"No {noun}s yet.")
        return None
    waterfall.waterfall(
        shown,
        run_id=run["run_id"] + noun,
        begin_ns=run["start_ns"],
        end_ns=_end_ns(run, shown),
        selected=selected,
        heading=_heading(shown, noun),
        critical=critical,
    )
    traces = {step["span_id"]: step["trace_id"] for step in shown.steps.values()}
    return traces.get(selected or "")


def _tree(run: Run, found: Found, *, everything: bool) -> Tree:
    asked, origin = st.query_params.get("span"), run["origin_span_id"] or run["root_span_id"]
    return tree(
        run,
        everything=everything,
        wanted=[asked] if asked else [],
        beside=[origin] if origin else [],
        matches=found.places(everything=everything),
    )


def _end_ns(run: Run, shown: Tree) -> int:
    ends = [step["end_ns"] for step in shown.steps.values() if step["end_ns"] is not None]
    return max(int(run["end_ns"] or max([run["last_received_ns"], *ends])), int(run["start_ns"]))


def _heading(shown: Tree, noun: str) -> str:
    folded = shown.folded
    all_of_them = words.plural(folded.total, noun)
    if folded.shown == folded.total:
        return all_of_them
    hidden = folded.hidden_matches
    matches = f", {words.plural(hidden, 'match', 'matches')} hidden" if hidden else ""
    rows = sum(not line.folded for line in folded.lines)
    together = f", tries together in {words.plural(rows, 'row')}" if rows < folded.shown else ""
    return f"shows {folded.shown:,} of {all_of_them}{together}{matches}"
