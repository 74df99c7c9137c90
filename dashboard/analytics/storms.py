"""Retry storms: when attempts outran operations, from when to when, what set it off and what it cost.

Over time they are found in 5-minute buckets of calls, per step and per shared dependency, with the same code whether
the buckets come all at once (`find`) or one after another (`Watch`). Within one run they are found in its operations.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import Any, Final, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.storms import StormSettings

MINUTE_NS: Final = 60 * 10**9
MOST_ENDS: Final = 200_000  # of buckets that are looked at all at once: two years
TINY: Final = 1e-6  # attempts: more than what rounding loses, less than one
LOOP_TIMES: Final = 3  # the same call with the same answer; other observers draw the line there, too

Row = Mapping[str, Any]
Counts = NDArray[np.int64]
Number = TypeVar("Number", int, float)
Status = Literal["storm", "look"]
State = Literal["storm", "look", "quiet", "too few to tell"]


class Key(NamedTuple):
    """What calls were counted for: a step of a workflow, or a model, tool or provider of all (workflow '')."""

    workflow: str
    dimension: str
    name: str


class Calls(NamedTuple):
    """Calls of one key that began in one bucket. Waste is None where it is not known."""

    key: Key
    bucket_ns: int
    operations: int
    attempts: int
    failed: int = 0
    recovered: int = 0
    wasted_ns: int | None = None
    wasted_tokens: int | None = None
    wasted_usd: float | None = None
    most_tries: int = 0
    """Attempts of the operation with the most of them; 0: not known."""
    workflows: tuple[str, ...] = ()
    """Whose operations were tried again."""


class Failures(NamedTuple):
    """How often one code was seen for a key in a bucket."""

    key: Key
    bucket_ns: int
    code: str
    failures: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on it is a storm. Where they come from: docs/concepts.md, Retry storms."""

    bucket_ns: int = 5 * MINUTE_NS
    window_ns: int = 10 * MINUTE_NS
    reach_ns: int = 30 * MINUTE_NS
    """How far back to reach where the window holds too little."""
    least_operations: int = 20
    storm: float = 2.0
    storm_share: float = 0.75
    """Of the retries that are allowed, where those are too few to double the load."""
    look: float = 1.3
    quiet_evaluations: int = 2
    onset_reach_ns: int = 120 * MINUTE_NS
    """How long before it is noticed a storm can have begun."""
    tries_ns: int = 7 * 24 * 60 * MINUTE_NS
    """How far back to look for the most tries of an operation."""
    in_run_attempts: int = 5
    """Of one operation …"""
    in_run_ns: int = MINUTE_NS
    """… within this time are a storm of their run."""

    @classmethod
    def of(cls, asked: StormSettings) -> "Limits":
        """The limits that the settings ask for."""
        return cls(
            window_ns=asked.window_minutes * MINUTE_NS,
            reach_ns=max(asked.reach_minutes, asked.window_minutes) * MINUTE_NS,
            least_operations=asked.least_operations,
            storm=asked.amplification,
            storm_share=asked.share_of_retries,
            look=asked.look,
            in_run_attempts=asked.in_run_attempts,
            in_run_ns=round(asked.in_run_seconds * 10**9),
        )

    @property
    def least(self) -> float:
        """The amplification of anything that is worth a look."""
        return min(self.look, self.storm_at(2))

    @property
    def least_extra(self) -> int:
        """Tries beyond the first that the smallest window worth a look holds."""
        return ceil(self.least * self.least_operations - TINY) - self.least_operations

    def storm_at(self, most_tries: int) -> float:
        """The amplification of a storm where operations were seen to take up to so many tries; none without retries."""
        return inf if most_tries < 2 else min(self.storm, 1 + self.storm_share * (most_tries - 1))


@dataclass(frozen=True, slots=True)
class Episode:
    """One storm, or one stretch that is worth a look."""

    key: Key
    status: Status
    onset_ns: int
    peak_ns: int
    """End of the window with the highest amplification."""
    end_ns: int | None
    """None: still on."""
    noticed_ns: int
    """End of the bucket that gave it away."""
    threshold: float
    peak_amplification: float
    amplification: float
    """Over the whole episode."""
    operations: int
    attempts: int
    failed: int
    recovered: int
    wasted_ns: int | None
    wasted_tokens: int | None
    wasted_usd: float | None
    trigger: str | None = None
    """The first failure code in it."""
    spread: tuple[Key, ...] = ()
    """What else was in a storm or worth a look in the same time."""
    workflows: tuple[str, ...] = ()
    """Whose operations were tried again."""

    @property
    def recovered_ratio(self) -> float | None:
        """Share of the operations with a failed first attempt that got through; None where there was none."""
        troubled = self.failed + self.recovered
        return self.recovered / troubled if troubled else None


