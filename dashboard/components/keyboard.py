"""The bar below the jump field: to the failed runs beside this one, the link to this view, and the keys for it all."""

import re
from typing import Any, Final

import streamlit as st

from dashboard import store
from dashboard.components import filters
from dashboard.components.asking import Asking
from dashboard.components.assets import component
from dashboard.components.one_run import run_of
from dashboard.errors import DashboardError

_mount = component(
    "keyboard",
    '<div class="seam keyboard"><div class="bar"></div><dialog aria-label="Keys"></dialog></div>',
)

KEYS: Final = {
    "/": "type or paste the id of a run to jump to",
    "j": "the failed or silent run before this one, in time; on other pages the newest",
    "k": "the failed or silent run after this one",
    "y": "copy the link to this view",
    "?": "show or hide this list",
    "Esc": "leave the field, close the list",
}
"""What works on every page, unless one is typing."""
WATERFALL_KEYS: Final = {
    "↑ ↓": "from step to step",
    "← →": "fold a step, unfold it",
    "Enter": "show what the step holds",
}
"""What works within the waterfall of a run, beside Tab."""
RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
AT: Final = "failed_beside"


def keyboard() -> None:
    """Draws the bar and listens to the keys."""
    ASKED.answer()
    data = {"keys": KEYS, "waterfall": WATERFALL_KEYS, "go": st.session_state.get(AT)}
    ASKED.mount(_mount, data)


def _go(asked: Any) -> None:
    """Finds where a key leads; the browser goes there, if it still waits for it."""
    if isinstance(asked, dict) and asked.get("place") in ("older", "newer"):
        wanted = str(asked.get("run") or "").strip().lower()
        st.session_state[AT] = _beside(wanted, asked["place"]) | {"order": asked.get("order")}


def _beside(wanted: str, place: str) -> dict[str, Any]:
    """The failed run beside the one that is open; on other pages that beside the end of the window."""
    conf = filters.current()
    at: dict[str, store.Param] = {"at_ns": conf.window.until_ns, "at_run_id": ""}
    try:
        if RUN_ID.fullmatch(wanted) and (run := run_of(wanted)):
            at = {"at_ns": run["start_ns"], "at_run_id": run["run_id"]}
        scope = {name: value for name, value in conf.scope().items() if not name.endswith("_ns")}
        found = {row["place"]: row["run_id"] for row in store.ask("failed_neighbours", **scope, **at).to_pylist()}
    except DashboardError:
        return {"said": "the store does not answer"}  # the page itself says what is wrong
    return {"run": found[place]} if place in found else {"said": f"no {place} failed or silent run with these filters"}


ASKED: Final = Asking("keyboard", {"go": _go})
