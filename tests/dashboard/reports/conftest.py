"""A store with a known history, made by the real collector from the demo's spans."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from dashboard.reader import FileReader, held
from dashboard.reports.weeks import Week
from schemas.paths import store_path
from schemas.zones import zone_of
from tests.dashboard.cli import seamscope
from tests.demo_store import fill, once

END = "2025-11-17T00:00:00Z"
"""A Monday: the last whole week of the history is 2025-W46, the first one with runs begins in W44."""
DAYS = 18
DAY_NS = 86_400 * 10**9
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


class Thinned(NamedTuple):
    """The same folder after runs were removed from it."""

    data: Path
    of_week: int
    """Runs of the told week that went; of the weeks before it all did."""


@pytest.fixture(scope="session")
def thinned(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Thinned:
    """All runs before the told week are removed, and those of its Tuesday."""
    data = tmp_path_factory.mktemp("thinned")
    shutil.copy(store_path(told.data), data)
    week = Week.parse(told.week, zone_of("UTC"))
    tuesday = week.start_ns + DAY_NS
    with held(FileReader(store_path(data))) as reader:
        rows = reader.query("select run_id, start_ns from run where outcome <> 'open'").to_pylist()
    earlier = [row["run_id"] for row in rows if row["start_ns"] < week.start_ns]
    of_week = [row["run_id"] for row in rows if tuesday <= row["start_ns"] < tuesday + DAY_NS]
    assert earlier
    assert of_week
    seamscope("forget", "--data", data, *earlier, *of_week)
    return Thinned(data, len(of_week))
