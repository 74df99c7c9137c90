"""How a store's file is opened for writing: its folder, its lock, and what DuckDB may do with it."""

import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from collector.errors import CollectorError, StoreLocked
from schemas.paths import store_path
from schemas.settings import Settings

LOCK_WAIT_S: Final = 5.0
"""How long a start waits for another process to let go of the file."""

FILE_FORMAT: Final = "v1.5.0"
"""Oldest DuckDB that must be able to open the file; 2.0's own format is unreadable to 1.x."""

ROW_GROUP_ROWS: Final = 12_288
"""Rows that DuckDB writes as one. At a checkpoint all commits wait while the last, unfilled row group of each table is
written anew, and row groups are what its threads have to share. See docs/decisions/089-small-row-groups.md."""

CATALOG: Final = "seamscope"
"""What the file is called within DuckDB."""


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


def connect(path: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    """The store's file, opened for this process alone.

    Raises:
        StoreLocked: another process goes on having it open.
    """
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


def new_cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A connection of its own on the same database, that finds the store's tables by their names."""
    cursor = connection.cursor()
    cursor.execute(f"use {CATALOG}")
    return cursor


def _when_unlocked(path: Path, open_it: Callable[[], None]) -> None:
    """Waits out a reader that has the file open for a moment, as the dashboard does while no collector runs."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return open_it()
        except duckdb.IOException as exc:
            if "lock" not in str(exc).lower():
                raise
            if time.monotonic() > deadline:
                held = f"{path} is open in another process ({_holder(exc)})"
                raise StoreLocked(f"{held}; stop it or choose another --data") from exc
        time.sleep(0.1)


def _holder(exc: Exception) -> str:
    found = re.search(r"PID (\d+)", str(exc))
    return f"pid {found[1]}" if found else "pid unknown"
