"""A copied link opens the same view; a bad one says what is wrong with it and works all the same."""

from pathlib import Path

import pytest

from tests.dashboard.pages import component, healthy, open_page, words
from tests.dashboard.test_pages import newest

ROUND_TRIPS = [
    ("overview", "workflow", "refund_triage"),
    ("overview", "version", "2.4.0"),
    ("overview", "environment", "staging"),
    ("overview", "lens", "B"),
    ("overview", "window", "7d"),
    ("overview", "live", "false"),
    ("runs", "state", ["failed", "pending"]),
    ("runs", "text", "ledger"),
    ("failures", "certainty", "inferred"),
    ("retries", "by", "tool"),
    ("connect", "framework", "n8n"),
]


@pytest.mark.parametrize(("page", "name", "value"), ROUND_TRIPS, ids=str)
def test_parameter_reaches_its_widget_and_stays_in_the_url(
    lively: Path, page: str, name: str, value: str | list[str]
) -> None:
    """What the URL says is what the widget shows, and the URL keeps it."""
    app = open_page(page, **{name: value})
    assert healthy(app)
    assert not app.warning
    held = app.session_state[name]
    assert held == (value == "true" if name == "live" else value)
    assert app.query_params[name] == value


@pytest.mark.parametrize(
    ("name", "value"), [("view", "Failures"), ("spans", "true"), ("critical", "true"), ("tab", "Output")]
)
def test_parameter_of_one_run_round_trips(lively: Path, name: str, value: str) -> None:
    """View, span source and tab of a run are links."""
    app = open_page("run", run=newest(lively, "failed"), **{name: value})
    assert healthy(app)
    assert app.query_params[name] == value


def test_selected_span_round_trips(lively: Path) -> None:
    """The inspector opens on the span that the link names."""
    run_id = newest(lively, "failed")
    last = component(open_page("run", run=run_id), "waterfall")["rows"][0]["id"]
    app = open_page("run", run=run_id, span=last)
    assert component(app, "waterfall")["selected"] == last


def test_exact_range_round_trips(lively: Path) -> None:
    """`from` and `to` replace the window."""
    app = open_page("runs", from_="2020-01-01T00:00:00Z", to="2020-01-01T01:00:00Z")
    assert healthy(app)
    assert component(app, "runs_time")["since"] == 1577836800000
    assert "No run matches" in words(app)


@pytest.mark.parametrize(
    ("page", "params", "complaint"),
    [
        ("overview", {"window": "5y"}, "5y"),
        ("overview", {"live": "perhaps"}, "perhaps"),
        ("overview", {"lens": "C"}, "lens “C”"),
        ("overview", {"from_": "yesterday", "to": "today"}, "not two moments"),
        ("overview", {"from_": "2026-01-02", "to": "2026-01-01"}, "not two moments"),
        ("runs", {"state": "exploded"}, "exploded"),
        ("runs", {"page": "last"}, "last"),
        ("runs", {"code": "not a code"}, "not a code"),
        ("runs", {"layer": "routing", "lens": "A"}, "lens A has state"),
        ("runs", {"certainty": "guessed"}, "guessed"),
        ("runs", {"fate": "gone"}, "gone"),
        ("failures", {"certainty": "guessed"}, "guessed"),
        ("run", {"run": "' or 1=1 --"}, "no run id"),
        ("run", {"run": "0" * 32, "span": "zz"}, "no span id"),
        ("steps", {"workflow": "refund_triage", "scope": "nowhere"}, "nowhere"),
        ("retries", {"by": "mood"}, "mood"),
        ("drift", {"workflow": "refund_triage", "series": "mood"}, "mood"),
        ("connect", {"framework": "COBOL"}, "COBOL"),
    ],
)
def test_bad_value_is_named_and_the_page_works(lively: Path, page: str, params: dict[str, str], complaint: str) -> None:
    """The message says which value, and the page shows its default."""
    app = open_page(page, **params)
    assert healthy(app)
    assert any(complaint in warning.value for warning in app.warning)


def test_a_workflow_that_no_run_bears_gives_an_empty_view_rather_than_another_one(lively: Path) -> None:
    """A link to a workflow that is gone must not show all workflows instead."""
    app = open_page("overview", workflow="long_gone")
    assert app.session_state["workflow"] == "long_gone"
    assert "No runs in the last hour" in words(app)


def test_another_workflow_starts_with_all_of_its_versions(lively: Path) -> None:
    """A version belongs to a workflow; kept beside another one it would leave nothing to see."""
    app = open_page("overview", workflow="refund_triage", version="2.4.0")
    app.selectbox(key="workflow").set_value("lead_enrich").run()
    assert app.session_state["version"] is None
    assert {row["workflow"] for row in component(app, "overview_newest")["rows"]} == {"lead_enrich"}


def test_a_version_narrows_the_page(lively: Path) -> None:
    """Only runs of the chosen version are shown."""
    app = open_page("overview", version="2.4.0")
    assert {row["version"] for row in component(app, "overview_newest")["rows"]} == {"2.4.0"}


@pytest.mark.parametrize(
    "payload", ["'; drop table run; --", "$since_ns", "%", "\\", "\u0000", "a" * 99, "{{7*7}}", "😀"]
)
def test_text_is_data_and_never_sql(lively: Path, payload: str) -> None:
    """Whatever is searched for is bound; the store answers and is unharmed."""
    app = open_page("runs", text=payload, window="6h")
    assert healthy(app)
    assert len(component(open_page("runs", window="6h"), "runs_list")["rows"]) == 50
