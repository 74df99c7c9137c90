"""The SQL of the store is in step with the records and with itself."""

from collections.abc import Callable
from importlib.resources import files

import pytest

from schemas import ddl
from schemas.ddl import Statement
from schemas.records import Normalised, Resource, Scope, Span
from tests.doc_tables import bare_store

ALL = (*ddl.tables(), *ddl.views(), *ddl.macros())


def columns_of(table: str) -> list[str]:
    with bare_store() as connection:
        return [row[0] for row in connection.execute(f"describe {table}").fetchall()]


def test_a_span_row_is_the_records_laid_end_to_end() -> None:
    """Span without its resource and scope, their ids, what the dialect says; when it was received stands before what
    later schema versions added."""
    received = [name for name in Span._fields if name not in ("resource", "scope")]
    columns = columns_of("store.span")
    assert columns[columns.index("received_ns") + 1 :] == ["evaluations"]
    columns.remove("received_ns")
    assert columns == [*received, "resource_id", "scope_id", *Normalised._fields]


@pytest.mark.parametrize(("table", "record"), [("resource", Resource), ("scope", Scope)])
def test_resources_and_scopes_are_their_records(table: str, record: type[Resource] | type[Scope]) -> None:
    assert columns_of(f"store.{table}") == list(record._fields)


@pytest.mark.parametrize("read", [ddl.tables, ddl.views, ddl.macros], ids=lambda read: read.__name__)
def test_every_file_is_in_the_order_once(read: Callable[[], tuple[Statement, ...]]) -> None:
    root = files("schemas") / "sql" / read.__name__
    there = sorted(path.name for path in root.iterdir() if path.name.endswith(".sql"))
    assert there == sorted(s.name.split("/")[1] for s in read())


@pytest.mark.parametrize("statement", ALL, ids=lambda statement: statement.name)
def test_every_file_opens_with_what_it_is_about(statement: Statement) -> None:
    name = statement.name.split("/")[1].removesuffix(".sql")
    assert statement.sql.startswith(f"-- {name}: ")


def test_views_can_be_made_again() -> None:
    """A new build replaces them in a store that has them."""
    with bare_store() as connection:
        for statement in (*ddl.views(), *ddl.macros()):
            connection.execute(statement.sql)


@pytest.mark.parametrize("statement", ddl.views(), ids=lambda statement: statement.name)
def test_a_view_over_nothing_is_empty(statement: Statement) -> None:
    name = statement.name.split("/")[1].removesuffix(".sql")
    with bare_store() as connection:
        assert connection.execute(f"select * from {name}").fetchall() == []


def test_times_hold_all_of_unsigned_64_bit() -> None:
    """OTLP times go to the year 2554; nothing in the store may wrap before."""
    with bare_store() as connection:
        wrong = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where column_name like '%\\_ns' escape '\\' and data_type <> 'UBIGINT' and not internal"
        ).fetchall()
    derived = {"duration_ns"}
    assert [row for row in wrong if row[1] not in derived and not is_signed_sum(*row[:2])] == []


def is_signed_sum(table: str, column: str) -> bool:
    """What is taken back is below zero until it is folded."""
    return table.startswith("rollup_") and column != "bucket_ns"
