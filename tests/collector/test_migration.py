"""A store of an older schema becomes one of the present schema, whole or not at all (TESTS.md, F13)."""

import logging
import os
import signal
import stat
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from collector.database import append
from collector.errors import CollectorError, SchemaMismatch
from collector.migration import backup_path
from collector.rows import to_table
from collector.store import Store
from dashboard.errors import SchemaMismatch as NotForReading
from dashboard.reader import FileReader
from schemas import ddl
from schemas.paths import store_path
from schemas.settings import Settings
from schemas.version import SCHEMA_VERSION
from tests.collector.stored import row_of
from tests.otlp import recorded_spans

V1 = Path(__file__).parents[1] / "fixtures" / "schema" / "001.sql"

SPANS = recorded_spans("langgraph-openinference-good")

LAYOUT = """
select table_schema, table_name, column_name, data_type, is_nullable, ordinal_position, column_default
from information_schema.columns order by 1, 2, 6
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from collector import migration
from collector.store import Store
from schemas.ddl import Migration, migrations
from schemas.settings import Settings

class Kill:
    @property
    def sql(self):
        os.kill(os.getpid(), signal.SIGKILL)

steps = migrations()
migration.ddl.migrations = lambda: (*steps, Migration(steps[-1].version, Kill()))
Store.open(Settings(data_dir=Path(sys.argv[1]), min_free_disk_mib=0))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose data folder holds a store that schema 1 wrote, with one run's spans in it."""
    path = store_path(tmp_path / "data")
    path.parent.mkdir(mode=0o700)
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute(V1.read_text("utf-8"))
        schema = connection.table("store.span").limit(0).to_arrow_table().schema
        rows = [row_of(span) for span in SPANS]
        received = pa.array([1] * len(rows), pa.uint64())
        kept = pa.schema([field for field in schema if field.name != "received_ns"])
        width = len(kept)
        table = to_table([row[:width] for row in rows], kept).append_column("received_ns", received)
        append(connection, "store.span", table)
    return Settings(data_dir=path.parent, min_free_disk_mib=0)


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: object) -> None:
    """A row of which only some columns matter."""
    for name, kind, null, *_ in connection.execute(f"describe {table}").fetchall():
        if null == "NO":
            values.setdefault(name, {"VARCHAR": "", "VARCHAR[]": [], "BOOLEAN": False}.get(kind, 0))
    names = ", ".join(f'"{name}"' for name in values)
    connection.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(values))})", list(values.values()))


def test_a_migrated_store_has_the_layout_of_a_new_one(settings: Settings, tmp_path: Path) -> None:
    """Tables and views hold the same columns of the same types in the same order."""
    fresh = Settings(data_dir=tmp_path / "fresh", min_free_disk_mib=0)
    for each in (settings, fresh):
        Store.open(each).close()
    assert ask(store_path(settings.data_dir), LAYOUT) == ask(store_path(fresh.data_dir), LAYOUT)


def test_no_row_is_lost_and_the_store_takes_new_ones(settings: Settings) -> None:
    store = Store.open(settings)
    with store.cursor() as cursor:
        assert cursor.execute("select count(*) from span").fetchall() == [(len(SPANS),)]
        assert cursor.execute("select sum(spans) from store.ingest_source").fetchall() == [(len(SPANS),)]
        assert cursor.execute("select value from store.meta where key = 'schema_version'").fetchall() == [
            (str(SCHEMA_VERSION),)
        ]
    store.close()


def test_failures_that_are_there_are_told_whose_they_are(settings: Settings) -> None:
    """What settling would say of a run's failed step is filled in for what an older build had stored."""
    with duckdb.connect(str(store_path(settings.data_dir))) as old:
        of_run = {"run_id": "r", "workflow": "desk", "workflow_version": "2", "environment": "lab", "start_ns": 5}
        insert(old, "store.run", **of_run)
        insert(old, "store.step", run_id="r", span_id="s", kind="tool", start_ns=6, end_ns=9, status="failed")
        for span_id in ("s", "no step"):
            insert(old, "store.failure", run_id="r", span_id=span_id, code="tool.timeout")
    Store.open(settings).close()
    told = ask(
        store_path(settings.data_dir),
        "select workflow, workflow_version, environment, run_start_ns, kind, lost_ns from failure order by span_id",
    )
    assert told == [("desk", "2", "lab", 5, None, None), ("desk", "2", "lab", 5, "tool", 3)]


