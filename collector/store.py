"""The only module that opens the database. One process, one writer; readers get their own cursors."""

import json
import logging
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.batch import Batch, Written, without
from collector.counting import MINUTE_NS, Folds, count_received, count_records
from collector.database import append, arrow_schema, column_set, scalar, transaction
from collector.errors import CollectorError, SchemaMismatch, StoreLocked, StoreUnavailable
from collector.evidence import NOTHING, Kept, write_evidence
from collector.known import Digests, KnownSpans, TraceEntry
from collector.rows import (
    OTLP_FIELDS,
    RUN_KEY,
    SPAN_ID,
    START_NS,
    TRACE_ID,
    Row,
    to_table,
    version_key,
)
from collector.salvage import Damage, open_whole
from schemas import ddl
from schemas.paths import store_path
from schemas.settings import MIB, Settings
from schemas.version import RULE_VERSION, SCHEMA_VERSION

log = logging.getLogger(__name__)

DERIVED_TABLES: Final = ("run", "step", "operation", "failure", "verdict", "trace")

MOMENT_NS: Final = 600 * 10**9
"""The settling thread has heard long ago of everything that was stored before."""

MOST_DAMAGE: Final = 100
"""Notes on damage that are kept."""

LOCK_WAIT_S: Final = 5.0
"""How long a start waits for another process to let go of the file."""

FILE_FORMAT: Final = "v1.5.0"
"""Oldest DuckDB that must be able to open the file; 2.0's own format is unreadable to 1.x."""

ROW_GROUP_ROWS: Final = 12_288
"""Rows that DuckDB writes as one. At a checkpoint all commits wait while the last, unfilled row group of each table is
written anew, and row groups are what its threads have to share. See docs/decisions/089-small-row-groups.md."""

CATALOG: Final = "seamscope"
"""What the file is called within DuckDB."""


