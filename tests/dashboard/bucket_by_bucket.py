"""Storms as docs/decisions/053-storm-episodes.md tells of them: a machine that is fed one bucket after another."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

from dashboard.analytics.storms import Key, Limits, Status
from tests.dashboard.calls import Calls


class Named(NamedTuple):
    """An episode."""

    key: Key
    status: Status
    onset_ns: int
    peak_ns: int
    end_ns: int | None
    noticed_ns: int
    peak: float
    operations: int
    attempts: int


def named(calls: Iterable[Calls], until_ns: int, limits: Limits) -> list[Named]:
    """Those that are shown, by onset."""
    of_key: dict[Key, dict[int, Calls]] = {}
    for one in calls:
        of_key.setdefault(one.key, {})[one.bucket_ns] = one
    shown = []
    for buckets in of_key.values():
        storms = list(_episodes("storm", buckets, until_ns, limits))
        looks = list(_episodes("look", buckets, until_ns, limits))
        shown += storms + [look for look in looks if not any(_meet(storm, look) for storm in storms)]
    return sorted(shown, key=lambda one: (one.onset_ns, one.key))


def judged(calls: dict[int, Calls], end_ns: int, limits: Limits) -> tuple[str, float, float]:
    """State, amplification and threshold at the end of a bucket."""
    grain = limits.bucket_ns
    tries = [calls[at].most_tries for at in range(end_ns - limits.tries_ns, end_ns, grain) if at in calls]
    threshold = limits.storm_at(max(tries, default=0))
    operations = attempts = now_operations = now_attempts = 0
    for age_ns in range(grain, limits.reach_ns + 1, grain):
        if age_ns > limits.window_ns and operations >= limits.least_operations:
            break
        if end_ns - age_ns in calls:
            operations += calls[end_ns - age_ns].operations
            attempts += calls[end_ns - age_ns].attempts
        if age_ns <= limits.window_ns:
            now_operations, now_attempts = operations, attempts
    if operations < limits.least_operations:
        return "too few to tell", 0.0, threshold
    times = attempts / operations
    if times >= threshold and now_operations and now_attempts / now_operations >= threshold:
        return "storm", times, threshold
    return ("look" if times >= limits.look else "quiet"), times, threshold


def _episodes(status: Status, calls: dict[int, Calls], until_ns: int, limits: Limits) -> Iterator[Named]:
    grain, free_ns = limits.bucket_ns, 0
    rows: list[Calls] = []
    is_on, below, level, peak, peak_ns, noticed_ns = False, 0, 0.0, 0.0, 0, 0
    for end_ns in range(min(calls) + grain, max(until_ns, *calls) + 1, grain):
        state, times, threshold = judged(calls, end_ns, limits)
        holds = state == "storm" or (status == "look" and state == "look")
        if is_on:
            rows += [calls[end_ns - grain]] if end_ns - grain in calls else []
        elif holds:
            earliest = max(free_ns, end_ns - limits.onset_reach_ns)
            rows = [calls[at] for at in range(earliest, end_ns, grain) if at in calls]
            if rows:
                is_on, level, peak, peak_ns = True, threshold if status == "storm" else limits.look, times, end_ns
                noticed_ns = end_ns
                rows = rows[_highest([_excess(row, level) for row in rows][::-1], from_end=True) :]
        if not is_on:
            continue
        below = 0 if holds else below + 1
        if holds and times > peak:
            peak, peak_ns = times, end_ns
        if below >= limits.quiet_evaluations:
            rows = rows[: _highest([_excess(row, level) for row in rows]) + 1]
            free_ns, is_on, below = rows[-1].bucket_ns + grain, False, 0
            yield _named(status, rows, free_ns, peak_ns, noticed_ns, peak)
    if is_on:
        yield _named(status, rows, None, peak_ns, noticed_ns, peak)


def _named(
    status: Status, rows: Sequence[Calls], end_ns: int | None, peak_ns: int, noticed_ns: int, peak: float
) -> Named:
    operations, attempts = sum(row.operations for row in rows), sum(row.attempts for row in rows)
    return Named(rows[0].key, status, rows[0].bucket_ns, peak_ns, end_ns, noticed_ns, peak, operations, attempts)


def _excess(row: Calls, level: float) -> float:
    return row.attempts - row.operations * (1 + level) / 2


def _highest(excess: Sequence[float], *, from_end: bool = False) -> int:
    """Where the sum is highest, the first of those."""
    best, place, total = -inf, 0, 0.0
    for index, one in enumerate(excess):
        total += one
        if round(total, 6) > best:
            best, place = round(total, 6), index
    return len(excess) - 1 - place if from_end else place


def _meet(one: Named, other: Named) -> bool:
    return one.onset_ns < (other.end_ns or inf) and other.onset_ns < (one.end_ns or inf)
