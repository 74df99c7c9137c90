"""The first minute with Seamscope: what README promises of its first command, on a machine that has nothing yet."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.chromium import PATIENCE_MS, watched
from tests.dashboard.cli import ANY_PORTS, SEAMSCOPE, wait_for_text

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
STOP_S = 30


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`seamscope demo` in an empty folder, as a terminal of its own runs it, and the addresses that it prints."""
    folder, home, log = tmp_path / "here", tmp_path / "home", tmp_path / "log"
    folder.mkdir()
    home.mkdir()
    nothing_yet = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [*SEAMSCOPE, "demo", *ANY_PORTS, "--ui-port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            text=True,
            cwd=folder,
            env=os.environ | nothing_yet,
            start_new_session=True,
        )
    try:
        said = wait_for_text(log, "Ctrl-C stops everything", process)
        yield process, dict(re.findall(r"^ {2}(\S+) +(http://\S+)$", said, re.MULTILINE))
    finally:
        for pid in of_terminal(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def of_terminal(session: int) -> list[int]:
    """The processes that were started from a terminal and still run."""
    found = []
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with suppress(ProcessLookupError):
            if os.getsid(pid) == session:
                found.append(pid)
    return found


def listens(address: str) -> bool:
    """Whether anybody takes a connection there."""
    with socket.socket() as found:
        return found.connect_ex((urlsplit(address).hostname, urlsplit(address).port)) == 0


def test_the_first_command_of_the_readme_is_the_demo() -> None:
    """`make demo` sets up and then becomes `seamscope demo`, which is what the journey below starts."""
    block = re.search(r"```console\n\$ (\S+ \S+)", (ROOT / "README.md").read_text("utf-8"))
    assert block is not None
    assert block[1] == "make demo"
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"exec \S+/seamscope demo", done.stdout.splitlines()[-1])


def test_the_command_of_the_readme_opens_on_figures_and_ends_without_a_trace(
    browser: Browser, demo: tuple[subprocess.Popen[str], dict[str, str]]
) -> None:
    """Overview fills by itself while history comes in, one click opens a run, Ctrl-C leaves no process and no port."""
    process, addresses = demo
    assert addresses.keys() == {"dashboard", "OTLP/HTTP", "OTLP/gRPC"}
    assert all(map(listens, addresses.values()))
    with watched(browser, addresses["dashboard"]) as (page, strays):
        page.goto(addresses["dashboard"] + "/?window=28d")  # a night has few runs: these days have some at any hour
        expect(page.locator(".figures .value").first).to_contain_text("%", timeout=PATIENCE_MS)
        page.locator(".run-list tbody tr a[data-id]").first.click()
        page.wait_for_url("**/run?*run=*")
        expect(page.locator(".waterfall .row").first).to_be_visible()
        assert strays == []
    assert len(of_terminal(process.pid)) > 3
    os.killpg(process.pid, signal.SIGINT)  # a terminal's Ctrl-C
    assert process.wait(STOP_S) == 0
    assert of_terminal(process.pid) == []
    assert not any(map(listens, addresses.values()))
