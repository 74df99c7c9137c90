"""`export`: whole tables into a file, for other programs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import click
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.commands.options import load_settings, setting_options
from dashboard.errors import OutputRefused
from dashboard.files_out import new_file
from dashboard.reader import Reader, connect
from dashboard.rows import csv_lines, json_lines

KINDS = ("spans", "runs", "steps", "operations", "failures")
PAGE_ROWS = 50_000
"""Rows a question brings back at a time: about 100 MB of spans, far below the read API's limits."""
STANDARD_OUTPUT = Path("-")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--format", "form", type=click.Choice(["parquet", "csv", "jsonl"]), default="parquet", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="file to write, `-` for standard output [default: KIND.FORMAT]"
)
@click.option("--force", is_flag=True, help="replace a file that exists")
@setting_options("data_dir")
def export(kind: str, form: str, out: Path | None, force: bool, **flags: Any) -> None:
    """Write spans, runs, steps or failures to a file.

    Only you can read it. CSV is safe to open in a spreadsheet: text that would run as a formula gets a leading
    apostrophe.
    """
    path = out or Path(f"{kind}.{form}")
    if path == STANDARD_OUTPUT and form == "parquet":
        raise OutputRefused("parquet cannot go to standard output: name a file with --out")
    reader = connect(load_settings(flags))
    with destination(path, force) as file:
        rows = WRITERS[form](pages(reader, kind), file)
    if path != STANDARD_OUTPUT:
        click.echo(f"{rows:,} {kind} written to {path}")


def destination(path: Path, force: bool) -> AbstractContextManager[BinaryIO]:
    """The file, or standard output."""
    return nullcontext(sys.stdout.buffer) if path == STANDARD_OUTPUT else new_file(path, replace=force)


def pages(reader: Reader, kind: str) -> Iterator[pa.Table]:
    """All rows, a page at a time; at least one page, so that the columns are known of an empty table too."""
    sql = (files("dashboard") / "queries" / f"export_{kind}.sql").read_text("utf-8")
    at: dict[str, object] = {"after_ns": 0, "after_trace": "", "after_id": ""}
    while True:
        page = reader.query(sql, {**at, "limit": PAGE_ROWS})
        cursor = page.select(["cursor_ns", "cursor_trace", "cursor_id"])
        yield page.drop_columns(cursor.column_names)
        if page.num_rows < PAGE_ROWS:
            return
        last = cursor.slice(page.num_rows - 1).to_pylist()[0]
        at = {"after_ns": last["cursor_ns"], "after_trace": last["cursor_trace"], "after_id": last["cursor_id"]}


def _parquet(tables: Iterator[pa.Table], file: BinaryIO) -> int:
    first = next(tables)
    rows: int = first.num_rows
    with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.cast(first.schema))
            rows += table.num_rows
    return rows


def _csv(tables: Iterator[pa.Table], file: BinaryIO) -> int:
    rows = 0
    for number, table in enumerate(tables):
        file.writelines(csv_lines(table, header=number == 0))
        rows += table.num_rows
    return rows


def _jsonl(tables: Iterator[pa.Table], file: BinaryIO) -> int:
    rows = 0
    for table in tables:
        file.writelines(json_lines(table))
        rows += table.num_rows
    return rows


WRITERS: dict[str, Callable[[Iterator[pa.Table], BinaryIO], int]] = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl}
