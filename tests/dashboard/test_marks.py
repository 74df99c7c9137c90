"""From a mark to the runs behind it: as many are found as the mark counts."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.pages import component, data_dir, healthy, open_page, warnings, words
from tests.dashboard.stormy import stormy

SIX_HOURS = {"window": "6h"}
FALLEN = {"workflow": "refunds", "window": "28d"}


OPERATIONS = "operations? that fit"


def odd(minutes: int) -> dict[str, str]:
    """An exact range that neither begins nor ends on whole 5 minutes, as a column of a chart has it."""
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    end = end.replace(minute=end.minute // 5 * 5 + 3)
    return {"from_": f"{end - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}


def number(text: str) -> int:
    """A count as it is written."""
    return int(text.replace(",", ""))


def followed(mark: dict[str, Any], shared: dict[str, str]) -> AppTest:
    """The Runs page as the link of a mark opens it: its own parameters over the shared ones."""
    renamed = {"from_" if name == "from" else name: value for name, value in mark.items()}
    app = open_page("runs", **{**shared, **renamed})
    assert healthy(app)
    assert not warnings(app)
    return app


def found(mark: dict[str, Any], shared: dict[str, str]) -> int:
    """How many runs a mark leads to."""
    return sum(series["total"] for series in component(followed(mark, shared), "runs_time")["series"])


def fitting(mark: dict[str, Any], shared: dict[str, str], what: str = "failures? that fit") -> tuple[int, int]:
    """How many failures or operations, in how many runs, the Runs page says; and that it lists those runs."""
    app = followed(mark, shared)
    told = re.search(rf"([\d,]+) {what}, in ([\d,]+) runs?", words(app))
    assert told, words(app)
    failures, runs = (int(number.replace(",", "")) for number in told.groups())
    assert runs == sum(series["total"] for series in component(app, "runs_time")["series"])
    return failures, runs


@pytest.mark.parametrize(
    ("page", "key", "shared"),
    [
        *(("overview", "overview_losses", {"window": window}) for window in ("15m", "1h", "6h")),
        ("overview", "overview_losses", odd(7)),
        ("steps", "steps_losses", {"window": "1h", "workflow": "refund_triage"}),
        ("steps", "steps_losses", {**odd(7), "workflow": "refund_triage"}),
        ("steps", "steps_losses", {**SIX_HOURS, "workflow": "refund_triage"}),
    ],
)
def test_parts_of_where_runs_went_lead_to_their_runs(lively: Path, page: str, key: str, shared: dict[str, str]) -> None:
    """Each part, times all finished runs, is what the Runs page finds."""
    bar = component(open_page(page, **shared), key)
    finished = int(re.sub(r"^Where 100 runs went, of|\D", "", bar["title"]))
    assert len(bar["parts"]) >= 2
    for part in bar["parts"]:
        assert found(part["params"], shared) == round(part["share"] * finished), part["name"]


def test_marks_of_the_steps_page_lead_to_the_runs_they_rest_on(lively: Path) -> None:
    """R and E to the runs they count; an edge to the runs that came by where it begins."""
    shared = {**SIX_HOURS, "workflow": "refund_triage"}
    app = open_page("steps", **shared)
    levels = {level["name"]: level for level in component(app, "steps_stairs")["levels"]}
    figures = {one["name"]: one for one in component(app, "steps_figures")}
    for name in ("r", "e"):
        (n,) = re.findall(r"n ([\d,]+)", figures[name]["note"])
        assert found(levels[name.upper()]["params"], shared) == found(figures[name]["opens"], shared) == number(n)
    rows = {row["step"]: number(row["runs"][0]) for row in component(app, "steps_table")["rows"]}
    edges = {edge["from"]: edge for edge in component(app, "steps_graph")["edges"] if edge["from"] in rows}
    assert len(edges) >= 3
    waiting = found({"state": "pending"}, shared)  # of these the table counts no step that waits
    for step, edge in edges.items():
        assert rows[step] <= found(edge["params"], shared) <= rows[step] + waiting, step
    for part in component(app, "steps_time")["parts"]:
        assert found(part["params"], shared) > 0 or part["name"].startswith("wasted"), part["name"]


def test_figures_of_an_exact_range_lead_to_the_whole_five_minutes_that_they_count(lively: Path) -> None:
    """E of seven odd minutes, and what a workflow lost in them."""
    shared = odd(7)
    app = open_page("overview", **shared)
    figures = {one["name"]: one for one in component(app, "overview_figures")}
    (n,) = re.findall(r"n ([\d,]+)", figures["e"]["note"])
    assert found(figures["e"]["opens"], shared) == number(n) > 0
    for row in component(app, "overview_workflows")["rows"]:
        assert found(row["lost"]["params"], shared) == number(row["lost"]["text"])


def test_figures_of_the_overview_lead_to_as_many_runs_as_they_rest_on(lively: Path) -> None:
    """E to the finished runs, silent to the silent ones, the legend of the chart to each outcome, Lost to the lost."""
    app = open_page("overview", **SIX_HOURS)
    figures = {one["name"]: one for one in component(app, "overview_figures")}
    (n,) = re.findall(r"n ([\d,]+)", figures["e"]["note"])
    assert found(figures["e"]["opens"], SIX_HOURS) == int(n.replace(",", ""))
    totals = {series["name"]: series["total"] for series in component(app, "overview_runs")["series"]}
    assert found(figures["silent"]["opens"], SIX_HOURS) == totals["silent"]
    for state in ("failed", "recovered"):
        assert found({"state": state}, SIX_HOURS) == totals[state]
    lost = component(app, "overview_workflows")["rows"][0]["lost"]
    assert found(lost["params"], SIX_HOURS) == int(lost["text"].replace(",", ""))


def test_marks_of_the_failures_page_lead_to_the_failures_they_count(lively: Path) -> None:
    """Figures, cells and rows of the heat map, codes and steps: the Runs page says how many failures its runs hold."""
    app = open_page("failures", **SIX_HOURS)
    for figure in component(app, "failures_figures"):
        what = "failures? dragged along" if figure["name"] == "dragged" else "failures? that fit"
        if figure["value"] != "0":
            assert fitting(figure["opens"], SIX_HOURS, what)[0] == number(figure["value"]), figure["name"]
    heat = component(app, "failures_heat")
    row = heat["rows"][0]
    at = max(range(len(row["cells"])), key=lambda column: row["cells"][column])
    assert fitting(row["params"], SIX_HOURS)[0] == sum(row["cells"])
    assert fitting(row["params"] | {"layer": heat["columns"][at]["name"]}, SIX_HOURS)[0] == row["cells"][at]
    code = component(app, "failures_codes")["rows"][0]
    assert fitting(code["params"], SIX_HOURS) == (int(code["failures"]), int(code["runs"]))
    step = component(app, "failures_steps")["rows"][0]
    assert fitting(step["params"], SIX_HOURS)[0] == int(step["failures"])


def test_marks_of_the_retries_page_lead_to_the_operations_they_count(past_storm: Path) -> None:
    """A row of the histogram, a lane and a block: Runs says how many operations its runs tried again."""
    page = open_page("retries", **SIX_HOURS)
    (row,) = component(page, "retries_histogram")["rows"]
    assert fitting(row["params"], SIX_HOURS, OPERATIONS) == (number(row["again"]), number(row["again"]))
    (lane,) = component(page, "retries_lanes")["lanes"]
    assert fitting(lane["params"], SIX_HOURS, OPERATIONS)[0] == number(row["again"])
    assert 0 < fitting(lane["blocks"][0]["params"], SIX_HOURS, OPERATIONS)[0] <= number(row["again"])
    figures = {one["name"]: one for one in component(page, "retries_figures")}
    assert fitting(figures["amplification"]["opens"], SIX_HOURS, OPERATIONS)[0] == number(row["again"])


def test_what_retries_count_is_said_in_words(past_storm: Path) -> None:
    """The page counts operations and Runs lists runs."""
    assert "This page counts operations" in words(open_page("retries", **SIX_HOURS))


def test_loops_within_a_run_lead_to_as_many_runs(tmp_path: Path, now_ns: int) -> None:
    """A row of a code counts runs; one of them goes round twice."""
    filling = stormy(now_ns)
    for run in [*filling.tables["run"][:7], filling.tables["run"][0]]:
        filling.add(
            "failure",
            run_id=run["run_id"],
            trace_id=run["run_id"],
            span_id=run["root_span_id"],
            step="ledger.query",
            code="state.redundant_step",
            layer_a="state",
            layer_b="state",
            certainty="inferred",
            severity="low",
            role="root",
            recovered=False,
            silent=False,
            evidence="{}",
            at_ns=run["start_ns"],
            scope_id=1,
        )
    stores.write(store_path(tmp_path), [filling])
    with data_dir(tmp_path):
        (row,) = component(open_page("retries", **SIX_HOURS), "retries_in_run")["rows"]
        assert found(row["params"], SIX_HOURS) == number(row["runs"]) == 7


def test_senders_lead_to_the_runs_that_hold_their_spans(lively: Path) -> None:
    """Each row of what has arrived leads to runs, and all of them to all: here each run has one sender."""
    rows = component(open_page("connect", **SIX_HOURS), "connect_arrived")["rows"]
    behind = [found(row["params"], SIX_HOURS) for row in rows]
    assert len(rows) == 3
    assert all(behind)
    assert sum(behind) == found({}, SIX_HOURS) > 100


def test_failures_at_no_step_lead_to_those_and_not_to_all(lively: Path) -> None:
    """An empty step asks for failures at none; here each has one."""
    step = component(open_page("failures", **SIX_HOURS), "failures_steps")["rows"][0]["params"]["step"]
    assert found({"step": ""}, SIX_HOURS) == 0
    assert found({"step": [step, ""]}, SIX_HOURS) == found({"step": step}, SIX_HOURS) > 0


def test_days_and_sides_of_drift_lead_to_the_runs_they_count(fallen: Path) -> None:
    """A dot's runs are its day's, and the two sides of a change those of its rows."""
    app = open_page("drift", **FALLEN)
    for day in (component(app, "drift_days")["points"][at] for at in (0, -2)):
        assert found(day["params"], FALLEN) == int(re.findall(r" of (\d+)", day["said"])[0])
    for side in component(app, "drift_sides")["rows"]:
        assert found(side["params"], FALLEN) == number(side["runs"])


def test_rows_of_the_waterfall_lead_to_runs_of_their_side(fallen: Path) -> None:
    """R before and after to the finished runs they rest on; a step's part to those that failed there since."""
    app = open_page("drift", **FALLEN)
    before, part, *_, after = component(app, "drift_bridge")["piers"]
    sides = component(app, "drift_sides")["rows"]
    assert [pier["params"] for pier in (before, after)] == [side["params"] for side in sides]
    since = {name: after["params"][name] for name in ("workflow", "from", "to")}
    assert part["params"] == {**since, "step": "ledger.query"}


def test_a_mark_of_a_deploy_leads_to_the_runs_of_its_version(fallen: Path) -> None:
    """Since the day it was first seen; the mark and the row beside the waterfall lead alike."""
    app = open_page("drift", **FALLEN)
    (mark,) = component(app, "drift_days")["deploys"]
    (row,) = component(app, "drift_versions")["rows"]
    assert mark["params"] == row["params"]
    assert mark["params"]["version"] == "2"
    assert found(mark["params"], FALLEN) == found({"version": "2"}, FALLEN) > 0
