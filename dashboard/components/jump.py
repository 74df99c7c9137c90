"""Jump to a run by its id, from any page."""

import re
from typing import Final

import streamlit as st

from dashboard import store
from dashboard.components.navigate import navigate
from dashboard.components.one_run import run_of
from dashboard.errors import DashboardError

ID: Final = re.compile(r"[0-9a-f]{4,32}")


def jump_to_run() -> None:
    """A box that takes a run or trace id, or its first digits."""
    wanted = st.text_input(
        "Jump to a run",
        placeholder="run or trace id",
        icon=":material/search:",
        key="jump",
        max_chars=40,
        label_visibility="collapsed",
    )
    wanted = (wanted or "").strip().lower()
    if not wanted or wanted == st.session_state.get("jumped"):
        return
    if not ID.fullmatch(wanted):
        st.caption(":material/info: an id is 4 to 32 of 0–9 and a–f")
        return
    try:
        run_id, many = _resolve(wanted)
        along = {} if many else _workflow_of(run_id)
    except DashboardError:
        return  # the page itself says what is wrong
    st.session_state["jumped"] = wanted
    if many:
        navigate("runs", text=wanted)
    else:
        navigate("run", run=run_id, **along)


def _workflow_of(run_id: str) -> dict[str, str | list[str]]:
    """The workflow of the run where the filter is set to another, whose version goes with it."""
    chosen = st.query_params.get("workflow")
    run = run_of(run_id) if chosen else None
    return {"workflow": run["workflow"] or [], "version": []} if run and run["workflow"] != chosen else {}


def _resolve(wanted: str) -> tuple[str, bool]:
    """The run that is meant, and whether several could be. An unknown id goes to the Run page, which says so."""
    if len(wanted) == 32:
        return wanted, False
    found = store.ask("runs_by_prefix", prefix=wanted).column("run_id").to_pylist()
    return (found[0] if found else wanted), len(found) > 1
