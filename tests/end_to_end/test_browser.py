"""The dashboard in a real browser, on a real collector."""

import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, Status, StatusCode
from opentelemetry.trace.span import TraceFlags, TraceState
from playwright.sync_api import Browser, Page

from collector.rollup_store import rebuild_rollups
from dashboard.reports.weeks import Week
from schemas.paths import store_path
from schemas.settings import Settings
from tests.chromium import START_S, free_port, served, settle, watched
from tests.collecting import Collector, DidNotStart
from tests.dashboard import stores
from tests.dashboard.filling import Row
from tests.dashboard.hostile import hostile_text
from tests.dashboard.lively import lively_runs
from tests.dashboard.stormy import stormy

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOREIGN_LINKS = """() => {
    const roots = [document, ...[...document.querySelectorAll("*")].map((node) => node.shadowRoot).filter(Boolean)]
    return roots.flatMap((root) => [...root.querySelectorAll("a[href]")].map((link) => link.href))
        .filter((href) => new URL(href, location.href).origin !== location.origin)
}"""


UNTOLD = """() => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")].flatMap((host) => {
    const root = host.shadowRoot
    const seen = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 0
    const heads = [...root?.querySelectorAll(".link-table th, .run-list th") ?? []].filter((head) => !seen(head))
    const told = [...root?.querySelectorAll(".rest span") ?? []].filter(seen).map((node) => node.textContent).join()
    return heads.map((head) => head.textContent).filter((label) => !told.includes(label))
})"""
"""Labels of columns that are neither shown nor told below the rows."""


def restarted(data_dir: Path) -> Collector:
    """A collector on a store that a dashboard reads: it may find the file in use for a moment."""
    until = time.monotonic() + START_S
    while True:
        try:
            return Collector(data_dir)
        except DidNotStart:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def traced(collector: Collector, text: str = "") -> TracerProvider:
    provider = TracerProvider(resource=Resource.create({"service.name": "desk" + text, "note": text}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=collector.url)))
    return provider


def send_run(collector: Collector, name: str, text: str = "") -> str:
    """One failed run through the real SDK and exporter; `text` stands wherever a sender can put any. Its id."""
    provider = traced(collector, text)
    tracer = provider.get_tracer("manual" + text, "1" + text)
    state = TraceState([("k", "v")])
    link = Link(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=state), {"why": text})
    with tracer.start_as_current_span(
        name + text,
        attributes={
            "gen_ai.operation.name": "invoke_workflow",
            "key" + text: text,
            "gen_ai.conversation.id": "s" + text,
        },
        links=[link],
    ) as root:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "ledger.query" + text,
            "gen_ai.tool.call.arguments": f'{{"q": "{text}"}}',
            "gen_ai.tool.call.result": text,
            "gen_ai.response.model": text,
            "gen_ai.agent.name": text,
        }
        with tracer.start_as_current_span("execute_tool ledger.query" + text, attributes=attributes) as step:
            step.add_event("note" + text, {"body": text})
            step.record_exception(RuntimeError("no answer" + text))
            step.set_status(Status(StatusCode.ERROR, "no answer" + text))
        root.set_status(Status(StatusCode.ERROR, "failed" + text))
        run_id = f"{root.get_span_context().trace_id:032x}"
    provider.shutdown()
    return run_id


def test_a_run_appears_without_a_reload_and_opens(browser: Browser, tmp_path: Path) -> None:
    """From the empty page over the arriving run to what failed in it."""
    with Collector(tmp_path) as collector, served(tmp_path) as address, watched(browser, address) as (page, strays):
        page.goto(address)
        page.get_by_text("Nothing has arrived yet", exact=True).first.wait_for()
        run_id = send_run(collector, "refund_triage")
        row = page.locator(f'.run-list a[data-id="{run_id}"]').first
        row.wait_for()
        row.click()
        page.wait_for_url(f"**/run?run={run_id}*")
        page.get_by_text("RuntimeError").first.wait_for()
        page.locator(".waterfall .step", has_text="ledger.query").click()
        page.wait_for_url("**span=*")
        link = page.url
        page.reload()
        page.wait_for_selector(".waterfall .step.chosen")
        assert page.url == link
        assert strays == []


