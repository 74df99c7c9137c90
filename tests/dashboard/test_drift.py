"""A change of level is found, dated and told from chance."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import exp, log, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics import drift
from dashboard.analytics.drift import Examined, Shares, Values, Version, examine, examine_family
from dashboard.analytics.splits import maximum_p_value, splits_of_shares, splits_of_values, threshold

MONDAY = date(2026, 8, 24)


def days(count: int) -> list[date]:
    return [MONDAY + timedelta(days=place) for place in range(count)]


def shares(rates: Sequence[float], a_day: int = 400, seed: int = 1, name: str = "E") -> Shares:
    """A drawn series with these true rates."""
    good = np.random.default_rng(seed).binomial(a_day, rates)
    return Shares(name, days(len(rates)), [int(g) for g in good], [a_day] * len(rates))


def fell(on: int, count: int = 90) -> list[float]:
    return [0.83] * on + [0.78] * (count - on)


# ---- the statistic ---------------------------------------------------------------------------------------------------


def test_z_and_p_are_those_computed_by_hand() -> None:
    """Four days in two strata, worked out step by step."""
    good, trials, strata = np.array([90, 40, 70, 30]), np.array([100, 50, 100, 50]), np.array([0, 1, 0, 1])
    splits = splits_of_shares(good, trials, strata)
    # Stratum 0 holds 160 of 200 = .8, stratum 1 holds 70 of 100 = .7. After the second day: 70 of 100 and 30 of 50.
    above = (70 - 100 * 0.8) + (30 - 50 * 0.7)
    variance = 0.8 * 0.2 * 100 * 100 / 199 + 0.7 * 0.3 * 50 * 50 / 99
    e = [10 / sqrt(16), 5 / sqrt(10.5), -10 / sqrt(16), -5 / sqrt(10.5)]
    phi = ((e[1] - e[0]) ** 2 + (e[2] - e[1]) ** 2 + (e[3] - e[2]) ** 2) / (2 * 3) * 4 / (4 - 2)
    assert splits.overdispersion == pytest.approx(phi, abs=1e-12)
    assert splits.z[1] == pytest.approx(above / sqrt(phi * variance), abs=1e-9)
    assert splits.shares.tolist() == pytest.approx([1 / 3, 1 / 2, 5 / 6])
    assert splits.allowed.tolist() == [False, True, False]  # two days a side
    b, t1, t2 = 3.5, 0.1, 0.9
    p = exp(-b * b / 2) / sqrt(2 * pi) * ((b - 1 / b) * log(t2 * (1 - t1) / (t1 * (1 - t2))) + 4 / b)
    assert maximum_p_value(b, t1, t2) == pytest.approx(p, abs=1e-12)
    assert p == pytest.approx(0.00087268 * (3.2142857 * 4.3944492 + 1.1428571), abs=1e-7)


def test_rank_sums_are_those_computed_by_hand() -> None:
    """Six values in one stratum with a tie: ranks 1.5 1.5 3 against 4 5 6."""
    splits = splits_of_values(np.array([1.0, 1.0, 2.0, 3.0, 4.0, 5.0]), np.zeros(6, np.int64))
    ranks = [1.5, 1.5, 3, 4, 5, 6]
    spread = sum((rank - 3.5) ** 2 for rank in ranks) / (6 * 5)
    assert splits.z[2] == pytest.approx((4 + 5 + 6 - 3 * 3.5) / sqrt(spread * 3 * 3), abs=1e-9)


def test_thresholds_are_those_of_the_design() -> None:
    """.05 asks for a Z of 3.2, .005 for 3.9; the p of a threshold is its level."""
    assert threshold(0.05) == pytest.approx(3.25, abs=0.03)
    assert threshold(0.005) == pytest.approx(3.95, abs=0.03)
    assert maximum_p_value(threshold(0.02), 2 / 90, 88 / 90) == pytest.approx(0.02, abs=1e-9)
    assert maximum_p_value(1.4, 0.1, 0.9) == 1.0


def test_sides_with_too_little_are_not_judged() -> None:
    """Two days, 30 trials, 5 expected failures: a split that misses one of them is no candidate."""
    trials, none = np.full(14, 10), np.zeros(14, np.int64)
    few = splits_of_shares(np.full(14, 5), trials, none)
    assert np.flatnonzero(few.allowed).tolist() == list(range(2, 11))  # 3 days make 30 trials
    rare = splits_of_shares(np.array([99] * 14), np.full(14, 100), none)
    assert np.flatnonzero(rare.allowed).tolist() == list(range(4, 9))  # 5 days make 5 failures
    assert not splits_of_shares(trials, trials, none).allowed.any()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=28, max_size=60))
def test_good_and_bad_are_mirror_images(rows: list[tuple[int, int]]) -> None:
    """Counting failures for successes turns every Z around and changes nothing else."""
    good, bad = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    strata = np.arange(len(rows)) % 7
    one, other = splits_of_shares(good, good + bad, strata), splits_of_shares(bad, good + bad, strata)
    assert one.z == pytest.approx(-other.z, abs=1e-9)
    assert one.allowed.tolist() == other.allowed.tolist()
    assert one.overdispersion == pytest.approx(other.overdispersion)


@settings(deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=14, max_size=60))
def test_ranks_do_not_depend_on_the_unit(values: list[int]) -> None:
    """Any rising transformation of the values gives the same Z."""
    strata = np.arange(len(values)) % 7
    plain = splits_of_values(np.array(values, float), strata)
    bent = splits_of_values(np.exp(np.array(values) / 7) + 3, strata)
    assert plain.z.tolist() == bent.z.tolist()


# ---- change points ---------------------------------------------------------------------------------------------------


def test_a_fall_is_dated_sized_and_named() -> None:
    """.83 falls to .78 on day 60 of 90: one change point whose range holds it, with the level on each side."""
    (change,) = examine(shares(fell(60))).changes
    assert change.verdict == "change point"
    assert change.p_value < 1e-9
    assert change.earliest <= days(90)[60] <= change.latest
    assert abs((change.at - days(90)[60]).days) <= 2
    assert change.before.low < 0.83 < change.before.high
    assert change.after.low < 0.78 < change.after.high
    assert change.change == pytest.approx(-0.05, abs=0.02)
    assert change.z < 0


def test_two_changes_are_both_found() -> None:
    """A fall and the way back are two change points, and the levels are those between them."""
    rates = [0.83] * 30 + [0.76] * 30 + [0.83] * 30
    first, second = examine(shares(rates)).changes
    assert (first.change < 0, second.change > 0) == (True, True)
    assert first.after == second.before
    assert first.after.value == pytest.approx(0.76, abs=0.01)


def test_one_bad_day_is_called_that() -> None:
    """A bad day and a weak one after it: without the bad one nothing is left. Three bad days are a change."""
    series = shares([0.83] * 60)
    bad = Shares("E", series.days, [*series.good[:58], 290, 322], series.trials)
    (change,) = examine(bad).changes
    assert (change.verdict, change.at, change.latest) == ("one day", days(60)[58], days(60)[58])
    assert change.after.value == 290 / 400
    assert change.before.days == 59
    three = Shares("E", series.days, [*series.good[:57], 290, 290, 290], series.trials)
    assert [change.verdict for change in examine(three).changes] == ["change point"]


def test_a_bad_day_after_a_fall_does_not_take_its_place() -> None:
    """What a page tells of a series is the last change that is certain and lasts."""
    series = shares(fell(60))
    bad = Shares("E", series.days, [*series.good[:87], 260, *series.good[88:]], series.trials)
    found = examine(bad)
    assert found.changes[0].verdict == "change point"
    assert len(found.changes) > 1
    assert found.main is not None
    assert (found.main.verdict, found.main.at) == ("change point", found.changes[0].at)
    assert examine(Shares("E", series.days[:60], series.good[:60], series.trials[:60])).main is None


@pytest.mark.parametrize(("count", "reason"), [(0, "too few days"), (13, "too few days"), (14, "tested")])
def test_no_verdict_before_two_weeks(count: int, reason: str) -> None:
    """With fewer days weekends cannot be told from a change."""
    assert examine(shares([0.5] * count)).reason == reason


def test_too_little_traffic_says_so() -> None:
    """Three runs a day for two weeks decide nothing."""
    examined = examine(shares([0.9] * 14, a_day=3))
    assert (examined.reason, examined.p_value, examined.changes) == ("too little traffic", None, ())


def test_weekly_rhythm_is_no_change() -> None:
    """Weekends at .6 and weekdays at .9 for 90 days, without noise: nothing."""
    rates = [0.6 if day.weekday() >= 5 else 0.9 for day in days(90)]
    series = Shares("E", days(90), [round(400 * rate) for rate in rates], [400] * 90)
    assert examine(series).p_value == 1.0
    assert examine(Values("p95", days(90), rates)).p_value == 1.0


def test_versions_near_a_change_are_attached() -> None:
    """Those of its range and the day before, nearest first; none from before or after."""
    when = days(90)
    versions = [Version(when[place], "model", f"m{place}") for place in (40, 59, 60, 80)]
    (change,) = examine(shares(fell(60)), versions).changes
    assert [version.name for version in change.versions] == ["m60", "m59"]


def test_days_without_trials_change_nothing() -> None:
    """Zero rows are like absent ones."""
    series = shares(fell(60))
    holes = Shares("E", [*series.days, MONDAY + timedelta(days=90)], [*series.good, 0], [*series.trials, 0])
    assert examine(holes) == examine(series)


def test_only_the_last_ninety_days_count() -> None:
    """What lies before them is another story."""
    series = shares([0.4] * 30 + [0.83] * 90)
    assert not examine(series).changes


def test_the_level_is_that_since_the_last_change() -> None:
    """What this traffic can see is asked of today's level, not of the average."""
    examined = examine(shares(fell(60)))
    assert examined.level == examined.changes[-1].after
    assert examined.trials_a_day == 400


