"""Removes runs: those that nothing came for in a long time, the oldest of a store that has grown too large, and those
that someone asks for.

Whole runs, a bite at a time, in the settling thread: a run's spans, evidence and all rows derived of it go in one
transaction, which also counts them and notes their traces, so that what still comes for them is rejected. Roll-ups keep
what they count (docs/decisions/065-retention.md).
"""

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import duckdb

from collector.counting import MINUTE_NS
from collector.database import transaction
from collector.rollup import MEASURES
from collector.rollup_store import DAY_NS, LEVELS
from collector.store import Store
from schemas.retention import RetentionSettings
from schemas.taxonomy import RemovalReason

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0
SWEEP_EVERY_S: Final = 3_600.0
"""Between two sweeps by age: each makes DuckDB rewrite the row groups it leaves half empty."""

BITE_RUNS: Final = 2_000
BITE_SPANS: Final = 50_000
"""A bite ends with the run that reaches this many."""

REST: Final = 4
"""After a bite, this many times what it took belongs to others."""

YOUNG_NS: Final = 3_600 * 10**9
"""A run that received something within this is never removed for the store's size: it may be running."""

ROOM: Final = 0.1
"""A store that is too large is brought this share below its limit, so that it is not at it again at once."""

DAY_S: Final = 86_400


class Bite(NamedTuple):
    """Some runs to be removed together."""

    reason: RemovalReason
    runs: Mapping[str, Sequence[str]]
    """Traces by run id; a trace that holds no run is its own."""
    is_stuck: bool = False
    """Traces that could never be settled."""


class Removed(NamedTuple):
    """What one bite took."""

    runs: int
    spans: int


