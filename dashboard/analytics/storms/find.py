"""Storms in a span of time, all at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from dashboard.analytics.storms.calls import Calls, Failures, Key
from dashboard.analytics.storms.counted import reached, worth_a_look
from dashboard.analytics.storms.episodes import Found, State
from dashboard.analytics.storms.limits import Limits
from dashboard.analytics.storms.watch import Watch

MOST_ENDS: Final = 200_000  # of buckets that are looked at all at once: two years


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
    outlines = {key: _outline(rows, until_ns, watch.limits) for key, rows in by_key.items()}
    restless = {key: one for key, one in outlines.items() if one is None or one.worth}
    worth = {key: one.worth for key, one in restless.items() if one is not None}
    watch.advance((row for key in restless for row in by_key[key]), until_ns, worth)
    found = watch.found(failures)
    known = {key: one for key, one in outlines.items() if one is not None}
    states = {key: one.state for key, one in known.items() if until_ns not in one.worth}
    return Found(
        found.episodes,
        {**found.states, **states},
        {**found.judged, **{key: one.judged for key, one in known.items()}},
    )


class _Outline(NamedTuple):
    """What the counts of a key tell without watching it."""

    worth: tuple[int, ...]
    """The ends of windows that are worth a look: nothing begins at any other."""
    state: State
    """At the last end, if that is not worth a look."""
    judged: float
    """Share of the evaluations that had enough operations to judge by."""


def _outline(rows: Sequence[Calls], until_ns: int, limits: Limits) -> _Outline | None:
    """All ends at once: 28 days of 50 keys that are calm cost .2 s instead of 13. None: every end has to be watched."""
    first, grain = min(row.bucket_ns for row in rows), limits.bucket_ns
    at = np.array([(row.bucket_ns - first) // grain for row in rows])
    ends = max((until_ns - first) // grain, int(at.max()))
    if ends > MOST_ENDS or any((row.bucket_ns - first) % grain for row in rows):
        return None
    columns = [row.operations for row in rows], [row.attempts for row in rows], [1] * len(rows)
    counts = np.array([np.bincount(at, column, ends + 1) for column in columns]).astype(np.int64)
    operations, attempts, seen = reached(counts, limits)
    judged = operations >= limits.least_operations
    worth = np.flatnonzero(worth_a_look(operations, attempts, limits))
    evaluations = int((seen > 0).sum())
    return _Outline(
        tuple((first + (worth + 1) * grain).tolist()),
        "quiet" if len(judged) and judged[-1] else "too few to tell",
        int(judged.sum()) / evaluations if evaluations else 0.0,
    )
