"""Connect: how to send spans here, and who does."""

import time

import streamlit as st

from dashboard import store, words
from dashboard.components import filters, pulse
from dashboard.components.recipes import RECIPES, Target, blocks
from dashboard.components.states import guarded
from dashboard.endpoint import url_of

COLUMNS = {
    "Service": st.column_config.TextColumn(width=150),
    "Scope": st.column_config.TextColumn(width=220),
    "Version": st.column_config.TextColumn(width=70),
    "Dialect": st.column_config.TextColumn(width=100),
    "Framework": st.column_config.TextColumn(width=100),
    "Spans": st.column_config.NumberColumn(format="localized", width=80),
    "Traces": st.column_config.NumberColumn(format="localized", width=80),
    "With gaps": st.column_config.TextColumn(
        width=90, alignment="right", help="Spans that lack something their dialect should say; Overview lists what"
    ),
    "Last seen": st.column_config.TextColumn(width=100, alignment="right"),
}


def target() -> Target:
    """Where the collector listens, or will once it is started with our settings."""
    conf, running = store.settings(), store.collector()
    host = str(running["host"]) if running else conf.host
    http_port, grpc_port = (
        (int(running[name]) for name in ("http_port", "grpc_port")) if running else (conf.http_port, conf.grpc_port)
    )
    return Target(
        url_of(host, http_port), url_of(host, grpc_port).removeprefix("http://"), conf.write_token is not None
    )


@guarded
def arrived() -> None:
    """Who sends what, last seen first."""
    now_ns = time.time_ns()
    window = filters.current().window
    ask = store.ask if window.until_ns - window.since_ns <= filters.HOUR else store.ask_steady
    found = ask("arrived", since_ns=window.since_ns).to_pylist()
    st.subheader("What has arrived", anchor=False)
    if not found:
        st.caption(f"Nothing {window.said}. The first spans show up here within two seconds.")
        return
    st.dataframe(
        [
            {
                "Service": row["service"],
                "Scope": row["scope_name"],
                "Version": row["scope_version"],
                "Dialect": row["dialect"],
                "Framework": row["framework"],
                "Spans": row["spans"],
                "Traces": row["traces"],
                "With gaps": words.share(row["spans_with_gaps"], row["spans"]),
                "Last seen": words.ago(row["last_ns"], now_ns),
            }
            for row in found
        ],
        key="connect_arrived",
        hide_index=True,
        alt="Services, scopes and dialects that sent spans",
        column_config=COLUMNS,
    )


recipes = {recipe.name: recipe for recipe in RECIPES}
where = target()
running = store.collector() is not None
st.subheader("Where spans go", anchor=False)
st.markdown(
    f"OTLP/HTTP `{where.http}` &ensp; OTLP/gRPC `{where.grpc}` &ensp; "
    + (
        ":green[:material/check_circle: the collector runs]"
        if running
        else ":orange[:material/cloud_off: no collector runs]"
    )
)
if not running:
    st.code("seamscope up", language="bash")
st.caption(
    ("Senders must show the write token. " if where.token else "")
    + "An SDK gives up on a batch after about ten seconds, so what it sends during a longer outage is lost at "
    "the sender."
)
st.fragment(arrived, run_every=pulse.tick_s(filters.current()))()

st.subheader("Send spans from", anchor=False)
picker, guide = st.columns([2, 5], gap="medium")
with picker:
    recipe = recipes[st.selectbox("Framework and instrumentor", list(recipes), key="framework", bind="query-params")]
    st.caption(recipe.note)
with guide:
    for block in blocks(recipe, where):
        st.caption(block.title)
        st.code(block.text, language=block.language, wrap_lines=True)
