"""A store with the demo's history: sent by `demo_data`, stored and settled by the real collector."""

import subprocess
import sys
from pathlib import Path
from typing import Final

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
        subprocess.run(command, check=True, capture_output=True, timeout=280)
        # A stop settles what is left.
    return data
