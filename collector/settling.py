"""Settles the runs that changed: loads all their spans, calls the pure `settle`, replaces their rows.

Settling gives way to receiving and catches up after a burst. What is not settled yet is never lost: the mark
`settled_until_ns` is moved in the same transaction as the rows, and a restart settles all that came after it. When the
rules change, history is settled again beside that: see `collector.history`.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, NamedTuple

import duckdb

from collector.batch import Written
from collector.database import append, transaction
from collector.gathering import Gatherer, received_since
from collector.history import History, Progress
from collector.retention import Bite, Retention, traces_of
from collector.rollup import Derived
from collector.rollup_store import KEY, Rollups
from collector.rows import to_table
from collector.settle import Settled, rules_id, rules_with, settle
from collector.store import Store
from schemas.settings import Settings
from schemas.taxonomy import Outcome, RemovalReason

log = logging.getLogger(__name__)

TICK_S: Final = 0.2
"""Between two passes: a pass costs about 10 ms of CPU whatever its size."""

RETRY_S: Final = 60.0
STUMBLE_S: Final = 5.0
"""Rest after an error that no run is to blame for, as of a full disk or a store that is just being opened anew."""

MAX_TRACES: Final = 2_000
"""Traces of one pass: small enough that the next burst is not kept waiting."""

REST: Final = 10
"""A run is settled again no sooner than this many times its last settling took."""

YIELD_S: Final = 10.0
"""How long settling steps back at most while requests wait."""


FORGET_WAIT_S: Final = 20.0
"""How long a run that should be forgotten is waited for while it goes on receiving."""


class _Dirty:
    __slots__ = ("first_s", "last_s", "since_ns")

    def __init__(self, now_s: float, since_ns: int) -> None:
        self.first_s = now_s
        self.last_s = now_s
        self.since_ns = since_ns
        """Oldest receipt that is not settled yet."""


class Lag(NamedTuple):
    """How far settling is behind."""

    traces: int
    seconds: float
    """Age of the oldest change that is due and not settled."""


class Forgotten(NamedTuple):
    """What became of the runs that should be forgotten."""

    removed: list[str]
    left: list[str]
    """Runs that go on receiving; ask again."""
    unknown: list[str]
    """Ids of no stored run."""


class Asked:
    """Someone's wish that runs be forgotten."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.answer: Future[Forgotten] = Future()
        self.until_s = time.monotonic() + FORGET_WAIT_S
        self.removed: set[str] = set()
        self.found: set[str] = set()


