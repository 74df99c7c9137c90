"""What people come for, in a real browser on the demo: why a run failed, a storm, a fall and its cause, the week."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from schemas.paths import store_path
from tests.chromium import served, watched
from tests.dashboard import stores
from tests.dashboard.drifting import drifting

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_the_overview_to_why_a_run_failed_and_on_to_a_colleague(browser: Browser, demo: str) -> None:
    """Two clicks lead to the sentence that says why; the link shows the same in another browser."""
    with watched(browser, demo) as (page, _):
        page.goto(demo + "/?window=7d")
        page.locator(".run-list tbody tr", has_text="failed").locator("a[data-id]").first.click()
        page.wait_for_url("**/run?*run=*")
        why = page.locator(".diagnosis p")
        why.wait_for()
        said, link = why.inner_text(), page.url
    assert "failed" in said
    with watched(browser, demo) as (page, _):
        page.goto(link)
        page.locator(".diagnosis p").wait_for()
        assert page.locator(".diagnosis p").inner_text() == said


def test_a_storm_is_seen_and_leads_to_its_runs(browser: Browser, demo: str) -> None:
    """The first line tells of it, its row opens the runs that it hit."""
    with watched(browser, demo) as (page, _):
        page.goto(demo + "/retries?window=7d")
        page.get_by_role("heading", name="storm").first.wait_for()
        page.locator(".link-table a.whole", has_text="ledger.query").first.click()
        page.wait_for_url("**/runs?*called=step*ledger.query*")
        page.locator(".run-list tbody tr").first.wait_for()


def test_the_week_is_taken_away_as_a_file(browser: Browser, demo: str) -> None:
    """One click on Reports gives the page that is mailed."""
    with watched(browser, demo) as (page, _):
        page.goto(demo + "/reports")
        button = page.get_by_role("button", name="HTML, to print or mail")
        button.wait_for()
        with page.expect_download() as taken:
            button.click()
        told = Path(taken.value.path()).read_text("utf-8")
    assert told.startswith("<!doctype html>")
    assert "refund_triage" in told


def test_from_a_fall_to_the_step_that_did_it(browser: Browser, tmp_path: Path) -> None:
    """The overview says that it gets fewer runs through; `Why` shows which step took how much."""
    stores.write(store_path(tmp_path), [drifting(time.time_ns(), worse_for=8)])
    with served(tmp_path) as address, watched(browser, address) as (page, _):
        page.goto(address + "/?window=28d")
        page.get_by_role("heading", name=", down from ").wait_for()
        page.get_by_role("link", name="Why").click()
        page.wait_for_url("**/drift?*")
        page.locator(".bridge .row.down, .bridge .row", has_text="ledger.query").first.wait_for()
