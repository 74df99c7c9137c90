"""What retention, redaction and damaged files took away is told on the pages where someone looks for it."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.lively import lively_runs
from tests.dashboard.pages import data_dir, healthy, open_page, words

GONE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def thinned_dir(tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Path:
    """A store that retention, redaction and a damaged log left their notes in."""
    folder = tmp_path_factory.mktemp("thinned")
    path = store_path(folder)
    stores.write(path, [lively_runs(now_ns)])
    minute_ns, day = now_ns - now_ns % 60_000_000_000, now_ns // (86_400 * 10**9)
    damage = [{"at_ns": now_ns, "what": "the log is damaged", "kept": "x.corrupt-1", "lost": "its end"}]
    with duckdb.connect(str(path)) as connection:
        connection.execute("insert into store.removed_trace values (?, ?, 'age', ?, ?)", [GONE, GONE, [day], now_ns])
        connection.execute("insert into store.removal values (?, 'age', 1, 14, 0, 2097152)", [minute_ns])
        connection.execute("insert into store.ingest_redaction values (?, 'api_key', 3)", [minute_ns])
        connection.execute("insert into store.meta values ('damage', ?)", [json.dumps(damage)])
    return folder


@pytest.fixture
def thinned(thinned_dir: Path) -> Iterator[Path]:
    """Pages read that store."""
    with data_dir(thinned_dir, unchanging=True):
        yield store_path(thinned_dir)


def test_the_page_of_a_removed_run_says_when_and_why_it_went(thinned: Path) -> None:
    page = open_page("run", run=GONE)
    assert healthy(page)
    assert "This run was removed" in words(page)
    assert "older than runs are kept" in words(page)


def test_runs_says_how_many_of_these_days_can_no_longer_be_listed(thinned: Path) -> None:
    page = open_page("runs")
    assert healthy(page)
    assert "1 run of these days can no longer be listed" in words(page)


def test_the_data_quality_panel_counts_what_was_taken_away(thinned: Path) -> None:
    page = open_page("overview")
    assert healthy(page)
    said = words(page)
    assert "1 run of 14 spans (2.0 MiB of attributes) removed: older than runs are kept" in said
    assert "3 texts redacted by rule api" in said
    assert "the log is damaged. Lost: its end" in said
