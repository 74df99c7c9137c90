"""Data quality: what became of every span received, and what the senders left out."""

import streamlit as st

from dashboard import store, words
from dashboard.alerts.state import load
from dashboard.chains import Asked
from dashboard.components.filters import Window, zone
from dashboard.components.text import safe
from dashboard.errors import DashboardError
from dashboard.store import Param
from schemas.settings import MIB

REMOVED = {
    "age": "older than runs are kept",
    "size": "the oldest of a store that had grown too large",
    "asked": "because someone asked for it",
}
REASONS = {
    "invalid_trace_id": "trace id is not 16 non-zero bytes",
    "invalid_span_id": "span id is not 8 non-zero bytes",
    "invalid_parent_span_id": "parent span id is not 8 bytes",
    "span_too_large": "span larger than the limit",
    "log_record_too_large": "log record larger than the limit",
    "no_evidence": "only evaluation results and exceptions are taken as logs",
    "no_span": "evaluation result or exception without trace and span id",
    "run_removed": "their run had been removed by retention",
    "malformed": "request could not be decoded",
    "too_large": "request larger than the limit",
    "busy": "collector was busy; the sender was told to retry",
    "unauthenticated": "token missing or wrong",
}


def asked(window: Window) -> list[Asked]:
    """What the panel asks (steadily), for a page that asks it ahead."""
    within: dict[str, Param] = {"since_ns": window.since_ns, "until_ns": window.until_ns}
    return [(each, within) for each in ("ingest_totals", "ingest_logs", "ingest_reasons", "run_defects")]


def panel(window: Window) -> None:
    """Shows the balance of a window: received = stored + duplicate + rejected, and why."""
    totals, logged, reasons, of_runs = (
        store.ask_steady(question, **params).to_pylist() for question, params in asked(window)
    )
    (total,), (logs,), (defects,) = totals, logged, of_runs
    gaps = store.ask_steady("dialect_gaps", since_ns=window.since_ns, until_ns=window.until_ns).to_pylist()
    st.markdown("**Data quality**")
    with st.container(border=True):
        balance = (
            ":material/check: adds up"
            if total["balance"] == 0
            else f":material/error: {total['balance']} unaccounted for"
        )
        parts = [f"**{words.count(total[name])}** {name}" for name in ("stored", "duplicate", "rejected")]
        st.markdown(f"**{words.count(total['received'])}** spans received = {' + '.join(parts)} &ensp; {balance}")
        facts = [
            f"{words.count(total['late'])} arrived after their run had settled",
            f"{words.plural(defects['orphans'], 'orphan')} in {words.plural(defects['with_orphans'], 'run')}",
            f"{words.count(total['truncated'])} cut to the size limit",
            f"{words.count(total['conflict'])} sent again with other content",
            f"{words.plural(defects['rootless'], 'run')} without a root span",
            f"{words.count(defects['without_tokens'])} without token counts",
        ]
        st.caption(" · ".join(facts))
        if logs["received"]:
            kept = " + ".join(f"{words.count(logs[name])} {name}" for name in ("stored", "duplicate", "rejected"))
            st.caption(f"{words.plural(logs['received'], 'log record')} received = {kept}")
        for row in reasons:
            said = REASONS.get(row["reason"], row["reason"])
            st.caption(f":material/block: {words.plural(row['refused'], row['what'][:-1])} refused: {safe(said)}")
        for row in store.ask_steady("damages").to_pylist():
            when = words.moment(row["at_ns"], zone())
            st.caption(
                f":material/healing: {when}: {safe(row['what'])}. Lost: {safe(row['lost'])}. "
                f"Kept as {safe(row['kept'])}."
            )
        for row in store.ask_steady("removals", since_ns=window.since_ns).to_pylist():
            what = f"{words.plural(row['runs'], 'run')} of {words.plural(row['spans'], 'span')}"
            told = REMOVED.get(row["reason"], safe(row["reason"]))
            size = f"{row['bytes'] / MIB:,.1f} MiB of attributes"
            st.caption(f":material/auto_delete: {what} ({size}) removed: {told}. Charts still count them.")
        for row in store.ask_steady("redactions", since_ns=window.since_ns).to_pylist():
            st.caption(
                f":material/ink_eraser: {words.plural(row['texts'], 'text')} redacted by rule {safe(row['rule'])}"
            )
        for line in _alerts():
            st.caption(line)
        if gaps:
            st.caption(
                "What senders left out, by dialect: "
                + " · ".join(
                    f"{safe(gap['dialect'])} {safe(gap['gap'])} {words.count(gap['spans'])}" for gap in gaps[:12]
                )
            )


def _alerts() -> list[str]:
    """What became of alerts, where any were ever evaluated: one line, and one for each receiver that fails."""
    try:
        state = load(store.settings().data_dir)
    except DashboardError as exc:
        return [f":material/notifications_off: {safe(exc)}"]
    if state is None:
        return []
    parts = [f"{words.plural(len(state.open), 'alert')} open"]
    parts += [f"{name}: {box.summary}" for name, box in state.outboxes.items()]
    lines = [":material/notifications: " + " · ".join(parts)]
    if state.problem:
        lines.append(f":material/notifications_off: alerts are not evaluated: {safe(state.problem)}")
    for name, box in state.outboxes.items():
        if box.problem:
            lines.append(
                f":material/notifications_off: the {name} was not reached at the last try: {safe(box.problem)}"
            )
    return lines
