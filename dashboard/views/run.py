"""Run: one run, what failed where, its steps over time, and every span as it came."""

import re
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import store, words
from dashboard.analytics import findings
from dashboard.analytics.fold import OPEN_MORE, fold
from dashboard.charts.time_spent import time_spent
from dashboard.components import filters
from dashboard.components.badges import outcome_badge
from dashboard.components.inspector import inspector
from dashboard.components.run_list import run_list
from dashboard.components.states import guarded
from dashboard.components.text import safe
from dashboard.components.waterfall import group, waterfall

RUN_ID = re.compile(r"[0-9a-f]{32}")
SPAN_ID = re.compile(r"[0-9a-f]{16}")
OPENED = re.compile(r"([0-9a-f]{16}|top)\.(\d{1,6})")
LOOK_AGAIN_S = 2.0
UNCLASSIFIED = "unclassified"
EVIDENCE_CHARS = 2_000  # the span itself shows the rest
VIEWS = ("Steps", "Where time went", "Failures")


def header(run: Mapping[str, Any], state: str, now_ns: int) -> None:
    """Which run this is, in one line, and its ways to other runs."""
    here = filters.zone()
    version = f" :gray[{safe(run['workflow_version'], 40)}]" if run["workflow_version"] else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"{safe(run['workflow'], 80)}{version} {outcome_badge(state)}", anchor=False, width="content")
        st.space("stretch")
        with st.popover("ids", type="tertiary", icon=":material/tag:"):
            st.caption("run")
            st.code(run["run_id"], language=None)
            if len(run["trace_ids"]) > 1:
                st.caption(f"{len(run['trace_ids'])} traces make up this run")
                st.code("\n".join(run["trace_ids"][:200]), language=None, height=200)
        neighbours(run)
    tokens = (run["tokens_input"], run["tokens_output"])
    facts = [
        f"**{words.duration(run['duration_ns'])}**" if run["duration_ns"] is not None else "**running**",
        f"{words.count(tokens[0])} → {words.count(tokens[1])} tokens" if tokens != (None, None) else "no token counts",
        words.money(run["cost_usd"]) if run["cost_usd"] is not None else "cost not known",
        words.plural(run["steps"], "step"),
        words.plural(run["spans"], "span"),
        safe(run["service"], 40) if run["service"] else None,
        safe(run["environment"], 40) if run["environment"] else None,
        f"began {words.moment(run['start_ns'], here, now_ns=now_ns)} ({words.ago(run['start_ns'], now_ns)})",
        f"verdict: {run['verdict'] or 'none'}",
    ]
    st.markdown(" · ".join(fact for fact in facts if fact))


def neighbours(run: Mapping[str, Any]) -> None:
    """Ways to the session's other runs, and to the run that this one continues."""
    if run["continues_run_id"]:
        st.page_link(
            "views/run.py",
            label="continues a run that waited",
            icon=":material/resume:",
            query_params=filters.carried(run=run["continues_run_id"]),
        )
    if run["session_id"] is None:
        return
    found = store.ask_steady(
        "session_neighbours", session_id=run["session_id"], start_ns=run["start_ns"], run_id=run["run_id"]
    )
    beside = {row["place"]: row["run_id"] for row in found.to_pylist()}
    if "before" in beside:
        st.page_link(
            "views/run.py",
            label="before",
            icon=":material/chevron_left:",
            query_params=filters.carried(run=beside["before"]),
            help="The run before in this session",
        )
    st.page_link(
        "views/runs.py",
        label=f"session {safe(run['session_id'], 40)}",
        query_params=filters.carried(text=run["session_id"][:100]),
    )
    if "after" in beside:
        st.page_link(
            "views/run.py",
            label="after",
            icon=":material/chevron_right:",
            icon_position="right",
            query_params=filters.carried(run=beside["after"]),
            help="The run after in this session",
        )


