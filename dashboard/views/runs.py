"""Runs: find the ones that matter among a million."""

import re
import time

import pyarrow as pa
import streamlit as st

from dashboard import store, words
from dashboard.analytics.reach import reach
from dashboard.chains import Asked
from dashboard.components import filters, pulse, run_filter
from dashboard.components.run_list import run_list
from dashboard.components.states import guarded, is_empty, no_match, nothing_yet
from dashboard.components.text import safe
from dashboard.components.timeline import STATES, timeline
from dashboard.questions import Row, parameters
from dashboard.rows import csv_lines
from dashboard.store import Param

PAGE_RUNS = 50
CSV_RUNS = 10_000
CURSOR = re.compile(r"(older|newer)\.(\d{1,19})\.([0-9a-f]{32})")


def asked() -> dict[str, Param]:
    """The filters of this page as its queries take them."""
    conf = filters.current()
    abandoned_ns = time.time_ns() - int(store.settings().abandoned_after_s * 1e9)
    found: dict[str, Param] = {
        **conf.scope(),
        "states": tuple(sorted(st.session_state.get("state") or ())),
        "abandoned_ns": abandoned_ns // filters.MINUTE * filters.MINUTE,
    }
    text = (st.session_state.get("text") or "").strip().lower()
    held = run_filter.params()
    return found | {"text": text, **(held or run_filter.NOTHING)} if text or held else found


def cursor() -> tuple[bool, int, str] | None:
    """Where the page stands, from the URL: newer than a run or older, its start and its id. None: at the newest."""
    match = CURSOR.fullmatch(st.query_params.get("page", ""))
    return (match[1] == "newer", int(match[2]), match[3]) if match and int(match[2]) < 2**63 else None


def beside(found: dict[str, Param], newer: bool, at_ns: int, at_run_id: str, limit: int) -> Asked:
    """The question for runs beside a given one, where no text is searched for."""
    question = "runs_page_back" if newer else "runs_page"
    return question, {**found, "at_ns": at_ns, "at_run_id": at_run_id, "limit": limit}


def fetch(
    found: dict[str, Param], counts: list[Row], newer: bool, at_ns: int, at_run_id: str, limit: int
) -> list[dict[str, object]]:
    """Runs beside a given one, newest first."""
    if "text" in found:
        table = searched(found, counts, newer, at_ns, at_run_id, limit)
    else:
        question, params = beside(found, newer, at_ns, at_run_id, limit)
        table = store.ask(question, **params)
    rows: list[dict[str, object]] = table.to_pylist()
    return rows[::-1] if newer else rows


def searched(
    found: dict[str, Param], counts: list[Row], newer: bool, at_ns: int, at_run_id: str, limit: int
) -> pa.Table:
    """Runs that hold what is looked for, from the part of the window in which the chart counts enough of them."""
    at: dict[str, Param] = {"newer": newer, "at_ns": at_ns, "at_run_id": at_run_id, "limit": limit}
    window = filters.current().window
    since_ns, until_ns = reach(
        counts, window.bucket_ns, window.since_ns, window.until_ns, at_ns=at_ns, newer=newer, least=limit
    )
    table = store.ask("runs_found", **found | {"since_ns": since_ns, "until_ns": until_ns}, **at)
    is_cut = until_ns < window.until_ns if newer else since_ns > window.since_ns
    if is_cut and table.num_rows < limit:  # there are fewer by now than were counted
        return store.ask("runs_found", **found, **at)
    return table


def say_held(found: dict[str, Param]) -> None:
    """How many failures or operations the runs hold, where a mark counted those: a run can hold several."""
    if any(found.get(name) for name in ("text", "states", "lost_a", "lost_b", "sending")):
        return
    failing, calling = found.get("failing"), found.get("calling")
    if failing == calling:  # neither; or both, of which no mark counts
        return
    question, what = ("failures_found", "failure") if failing else ("calls_found", "operation")
    scope = {name: value for name, value in found.items() if name in parameters(question)}
    row = store.ask(question, **scope).to_pylist()[0]
    fit = "dragged along" if found.get("fate") == "dragged" else "that fit"
    st.caption(f"{words.plural(row[f'{what}s'], what)} {fit}, in {words.plural(row['runs'], 'run')}")


def turn(direction: str, run: dict[str, object]) -> None:
    """Goes to the page beside a run."""
    st.query_params["page"] = f"{direction}.{run['start_ns']}.{run['run_id']}"
    st.rerun()


def back_to_newest() -> None:
    """A changed filter starts at the newest run again."""
    st.query_params.pop("page", None)


