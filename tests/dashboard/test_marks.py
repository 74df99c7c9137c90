"""From a mark to the runs behind it: as many are found as the mark counts."""

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.pages import component, healthy, open_page, words

SIX_HOURS = {"window": "6h"}
FALLEN = {"workflow": "refunds", "window": "28d"}


def followed(mark: dict[str, Any], shared: dict[str, str]) -> AppTest:
    """The Runs page as the link of a mark opens it: its own parameters over the shared ones."""
    renamed = {"from_" if name == "from" else name: value for name, value in mark.items()}
    app = open_page("runs", **{**shared, **renamed})
    assert healthy(app)
    assert not app.warning
    return app


def found(mark: dict[str, Any], shared: dict[str, str]) -> int:
    """How many runs a mark leads to."""
    return sum(series["total"] for series in component(followed(mark, shared), "runs_time")["series"])


def fitting(mark: dict[str, Any], shared: dict[str, str]) -> tuple[int, int]:
    """How many failures, in how many runs, the Runs page says; and that it lists those runs."""
    app = followed(mark, shared)
    told = re.search(r"([\d,]+) failures? that fit, in ([\d,]+) runs?", words(app))
    assert told, words(app)
    failures, runs = (int(number.replace(",", "")) for number in told.groups())
    assert runs == sum(series["total"] for series in component(app, "runs_time")["series"])
    return failures, runs


@pytest.mark.parametrize(
    ("page", "key", "shared"),
    [
        ("overview", "overview_losses", SIX_HOURS),
        ("steps", "steps_losses", {**SIX_HOURS, "workflow": "refund_triage"}),
    ],
)
def test_parts_of_where_runs_went_lead_to_their_runs(lively: Path, page: str, key: str, shared: dict[str, str]) -> None:
    """Each part, times all finished runs, is what the Runs page finds."""
    bar = component(open_page(page, **shared), key)
    finished = int(re.sub(r"^Where 100 runs went, of|\D", "", bar["title"]))
    assert len(bar["parts"]) >= 3
    for part in bar["parts"]:
        assert found(part["params"], shared) == round(part["share"] * finished), part["name"]


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
        if figure["opens"] and figure["value"] != "0":
            assert fitting(figure["opens"], SIX_HOURS)[0] == int(figure["value"].replace(",", "")), figure["name"]
    heat = component(app, "failures_heat")
    row = heat["rows"][0]
    at = max(range(len(row["cells"])), key=lambda column: row["cells"][column])
    assert fitting(row["params"], SIX_HOURS)[0] == sum(row["cells"])
    assert fitting(row["params"] | {"layer": heat["columns"][at]["name"]}, SIX_HOURS)[0] == row["cells"][at]
    code = component(app, "failures_codes")["rows"][0]
    assert fitting(code["params"], SIX_HOURS) == (int(code["failures"]), int(code["runs"]))
    step = component(app, "failures_steps")["rows"][0]
    assert fitting(step["params"], SIX_HOURS)[0] == int(step["failures"])


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
        assert found(side["params"], FALLEN) == int(side["runs"].replace(",", ""))
