"""Calls and failures as they are counted: of one key, by bucket."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Names = NDArray[np.object_]


class Key(NamedTuple):
    """What calls were counted for: a step of a workflow, or a model, tool or provider of all (workflow '')."""

    workflow: str
    dimension: str
    name: str


@dataclass(frozen=True, slots=True)
class Series:
    """The calls of one key in the buckets that have some, in order of time, each once."""

    key: Key
    buckets_ns: Counts
    operations: Counts
    attempts: Counts
    failed: Counts
    recovered: Counts
    most_tries: Counts
    """Attempts of the operation with the most of them; 0: not known."""
    wasted_ns: Counts
    wasted_tokens: Counts
    wasted_nano_usd: Counts
    again_ns: Counts
    """Buckets in which an operation was tried again, in order; the same one several times, …"""
    again_in: Names
    """… each with the workflow of the operation."""

    def hit(self, first: int, stop: int) -> tuple[str, ...]:
        """Whose operations were tried again in these buckets."""
        ends = np.searchsorted(self.again_ns, (self.buckets_ns[first], self.buckets_ns[stop - 1] + 1)).tolist()
        return tuple(sorted(set(self.again_in[slice(*ends)].tolist())))


class Failures(NamedTuple):
    """How often which code was seen for a key, in order of time; several times of one bucket and code add up."""

    buckets_ns: Counts
    codes: Names
    failures: Counts

    def first(self, since_ns: int, until_ns: float) -> str | None:
        """The first code in [since, until); of those in one bucket the most frequent."""
        at, stop = np.searchsorted(self.buckets_ns, (since_ns, until_ns)).tolist()
        while at < stop:
            end = min(stop, int(np.searchsorted(self.buckets_ns, self.buckets_ns[at], "right")))
            counted: dict[Any, int] = {}
            for code, failures in zip(self.codes[at:end].tolist(), self.failures[at:end].tolist(), strict=True):
                counted[code] = counted.get(code, 0) + failures
            left = [(-failures, code) for code, failures in counted.items() if failures > 0]
            if left:
                code = min(left)[1]
                return str(code)
            at = end
        return None
