"""Overview: is it worse than usual, where, since when, and what to open next."""

import time
from collections import Counter

import streamlit as st

from dashboard import store, words
from dashboard.analytics import findings
from dashboard.components import filters, pulse, quality
from dashboard.components.figures import Figure, figures, share_figure
from dashboard.components.filters import Filters
from dashboard.components.run_list import NARROW, run_list
from dashboard.components.states import guarded, nothing_yet
from dashboard.components.text import safe
from dashboard.components.timeline import STATES, timeline
from dashboard.store import Param

NEWEST_RUNS = 12
NEWEST_BAD_RUNS = 8
P95_NEEDS = 72  # runs, for a band of its own (DESIGN: latency)


def headline(conf: Filters, totals: findings.Row, before: findings.Row, now_ns: int) -> None:
    """The finding in words, and the way to the runs behind it."""
    worst = next(iter(store.ask("worst_spot", **conf.scope()).to_pylist()), None)
    finding = findings.overview(totals, before, worst, conf.window.said, now_ns, filters.zone())
    said = "".join(piece if index % 2 == 0 else f"**{safe(piece, 60)}**" for index, piece in enumerate(finding.pieces))
    sentence, way = st.columns([7, 1], vertical_alignment="center")
    sentence.subheader(said, anchor=False)
    if finding.alarming:
        bad_runs = filters.carried() | {"state": ["failed", "silent"]}
        way.page_link("views/runs.py", label="Runs", icon=":material/arrow_forward:", query_params=bad_runs)


def show_figures(conf: Filters, totals: findings.Row, before: findings.Row, over_time: list[findings.Row]) -> None:
    """The row of figures; each leads to the runs behind it."""
    window = conf.window
    minutes = (min(window.until_ns, time.time_ns()) - window.since_ns) / filters.MINUTE
    rate, rate_before = totals["runs"] / minutes, before["runs"] * filters.MINUTE / (window.until_ns - window.since_ns)
    ingest = store.ask("ingest_totals", since_ns=window.since_ns).to_pylist()[0]

    def spark(*states: str) -> list[int]:
        found = Counter[int]()
        for row in over_time:
            if not states or row["state"] in states:
                found[row["bucket_ns"]] += row["runs"]
        return [found[at] for at in range(window.since_ns, window.until_ns, window.bucket_ns)]

    def share(name: str, label: str, meaning: str, good: bool | None) -> Figure:
        return share_figure(
            name,
            label,
            totals[name],
            totals["finished"],
            (before[name], before["finished"]),
            spark=spark(name),
            help=meaning,
            good=good,
        )

    few = "" if totals["timed"] >= P95_NEEDS else ", too few to trust"
    figures(
        [
            Figure(
                "runs",
                "Runs a minute",
                words.rate(rate),
                _change(rate, rate_before),
                note=words.plural(totals["runs"], "run"),
                spark=spark(),
                opens={},
            ),
            share(
                "failed",
                "Failed",
                "Share of finished runs that reached their caller as a failure, and its 95 % band",
                good=False,
            ),
            share(
                "silent",
                "Silent",
                "Share of finished runs with an unhandled failure inside while nothing at the top says so",
                good=False,
            ),
            share(
                "recovered",
                "Recovered",
                "Share of finished runs whose failures were all handled, by a retry for instance",
                good=None,
            ),
            Figure(
                "p95",
                "p95 run",
                words.duration(totals["p95_ns"]),
                _change(totals["p95_ns"], before["p95_ns"]),
                note=f"n {words.count(totals['timed'])}{few}",
                help="95 % of finished runs took at most this long",
            ),
            Figure(
                "spans",
                "Spans a minute",
                words.rate(ingest["stored"] / minutes),
                note=f"{words.count(ingest['rejected'])} rejected",
                help="Spans stored; what else became of those received stands under data quality",
            ),
        ],
        key="overview_figures",
    )


def _change(now: float | None, before: float | None) -> str | None:
    if not now or not before:
        return None
    return f"× {now / before:.3g}" if now >= 3 * before else f"{100 * (now / before - 1):+.0f} %"


@guarded
def overview() -> None:
    """Everything on the page that moves."""
    conf = filters.current()
    window, now_ns = conf.window, time.time_ns()
    totals = store.ask("run_totals", **conf.scope()).to_pylist()[0]
    before = store.ask_steady("run_totals", **conf.scope(window.before())).to_pylist()[0]
    if totals["newest_ns"] is None and store.ask("pulse", minute_ns=0, day_ns=0).to_pylist()[0]["received"] == 0:
        nothing_yet()
        return
    abandoned_ns = (now_ns - int(store.settings().abandoned_after_s * 1e9)) // filters.MINUTE * filters.MINUTE
    found: dict[str, Param] = {**conf.scope(), "states": (), "abandoned_ns": abandoned_ns}
    over_time = store.ask("runs_over_time", bucket_ns=window.bucket_ns, **found).to_pylist()

    headline(conf, totals, before, now_ns)
    show_figures(conf, totals, before, over_time)

    halves = st.grid(2, min_column_width=400)
    with halves.cell(), st.container(border=True):
        timeline(
            over_time,
            value="runs",
            names=STATES,
            key="overview_runs",
            title="Runs",
            outcomes=True,
            window=window,
            bucket_ns=window.bucket_ns,
        )
        bucket_ns = max(window.bucket_ns, filters.MINUTE)
        arrived = store.ask("ingest_over_time", since_ns=window.since_ns, bucket_ns=bucket_ns).to_pylist()
        kinds = ("stored", "duplicate", "rejected")
        timeline(
            [{"bucket_ns": row["bucket_ns"], "state": kind, "spans": row[kind]} for row in arrived for kind in kinds],
            value="spans",
            names=kinds,
            key="overview_spans",
            title="Spans",
            window=window,
            bucket_ns=bucket_ns,
        )
    page: dict[str, Param] = {**found, "at_ns": window.until_ns, "at_run_id": ""}
    with halves.cell(), st.container(border=True):
        st.markdown("**Failed and silent, newest first**")
        bad = store.ask("runs_page", **{**page, "states": ("failed", "silent"), "limit": NEWEST_BAD_RUNS}).to_pylist()
        if bad:
            run_list(bad, key="overview_bad_runs", label="Newest failed and silent runs", columns=NARROW, live=True)
        else:
            st.caption(f":material/check_circle: none {window.said}")
    st.markdown("**Newest runs**")
    newest = store.ask("runs_page", limit=NEWEST_RUNS, **page).to_pylist()
    run_list(newest, key="overview_newest", label="Newest runs", live=True)
    quality.panel(window)


st.fragment(overview, run_every=pulse.tick_s(filters.current()))()
