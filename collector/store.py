"""The open store and what is written to it. One process, one writer; readers get their own cursors."""

import json
import logging
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from collector.batch import Batch, Written, without
from collector.counting import MINUTE_NS, Folds, count_received, count_records
from collector.database import append, arrow_schema, column_set, scalar, transaction
from collector.errors import CollectorError, StoreUnavailable
from collector.evidence import NOTHING, Kept, write_evidence
from collector.known import Digests, KnownSpans, TraceEntry, removed_digests, stored_digests
from collector.migration import open_current
from collector.opening import connect, new_cursor, prepare_data_dir, wal_path
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
from schemas.paths import store_path
from schemas.settings import MIB, Settings

log = logging.getLogger(__name__)

DERIVED_TABLES: Final = ("run", "step", "operation", "failure", "verdict", "trace")

MOMENT_NS: Final = 600 * 10**9
"""The settling thread has heard long ago of everything that was stored before."""

MOST_DAMAGE: Final = 100
"""Notes on damage that are kept."""


class Store:
    """An open store. `write` belongs to one thread; cursors may be taken from any."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, settings: Settings) -> None:
        self.path = path
        self._settings = settings
        self._connection = connection
        self._lock = threading.Lock()
        self._broken = False
        self._writer = new_cursor(connection)
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
        self._known = KnownSpans(stored_digests(connection, self.settled_until_ns()))
        self._written_keys: set[tuple[str, str]] = set()
        self._writing = threading.Lock()
        self._removed = Digests(removed_digests(connection))
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
        connection = open_current(path, settings)
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
            return new_cursor(self._connection)

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
                self._connection = connect(self.path, self._settings)
                self._writer = new_cursor(self._connection)
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
