"""Tables as text: nothing runs in a spreadsheet, nothing steers a terminal, nothing is lost."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rows import FORMULA_STARTS, cell, csv_lines, json_array, json_lines, printable, text_table

TABLE = pa.table(
    {
        "name": ["=1+1", 'a,"b"\nc', None],
        "n": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "share": [-0.5, float("nan"), None],
        "chain": [["x", "=y"], [], None],
        "big": pa.array([Decimal(10**20), Decimal(1), None], pa.decimal128(38, 0)),
        "at": pa.array([datetime(2026, 11, 22, tzinfo=UTC), None, None]),
        "raw": [b"\x00\xff", b"", None],
    }
)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_text_that_would_run_as_a_formula_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == "'" + text


def test_numbers_keep_their_sign() -> None:
    assert (cell(-1), cell(-0.5), cell(None), cell(True)) == ("-1", "-0.5", "", "true")


@given(st.lists(st.text()))
def test_csv_reads_back_and_holds_no_formula(names: list[str]) -> None:
    table = pa.table({"name": pa.array([n.encode("utf-8", "replace").decode() for n in names], pa.string())})
    text = b"".join(csv_lines(table)).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["name"]
    assert [row[0].removeprefix("'") for row in rows[1:]] == [n.removeprefix("'") for n in table["name"].to_pylist()]
    assert not any(row[0].startswith(FORMULA_STARTS) for row in rows[1:])


def test_json_knows_missing_from_zero_and_keeps_large_numbers() -> None:
    rows = [json.loads(line) for line in json_lines(TABLE)]
    assert rows == json.loads(b"".join(json_array(TABLE)))
    assert rows[0]["n"] == 2**64 - 1
    assert rows[0]["big"] == 10**20
    assert rows[0]["at"].startswith("2026-11-22T00:00:00")
    assert rows[1]["share"] is None
    assert rows[2] == dict.fromkeys(TABLE.column_names)


def test_an_empty_table_is_still_json() -> None:
    assert json.loads(b"".join(json_array(TABLE.slice(0, 0)))) == []


def test_a_terminal_sees_no_control_characters() -> None:
    table = pa.table({"na\x1bme": ["\x1b[2Jgone\n\u202eright to left\x9b"]})
    assert not any(c in text_table(table) for c in "\x1b\u202e\x9b")
    assert printable("ok é 中") == "ok é 中"


def test_long_cells_of_a_text_table_are_shortened_only_there() -> None:
    table = pa.table({"x": ["a" * 100]})
    assert "…" in text_table(table)
    assert "a" * 100 in text_table(table, max_cell_chars=200)
