"""Every page in every state: nothing yet, no match, too few, partial, busy, down, of another version. None is an error,
each says what to do, and each is left by itself."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import store
from dashboard.components import states
from dashboard.components.filters import DAY
from schemas.paths import endpoint_path, store_path
from schemas.version import SCHEMA_VERSION
from tests.collecting import Collector
from tests.dashboard import stores
from tests.dashboard.lively import lively_runs
from tests.dashboard.pages import PAGES, component, data_dir, healthy, open_page, wait_until_heard, words

NEEDS_RUNS: Final = tuple(page for page in PAGES if page != "connect")
NO_MATCH: Final = {
    "overview": "No run began in the last 6 hours.",
    "steps": "nowhere has no finished step in the last 6 hours.",
    "failures": "Nothing ran, so nothing failed.",
    "retries": "No operation in the last 6 hours.",
    "drift": "nowhere has no finished run in the 90 days up to the window's end.",
    "runs": "No run matches.",
}
TOO_FEW: Final = {
    "overview": "overview_figures",
    "steps": "steps_workflows",
    "retries": "retries_figures",
    "drift": "drift_workflows",
}


@pytest.fixture(scope="session")
def few_dir(tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Path:
    """A data folder with six runs."""
    folder = tmp_path_factory.mktemp("few")
    stores.write(store_path(folder), [lively_runs(now_ns, 6)])
    return folder


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A data folder whose collector is stopped where it stands, and its process id."""
    folder = tmp_path_factory.mktemp("hanging")
    with Collector(folder) as collector:
        collector.process.send_signal(signal.SIGSTOP)
        yield folder, collector.process.pid
        collector.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("page", NEEDS_RUNS)
def test_nothing_has_arrived(page: str, empty: Path) -> None:
    """An empty store: the page says how to send, and how to look around."""
    shown = open_page(page)
    assert healthy(shown)
    assert "Nothing has arrived yet" in words(shown)
    assert "seamscope demo" in [code.value for code in shown.code]


def test_connect_tells_how_to_send_before_anything_has_arrived(empty: Path) -> None:
    """The page that every other one points to."""
    shown = open_page("connect")
    assert healthy(shown)
    assert "The first spans show up here within two seconds" in words(shown)


def test_the_page_fills_itself_when_the_first_run_comes(tmp_path: Path, now_ns: int) -> None:
    """The next look of the live part is enough."""
    stores.write(store_path(tmp_path), [])
    with data_dir(tmp_path):
        shown = open_page("overview", window="6h")
        assert "Nothing has arrived yet" in words(shown)
        store_path(tmp_path).unlink()
        stores.write(store_path(tmp_path), [lively_runs(now_ns, 6)])
        shown.run()
    assert healthy(shown)
    assert len(component(shown, "overview_newest")["rows"]) == 6


def test_a_page_held_still_goes_on_counting_what_is_new(tmp_path: Path, now_ns: int) -> None:
    """Off live the foot of the sidebar says how many runs of these filters came since the page was drawn."""

    def foot() -> None:
        from dashboard.components import pulse

        pulse._footer()

    path = stores.write(store_path(tmp_path), [lively_runs(now_ns, 6)])
    with data_dir(tmp_path):
        shown = AppTest.from_function(foot)
        shown.session_state["live"], shown.session_state["window"] = False, "6h"
        assert not shown.run().button
        with duckdb.connect(str(path)) as con:
            received = "(select max(last_received_ns) + 1 from store.run)"
            con.execute(f"update store.run set last_received_ns = {received} where workflow = 'refund_triage'")
            changed = con.sql("select count(*) from run where workflow = 'refund_triage'").fetchall()[0][0]
        assert [button.label for button in shown.run().button] == [f"{changed} new"]
        shown.session_state["workflow"] = "nobody"
        assert not shown.run().button


@pytest.mark.parametrize("page", NO_MATCH)
def test_no_match(page: str, lively: Path) -> None:
    """Filters that leave nothing: the page says what is missing and how to widen."""
    shown = open_page(page, workflow="nowhere", window="6h")
    assert healthy(shown)
    said = words(shown).replace("\\", "")
    assert NO_MATCH[page] in said
    assert "Widen the window, or clear a filter." in said


@pytest.mark.parametrize("page", TOO_FEW)
def test_too_few_for_a_number(page: str, few_dir: Path) -> None:
    """Below the sample gate a band stands alone, or a dash."""
    with data_dir(few_dir, unchanging=True):
        shown = open_page(page, window="6h")
        assert healthy(shown)
        assert component(shown, TOO_FEW[page])
        if page == "overview":
            figures = {figure["name"]: figure for figure in component(shown, "overview_figures")}
            assert figures["r"]["value"].startswith("[")
            assert "too few for one number" in figures["r"]["note"]
        if page == "retries":
            assert "Too few to tell" in words(shown)
        if page == "drift":
            assert "No verdict yet: each workflow needs 14 days with runs" in words(shown)


