"""Whether a daily series changed its level, and where: one test over all its splits (docs/concepts.md, Drift)."""

from functools import cache
from math import exp, log, pi, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_DAYS: Final = 2  # on each side of a split
LEAST_TRIALS: Final = 30  # on each side
LEAST_EXPECTED: Final = 5.0  # failures on each side, and successes: below it Z is no longer near normal


class Splits(NamedTuple):
    """Every split of a segment of T days; split i parts days ≤ i from days > i."""

    z: Floats
    """How far the days after stand above (+) or below (−) those before, in standard deviations. T − 1 of them."""
    allowed: NDArray[np.bool_]
    """Both sides hold enough to judge."""
    shares: Floats
    """Share of all trials that lies before each split."""
    scores: Floats
    """What each day adds to Z when it lies after the split. T of them."""
    overdispersion: float
    """φ: the variance of days over what their trials alone explain; 1 or more."""

    def best(self) -> int | None:
        """The allowed split with the largest |Z|, the earliest where several are."""
        if not self.allowed.any():
            return None
        return int(np.argmax(np.where(self.allowed, np.abs(self.z), -1.0)))

    def p_value(self) -> float | None:
        """The chance of a |Z| this large anywhere in a series without a change; None where no split is allowed."""
        best = self.best()
        if best is None:
            return None
        shares = self.shares[self.allowed]
        return maximum_p_value(abs(float(self.z[best])), float(shares[0]), float(shares[-1]))


def splits_of_shares(good: Ints, trials: Ints, strata: Ints) -> Splits:
    """Cochran–Mantel–Haenszel Z of each split, by strata, over the root of the overdispersion.

    Args:
        good: good trials of each day.
        trials: all trials of each day, at least 1.
        strata: days are compared within their stratum only (a weekday). 0 … K − 1, each there.
    """
    members = _members(strata)
    trials_in, good_in = trials @ members, good @ members
    rates: Floats = good_in / trials_in
    rate, variance = rates[strata], (rates * (1 - rates))[strata]
    residuals = good - trials * rate
    phi = _overdispersion(residuals, trials * variance, members.shape[1])
    spread: Floats = rates * (1 - rates) / np.maximum(trials_in - 1, 1)
    before = np.cumsum(trials)[:-1]
    after = trials.sum() - before
    failing = 1 - good.sum() / trials.sum()
    least = np.minimum(before, after)
    days = _days_on_the_shorter_side(len(trials))
    allowed = (days >= LEAST_DAYS) & (least >= LEAST_TRIALS) & (least * min(failing, 1 - failing) >= LEAST_EXPECTED)
    return _splits(residuals, trials, spread * phi, members, allowed, phi)


def splits_of_values(values: Floats, strata: Ints) -> Splits:
    """Wilcoxon's rank sum of each split, ranked within strata (van Elteren), ties counted half.

    Days are the trials: what makes all requests of a day slow together cannot pass for many observations.
    """
    members = _members(strata)
    sizes = members.sum(axis=0)
    same = strata[:, None] == strata[None, :]
    ranks = (np.sign(values[:, None] - values[None, :]) * same).sum(axis=1) / 2  # rank − mean rank of the stratum
    scores = ranks / (sizes[strata] + 1)
    spread = (scores**2 @ members) / np.maximum(sizes * (sizes - 1), 1)
    allowed = _days_on_the_shorter_side(len(values)) >= LEAST_DAYS
    return _splits(scores, np.ones(len(values), np.int64), spread, members, allowed, 1.0)


def maximum_p_value(b: float, first: float, last: float) -> float:
    """Miller and Siegmund's chance that the largest |Z| over all splits reaches `b` though nothing changed.

    Args:
        b: the largest |Z| seen.
        first, last: shares of the trials before the first and the last split that were looked at, within 0–1.

    Source: R. Miller, D. Siegmund, Maximally selected chi square statistics, Biometrics 38 (1982).
    """
    if b < 1.5:
        return 1.0
    density = exp(-b * b / 2) / sqrt(2 * pi)
    width = log(last * (1 - first) / (first * (1 - last)))
    return min(1.0, density * ((b - 1 / b) * width + 4 / b))


@cache
def threshold(alpha: float, first: float = 2 / 90, last: float = 88 / 90) -> float:
    """The |Z| whose p is `alpha`; by default in 90 even days, where .05 asks for 3.23 and .005 for 3.94."""
    low, high = 1.5, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if maximum_p_value(middle, first, last) > alpha else (low, middle)
    return high


def _members(strata: Ints) -> Ints:
    return np.equal(strata[:, None], np.arange(strata.max() + 1)).astype(np.int64)


def _days_on_the_shorter_side(days: int) -> Ints:
    before = np.arange(1, days)
    return np.minimum(before, days - before)


def _overdispersion(residuals: Floats, variances: Floats, strata: int) -> float:
    """From successive differences, so that a change of level itself does not count as noise."""
    days = len(residuals)
    if days <= strata:
        return 1.0
    safe = np.where(variances > 0, variances, 1.0)
    steps = np.diff(np.where(variances > 0, residuals / np.sqrt(safe), 0.0))
    return max(1.0, float(steps @ steps) / (2 * (days - 1)) * days / (days - strata))


def _splits(
    scores: Floats, weights: Ints, spread: Floats, members: Ints, allowed: NDArray[np.bool_], phi: float
) -> Splits:
    """Z of all splits: the sum of the scores after it over its standard deviation when days are shuffled in strata."""
    before = np.cumsum(members * weights[:, None], axis=0)
    total = before[-1]
    variance = (before[:-1] * (total - before[:-1])) @ spread
    moved = variance > 1e-12
    after = -np.cumsum(scores)[:-1]  # the scores of a stratum add up to 0
    z = np.where(moved, after / np.sqrt(np.where(moved, variance, 1.0)), 0.0)
    shares = np.cumsum(weights)[:-1] / weights.sum()
    return Splits(z, allowed, shares, scores, phi)
