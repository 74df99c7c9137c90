"""Run: one run, what failed where, its steps over time, and every span as it came."""

import re
import time
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.analytics.diagnosis import diagnose
from dashboard.charts.time_spent import BARS, time_spent
from dashboard.components import filters, parameters
from dashboard.components.compare import compare
from dashboard.components.diagnosis import show_diagnosis
from dashboard.components.link_table import link_table, number_column
from dashboard.components.navigate import navigate
from dashboard.components.one_run import Run, of_steps, received, run_of
from dashboard.components.quality import REMOVED
from dashboard.components.run_failures import run_failures
from dashboard.components.run_head import asked_of_neighbours, neighbours, run_head, time_line
from dashboard.components.run_list import run_list
from dashboard.components.run_steps import PICTURES, answer_pictures, run_steps
from dashboard.components.run_tree import SPAN_ID
from dashboard.components.states import guarded, is_empty, nothing_yet
from dashboard.components.text import clip, safe
from dashboard.components.verdicts import show_verdicts
from dashboard.components.waterfall import group
from dashboard.questions import EVERYTHING
from schemas.rules import known_codes

RUN_ID = re.compile(r"[0-9a-f]{32}")
LOOK_AGAIN_S = 2.0
VIEWS = (*PICTURES, "Compare", "Where time went", "Failures")
TIME_COLUMNS: Final = (
    {"name": "step", "label": "Step", "look": "strong"},
    number_column("visits", "Steps", 70, leaves=2),
    number_column("failed", "Failed", 70, leaves=2),
    number_column("own", "Own time", 90, "Without that of the steps within it"),
    number_column("lost", "In failed tries", 110, "Their own time, without what ran inside them", leaves=1),
    number_column("share", "Share", 70, "Of the own time of all steps of the run"),
)


def explanation(run: Run) -> None:
    """What failed where, why and what came of it, in words."""
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    roots: list[dict[str, Any]] = []
    if run["roots"]:
        given = of_steps(run) | received(run)
        roots, aftermath = ask("run_diagnosis", **given).to_pylist(), ask("run_aftermath", **given)
        if roots:
            roots[0] |= next(iter(aftermath.to_pylist()), dict.fromkeys(aftermath.column_names))
    show_diagnosis(diagnose(run, roots, filters.current().lens, known_codes(store.settings().rules)), run["run_id"])


def ahead(run: Run) -> None:
    """Begins to ask what is shown of any run, in the order in which it is."""
    steps = of_steps(run)
    by_state = store.ask if run["outcome"] == "open" else store.ask_steady
    if st.query_params.get("view", VIEWS[0]) == "Waterfall" and st.query_params.get("spans") != "true":
        store.ahead(by_state, [("run_outline", steps)])  # of a large run what takes longest
    if run["roots"]:
        store.ahead(by_state, [("run_aftermath", steps | received(run)), ("run_diagnosis", steps | received(run))])
    store.ahead(store.ask, [("run_verdicts", steps)])
    store.ahead(store.ask_steady, [("run_time", steps), *asked_of_neighbours(run)])


def not_there(run_id: str) -> None:
    """Why there is nothing to see of a run."""
    removed = store.ask("run_removed", id=run_id).to_pylist()
    with st.container(border=True):
        if removed:
            when = words.moment(removed[0]["removed_ns"], filters.zone())
            why = REMOVED.get(removed[0]["reason"], "retention")
            st.subheader("This run was removed", anchor=False)
            st.write(f"Its spans and steps were deleted on {when}: {why}. What it counts in charts stays.")
        else:
            st.subheader("No such run", anchor=False)
            st.write(
                "Its spans may not have arrived or settled yet: this page keeps looking. Or the id is of another store."
            )
        st.code(run_id, language=None)
        st.page_link("views/runs.py", label="Find a run", icon=":material/list:", query_params=filters.carried())


