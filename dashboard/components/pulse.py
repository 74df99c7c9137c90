"""The footer of the sidebar: is anything arriving, and was anything lost?"""

import secrets
import time
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.components import filters, states
from dashboard.errors import CollectorSilent, DashboardError, NoStore
from dashboard.questions import Row
from dashboard.reports.weeks import day_of, midnight_ns

LIVE_S: Final = 1.0
"""How often live parts ask while a collector runs. With settling on top, a run is seen 2 to 3 s after it came."""
LONG_S: Final = 5.0
"""How often they ask about more than a day: at a million runs that costs 0.2 s, and a second changes little."""
BEHIND_S: Final = 10.0
"""Settling that is further behind is said. As a rule it is 1 to 2 s."""
IDLE_S: Final = 5.0
"""How often they look whether a collector has come up. Nothing changes while none runs."""
HELD_S: Final = 5.0
"""How often the footer of a page that is held still goes on telling what arrives."""


def tick_s(conf: filters.Filters) -> float | None:
    """How often a live part refreshes; None: not at all."""
    if not conf.live:
        return None
    if store.collector() is None:
        return IDLE_S
    return LONG_S if conf.window.until_ns - conf.window.since_ns > filters.DAY else LIVE_S


def footer() -> None:
    """Shows the pulse, refreshed by itself, also where the page above is held still."""
    st.session_state.pop("heard_ns", None)  # the whole page was drawn: what is new counts from here
    live_s = LIVE_S if store.collector() else IDLE_S
    st.fragment(_footer, run_every=live_s if filters.current().live else HELD_S)()


def _footer() -> None:
    if filters.current().live:
        store.refreshed(st.session_state.setdefault("open_page", secrets.token_hex(8)))
    now_ns = time.time_ns()
    answer = _answer(now_ns)
    _back(answer is not None)
    if answer is None:
        return
    row, behind = answer
    last = f"last span {words.ago(row['last_received_ns'], now_ns)}" if row["last_received_ns"] else "no span yet"
    if store.collector() is None:
        st.warning(
            "No collector runs: what is sent now is lost. `seamscope up` starts one, and another where it died; "
            "pages go on by themselves.",
            icon=":material/cloud_off:",
        )
    clocks, days = str(filters.zone()), str(store.day_zone())
    told = f"times in {clocks}" + (f", days in {days}" if days != clocks else "")
    st.caption(
        f"{last} · {words.plural(row['runs_a_minute'], 'run')}/min · {words.count(row['lost'])} lost · "
        f"{words.plural(row['duplicate'], 'duplicate')} today · {told}",
        help="Runs of the last whole minute. Lost: spans refused today for a reason that Overview names. "
        "Duplicates: sent again and stored once.",
    )
    if not filters.current().live:
        _held(row["last_received_ns"] or 0)
    if behind and behind["lag_s"] >= BEHIND_S:
        st.caption(
            f":material/hourglass_top: {words.plural(behind['traces_waiting'], 'trace')} of the last "
            f"{behind['lag_s']:.0f} s are stored and not settled yet",
            help="More arrives than can be settled at once. Figures and lists lag behind by as much and catch up by "
            "themselves; nothing is lost.",
        )
    if row["counted_from_ns"] is not None:
        so_far = row["counted_from_ns"]
        reached = f": so far those since {words.moment(so_far, filters.zone())}" if so_far <= now_ns else ""
        st.caption(
            f":material/history: runs are counted anew, newest first{reached}",
            help="An update or `seamscope rebuild` makes the figures of charts and reports again. Until it is through "
            "they lack older runs; the runs themselves are all there.",
        )
    if row["to_resettle"]:
        st.caption(
            f":material/history: new rules have gone through {words.count(row['resettled'])} of "
            f"{words.plural(row['to_resettle'], 'trace')}",
            help="The rules changed, ours or your own. Until its turn a run shows what the earlier ones said.",
        )


def _answer(now_ns: int) -> tuple[Row, dict[str, Any] | None] | None:
    """What there is to say; None where the store does not answer, which is said instead."""
    minute_ns, days = now_ns // filters.MINUTE * filters.MINUTE - filters.MINUTE, store.day_zone()
    try:
        row = store.ask("pulse", minute_ns=minute_ns, day_ns=midnight_ns(day_of(minute_ns, days), days)).to_pylist()[0]
        return row, store.settling()
    except NoStore:
        st.caption("Nothing has arrived yet.")
    except CollectorSilent as exc:
        states.silent(exc)
    except DashboardError:
        st.caption(":material/cloud_off: no answer from the store")
    return None


def _back(answered: bool) -> None:
    """Draws the whole page anew where a state stands in its place, and the store answers again."""
    missed = st.session_state.get("missed_answer", False)
    st.session_state["missed_answer"] = not answered
    if missed and answered and st.session_state.pop(states.WAITS, False):
        st.rerun()


def _held(last_received_ns: int) -> None:
    """Says what came since the page was held still; a press draws it anew."""
    heard_ns = st.session_state.setdefault("heard_ns", last_received_ns)
    if last_received_ns <= heard_ns:
        return
    try:
        (came,) = store.ask("since_held", heard_ns=heard_ns, **filters.current().scope()).to_pylist()
    except DashboardError:
        return  # the next look asks again
    if came["runs"] and st.button(
        f"{words.count(came['runs'])} new",
        icon=":material/refresh:",
        key="pulse_new",
        help="Runs of these filters that began or changed since the page was held still. Press to see them.",
    ):
        st.rerun()
