"""What one pass of settling loads: the traces that changed, all that belongs to one run with them, and their spans."""

from typing import Final

import duckdb
import pyarrow as pa

from collector.database import registered
from collector.evidence import with_evidence
from collector.settle import ASKED, SPAN_COLUMNS, TEXTS, Rules, strays, texts_wanted
from collector.store import Store

NEIGHBOUR_NS: Final = 3_600 * 10**9
"""Traces with one run key belong together only when they start within this of each other: keys are used again."""

STRAY_NS: Final = 600 * 10**9
"""A stray model call lies inside a model call of its run, which began at most this long before."""

CALL_CHARS: Final = 2_000
CONTRACT_CHARS: Final = 20_000
"""How much of one input or output is read, where its words matter."""


class Gatherer:
    """Finds what is settled together and loads it. For one thread."""

    def __init__(self, store: Store, rules: Rules, cursor: duckdb.DuckDBPyConnection) -> None:
        self._store = store
        self._rules = rules
        self._has_strays = bool(cursor.execute("from store.trace_key where key = 'stray' limit 1").fetchall())

    def gather(self, cursor: duckdb.DuckDBPyConnection, due: list[str]) -> tuple[list[str], pa.Table]:
        """The traces of all runs that these traces are part of, and their spans as `settle` wants them."""
        traces = self._with_neighbours(cursor, due)
        batch = self._load(cursor, traces)
        related = self._with_strays(cursor, batch, traces)
        if len(related) > len(traces):
            traces = self._with_members(cursor, related)
            batch = self._load(cursor, traces)
        return traces, batch

    def _with_neighbours(self, cursor: duckdb.DuckDBPyConnection, due: list[str]) -> list[str]:
        """The traces, and those that a shared run key or an earlier settling joins to them."""
        if not self._store.has_run_keys:
            return sorted(due)
        rows = cursor.execute(_NEIGHBOURS, {"traces": due, "window_ns": NEIGHBOUR_NS}).fetchall()
        return sorted({*due, *(trace_id for (trace_id,) in rows)})

    def _with_members(self, cursor: duckdb.DuckDBPyConnection, traces: list[str]) -> list[str]:
        """The traces, and all others of the runs they belong to: a run that is settled again is settled whole."""
        since = received_since(cursor, self._store, traces)
        rows = cursor.execute(_MEMBERS, {"traces": traces, "since": since}).fetchall()
        return sorted({*traces, *(trace_id for (trace_id,) in rows)})

    def _with_strays(self, cursor: duckdb.DuckDBPyConnection, batch: pa.Table, traces: list[str]) -> list[str]:
        """The traces, and those that a client library's stray model call joins to them, in either direction."""
        found = strays(batch)
        if found:
            self._has_strays = True
            cursor.executemany(
                "insert into store.trace_key select 'stray', ?, ?, ?, ?, ? where not exists "
                "(from store.trace_key where key = 'stray' and trace_id = ?)",
                [(s.trace_id, s.resource_id, s.response_id, s.start_ns, s.end_ns, s.trace_id) for s in found],
            )
        if not self._has_strays:
            return traces
        with registered(cursor, batch):
            wanted = {trace_id for (trace_id,) in cursor.execute(_STRAYS_OF_RUNS).fetchall()}
        wanted.update(s.trace_id for s in found)
        if not wanted:
            return traces
        rows = cursor.execute(_RUNS_OF_STRAYS, {"strays": sorted(wanted), "window_ns": STRAY_NS}).fetchall()
        return sorted({*traces, *wanted, *(trace_id for (trace_id,) in rows)})

    def _load(self, cursor: duckdb.DuckDBPyConnection, traces: list[str]) -> pa.Table:
        since = received_since(cursor, self._store, traces)
        params: dict[str, object] = {"traces": traces, "since": since}
        if self._rules.asked:
            params["asked"] = list(self._rules.asked)
        batch = cursor.sql(_LOAD_ASKED if self._rules.asked else _LOAD, params=params).to_arrow_table()
        if self._store.has_evidence:
            batch = with_evidence(cursor, batch, traces)
        return self._with_texts(cursor, batch, since)

    def _with_texts(self, cursor: duckdb.DuckDBPyConnection, batch: pa.Table, since: int) -> pa.Table:
        """The batch with the words of those spans whose words the rules want to read."""
        wanted = texts_wanted(batch, self._rules)
        if not wanted:
            return batch
        traces, span_ids = (sorted({*ids}) for ids in zip(*wanted, strict=True))
        chars = CONTRACT_CHARS if self._rules.contracts else CALL_CHARS
        params = {"traces": traces, "spans": span_ids, "since": since, "chars": chars}
        found = {(row[0], row[1]): row[2:] for row in cursor.execute(_TEXTS, params).fetchall()}
        ids = zip(batch.column("trace_id").to_pylist(), batch.column("span_id").to_pylist(), strict=True)
        rows = [found.get(pair, (None,) * len(TEXTS)) for pair in ids]
        for name, column in zip(TEXTS, zip(*rows, strict=True), strict=True):
            batch = batch.append_column(name, pa.array(column, pa.string()))
        return batch


