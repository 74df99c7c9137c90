"""Storms while they go on, bucket by bucket."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from dashboard.analytics.storms.calls import Calls, Failures, Key, both
from dashboard.analytics.storms.episodes import Episode, Evaluation, Found, State, Status, triggered
from dashboard.analytics.storms.limits import Limits


class Watch:
    """Storms while they go on: give it each bucket when it is over."""

    def __init__(self, limits: Limits | None = None, most_tries: Mapping[Key, int] | None = None) -> None:
        self.limits = limits or Limits()
        self._most_tries = most_tries or {}
        self._series: dict[Key, _Series] = {}

    def advance(self, calls: Iterable[Calls], until_ns: int, worth: Mapping[Key, Sequence[int]] | None = None) -> None:
        """Takes the calls of the buckets since the last time, all of them over at `until_ns`.

        Args:
            worth: of some keys, in order, the only ends of buckets at which something can begin. What else they hold is
                passed over, so that `found` knows neither their last state nor how many could be judged.
        """
        by_key: dict[Key, dict[int, Calls]] = {}
        for row in calls:
            buckets, at_ns = by_key.setdefault(row.key, {}), row.bucket_ns
            buckets[at_ns] = both(buckets[at_ns], row) if at_ns in buckets else row
        for key, buckets in by_key.items():
            if key not in self._series:
                self._series[key] = _Series(key, self.limits, self._most_tries.get(key, 0))
                self._series[key].worth = (worth or {}).get(key)
            for bucket_ns in sorted(buckets):
                self._series[key].advance(bucket_ns)
                self._series[key].take(buckets[bucket_ns])
        for series in self._series.values():
            series.advance(until_ns)

    def found(self, failures: Iterable[Failures] = ()) -> Found:
        """Everything so far."""
        every = [episode for series in self._series.values() for episode in series.episodes()]
        storms: dict[Key, list[Episode]] = {}
        for one in every:
            if one.status == "storm":
                storms.setdefault(one.key, []).append(one)
        shown = [
            one
            for one in every
            if one.status == "storm" or not any(_overlap(storm, one) for storm in storms.get(one.key, ()))
        ]
        complete = [
            replace(one, spread=tuple(sorted(keys - {one.key})))
            for one, keys in zip(shown, _keys_beside(shown, every), strict=True)
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
        self.worth: Sequence[int] | None = None
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
            if self.worth is not None and not self._is_on:
                following = bisect_left(self.worth, end_ns)
                last_ns = until_ns - (until_ns - end_ns) % bucket_ns
                end_ns = min([*self.worth[following : following + 1], last_ns + bucket_ns])
                if end_ns > last_ns:
                    self._evaluated_ns = last_ns
                    return
            while self._recent and self._recent[0].bucket_ns < end_ns - reach_ns:
                self._recent.popleft()
            if not self._recent and not self._is_on:
                self._evaluated_ns = until_ns - (until_ns - self._evaluated_ns) % bucket_ns  # nothing to evaluate
                self.last = Evaluation(self._evaluated_ns, "too few to tell", None, 0, inf)
                return
            self._evaluate(end_ns)
            self._evaluated_ns = end_ns

    @property
    def _is_on(self) -> bool:
        return any(tracker.is_on for tracker in self._trackers)

    def episodes(self) -> list[Episode]:
        """Over and going on."""
        return [episode for tracker in self._trackers for episode in tracker.episodes(self._key)]

    def _evaluate(self, end_ns: int) -> None:
        while self._tries and self._tries[0][0] < end_ns - self.limits.tries_ns:
            self._tries.popleft()
        most_tries = max(self._floor_tries, self._tries[0][1] if self._tries else 0)
        evaluation = _evaluation(self._recent, end_ns, self.limits.storm_at(most_tries), self.limits)
        if self._recent and self._recent[-1].bucket_ns >= end_ns - self.limits.reach_ns:
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
        elif not holds:
            return
        else:
            fresh = [row for row in recent if row.bucket_ns >= self._free_ns]
            if not fresh:  # the window may still hold what belongs to the episode before
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
            total = both(total, row)
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


def _keys_beside(shown: Sequence[Episode], every: Sequence[Episode]) -> Iterator[set[Key]]:
    """Of each shown episode the keys of those that it shares some time with, its own among them."""
    onsets = np.array([one.onset_ns for one in every], np.float64)
    ends = np.array([one.end_ns or inf for one in every], np.float64)
    for one in shown:
        beside = np.flatnonzero((onsets < (one.end_ns or inf)) & (ends > one.onset_ns)).tolist()
        yield {every[index].key for index in beside}


def _overlap(one: Episode, other: Episode) -> bool:
    return one.onset_ns < (other.end_ns or inf) and other.onset_ns < (one.end_ns or inf)
