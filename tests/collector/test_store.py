"""The store keeps every span once, counts everything, and lets nobody else read its files."""

import itertools
import json
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pytest

from collector.errors import CollectorError, SchemaMismatch, StoreLocked, StoreUnavailable
from collector.known import KnownSpans
from collector.opening import ROW_GROUP_ROWS, wal_path
from collector.store import Store
from schemas.paths import store_path
from schemas.records import Span
from schemas.settings import Settings
from tests.collecting import Collector as Running
from tests.collecting import DidNotStart
from tests.collector.stored import batch_of, row_of
from tests.otlp import recorded_spans


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", min_free_disk_mib=0)


@pytest.fixture
def spans() -> list[Span]:
    return list(recorded_spans("langgraph-openinference-good"))


def ask(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def counters(store: Store) -> tuple[object, ...]:
    return ask(
        store,
        "select sum(received), sum(stored), sum(duplicate), sum(conflict), sum(rejected), sum(balance) "
        "from ingest_minute",
    )[0]


def test_a_resent_batch_changes_nothing_but_the_counters(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    store.write(batch_of(spans))
    written = store.write(batch_of(spans))
    assert (written.stored, written.duplicate, written.conflict) == (0, len(spans), 0)
    assert not written.trace_ids
    assert ask(store, "select count(*), count(distinct span_id) from span") == [(len(spans), len(spans))]
    assert counters(store) == (2 * len(spans), len(spans), len(spans), 0, 0, 0)
    store.close()


def test_a_batch_resent_after_a_restart_is_stored_once(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    store.write(batch_of(spans[:7]))
    store.close()
    store = Store.open(settings)
    written = store.write(batch_of(spans))
    assert (written.stored, written.duplicate) == (len(spans) - 7, 7)
    assert ask(store, "select count(*) from span") == [(len(spans),)]
    store.close()


def test_a_trace_forgotten_by_the_memory_is_looked_up(
    settings: Settings, spans: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(settings)
    monkeypatch.setattr(store._known, "_max_span_ids", 1)
    first, second = {s.trace_id for s in spans}
    store.write(batch_of([s for s in spans if s.trace_id == first]))
    store.write(batch_of([s for s in spans if s.trace_id == second]))
    assert len(store._known._recent) == 1
    assert store.write(batch_of(spans)).duplicate == len(spans)
    store.close()


def test_the_same_version_wins_in_every_order_of_arrival(tmp_path: Path, spans: list[Span]) -> None:
    unended = spans[0]._replace(end_ns=0)
    early = spans[0]._replace(end_ns=spans[0].start_ns + 5, status_code=0)
    failed = early._replace(status_code=2)
    richer = failed._replace(attributes={**failed.attributes, "extra": "x" * 100})
    for number, order in enumerate(itertools.permutations([unended, early, failed, richer])):
        store = Store.open(Settings(data_dir=tmp_path / str(number), min_free_disk_mib=0))
        store.write(batch_of(order[:2]))
        store.write(batch_of(order[2:3]))
        store.write(batch_of(order[3:]))
        (kept,) = ask(store, "select end_ns, status_code, attributes from span")
        assert kept[:2] == (richer.end_ns, 2)
        assert json.loads(str(kept[2]))["extra"] == "x" * 100
        assert counters(store) == (4, 1, 3, 3, 0, 0)
        store.close()


def test_spans_that_replace_stored_ones_take_nobody_elses_place(settings: Settings, spans: list[Span]) -> None:
    """Ids of spans are unique in their trace only: another trace's span of the same id stays."""
    one, two = [span._replace(end_ns=0) for span in spans[:2]]
    others = [span._replace(trace_id="e" * 32) for span in (one, two)]
    store = Store.open(settings)
    store.write(batch_of([one, two, *others]))
    again = store.write(batch_of([spans[0], spans[1]._replace(trace_id="e" * 32)]))
    assert (again.stored, again.duplicate, again.conflict) == (0, 2, 2)
    ended = "select trace_id, span_id from span where end_ns > 0"
    assert sorted(ask(store, ended)) == sorted([(one.trace_id, one.span_id), ("e" * 32, two.span_id)])
    assert ask(store, "select count(*) from span") == [(4,)]
    store.close()


def test_a_replaced_span_makes_its_trace_due_again(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    store.write(batch_of([spans[0]._replace(end_ns=0)]))
    assert store.write(batch_of([spans[0]])).trace_ids == {spans[0].trace_id}
    store.close()


def test_rejected_spans_are_counted_by_reason(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    store.write(batch_of(spans, rejected=Counter({"invalid_trace_id": 3, "span_too_large": 1})))
    store.write(batch_of([], rejected=Counter({"invalid_trace_id": 2})))
    assert counters(store) == (len(spans) + 6, len(spans), 0, 0, 6, 0)
    assert dict(ask(store, "select reason, sum(spans) from ingest_rejection group by 1")) == {
        "invalid_trace_id": 5,
        "span_too_large": 1,
    }
    store.close()


def test_a_failed_commit_stores_nothing_and_the_next_one_everything(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    broken = batch_of(spans)
    with pytest.raises(StoreUnavailable):
        store.write(broken._replace(rows=[*broken.rows, row_of(spans[0]._replace(span_id="f" * 16, trace_state=None))]))
    assert ask(store, "select count(*) from span") == [(0,)]
    assert store.write(batch_of(spans)).stored == len(spans)
    store.close()


def test_below_the_disk_floor_writes_are_refused_retryably(tmp_path: Path, spans: list[Span]) -> None:
    store = Store.open(Settings(data_dir=tmp_path, min_free_disk_mib=2**40))
    with pytest.raises(StoreUnavailable, match="MiB free") as refused:
        store.write(batch_of(spans))
    assert refused.value.retry_after_s == 2
    store.close()


def test_folder_and_files_are_private_and_no_log_is_left_after_a_stop(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    store.write(batch_of(spans))
    for file in store.files():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(store.files()) == 2
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    store.close()
    assert not wal_path(store.path).exists()


def test_a_linked_store_file_is_refused(settings: Settings, tmp_path: Path) -> None:
    settings.data_dir.mkdir()
    store_path(settings.data_dir).symlink_to(tmp_path / "elsewhere.duckdb")
    with pytest.raises(CollectorError, match="symbolic link"):
        Store.open(settings)
    assert not (tmp_path / "elsewhere.duckdb").exists()


def test_a_second_collector_is_told_who_has_the_file(settings: Settings) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", code, str(store_path(settings.data_dir))]
    settings.data_dir.mkdir()
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=rf"pid {other.pid}"):
            Store.open(settings)
        other.communicate("")


def test_a_store_of_another_schema_is_refused_with_both_numbers(settings: Settings) -> None:
    Store.open(settings).close()
    with duckdb.connect(str(store_path(settings.data_dir))) as connection:
        connection.execute("update store.meta set value = '99' where key = 'schema_version'")
    with pytest.raises(SchemaMismatch, match="schema 99, this build reads"):
        Store.open(settings)


def test_a_span_after_its_run_is_finished_counts_as_late(settings: Settings, spans: list[Span]) -> None:
    store = Store.open(settings)
    store.write(batch_of(spans[:3]))
    store.mark_finished([spans[0].trace_id])
    assert store.write(batch_of(spans[3:5])).late == 2
    store.close()


def test_digests_tell_traces_of_the_store_from_new_ones() -> None:
    known = KnownSpans(np.array([0xAA, 0x11], dtype=np.uint64))
    asked: list[str] = []

    def look_up(trace_ids: list[str]) -> dict[str, object]:
        asked.extend(trace_ids)
        return {}

    known.entries([f"{0xAA:032x}", f"{0xBB:032x}"], 1, look_up)
    assert asked == [f"{0xAA:032x}"]


def test_the_file_opens_in_the_oldest_duckdb_we_promise(settings: Settings) -> None:
    """2.0 says the oldest version that can read it; tests/end_to_end/test_older_duckdb.py tries the real 1.5.5."""
    store = Store.open(settings)
    version = "select tags['storage_version'] from duckdb_databases() where database_name = current_database()"
    assert ask(store, version) == [("v1.5.0+",)]
    store.close()


def test_what_does_not_fit_into_memory_goes_beside_the_store(settings: Settings) -> None:
    """It holds texts of spans: nowhere but in the data folder, which others may not read."""
    store = Store.open(settings)
    assert ask(store, "select current_setting('temp_directory')") == [(f"{store.path}.tmp",)]
    store.close()


def test_row_groups_stay_small_across_restarts(settings: Settings, spans: list[Span]) -> None:
    """A checkpoint holds up all senders while it writes the last one anew; DuckDB forgets their size at each close."""
    for first in (0, 30_000):
        store = Store.open(settings)
        many = [
            spans[0]._replace(trace_id=f"{n // 1_000:032x}", span_id=f"{n:016x}") for n in range(first, first + 30_000)
        ]
        store.write(batch_of(many))
        store.close()
    with duckdb.connect(store_path(settings.data_dir), read_only=True) as connection:
        sizes = connection.execute(
            "select sum(count)::bigint from pragma_storage_info('store.span') "
            "where column_name = 'start_ns' and segment_type <> 'VALIDITY' group by row_group_id"
        ).fetchall()
    assert sum(rows for (rows,) in sizes) == 60_000
    assert max(rows for (rows,) in sizes) == ROW_GROUP_ROWS


def test_a_collector_that_cannot_start_says_so_and_ends(tmp_path: Path) -> None:
    """Whatever fails at the start, no thread keeps the process and its lock on the store."""
    data = tmp_path / "data"
    with Running(data):
        pass
    with duckdb.connect(store_path(data)) as connection:
        connection.execute("delete from store.meta where key = 'rule_version'")
    with pytest.raises(DidNotStart, match="rule_version") as stopped:
        Running(data)
    assert stopped.value.returncode == 1
    duckdb.connect(store_path(data)).close()
