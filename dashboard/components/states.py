"""What a page shows where it has nothing to show: why, and what to do. Each recovers by itself."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

import streamlit as st

from dashboard import store, words
from dashboard.components import filters
from dashboard.errors import (
    AccessDenied,
    CollectorDown,
    CollectorSilent,
    DashboardError,
    NoStore,
    QueryFailed,
    SchemaMismatch,
    StoreBusy,
)

P = ParamSpec("P")

WAITS: Final = "waits_for_store"
"""Set in the session while a state stands where a page should be."""

log = logging.getLogger("seamscope.dashboard")


def guarded(page: Callable[P, None]) -> Callable[P, None]:
    """A page or fragment whose failures become a designed state instead of a traceback."""

    @wraps(page)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            page(*args, **kwargs)
        except DashboardError as exc:
            show(exc)
        except Exception:
            # The one place that must survive anything: the reader gets a page, the log gets the traceback.
            log.exception("%s failed", page.__name__)
            st.error(
                "This part of the page failed. The dashboard's log says why; the rest of the page still works.",
                icon=":material/error:",
            )

    return run


def show(error: DashboardError) -> None:
    """The state that belongs to an error. The footer draws the page anew once the store answers again."""
    if not isinstance(error, QueryFailed):
        st.session_state[WAITS] = True
    match error:
        case NoStore():
            nothing_yet()
        case CollectorSilent():
            silent(error)
        case CollectorDown():
            st.warning(
                "The collector does not answer. What is stored is safe; this page comes back by itself.",
                icon=":material/cloud_off:",
            )
        case StoreBusy():
            st.warning("Another process has the store open.", icon=":material/lock:")
        case SchemaMismatch():
            st.error("Collector and dashboard are of different versions.", icon=":material/difference:")
        case AccessDenied():
            st.error("The collector wants a read token.", icon=":material/key:")
        case QueryFailed():
            st.error("The store could not answer.", icon=":material/error:")
    if not isinstance(error, NoStore):
        st.code(str(error), language=None, wrap_lines=True)


def silent(error: CollectorSilent) -> None:
    """Since when a collector that runs has not answered."""
    since = words.moment(error.since_ns, filters.zone(), now_ns=time.time_ns())
    st.warning(
        f"The collector has not answered since {since}. What is stored is safe; this goes by itself once it answers.",
        icon=":material/hourglass_disabled:",
    )


def is_empty() -> bool:
    """Nothing has ever arrived."""
    return not store.ask("ingest_totals", since_ns=0, until_ns=2**63 - 1).to_pylist()[0]["received"]


def nothing_yet() -> None:
    """What to do where nothing has ever arrived."""
    with st.container(border=True):
        st.subheader("Nothing has arrived yet", anchor=False)
        st.write(
            "Point an agent's OpenTelemetry exporter at the collector and its first run shows up here within seconds."
        )
        with st.container(horizontal=True):
            st.page_link("views/connect.py", label="Connect an agent", icon=":material/power:")
        st.caption("Or look around first, with made-up workflows:")
        st.code("seamscope demo", language="bash")


def no_match(what: str) -> None:
    """Filters that leave nothing."""
    with st.container(border=True):
        st.write(f"**{what}** Widen the window, or clear a filter.")