class Store:
    """An open store. `write` belongs to one thread; cursors may be taken from any."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, settings: Settings) -> None:
        self.path = path
        self._settings = settings
        self._connection = connection
        self._lock = threading.Lock()
        self._broken = False
        self._writer = _cursor(connection)
        self._span_columns = arrow_schema(connection, "span")
        self._span_schema = self._span_columns.remove(self._span_columns.get_field_index("received_ns"))
        self._evidence_schema = arrow_schema(connection, "evidence")
        self.derived_schemas = {table: arrow_schema(connection, table) for table in DERIVED_TABLES}
        """The Arrow schema of each table that settling fills."""
        self._resource_ids = column_set(connection, "select resource_id from store.resource")
        self._scope_ids = column_set(connection, "select scope_id from store.scope")
        self._last_received_ns = scalar(connection, _LAST_RECEIVED)
        self._folds = Folds(connection)
        self._minute_ns = _minute(self._last_received_ns)
        """The minutes before it are summed up, or were tried to be."""
        self._known = KnownSpans(_known_digests(connection, self.settled_until_ns()))
        self._written_keys: set[tuple[str, str]] = set()
        self._writing = threading.Lock()
        self._removed = Digests(_removed_digests(connection))
        self._being_removed: frozenset[str] = frozenset()
        self.has_run_keys = scalar(connection, "select exists (from store.trace_key where key <> 'stray')")
        """Some trace was ever joined to others by a run key."""
        self.has_evidence = scalar(connection, "select exists (from store.evidence)")
        """Something was ever said of a span from outside."""

    @classmethod
    def open(cls, settings: Settings) -> "Store":
        """Opens the store of the data folder, making both where they are missing.

        What is damaged of it is set aside (`collector.salvage`) and noted in view `damage`.

        Raises:
            StoreLocked: another process has the file open.
            SchemaMismatch: a newer schema version wrote it. An older one is copied and migrated.
            CollectorError: folder or file may not be used (permissions, symlink, not a store).
        """
        path = store_path(prepare_data_dir(settings.data_dir))
        try:
            store, damage = open_whole(path, wal_path(path), lambda: cls._opened(path, settings))
        except duckdb.Error as exc:
            raise CollectorError(f"{path} cannot be opened: {_first_line(exc)}") from exc
        if damage:
            store._note(damage)
        return store

    @classmethod
    def _opened(cls, path: Path, settings: Settings) -> "Store":
        connection = _open_current(path, settings)
        try:
            return cls(connection, path, settings)
        except BaseException:
            with suppress(duckdb.Error):  # that of a damaged file cannot even be closed in order
                connection.close()
            raise

    def _note(self, damage: Sequence[Damage]) -> None:
        with transaction(self._writer) as tx:
            known = tx.execute("select value from store.meta where key = 'damage'").fetchall()
            told = [*json.loads(known[0][0] if known else "[]"), *(one._asdict() for one in damage)]
            tx.execute("insert or replace into store.meta values ('damage', ?)", [json.dumps(told[-MOST_DAMAGE:])])

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own on the same database, for one query or one thread."""
        with self._lock:
            return _cursor(self._connection)

    def files(self) -> list[Path]:
        """The files the store consists of now."""
        return [file for file in (self.path, wal_path(self.path)) if file.exists()]

    def close(self) -> None:
        """Folds the write-ahead log into the file and closes it."""
        self._writer.execute("checkpoint")
        self._writer.close()
        self._connection.close()

    def write(self, batch: Batch) -> Written:
        """Stores a batch in one transaction; when it returns, everything is on disk.

        Raises:
            StoreUnavailable: nothing of the batch was stored.
        """
        self._check_disk()
        if self._broken:
            self._reopen()
        received_ns = max(time.time_ns(), self._last_received_ns + 1)
        trace_ids = {row[TRACE_ID] for row in batch.rows}
        try:
            with self._writing:
                removed = self._removed_of({*trace_ids, *(one.trace_id for one in batch.evidence)})
                if removed:
                    batch, trace_ids = without(batch, removed), trace_ids - removed
                entries = self._known.entries(trace_ids, received_ns, self._look_up)
                return self._write(batch, entries, received_ns)._replace(removed=removed)
        except duckdb.Error as exc:
            self._known.forget(trace_ids)
            self._broken = True
            raise self._unavailable(f"{self.path} cannot be written: {_first_line(exc)}") from exc

    def fold_minutes(self) -> None:
        """Sums up what was counted in the minutes before that of the last batch, whose senders need not wait for it.

        What fails is done with a later minute.
        """
        minute_ns = _minute(self._last_received_ns)
        if minute_ns == self._minute_ns:
            return
        self._minute_ns = minute_ns
        try:
            self._folds.fold(self._writer, minute_ns)
        except duckdb.Error:
            self._broken = True
            log.exception("what was counted in the last minutes could not be summed up; it stays as it is for now")

    def claim(self, runs: Mapping[str, Sequence[str]], unsettled: Collection[str]) -> list[str]:
        """From now on nothing is stored for the traces of these runs, until `release`: they are about to be removed.

        Args:
            runs: traces by run id.
            unsettled: traces known to hold something unsettled; what was stored a moment ago is looked up.

        Returns:
            The runs for which that holds; those with something that is not settled yet are left out.
        """
        with self._writing, self.cursor() as cursor:
            until = max(self.settled_until_ns(), time.time_ns() - MOMENT_NS)
            recent = {trace_id for (trace_id,) in cursor.execute(_UNSETTLED_TRACES, {"until": until}).fetchall()}
            claimed = [
                run_id
                for run_id, trace_ids in runs.items()
                if recent.isdisjoint(trace_ids) and not any(trace_id in unsettled for trace_id in trace_ids)
            ]
            self._being_removed = frozenset(trace_id for run_id in claimed for trace_id in runs[run_id])
            return claimed

    def release(self, removed: Iterable[str]) -> None:
        """Ends what `claim` began; `removed` are the traces that are no longer there."""
        with self._writing:
            for trace_id in removed:
                self._removed.add(trace_id)
            self._being_removed = frozenset()

    def _removed_of(self, trace_ids: set[str]) -> frozenset[str]:
        """Those of the traces whose runs were removed."""
        claimed = self._being_removed & trace_ids
        maybe = [trace_id for trace_id in trace_ids if trace_id in self._removed]
        if not maybe:
            return claimed
        found = self._writer.execute(
            "select trace_id from store.removed_trace where trace_id in (select unnest($traces))", {"traces": maybe}
        ).fetchall()
        return claimed.union(trace_id for (trace_id,) in found)

    def _check_disk(self) -> None:
        free_mib = shutil.disk_usage(self.path.parent).free // MIB
        if free_mib < self._settings.min_free_disk_mib:
            raise self._unavailable(
                f"only {free_mib} MiB free in {self.path.parent}, the floor is {self._settings.min_free_disk_mib} MiB: "
                "free some space or lower min_free_disk_mib"
            )

    def _reopen(self) -> None:
        """After a failed write: disk full and I/O errors poison an open database until it is opened anew."""
        try:
            with self._lock:
                self._connection.close()
                self._connection = _connect(self.path, self._settings)
                self._writer = _cursor(self._connection)
        except (CollectorError, duckdb.Error) as exc:
            raise self._unavailable(f"{self.path} cannot be opened: {_first_line(exc)}") from exc
        self._broken = False

    def _unavailable(self, message: str) -> StoreUnavailable:
        return StoreUnavailable(message, retry_after_s=self._settings.retry_after_s)

    def _write(self, batch: Batch, entries: Mapping[str, TraceEntry], received_ns: int) -> Written:
        fresh: list[Row] = []
        repeats: list[Row] = []
        late = 0
        for row in batch.rows:
            entry = entries[row[TRACE_ID]]
            if row[SPAN_ID] in entry.span_ids:
                repeats.append(row)
            else:
                entry.span_ids.add(row[SPAN_ID])
                fresh.append(row)
                late += entry.finished
        added = len(fresh)
        replaced: list[Row] = []
        conflict = 0
        if repeats:
            fresh, replaced, conflict = self._resolve(fresh, repeats)
        keys = self._new_keys(fresh)
        with transaction(self._writer) as tx:
            for resource_id in batch.resources.keys() - self._resource_ids:
                tx.execute("insert into store.resource values (?, ?, ?, ?, ?)", batch.resources[resource_id])
            for scope_id in batch.scopes.keys() - self._scope_ids:
                tx.execute("insert into store.scope values (?, ?, ?, ?, ?, ?)", batch.scopes[scope_id])
            if replaced:
                tx.execute(
                    "delete from store.span where (trace_id, span_id) in (select unnest($traces), unnest($spans))",
                    {"traces": [row[TRACE_ID] for row in replaced], "spans": [row[SPAN_ID] for row in replaced]},
                )
            if fresh:
                received = pa.array([received_ns] * len(fresh), pa.uint64())
                rows = to_table(fresh, self._span_schema).append_column("received_ns", received)
                append(tx, "store.span", rows.select(self._span_columns.names))
            if keys:
                tx.executemany(
                    "insert into store.trace_key (key, trace_id, start_ns) values (?, ?, ?)",
                    [("run:" + key, trace_id, start) for (key, trace_id), start in keys.items()],
                )
            told = _write_told(tx, batch, received_ns, self._evidence_schema)
            count_received(tx, batch, _minute(received_ns), added, len(repeats), conflict, late, fresh)
        self._last_received_ns = received_ns
        self._resource_ids.update(batch.resources)
        self._scope_ids.update(batch.scopes)
        self._written_keys.update(keys)
        self.has_run_keys = self.has_run_keys or bool(keys)
        self._known.remember(added)
        self.has_evidence = self.has_evidence or bool(told.trace_ids)
        changed = frozenset(row[TRACE_ID] for row in fresh) | told.trace_ids
        return Written(received_ns, added, len(repeats), conflict, late, changed)

    def _resolve(self, fresh: list[Row], repeats: list[Row]) -> tuple[list[Row], list[Row], int]:
        """Keeps one version of each repeated span.

        Returns:
            (rows to store, rows that replace a stored one, repeats whose content differed).
        """
        in_batch = {(row[TRACE_ID], row[SPAN_ID]): at for at, row in enumerate(fresh)}
        stored = self._stored_versions(repeats)
        winners: dict[tuple[str, str], Row] = {}
        conflict = 0
        for row in repeats:
            key = (row[TRACE_ID], row[SPAN_ID])
            best = winners.get(key) or (fresh[in_batch[key]] if key in in_batch else stored.get(key))
            if best is None or row[:OTLP_FIELDS] != best[:OTLP_FIELDS]:
                conflict += 1
                best = row if best is None else max(best, row, key=version_key)
            winners[key] = best
        kept = list(fresh)
        replaced = []
        for key, row in winners.items():
            if key in in_batch:
                kept[in_batch[key]] = row
            elif row is not stored.get(key):
                kept.append(row)
                replaced.append(row)
        return kept, replaced, conflict

    def _stored_versions(self, repeats: Iterable[Row]) -> dict[tuple[str, str], Row]:
        rows = self._writer.execute(
            "select * exclude (received_ns) from store.span "
            "where trace_id in (select unnest($traces)) and span_id in (select unnest($spans))",
            {"traces": list({r[TRACE_ID] for r in repeats}), "spans": list({r[SPAN_ID] for r in repeats})},
        ).fetchall()
        return {(row[TRACE_ID], row[SPAN_ID]): row for row in rows}

    def _look_up(self, trace_ids: list[str]) -> dict[str, TraceEntry]:
        entries: dict[str, TraceEntry] = {}
        for trace_id, span_id, received_ns in self._writer.execute(
            "select trace_id, span_id, received_ns from store.span where trace_id in (select unnest($traces)) "
            "order by received_ns",
            {"traces": trace_ids},
        ).fetchall():
            entries.setdefault(trace_id, TraceEntry(received_ns)).span_ids.add(span_id)
        for (trace_id,) in self._writer.execute(
            "select trace_id from store.trace join store.run using (run_id) "
            "where trace_id in (select unnest($traces)) and outcome <> 'open'",
            {"traces": trace_ids},
        ).fetchall():
            if trace_id in entries:
                entries[trace_id].finished = True
        return entries

    def _new_keys(self, rows: Iterable[Row]) -> dict[tuple[str, str], int]:
        keys: dict[tuple[str, str], int] = {}
        for row in rows:
            if row[RUN_KEY] is not None:
                key = (row[RUN_KEY], row[TRACE_ID])
                if key not in self._written_keys:
                    keys[key] = min(row[START_NS], keys.get(key, row[START_NS]))
        if len(self._written_keys) > 100_000:  # only spares a second row for the same pair; readers select distinct
            self._written_keys.clear()
        return keys

    def mark_finished(self, trace_ids: Iterable[str]) -> None:
        """What comes for these traces from now on is late."""
        self._known.mark_finished(trace_ids)

    def received_since(self, trace_ids: Iterable[str]) -> int:
        """No span of these traces was received before; 0 where that is not remembered."""
        return min((self._known.first_received_ns(trace_id) for trace_id in trace_ids), default=0)

    def settled_until_ns(self) -> int:
        """Every span received up to here has been settled, if by earlier rules (see `history`)."""
        with self.cursor() as cursor:
            return int(scalar(cursor, "select value from store.meta where key = 'settled_until_ns'"))