def test_a_fall_of_five_points_takes_days_and_the_reverse() -> None:
    """400 runs a day show .83 → .78 in 4 to 5 days; what is seen in that time is five points."""
    assert 3.3 < drift.days_to_see(0.05, 0.83, 400, drift.POSSIBLE) < 5
    needed = drift.days_to_see(0.05, 0.83, 400)
    assert 4 < needed < 5.5
    assert drift.fall_seen(needed, 0.83, 400) == pytest.approx(0.05)
    assert drift.fall_seen(1, 0.83, 400) is None
    assert drift.fall_seen(3, 0.83, 2) is None
    assert drift.days_to_see(0.05, 0.83, 0) == float("inf")


# ---- families --------------------------------------------------------------------------------------------------------


def test_levels_of_benjamini_and_hochberg() -> None:
    """Four p-values at q = .05: the third is kept by its own level, and with it the first two."""
    assert drift.accepted_level([0.04, 0.001, 0.9, 0.03], 0.05) == pytest.approx(0.0125)
    assert drift.accepted_level([0.03, 0.02, 0.037, 0.9], 0.05) == pytest.approx(0.0375)
    assert drift.accepted_level([0.5], 0.05) == 0.0
    assert drift.accepted_level([], 0.05) == 0.0


def test_the_step_that_changed_is_named_among_many() -> None:
    """One of twenty steps falls; the other nineteen are left alone, and the order is kept."""
    steps = [shares([0.97] * 90, seed=place, name=f"s{place}") for place in range(19)]
    steps.insert(7, shares([0.97] * 70 + [0.94] * 20, seed=99, name="guilty"))
    found = examine_family(steps)
    assert [one.name for one in found if one.changes] == ["guilty"]
    assert [one.name for one in found] == [one.name for one in steps]


