"""Run: one run, what failed where, its steps over time, and every span as it came."""

import re
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import store, words
from dashboard.analytics.diagnosis import diagnose
from dashboard.analytics.fold import OPEN_MORE, fold
from dashboard.charts.time_spent import time_spent
from dashboard.components import filters
from dashboard.components.badges import layer_mark, outcome_badge
from dashboard.components.diagnosis import show_diagnosis
from dashboard.components.inspector import inspector
from dashboard.components.link_table import Column, link_table
from dashboard.components.quality import REMOVED
from dashboard.components.run_list import run_list
from dashboard.components.states import guarded
from dashboard.components.text import clip, safe
from dashboard.components.verdicts import show_verdicts
from dashboard.components.waterfall import group, waterfall
from dashboard.looks import layer_of
from schemas.rules import known_codes

RUN_ID = re.compile(r"[0-9a-f]{32}")
SPAN_ID = re.compile(r"[0-9a-f]{16}")
OPENED = re.compile(r"([0-9a-f]{16}|top)\.(\d{1,6})")
LOOK_AGAIN_S = 2.0
EVIDENCE_CHARS = 400  # the span itself shows the rest
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


def explanation(run: Mapping[str, Any]) -> None:
    """What failed where, why and what came of it, in words."""
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    roots = ask("run_diagnosis", run_id=run["run_id"], **received(run)).to_pylist()
    show_diagnosis(diagnose(run, roots, filters.current().lens, known_codes(store.settings().rules)), run["run_id"])


def received(run: Mapping[str, Any]) -> dict[str, store.Param]:
    """When the spans of a run came, which keeps queries off the rest of the store."""
    return {"first_received_ns": run["first_received_ns"] or 0, "last_received_ns": run["last_received_ns"]}


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
    grid = st.grid(2, min_column_width=430, gap="medium")
    with grid.cell():
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
        if everything:
            table = store.ask_steady("run_spans", run_id=run["run_id"], **received(run))
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
            critical=critical,
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
            came = (run["first_received_ns"] or 0, run["last_received_ns"])
            inspector(trace_of.get(selected, run["root_trace_id"]), selected, came)
        else:
            st.caption("Select a step to see what it got, what it answered and all it recorded.")


FAILURE_COLUMNS: list[Column] = [
    {"name": "step", "label": "Step", "look": "strong"},
    {"name": "layer", "label": "Layer", "look": "layer", "width": "136px"},
    {"name": "code", "label": "Code", "width": "186px"},
    {"name": "certainty", "label": "Certainty", "width": "88px", "optional": 2},
    {
        "name": "role",
        "label": "Role",
        "width": "98px",
        "help": "A root occurrence explains, a propagated one points at it, collateral was cut off beside it",
    },
    {"name": "fate", "label": "What became of it", "width": "124px", "optional": 3},
    {"name": "trigger", "label": "Trigger and contributing", "width": "16%", "optional": 1, "blank": ""},
    {"name": "rule", "label": "Rule", "width": "15%", "optional": 1, "help": "The rule that named it, and its version"},
]


def failures_view(run: Mapping[str, Any]) -> None:
    """Every span that failed or answered with an error; each leads to its span."""
    failures = store.ask_steady("run_failures", run_id=run["run_id"], **received(run)).to_pylist()
    if not failures:
        st.caption("No failure was seen in this run. That is no proof that its answer is right.")
        return
    lens = filters.current().lens
    rows = []
    for failure in failures:
        layer = layer_of(failure, lens)
        fate = "recovered" if failure["recovered"] else "silent" if failure["silent"] else "not recovered"
        more = [failure["trigger"] and f"set off by {failure['trigger']}", *(failure["contributing"] or ())]
        said = [failure["evidence"], failure["error_type"], failure["error_message"], failure["in_band_error"]]
        said = [
            text for at, text in enumerate(said) if text and not any(text in (before or "") for before in said[:at])
        ]
        rows.append(
            {
                "page": "run",
                "params": {"run": run["run_id"], "span": failure["span_id"]},
                "title": "show its span",
                "step": [
                    clip(failure["name"] or failure["kind"], 60)
                    + (f", try {failure['attempt']}" if (failure["attempt"] or 1) > 1 else ""),
                    clip(failure["chain_step"], 40) if failure["chain_step"] not in (None, failure["name"]) else "",
                ],
                "layer": layer_mark(layer) if layer and failure["role"] == "root" else None,
                "code": failure["code"] if failure["role"] == "root" or failure["rule_id"] else None,
                "certainty": failure["certainty"] if failure["role"] == "root" else None,
                "role": failure["role"],
                "fate": fate if failure["role"] == "root" else None,
                "trigger": ", ".join(part for part in more if part),
                "rule": f"{failure['rule_id']} v{failure['rule_version']}" if failure["rule_id"] else None,
                "below": clip(" · ".join(said), EVIDENCE_CHARS),
            }
        )
    link_table(rows, FAILURE_COLUMNS, key="run_failures", label="Failures of this run, root occurrences first")


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
            st.write("Its spans may not have arrived or settled yet. This page keeps looking.")
        st.code(run_id, language=None)


@guarded
def body(run_id: str) -> None:
    """The whole page of one run."""
    found = store.ask("run_by_id", id=run_id).to_pylist()
    if not found:
        not_there(run_id)
        return
    run, now_ns = found[0], time.time_ns()
    abandoned = run["last_received_ns"] < now_ns - store.settings().abandoned_after_s * 1e9
    state = run["outcome"] if run["outcome"] != "open" else "abandoned" if abandoned else "running"
    header(run, state, now_ns)
    explanation(run)
    show_verdicts(run["run_id"])
    rows = time_line(run["run_id"])
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
        failures_view(run)
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