def prepare_data_dir(data_dir: Path) -> Path:
    """Makes the data folder with mode 0700, or refuses one that others may write or that is a symlink.

    Raises:
        CollectorError: the folder may not be used; the message says why and what to do.
    """
    os.umask(0o077)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = data_dir.lstat()
    except OSError as exc:
        raise CollectorError(
            f"data folder {data_dir} cannot be made: {exc.strerror}; choose another with --data"
        ) from exc
    if not stat.S_ISDIR(info.st_mode):
        raise CollectorError(f"data folder {data_dir} is not a plain directory; choose another with --data")
    if info.st_uid != os.geteuid():
        raise CollectorError(f"data folder {data_dir} belongs to another user; choose another with --data")
    if info.st_mode & 0o077:
        data_dir.chmod(0o700)
    for name in (store_path(data_dir), wal_path(store_path(data_dir))):
        if name.is_symlink():
            raise CollectorError(f"{name} is a symbolic link and DuckDB would follow it; remove it or choose --data")
    return data_dir


def wal_path(store: Path) -> Path:
    """DuckDB's write-ahead log beside a store file."""
    return store.with_name(store.name + ".wal")


def backup_path(store: Path, version: int) -> Path:
    """Where the copy of a store is kept that had schema `version` and was migrated."""
    return store.with_name(f"{store.name}.schema-{version}")


