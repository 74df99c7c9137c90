"""Quantiles of counted durations."""

from collections import Counter
from math import floor, log2
from random import Random

import pytest

from dashboard.analytics.quantiles import quantile, ranks


@pytest.mark.parametrize(("p", "fewest"), [(0.9, 36), (0.95, 72), (0.99, 368)])
def test_a_band_has_two_ends_from_so_many_observations_on(p: float, fewest: int) -> None:
    """With one fewer even the largest observation may lie below the quantile."""
    assert ranks(fewest - 1, p)[1] is None
    assert None not in ranks(fewest, p)


def test_the_band_covers_the_true_quantile() -> None:
    """In at least 95 % of samples, whatever the distribution; here 2,000 of a long-tailed one."""
    rng, n, inside = Random(5), 200, 0
    low, high = ranks(n, 0.95)
    assert low is not None
    assert high is not None
    true = 2.0**1.6448536269514722  # of 2 ** standard normal
    for _ in range(2_000):
        sample = sorted(2.0 ** rng.gauss(0, 1) for _ in range(n))
        inside += sample[low - 1] <= true <= sample[high - 1]
    assert inside / 2_000 >= 0.945


def test_the_value_is_within_5_percent_of_the_exact_one() -> None:
    """Eight buckets an octave are read at their middles."""
    rng = Random(7)
    durations = sorted(int(2.0 ** (30 + rng.gauss(0, 1))) for _ in range(5_001))
    found = quantile(Counter(floor(8 * log2(ns)) for ns in durations), 0.95)
    exact = durations[-(-95 * 5_001 // 100) - 1]
    assert found.value_ns == pytest.approx(exact, rel=0.045)
    assert found.n == 5_001


def test_nothing_observed_is_no_quantile() -> None:
    assert quantile({}, 0.95) == (None, None, None, 0)


def test_a_million_observations_have_a_narrow_band() -> None:
    """The exact tail is summed up near the quantile only."""
    low, high = ranks(1_000_000, 0.95)
    assert (low, high) == (949_572, 950_428)