@guarded
def results() -> None:
    """Chart, count and one page of what was found."""
    found, window, place = asked(), filters.current().window, cursor()
    newer, at_ns, at_run_id = place or (False, window.until_ns, "")
    if "text" not in found:
        store.ahead(store.ask, [beside(found, newer, at_ns, at_run_id, PAGE_RUNS + 1)])
    over_time = store.ask(
        "runs_found_over_time" if "text" in found else "runs_over_time", bucket_ns=window.bucket_ns, **found
    )
    counts = over_time.to_pylist()
    total = sum(row["runs"] for row in counts)
    if not total and is_empty():
        nothing_yet()
        return
    timeline(
        counts,
        value="runs",
        names=STATES,
        key="runs_time",
        title=f"{words.plural(total, 'run')} {window.said}",
        outcomes=True,
        carry=("state", "text", *run_filter.LABELS),
        window=window,
        bucket_ns=window.bucket_ns,
    )
    say_held(found)
    rows = fetch(found, counts, newer, at_ns, at_run_id, PAGE_RUNS + 1)
    more_beyond = len(rows) > PAGE_RUNS
    if newer and not more_beyond:
        # The newest page is always full: without a cursor it starts at the newest run.
        place, newer = None, False
        rows = fetch(found, counts, False, window.until_ns, "", PAGE_RUNS + 1)
        more_beyond = len(rows) > PAGE_RUNS
        st.query_params.pop("page", None)
    removed = store.ask_steady("runs_removed", since_ns=window.since_ns, until_ns=window.until_ns).to_pylist()[0][
        "runs"
    ]
    if removed:
        st.caption(
            f":material/auto_delete: {words.plural(removed, 'run')} of these days can no longer be listed: they were "
            "removed. Figures and charts of the other pages still count them."
        )
    shown = rows[1:] if newer and more_beyond else rows[:PAGE_RUNS]
    if not shown:
        run_filter.complain_of_names()
        no_match("No run matches." if place is None else "No older run matches.")
    else:
        run_list(shown, key="runs_list", label="Runs found, newest first", live=place is None)
    has_newer, has_older = place is not None, newer or more_beyond
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Newest", icon=":material/first_page:", disabled=not has_newer, key="runs_newest"):
            back_to_newest()
            st.rerun()
        if st.button("Newer", icon=":material/chevron_left:", disabled=not has_newer, key="runs_newer") and shown:
            turn("newer", shown[0])
        if (
            st.button(
                "Older",
                icon=":material/chevron_right:",
                icon_position="right",
                disabled=not has_older,
                key="runs_older",
            )
            and shown
        ):
            turn("older", shown[-1])
        if shown:
            here = filters.zone()
            began = [int(str(run["start_ns"])) for run in (shown[-1], shown[0])]
            st.caption(
                f"{words.moment(began[0], here)} to {words.moment(began[1], here)}, {here} · "
                f"{len(shown)} of {words.count(total)} runs",
                width="stretch",
            )
        st.download_button(
            "CSV",
            lambda: csv(found, counts, window.until_ns),
            "seamscope-runs.csv",
            "text/csv",
            icon=":material/download:",
            key="runs_csv",
            on_click="ignore",
            help=f"The newest {CSV_RUNS:,} runs of this filter",
        )


def csv(found: dict[str, Param], counts: list[Row], until_ns: int) -> bytes:
    """The newest runs of a filter as CSV that no spreadsheet runs."""
    if "text" in found:
        table = searched(found, counts, False, until_ns, "", CSV_RUNS)
    else:
        table = store.ask("runs_page", at_ns=until_ns, at_run_id="", limit=CSV_RUNS, **found)
    return b"".join(csv_lines(table))


if "page" in st.query_params and cursor() is None:
    st.warning(f"The link's page “{safe(st.query_params['page'], 40)}” is none; these are the newest runs.")
    back_to_newest()

run_filter.complain()

row = st.grid(2, min_column_width=400, vertical_alignment="center")
row.pills(
    "Outcome",
    STATES,
    selection_mode="multi",
    wrap=True,
    key="state",
    bind="query-params",
    on_change=back_to_newest,
    label_visibility="collapsed",
)
row.text_input(
    "Find",
    key="text",
    bind="query-params",
    type="search",
    icon=":material/search:",
    max_chars=100,
    on_change=back_to_newest,
    placeholder="run id, session, step or error text",
    label_visibility="collapsed",
)

run_filter.chips(back_to_newest)

# Live at the newest page only: an older one must stay what it is while it is read.
st.fragment(results, run_every=pulse.tick_s(filters.current()) if cursor() is None else None)()