def _connect(path: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": FILE_FORMAT,
        "checkpoint_threshold": f"{settings.checkpoint_mib}MiB",
        "memory_limit": f"{settings.duckdb_memory_mib}MiB",
        "temp_directory": f"{path}.tmp",  # of a database in memory it would be in the working directory
        "max_temp_directory_size": "4GiB",
        "threads": settings.duckdb_threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
    }
    connection = duckdb.connect(config=config)
    try:
        _when_unlocked(path, lambda: attach(connection, path))
        connection.execute("set enable_external_access = false")  # but to what is attached
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Opens a store's file in the way that all its writers must: the size of row groups is kept by none of them.

    Raises:
        duckdb.IOException: another process has it open.
    """
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as {CATALOG} (row_group_size {ROW_GROUP_ROWS})")
    connection.execute(f"use {CATALOG}")


def _cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    cursor = connection.cursor()
    cursor.execute(f"use {CATALOG}")
    return cursor


def _when_unlocked(path: Path, connect: Callable[[], None]) -> None:
    """Waits out a reader that has the file open for a moment, as the dashboard does while no collector runs."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return connect()
        except duckdb.IOException as exc:
            if "lock" not in str(exc).lower():
                raise
            if time.monotonic() > deadline:
                held = f"{path} is open in another process ({_holder(exc)})"
                raise StoreLocked(f"{held}; stop it or choose another --data") from exc
        time.sleep(0.1)