class Evaluation(NamedTuple):
    """What the end of a bucket showed."""

    at_ns: int
    state: State
    amplification: float | None
    operations: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that a span of time showed."""

    episodes: tuple[Episode, ...]
    """By onset; looks that lie in a storm of the same key are left out."""
    states: Mapping[Key, State]
    """Of each key at the end."""
    judged: Mapping[Key, float]
    """Share of the evaluations that had enough operations to judge by."""


def find(
    calls: Iterable[Calls],
    failures: Iterable[Failures] = (),
    until_ns: int | None = None,
    most_tries: Mapping[Key, int] | None = None,
    limits: Limits | None = None,
) -> Found:
    """The storms in buckets of calls.

    Args:
        calls: in any order; a bucket without calls may be absent. All rows of a key and bucket are added up.
        failures: what tells triggers.
        until_ns: end of the last whole bucket; by default of the last one with calls.
        most_tries: what the keys were seen to take before; beside what `calls` hold.
    """
    watch = Watch(limits or Limits(), most_tries or {})
    by_key: dict[Key, list[Calls]] = {}
    for row in calls:
        by_key.setdefault(row.key, []).append(row)
    if until_ns is None:
        last_ns = max((row.bucket_ns for rows in by_key.values() for row in rows), default=0)
        until_ns = last_ns + watch.limits.bucket_ns
    calm = {key: _calm(rows, until_ns, watch.limits) for key, rows in by_key.items()}
    watch.advance((row for key, rows in by_key.items() if calm[key] is None for row in rows), until_ns)
    found = watch.found(failures)
    known = {key: one for key, one in calm.items() if one is not None}
    return Found(
        found.episodes,
        {**found.states, **{key: state for key, (state, _) in known.items()}},
        {**found.judged, **{key: ratio for key, (_, ratio) in known.items()}},
    )


def triggered(episodes: Iterable[Episode], failures: Iterable[Failures]) -> tuple[Episode, ...]:
    """The episodes, each with the first failure code in it; of those in one bucket the most frequent."""
    codes: dict[Key, list[tuple[int, int, str]]] = {}
    for row in failures:
        codes.setdefault(row.key, []).append((row.bucket_ns, -row.failures, row.code))
    for seen in codes.values():
        seen.sort()
    return tuple(replace(one, trigger=_trigger(one, codes.get(one.key, []))) for one in episodes)


def _calm(rows: Sequence[Calls], until_ns: int, limits: Limits) -> tuple[State, float] | None:
    """State and share of judged evaluations of a key that never came near a look; None: it has to be watched.

    All ends at once: 28 days of 50 keys cost .2 s instead of 13.
    """
    first, grain = min(row.bucket_ns for row in rows), limits.bucket_ns
    at = np.array([(row.bucket_ns - first) // grain for row in rows])
    ends = max((until_ns - first) // grain, int(at.max()))
    if ends > MOST_ENDS or any((row.bucket_ns - first) % grain for row in rows):
        return None
    columns = [row.operations for row in rows], [row.attempts for row in rows], [1] * len(rows)
    counts = np.array([np.bincount(at, column, ends + 1) for column in columns]).astype(np.int64)
    operations, attempts, seen = _reached(counts, limits)
    judged = operations >= limits.least_operations
    if np.any(_looks(operations, attempts, limits)):
        return None
    evaluations = int((seen > 0).sum())
    state: State = "quiet" if len(judged) and judged[-1] else "too few to tell"
    return state, int(judged.sum()) / evaluations if evaluations else 0.0


def _reached(counts: Counts, limits: Limits) -> tuple[Counts, Counts, Counts]:
    """Operations and attempts of the windows that `_evaluation` takes, and how many buckets with calls lie in reach.

    At the end of each bucket but the last.

    Args:
        counts: operations, attempts and whether there are any, in each bucket.
    """
    total = np.concatenate((np.zeros((3, 1), np.int64), np.cumsum(counts, axis=1)), axis=1)
    stop = np.arange(1, counts.shape[1])
    narrow, wide = limits.window_ns // limits.bucket_ns, limits.reach_ns // limits.bucket_ns
    operations, attempts, seen = total[:, stop] - total[:, np.maximum(stop - narrow, 0)]
    for length in range(narrow + 1, wide + 1):
        reached = total[:, stop] - total[:, np.maximum(stop - length, 0)]
        short = operations < limits.least_operations
        operations, attempts = np.where(short, reached[0], operations), np.where(short, reached[1], attempts)
        seen = reached[2]
    return operations, attempts, seen


def _looks(operations: Counts, attempts: Counts, limits: Limits) -> NDArray[np.bool_]:
    """Which windows are worth a look, at least."""
    return (operations >= limits.least_operations) & (attempts >= (limits.least - TINY) * operations)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of one key over a window: enough to tell where to look closer, without what a storm cost."""

    since_ns: int
    until_ns: int
    buckets_ns: Counts
    """In whole buckets of the limits from `since_ns` on, in any order, each once; so are the columns below."""
    operations: Counts
    attempts: Counts
    tries: Counts
    """Attempts of the operation with the most of them."""
    limits: Limits

    def near(self) -> list[tuple[int, int]]:
        """The stretches, half-open, around all that is worth a look: their calls show the same as all calls."""
        grain, before = self.limits.bucket_ns, self.limits.onset_reach_ns + self.limits.reach_ns
        dense = np.stack([self._dense(column) for column in (self.operations, self.attempts)])
        every = np.concatenate((dense, dense[:1] > 0))
        looks = np.zeros(every.shape[1], bool)
        while True:  # what is left out must not let a window look worse than it was: then that is kept, too
            ends = np.flatnonzero(looks)
            steps = np.zeros(len(looks) + 1, np.int64)
            np.add.at(steps, np.maximum(ends + 1 - before // grain, 0), 1)
            np.add.at(steps, np.minimum(ends + 1 + 2 * self.limits.reach_ns // grain, len(looks)), -1)
            kept = np.cumsum(steps[:-1]) > 0
            shown = every if not len(ends) else every * kept
            operations, attempts, _ = _reached(np.pad(shown, ((0, 0), (0, 1))), self.limits)
            more = _looks(operations, attempts, self.limits) & ~looks
            if not more.any():
                break
            looks |= more
        edges = np.flatnonzero(np.diff(kept, prepend=False, append=False)) * grain + self.since_ns
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

    def most_tries(self, before: int) -> dict[int, int]:
        """Of each bucket with calls: the most tries of an operation in it and the days before.

        Args:
            before: the most in the days before the window.
        """
        length = self.limits.tries_ns // self.limits.bucket_ns
        tries = self._dense(self.tries)
        blocks = np.pad(tries, (length - 1, -(len(tries) + length - 1) % length)).reshape(-1, length)
        since_begin = np.maximum.accumulate(blocks, axis=1).ravel()
        until_end = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
        most = np.maximum(until_end[: len(tries)], since_begin[length - 1 : length - 1 + len(tries)])
        return dict(zip(self.buckets_ns.tolist(), np.maximum(most, before)[self._at()].tolist(), strict=True))

    def _at(self) -> Counts:
        return (self.buckets_ns - self.since_ns) // self.limits.bucket_ns

    def _dense(self, column: Counts) -> Counts:
        dense = np.zeros((self.until_ns - self.since_ns) // self.limits.bucket_ns, np.int64)
        dense[self._at()] = column
        return dense


def calls_of(rows: Iterable[Row]) -> list[Calls]:
    """Rows of `queries/calls_near_retries.sql`; columns that are missing or NULL are not known."""
    return [
        Calls(
            Key(row.get("workflow") or "", row["dimension"], row["name"]),
            row["bucket_ns"],
            row["operations"],
            row["attempts"],
            row.get("failed") or 0,
            row.get("recovered") or 0,
            row.get("wasted_ns"),
            row.get("wasted_tokens"),
            row.get("wasted_usd"),
            row.get("most_tries") or 0,
            tuple(row.get("workflows") or ()),
        )
        for row in rows
    ]


# ---- bucket by bucket ------------------------------------------------------------------------------------------------


class Watch:
    """Storms while they go on: give it each bucket when it is over."""

    def __init__(self, limits: Limits | None = None, most_tries: Mapping[Key, int] | None = None) -> None:
        self.limits = limits or Limits()
        self._most_tries = most_tries or {}
        self._series: dict[Key, _Series] = {}

    def advance(self, calls: Iterable[Calls], until_ns: int) -> None:
        """Takes the calls of the buckets since the last time, all of them over at `until_ns`."""
        buckets: dict[tuple[Key, int], Calls] = {}
        for row in calls:
            at = row.key, row.bucket_ns
            buckets[at] = _sum(buckets[at], row) if at in buckets else row
        for key, bucket_ns in sorted(buckets, key=lambda at: at[1]):
            if key not in self._series:
                self._series[key] = _Series(key, self.limits, self._most_tries.get(key, 0))
            self._series[key].advance(bucket_ns)
            self._series[key].take(buckets[key, bucket_ns])
        for series in self._series.values():
            series.advance(until_ns)

    def found(self, failures: Iterable[Failures] = ()) -> Found:
        """Everything so far."""
        every = [episode for series in self._series.values() for episode in series.episodes()]
        storms = [episode for episode in every if episode.status == "storm"]
        shown = storms + [
            look
            for look in every
            if look.status == "look" and not any(s.key == look.key and _overlap(s, look) for s in storms)
        ]
        complete = [
            replace(one, spread=tuple(sorted({o.key for o in every if o.key != one.key and _overlap(o, one)})))
            for one in shown
        ]
        complete.sort(key=lambda one: (one.onset_ns, one.key))
        return Found(
            triggered(complete, failures),
            {key: series.last.state for key, series in self._series.items()},
            {key: series.judged_ratio for key, series in self._series.items()},
        )


class _Series:
    """One key's recent buckets and what goes on in them."""

    def __init__(self, key: Key, limits: Limits, most_tries: int) -> None:
        self.limits = limits
        self.last = Evaluation(0, "too few to tell", None, 0, inf)
        self._key = key
        self._floor_tries = most_tries
        self._tries: deque[tuple[int, int]] = deque()  # (bucket, most tries), tries falling: the first is the most
        self._recent: deque[Calls] = deque()
        self._trackers = (_Tracker("storm", limits), _Tracker("look", limits))
        self._evaluated_ns: int | None = None
        self._evaluations = self._judged = 0

    @property
    def judged_ratio(self) -> float:
        return self._judged / self._evaluations if self._evaluations else 0.0

    def take(self, calls: Calls) -> None:
        """The calls of the next bucket."""
        if self._evaluated_ns is None:
            self._evaluated_ns = calls.bucket_ns
        if calls.bucket_ns < self._evaluated_ns:
            raise ValueError(f"bucket {calls.bucket_ns} of {self._key.name} was evaluated at {self._evaluated_ns}")
        self._recent.append(calls)
        while self._tries and self._tries[-1][1] <= calls.most_tries:
            self._tries.pop()
        self._tries.append((calls.bucket_ns, calls.most_tries))

    def advance(self, until_ns: int) -> None:
        """Evaluates the end of each bucket up to `until_ns`."""
        if self._evaluated_ns is None:
            return
        bucket_ns, reach_ns = self.limits.bucket_ns, self.limits.onset_reach_ns
        while self._evaluated_ns + bucket_ns <= until_ns:
            end_ns = self._evaluated_ns + bucket_ns
            while self._recent and self._recent[0].bucket_ns < end_ns - reach_ns:
                self._recent.popleft()
            if not self._recent and not any(tracker.is_on for tracker in self._trackers):
                self._evaluated_ns = until_ns - (until_ns - self._evaluated_ns) % bucket_ns  # nothing to evaluate
                self.last = Evaluation(self._evaluated_ns, "too few to tell", None, 0, inf)
                return
            self._evaluate(end_ns)
            self._evaluated_ns = end_ns

    def episodes(self) -> list[Episode]:
        """Over and going on."""
        return [episode for tracker in self._trackers for episode in tracker.episodes(self._key)]

    def _evaluate(self, end_ns: int) -> None:
        while self._tries and self._tries[0][0] < end_ns - self.limits.tries_ns:
            self._tries.popleft()
        most_tries = max(self._floor_tries, self._tries[0][1] if self._tries else 0)
        evaluation = _evaluation(self._recent, end_ns, self.limits.storm_at(most_tries), self.limits)
        if any(calls.bucket_ns >= end_ns - self.limits.reach_ns for calls in self._recent):
            self._evaluations += 1
            self._judged += evaluation.state != "too few to tell"
        self.last = evaluation
        bucket_ns = end_ns - self.limits.bucket_ns
        calls = self._recent[-1] if self._recent and self._recent[-1].bucket_ns == bucket_ns else None
        for tracker in self._trackers:
            tracker.step(evaluation, calls, self._recent)


@dataclass(slots=True)
class _Tracker:
    """The state machine of one status: off, on, off after so many evaluations below."""

    status: Status
    limits: Limits
    is_on: bool = False
    _rows: list[Calls] = field(default_factory=list)
    _opened: Evaluation | None = None
    _peak: Evaluation | None = None
    _below: int = 0
    _free_ns: int = 0
    """End of the episode before; the next begins no earlier."""
    _over: list[Episode] = field(default_factory=list)

    def step(self, evaluation: Evaluation, calls: Calls | None, recent: Sequence[Calls] | deque[Calls]) -> None:
        holds = evaluation.state == "storm" or (self.status == "look" and evaluation.state == "look")
        if self.is_on:
            if calls is not None:
                self._rows.append(calls)
        else:
            fresh = [row for row in recent if row.bucket_ns >= self._free_ns]
            if not holds or not fresh:  # the window may still hold what belongs to the episode before
                return
            self._opened = self._peak = evaluation
            self.is_on = True
            self._rows = self._since_onset(fresh)
        self._below = 0 if holds else self._below + 1
        if holds and self._peak and (evaluation.amplification or 0) > (self._peak.amplification or 0):
            self._peak = evaluation
        if self._below >= self.limits.quiet_evaluations:
            self._close()

    def episodes(self, key: Key) -> list[Episode]:
        closed = [replace(one, key=key) for one in self._over]
        return [*closed, replace(self._episode(self._rows, None), key=key)] if self.is_on else closed

    def _excess(self, calls: Calls) -> float:
        """Attempts beyond the middle between no retries and the threshold."""
        assert self._opened
        threshold = self._opened.threshold if self.status == "storm" else self.limits.look
        return calls.attempts - calls.operations * (1 + threshold) / 2

    def _since_onset(self, rows: list[Calls]) -> list[Calls]:
        """From the row on that maximises the sum of the excess up to now: there the level changed, most likely."""
        best, first, total = -inf, len(rows) - 1, 0.0
        for index in range(len(rows) - 1, -1, -1):
            total += self._excess(rows[index])
            if total > best:
                best, first = total, index
        return rows[first:]

    def _close(self) -> None:
        """Ends where the sum of the excess since the onset was highest."""
        best, last, total = -inf, 0, 0.0
        for index, calls in enumerate(self._rows):
            total += self._excess(calls)
            if total > best:
                best, last = total, index
        rows = self._rows[: last + 1]
        self._free_ns = rows[-1].bucket_ns + self.limits.bucket_ns
        self._over.append(self._episode(rows, self._free_ns))
        self.is_on, self._rows, self._below, self._opened, self._peak = False, [], 0, None, None

    def _episode(self, rows: Sequence[Calls], end_ns: int | None) -> Episode:
        assert self._opened
        assert self._peak
        total = rows[0]
        for row in rows[1:]:
            total = _sum(total, row)
        return Episode(
            key=total.key,
            status=self.status,
            onset_ns=rows[0].bucket_ns,
            peak_ns=self._peak.at_ns,
            end_ns=end_ns,
            noticed_ns=self._opened.at_ns,
            threshold=self._opened.threshold if self.status == "storm" else self.limits.look,
            peak_amplification=self._peak.amplification or 0.0,
            amplification=total.attempts / total.operations,
            operations=total.operations,
            attempts=total.attempts,
            failed=total.failed,
            recovered=total.recovered,
            wasted_ns=total.wasted_ns,
            wasted_tokens=total.wasted_tokens,
            wasted_usd=total.wasted_usd,
            workflows=total.workflows,
        )


def _evaluation(recent: Sequence[Calls] | deque[Calls], end_ns: int, threshold: float, limits: Limits) -> Evaluation:
    """The last ten minutes, and as far back as it takes to have enough operations."""
    operations = attempts = lately_operations = lately_attempts = 0
    for row in reversed(recent):
        age_ns = end_ns - row.bucket_ns
        if age_ns > limits.reach_ns or (age_ns > limits.window_ns and operations >= limits.least_operations):
            break
        operations += row.operations
        attempts += row.attempts
        if age_ns <= limits.window_ns:
            lately_operations, lately_attempts = operations, attempts
    if operations < limits.least_operations:
        return Evaluation(end_ns, "too few to tell", None, operations, threshold)
    reached = attempts / operations
    lately = lately_attempts / lately_operations if lately_operations else 0.0
    state: State = "quiet"
    if reached >= threshold and lately >= threshold:
        state = "storm"
    elif reached >= limits.look:
        state = "look"
    return Evaluation(end_ns, state, reached, operations, threshold)


def _sum(one: Calls, other: Calls) -> Calls:
    return one._replace(
        operations=one.operations + other.operations,
        attempts=one.attempts + other.attempts,
        failed=one.failed + other.failed,
        recovered=one.recovered + other.recovered,
        wasted_ns=_known(one.wasted_ns, other.wasted_ns),
        wasted_tokens=_known(one.wasted_tokens, other.wasted_tokens),
        wasted_usd=_known(one.wasted_usd, other.wasted_usd),
        most_tries=max(one.most_tries, other.most_tries),
        workflows=tuple(sorted({*one.workflows, *other.workflows})),
    )


def _known(one: Number | None, other: Number | None) -> Number | None:
    """The sum of what is known."""
    return one if other is None else other if one is None else one + other


def _overlap(one: Episode, other: Episode) -> bool:
    return one.onset_ns < (other.end_ns or inf) and other.onset_ns < (one.end_ns or inf)


def _trigger(episode: Episode, codes: Sequence[tuple[int, int, str]]) -> str | None:
    """The first code from the onset on; of those in one bucket the most frequent."""
    first = bisect_left(codes, (episode.onset_ns,))
    if first == len(codes) or codes[first][0] >= (episode.end_ns or inf):
        return None
    return codes[first][2]


# ---- within one run --------------------------------------------------------------------------------------------------


class InRunStorm(NamedTuple):
    """One operation that was tried again and again within a minute."""

    run_id: str
    operation_id: str
    name: str
    attempts: int
    """Within the minute that held most of them; at least, where only the operation's own times are known."""
    start_ns: int


class Loop(NamedTuple):
    """The same call with the same answer, again and again."""

    run_id: str
    name: str
    times: int
    start_ns: int


def in_run_storms(
    operations: Iterable[Row], starts_ns: Mapping[str, Sequence[int]] | None = None, limits: Limits | None = None
) -> list[InRunStorm]:
    """Operations with 5 or more attempts within 60 s (or what the limits say), in order of their start.

    Args:
        operations: rows with run_id, operation_id, name, attempts, start_ns, end_ns.
        starts_ns: when the attempts of an operation began, by operation_id. Without them (hidden in one span) it is
            what one minute must have held at least.
    """
    limits, found = limits or Limits(), []
    for row in operations:
        starts = sorted((starts_ns or {}).get(row["operation_id"], ()))
        if len(starts) == row["attempts"]:
            most = max(bisect_right(starts, start + limits.in_run_ns) - index for index, start in enumerate(starts))
        elif row["end_ns"] is not None:
            most = ceil(row["attempts"] / max(1, ceil((row["end_ns"] - row["start_ns"]) / limits.in_run_ns)))
        else:
            continue
        if most >= limits.in_run_attempts:
            found.append(InRunStorm(row["run_id"], row["operation_id"], row["name"], most, row["start_ns"]))
    return sorted(found, key=lambda storm: (storm.start_ns, storm.operation_id))


def loops(operations: Iterable[Row]) -> list[Loop]:
    """Calls that were made three times or more in one run with the same arguments and the same answer.

    Polling changes its answer and pagination its arguments, so neither is one; nor is what failed, that is a retry.

    Args:
        operations: rows with run_id, name, outcome, start_ns, input_hash, output_hash; NULL hashes are not known.
    """
    seen: dict[tuple[str, str, str, str], list[int]] = {}
    for row in operations:
        if row["outcome"] != "failed" and row["input_hash"] and row["output_hash"]:
            call = row["run_id"], row["name"], row["input_hash"], row["output_hash"]
            seen.setdefault(call, []).append(row["start_ns"])
    found = [Loop(run, name, len(at), min(at)) for (run, name, _, _), at in seen.items() if len(at) >= LOOP_TIMES]
    return sorted(found, key=lambda loop: (loop.start_ns, loop.run_id, loop.name))
