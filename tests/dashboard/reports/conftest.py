"""A store with a known history, made by the real collector from the demo's spans."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.demo_store import fill, once

END = "2025-11-17T00:00:00Z"
"""A Monday: the last whole week of the history is 2025-W46, the first one with runs begins in W44."""
DAYS = 18
WORKFLOWS = ("refund_triage", "rag_answers", "lead_enrichment")


class Told(NamedTuple):
    """A folder that a collector left, and the week to tell of."""

    data: Path
    week: str


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Told:
    """18 days of three demo workflows, some 25 runs a day."""
    options = ["--end", END, "--days", str(DAYS), "--runs-per-day", "40"]
    options += [part for workflow in WORKFLOWS for part in ("--only", workflow)]
    return Told(once(tmp_path_factory, worker_id, "told", lambda data: fill(data, *options)), "2025-W46")
