"""What browser tests share: one Chromium a module, one store of the demo's history a session."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from schemas.paths import store_path
from tests.chromium import chromium, served
from tests.demo_store import fill


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of one module: beyond it, its event loop would stand in the way of other tests."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A data folder with three weeks of the demo that end now; made once, whichever worker comes first."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    data = shared / "history"
    with (shared / "history.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not store_path(data).exists():
            fill(data)
    return data


@pytest.fixture(scope="module")
def demo(history: Path) -> Iterator[str]:
    """The address of a dashboard on that history."""
    with served(history) as address:
        yield address
