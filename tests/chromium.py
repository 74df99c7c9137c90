"""Pages of the dashboard in a real Chromium: the browser, the server, and when a page stands still."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from dashboard.launch import streamlit_argv
from schemas.settings import Settings
from tests import local

FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S: Final = 30
PATIENCE_MS: Final = 90_000
expect.set_options(timeout=PATIENCE_MS)  # as pages wait: beside other work more than 5 s

_STANDS_STILL: Final = """() => {
    const app = document.querySelector("[data-testid=stApp]")
    const main = document.querySelector("[data-testid=stMainBlockContainer]")
    if (app?.dataset.testScriptState !== "notRunning") return false
    if (!main?.querySelector("[data-testid=stElementContainer]") || document.fonts.status !== "loaded") return false
    if (document.querySelector("[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true]")) return false
    const drawn = (host) => host.shadowRoot?.querySelector(".seam")?.childElementCount
    return [...document.querySelectorAll(".stBidiComponent [data-testid=stBidiComponentIsolated]")].every(drawn)
}"""
"""The script has run, no part waits for its data, and each of our components has drawn."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that the machine has."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise FileNotFoundError("no Chromium: `make test` installs it, or `apt-get install chromium`")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(data_dir: Path, **environment: str) -> Iterator[str]:
    """The dashboard on a data folder, started as the command line does; its address."""
    port = free_port()
    process = subprocess.Popen(
        streamlit_argv(Settings(ui_port=port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data_dir,
        env=os.environ | {"SEAMSCOPE_DATA_DIR": str(data_dir), "PYTHONPATH": os.pathsep.join(sys.path)} | environment,
    )
    try:
        until = time.monotonic() + START_S
        while True:
            try:
                local.get(f"http://127.0.0.1:{port}/_stcore/health").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the dashboard ended"
                assert time.monotonic() < until, "the dashboard did not come up"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def watched(browser: Browser, origin: str) -> Iterator[tuple[Page, list[str]]]:
    """A page, and every request of it that leaves the dashboard."""
    strays: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((origin, origin.replace("http", "ws"), "data:", "blob:")):
            strays.append(request.url)

    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.on("request", note)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page, strays
    context.close()


def settle(page: Page) -> None:
    """Waits until the page shows what it has."""
    page.wait_for_function(_STANDS_STILL)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
