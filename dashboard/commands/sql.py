"""`sql`: one read-only question to the store."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import pyarrow as pa

from dashboard.commands.options import load_settings, setting_options
from dashboard.reader import connect
from dashboard.rows import csv_lines, json_array, json_lines, text_table

LINES: dict[str, Callable[[pa.Table], Iterator[bytes]]] = {"csv": csv_lines, "json": json_array, "jsonl": json_lines}


@click.command()
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", *LINES]), default="table", show_default=True)
@click.option("--param", "-p", "params", multiple=True, metavar="NAME=VALUE", help="binds $NAME in the query")
@click.option("--full", is_flag=True, help="do not shorten long cells of a table")
@setting_options("data_dir")
def sql(query: str, form: str, params: tuple[str, ...], full: bool, **flags: Any) -> None:
    """Ask the store a question in SQL.

    It can read and nothing else; `-` takes the query from standard input. The views it can name are described in
    docs/concepts.md: run, step, operation, failure, span, trace, …
    """
    text = sys.stdin.read() if query == "-" else query
    table = connect(load_settings(flags)).query(text, dict(_param(param) for param in params))
    if form == "table":
        click.echo(text_table(table, sys.maxsize if full else 60), nl=False)
    else:
        sys.stdout.buffer.writelines(LINES[form](table))


def _param(text: str) -> tuple[str, object]:
    """`NAME=VALUE` with the value as an integer or a number where it reads as one."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--param")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
