"""A store with the demo's history: sent by `demo_data`, stored and settled by the real collector."""

import fcntl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from schemas.paths import store_path
from tests.collecting import Collector

DAYS: Final = 21
RUNS_PER_DAY: Final = 110
"""A quarter of the demo's own traffic: its fall, its storms and every workflow are still found."""
SEED: Final = 7


def fill(data: Path, *options: str, **settings: object) -> Path:
    """The folder, filled; three weeks that end now unless `options` of `demo_data` say otherwise."""
    with Collector(data, **settings) as collector:
        command = [sys.executable, "-m", "demo_data", "--endpoint", collector.base_url, "--seed", str(SEED)]
        command += ["--days", str(DAYS), "--runs-per-day", str(RUNS_PER_DAY), *options]
        subprocess.run(command, check=True, capture_output=True, timeout=900)
        # A stop settles what is left.
    return data


def once(session: pytest.TempPathFactory, worker_id: str, name: str, make: Callable[[Path], object]) -> Path:
    """A data folder of this test session, made by the worker that asks first."""
    base = session.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    data = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not store_path(data).exists():
            make(data)
    return data
