"""Quantiles of counted durations, with the bands that order statistics give."""

from collections.abc import Mapping
from math import ceil, exp, floor, lgamma, log, log2, sqrt
from typing import Final, NamedTuple

from dashboard.analytics.proportions import Band, movement

TAIL: Final = 0.025  # on either side of a 95 % band
A_BUCKET: Final = 1.001  # of an eighth of an octave: how far apart what is counted in two buckets may seem to be
FAR: Final = 9  # standard deviations beyond which nothing is left to add up


class Quantile(NamedTuple):
    """A quantile in ns. An end of its band is None where no observation lies far enough out."""

    value_ns: float | None
    low_ns: float | None
    high_ns: float | None
    n: int


def quantile(histogram: Mapping[int, int], p: float) -> Quantile:
    """The quantile of counts by `octave_8` (floor(8·log2 ns)): the middle of the bucket that holds rank ⌈pn⌉.

    The value is within 4.4 %. The band runs from one rank to another: below the lower one lies the true quantile with
    a chance of at most 2.5 %, as it does above the upper one, whatever the distribution.
    """
    n = sum(histogram.values())
    if n == 0:
        return Quantile(None, None, None, 0)
    value = at_rank(histogram, max(ceil(p * n), 1))
    low, high = ranks(n, p)
    return Quantile(
        value,
        None if low is None else at_rank(histogram, low),
        None if high is None else at_rank(histogram, high),
        n,
    )


def other(now: Quantile, before: Quantile) -> bool:
    """Whether two quantiles differ by more than chance and the width of a bucket explain; False without both bands."""
    ends = [(each.low_ns, each.value_ns, each.high_ns) for each in (before, now)]
    before_at, now_at = ([8 * log2(ns) for ns in three if ns is not None] for three in ends)
    if len(before_at) < 3 or len(now_at) < 3:
        return False
    moved = movement(before_at[1], Band(before_at[0], before_at[2]), now_at[1], Band(now_at[0], now_at[2]))
    return moved.low > A_BUCKET or moved.high < -A_BUCKET


def at_rank(histogram: Mapping[int, int], rank: int) -> float:
    """The middle, in ns, of the bucket that holds an observation."""
    for octave_8, count in sorted(histogram.items()):
        rank -= count
        if rank <= 0:
            return float(2 ** ((octave_8 + 0.5) / 8))
    raise ValueError("there are fewer observations than that rank")


def ranks(n: int, p: float) -> tuple[int | None, int | None]:
    """The ranks between which the quantile lies in 95 % of cases; None where no observation lies so far out.

    How many of n observations lie below the quantile is binomial: the lower rank is the highest that is reached with
    a chance of 97.5 %, the upper one the lowest that is passed with a chance of at most 2.5 %.
    """
    spread = sqrt(n * p * (1 - p))
    first, last = max(0, floor(n * p - FAR * spread)), min(n, ceil(n * p + FAR * spread))
    low: int | None = None
    below = 0.0  # P(B < k)
    for k in range(first, last + 1):
        if below <= TAIL:
            low = k or None
        below += _chance(n, k, p)
    high: int | None = None
    above = 0.0  # P(B ≥ k)
    for k in range(last, first - 1, -1):
        above += _chance(n, k, p)
        if above > TAIL:
            break
        high = k
    return low, high


def _chance(n: int, k: int, p: float) -> float:
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log(1 - p))
