"""What was settled by other rules than the present ones, and how far re-settling has got with it: newest first.

Progress is kept in `store.meta`, so a restart goes on where the last one ended. Until a run's turn comes its old rows
stay. What arrives meanwhile is settled by the present rules anyway and never waits for its turn.
"""

import json
from typing import Any, Final, NamedTuple

import duckdb

from collector.database import transaction

CHUNK_TRACES: Final = 500
CHUNK_SPANS: Final = 5_000
"""A chunk ends with the trace that reaches this many: about half a second of work."""


class Progress(NamedTuple):
    """How far re-settling has got."""

    done: int
    """Traces."""
    total: int


class Mark(NamedTuple):
    """Everything from here on is done: the traces that received their last span later, and of those at that moment the
    ones with a greater id."""

    before_ns: int
    trace_id: str


class History:
    """The traces still to be settled again. Belongs to the settling thread; `progress` may be read from any."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, rules_id: str) -> None:
        """Takes up what a change of rules left to do, or begins with it where rules have changed since.

        Args:
            cursor: on the store.
            rules_id: tells the present rules from all others (`own_rules.rules_id`).
        """
        self._rules_id = rules_id
        self._mark: Mark | None = None
        self._progress = Progress(0, 0)
        meta = dict(cursor.execute("select key, value from store.meta").fetchall())
        left: dict[str, Any] = json.loads(meta.get(KEY, "null")) or {}
        if left.get("rules") == rules_id:
            self._mark = Mark(left["before_ns"], left["trace_id"])
            self._progress = Progress(left["done"], left["total"])
        elif left or meta["rule_version"] != rules_id:
            ((total, last),) = cursor.execute(
                "select count(*), coalesce(max(last_received_ns), 0) from store.trace"
            ).fetchall()
            self._mark = Mark(last + 1, "")
            self._progress = Progress(0, total)
            self._save(cursor)

    @property
    def progress(self) -> Progress | None:
        """How far it has got; None where everything is settled by the present rules."""
        return self._progress if self._mark is not None else None

    def next_chunk(self, cursor: duckdb.DuckDBPyConnection) -> list[str]:
        """The traces whose turn it is. Without any more, the present rules are noted as those of the whole store."""
        if self._mark is None:
            return []
        rows = cursor.execute(_NEXT, {**self._mark._asdict(), "traces": CHUNK_TRACES}).fetchall()
        chunk: list[str] = []
        spans = 0
        for trace_id, last_received_ns, count in rows:
            chunk.append(trace_id)
            spans += count
            self._reached = Mark(last_received_ns, trace_id)
            if spans >= CHUNK_SPANS:
                break
        if not chunk:
            self._finish(cursor)
        return chunk

    def chunk_done(self, cursor: duckdb.DuckDBPyConnection, traces: int) -> None:
        """The last chunk has been settled: the mark moves on."""
        self._mark = self._reached
        done = self._progress.done + traces
        self._progress = Progress(done, max(self._progress.total, done))
        self._save(cursor)

    def _save(self, cursor: duckdb.DuckDBPyConnection) -> None:
        assert self._mark is not None
        state = {"rules": self._rules_id, **self._mark._asdict(), **self._progress._asdict()}
        cursor.execute("insert or replace into store.meta values (?, ?)", [KEY, json.dumps(state)])

    def _finish(self, cursor: duckdb.DuckDBPyConnection) -> None:
        with transaction(cursor) as tx:
            tx.execute("delete from store.meta where key = ?", [KEY])
            tx.execute("update store.meta set value = ? where key = 'rule_version'", [self._rules_id])
        self._mark = None


KEY: Final = "resettling"
"""Of the row of `store.meta` that holds the state; absent where nothing is left to do."""

_NEXT: Final = """
select trace_id, last_received_ns, spans
from store.trace
where last_received_ns < $before_ns or (last_received_ns = $before_ns and trace_id < $trace_id)
order by last_received_ns desc, trace_id desc
limit $traces
"""
