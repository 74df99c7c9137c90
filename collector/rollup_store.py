"""Keeps the roll-ups of the store: adds and takes back with each settling, folds, and makes them anew when asked.

`store.meta` says from which run on the roll-ups hold everything: a rebuild goes from the newest run to the oldest, and
runs that are settled meanwhile are counted at once on this side of the mark, and by the rebuild on the other. Days that
count runs which were removed since cannot be made anew: a rebuild leaves them alone, and settling keeps them right.

While more is to be settled, what was just settled waits a moment and goes into the roll-ups with what comes next: six
tables cost the same to append to whether for 1,000 spans or for 10,000. `store.meta` names the runs that wait.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.database import append, transaction
from collector.rollup import MEASURES, Derived, deltas
from collector.store import Store
from schemas.settings import Settings

log = logging.getLogger(__name__)

ROLLUP_VERSION: Final = 2
"""Of what `collector.rollup` computes; roll-ups of another version are made anew. 1: the first; 2: steps that begin at
the same moment stand in reading order."""

WAIT_S: Final = 3.0
"""How long runs wait at most for their place in the roll-ups, while more come. A second less costs a sixth more; pages
ask for what rests on them every 15 s."""
MOST_WAITING: Final = 5_000
"""Runs that wait at most."""

FOLD_EVERY_S: Final = 120.0
FOLD_ROWS: Final = 30_000
"""Rows that are not folded yet: reading them costs more than folding them."""

CHUNK_RUNS: Final = 2_000
"""Runs of one step of a rebuild: about a quarter of a second."""

LEVELS: Final = (("", 300 * 10**9), ("_hour", 3_600 * 10**9), ("_day", 86_400 * 10**9))
"""What the name of a roll-up's table ends with, and the width of its buckets in ns (UTC)."""

KEY: Final = "rollups"
"""Of the row of `store.meta` that holds how far the roll-ups reach."""

DAY_NS: Final = LEVELS[-1][1]

NEWEST: Final = 2**64 - 1


class Mark(NamedTuple):
    """Runs from here on are in the roll-ups: by start, then by id."""

    start_ns: int
    run_id: str


EVERYTHING: Final = Mark(0, "")
NOTHING: Final = Mark(NEWEST, "~")


class Waiting(NamedTuple):
    """What was settled and is in no roll-up yet."""

    parts: tuple[Derived, ...] = ()
    since_s: float = 0.0

    def with_part(self, part: Derived) -> "Waiting":
        """What waits when this does too."""
        return Waiting((*self.parts, part), self.since_s or time.monotonic())

    def are_due(self) -> bool:
        """They have waited long enough, or are many."""
        return time.monotonic() >= self.since_s + WAIT_S or sum(part.run.num_rows for part in self.parts) > MOST_WAITING

    def run_ids(self) -> list[str]:
        """The runs."""
        return [run_id for part in self.parts for run_id in part.run.column("run_id").to_pylist()]