def test_an_untested_series_is_no_hypothesis() -> None:
    """A hundred steps without traffic do not hide the one that has some."""
    idle = [shares([0.9] * 14, a_day=1, name=f"i{place}") for place in range(100)]
    found = examine_family([shares(fell(60)), *idle])
    assert [bool(one.changes) for one in found] == [True] + [False] * 100


# ---- latency and amplification ---------------------------------------------------------------------------------------


def test_a_quantile_of_a_histogram_lies_in_its_bucket() -> None:
    """Rank ⌈pn⌉ decides, and the value stays within the bucket of that observation."""
    assert 2 ** (80 / 8) < drift.quantile_of({80: 94, 88: 6}, 0.94) < 2 ** (81 / 8)
    assert 2 ** (88 / 8) < drift.quantile_of({80: 94, 88: 6}) < 2 ** (89 / 8)
    with pytest.raises(ValueError, match="no quantile"):
        drift.quantile_of({})


def test_slower_tails_are_found_in_daily_histograms() -> None:
    """The tail gets 30 % slower on day 60; days with under 20 observations are left out."""
    random = np.random.default_rng(5)
    histograms = {}
    for place, day in enumerate(days(90)):
        nanoseconds = np.exp(random.normal(20, 0.5, 300 if place != 45 else 19)) * (1.3 if place >= 60 else 1)
        buckets, counts = np.unique(np.floor(8 * np.log2(nanoseconds)).astype(int), return_counts=True)
        histograms[day] = dict(zip(buckets.tolist(), counts.tolist(), strict=True))
    series = drift.latency_series("plan", histograms)
    assert len(series.days) == 89
    (change,) = examine(series).changes
    assert change.earliest <= days(90)[60] <= change.latest
    assert change.after.value / change.before.value == pytest.approx(1.3, rel=0.1)
    assert change.before.low < change.before.value < change.before.high


