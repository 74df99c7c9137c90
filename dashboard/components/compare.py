"""A run beside a good run of its workflow: step by step, what differs first in words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.analytics.compare import Operation, Pair, align, operations, said
from dashboard.components import filters
from dashboard.components.assets import component
from dashboard.components.badges import outcome_badge
from dashboard.components.one_run import of_steps, received, run_of
from dashboard.components.text import clip, safe, sentence
from dashboard.components.waterfall import NAME_CHARS, group

_mount = component("compare", '<div class="seam compare"></div>', looks="marks")

Run = Mapping[str, Any]

RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
MOST: Final = 1_000  # operations of each run: aligning is quadratic, and nobody reads more
DEEPEST: Final = 100
NEAR_DAYS: Final = 7  # how far to look for a good run first: in a long history most of it is never read


def compare(run: Run) -> None:
    """Shows the run beside the one that `against` of the URL names, or the nearest good one."""
    wanted = st.text_input(
        "Compare with",
        placeholder="the nearest good run, or a run id",
        key="against",
        bind="query-params",
        max_chars=40,
        icon=":material/compare_arrows:",
        label_visibility="collapsed",
    )
    wanted = (wanted or "").strip().lower()
    why, other = _chosen(run, wanted) if wanted else _nearest(run)
    if other is None:
        st.info(why, icon=":material/info:")
        return
    rows = [_operations(run), _operations(other)]
    pairs = align(operations(rows[0]), operations(rows[1]))
    hashes = [_input_of(each) for each in rows]
    same_input = None not in hashes and hashes[0] == hashes[1]
    st.markdown(sentence(said(pairs, same_input=same_input)))
    _against(run, other, why)
    totals = [each[0]["operations"] if each else 0 for each in rows]
    if max(totals) > MOST:
        st.caption(f"Compares the first {MOST:,} operations of {totals[0]:,} and {totals[1]:,}.")
    _mount(key="compare", data=_data(run, other, pairs))


def _chosen(run: Run, wanted: str) -> tuple[str, Run | None]:
    if not RUN_ID.fullmatch(wanted):
        return f"“{safe(wanted, 40)}” is no run id: that is 32 of 0–9 and a–f. Empty: the nearest good run.", None
    found = run_of(wanted)
    if found is None:
        return f"There is no run {wanted}. Empty: the nearest good run.", None
    if found["run_id"] == run["run_id"]:
        return "This is the run itself: name another one, or none for the nearest good run.", None
    own = found["workflow"] == run["workflow"]
    return "chosen by you" + ("" if own else f", of another workflow: {safe(found['workflow'], 60)}"), found


def _nearest(run: Run) -> tuple[str, Run | None]:
    start, around = int(run["start_ns"]), NEAR_DAYS * filters.DAY
    given: dict[str, store.Param] = {"run_id": run["run_id"], "start_ns": start, **received(run)}
    found = store.ask_steady("run_good", since_ns=max(0, start - around), until_ns=start + around, **given).to_pylist()
    if not found:
        found = store.ask_steady("run_good", since_ns=0, until_ns=2**63 - 1, **given).to_pylist()
    if not found:
        return (
            f"No other run of {safe(run['workflow'], 60)} ended well: none is clean or recovered without a verdict "
            "against it. Name any run above to compare with it.",
            None,
        )
    near = found[0]
    parts = [
        "same input" if near["same_input"] else "nearest in time",
        "same version" if near["same_version"] else "another version",
        "same environment" if near["same_environment"] else "another environment",
    ]
    others: list[Run] = store.ask_steady("run_by_id", id=near["run_id"]).to_pylist()
    return "the nearest good run: " + ", ".join(parts), others[0] if others else None


def _operations(run: Run) -> list[Mapping[str, Any]]:
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    found: list[Mapping[str, Any]] = ask(
        "run_operations", limit=MOST, depth=DEEPEST, **of_steps(run), **received(run)
    ).to_pylist()
    return found


def _input_of(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """What a run began with: the input of its first step that has one."""
    return next((row["input_hash"] for row in rows if row["input_hash"] is not None), None)


def _against(run: Run, other: Run, why: str) -> None:
    here = filters.zone()
    version = f" {safe(other['workflow_version'], 40)}" if other["workflow_version"] else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(
            "views/run.py",
            label=f"{safe(other['workflow'], 60)}{version}, {words.moment(other['start_ns'], here)}",
            icon=":material/account_tree:",
            query_params=filters.carried(run=other["run_id"], view="Compare", against=run["run_id"]),
            help="The other run, beside this one",
        )
        st.markdown(outcome_badge(other["outcome"]))
        st.caption(f"{why} · {words.duration(run['duration_ns'])} here, {words.duration(other['duration_ns'])} there")


def _data(run: Run, other: Run, pairs: Sequence[Pair]) -> dict[str, Any]:
    longest = max((each.row["duration_ns"] or 0 for pair in pairs for each in pair[1:] if each), default=1) or 1
    rows = [
        {
            "depth": pair.depth,
            "kind": group(pair.key[0]),
            "name": clip(pair.key[1], NAME_CHARS),
            "changed": pair.changed,
            "this": _side(pair.this, longest),
            "other": _side(pair.other, longest),
        }
        for pair in pairs
    ]
    return {"rows": rows, "runs": [run["run_id"], other["run_id"]]}


def _side(operation: Operation | None, longest: int) -> dict[str, Any] | None:
    if operation is None:
        return None
    row = operation.row
    tokens = [row[name] for name in ("tokens_input", "tokens_output") if row[name] is not None]
    return {
        "span": row["span_id"],
        "mark": operation.mark,
        "length": words.duration(row["duration_ns"]) if row["duration_ns"] is not None else "running",
        "share": round((row["duration_ns"] or 0) / longest, 4),
        "tries": row["tries"],
        "tokens": words.count(sum(tokens)) if tokens else None,
    }