class Rollups:
    """The roll-ups of an open store. Belongs to the settling thread; `left` may be read from any."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._fold_at_s = time.monotonic() + FOLD_EVERY_S
        self.loose_rows = sum(_count(cursor, _LOOSE[table]) for table in MEASURES)
        """Not folded yet."""
        state = dict(cursor.execute("select key, value from store.meta where key = ?", [KEY]).fetchall())
        told = json.loads(state.get(KEY, "null")) or {}
        self._kept_days = _kept_days(cursor)
        self.waiting = Waiting()
        """Set it to what `replace` gives back, once its transaction is committed."""
        self._mark = Mark(told["start_ns"], told["run_id"]) if told.get("version") == ROLLUP_VERSION else NOTHING
        if told.get("version") != ROLLUP_VERSION:
            self.start_anew(cursor)
        elif told.get("waiting"):
            with transaction(cursor) as tx:
                self.waiting = Waiting((_stored(tx, told["waiting"], 0),))
            self.write_waiting(cursor)

    @property
    def is_whole(self) -> bool:
        """Every run that should be in the roll-ups is."""
        return self._mark == EVERYTHING

    def start_anew(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Forgets the roll-ups: `rebuild_some` makes them again from what is stored of the runs.

        Of days that count runs which were removed they stay.
        """
        self.write_waiting(cursor)
        with transaction(cursor) as tx:
            self._kept_days = _kept_days(tx)
            for statement in _FORGET:
                tx.execute(statement, {"day_ns": DAY_NS, "kept": sorted(self._kept_days)})
            self._mark = self._save(tx, NOTHING if _count(tx, "select count(*) from store.run") else EVERYTHING)
        self.loose_rows = sum(_count(cursor, _LOOSE[table]) for table in MEASURES)

    def replace(
        self, tx: duckdb.DuckDBPyConnection, old: Sequence[str], since_ns: int, settled: Derived, *, may_wait: bool
    ) -> Waiting:
        """Takes back what runs had added and adds what they add now. Call before their old rows are deleted.

        Args:
            tx: the transaction that replaces the rows.
            old: ids of the closed runs that are replaced.
            since_ns: none of them began before.
            settled: the runs that take their place, and others.
            may_wait: more is to be settled, so that these may go into the roll-ups with the next ones.

        Returns:
            what waits then; `state` says it in words to be stored in the same transaction.
        """
        waiting = self.waiting.with_part(settled)
        if may_wait and self.is_whole and not old and not waiting.are_due():
            return waiting
        replaced = [_stored(tx, old, since_ns)] if old else []
        if self.is_whole:
            self._append(tx, deltas(waiting.parts, replaced))
            return Waiting()
        held, others = self._parted(waiting.parts)
        held_before, others_before = self._parted(replaced)
        self._append(tx, deltas(held, held_before))
        if self._kept_days:
            self._append(tx, self._of_days(deltas(others, others_before), are_kept=True))
        return Waiting()

    def write_waiting(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Adds what waits."""
        if self.waiting.parts:
            with transaction(cursor) as tx:
                self._append(tx, deltas(self.waiting.parts))
                self._save(tx, self._mark)
            self.waiting = Waiting()

    def rebuild_some(self, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Adds the next runs that the roll-ups lack, newest first. -> False where none is left."""
        if self.is_whole:
            return False
        with transaction(cursor) as tx:
            runs = tx.execute(_NEXT_RUNS, {**self._mark._asdict(), "runs": CHUNK_RUNS}).fetchall()
            if runs:
                run_ids = [run_id for run_id, _, _ in runs]
                found = _stored_between(tx, run_ids, runs[-1][1], max(end for _, _, end in runs))
                self._append(tx, self._of_days(deltas([found]), are_kept=False))
            mark = self._save(tx, Mark(runs[-1][1], runs[-1][0]) if len(runs) == CHUNK_RUNS else EVERYTHING)
        self._mark = mark
        return not self.is_whole

    def fold_if_due(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Folds what has gathered, every two minutes or when it is much."""
        if self.loose_rows and (time.monotonic() >= self._fold_at_s or self.loose_rows > FOLD_ROWS):
            self.fold(cursor)

    def fold(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Sums up what has gathered into rows of 5 minutes, of hours and of days; one row a key and level."""
        with transaction(cursor) as tx:
            for table in MEASURES:
                for statement in _FOLD[table]:
                    tx.execute(statement)
        self.loose_rows = 0
        self._fold_at_s = time.monotonic() + FOLD_EVERY_S

    def _parted(self, parts: Sequence[Derived]) -> tuple[list[Derived], list[Derived]]:
        """The runs that the roll-ups hold, and those that a rebuild will come to."""
        are_held = []
        for run, *_ in parts:
            starts = zip(run.column("start_ns").to_pylist(), run.column("run_id").to_pylist(), strict=True)
            are_held.append(np.array([start >= self._mark for start in starts], np.bool_))
        both = list(zip(parts, are_held, strict=True))
        return [part.only(is_held) for part, is_held in both], [part.only(~is_held) for part, is_held in both]

    def _of_days(self, found: Mapping[str, pa.Table], *, are_kept: bool) -> dict[str, pa.Table]:
        """The rows that fall on days which a rebuild keeps as they are, or on all others."""
        kept = np.array(sorted(self._kept_days), np.uint64)
        return {
            table: rows.filter(np.isin(rows.column("bucket_ns").to_numpy() // DAY_NS, kept, invert=not are_kept))
            for table, rows in found.items()
        }

    def _append(self, tx: duckdb.DuckDBPyConnection, found: Mapping[str, pa.Table]) -> None:
        for table, rows in found.items():
            level = pa.array(np.zeros(rows.num_rows, np.uint8))
            append(tx, f"store.{table}", rows.add_column(0, "level", level))
            self.loose_rows += rows.num_rows

    def state(self, waiting: Waiting) -> str:
        """What `store.meta` is to hold under KEY while these runs wait."""
        return _state(self._mark, waiting)

    def _save(self, tx: duckdb.DuckDBPyConnection, mark: Mark) -> Mark:
        tx.execute("insert or replace into store.meta values (?, ?)", [KEY, _state(mark, Waiting())])
        return mark


def _state(mark: Mark, waiting: Waiting) -> str:
    return json.dumps({"version": ROLLUP_VERSION, **mark._asdict(), "waiting": waiting.run_ids()})


def rebuild_rollups(settings: Settings) -> None:
    """Makes the roll-ups of a store anew while no collector runs on it.

    Raises:
        CollectorError: the store cannot be used, by another process for instance.
    """
    store = Store.open(settings)
    try:
        with store.cursor() as cursor:
            rollups = Rollups(cursor)
            rollups.start_anew(cursor)
            while rollups.rebuild_some(cursor):
                rollups.fold_if_due(cursor)
            rollups.fold(cursor)
    finally:
        store.close()


def _stored_between(tx: duckdb.DuckDBPyConnection, run_ids: Sequence[str], since_ns: int, until_ns: int) -> Derived:
    """Everything that is stored of some runs, looked for between the start of the first and the end of the last.

    A long history is read once in all that way. Where a run says it has more (a step began after its run's end), all
    that was stored since is looked through.
    """
    found = _stored(tx, run_ids, since_ns, until_ns)
    said = tuple(pc.sum(found.run.column(name)).as_py() or 0 for name in ("steps", "operations"))
    if said == (found.step.num_rows, found.operation.num_rows):
        return found
    return _stored(tx, run_ids, since_ns)


def _stored(tx: duckdb.DuckDBPyConnection, run_ids: Sequence[str], since_ns: int, until_ns: int = NEWEST) -> Derived:
    """What is stored of some runs and their parts that began between two moments, both included."""
    given = {"runs": run_ids, "since": since_ns, "until": until_ns}
    whole = {name: given[name] for name in ("runs", "since")}
    return Derived(
        tx.sql(_RUNS, params=given).to_arrow_table(),
        tx.sql(_STEPS, params=given).to_arrow_table(),
        tx.sql(_OPERATIONS, params=given).to_arrow_table(),
        tx.sql(_FAILURES, params=whole).to_arrow_table(),
    )


def _kept_days(cursor: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """Days since 1970 (UTC) whose roll-ups count runs that were removed."""
    days = cursor.execute("select distinct unnest(days) from store.removed_trace").fetchall()
    return frozenset(day for (day,) in days)


def _count(cursor: duckdb.DuckDBPyConnection, question: str) -> int:
    ((number,),) = cursor.execute(question).fetchall()
    return int(number)


_RUNS: Final = """
from store.run
where start_ns between $since and $until and run_id in (select unnest($runs))
order by run_id
"""
_STEPS: Final = """
from store.step
where start_ns between $since and $until and run_id in (select unnest($runs))
order by run_id, position
"""
_OPERATIONS: Final = """
select o.*
from store.operation o join store.step s on s.run_id = o.run_id and s.span_id = o.operation_id
where o.start_ns between $since and $until and o.run_id in (select unnest($runs))
  and s.start_ns between $since and $until and s.run_id in (select unnest($runs))
order by o.run_id, s.position
"""
_FAILURES: Final = """
from store.failure
where at_ns >= $since and run_id in (select unnest($runs))
"""
"""A failure may be told of long after its run; there are few."""

_NEXT_RUNS: Final = """
select run_id, start_ns, greatest(start_ns, coalesce(end_ns, 0)) as end_ns
from store.run
where start_ns < $start_ns or (start_ns = $start_ns and run_id < $run_id)
order by start_ns desc, run_id desc
limit $runs
"""

_KEYS: Final = {
    "rollup_run": "workflow, workflow_version, environment, outcome, verdict, layer_a, layer_b, code, failing_step",
    "rollup_step": "workflow, workflow_version, environment, scope, node, step, kind",
    "rollup_edge": "workflow, workflow_version, environment, scope, from_node, to_node, exit",
    "rollup_latency": "workflow, workflow_version, environment, scope, step, octave_8",
    "rollup_call": "workflow, workflow_version, environment, step, name, kind, tool, model, provider, tries",
    "rollup_failure": "workflow, workflow_version, environment, step, code, layer_a, layer_b, certainty, severity, "
    "recovered, silent",
}
_SUMS: Final = {
    "rollup_run": "runs rescued operations attempts tokens_input tokens_output cost_nano_usd duration_ns model_ns "
    "tool_ns retrieval_ns critical_wasted_ns",
    "rollup_step": "operations first_good good trials trials_first_good trials_good attempts runs self_ns duration_ns "
    "wasted_ns critical_ns critical_runs model_ns tool_ns retrieval_ns critical_wasted_ns tokens_input tokens_output "
    "cost_nano_usd",
    "rollup_edge": "transitions",
    "rollup_latency": "observations",
    "rollup_call": "operations recovered failed wasted_ns wasted_tokens wasted_nano_usd",
    "rollup_failure": "failures runs",
}


def _fold(table: str) -> list[str]:
    """The statements that fold one table, from our own names only."""
    keys, sums = _KEYS[table], _SUMS[table].split()
    summed = ", ".join(f"sum({name})::bigint as {name}" for name in sums)
    is_left = " or ".join(f"{name} <> 0" for name in sums)
    held = ", ".join(sums)
    folded = [
        f"select '{level}' as level, bucket_ns // {width} * {width} as bucket_ns, {keys}, {held} from loose "  # noqa: S608
        f"union all select '{level}', bucket_ns, {keys}, {held} from store.{table}{level} "
        f"where {'level = 1 and ' if not level else ''}bucket_ns in (select bucket_ns // {width} * {width} from loose)"
        for level, width in LEVELS
    ]
    touched = "bucket_ns in (select distinct bucket_ns from folded where level = '{}')"
    return [
        f"create or replace temp table folded as with loose as materialized (select bucket_ns, {keys}, {summed} "  # noqa: S608
        f"from store.{table} where level = 0 group by all) "
        f"select level, bucket_ns, {keys}, {summed} from ({' union all '.join(folded)}) group by all",
        f"delete from store.{table} where level = 0",  # noqa: S608
        *(f"delete from store.{table}{level} where {touched.format(level)}" for level, _ in LEVELS),  # noqa: S608
        f"insert into store.{table} by name select * replace (1 as level) from folded "  # noqa: S608
        f"where level = '' and ({is_left}) order by bucket_ns",
        *(
            f"insert into store.{table}{level} by name select * exclude (level) from folded "  # noqa: S608
            f"where level = '{level}' and ({is_left}) order by bucket_ns"
            for level, _ in LEVELS[1:]
        ),
    ]


_FOLD: Final = {table: _fold(table) for table in MEASURES}
_FORGET: Final = tuple(
    f"delete from store.{table}{level} where bucket_ns // $day_ns not in (select unnest($kept::ubigint[]))"  # noqa: S608
    for table in MEASURES
    for level, _ in LEVELS
)
_LOOSE: Final = {table: "select count(*) from store." + table + " where level = 0" for table in MEASURES}  # noqa: S608
