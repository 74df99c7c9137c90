"""Reports: a week's summary as its readers get it, and the files to send."""

import shlex
import time

import streamlit as st

from dashboard import store
from dashboard.components import filters
from dashboard.components.document import document
from dashboard.components.report_runs import report_runs
from dashboard.components.states import guarded, nothing_yet
from dashboard.components.text import safe
from dashboard.reports import words
from dashboard.reports.formats import MIME, file_name
from dashboard.reports.weeks import Week, last_complete

LABELS = {"html": "HTML, to print or mail", "md": "Markdown, for a chat", "csv": "CSV", "json": "JSON"}
MOST_WEEKS = 106


def weeks() -> list[str]:
    """The weeks whose runs are counted, newest first, those of removed runs, too; always the last complete one."""
    zone, now_ns = store.day_zone(), time.time_ns()
    complete = last_complete(now_ns, zone)
    first_ns = store.ask_steady("report_bounds").to_pylist()[0]["counted_ns"]
    week, found = Week.of(now_ns, zone), [complete.name]
    while first_ns is not None and week.end_ns > first_ns and len(found) < MOST_WEEKS:
        found.append(week.name)
        week = week.before()
    return sorted(set(found), reverse=True)


def command(week: str, workflow: str, environment: str) -> str:
    """What writes the same file, quoted for a shell."""
    filters_set = (("--workflow", workflow), ("--environment", environment))
    return shlex.join(
        ["seamscope", "report", "--week", week, *(f"{flag}={name}" for flag, name in filters_set if name)]
    )


@guarded
def reports() -> None:
    """The choice of the week, the downloads, the document."""
    known = weeks()
    complete = last_complete(time.time_ns(), store.day_zone()).name
    asked = st.query_params.get("week")
    if asked is not None and asked not in known:
        st.warning(f"The link asks for the week “{safe(asked, 20)}”, which holds no runs. This is {complete}.")
    if store.ask_steady("report_bounds").to_pylist()[0]["counted_ns"] is None:
        nothing_yet()
        return
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    name = bar.selectbox(
        "Week",
        known,
        index=known.index(complete),
        key="week",
        bind="query-params",
        width=160,
        help=f"ISO weeks, in the time zone {store.settings().time_zone}",
    )
    conf = filters.current()
    with st.spinner("Working out the week …", show_time=True):
        summary, files = store.weekly(name, conf.workflow, conf.environment)
    for form, label in LABELS.items():
        bar.download_button(
            label,
            files[form],
            file_name=file_name(summary, form),
            mime=MIME[form],
            icon=":material/download:",
            key=f"reports_{form}",
            on_click="ignore",
        )
    st.caption(f"{words.dates(summary)}, {summary.time_zone} · the same file:")
    st.code(command(summary.week, conf.workflow, conf.environment), language=None)
    document(files["html"].decode(), title=f"Weekly reliability, {summary.week}", key="reports_document")
    report_runs(summary, conf.lens, conf.version)


reports()