class Settler:
    """The settling thread."""

    def __init__(self, store: Store, settings: Settings, is_receiving_busy: Callable[[], bool]) -> None:
        self._store = store
        self._settings = settings
        self._rules = rules_with(settings.rules)
        self._is_receiving_busy = is_receiving_busy
        self._lock = threading.Lock()
        self._dirty: dict[str, _Dirty] = {}
        self._not_before_s: dict[str, float] = {}
        self._quiet_at_s: dict[str, float] = {}
        self._last_received_ns = 0
        self._working = False
        self._gatherer: Gatherer | None = None
        self._history: History | None = None
        self._rollups: Rollups | None = None
        self._rebuild_wanted = threading.Event()
        self._retention = Retention(store, settings.retention)
        self._asked: deque[Asked] = deque()
        self._history_at_s = 0.0
        self._yielded_since_s: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="settler")

    def start(self) -> None:
        """Takes up what was left unsettled and starts the thread."""
        with self._store.cursor() as cursor:
            self._history = History(cursor, rules_id(self._settings.rules))
            self._rollups = Rollups(cursor)
            self._gatherer = Gatherer(self._store, self._rules, cursor)
            until = self._store.settled_until_ns()
            left = cursor.execute(_LEFT, {"until": until}).fetchall()
            rootless = cursor.execute(
                "select root_trace_id from store.run where outcome = 'open' and (root_span_id is null or orphans > 0)"
            ).fetchall()
        now = time.monotonic()
        self._last_received_ns = max((last for _, _, last in left), default=until)
        self._dirty = {trace_id: _Dirty(now, since) for trace_id, since, _ in left}
        self._quiet_at_s = {trace_id: now + self._settings.rootless_finish_s for (trace_id,) in rootless}
        self._thread.start()

    def touch(self, written: Written) -> None:
        """These traces changed. Called by the writer after each COMMIT."""
        now = time.monotonic()
        with self._lock:
            self._last_received_ns = written.received_ns
            for trace_id in written.trace_ids:
                dirty = self._dirty.get(trace_id)
                if dirty is None:
                    self._dirty[trace_id] = _Dirty(now, written.received_ns)
                else:
                    dirty.last_s = now

    def lag(self) -> Lag:
        """How far settling is behind now."""
        now = time.monotonic()
        with self._lock:
            oldest = min(
                (d.first_s for t, d in self._dirty.items() if self._not_before_s.get(t, 0) <= now), default=now
            )
            return Lag(len(self._dirty), max(0.0, now - oldest - self._settings.settle_quiet_s))

    @property
    def last_received_ns(self) -> int:
        """When the newest span was received; 0 before the first."""
        return self._last_received_ns

    @property
    def resettling(self) -> Progress | None:
        """How far the present rules have got with what others had settled; None where nothing is left."""
        return self._history.progress if self._history is not None else None

    def is_working(self) -> bool:
        """A pass is being settled now."""
        return self._working

    def stop(self, budget_s: float) -> None:
        """Settles what it can within the budget and ends the thread; the rest is taken up at the next start."""
        self._stop.set()
        self._thread.join()
        deadline = time.monotonic() + budget_s
        while time.monotonic() < deadline and self._dirty:
            if not self._pass(list(self._dirty)[:MAX_TRACES]):
                break
        if self._rollups is not None:
            with suppress(duckdb.Error), self._store.cursor() as cursor:  # else the next start does it
                self._rollups.write_waiting(cursor)

    def _loop(self) -> None:
        while not self._stop.wait(TICK_S):
            try:
                self._turn()
            except Exception:  # a full disk, perhaps: whatever it is, settling must go on when it has passed
                self._working = False
                log.exception("looking after the store failed; next try in %g s", STUMBLE_S)
                self._stop.wait(STUMBLE_S)

    def _turn(self) -> None:
        """Settles what is due and looks after roll-ups and removals, unless ingest needs the machine."""
        now = time.monotonic()
        is_busy = self._is_receiving_busy()
        if is_busy:
            self._yielded_since_s = self._yielded_since_s or now
            if now - self._yielded_since_s < YIELD_S:
                return
        self._yielded_since_s = None
        due = self._due(now)
        if due:
            self._working = True
            self._pass(due)
            self._working = False
        if not is_busy and now >= self._history_at_s:
            self._settle_history()
        if not is_busy:
            self._keep_rollups()
        if self.has_whole_rollups and not self._has_waiting():  # what is removed must have been counted
            self._remove_runs()

    def _settle_history(self) -> None:
        """Settles one chunk of what other rules had settled, then rests for as long as that took."""
        if self.resettling is None or self._history is None:
            return
        started = time.monotonic()
        with self._store.cursor() as cursor:
            chunk = self._history.next_chunk(cursor)
            if chunk:
                self._pass(chunk)
                self._history.chunk_done(cursor, len(chunk))
        now = time.monotonic()
        self._history_at_s = now + (now - started)

    def forget(self, ids: Sequence[str]) -> "Future[Forgotten]":
        """Has the runs removed that have these run or trace ids, as soon as all that came for them is settled."""
        asked = Asked(list(ids))
        self._asked.append(asked)
        return asked.answer

    def _remove_runs(self) -> None:
        """Removes what someone asked to have removed, then some of what retention takes."""
        with self._lock:
            unsettled = frozenset(self._dirty)
        with self._store.cursor() as cursor:
            gone = self._retention.work(cursor, unsettled)
            for _ in range(len(self._asked)):
                gone += self._forget(cursor, self._asked.popleft(), unsettled)
        with self._lock:
            for trace_id in gone:
                for remembered in (self._dirty, self._quiet_at_s, self._not_before_s):
                    remembered.pop(trace_id, None)

    def _forget(self, cursor: duckdb.DuckDBPyConnection, asked: Asked, unsettled: frozenset[str]) -> list[str]:
        try:
            runs = traces_of(cursor, asked.ids)
            gone = self._retention.remove(cursor, Bite(RemovalReason.ASKED, runs), unsettled)
        except Exception as exc:  # whoever asked is told, and settling goes on
            log.exception("runs that should be forgotten could not be removed")
            asked.answer.set_exception(exc)
            return []
        asked.removed.update(run_id for run_id, trace_ids in runs.items() if {*gone} >= {*trace_ids})
        asked.found.update(trace_id for run_id, trace_ids in runs.items() for trace_id in (run_id, *trace_ids))
        left = sorted(runs.keys() - asked.removed)
        if left and time.monotonic() < asked.until_s:
            self._asked.append(asked)
        else:
            unknown = [one for one in asked.ids if one not in asked.found]
            asked.answer.set_result(Forgotten(sorted(asked.removed), left, unknown))
        return gone

    def rebuild_rollups(self) -> None:
        """Has the roll-ups made anew, in the background."""
        self._rebuild_wanted.set()

    @property
    def has_whole_rollups(self) -> bool:
        """The roll-ups hold every run; False while they are made anew."""
        return self._rollups is not None and self._rollups.is_whole and not self._rebuild_wanted.is_set()

    def _keep_rollups(self) -> None:
        """Folds the roll-ups where they are due, and goes on with making them anew."""
        assert self._rollups is not None
        with self._store.cursor() as cursor:
            if self._rebuild_wanted.is_set():
                self._rollups.start_anew(cursor)
                self._rebuild_wanted.clear()
            if self._rollups.waiting.are_due():
                self._rollups.write_waiting(cursor)
            self._rollups.rebuild_some(cursor)
            self._rollups.fold_if_due(cursor)

    def _has_waiting(self) -> bool:
        return self._rollups is not None and bool(self._rollups.waiting.parts)

    def _due(self, now: float) -> list[str]:
        quiet, longest = self._settings.settle_quiet_s, self._settings.settle_max_wait_s
        with self._lock:
            for trace_id, at in list(self._quiet_at_s.items()):
                if at <= now:
                    del self._quiet_at_s[trace_id]
                    self._dirty.setdefault(trace_id, _Dirty(now - longest, self._last_received_ns))
            due = [
                trace_id
                for trace_id, dirty in self._dirty.items()
                if (now - dirty.last_s >= quiet or now - dirty.first_s >= longest)
                and self._not_before_s.get(trace_id, 0.0) <= now
            ]
        return due[:MAX_TRACES]

    def _pass(self, due: list[str]) -> bool:
        """Settles the runs of these traces. -> False where some could not be: they are tried again later."""
        with self._lock:
            taken = {trace_id: self._dirty.pop(trace_id) for trace_id in due if trace_id in self._dirty}
        try:
            with self._store.cursor() as cursor:
                self._settle(cursor, due)
        except Exception:  # one run that cannot be settled must not keep all others from it
            with self._lock:
                for trace_id, dirty in taken.items():
                    self._dirty.setdefault(trace_id, dirty).since_ns = dirty.since_ns
            if len(due) > 1:
                half = len(due) // 2
                return all([self._pass(due[:half]), self._pass(due[half:])])
            log.exception("the run of trace %s could not be settled; next try in %g s", due[0], RETRY_S)
            with self._lock:
                self._not_before_s[due[0]] = time.monotonic() + RETRY_S
            return False
        return True

    def _settle(self, cursor: duckdb.DuckDBPyConnection, due: list[str]) -> None:
        started = time.monotonic()
        quiet_since_ns = time.time_ns() - int(self._settings.rootless_finish_s * 1e9)
        assert self._gatherer is not None
        assert self._rollups is not None
        traces, batch = self._gatherer.gather(cursor, due)
        settled = settle(batch, quiet_since_ns, self._rules)
        with self._lock:
            mark = min((d.since_ns for d in self._dirty.values()), default=self._last_received_ns + 1) - 1
            is_more_due = bool(self._dirty)
        replace(cursor, self._store, self._rollups, traces, settled, mark, may_wait=is_more_due)
        self._after(settled, time.monotonic() - started)

    def _after(self, settled: Settled, took_s: float) -> None:
        finished = {run.run_id for run in settled.run if run.outcome != Outcome.OPEN}
        self._store.mark_finished(row.trace_id for row in settled.trace if row.run_id in finished)
        spans = sum(run.spans for run in settled.run)
        now = time.monotonic()
        with self._lock:
            self._not_before_s = {trace_id: at for trace_id, at in self._not_before_s.items() if at > now}
            for run in settled.run:
                if run.outcome == Outcome.OPEN and (run.root_span_id is None or run.orphans):
                    self._quiet_at_s[run.root_trace_id] = now + self._settings.rootless_finish_s
                rest_s = REST * took_s * run.spans / spans
                if rest_s > TICK_S:
                    self._not_before_s.update(dict.fromkeys(run.trace_ids, now + rest_s))


