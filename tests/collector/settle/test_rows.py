"""Derived rows fit their tables."""

import re
from typing import Any

import pytest

from collector.settle import (
    SPAN_COLUMNS,
    FailureRow,
    OperationRow,
    RunRow,
    Settled,
    StepRow,
    TraceRow,
    VerdictRow,
    settle,
    strays,
)
from schemas import ddl
from tests.collector.settle.batches import QUIET_NS, table

ROWS: dict[str, Any] = {
    "run": RunRow,
    "step": StepRow,
    "operation": OperationRow,
    "failure": FailureRow,
    "verdict": VerdictRow,
    "trace": TraceRow,
}


def columns(table_name: str) -> list[str]:
    """Column names of a stored table, in order."""
    sql = next(s.sql for s in ddl.tables() if s.name == f"tables/{table_name}.sql")
    body = re.sub(r"--[^\n]*", "", sql).split("(", 1)[1]
    return re.findall(r'^\s+"?(\w+)"?\s+\w', body, re.MULTILINE)


@pytest.mark.parametrize("name", ROWS)
def test_row_fields_are_the_columns_of_the_table(name: str) -> None:
    assert list(ROWS[name]._fields) == columns(name)


def test_every_table_that_settling_fills_has_a_list() -> None:
    assert set(Settled._fields) == set(ROWS)


def test_columns_asked_for_are_columns_of_span() -> None:
    assert set(SPAN_COLUMNS) <= set(columns("span"))


def test_an_empty_batch_gives_no_rows() -> None:
    assert settle(table([]), QUIET_NS) == Settled([], [], [], [], [], [])
    assert strays(table([])) == []