def test_more_retries_are_found_in_daily_amplification() -> None:
    """Attempts an operation go from 1.05 to 1.15."""
    random = np.random.default_rng(6)
    retries = random.poisson([10] * 60 + [30] * 30)
    series = drift.amplification_series("plan", days(90), [200 + int(more) for more in retries], [200] * 90)
    (change,) = examine(series).changes
    assert change.at == days(90)[60]
    assert not drift.amplification_series("plan", days(2), [30, 19], [19, 19]).days


# ---- promises, on few series (tests/benchmarks/drift.py has the many) ------------------------------------------------


def alarm(examined: Examined, level: float) -> bool:
    return examined.p_value is not None and examined.p_value <= level


@pytest.mark.parametrize(("runs", "share"), [(1_300, 0.65), (1_700, 0.75), (2_200, 0.90)])
def test_a_fall_is_found_in_time(runs: int, share: float) -> None:
    """.83 → .78 at 400 runs a day, one look at p ≤ .05."""
    random = np.random.default_rng(runs)
    full, rest = divmod(runs, 400)
    trials = np.array([400] * 89 + [rest])
    rates = np.array([0.83] * (89 - full) + [0.78] * (full + 1))
    found = [alarm(examine(Shares("E", days(90), random.binomial(trials, rates), trials)), 0.05) for _ in range(100)]
    assert np.mean(found) >= share


def test_clean_series_raise_few_alarms() -> None:
    """At most 5 % of 300 at p ≤ .05, with and without a weekly rhythm."""
    for rhythm in (0.0, 0.1):
        rates = [0.83 - rhythm * (day.weekday() >= 5) for day in days(90)]
        alarms = [alarm(examine(shares(rates, seed=seed)), 0.05) for seed in range(300)]
        assert np.mean(alarms) <= 0.05


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(14, 90), st.integers(1, 60), st.floats(0, 1))
def test_any_series_is_told_in_order(seed: int, count: int, a_day: int, rate: float) -> None:
    """Whatever arrives: dates rise, ranges hold them, levels lie within their bands."""
    examined = examine(shares([rate] * (count // 2) + [1 - rate] * (count - count // 2), a_day, seed))
    dates = [change.at for change in examined.changes]
    assert dates == sorted(set(dates))
    for change in examined.changes:
        assert change.earliest <= change.at <= change.latest
        for level in (change.before, change.after):
            assert 0 <= level.low <= level.value <= level.high <= 1