def test_what_has_no_room_as_a_column_is_told_below_the_row(browser: Browser, tmp_path: Path) -> None:
    """At 900 pixels no figure of Overview, Runs and Steps is hidden; a list of runs leaves out ids."""
    stores.write(store_path(tmp_path), [lively_runs(time.time_ns())])
    with served(tmp_path) as address, watched(browser, address) as (page, _):
        page.set_viewport_size({"width": 900, "height": 900})
        for path in ("", "runs", "steps", "steps?workflow=refund_triage"):
            page.goto(f"{address}/{path}{'&' if '?' in path else '?'}window=6h&live=false")
            settle(page)
            assert page.locator(".rest").locator("visible=true").count() > 0, path
            assert set(page.evaluate(UNTOLD)) <= {"Session", "Run", "R over time"}, path


def test_from_the_failures_page_to_the_runs_behind_a_mark(browser: Browser, tmp_path: Path) -> None:
    """A cell of the heat map leads to its runs, chips say why they are shown, and taking one away widens them."""
    stores.write(store_path(tmp_path), [lively_runs(time.time_ns())])
    with served(tmp_path) as address, watched(browser, address) as (page, strays):
        page.goto(address + "/failures?window=6h&lens=B")
        cell = page.locator(".heat tbody tr", has_text="synthesis").locator("td a")
        cell.wait_for()
        hits = int(cell.inner_text())
        cell.click()
        page.wait_for_url("**/runs?*layer=recovery*")
        page.locator(".run-list tbody tr").first.wait_for()
        assert page.locator(".run-list tbody tr").count() == hits
        page.get_by_role("button", name="failed at").click()
        page.locator(".run-list tbody tr").nth(hits).wait_for()
        assert "step=" not in page.url
        page.go_back()
        page.go_back()
        page.wait_for_url("**/failures?*")
        page.locator(".timeline .legend a").first.click()
        page.wait_for_url("**/runs?*layer=recovery*")
        assert strays == []


def test_a_sentence_of_the_diagnosis_opens_its_span(browser: Browser, tmp_path: Path) -> None:
    """The paragraph is made of links: a click shows the span that the sentence speaks of."""
    filling = lively_runs(time.time_ns())
    stores.write(store_path(tmp_path), [filling])
    failed = next(run for run in reversed(filling.tables["run"]) if run["outcome"] == "failed")
    with served(tmp_path) as address, watched(browser, address) as (page, _):
        page.goto(f"{address}/run?run={failed['run_id']}&view=Failures")
        page.locator(".diagnosis a").first.click()
        page.wait_for_url(f"**span={failed['origin_span_id']}*")
        page.locator(".waterfall .step.chosen").wait_for()


def test_live_parts_keep_scroll_and_hold_new_rows_back(browser: Browser, tmp_path: Path) -> None:
    """While a reader is at the list, new runs wait behind `n new` and nothing moves."""
    with Collector(tmp_path) as collector, served(tmp_path) as address, watched(browser, address) as (page, _):
        first = send_run(collector, "refund_triage")
        page.goto(address)
        newest = page.locator('.run-list:has(table[aria-label="Newest runs"])')
        newest.locator(f'a[data-id="{first}"]').wait_for()
        page.mouse.wheel(0, 300)
        newest.locator("tbody tr").first.hover()
        scrolled = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
        second = send_run(collector, "refund_triage")
        newest.get_by_role("button", name="1 new").wait_for()
        assert newest.locator(f'a[data-id="{second}"]').count() == 0
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == scrolled
        newest.get_by_role("button", name="1 new").click()
        newest.locator(f'a[data-id="{second}"]').wait_for()


def test_a_page_held_still_counts_what_is_new_and_shows_it_when_asked(browser: Browser, tmp_path: Path) -> None:
    """With *Live* off nothing moves but the foot of the sidebar, and a press on its count draws the page anew."""
    with Collector(tmp_path) as collector, served(tmp_path) as address, watched(browser, address) as (page, _):
        first = send_run(collector, "refund_triage")
        page.goto(address + "/runs?live=false")
        page.locator(f'.run-list a[data-id="{first}"]').wait_for()
        second = send_run(collector, "refund_triage")
        count = page.get_by_test_id("stSidebar").get_by_role("button", name="1 new")
        count.wait_for()
        assert page.locator(f'.run-list a[data-id="{second}"]').count() == 0
        count.click()
        page.locator(f'.run-list a[data-id="{second}"]').wait_for()
        count.wait_for(state="detached")