def forget_runs(settings: Settings, ids: Sequence[str]) -> Forgotten:
    """Removes runs while no collector runs on the store.

    Raises:
        CollectorError: the store cannot be used, by another process for instance.
    """
    store = Store.open(settings)
    try:
        settler = Settler(store, settings, lambda: False)
        settler.start()
        try:
            return settler.forget(ids).result()
        finally:
            settler.stop(0.0)
    finally:
        store.close()


def replace(
    cursor: duckdb.DuckDBPyConnection,
    store: Store,
    rollups: Rollups,
    traces: list[str],
    settled: Settled,
    settled_until_ns: int,
    *,
    may_wait: bool = False,
) -> None:
    """Puts the settled rows in the place of all rows that these traces had, and moves the mark, in one transaction.

    Args:
        may_wait: more is to be settled, so that the roll-ups may wait a moment.
    """
    since_ns = received_since(cursor, store, traces)
    tables = {name: to_table(rows, store.derived_schemas[name]) for name, rows in settled._asdict().items()}
    with transaction(cursor) as tx:
        old = tx.execute(
            "select run_id, start_ns, outcome from store.run "
            "where last_received_ns >= $since and root_trace_id in (select unnest($traces))",
            {"since": since_ns, "traces": traces},
        ).fetchall()
        since = min((start for _, start, _ in old), default=0)
        closed = [run_id for run_id, _, outcome in old if outcome != Outcome.OPEN]
        derived = Derived(*(tables[name] for name in Derived._fields))
        waiting = rollups.replace(tx, closed, since, derived, may_wait=may_wait)
        if old:
            bounds = {"runs": [run_id for run_id, _, _ in old], "start": since}
            for statement in _DELETE_RUNS:
                tx.execute(statement, bounds)
            tx.execute("delete from store.verdict where run_id in (select unnest($runs))", {"runs": bounds["runs"]})
        tx.execute(
            "delete from store.trace where first_received_ns >= $since and trace_id in (select unnest($traces))",
            {"since": since_ns, "traces": traces},
        )
        for name, rows in tables.items():
            if rows.num_rows:
                append(tx, f"store.{name}", rows)
        tx.execute(
            "insert or replace into store.meta values ('settled_until_ns', ?), (?, ?)",
            [str(settled_until_ns), KEY, rollups.state(waiting)],
        )
    rollups.waiting = waiting


_DELETE_RUNS: Final = (
    "delete from store.run where start_ns >= $start and run_id in (select unnest($runs))",
    "delete from store.step where start_ns >= $start and run_id in (select unnest($runs))",
    "delete from store.operation where start_ns >= $start and run_id in (select unnest($runs))",
    "delete from store.failure where at_ns >= $start and run_id in (select unnest($runs))",
)

_LEFT: Final = """
select trace_id, min(received_ns), max(received_ns)
from (select trace_id, received_ns from store.span where received_ns > $until
      union all select trace_id, received_ns from store.evidence where received_ns > $until)
group by trace_id
"""
