"""The Reports page."""

from pathlib import Path

import pytest

from tests.dashboard.pages import component, data_dir, healthy, open_page, warnings, words
from tests.dashboard.reports.conftest import Thinned, Told
from tests.dashboard.test_marks import OPERATIONS, fitting, found, number


@pytest.mark.slow
def test_the_page_shows_the_file_that_it_gives(told: Told) -> None:
    """The week of the link, as one document of ours, and four downloads."""
    with data_dir(told.data):
        page = open_page("reports", week=told.week)
        assert healthy(page)
        assert not warnings(page)
        shown = component(page, "reports_document")
        assert shown["title"] == "Weekly reliability, 2025-W46"
        assert shown["document"].startswith("<!doctype html>")
        assert "refund_triage" in shown["document"]
        assert len(page.get("download_button")) == 4
        assert page.query_params["week"] == [told.week] or page.query_params["week"] == told.week


@pytest.mark.slow
def test_the_filters_of_the_sidebar_hold(told: Told) -> None:
    """A workflow that is chosen is the only one told of."""
    with data_dir(told.data):
        shown = component(open_page("reports", week=told.week, workflow="rag_answers"), "reports_document")
        assert 'id="w1"' in shown["document"]
        assert "refund_triage" not in shown["document"]


@pytest.mark.slow
def test_the_command_beside_it_gives_the_same_file(told: Told) -> None:
    """With the filters of the sidebar, quoted for a shell."""
    with data_dir(told.data):
        (plain,) = open_page("reports", week=told.week).code
        assert plain.value == "seamscope report --week 2025-W46"
        page = open_page("reports", week=told.week, workflow="rag_answers", environment="production")
        assert page.code[0].value == "seamscope report --week 2025-W46 --workflow=rag_answers --environment=production"


@pytest.mark.slow
def test_what_a_report_counts_leads_to_as_many_runs(told: Told) -> None:
    """Outcomes, days and layers count runs; silent failures as many failures, steps no more than Runs says."""
    with data_dir(told.data, unchanging=True):
        page = open_page("reports", week=told.week, workflow="refund_triage")
        (row,) = component(page, "reports_workflows")["rows"]
        assert found(row["params"], {}) == number(row["finished"]) > 50
        for state in ("clean", "recovered", "silent", "failed"):
            assert found(row[state]["params"], {}) == number(row[state]["text"]), state
        rows = component(page, "reports_section_0")["rows"]
        assert {"E of each day", "Where runs were lost", "Steps", "Silent failures"} <= {row["where"] for row in rows}
        for row in rows:
            counted, what = row["counts"].split(" ", 1)
            if "run" in what:
                assert found(row["params"], {}) == number(counted), row["what"]
            elif "failure" in what:
                assert fitting(row["params"], {})[0] == number(counted), row["what"]
            elif "operation" in what:
                assert fitting(row["params"], {}, OPERATIONS)[0] >= number(counted) > 0, row["what"]


@pytest.mark.slow
def test_a_week_of_which_no_run_is_left_can_be_chosen(thinned: Thinned) -> None:
    """Its counts outlive its runs."""
    with data_dir(thinned.data):
        page = open_page("reports", week="2025-W45")
        assert healthy(page)
        assert not warnings(page)
        shown = component(page, "reports_document")["document"]
        assert "Weekly reliability, 2025-W45" in shown
        assert 'id="w1"' in shown


def test_a_week_that_is_none_is_named_and_the_last_one_shown(lively: Path) -> None:
    """The link may be wrong; the page works all the same."""
    page = open_page("reports", week="2031-W99")
    assert healthy(page)
    assert "2031" in warnings(page)[0]
    assert component(page, "reports_document")["document"]


def test_an_empty_store_says_what_to_do(empty: Path) -> None:
    page = open_page("reports")
    assert healthy(page)
    assert "Nothing has arrived yet" in words(page)
