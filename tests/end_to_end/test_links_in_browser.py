"""Links, the way back and keys in a real browser."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.paths import store_path
from tests.chromium import PATIENCE_MS, served, settle, watched
from tests.dashboard import stores
from tests.dashboard.drifting import drifting
from tests.dashboard.filling import Filling
from tests.dashboard.lively import lively_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def filling() -> Filling:
    return lively_runs(time.time_ns())


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, filling: Filling) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("links")
    stores.write(store_path(folder), [filling])
    with served(folder) as found:
        yield found


def failed_runs(filling: Filling) -> list[str]:
    """Ids of the failed and silent runs, newest first."""
    bad = [run for run in filling.tables["run"] if run["outcome"] in ("failed", "silent")]
    return [run["run_id"] for run in sorted(bad, key=lambda run: -run["start_ns"])]


def in_sidebar(page: Page, text: str) -> None:
    page.locator("[data-testid=stSidebar]").get_by_text(text, exact=True).click()
    settle(page)


SHOWN = """() => {
    const main = document.querySelector("[data-testid=stMain]")
    const roots = [...main.querySelectorAll("*")].map((node) => node.shadowRoot).filter(Boolean)
    const inside = roots.flatMap((root) => [...root.querySelectorAll(".seam")].map((node) => node.textContent))
    return [main.innerText, ...inside].join("\\n").replace(/\\d+ (s|min|h|d) ago|now/g, "")
}"""
FOCUS = """async () => {
    let node = document.activeElement
    if (node.matches("main")) return ["page", true]  /* Streamlit's: it takes the arrow keys for scrolling */
    const within = (part) => node.closest(`[data-testid=${part}]`)
    const place = within("stSidebar") ? "sidebar" : within("stMain") ? "page" : "top"
    while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
    const around = [[node], [node, "::after"]]
    for (let each = node.parentElement, far = 0; each && far < 4; each = each.parentElement, far++) around.push([each])
    const looks = () => JSON.stringify(around.map((each) => getComputedStyle(...each))
        .map((look) => [look.outlineStyle, look.boxShadow, look.borderColor, look.backgroundColor]))
    const still = async () => {
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
        const moving = around.flatMap(([each]) => each.getAnimations({ subtree: true }))
        for (const each of moving) if (each instanceof CSSTransition) each.finish()
    }
    await still()
    const focused = looks()
    node.blur()
    let seen = false
    for (let looked = 0; looked < 20 && !seen; looked++) {
        await still()
        seen = focused !== looks()
    }
    node.focus({ focusVisible: true })
    return [place, seen]
}"""


def shown(*pages: Page) -> list[str]:
    """The text of each page and of its components, without how long ago things were, once all are at rest and agree.

    What they show where they do not come to agree.
    """
    for page in pages:
        settle(page)
    until = time.monotonic() + 30
    while True:
        texts = [str(page.evaluate(SHOWN)) for page in pages]
        if time.monotonic() > until or (len(set(texts)) == 1 and len(texts[0]) > 200):
            return texts
        pages[0].wait_for_timeout(200)


def ready(page: Page) -> None:
    """Waits until the page listens to keys."""
    settle(page)
    page.locator(".keyboard button").first.wait_for()


def test_back_and_forward_take_back_filter_selection_and_page(browser: Browser, address: str) -> None:
    """Each change is an entry of the browser's history, and going back shows what was shown."""
    with watched(browser, address) as (page, _):
        page.goto(address + "/failures?window=6h")
        settle(page)
        in_sidebar(page, "24h")
        page.wait_for_url("**window=24h*")
        in_sidebar(page, "B")
        page.wait_for_url("**lens=B*")
        page.go_back()
        settle(page)
        assert "lens=B" not in page.url
        chosen = page.locator("[data-testid=stSidebar] button[aria-checked=true]")
        expect(chosen).to_have_text(["24h", "A"], timeout=PATIENCE_MS)
        page.go_back()
        settle(page)
        expect(chosen).to_have_text(["6h", "A"], timeout=PATIENCE_MS)
        page.go_forward()
        page.wait_for_url("**window=24h*")
        settle(page)
        page.locator(".heat td a").first.click()
        page.wait_for_url("**/runs?*known=observed*")
        settle(page)
        assert "known=observed" in page.url
        page.locator(".run-list tbody a").first.click()
        page.wait_for_url("**/run?*")
        page.locator(".waterfall .step").nth(2).click()
        page.wait_for_url("**span=*")
        settle(page)
        page.go_back()
        settle(page)
        assert "span=" not in page.url
        page.go_back()
        page.wait_for_url("**/runs?*")
        page.locator(".run-list tbody a").first.wait_for()
        settle(page)
        page.go_back()
        page.wait_for_url("**/failures?window=24h")
        page.locator(".heat td a").first.wait_for()


