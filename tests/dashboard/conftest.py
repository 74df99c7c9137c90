"""Stores that dashboard tests share."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.drifting import drifting
from tests.dashboard.lively import lively_runs
from tests.dashboard.pages import data_dir
from tests.dashboard.stormy import stormy


@pytest.fixture(scope="session")
def now_ns() -> int:
    return time.time_ns()


@pytest.fixture(scope="session")
def lively_dir(tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Path:
    """A data folder with runs of three workflows over the last two hours."""
    folder = tmp_path_factory.mktemp("lively")
    stores.write(store_path(folder), [lively_runs(now_ns)])
    return folder


@pytest.fixture
def lively(lively_dir: Path) -> Iterator[Path]:
    """Pages read the lively store."""
    with data_dir(lively_dir, unchanging=True):
        yield store_path(lively_dir)


@pytest.fixture(scope="session")
def empty_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    stores.write(store_path(folder), [])
    return folder


@pytest.fixture
def empty(empty_dir: Path, tmp_path: Path) -> Iterator[Path]:
    """Pages read a store that nothing has come to."""
    shutil.copy(store_path(empty_dir), tmp_path)
    with data_dir(tmp_path):
        yield store_path(tmp_path)


@pytest.fixture(scope="session")
def drifting_dir(tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Path:
    folder = tmp_path_factory.mktemp("drifting")
    fillings = [
        drifting(now_ns),
        drifting(now_ns, workflow="steady", worse_for=0, runs_a_day=30, seed=4),
        drifting(now_ns, workflow="young", days=5, worse_for=0, runs_a_day=8, seed=5),
    ]
    stores.write(store_path(folder), fillings)
    return folder


@pytest.fixture
def fallen(drifting_dir: Path) -> Iterator[Path]:
    """Pages read a store in which one workflow fell, one did not, and one is five days old."""
    with data_dir(drifting_dir, unchanging=True):
        yield store_path(drifting_dir)


@pytest.fixture(scope="session")
def stormy_dir(tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Path:
    folder = tmp_path_factory.mktemp("stormy")
    stores.write(store_path(folder), [stormy(now_ns)])
    return folder


@pytest.fixture
def past_storm(stormy_dir: Path) -> Iterator[Path]:
    """Pages read a store with a storm that is over."""
    with data_dir(stormy_dir, unchanging=True):
        yield store_path(stormy_dir)
