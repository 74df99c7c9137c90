"""From what a weekly report counts to the runs behind it: beside the document, which leads nowhere by itself."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import streamlit as st

from dashboard import words
from dashboard.components.estimates import FINISHED, LOST
from dashboard.components.link_table import Column, link_table, number_column
from dashboard.components.text import clip, safe
from dashboard.looks import Lens
from dashboard.reports.weeks import midnight_ns
from schemas.reports import WeeklySummary, WorkflowSummary
from schemas.zones import zone_of

MOST_SECTIONS: Final = 40
MOST_ROWS: Final = 12  # of a kind, as in the document
NAME_CHARS: Final = 60

WORKFLOWS: Final[list[Column]] = [
    {"name": "workflow", "label": "Workflow", "look": "strong"},
    *(
        number_column(name, name.capitalize(), 90, leaves=leaves) | {"look": "link"}
        for name, leaves in (("clean", 3), ("recovered", 3), ("silent", 0), ("failed", 0))
    ),
    {"name": "finished", "label": "Finished", "align": "right", "width": "84px"},
]
SECTION: Final[list[Column]] = [
    {"name": "what", "label": "What", "look": "strong"},
    {"name": "where", "label": "In the report", "width": "30%"},
    {"name": "counts", "label": "Counts", "align": "right", "width": "30%"},
]


def report_runs(summary: WeeklySummary, lens: Lens, version: str) -> None:
    """Shows what the report counts, workflow by workflow; each row leads to its runs.

    Args:
        version: of the sidebar, by which a report does not go.
    """
    if not summary.workflows:
        return
    st.markdown("**The runs behind this report**")
    week: dict[str, Any] = {"from": _iso(summary.start), "to": _iso(summary.end)} | ({"version": []} if version else {})
    told = summary.workflows[:MOST_SECTIONS]
    link_table([_workflow(one, week) for one in told], WORKFLOWS, key="reports_workflows", label="Runs of the week")
    st.caption(
        "Silent failures count failures, steps operations that ended (a fan-out is one): Runs says how many its runs "
        "hold. Runs that retention removed are counted here and listed nowhere."
    )
    for number, one in enumerate(told):
        with st.expander(f"{safe(one.name, NAME_CHARS)}: what its section counts"):
            rows = list(_rows(one, week | {"workflow": one.name}, lens, summary.time_zone))
            link_table(rows, SECTION, key=f"reports_section_{number}", label=f"What the section of {one.name} counts")


def _workflow(one: WorkflowSummary, week: dict[str, Any]) -> dict[str, Any]:
    of = {**week, "workflow": one.name}
    counts = {"clean": one.clean, "recovered": one.recovered, "silent": one.silent_runs, "failed": one.failed}
    return {
        "page": "runs",
        "params": {**of, "state": FINISHED},
        "title": "open the finished runs",
        "workflow": clip(one.name, NAME_CHARS),
        "finished": words.count(one.finished),
        **{
            state: {
                "page": "runs",
                "params": {**of, "state": state},
                "text": words.count(count),
                "title": f"open the {state} runs",
            }
            for state, count in counts.items()
        },
    }


def _rows(one: WorkflowSummary, week: dict[str, Any], lens: Lens, zone_name: str) -> Iterator[dict[str, Any]]:
    """The rows of a section, in the order of the document."""

    def row(where: str, what: str, counts: str, params: dict[str, Any], page: str = "runs") -> dict[str, Any]:
        return {"page": page, "params": week | params, "where": where, "what": clip(what, NAME_CHARS), "counts": counts}

    for each in one.days:
        day = date.fromisoformat(each.day)
        begins, ends = (midnight_ns(when, zone_of(zone_name)) for when in (day, day + timedelta(days=1)))
        range_of_it = {"from": words.iso(begins), "to": words.iso(ends), "state": FINISHED}
        yield row("E of each day", f"{day:%a %d %b}", words.plural(each.finished, "finished run"), range_of_it)
    lost = Counter[str]()
    for part in one.lost:
        lost[part.layer_a if lens == "A" else part.layer_b] += part.runs
    for layer, runs in lost.most_common():
        yield row("Where runs were lost", layer, words.plural(runs, "run"), {"lost": layer, "state": LOST})
    for step in one.steps[:MOST_ROWS]:
        yield row("Steps", step.name, words.plural(step.operations, "operation"), {"called": f"step:{step.name}"})
    for point in one.change_points[:MOST_ROWS]:
        series = f"{point.metric}:{point.step}" if point.step else "success"
        yield row("Change points", point.step or "E", f"{point.at:%a %d %b}", {"series": series}, "drift")
    for storm in one.storms[:MOST_ROWS]:
        until = {"to": _iso(storm.end)} if storm.end else {}
        of_it = {"called": f"{storm.dimension}:{storm.step}", "tried": "2", "from": _iso(storm.start)} | until
        what = storm.step if storm.dimension == "step" else f"{storm.dimension} {storm.step}"
        yield row("Retry storms", what, f"×{storm.amplification:.2f}", of_it)
    for silent in one.silent_failures[:MOST_ROWS]:
        of_it = {"code": silent.code, "step": silent.step or "", "fate": "silent"}
        what = f"{silent.step or 'no step told'}: {silent.code}"
        yield row("Silent failures", what, words.plural(silent.failures, "failure"), of_it)
    for moved in one.latency_moved[:MOST_ROWS]:
        n = words.plural(moved.after.n, "operation")
        yield row("Latency that moved", moved.step, n, {"called": f"step:{moved.step}"})


def _iso(moment: datetime) -> str:
    return words.iso(int(moment.timestamp()) * words.NS)
