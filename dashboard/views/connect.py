"""Connect: how to send spans here, and who does."""

from typing import Final

import streamlit as st

from dashboard import store, words
from dashboard.components import filters, pulse
from dashboard.components.link_table import Column, link_table, number_column
from dashboard.components.recipes import RECIPES, Target, blocks
from dashboard.components.states import guarded
from dashboard.components.text import clip
from dashboard.endpoint import url_of

MOST_LIVE: Final = 65 * filters.MINUTE  # of a window: a longer one is asked about less often
COLUMNS: Final[list[Column]] = [
    {"name": "service", "label": "Service", "look": "strong", "width": "150px"},
    {"name": "scope", "label": "Instrumentation scope"},
    {"name": "dialect", "label": "Dialect", "width": "112px", "optional": 2},
    {"name": "framework", "label": "Framework", "width": "104px", "optional": 1},
    number_column("spans", "Spans", 76),
    number_column(
        "gaps", "With gaps", 82, "Spans that lack something their dialect should say; Overview lists what", 1
    ),
    {"name": "last", "label": "Last seen", "look": "ago", "width": "92px"},
]


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
    conf = filters.current()
    length = conf.window.until_ns - conf.window.since_ns
    found = (store.ask if length <= MOST_LIVE else store.ask_steady)(
        "arrived", since_ns=conf.window.since_ns, until_ns=conf.window.until_ns
    ).to_pylist()
    st.subheader("What has arrived", anchor=False)
    if not found:
        st.caption(f"Nothing {conf.window.said}. The first spans show up here within two seconds.")
        return
    link_table(
        [
            {
                "page": "runs",
                "params": {"service": row["service"] or "", "instrumentation": row["scope_name"] or ""},
                "title": "open the runs",
                "service": clip(row["service"] or "not told", 80),
                "scope": [clip(row["scope_name"] or "not told", 80), clip(row["scope_version"] or "", 20)],
                "dialect": row["dialect"],
                "framework": row["framework"],
                "spans": words.count(row["spans"]),
                "gaps": words.share(row["spans_with_gaps"], row["spans"]),
                "last": row["last_ns"] // 1_000_000,
            }
            for row in found
        ],
        COLUMNS,
        key="connect_arrived",
        label="Services, scopes and dialects that sent spans",
    )
    st.caption("Spans are those received in the window; a row leads to the runs that began in it and hold such spans.")


recipes = {recipe.name: recipe for recipe in RECIPES}
where = target()
running = store.collector() is not None
st.subheader("Where spans go", anchor=False)
st.markdown(
    f"OTLP/HTTP `{where.http}` &ensp; OTLP/gRPC `{where.grpc}` &ensp; "
    + (
        ":green[:material/check_circle: the collector runs]"
        if running
        else ":orange[:material/cloud_off: no collector runs; one that is started with these settings listens there]"
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
recipe = recipes[
    st.selectbox("Framework and instrumentor", list(recipes), key="framework", bind="query-params", width=460)
]
st.caption(recipe.note)
for block in blocks(recipe, where):
    st.caption(block.title)
    st.code(block.text, language=block.language, wrap_lines=True)
