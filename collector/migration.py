"""Opens a store with the present schema in it: a missing one is made, an older one copied and migrated."""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb

from collector.database import column_set, scalar, transaction
from collector.errors import CollectorError, SchemaMismatch
from collector.opening import connect
from schemas import ddl
from schemas.settings import MIB, Settings
from schemas.version import RULE_VERSION, SCHEMA_VERSION

log = logging.getLogger(__name__)

MEMORY_MIB: Final = 1_024
"""What DuckDB may take while it migrates: of each table that is added to up to a row group stays in memory."""


def open_current(path: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    """The store, made where it is missing and brought up to the present schema where it is older.

    Raises:
        StoreLocked: another process has the file open.
        SchemaMismatch: a newer schema version wrote it.
        CollectorError: there is no room for the copy that is kept of an older one.
    """
    connection = connect(path, settings)
    try:
        found = _schema_version(connection)
        if found is not None and found < SCHEMA_VERSION:
            connection.execute("checkpoint")
            connection.close()  # copied while open, the file would lose its lock: POSIX drops it with any descriptor
            backup = _back_up(path, found, settings)
            log.info("%s has schema %d, this build %d: migrating; copy kept in %s", path, found, SCHEMA_VERSION, backup)
            memory_mib = max(MEMORY_MIB, settings.duckdb_memory_mib)
            connection = connect(path, settings.model_copy(update={"duckdb_memory_mib": memory_mib}))
            _create_or_migrate(connection, path, _schema_version(connection))  # another may have been faster
            connection.close()
            connection = connect(path, settings)
            found = _schema_version(connection)
        _create_or_migrate(connection, path, found)
    except BaseException:
        with suppress(duckdb.Error):
            connection.close()
        raise
    return connection


def backup_path(store: Path, version: int) -> Path:
    """Where the copy of a store is kept that had schema `version` and was migrated."""
    return store.with_name(f"{store.name}.schema-{version}")


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
