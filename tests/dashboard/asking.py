"""Asks the questions of `dashboard/queries` of a store file, without a page."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dashboard.chains import Ask


@contextmanager
def asking(path: Path) -> Iterator[Ask]:
    """`ask(question, **params)` of a store."""
    con = duckdb.connect(str(path), read_only=True)

    def ask(question: str, **params: Any) -> pa.Table:
        sql = (files("dashboard") / "queries" / f"{question}.sql").read_text("utf-8")
        return con.sql(sql, params=params).to_arrow_table()

    yield ask
    con.close()
