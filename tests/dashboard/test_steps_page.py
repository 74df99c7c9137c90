"""The Steps page: what a chain delivers, where it loses it, what fixing would buy."""

import itertools
from pathlib import Path

import pytest

from tests.dashboard.pages import component, healthy, open_page, words


def test_without_a_workflow_all_are_ranked_the_worst_first(lively: Path) -> None:
    """Each workflow with R, E, F and the step to fix first, and a way to its own page."""
    page = open_page("steps", window="6h")
    assert healthy(page)
    rows = component(page, "steps_workflows")["rows"]
    assert {row["workflow"] for row in rows} == {"refund_triage", "lead_enrich", "incident_brief"}
    orders = [row["order"] for row in rows]
    assert orders == sorted(orders)
    assert all(row["page"] == "steps" and row["params"] == {"workflow": row["workflow"]} for row in rows)


def test_the_stairs_come_down_to_what_the_chain_delivers(lively: Path) -> None:
    """From 100 %, step by step, without a gap, to R; the axis shows all of it."""
    page = open_page("steps", window="6h", workflow="refund_triage")
    assert healthy(page)
    data = component(page, "steps_stairs")
    steps = data["steps"]
    assert steps[0]["top"] == 1
    assert all(below["top"] == pytest.approx(above["bottom"]) for above, below in itertools.pairwise(steps))
    levels = {level["name"]: level for level in data["levels"]}
    assert levels["R"]["value"] == pytest.approx(steps[-1]["bottom"])
    assert levels["E"]["low"] <= levels["E"]["value"] <= levels["E"]["high"]
    assert data["floor"] <= min(step["bottom"] for step in steps)


def test_where_runs_went_adds_up_to_100_percent_on_screen(lively: Path) -> None:
    """As numbers and as the text that stands beside them; each part leads to its runs."""
    parts = component(open_page("steps", window="6h", workflow="refund_triage"), "steps_losses")["parts"]
    assert sum(part["share"] for part in parts) == pytest.approx(1)
    assert sum(float(part["said"].removesuffix(" %")) for part in parts) == pytest.approx(100)
    assert all(part["params"]["workflow"] == "refund_triage" for part in parts)


def test_the_first_sentence_names_value_band_and_the_step_to_fix(lively: Path) -> None:
    """Say it in words first."""
    said = open_page("steps", window="6h", workflow="refund_triage").subheader[0].value
    assert said.startswith("**refund\\_triage** delivers ")
    assert " runs in the last 6 hours. Fix **" in said


def test_below_the_sample_gate_there_is_a_band_and_no_value(lively: Path) -> None:
    """A handful of runs is no number: in figures, beside the staircase, in the graph, in the table, in what-if."""
    page = open_page("steps", window="15m", workflow="lead_enrich")
    figures = {f["name"]: f for f in component(page, "steps_figures")}
    assert figures["r"]["value"].startswith("[")
    assert "too few" in figures["r"]["note"]
    assert all(level["said"].startswith("[") for level in component(page, "steps_stairs")["levels"])
    assert component(page, "steps_graph")["end"].startswith("[")
    assert not page.slider
    assert "too few for one figure, and so for what others would make of it" in words(page)
    rows = component(page, "steps_table")["rows"]
    bands = [row for row in rows if isinstance(row["after"], str)]
    assert bands, "a step with few operations"
    assert all(row["after"].startswith("[") and row["change"] is row["first"] is None for row in bands)


def test_a_step_opens_into_its_own_chain(lively: Path) -> None:
    """The same figures by the same rules, one level down."""
    page = open_page("steps", window="6h", workflow="refund_triage", scope="tool_call")
    assert healthy(page)
    names = [node["name"] for node in component(page, "steps_graph")["nodes"]]
    assert names
    assert {"ledger.query", "orders.lookup"} >= {part for name in names for part in name.split(" ‖ ")}
    assert "opened: tool\\_call" in words(page)


def test_a_slider_moves_r(lively: Path) -> None:
    """What if a step never failed."""
    page = open_page("steps", window="6h", workflow="refund_triage")
    page.slider[0].set_value(100.0).run()
    assert "R would be **" in words(page)


def test_no_runs_says_so(lively: Path) -> None:
    """A workflow without runs in the window leaves a hint, not an empty page."""
    page = open_page("steps", workflow="long_gone")
    assert healthy(page)
    assert "Widen the window" in words(page)


def test_an_empty_store_says_what_to_do(empty: Path) -> None:
    """Nothing has arrived."""
    assert "Nothing has arrived yet" in words(open_page("steps"))