def test_a_copied_link_shows_the_same_in_a_fresh_browser(browser: Browser, address: str, filling: Filling) -> None:
    """Eight typical links: what the first browser shows, a second one shows that knows nothing of it."""
    run_id = failed_runs(filling)[0]
    origin = next(run["origin_span_id"] for run in filling.tables["run"] if run["run_id"] == run_id)
    links = (
        "/?window=6h&workflow=refund_triage&live=false",
        "/steps?window=6h&workflow=refund_triage&scope=tool_call",
        "/failures?window=6h&lens=B&live=false",
        "/retries?window=6h&by=tool",
        "/drift?window=7d&workflow=lead_enrich",
        "/runs?window=6h&layer=tool&state=failed&state=silent&live=false",
        f"/run?run={run_id}&span={origin}&tab=Output",
        "/connect?framework=n8n&live=false",
    )
    with watched(browser, address) as (first, strays):
        for link in links:
            with watched(browser, address) as (second, more_strays):
                for _ in range(2):  # a window that ends now may have ended in another minute for the second
                    for page in (first, second):
                        page.goto(address + link, wait_until="commit")  # side by side
                    texts = shown(first, second)
                    if texts[0] == texts[1]:
                        break
                for page in (first, second):
                    assert page.get_by_text("The link says").count() == 0, link
                assert not strays + more_strays
            assert len(texts[0]) > 200, link
            assert texts[0] == texts[1], link


def test_marks_lead_to_runs_and_the_way_back_leads_to_them(browser: Browser, tmp_path: Path, filling: Filling) -> None:
    """A row of the waterfall, a deploy, a sender and a day of a report: as many runs as it says, and back."""
    stores.write(store_path(tmp_path), [filling, drifting(time.time_ns())])
    with served(tmp_path) as served_at, watched(browser, served_at) as (page, strays):
        for link, mark, leads in (
            ("/drift?window=28d&workflow=refunds", ".bridge a.row", "state=clean"),
            ("/drift?window=28d&workflow=refunds", ".days a[aria-label*='workflow 2']", "version=2"),
            ("/connect?window=6h", ".link-table a.whole", "service="),
            ("/?window=6h", "a[href*='/runs?'][href*='state=silent']:visible", "state=silent"),
            ("/reports?workflow=refunds", ".link-table a.whole", "state=clean"),
        ):
            page.goto(served_at + link)
            settle(page)
            page.locator(mark).first.focus()
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/runs?*{leads}*")
            page.locator(".run-list tbody tr").first.wait_for()
            page.locator(".way-back a").click()
            page.wait_for_url(f"**{link}*")
            page.locator(mark).first.wait_for()
        assert strays == []


def test_a_bar_of_a_runs_time_leads_to_runs_that_called_the_same(
    browser: Browser, address: str, filling: Filling
) -> None:
    """Of the same workflow and day; the way back shows the run, and stays there."""
    with watched(browser, address) as (page, strays):
        link = f"/run?run={failed_runs(filling)[0]}&view=Where+time+went"
        page.goto(address + link)
        settle(page)
        bars = page.locator(".js-plotly-plot .point path")
        bars.first.wait_for(state="attached")
        boxes = [box for bar in bars.all() if (box := bar.bounding_box())]
        widest = max(boxes, key=lambda box: box["width"])
        page.mouse.click(widest["x"] + widest["width"] / 2, widest["y"] + widest["height"] / 2)
        page.wait_for_url("**/runs?*called=operation*")
        page.locator(".run-list tbody tr").first.wait_for()
        page.locator(".way-back a").click()
        bars.first.wait_for(state="attached")
        settle(page)
        assert page.url == address + link
        assert strays == []


def test_back_to_a_page_without_filters_shows_it_without(browser: Browser, address: str) -> None:
    """A link to a page takes the filters along; the way back does not."""
    with watched(browser, address) as (page, _):
        page.goto(address + "/steps?window=6h")
        page.locator(".link-table a", has_text="refund_triage").click()
        page.wait_for_url("**workflow=refund_triage*")
        ready(page)
        page.locator("[data-testid=stTopNavLink]", has_text="Connect").click()
        page.wait_for_url("**/connect?workflow=refund_triage&window=6h")
        ready(page)
        page.go_back()
        page.wait_for_url("**/steps?*workflow=refund_triage*")
        ready(page)
        page.go_back()
        page.locator(".link-table a", has_text="lead_enrich").wait_for()
        assert "workflow" not in page.url


