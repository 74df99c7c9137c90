"""What browser tests share: one Chromium a module, one store of the demo's history a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium, served
from tests.demo_store import fill, once


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of one module: beyond it, its event loop would stand in the way of other tests."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A data folder with three weeks of the demo that end now; made once, whichever worker comes first."""
    return once(tmp_path_factory, worker_id, "history", fill)


@pytest.fixture(scope="module")
def demo(history: Path) -> Iterator[str]:
    """The address of a dashboard on that history."""
    with served(history) as address:
        yield address
