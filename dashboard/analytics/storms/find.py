"""Storms in a span of time, all of its windows at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.storms.calls import Counts, Failures, Key, Series
from dashboard.analytics.storms.episodes import Episode, Found, State, Status, triggered
from dashboard.analytics.storms.limits import Limits
from dashboard.analytics.storms.windows import highest_within, windows

SUMMED: Final = ("operations", "attempts", "failed", "recovered", "wasted_ns", "wasted_tokens", "wasted_nano_usd")
DECIMALS: Final = 6  # of an excess: what is less apart is equal


def find(
    calls: Iterable[Series],
    failures: Mapping[Key, Failures] | None = None,
    until_ns: int | None = None,
    most_tries: Mapping[Key, int] | None = None,
    limits: Limits | None = None,
    judged_since_ns: int = 0,
) -> Found:
    """The storms in buckets of calls.

    Args:
        calls: one of each key, not empty; buckets begin at multiples of the limits' bucket from the first on. Taken one
            by one: each is forgotten before the next.
        failures: what tells triggers.
        until_ns: end of the last whole bucket; by default of the last one with calls.
        most_tries: what the keys were seen to take before; beside what `calls` hold.
        judged_since_ns: from when on to tell how much could be judged; keys without calls since then have no share.
    """
    limits = limits or Limits()
    if until_ns is None:
        calls = list(calls)
        until_ns = max((int(one.buckets_ns[-1]) for one in calls), default=0) + limits.bucket_ns
    named: list[Episode] = []
    shown: list[Episode] = []
    states: dict[Key, State] = {}
    judged: dict[Key, float] = {}
    for series in calls:
        key, skipped = series.key, int(judged_since_ns - series.buckets_ns[0]) // limits.bucket_ns
        if int(series.operations.sum()) < limits.least_operations:  # thousands of names, of a fan-out, say
            states[key] = "too few to tell"
            if series.buckets_ns[-1] + limits.reach_ns > judged_since_ns:
                judged[key] = 0.0
            continue
        one = _Seen.of(series, until_ns, (most_tries or {}).get(key, 0), limits)
        states[key] = one.state
        share = one.judged(max(0, skipped))
        if share is not None:
            judged[key] = share
        storms, looks = list(one.episodes("storm")), list(one.episodes("look"))
        named += [*storms, *looks]
        shown += [*storms, *(look for look in looks if not any(_overlap(storm, look) for storm in storms))]
    complete = [
        replace(one, spread=keys) if keys else one for one, keys in zip(shown, _beside(shown, named), strict=True)
    ]
    complete.sort(key=lambda one: (one.onset_ns, one.key))
    return Found(triggered(complete, failures or {}), states, judged)


class _Seen(NamedTuple):
    """What the windows of one key show, at the end of each bucket from its first on."""

    series: Series
    limits: Limits
    at: Counts
    """Which bucket each row of the series is, from the first on."""
    storms: NDArray[np.bool_]
    looks: NDArray[np.bool_]
    """Those that are storms, too."""
    amplification: NDArray[np.float64]
    threshold: NDArray[np.float64]
    state: State
    """At the last end."""
    totals: Counts
    """What `SUMMED` came to before each row, and after the last."""
    in_reach: NDArray[np.bool_]
    """Whether there were any calls …"""
    enough: NDArray[np.bool_]
    """… and operations enough to judge by."""

    @classmethod
    def of(cls, series: Series, until_ns: int, most_tries: int, limits: Limits) -> "_Seen":
        """Looks at all ends at once."""
        first_ns, grain = int(series.buckets_ns[0]), limits.bucket_ns
        at = (series.buckets_ns - first_ns) // grain
        ends = max((until_ns - first_ns) // grain, int(at[-1]))
        dense = np.zeros((4, ends + 1), np.int64)
        dense[:, at] = np.stack((series.operations, series.attempts, np.ones_like(at), series.most_tries))
        reached, lately, seen = windows(dense[:3, :ends], limits)
        enough = reached.operations >= limits.least_operations
        times, now = (held.attempts / np.maximum(held.operations, 1) for held in (reached, lately))
        tries = np.maximum(highest_within(dense[3, :ends], limits.tries_ns // grain), most_tries)
        threshold = limits.storms_at(tries)
        storms = enough & (times >= threshold) & (now >= threshold)
        state: State = "too few to tell"
        if ends and enough[-1]:
            state = "storm" if storms[-1] else "look" if times[-1] >= limits.look else "quiet"
        totals = np.zeros((len(SUMMED), len(at) + 1), np.int64)
        np.cumsum(np.stack([getattr(series, name) for name in SUMMED]), axis=1, out=totals[:, 1:])
        return cls(
            series,
            limits,
            at,
            storms,
            storms | (enough & (times >= limits.look)),
            times,
            threshold,
            state,
            totals,
            seen > 0,
            enough,
        )

    def judged(self, first: int) -> float | None:
        """Share of the ends from this one on with calls in reach that had enough operations to judge by, if any."""
        ends = int(self.in_reach[first:].sum())
        return int(self.enough[first:].sum()) / ends if ends else None

    def episodes(self, status: Status) -> Iterator[Episode]:
        """From where on it held, most likely, to where it did no more, in order."""
        holds = self.storms if status == "storm" else self.looks
        ends = np.flatnonzero(holds) + 1
        free = 0  # the first bucket that belongs to no episode before
        for stretch in np.split(ends, np.flatnonzero(np.diff(ends) > self.limits.quiet_evaluations) + 1):
            held, first, stop = self._begun(stretch, free)
            if not len(held):
                continue
            threshold = float(self.threshold[held[0] - 1]) if status == "storm" else self.limits.look
            first = stop - 1 - int(np.argmax(self._excess(first, stop, threshold)[::-1].cumsum().round(DECIMALS)))
            closed = int(held[-1]) + self.limits.quiet_evaluations
            is_over = closed <= len(holds)
            stop = int(np.searchsorted(self.at, min(closed, len(holds))))
            if is_over:
                stop = first + 1 + int(np.argmax(self._excess(first, stop, threshold).cumsum().round(DECIMALS)))
                free = int(self.at[stop - 1]) + 1
            yield self._episode(status, first, stop, held, threshold, is_over=is_over)

    def _begun(self, stretch: Counts, free: int) -> tuple[Counts, int, int]:
        """What is left of a stretch from where a window holds more than the episode before, and the rows in that."""
        for place, opened in enumerate(stretch.tolist()):
            earliest = max(opened - self.limits.onset_reach_ns // self.limits.bucket_ns, free)
            first, stop = np.searchsorted(self.at, (earliest, opened)).tolist()
            if first < stop:
                return stretch[place:], first, stop
        return stretch[:0], 0, 0

    def _excess(self, first: int, stop: int, threshold: float) -> NDArray[np.float64]:
        """Attempts beyond the middle between no retries and the threshold."""
        excess: NDArray[np.float64] = (
            self.series.attempts[first:stop] - self.series.operations[first:stop] * (1 + threshold) / 2
        )
        return excess

    def _episode(
        self, status: Status, first: int, stop: int, held: Counts, threshold: float, *, is_over: bool
    ) -> Episode:
        """Of these rows; `held`: the ends at which it held."""
        series, grain = self.series, self.limits.bucket_ns
        peak = int(held[np.argmax(self.amplification[held - 1])])
        operations, attempts, failed, recovered, wasted_ns, wasted_tokens, wasted_nano_usd = (
            self.totals[:, stop] - self.totals[:, first]
        ).tolist()
        begin_ns = int(series.buckets_ns[0])
        return Episode(
            key=series.key,
            status=status,
            onset_ns=int(series.buckets_ns[first]),
            peak_ns=begin_ns + peak * grain,
            end_ns=int(series.buckets_ns[stop - 1]) + grain if is_over else None,
            noticed_ns=begin_ns + int(held[0]) * grain,
            threshold=threshold,
            peak_amplification=float(self.amplification[peak - 1]),
            amplification=attempts / operations,
            operations=operations,
            attempts=attempts,
            failed=failed,
            recovered=recovered,
            wasted_ns=wasted_ns,
            wasted_tokens=wasted_tokens,
            wasted_usd=wasted_nano_usd / 1e9,
            workflows=series.hit(first, stop),
        )


def _beside(shown: Sequence[Episode], named: Sequence[Episode]) -> Iterator[tuple[Key, ...]]:
    """Of each shown episode the other keys with one that it shares some time with."""
    keys = sorted({one.key for one in named})
    begins, ends = np.array([one.onset_ns for one in shown]), np.array([one.end_ns or inf for one in shown])
    meets = np.zeros((len(keys), len(shown)), bool)
    of_key: dict[Key, list[Episode]] = {key: [] for key in keys}
    for one in named:
        of_key[one.key].append(one)
    for number, key in enumerate(keys):
        onsets = np.sort([one.onset_ns for one in of_key[key]])
        overs = np.sort([one.end_ns or inf for one in of_key[key]])
        # What is over when it begins has begun before it is over.
        meets[number] = np.searchsorted(onsets, ends, "left") > np.searchsorted(overs, begins, "right")
    for place, one in enumerate(shown):
        yield tuple(keys[number] for number in np.flatnonzero(meets[:, place]).tolist() if keys[number] != one.key)


def _overlap(one: Episode, other: Episode) -> bool:
    return one.onset_ns < (other.end_ns or inf) and other.onset_ns < (one.end_ns or inf)