def explanation(run: Mapping[str, Any], failures: list[dict[str, Any]]) -> None:
    """What failed where, in words, with the evidence."""
    origin = None
    if run["origin_span_id"]:
        origin = next(
            iter(store.ask("run_origin", run_id=run["run_id"], span_id=run["origin_span_id"]).to_pylist()), None
        )
    finding = findings.run(run, origin, failures[0] if failures else None)
    if finding is None:
        return
    said = "".join(
        piece if index % 2 == 0 else f"**{safe(piece, 80)}**" * bool(piece)
        for index, piece in enumerate(finding.pieces)
    )
    with st.container(border=True):
        left, right = st.columns([9, 1], vertical_alignment="center")
        left.markdown(said)
        if origin and right.button("", icon=":material/my_location:", key="run_origin", help="Show the span"):
            st.query_params["span"] = origin["span_id"]
            st.rerun()
        if origin:
            evidence = origin["error_message"] or origin["in_band_error"]
            if evidence:
                st.code(evidence[:EVIDENCE_CHARS], language=None, wrap_lines=True)


def time_line(run_id: str) -> list[dict[str, Any]]:
    """Where time went, as one line of shares."""
    rows: list[dict[str, Any]] = store.ask_steady("run_time", run_id=run_id).to_pylist()
    total = sum(row["self_ns"] for row in rows)
    if total:
        spent: dict[str, int] = {}
        for row in rows:
            spent[group(row["kind"])] = spent.get(group(row["kind"]), 0) + row["self_ns"]
        failed = sum(row["failed_self_ns"] for row in rows)
        parts = [f"{name} {words.share(ns, total)}" for name, ns in sorted(spent.items(), key=lambda item: -item[1])]
        wasted = f" · :material/warning: {words.share(failed, total)} of it in failed tries" if failed else ""
        st.caption("Time went to " + " · ".join(parts) + wasted)
    return rows


def opened_folds() -> dict[str, int]:
    """Which folds the URL opens, and by how many lines."""
    found = (OPENED.fullmatch(text) for text in st.query_params.get_all("open"))
    return {match[1]: int(match[2]) for match in found if match}


def steps_view(run: Mapping[str, Any]) -> None:
    """Waterfall and inspector side by side, or one above the other where there is no room."""
    received = (run["first_received_ns"] or 0, run["last_received_ns"])
    grid = st.grid(2, min_column_width=430, gap="medium")
    with grid.cell():
        everything = st.toggle(
            "All spans",
            key="spans",
            bind="query-params",
            help="Also transport, protocol and wrapper spans that are no steps of the workflow",
        )
        if everything:
            table = store.ask_steady(
                "run_spans", run_id=run["run_id"], first_received_ns=received[0], last_received_ns=received[1]
            )
        else:
            ask = store.ask if run["outcome"] == "open" else store.ask_steady
            table = ask("run_steps", run_id=run["run_id"])
        columns = table.to_pydict()  # by column: five times faster than `to_pylist` on 50,000 steps
        steps = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        selected = st.query_params.get("span") or run["origin_span_id"] or run["root_span_id"]
        folded = fold(steps, opened_folds(), selected)
        noun = "span" if everything else "step"
        heading = (
            words.plural(folded.total, noun)
            if folded.shown == folded.total
            else f"shows {folded.shown:,} of {words.plural(folded.total, noun)}"
        )
        if not steps:
            st.caption(f"No {noun}s yet.")
            return
        ends = [step["end_ns"] for step in steps if step["end_ns"] is not None]
        end_ns = run["end_ns"] or max([run["last_received_ns"], *ends])
        chosen = waterfall(
            steps,
            folded,
            run_id=run["run_id"] + noun,
            begin_ns=run["start_ns"],
            end_ns=max(end_ns, run["start_ns"]),
            selected=selected,
            heading=heading,
        )
        if chosen.opened_fold:
            opened = opened_folds()
            opened[chosen.opened_fold] = opened.get(chosen.opened_fold, 0) + OPEN_MORE
            st.query_params["open"] = [f"{parent}.{count}" for parent, count in opened.items()]
            st.rerun(scope="fragment")
        if chosen.span_id:
            st.query_params["span"] = selected = chosen.span_id
    with grid.cell(), st.container(border=True):
        trace_of = {step["span_id"]: step["trace_id"] for step in steps}
        if selected:
            inspector(trace_of.get(selected, run["root_trace_id"]), selected, received)
        else:
            st.caption("Select a step to see what it got, what it answered and all it recorded.")


