"""What the windows of one key hold, all of them at once."""

from typing import NamedTuple

import numpy as np

from dashboard.analytics.storms.calls import Counts
from dashboard.analytics.storms.limits import Limits


class Held(NamedTuple):
    """What each window holds."""

    operations: Counts
    attempts: Counts


def windows(counts: Counts, limits: Limits) -> tuple[Held, Held, Counts]:
    """At the end of each bucket what is judged, what the last minutes hold, and how many buckets in reach have calls.

    Judged are the last minutes, and as far back as it takes to have enough operations.

    Args:
        counts: operations, attempts and whether there are any, in each bucket.
    """
    narrow, wide = limits.window_ns // limits.bucket_ns, limits.reach_ns // limits.bucket_ns
    length = counts.shape[1]
    total = np.zeros((3, wide + length + 1), np.int64)
    np.cumsum(counts, axis=1, out=total[:, wide + 1 :])

    def last(buckets: int) -> Counts:
        held: Counts = total[:, wide + 1 :] - total[:, wide + 1 - buckets : wide + 1 - buckets + length]
        return held

    lately = last(narrow)
    operations, attempts = lately[0].copy(), lately[1].copy()
    for buckets in range(narrow + 1, wide + 1):
        short = operations < limits.least_operations
        if not short.any():
            break
        reached = last(buckets)
        operations[short], attempts[short] = reached[0][short], reached[1][short]
    return Held(operations, attempts), Held(lately[0], lately[1]), last(wide)[2]


def highest_within(numbers: Counts, length: int) -> Counts:
    """The highest of each number, none below 0, and those before it, so many in all."""
    blocks = np.pad(numbers, (length - 1, -(len(numbers) + length - 1) % length)).reshape(-1, length)
    since_begin = np.maximum.accumulate(blocks, axis=1).ravel()
    until_end = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    highest: Counts = np.maximum(until_end[: len(numbers)], since_begin[length - 1 : length - 1 + len(numbers)])
    return highest
