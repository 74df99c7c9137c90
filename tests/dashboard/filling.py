"""Rows of a made-up store, collected per table, and their ids and times."""

import random
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from schemas.version import RULE_VERSION

S = 1_000_000_000
MINUTE = 60 * S

Row = dict[str, Any]

LASTS = ("last_of_run", "last_of_code", "last_of_step")


LATEST = "order by at_ns desc, span_id desc"
WHOSE = f"""
update store.failure
set workflow = r.workflow, workflow_version = r.workflow_version, environment = r.environment, run_start_ns = r.start_ns
from store.run r
where r.run_id = failure.run_id;
update store.failure
set kind = s.kind, lost_ns = case when s.status = 'failed' or s.in_band_error is not null then s.duration_ns end
from step s
where s.run_id = failure.run_id and s.trace_id = failure.trace_id and s.span_id = failure.span_id;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place, row_number() over (partition by run_id, certainty {LATEST}) as of_run,
           row_number() over (partition by run_id, certainty, code {LATEST}) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b {LATEST}) as of_step
    from store.failure
    where role = 'root'
) ranked
where failure.rowid = ranked.place
"""


@dataclass
class Filling:
    """Rows collected per table, written in one go."""

    tables: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, **values: Any) -> None:
        if table == "failure":  # `write` tells whose it is
            values = {"workflow": "", "run_start_ns": 0, "kind": None, **dict.fromkeys(LASTS, False), **values}
        self.tables.setdefault(table, []).append(values)

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        for table, rows in self.tables.items():
            types = dict(
                con.execute(
                    "select column_name, data_type from duckdb_columns() where schema_name = 'store' and "
                    "table_name = ?",
                    [table],
                ).fetchall()
            )
            filled = [_with_defaults(row, types) for row in rows]
            batch = pa.table(
                {name: pa.array([row[name] for row in filled], _arrow(kind)) for name, kind in types.items()}
            )
            con.register("batch", batch)
            con.execute(f"insert into store.{table} by name select * from batch")
            con.unregister("batch")
        con.execute(WHOSE)


def _arrow(kind: str) -> pa.DataType:
    return {
        "UBIGINT": pa.uint64(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "UINTEGER": pa.uint32(),
        "BOOLEAN": pa.bool_(),
        "DOUBLE": pa.float64(),
        "VARCHAR[]": pa.list_(pa.string()),
    }.get(kind, pa.string())


REQUIRED: Row = {
    "trace_state": "",
    "flags": 256,
    "kind": 1,
    "status_code": 0,
    "status_message": "",
    "attributes": "{}",
    "dropped_attributes_count": 0,
    "dropped_events_count": 0,
    "dropped_links_count": 0,
    "truncated": False,
    "resource_id": 1,
    "scope_id": 1,
    "dialect": "openinference",
    "tokens_are_sum": False,
    "failed": False,
    "interrupted": False,
    "collateral": False,
    "schema_url": "",
    "entity_refs": "[]",
    "rule_version": RULE_VERSION,
    "orphans": 0,
    "visit": 1,
    "attempt": 1,
    "is_orphan": False,
    "critical_ns": 0,
    "conflict": 0,
    "rejected": 0,
    "duplicate": 0,
    "late": 0,
    "contributing": [],
    "key": 0,
    "severity_number": 13,
    "severity_text": "WARN",
    "observed_ns": 0,
    "received_ns": 0,
}


def _with_defaults(row: Row, types: dict[str, str]) -> Row:
    unknown = row.keys() - types.keys()
    if unknown:
        raise KeyError(f"no such columns: {sorted(unknown)}")
    return {name: row[name] if name in row else REQUIRED.get(name) for name in types}


class Ids:
    """Reproducible ids."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def trace(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def span(self) -> str:
        return f"{self.random.getrandbits(64):016x}"