def _open_current(path: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    """The store, made where it is missing and brought up to the present schema where it is older."""
    connection = _connect(path, settings)
    try:
        found = _schema_version(connection)
        if found is not None and found < SCHEMA_VERSION:
            connection.execute("checkpoint")
            connection.close()  # copied while open, the file would lose its lock: POSIX drops it with any descriptor
            backup = _back_up(path, found, settings)
            log.info("%s has schema %d, this build %d: migrating; copy kept in %s", path, found, SCHEMA_VERSION, backup)
            connection = _connect(path, settings)
            found = _schema_version(connection)  # another collector may have been faster
        _create_or_migrate(connection, path, found)
    except BaseException:
        with suppress(duckdb.Error):
            connection.close()
        raise
    return connection


def _schema_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """What the store was written by; None: nothing is there yet."""
    schemas = column_set(
        connection, "select schema_name from duckdb_schemas() where database_name = current_database()"
    )
    if "store" not in schemas:
        return None
    return int(scalar(connection, "select value from store.meta where key = 'schema_version'"))


def _create_or_migrate(connection: duckdb.DuckDBPyConnection, path: Path, found: int | None) -> None:
    if found is not None and found > SCHEMA_VERSION:
        raise SchemaMismatch(
            f"store {path} was written by schema {found}, this build reads {SCHEMA_VERSION} — "
            "use the build that wrote it, or pass another --data"
        )
    with transaction(connection) as tx:
        if found is None:
            _create(tx)
        for migration in ddl.migrations():
            if found is not None and migration.version > found:
                tx.execute(migration.statements.sql)
        tx.execute("update store.meta set value = ? where key = 'schema_version'", [str(SCHEMA_VERSION)])
        for statement in (*ddl.views(), *ddl.macros()):
            tx.execute(statement.sql)
        tx.execute("insert or replace into store.meta values ('contract', ?)", [ddl.contract_digest()])
    connection.execute("checkpoint")  # DDL left in the log is what replay has failed on (duckdb#22044, #19712)


def _create(tx: duckdb.DuckDBPyConnection) -> None:
    tx.execute("create schema store")
    for statement in ddl.tables():
        tx.execute(statement.sql)
    tx.executemany(
        "insert into store.meta values (?, ?)",
        [("schema_version", str(SCHEMA_VERSION)), ("rule_version", str(RULE_VERSION)), ("settled_until_ns", "0")],
    )


def _back_up(path: Path, version: int, settings: Settings) -> Path:
    """A copy of the closed store beside it; whole or not there, also after a kill.

    Raises:
        CollectorError: there is no room for it.
    """
    backup = backup_path(path, version)
    size_mib = path.stat().st_size // MIB
    if shutil.disk_usage(path.parent).free // MIB < size_mib + settings.min_free_disk_mib:
        raise CollectorError(
            f"store {path} has schema {version} and must be migrated to {SCHEMA_VERSION}: for the copy that is "
            f"kept ({size_mib} MiB) {path.parent} has no room: free some space, or pass another --data"
        )
    part = backup.with_name(backup.name + ".part")
    shutil.copyfile(path, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(backup)
    return backup


def _known_digests(connection: duckdb.DuckDBPyConnection, settled_until_ns: int) -> npt.NDArray[np.uint64]:
    result = connection.execute(
        "select distinct ('0x' || substr(trace_id, 17))::ubigint as digest from ("
        " select trace_id from store.trace"
        " union all select trace_id from store.span where received_ns > $until)",
        {"until": settled_until_ns},
    )
    return np.asarray(result.fetchnumpy()["digest"], dtype=np.uint64)


def _removed_digests(connection: duckdb.DuckDBPyConnection) -> npt.NDArray[np.uint64]:
    result = connection.execute("select ('0x' || substr(trace_id, 17))::ubigint as digest from store.removed_trace")
    return np.asarray(result.fetchnumpy()["digest"], dtype=np.uint64)


def _write_told(tx: duckdb.DuckDBPyConnection, batch: Batch, received_ns: int, schema: pa.Schema) -> Kept:
    """Stores what was said from outside: evidence and markers."""
    told = write_evidence(tx, batch.evidence, received_ns, schema) if batch.evidence else NOTHING
    for marker in batch.markers:
        tx.execute(_MARK, marker._asdict() | {"received_ns": received_ns})
    if batch.evidence or batch.logs_rejected:
        count_records(tx, batch, _minute(received_ns), told)
    return told


_UNSETTLED_TRACES: Final = """
select trace_id from store.span where received_ns > $until
union
select trace_id from store.evidence where received_ns > $until
"""

_LAST_RECEIVED: Final = """
select greatest((select coalesce(max(received_ns), 0) from store.span),
                (select coalesce(max(received_ns), 0) from store.evidence))
"""

_MARK: Final = """
insert into store.marker
select $at_ns, $workflow, $kind, $label, $received_ns
where not exists (from store.marker
                  where workflow is not distinct from $workflow and kind = $kind and label = $label
                    and at_ns between greatest($at_ns, $again_ns) - $again_ns and $at_ns)
"""


def _minute(at_ns: int) -> int:
    return at_ns // MINUTE_NS * MINUTE_NS


def _first_line(exc: Exception) -> str:
    return str(exc).splitlines()[0]


def _holder(exc: Exception) -> str:
    found = re.search(r"PID (\d+)", str(exc))
    return f"pid {found[1]}" if found else "pid unknown"
