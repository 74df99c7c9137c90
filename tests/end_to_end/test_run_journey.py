"""From a failed run to what went wrong in it, as one goes through the Run page in a real Chromium."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from schemas.paths import store_path
from tests.chromium import served, settle, watched
from tests.dashboard import stores
from tests.dashboard.lively import lively_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


MARKED: dict[str, str] = {
    "Waterfall": ".waterfall .row.step",
    "Flame": ".flame .block",
    "Graph": ".step-graph g.node",
}
"""View to what can be chosen in it."""
CHOSEN = re.compile(r"\bchosen\b")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard on the lively store."""
    folder = tmp_path_factory.mktemp("journey")
    stores.write(store_path(folder), [lively_runs(time.time_ns())])
    with served(folder) as found:
        yield found


def view(page: Page, name: str) -> None:
    """Chooses a view of the run."""
    page.get_by_role("radio", name=name, exact=True).click()
    page.wait_for_url(f"**view={name}*")
    settle(page)


def test_from_a_failed_run_to_the_span_that_explains_it(browser: Browser, address: str) -> None:
    """Find a failed run, read why, compare it with a good one, search in it, open a span; the link holds all of it."""
    with watched(browser, address) as (page, strays):
        page.goto(address + "/runs?window=6h&state=failed&live=false")
        settle(page)
        page.locator(".run-list tbody a").first.click()
        page.wait_for_url("**/run?*")
        settle(page)
        expect(page.locator(".diagnosis")).to_contain_text("failed")

        view(page, "Compare")
        expect(page.get_by_text("in the good run").first).to_be_visible()
        expect(page.locator(".compare .row.differs").first).to_be_visible()
        page.locator(".compare .row.differs .side a").first.click()  # to the step of this run
        page.wait_for_url("**span=*")
        settle(page)

        box = page.get_by_label("Find in this run")
        box.fill("timeout")
        box.press("Enter")
        page.wait_for_url("**find=timeout*")
        settle(page)
        expect(page.locator(".waterfall .text.found").first).to_be_visible()
        page.locator(".st-key-find_next button").first.click()
        expect(page.get_by_text("here in its").first).to_be_visible()
        settle(page)

        before = page.url
        page.locator(".waterfall .row.step").first.click()
        page.wait_for_function("before => location.href !== before", arg=before)
        settle(page)
        expect(page.locator(".conversation .message").first).to_be_visible()
        chosen = page.locator(".waterfall .row.chosen .name").text_content()
        link = page.url
        assert not strays
    with watched(browser, address) as (page, _):  # who follows the link sees the same
        page.goto(link)
        settle(page)
        expect(page.locator(".waterfall .row.chosen .name")).to_have_text(chosen or "?")
        expect(page.locator(".waterfall .text.found").first).to_be_visible()


@pytest.mark.parametrize("picture", MARKED)
def test_what_is_clicked_last_is_what_is_chosen(browser: Browser, address: str, picture: str) -> None:
    """One after the other, and several in a row before the first is answered: picture and URL say the same."""
    with watched(browser, address) as (page, _):
        marks = marked(page, address, picture)
        marks.nth(2).wait_for()
        for at in (1, 0, 2):
            marks.nth(at).click()
            stays_chosen(page, picture, at)
        one_by_one = page.url
        for at in (0, 1, 0, 2):
            marks.nth(at).click()
        stays_chosen(page, picture, 2)
        page.wait_for_url(one_by_one)


@pytest.mark.parametrize("picture", MARKED)
def test_a_choice_that_a_timer_brings_along_first_is_drawn(browser: Browser, address: str, picture: str) -> None:
    """The footer looks for news by itself, and its requests hold all that was asked for, and the URL of before."""
    timers: list[str] = []

    def overtake(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def send(message: str | bytes) -> None:
            sent = BackMsg.FromString(message if isinstance(message, bytes) else message.encode())
            asked = sent.rerun_script if sent.HasField("rerun_script") else None
            if asked is not None and asked.is_auto_rerun:
                timers.append(asked.fragment_id)
            elif asked is not None and timers:
                first = BackMsg.FromString(sent.SerializeToString())
                first.rerun_script.fragment_id, first.rerun_script.is_auto_rerun = timers[-1], True
                server.send(first.SerializeToString())
                time.sleep(0.1)  # it is being drawn by then
            server.send(message)

        socket.on_message(send)

    with watched(browser, address) as (page, _):
        page.route_web_socket(re.compile("/_stcore/stream"), overtake)
        marks = marked(page, address, picture)
        timers.clear()
        while not timers:
            page.wait_for_timeout(100)
        for at in (1, 0, 2):
            marks.nth(at).click()
            stays_chosen(page, picture, at)


@pytest.mark.parametrize("picture", MARKED)
def test_a_press_during_which_an_answer_comes_is_a_click(browser: Browser, address: str, picture: str) -> None:
    """What is under the button stays until it is up, however long that takes."""
    with watched(browser, address) as (page, _):
        marks = marked(page, address, picture)
        marks.nth(2).scroll_into_view_if_needed()
        marks.nth(2).hover()
        page.mouse.down()
        marks.nth(1).press("Enter")  # what a slow answer does: everything is drawn anew
        page.wait_for_url("**span=*")
        settle(page)
        pressed = page.url
        page.mouse.up()
        page.wait_for_function("before => location.href !== before", arg=pressed, timeout=10_000)
        stays_chosen(page, picture, 2)


def marked(page: Page, address: str, picture: str) -> Locator:
    """Opens a failed run in a picture. -> The steps in it."""
    page.goto(address + "/runs?window=6h&state=failed&live=false")
    page.locator(".run-list tbody a").first.click()
    page.wait_for_url("**/run?*")
    settle(page)
    if picture != "Waterfall":
        view(page, picture)
    return page.locator(MARKED[picture])


def stays_chosen(page: Page, picture: str, at: int) -> None:
    """A mark becomes the only one that is chosen, and still is once every answer has come."""
    marks = page.locator(MARKED[picture])
    expect(marks.nth(at)).to_have_class(CHOSEN)
    page.wait_for_timeout(700)
    settle(page)
    expect(marks.and_(page.locator(".chosen"))).to_have_count(1)
    expect(marks.nth(at)).to_have_class(CHOSEN)