def received_since(cursor: duckdb.DuckDBPyConnection, store: Store, traces: list[str]) -> int:
    """No span of these traces was received before; 0 where that is not known."""
    remembered = store.received_since(traces)
    if remembered:
        return remembered
    ((since, settled),) = cursor.execute(
        "select coalesce(min(first_received_ns), 0), count(*) from store.trace "
        "where trace_id in (select unnest($traces))",
        {"traces": traces},
    ).fetchall()
    return int(since) if settled == len(traces) else 0


_LOAD: Final = (
    "select " + ", ".join(SPAN_COLUMNS) + " from store.span "  # noqa: S608 - our own column names
    "where received_ns >= $since and trace_id in (select unnest($traces))"
)

_LOAD_ASKED: Final = _LOAD.replace(
    " from ",
    f", [left(json_extract_string(attributes, '$.' || to_json(name)), 20000) for name in $asked] as {ASKED} from ",
    1,
)

_TEXTS: Final = """
with asked as (
    select trace_id, span_id, attributes,
           [case when ends_with(key, '.')
                 then array_to_string([json_extract_string(attributes, '$.' || to_json(name))
                                       for name in json_keys(attributes) if starts_with(name, key)], ' ')
                 else json_extract_string(attributes, '$.' || to_json(key)) end
            for key in [input_key, output_key]] as texts
    from store.span
    where received_ns >= $since and trace_id in (select unnest($traces)) and span_id in (select unnest($spans))
)
select trace_id, span_id, left(texts[1], $chars), right(texts[2], $chars),
       coalesce(json_extract_string(attributes, '$."gen_ai.request.stop_sequences"'),
                json_extract_string(attributes, '$."llm.invocation_parameters"'))
from asked
"""

_NEIGHBOURS: Final = """
with due as (select key, trace_id, start_ns from store.trace_key
             where starts_with(key, 'run:') and trace_id in (select unnest($traces)))
select distinct other.trace_id
from due join store.trace_key other using (key)
where other.start_ns between greatest(due.start_ns, $window_ns) - $window_ns and due.start_ns + $window_ns
union
select unnest(r.trace_ids)
from due join store.trace t using (trace_id) join store.run r on r.run_id = t.run_id
"""

_MEMBERS: Final = """
select unnest(r.trace_ids)
from store.trace t join store.run r on r.run_id = t.run_id
where t.first_received_ns >= $since and t.trace_id in (select unnest($traces))
"""

_STRAYS_OF_RUNS: Final = """
select k.trace_id
from store.trace_key k join incoming s on s.response_id = k.response_id
where k.key = 'stray' and s.step_kind = 'llm' and s.trace_id <> k.trace_id
union
select k.trace_id
from store.trace_key k join incoming s on s.resource_id = k.resource_id
where k.key = 'stray' and (k.response_id is null or s.response_id is null)
  and (s.step_kind = 'llm' or s.collateral)
  and s.trace_id <> k.trace_id
  and k.start_ns >= s.start_ns and k.end_ns <= s.end_ns
"""

_RUNS_OF_STRAYS: Final = """
with stray as (select distinct * from store.trace_key where key = 'stray' and trace_id in (select unnest($strays))),
     near as (select trace_id, resource_id, response_id, start_ns, end_ns from store.span
              where (step_kind = 'llm' or collateral)
                and start_ns between (select greatest(min(start_ns), $window_ns) - $window_ns from stray)
                                 and (select max(end_ns) from stray))
select n.trace_id from stray k join near n on n.response_id = k.response_id and n.trace_id <> k.trace_id
union
select n.trace_id
from stray k join near n on n.resource_id = k.resource_id and n.trace_id <> k.trace_id
where (k.response_id is null or n.response_id is null) and k.start_ns >= n.start_ns and k.end_ns <= n.end_ns
"""
