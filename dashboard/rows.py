"""Writes tables as text that other programs, spreadsheets and terminals can take without harm."""

import base64
import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pyarrow as pa

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell of text."""
BATCH_ROWS = 4096
PLAIN: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: int(value) if value == value.to_integral_value() else float(value),
    bytes: lambda value: base64.b64encode(value).decode("ascii"),
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    UUID: str,
}
"""Types that JSON lacks, and what stands for them."""


def plain(value: object) -> Any:
    """A value as JSON can hold it: no NaN, integral decimals as integers, bytes in base64, times in ISO form."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    convert = PLAIN.get(type(value))
    return convert(value) if convert else value


def rows_of(table: pa.Table) -> Iterator[list[Any]]:
    """The rows as plain values, a batch at a time."""
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        columns = [[plain(v) for v in column.to_pylist()] for column in batch.columns]
        yield from (list(row) for row in zip(*columns, strict=True))


def json_lines(table: pa.Table) -> Iterator[bytes]:
    """One JSON object per row, each ending in a newline."""
    for row in rows_of(table):
        yield json_text(dict(zip(table.column_names, row, strict=True))) + b"\n"


def json_array(table: pa.Table) -> Iterator[bytes]:
    """All rows as one JSON array, a row a line."""
    separator = b"[\n"
    for row in rows_of(table):
        yield separator + json_text(dict(zip(table.column_names, row, strict=True)))
        separator = b",\n"
    yield b"\n]\n" if table.num_rows else b"[]\n"


def csv_lines(table: pa.Table, *, header: bool = True) -> Iterator[bytes]:
    """The rows as CSV, every cell quoted, no cell of text able to run as a formula."""
    if header:
        yield _csv_line(cell(name) for name in table.column_names)
    for row in rows_of(table):
        yield _csv_line(map(cell, row))


def csv_row(cells: Iterable[object]) -> bytes:
    """One line of CSV from values of any type."""
    return _csv_line(map(cell, cells))


def cell(value: object) -> str:
    """One CSV cell. Missing is empty, lists and objects are JSON; numbers keep their minus sign."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json_text(value).decode()
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def text_table(table: pa.Table, max_cell_chars: int = 60) -> str:
    """The rows for a terminal: aligned, long cells shortened, control characters shown as escapes."""
    rows = [[_shown(v, max_cell_chars) for v in row] for row in rows_of(table)]
    heads = [printable(name) for name in table.column_names]
    widths = [max([len(head), *(len(row[i]) for row in rows)]) for i, head in enumerate(heads)]
    numeric = [pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t) for t in table.schema.types]
    lines = [_aligned(heads, widths, numeric), "  ".join("─" * width for width in widths)]
    lines += [_aligned(row, widths, numeric) for row in rows]
    lines.append(f"({table.num_rows:,} row{'' if table.num_rows == 1 else 's'})")
    return "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control characters are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def json_text(value: object) -> bytes:
    """Compact JSON; integers of any size."""
    try:
        return orjson.dumps(value)
    except TypeError:  # beyond 64 bits
        import json

        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _csv_line(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode("utf-8", "replace")


def _shown(value: object, max_chars: int) -> str:
    if value is None:
        return "·"
    text = printable(value if isinstance(value, str) else json_text(value).decode())
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def _aligned(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded = (
        text.rjust(width) if right else text.ljust(width)
        for text, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "  ".join(padded).rstrip()