def test_a_page_that_was_left_does_not_take_the_address_back(browser: Browser, address: str) -> None:
    """Where a run of it begins late, Streamlit puts it on top of the history: the way back would lead there."""
    with watched(browser, address) as (page, _):
        page.goto(address + "/steps?window=6h&live=false")
        page.locator(".link-table a", has_text="refund_triage").click()
        page.wait_for_url("**workflow=refund_triage*")
        ready(page)
        page.locator("[data-testid=stTopNavLink]", has_text="Connect").click()
        page.wait_for_url("**/connect?*")
        page.go_back()
        page.wait_for_url("**/steps?*")
        page.evaluate("history.pushState({}, '', '/connect?window=6h')")  # as Streamlit does
        assert "/steps?" in page.url
        page.go_forward()
        page.wait_for_url("**/connect?*")


def test_a_saved_view_opens_what_was_saved_whatever_is_filtered_by(browser: Browser, address: str) -> None:
    """It is a link: the present filters do not go along."""
    with watched(browser, address) as (page, _):
        page.goto(address + "/runs?window=6h&layer=tool&state=failed")
        ready(page)
        page.get_by_role("button", name="Save this view").click()
        page.get_by_label("Name of this view").fill("lost to tools")
        page.keyboard.press("Enter")
        page.locator(".saved-views a", has_text="lost to tools").wait_for()
        page.goto(address + "/failures?workflow=lead_enrich&lens=B&window=24h")
        ready(page)
        page.locator(".saved-views a", has_text="lost to tools").click()
        page.wait_for_url("**/runs?window=6h&layer=tool&state=failed")
        page.locator(".run-list tbody tr").first.wait_for()


def test_keys_lead_from_failed_run_to_failed_run(browser: Browser, address: str, filling: Filling) -> None:
    """`j` opens the newest and goes on back in time, `k` returns; at the end it says so."""
    ids = failed_runs(filling)
    with watched(browser, address) as (page, _):
        page.goto(address + "/connect?window=6h")
        ready(page)
        for run_id in ids[:2]:
            page.keyboard.press("j")
            page.wait_for_url(f"**/run?*run={run_id}*")
            ready(page)
        page.keyboard.press("k")
        page.wait_for_url(f"**/run?*run={ids[0]}*")
        ready(page)
        page.keyboard.press("k")
        page.get_by_text("no newer failed or silent run").wait_for()
        assert "window=6h" in page.url


def test_keys_are_the_fields_while_one_types(browser: Browser, address: str, filling: Filling) -> None:
    """`/` goes to the field; then letters are letters, and Esc gives them back. `?` shows the list."""
    with watched(browser, address) as (page, _):
        page.goto(address + "/connect?window=6h")
        ready(page)
        page.keyboard.press("/")
        field = page.get_by_label("Jump to a run")
        page.keyboard.type("/jky?")
        assert field.input_value() == "/jky?"
        assert page.url.startswith(address + "/connect")
        field.fill("")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("j")
        page.keyboard.press("Escape")
        assert page.get_by_role("dialog", name="Keys").count() == 0
        assert page.url.startswith(address + "/connect")
        page.keyboard.press("/")
        page.keyboard.type(failed_runs(filling)[0])
        page.keyboard.press("Enter")
        page.wait_for_url(f"**run={failed_runs(filling)[0]}*")


def test_tab_goes_through_sidebar_pages_and_page_in_that_order(browser: Browser, address: str) -> None:
    """What has the focus is seen, and no stop lies before the one that is read before it."""
    with watched(browser, address) as (page, _):
        page.goto(address + "/failures?window=6h&live=false")
        ready(page)
        stops = []
        for _ in range(60):
            page.keyboard.press("Tab")
            where, outlined = page.evaluate(FOCUS)
            stops.append(where)
            assert outlined, (len(stops), page.evaluate("document.activeElement.outerHTML.slice(0, 300)"))
            if where == "page" and stops.count("page") > 12:
                break
        order = [where for at, where in enumerate(stops) if not at or stops[at - 1] != where]
        assert order == ["top", "sidebar", "top", "page"], order  # the skip link, filters, pages, what is on this one
