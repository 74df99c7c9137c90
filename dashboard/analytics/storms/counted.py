"""Counts of one key over a window, all windows of it at once: where to look closer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.storms.limits import TINY, Limits

Counts = NDArray[np.int64]


def reached(counts: Counts, limits: Limits) -> tuple[Counts, Counts, Counts]:
    """Operations and attempts of the windows that `Watch` takes, and how many buckets with calls lie in reach.

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


def worth_a_look(operations: Counts, attempts: Counts, limits: Limits) -> NDArray[np.bool_]:
    """Which windows are worth a look, at least."""
    return (operations >= limits.least_operations) & (attempts >= (limits.least - TINY) * operations)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of one key over a window: enough to tell where to look closer, without what a storm cost."""

    since_ns: int
    until_ns: int
    buckets_ns: Counts
    """Whole ones of the limits from `since_ns` on, in any order, each once: all in reach of enough second tries."""
    operations: Counts
    attempts: Counts
    """Of each of these buckets."""
    again_ns: Counts
    """The buckets in which an operation was tried again, in any order, each once."""
    tries: Counts
    """Attempts of the operation with the most of them in each of those."""
    limits: Limits

    def near(self) -> list[tuple[int, int]]:
        """The stretches, half-open, around all that is worth a look: their calls show the same as all calls."""
        grain, before = self.limits.bucket_ns, self.limits.onset_reach_ns + self.limits.reach_ns
        dense = np.stack([self._dense(self.buckets_ns, column) for column in (self.operations, self.attempts)])
        every = np.concatenate((dense, dense[:1] > 0))
        looks = np.zeros(every.shape[1], bool)
        while True:  # what is left out must not let a window look worse than it was: then that is kept, too
            ends = np.flatnonzero(looks)
            steps = np.zeros(len(looks) + 1, np.int64)
            np.add.at(steps, np.maximum(ends + 1 - before // grain, 0), 1)
            np.add.at(steps, np.minimum(ends + 1 + 2 * self.limits.reach_ns // grain, len(looks)), -1)
            kept = np.cumsum(steps[:-1]) > 0
            shown = every if not len(ends) else every * kept
            operations, attempts, _ = reached(np.pad(shown, ((0, 0), (0, 1))), self.limits)
            more = worth_a_look(operations, attempts, self.limits) & ~looks
            if not more.any():
                break
            looks |= more
        edges = np.flatnonzero(np.diff(kept, prepend=False, append=False)) * grain + self.since_ns
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

    def most_tries(self, before: int) -> Counts:
        """Of each bucket of the window, from the first on: the most tries of an operation in it and the days before.

        Args:
            before: the most in the days before the window.
        """
        length = self.limits.tries_ns // self.limits.bucket_ns
        tries = np.maximum(self._dense(self.again_ns, self.tries), 1)  # where nothing was tried again: once
        blocks = np.pad(tries, (length - 1, -(len(tries) + length - 1) % length)).reshape(-1, length)
        since_begin = np.maximum.accumulate(blocks, axis=1).ravel()
        until_end = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
        most = np.maximum(until_end[: len(tries)], since_begin[length - 1 : length - 1 + len(tries)])
        return np.maximum(most, before)

    def _dense(self, buckets_ns: Counts, column: Counts) -> Counts:
        dense = np.zeros((self.until_ns - self.since_ns) // self.limits.bucket_ns, np.int64)
        dense[(buckets_ns - self.since_ns) // self.limits.bucket_ns] = column
        return dense