class Retention:
    """Belongs to the settling thread."""

    def __init__(self, store: Store, settings: RetentionSettings) -> None:
        self._store = store
        self._settings = settings
        self._next_s = 0.0
        self._sweep_s = 0.0
        self._excess = 0
        """Spans that have to go for the store's size."""
        self._is_unfolded = False
        """Something was removed since the file was last folded by us."""
        self._must_fold = False
        """Someone wants it off the disk. After a sweep by age DuckDB's own folding is soon enough."""

    def work(self, cursor: duckdb.DuckDBPyConnection, unsettled: Collection[str]) -> list[str]:
        """Takes the next bite where one is due, of runs none of whose traces are unsettled. -> the traces gone."""
        now = time.monotonic()
        if now < self._next_s:
            return []
        self._next_s = now + LOOK_EVERY_S
        try:
            bite = self._next_bite(cursor, now)
            if bite is None:
                if self._must_fold:
                    self._fold(cursor)
                self._next_s = time.monotonic() + min(LOOK_EVERY_S, self._sweep_pause_s)
                return []
            gone = self.remove(cursor, bite, () if bite.is_stuck else unsettled)
        except duckdb.Error:  # a full disk, most likely: settling has to go on
            log.exception("nothing could be removed; next try in %g s", LOOK_EVERY_S)
            return []
        took = time.monotonic() - now
        self._next_s = now + took + REST * took
        return gone

    def remove(self, cursor: duckdb.DuckDBPyConnection, bite: Bite, unsettled: Collection[str]) -> list[str]:
        """Removes the runs of a bite, but for those that something has come for meanwhile. -> the traces gone."""
        claimed = self._store.claim(bite.runs, unsettled)
        trace_ids = [trace_id for run_id in claimed for trace_id in bite.runs[run_id]]
        gone: list[str] = []
        try:
            if trace_ids:
                removed = _remove(cursor, bite.reason, claimed, trace_ids)
                gone = trace_ids
                self._excess -= removed.spans if bite.reason == RemovalReason.SIZE else 0
                self._is_unfolded = True
                self._must_fold = self._must_fold or bite.reason == RemovalReason.ASKED
                self._next_s = 0.0
                log.info("removed %d runs of %d spans (%s)", removed.runs, removed.spans, bite.reason)
        finally:
            self._store.release(gone)
        return gone

    @property
    def _sweep_pause_s(self) -> float:
        return min(SWEEP_EVERY_S, self._settings.days * DAY_S / 100 or SWEEP_EVERY_S)

    def _next_bite(self, cursor: duckdb.DuckDBPyConnection, now_s: float) -> Bite | None:
        now_ns = time.time_ns()
        if self._settings.days and now_s >= self._sweep_s:
            before_ns = now_ns - int(self._settings.days * DAY_S * 10**9)
            runs = _oldest(cursor, before_ns)
            if runs:
                return Bite(RemovalReason.AGE, runs)
            stuck = _never_settled(cursor, before_ns)
            if stuck:
                return Bite(RemovalReason.AGE, stuck, is_stuck=True)
            _remove_loose(cursor, before_ns, now_ns)
            self._forget_rollups(cursor, now_ns)
            self._sweep_s = now_s + self._sweep_pause_s
        if self._settings.max_gib and self._excess <= 0:
            self._excess = _excess_spans(cursor, self._settings.max_gib)
            if self._excess and self._is_unfolded:  # its room may suffice
                self._excess = _excess_spans(cursor, self._settings.max_gib) if self._fold(cursor) else 0
        if self._excess > 0:
            runs = _oldest(cursor, now_ns - YOUNG_NS)
            if runs:
                return Bite(RemovalReason.SIZE, runs)
            self._excess = 0
            log.warning("the store is larger than retention.max_gib, and all it holds is of the last hour or roll-ups")
        return None

    def _fold(self, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Has the file take in what was removed, so that its room is used again. Holds COMMITs up meanwhile.

        Returns:
            False where it has to be tried again.
        """
        try:
            cursor.execute("checkpoint")
        except duckdb.TransactionException:  # something else is being written: at the next look
            log.debug("not folded now", exc_info=True)
            return False
        self._is_unfolded = self._must_fold = False
        return True

    def _forget_rollups(self, cursor: duckdb.DuckDBPyConnection, now_ns: int) -> None:
        """Removes roll-ups, markers and notes on removed traces that are older than counts are kept."""
        before_ns = now_ns - int(self._settings.rollup_days * DAY_S * 10**9)
        if not self._settings.rollup_days or before_ns <= 0:
            return
        with transaction(cursor) as tx:
            for statement in _FORGET_ROLLUPS:
                tx.execute(statement, {"before": before_ns // DAY_NS * DAY_NS, "day_ns": DAY_NS})
            tx.execute("delete from store.marker where greatest(at_ns, received_ns) < ?", [before_ns])
            tx.execute(
                "delete from store.removed_trace where removed_ns < $before and coalesce(list_max(days), 0) < $day",
                {"before": before_ns, "day": before_ns // DAY_NS},
            )


def removed_in_all(cursor: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """What was removed so far, by reason."""
    rows = cursor.execute(_TOTALS).fetchall()
    return {reason: dict(zip(("runs", "spans", "records", "bytes"), sums, strict=True)) for reason, *sums in rows}


def traces_of(cursor: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, list[str]]:
    """The runs that have one of these run or trace ids, with all their traces."""
    return dict(cursor.execute(_TRACES_OF, {"ids": list(ids)}).fetchall())


def _oldest(cursor: duckdb.DuckDBPyConnection, before_ns: int) -> dict[str, list[str]]:
    """The next runs that received nothing since, longest ago first: as many as one bite takes."""
    runs: dict[str, list[str]] = {}
    spans = 0
    for run_id, trace_ids, count in cursor.execute(_OLDEST, {"before": before_ns, "runs": BITE_RUNS}).fetchall():
        runs[run_id] = trace_ids
        spans += count
        if spans >= BITE_SPANS:
            break
    return runs


def _never_settled(cursor: duckdb.DuckDBPyConnection, before_ns: int) -> dict[str, list[str]]:
    """Traces whose spans were received before and could never be settled."""
    rows = cursor.execute(_NEVER_SETTLED, {"before": before_ns, "traces": BITE_RUNS}).fetchall()
    return {trace_id: [trace_id] for (trace_id,) in rows}


def _excess_spans(cursor: duckdb.DuckDBPyConnection, max_gib: float) -> int:
    """How many of the oldest spans have to go for the store to be at most that large; 0 where it is."""
    ((used, spans),) = cursor.execute(_SIZE).fetchall()
    limit = max_gib * 2**30
    return 0 if used <= limit else max(1, int(spans * (1 - (1 - ROOM) * limit / used)))


def _remove(
    cursor: duckdb.DuckDBPyConnection, reason: RemovalReason, run_ids: Iterable[str], trace_ids: Iterable[str]
) -> Removed:
    runs, traces = list(run_ids), list(trace_ids)
    now_ns = time.time_ns()
    with transaction(cursor) as tx:
        ((first, last),) = tx.execute(_RECEIVED_BETWEEN, {"traces": traces}).fetchall()
        of_traces = {"traces": traces, "first": first, "last": last}
        ((spans, size),) = tx.execute(_SPANS_SIZE, of_traces).fetchall()
        tx.execute(_NOTE, {"traces": traces, "runs": runs, "reason": reason, "day_ns": DAY_NS, "now": now_ns})
        tx.execute(_DELETE_SPANS, of_traces)
        ((records,),) = tx.execute(_DELETE_EVIDENCE, {"traces": traces}).fetchall()
        for statement in _DELETE_OF_TRACES:
            tx.execute(statement, {"traces": traces})
        ((count,),) = tx.execute(_DELETE_RUNS, {"runs": runs}).fetchall()
        for statement in _DELETE_OF_RUNS:
            tx.execute(statement, {"runs": runs})
        _count(tx, reason, now_ns, (count, spans, records, size))
    return Removed(count, spans)


def _remove_loose(cursor: duckdb.DuckDBPyConnection, before_ns: int, now_ns: int) -> None:
    """Removes old evidence that no trace ever came for."""
    with transaction(cursor) as tx:
        ((records,),) = tx.execute(_DELETE_LOOSE_EVIDENCE, {"before": before_ns}).fetchall()
        if records:
            _count(tx, RemovalReason.AGE, now_ns, (0, 0, records, 0))


def _count(tx: duckdb.DuckDBPyConnection, reason: str, now_ns: int, counts: Sequence[int]) -> None:
    tx.execute(_UPSERT, [now_ns // MINUTE_NS * MINUTE_NS, reason, *counts])


_OLDEST: Final = """
with one as (
    select run_id, trace_ids, spans, last_received_ns from store.run where last_received_ns < $before
    union all
    select trace_id, [trace_id], spans, last_received_ns
    from store.trace where run_id is null and last_received_ns < $before
)
select run_id, trace_ids, spans from one order by last_received_ns, run_id limit $runs
"""

_NEVER_SETTLED: Final = """
select distinct trace_id from store.span
where received_ns < $before and trace_id not in (select trace_id from store.trace)
limit $traces
"""

_TRACES_OF: Final = """
select run_id, trace_ids from store.run
where run_id in (select unnest($ids)) or list_has_any(trace_ids, $ids)
union all
select trace_id, [trace_id] from store.trace where run_id is null and trace_id in (select unnest($ids))
"""

_SIZE: Final = """
select used_blocks * block_size, (select count(*) from store.span)
from pragma_database_size() where database_name = current_database()
"""

_RECEIVED_BETWEEN: Final = """
select coalesce(min(first_received_ns), 0), coalesce(max(last_received_ns), 18446744073709551615)::ubigint
from store.trace where trace_id in (select unnest($traces))
"""

_SPANS_SIZE: Final = """
select count(*), coalesce(sum(strlen(attributes) + coalesce(strlen(events), 0) + coalesce(strlen(links), 0)), 0)::bigint
from store.span where received_ns between $first and $last and trace_id in (select unnest($traces))
"""

_NOTE: Final = """
with started as (
    select run_id, start_ns from store.run where outcome <> 'open' and run_id in (select unnest($runs))
    union all
    select o.run_id, o.start_ns from store.operation o join store.run r using (run_id)
    where r.outcome <> 'open' and o.run_id in (select unnest($runs))
),
     touched as (select run_id, list(distinct (start_ns // $day_ns)::integer) as days from started group by run_id)
insert into store.removed_trace
select n.trace_id, t.run_id, $reason, coalesce(d.days, []), $now
from (select unnest($traces) as trace_id) n
left join store.trace t using (trace_id)
left join touched d on d.run_id = t.run_id
"""

_DELETE_SPANS: Final = (
    "delete from store.span where received_ns between $first and $last and trace_id in (select unnest($traces))"
)
_DELETE_EVIDENCE: Final = "delete from store.evidence where trace_id in (select unnest($traces))"
_DELETE_OF_TRACES: Final = (
    "delete from store.trace where trace_id in (select unnest($traces))",
    "delete from store.trace_key where trace_id in (select unnest($traces))",
)
_DELETE_RUNS: Final = "delete from store.run where run_id in (select unnest($runs))"
_DELETE_OF_RUNS: Final = tuple(
    f"delete from store.{table} where run_id in (select unnest($runs))"  # noqa: S608 - our own table names
    for table in ("step", "operation", "failure", "verdict")
)

_DELETE_LOOSE_EVIDENCE: Final = """
delete from store.evidence
where received_ns < $before and trace_id not in (select trace_id from store.trace)
"""

_FORGET_ROLLUPS: Final = tuple(
    f"delete from store.{table}{level} where bucket_ns < $before and bucket_ns // $day_ns not in ("  # noqa: S608
    "select start_ns // $day_ns from store.run where start_ns < $before "
    "union select start_ns // $day_ns from store.operation where start_ns < $before)"
    for table in MEASURES
    for level, _ in LEVELS
)
"""What a stored run counts in stays: settling it again takes that back."""

_UPSERT: Final = """
insert into store.removal values (?, ?, ?, ?, ?, ?)
on conflict do update set runs = runs + excluded.runs, spans = spans + excluded.spans,
                          records = records + excluded.records, bytes = bytes + excluded.bytes
"""

_TOTALS: Final = """
select reason, sum(runs)::bigint, sum(spans)::bigint, sum(records)::bigint, sum(bytes)::bigint
from store.removal group by reason order by reason
"""
