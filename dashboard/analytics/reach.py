"""Where in a window a page of runs lies, told from how many there are over time: the rest need not be read."""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any


def reach(
    counts: Iterable[Mapping[str, Any]],
    bucket_ns: int,
    since_ns: int,
    until_ns: int,
    *,
    at_ns: int,
    newer: bool,
    least: int,
) -> tuple[int, int]:
    """The part of a window next to a moment that holds the `least` runs after it or before it, or all that there are.

    Args:
        counts: rows with bucket_ns and runs, in any order; several may be of one bucket.
        bucket_ns: how long a bucket is; the first and the last may reach beyond the window.
        since_ns: begin of the window.
        until_ns: its end.
        at_ns: the moment.
        newer: what began after it rather than before.
        least: how many.
    """
    first, last = (max(since_ns, at_ns), until_ns) if newer else (since_ns, min(until_ns, at_ns + 1))
    rows = sorted(((row["bucket_ns"], row["runs"]) for row in counts), reverse=not newer)
    beyond = [  # wholly beyond the moment: of the bucket that it lies in nobody knows which part
        (begin_ns, runs)
        for begin_ns, runs in rows
        if (max(begin_ns, since_ns) > at_ns if newer else min(begin_ns + bucket_ns, until_ns) <= at_ns)
    ]
    held = accumulate(runs for _, runs in beyond)
    end_ns = next((begin_ns for (begin_ns, _), runs in zip(beyond, held, strict=True) if runs >= least), None)
    if end_ns is None:
        return first, last
    return (first, min(last, end_ns + bucket_ns)) if newer else (max(first, end_ns), last)
