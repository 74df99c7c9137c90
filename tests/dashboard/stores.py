"""Store files for dashboard tests, written through the DDL.

`python -m tests.dashboard DIR` writes one to look at.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from collector.rollup_store import LEVELS, Rollups
from schemas import ddl
from schemas.version import SCHEMA_VERSION
from tests.dashboard.filling import Filling


def create(path: Path) -> duckdb.DuckDBPyConnection:
    """An empty store with every table and view of the contract."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(path))
    con.execute("create schema store")
    for statement in (*ddl.tables(), *ddl.views(), *ddl.macros()):
        con.execute(statement.sql)
    con.execute(
        "insert into store.meta values ('schema_version', ?), ('contract', ?)",
        [str(SCHEMA_VERSION), ddl.contract_digest()],
    )
    return con


def add_counted(con: duckdb.DuckDBPyConnection, table: str, select: str, params: Mapping[str, object]) -> None:
    """Adds rows of 5 minutes to a roll-up, and what they come to by the hour and by the day."""
    for level, width in LEVELS:
        folded = "* " if level else "1 as level, * "
        con.execute(
            f"insert into store.{table}{level} by name "
            f"select {folded} replace (bucket_ns // {width} * {width} as bucket_ns) from ({select})",
            dict(params),
        )


def write(path: Path, fillings: Iterable[Filling]) -> Path:
    """A closed store file that holds the given rows."""
    con = create(path)
    for filling in fillings:
        filling.write(con)
    roll_up(con)
    con.execute("checkpoint")
    con.close()
    return path


OPERATIONS = """
insert into store.operation by name
select run_id, any_value(trace_id) as trace_id, operation_id, any_value(parent_span_id) as parent_span_id,
       any_value(depth) as depth, any_value(kind) as kind, any_value(name) as name,
       any_value(chain_step) as chain_step, any_value(tool) as tool, any_value(model) as model,
       min(start_ns) as start_ns, max(end_ns) as end_ns, case when arg_max(status, attempt) = 'failed' then 'failed'
       when count(*) > 1 then 'recovered' else 'ok' end as outcome, bool_and(status = 'ok') as first_try_ok,
       count(*)::integer as attempts, case when count(*) > 1 then 'siblings' else 'single' end as evidence,
       any_value(rule_version) as rule_version, false as is_redo
from store.step
where run_id not in (select run_id from store.operation)
group by run_id, operation_id
"""


def roll_up(con: duckdb.DuckDBPyConnection) -> None:
    """Makes operations of the steps and fills the roll-ups from the runs, as the collector does."""
    con.execute(OPERATIONS)
    con.execute("update store.step set critical_ns = self_ns where critical_ns = 0")  # no two steps at once here
    rollups = Rollups(con)
    while rollups.rebuild_some(con):
        pass
    rollups.fold(con)
