"""Counts of one key over a window: where to look closer."""

from dataclasses import dataclass

import numpy as np

from dashboard.analytics.storms.calls import Counts
from dashboard.analytics.storms.limits import Limits
from dashboard.analytics.storms.windows import highest_within, worth_a_look


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
        every: Counts = np.concatenate((dense, (dense[:1] > 0).astype(np.int64)))
        looks = worth_a_look(every, self.limits)
        kept = np.zeros(len(looks), bool)
        more = looks
        while more.any():  # what is left out must not let a window look worse than it was: then that is kept, too
            ends = np.flatnonzero(looks)
            steps = np.zeros(len(looks) + 1, np.int64)
            np.add.at(steps, np.maximum(ends + 1 - before // grain, 0), 1)
            np.add.at(steps, np.minimum(ends + 1 + 2 * self.limits.reach_ns // grain, len(looks)), -1)
            kept = np.cumsum(steps[:-1]) > 0
            more = worth_a_look(np.where(kept, every, 0), self.limits) & ~looks
            looks |= more
        edges = np.flatnonzero(np.diff(kept, prepend=False, append=False)) * grain + self.since_ns
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

    def most_tries(self, before: int) -> Counts:
        """Of each bucket of the window, from the first on: the most tries of an operation in it and the days before.

        Args:
            before: the most in the days before the window.
        """
        tries = np.maximum(self._dense(self.again_ns, self.tries), 1)  # where nothing was tried again: once
        return np.maximum(highest_within(tries, self.limits.tries_ns // self.limits.bucket_ns), before)

    def _dense(self, buckets_ns: Counts, column: Counts) -> Counts:
        dense = np.zeros((self.until_ns - self.since_ns) // self.limits.bucket_ns, np.int64)
        dense[(buckets_ns - self.since_ns) // self.limits.bucket_ns] = column
        return dense