def test_the_page_outlives_its_collector(browser: Browser, tmp_path: Path) -> None:
    """Stopped, the collector's data stay readable; started again, runs arrive again: no reload in between."""
    with served(tmp_path) as address, watched(browser, address) as (page, _):
        with Collector(tmp_path) as collector:
            first = send_run(collector, "refund_triage")
            page.goto(address)
            page.locator(f'.run-list a[data-id="{first}"]').first.wait_for()
        page.get_by_text("no collector runs").first.wait_for()
        page.locator(f'.run-list a[data-id="{first}"]').first.wait_for()
        with restarted(tmp_path) as collector:
            second = send_run(collector, "refund_triage")
            page.locator(f'.run-list a[data-id="{second}"]').first.wait_for()


def test_hostile_text_stays_text_on_every_page(browser: Browser, tmp_path: Path) -> None:
    """A canary in every field that OTLP has and in every column of the store, with failures, storms, sessions and gaps.

    Nothing of it is fetched, run, styled or linked.
    """
    text = hostile_text(f"http://127.0.0.1:{free_port()}/canary")
    filling = lively_runs(time.time_ns(), runs=60, text=text)
    failed = next(run for run in reversed(filling.tables["run"]) if run["outcome"] == "failed")
    storm = stormy(time.time_ns(), workflow="storm" + text, step=text)
    for table in ("run", "step"):
        filling.tables[table] += storm.tables[table]
    with Collector(tmp_path) as collector:
        sent = send_run(collector, "refund_triage", text)
        until = time.monotonic() + START_S
        while not collector.sql("from run") and time.monotonic() < until:
            time.sleep(0.1)
    with duckdb.connect(str(store_path(tmp_path))) as connection:
        filling.write(connection)
        connection.execute(stores.OPERATIONS)
    rebuild_rollups(Settings(data_dir=tmp_path))
    with Collector(tmp_path), served(tmp_path) as address, watched(browser, address) as (page, strays):
        reached = set()
        for path in everything(failed, sent):
            page.goto(address + path)
            settle(page)
            if page.get_by_text("canary").count():
                reached.add(path.partition("?")[0])
            check_inert(page)
            if path == f"/run?run={sent}":
                for tab in ("Input", "Output", "Attributes", "Events", "Links", "Raw"):
                    page.get_by_role("tab", name=tab, exact=True).click()
                    page.wait_for_url(f"**tab={tab}*")
                    settle(page)
                    check_inert(page)
        assert reached >= {"/", "/steps", "/failures", "/retries", "/drift", "/runs", "/run", "/reports", "/connect"}
        assert strays == []


def everything(stored: Row, sent: str) -> Iterator[str]:
    """Every page, and every view of a run that is stored and of one that was sent."""
    of_it = "window=6h&workflow=" + quote(stored["workflow"])
    for path in ("/", "/steps", "/failures", "/drift", "/runs"):
        yield f"{path}?{of_it}"
    yield from ("/retries?window=6h&by=step", f"/reports?week={Week.of(stored['start_ns'], UTC).name}")
    yield from ("/runs?window=6h&text=no+answer", "/runs?window=6h&error=canary&step=" + quote("<img src=x>"))
    yield from ("/run", "/connect?window=6h", f"/run?run={sent}")
    for view in ("Graph", "Flame", "Compare", "Where time went", "Failures"):
        yield f"/run?run={stored['run_id']}&spans=true&view={quote(view)}&against={sent}"


def check_inert(page: Page) -> None:
    """No sign of life in the text of a page."""
    assert page.evaluate("window.__xss") is None, page.url
    assert page.evaluate(FOREIGN_LINKS) == [], page.url
    assert page.evaluate("document.querySelectorAll('.js-plotly-plot a').length") == 0, page.url
    assert page.evaluate("getComputedStyle(document.body).display") != "none", page.url
    assert page.locator("img[src*=canary]").count() == 0, page.url