@pytest.mark.parametrize("page", PAGES)
def test_what_was_refused_is_counted_on_every_page(page: str, lively: Path) -> None:
    """Partial data: the sidebar says how much is missing since midnight."""
    midnight = {"since_ns": time.time_ns() // DAY * DAY}
    with duckdb.connect(lively, read_only=True) as held:
        told = held.sql("select sum(rejected) from ingest_minute where minute_ns >= $since_ns", params=midnight)
        (lost,) = told.fetchall()[0]
    assert f"{lost or 0} lost" in words(open_page(page))


@pytest.mark.parametrize("page", PAGES)
def test_settling_that_lags_is_told_on_every_page(page: str, lively: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partial data: how much is stored and not yet in the figures, and that nothing is lost."""
    monkeypatch.setattr(store, "settling", lambda: {"traces_waiting": 1234, "lag_s": 41.7})
    assert "1,234 traces of the last 42 s are stored and not settled yet" in words(open_page(page))


def test_settling_as_it_is_as_a_rule_is_not_told(lively: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second or two is how it works."""
    monkeypatch.setattr(store, "settling", lambda: {"traces_waiting": 3, "lag_s": 1.6})
    assert "not settled yet" not in words(open_page("runs"))


@pytest.mark.parametrize("page", PAGES)
def test_no_store_yet(page: str, tmp_path: Path) -> None:
    """Before anything was ever started every page says how to start."""
    with data_dir(tmp_path / "nowhere"):
        shown = open_page(page)
    assert not shown.exception
    assert "Nothing has arrived yet" in words(shown)


@pytest.mark.parametrize("page", PAGES)
def test_other_version(page: str, tmp_path: Path) -> None:
    """A store of another version is named with both numbers."""
    con = stores.create(store_path(tmp_path))
    con.execute("update store.meta set value = '0' where key = 'schema_version'")
    con.close()
    with data_dir(tmp_path):
        shown = open_page(page)
    assert not shown.exception
    assert any(f"has schema 0, this dashboard reads {SCHEMA_VERSION}" in code.value for code in shown.code)


@pytest.mark.parametrize("page", PAGES)
def test_file_held_by_another_process(page: str, tmp_path: Path) -> None:
    """A lock is explained."""
    stores.write(store_path(tmp_path), [])
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb,sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()",
            str(store_path(tmp_path)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with data_dir(tmp_path):
            shown = open_page(page)
    finally:
        holder.communicate()
    assert not shown.exception
    assert any("another process has" in code.value for code in shown.code)


@pytest.mark.parametrize("page", PAGES)
def test_collector_down(page: str, tmp_path: Path) -> None:
    """A collector that says it runs and does not answer is named, with what to do."""
    living = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        endpoint_path(tmp_path).write_text(
            f'{{"pid": {living.pid}, "host": "127.0.0.1", "http_port": 9, "grpc_port": 9, "version": "0",'
            f' "schema_version": {SCHEMA_VERSION}}}'
        )
        with data_dir(tmp_path):
            shown = open_page(page)
    finally:
        living.communicate()
    assert not shown.exception
    assert any("does not answer" in code.value for code in shown.code)


@pytest.mark.parametrize("page", PAGES)
def test_collector_silent(page: str, hanging: tuple[Path, int]) -> None:
    """One that takes questions and answers none: since when, and what to do, on the page and below it."""
    folder, pid = hanging
    with data_dir(folder):
        shown = open_page(page)
    assert not shown.exception
    assert any(f"kill -9 {pid}" in code.value for code in shown.code)
    assert any("The collector has not answered since" in told.value for told in shown.sidebar.warning)


def test_pages_go_on_when_a_silent_collector_answers_again(tmp_path: Path) -> None:
    """Once the footer hears of it the whole page is drawn anew."""
    with Collector(tmp_path) as collector, data_dir(tmp_path):
        collector.process.send_signal(signal.SIGSTOP)
        try:
            shown = open_page("steps")
            assert "has not answered since" in words(shown)
            assert shown.session_state[states.WAITS]
        finally:
            collector.process.send_signal(signal.SIGCONT)
        wait_until_heard(collector)
        shown.run()
        assert states.WAITS not in shown.session_state
        assert "Nothing has arrived yet" in words(shown)
