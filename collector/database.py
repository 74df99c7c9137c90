"""What every module that has a connection does with it; only `collector.opening` opens one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
import pyarrow as pa


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A transaction that is committed at the end of the block and rolled back on any error."""
    connection.begin()
    try:
        yield connection
    except BaseException:
        with suppress(duckdb.Error):  # a fatal error has ended the transaction already
            connection.rollback()
        raise
    connection.commit()


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    """The rows as table `incoming`, while the block runs."""
    connection.register("incoming", rows)
    try:
        yield
    finally:
        connection.unregister("incoming")


def append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Appends rows whose columns are the table's, in order; 2 ms cheaper a call than the same as SQL."""
    connection.from_arrow(rows).insert_into(table)


def arrow_schema(connection: duckdb.DuckDBPyConnection, table: str) -> pa.Schema:
    """The Arrow schema that rows of a stored table have."""
    return connection.table(f"store.{table}").limit(0).to_arrow_table().schema


def scalar(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The one value of an answer of one row."""
    ((value,),) = connection.execute(sql).fetchall()  # fetchone would leave the result, and its transaction, open
    return value


def column_set(connection: duckdb.DuckDBPyConnection, sql: str) -> set[Any]:
    """The values of an answer of one column."""
    return {value for (value,) in connection.execute(sql).fetchall()}
