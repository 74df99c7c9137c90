"""Storms in a span of time, all at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

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
    calm = {key: _calm(rows, until_ns, watch.limits) for key, rows in by_key.items()}
    watch.advance((row for key, rows in by_key.items() if calm[key] is None for row in rows), until_ns)
    found = watch.found(failures)
    known = {key: one for key, one in calm.items() if one is not None}
    return Found(
        found.episodes,
        {**found.states, **{key: state for key, (state, _) in known.items()}},
        {**found.judged, **{key: ratio for key, (_, ratio) in known.items()}},
    )


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
    operations, attempts, seen = reached(counts, limits)
    judged = operations >= limits.least_operations
    if np.any(worth_a_look(operations, attempts, limits)):
        return None
    evaluations = int((seen > 0).sum())
    state: State = "quiet" if len(judged) and judged[-1] else "too few to tell"
    return state, int(judged.sum()) / evaluations if evaluations else 0.0
