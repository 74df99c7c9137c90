"""The head of the Run page: which run this is, where its time went in one line, and its ways to other runs."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import store, words
from dashboard.chains import Asked
from dashboard.components import filters
from dashboard.components.badges import outcome_badge
from dashboard.components.one_run import Run, of_steps
from dashboard.components.text import safe
from dashboard.components.waterfall import group


def run_head(run: Run, state: str, now_ns: int) -> DeltaGenerator:
    """Which run this is, in one line. -> Where its ways to other runs go: `neighbours`, when all else is there."""
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
        ways = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
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
    return ways


def asked_of_neighbours(run: Run) -> list[Asked]:
    """What `neighbours` asks: nothing of a run without a session."""
    if run["session_id"] is None:
        return []
    return [("session_neighbours", {name: run[name] for name in ("session_id", "workflow", "start_ns", "run_id")})]


def neighbours(run: Run) -> None:
    """Ways to the session's other runs, and to the run that this one continues."""
    beside: dict[str, str] = {}
    for question, params in asked_of_neighbours(run):
        found = store.ask_steady(question, **params)
        beside = {row["place"]: row["run_id"] for row in found.to_pylist()}
    if "continued" in beside:
        st.page_link(
            "views/run.py",
            label="continues a run that waited",
            icon=":material/resume:",
            query_params=filters.carried(run=beside["continued"]),
        )
    failed_beside(run)
    if run["session_id"] is None:
        return
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


def failed_beside(run: Run) -> None:
    """Ways to the failed or silent runs of the same workflow before and after this one, with the filters in force."""
    now = filters.current()
    found = store.ask_steady(
        "failed_neighbours",
        workflow=run["workflow"],
        version=now.version,
        environment=now.environment,
        at_ns=run["start_ns"],
        at_run_id=run["run_id"],
    )
    beside = {row["place"]: row["run_id"] for row in found.to_pylist()}
    view = {"view": st.query_params["view"]} if "view" in st.query_params else {}
    for place, icon in (("older", "arrow_downward"), ("newer", "arrow_upward")):
        if place in beside:
            st.page_link(
                "views/run.py",
                label=f"{place} failed",
                icon=f":material/{icon}:",
                query_params=filters.carried(run=beside[place], **view),
                help=f"The {place} failed or silent run of this workflow",
            )


def time_line(run: Run) -> list[dict[str, Any]]:
    """Where time went, as one line of shares: each step's own time, so that they add up to all of it."""
    rows: list[dict[str, Any]] = store.ask_steady("run_time", **of_steps(run)).to_pylist()
    total = sum(row["self_ns"] for row in rows)
    if total:
        spent: dict[str, int] = {}
        for row in rows:
            spent[group(row["kind"])] = spent.get(group(row["kind"]), 0) + row["self_ns"]
        failed = sum(row["failed_self_ns"] for row in rows)
        parts = [f"{name} {words.share(ns, total)}" for name, ns in sorted(spent.items(), key=lambda item: -item[1])]
        own = "of it failed tries' own, without what ran inside them"
        wasted = f" · :material/warning: {words.share(failed, total)} {own}" if failed else ""
        st.caption("Time went to " + " · ".join(parts) + wasted)
    return rows