def show_time_spent(run: Run, rows: list[dict[str, Any]]) -> None:
    """Where the time went; a bar leads to the runs of this workflow, of a day around this one, that called the same."""
    chosen = st.plotly_chart(
        time_spent(rows, [group(row["kind"]) for row in rows]),
        key="run_time_spent",
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt="Own time per step, longest first; failed tries hatched",
    )
    st.caption("A bar or a row leads to the runs of this workflow, within a day of this one, that called the same.")
    around = {
        "workflow": run["workflow"],
        "from": words.iso(run["start_ns"] - filters.DAY // 2),
        "to": words.iso(run["start_ns"] + filters.DAY // 2),
    }
    for point in chosen["selection"]["points"][:1]:
        navigate("runs", called=f"operation:{rows[:BARS][::-1][int(point['y'])]['name']}", **around)
    total_ns = sum(row["self_ns"] for row in rows)
    link_table(
        [
            {
                "page": "runs",
                "params": around | {"called": f"operation:{row['name']}"},
                "title": "open the runs that called the same",
                "step": [clip(row["name"], 80), row["kind"]],
                "visits": words.count(row["steps"]),
                "failed": words.count(row["failed"]),
                "own": words.duration(row["self_ns"]),
                "lost": words.duration(row["failed_self_ns"]) if row["failed_self_ns"] else "–",
                "share": words.share(row["self_ns"], total_ns),
            }
            for row in rows
        ],
        TIME_COLUMNS,
        key="run_time_rows",
        label="Own time by step, longest first",
    )


@guarded
def body(run_id: str) -> None:
    """The whole page of one run."""
    answer_pictures()
    run, now_ns = run_of(run_id), time.time_ns()
    if run is None:
        not_there(run_id)
        return
    ahead(run)
    abandoned = run["last_received_ns"] < now_ns - store.settings().abandoned_after_s * 1e9
    state = run["outcome"] if run["outcome"] != "open" else "abandoned" if abandoned else "running"
    ways = run_head(run, state, now_ns)
    explanation(run)
    show_verdicts(run)
    rows = time_line(run)
    view = st.pills(
        "View",
        VIEWS,
        default=VIEWS[0],
        required=True,
        wrap=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view == "Where time went":
        show_time_spent(run, rows)
    elif view == "Failures":
        run_failures(run)
    elif view == "Compare":
        compare(run)
    else:
        run_steps(run, next(picture for picture in PICTURES if picture == view))
    with ways:
        neighbours(run)


def needs_another_look(run_id: str) -> bool:
    """The run has not arrived or is not finished."""
    run = run_of(run_id)
    return run is None or run["outcome"] == "open"


@guarded
def choose() -> None:
    """No run is named: offers the newest."""
    if is_empty():
        nothing_yet()
        return
    st.subheader("Which run?", anchor=False)
    st.write("Open one of the newest here, find one on Runs, or paste an id in the sidebar.")
    window = filters.current().window
    newest = store.ask(
        "runs_page",
        since_ns=0,
        until_ns=window.until_ns,
        workflow="",
        version="",
        environment=EVERYTHING,
        states=(),
        abandoned_ns=0,
        at_ns=window.until_ns,
        at_run_id="",
        limit=10,
    )
    run_list(newest.to_pylist(), key="run_choice", label="Newest runs")


span = st.query_params.get("span")
if span is not None and not SPAN_ID.fullmatch(span):
    st.warning(f"The link's span “{safe(span, 40)}” is no span id (16 of 0–9 and a–f); it is left out.")
    st.query_params.pop("span")
view = st.query_params.get("view")
if view is not None and view not in VIEWS:
    parameters.say("view", view, VIEWS, default=VIEWS[0])
wanted = st.query_params.get("run", "").strip().lower()
if not wanted:
    choose()
elif not RUN_ID.fullmatch(wanted):
    st.warning(f"“{safe(wanted, 60)}” is no run id: that is 32 of 0–9 and a–f.")
    choose()
else:
    again = filters.current().live and needs_another_look(wanted)
    st.fragment(body, run_every=LOOK_AGAIN_S if again else None)(wanted)