def test_one_failure_of_a_run_stands_for_it(settings: Settings) -> None:
    """What an older build had stored counts runs as settling does: one of the run, of each code and of each step."""
    rows = [  # span, code, step, role, certainty, at
        ("a", "tool.timeout", "fetch", "root", "observed", 5),
        ("b", "tool.timeout", "fetch", "root", "observed", 4),
        ("c", "tool.auth", None, "root", "observed", 6),
        ("d", "tool.auth", None, "root", "inferred", 7),
        ("e", "tool.auth", "fetch", "propagated", "observed", 1),
    ]
    names = ("span_id", "code", "step", "role", "certainty", "at_ns")
    with duckdb.connect(str(store_path(settings.data_dir))) as old:
        for run_id in ("r", "q"):
            insert(old, "store.run", run_id=run_id)
            for row in rows:
                insert(old, "store.failure", run_id=run_id, **dict(zip(names, row, strict=True)))
    Store.open(settings).close()
    lasts = {"a": (False, True, True), "b": (False,) * 3, "c": (True,) * 3, "d": (True,) * 3, "e": (False,) * 3}
    assert ask(
        store_path(settings.data_dir),
        "select span_id, last_of_run, last_of_code, last_of_step from failure order by run_id, span_id",
    ) == [(span_id, *last) for _ in "qr" for span_id, last in lasts.items()]


def test_a_copy_is_kept_beside_it_and_named_in_the_log(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """The copy is private and a whole store of the old schema; the next start makes none."""
    path = store_path(settings.data_dir)
    backup = backup_path(path, 1)
    with caplog.at_level(logging.INFO, "collector.migration"):
        Store.open(settings).close()
        assert str(backup) in caplog.text
        caplog.clear()
        before = backup.stat()
        Store.open(settings).close()
    assert caplog.text == ""
    assert backup.stat() == before
    assert stat.S_IMODE(before.st_mode) == 0o600
    assert ask(backup, "select value from store.meta where key = 'schema_version'") == [("1",)]
    assert ask(backup, "select count(*) from span") == [(len(SPANS),)]


def test_a_new_store_needs_no_copy(tmp_path: Path) -> None:
    Store.open(Settings(data_dir=tmp_path / "new", min_free_disk_mib=0)).close()
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["seamscope.duckdb"]


def test_a_kill_in_the_middle_leaves_the_old_store_and_the_next_start_migrates_it(settings: Settings) -> None:
    path = store_path(settings.data_dir)
    done = subprocess.run([sys.executable, "-c", KILLED, settings.data_dir], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert ask(path, "select value from store.meta where key = 'schema_version'") == [("1",)]
    store = Store.open(settings)
    store.close()
    assert ask(path, "select value from store.meta where key = 'schema_version'") == [(str(SCHEMA_VERSION),)]
    assert ask(path, "select count(*) from span") == [(len(SPANS),)]
    assert ask(backup_path(path, 1), "select count(*) from span") == [(len(SPANS),)]


def test_a_newer_store_is_refused_and_stays_as_it_is(settings: Settings) -> None:
    path = store_path(settings.data_dir)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update store.meta set value = '99' where key = 'schema_version'")
    before = path.read_bytes()
    with pytest.raises(SchemaMismatch, match=f"schema 99, this build reads {SCHEMA_VERSION}"):
        Store.open(settings)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_without_room_for_the_copy_nothing_is_touched(settings: Settings) -> None:
    path = store_path(settings.data_dir)
    before = path.read_bytes()
    with pytest.raises(CollectorError, match="no room: free some space"):
        Store.open(settings.model_copy(update={"min_free_disk_mib": 2**40}))
    assert path.read_bytes() == before
    assert not backup_path(path, 1).exists()


def test_a_reader_of_an_older_file_says_both_numbers(settings: Settings) -> None:
    """The dashboard never migrates: it says that the collector will."""
    with pytest.raises(
        NotForReading, match=f"has schema 1, this dashboard reads {SCHEMA_VERSION}: start the collector"
    ):
        FileReader(store_path(settings.data_dir)).query("select 1")


def test_every_version_but_the_first_has_its_migration() -> None:
    """Numbered without a gap up to the present; each file opens with what it does."""
    assert [migration.version for migration in ddl.migrations()] == list(range(2, SCHEMA_VERSION + 1))
    for migration in ddl.migrations():
        assert migration.statements.sql.startswith(f"-- {migration.version:03}: from schema {migration.version - 1}")
    there = [path.name for path in (files("schemas") / "sql" / "migrations").iterdir()]
    assert len(there) == len(ddl.migrations())


def test_a_file_that_another_build_of_this_schema_wrote_is_read_by_todays_views(settings: Settings) -> None:
    """A dashboard needs no collector to bring the contract up to date, and leaves the file as it is."""
    Store.open(settings).close()
    path = store_path(settings.data_dir)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create or replace view main.run as select 1 as old")
        connection.execute("drop macro in_environment")
        connection.execute("update store.meta set value = 'older' where key = 'contract'")
    assert ask(path, "from run") == [(1,)]
    reader = FileReader(path)
    assert "workflow" in reader.query("from run").column_names
    assert reader.query("select in_environment('production', '') as delivered").to_pylist() == [{"delivered": True}]
    assert ask(path, "from run") == [(1,)]