def failures_view(failures: list[dict[str, Any]]) -> None:
    """Every step that failed or answered with an error, as text."""
    if not failures:
        st.caption("No failure was seen in this run. That is no proof that its answer is right.")
    for number, failure in enumerate(failures):
        with st.container(border=True):
            code = failure["code"]
            told = [f"{failure['kind']} step", f"try {failure['attempt']}" if failure["attempt"] > 1 else None, code]
            if code not in (None, UNCLASSIFIED):
                told += [f"layer {failure['layer_a']}", failure["certainty"], failure["role"]]
            where = f" of {safe(failure['chain_step'])}" if failure["chain_step"] not in (None, failure["name"]) else ""
            said = " · ".join(safe(part) for part in told if part)
            st.markdown(f"**{safe(failure['name'])}**{where} · {said} · {words.duration(failure['duration_ns'])}")
            evidence = [failure["error_type"], failure["error_message"], failure["in_band_error"]]
            if code != UNCLASSIFIED:  # no rule has said more than the error itself
                evidence.append(failure["evidence"])
            st.code(
                "\n".join(part for part in evidence if part)[:EVIDENCE_CHARS] or "status ERROR",
                language=None,
                wrap_lines=True,
            )
            if st.button("Show span", icon=":material/my_location:", key=f"run_failure_{number}", type="tertiary"):
                st.query_params["span"] = failure["span_id"]
                st.session_state["view_next"] = VIEWS[0]
                st.rerun()


@guarded
def body(run_id: str) -> None:
    """The whole page of one run."""
    found = store.ask("run_by_id", id=run_id).to_pylist()
    if not found:
        with st.container(border=True):
            st.subheader("No such run", anchor=False)
            st.write(
                "Its spans may not have arrived or settled yet, or retention removed them. This page keeps looking."
            )
            st.code(run_id, language=None)
        return
    run, now_ns = found[0], time.time_ns()
    abandoned = run["last_received_ns"] < now_ns - store.settings().abandoned_after_s * 1e9
    state = run["outcome"] if run["outcome"] != "open" else "abandoned" if abandoned else "running"
    failures = store.ask_steady("run_failures", run_id=run["run_id"]).to_pylist()
    header(run, state, now_ns)
    explanation(run, failures)
    rows = time_line(run["run_id"])
    if "view_next" in st.session_state:
        st.session_state["view"] = st.session_state.pop("view_next")
    view = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], required=True, key="view", bind="query-params", label_visibility="collapsed"
    )
    if view == "Where time went":
        figure = time_spent(rows, [group(row["kind"]) for row in rows])
        st.plotly_chart(
            figure,
            key="run_time_spent",
            config={"displayModeBar": False},
            alt="Own time per step, longest first; failed tries hatched",
        )
    elif view == "Failures":
        failures_view(failures)
    else:
        steps_view(run)


def needs_another_look(run_id: str) -> bool:
    """The run has not arrived or is not finished."""
    found = store.ask("run_by_id", id=run_id).column("outcome").to_pylist()
    return not found or found[0] == "open"


@guarded
def choose() -> None:
    """No run is named: offers the newest."""
    st.subheader("Which run?", anchor=False)
    st.write("Open one of the newest here, find one on Runs, or paste an id in the sidebar.")
    window = filters.current().window
    newest = store.ask(
        "runs_page",
        since_ns=0,
        until_ns=window.until_ns,
        workflow="",
        version="",
        environment="",
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
wanted = st.query_params.get("run", "").strip().lower()
if not wanted:
    choose()
elif not RUN_ID.fullmatch(wanted):
    st.warning(f"“{safe(wanted, 60)}” is no run id: that is 32 of 0–9 and a–f.")
    choose()
else:
    again = filters.current().live and needs_another_look(wanted)
    st.fragment(body, run_every=LOOK_AGAIN_S if again else None)(wanted)
