"""Batches for `settle`, made from recordings through the real dialects, or from a few words per span."""

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa

from collector.rows import Row, to_table
from collector.settle import SPAN_COLUMNS, Settled, settle
from tests.otlp import RECORDINGS, recorded_folders, recorded_spans
from tests.settling import QUIET_NS, rows_of, schema

SECOND_NS = 10**9

DEFAULTS: dict[str, Any] = {
    "flags": 0,
    "kind": 1,
    "status_code": 0,
    "resource_id": 1,
    "scope_id": 1,
    "dialect": "genai",
    "step_kind": "chain",
    "service": "shop",
    "tokens_are_sum": False,
    "failed": False,
    "interrupted": False,
    "collateral": False,
    "received_ns": 1,
}


class Expected(NamedTuple):
    """One row of the truth by construction."""

    folder: str
    family: str
    run_no: int
    root_trace_id: str
    trace_ids: frozenset[str]
    setup_traces: frozenset[str]
    workflow: str
    chain: str
    outcomes: frozenset[str]
    failing_step: str
    tokens_in: str
    tokens_out: str
    note: str
    codes: frozenset[str]
    origins: frozenset[str]
    observable: str


@cache
def recorded_rows(folder: str) -> tuple[Row, ...]:
    """The rows of one recording, columns as in SPAN_COLUMNS; each span once."""
    return tuple(rows_of(recorded_spans(folder)))


def table(rows: Sequence[Row]) -> pa.Table:
    """Rows as a batch."""
    return to_table(rows, schema())


def made(
    name: str | int, parent: str | int | None = None, start: float = 0, end: float = 0, trace: str = "t", **said: Any
) -> Row:
    """One row from a few words: `name` is the span id and the step's name, times are seconds, columns go by name."""
    values = {
        "step_name": str(name),
        **DEFAULTS,
        "trace_id": trace,
        "span_id": str(name),
        "parent_span_id": None if parent is None else str(parent),
        "start_ns": round(start * SECOND_NS),
        "end_ns": round(end * SECOND_NS),
        **said,
    }
    return tuple(values.get(name) for name in SPAN_COLUMNS)


def expected_runs(folders: Iterable[str] | None = None) -> list[Expected]:
    """The truth about the recordings that are fixtures."""
    known = set(folders or recorded_folders())
    with (RECORDINGS / "EXPECTED.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Expected(
            row["folder"],
            row["family"],
            int(row["run_no"]),
            row["root_trace_id"],
            frozenset(row["trace_ids"].split(",")),
            frozenset(filter(None, row["setup_traces"].split(","))),
            row["workflow"],
            row["chain"],
            frozenset(filter(None, [row["outcome"], *row["outcome_also"].split(",")])),
            row["failing_step"],
            row["tokens_in"],
            row["tokens_out"],
            row["note"],
            frozenset(filter(None, [row["code"], *row["acceptable_codes"].split(",")])),
            frozenset(filter(None, [row["origin_span_id"], *row["origin_also"].split(",")])),
            row["observable"],
        )
        for row in rows
        if row["folder"] in known
    ]


def settled(*rows: Row, quiet_since_ns: int = QUIET_NS) -> Settled:
    """What settling makes of a few made rows."""
    return settle(table(rows), quiet_since_ns)
