"""A store with a known history, made by the real collector from the demo's spans."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.collecting import Collector

END = "2025-11-17T00:00:00Z"
"""A Monday: the last whole week of the history is 2025-W46, the first one with runs begins in W44."""
DAYS = 18
WORKFLOWS = ("refund_triage", "rag_answers", "lead_enrichment")


class Told(NamedTuple):
    """A folder that a collector left, and the week to tell of."""

    data: Path
    week: str


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """18 days of three demo workflows, some 25 runs a day."""
    data = tmp_path_factory.mktemp("told") / "data"
    with Collector(data) as collector:
        command = [sys.executable, "-m", "demo_data", "--endpoint", collector.base_url, "--seed", "7", "--end", END]
        command += ["--days", str(DAYS), "--runs-per-day", "40"]
        command += [part for workflow in WORKFLOWS for part in ("--only", workflow)]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
        # A stop settles what is left.
    return Told(data, "2025-W46")
