"""Alarms about a reliability objective can fire, and seldom do so falsely."""

import numpy as np
import pytest

from dashboard.analytics.burn import HOUR_NS, Counted, Tier, is_burning, is_over, tiers


def test_a_high_objective_has_the_classic_tiers() -> None:
    """At 99.9 % nothing differs from the workbook."""
    assert [(tier.burn, tier.long_ns / HOUR_NS, tier.short_ns / HOUR_NS) for tier in tiers(0.999)] == [
        (14.4, 1.0, 1 / 12),
        (6.0, 6.0, 0.5),
        (1.0, 72.0, 6.0),
    ]


@pytest.mark.parametrize("objective", [0.5, 0.83, 0.9, 0.97, 0.999])
def test_each_tier_can_fire_and_spends_the_same_budget(objective: float) -> None:
    """If all runs fail each fires, the urgent ones first, after 2, 5 and 10 % of thirty days' budget."""
    made = tiers(objective)
    waits = [tier.detection_ns(objective, 1.0) for tier in made]
    assert all(wait is not None for wait in waits)
    assert made[0].burn > made[1].burn > made[2].burn >= 1
    assert waits == sorted(waits, key=lambda wait: wait or 0)
    spent = [tier.burn * tier.long_ns / (720 * HOUR_NS) for tier in made]
    assert spent == pytest.approx([0.02, 0.05, 0.10])


def test_at_83_percent_the_first_tier_takes_two_and_a_half_hours() -> None:
    """It burns at 4.7× over three hours, where 14.4× could never come."""
    first = tiers(0.83)[0]
    assert first.burn == pytest.approx(4.662, abs=1e-3)
    assert first.long_ns / HOUR_NS == pytest.approx(3.089, abs=1e-3)
    assert (first.detection_ns(0.83, 1.0) or 0) / HOUR_NS == pytest.approx(2.448, abs=1e-3)
    assert first.detection_ns(0.83, 0.5) is None


def test_the_chance_of_a_false_alarm_is_that_of_drawn_windows() -> None:
    """A day at 1.2×, 3 runs an hour, objective 60 %: about 8 % of the windows."""
    tier = Tier("page", 1.2, 24 * HOUR_NS, 2 * HOUR_NS)
    bad = np.random.default_rng(1).binomial(runs := 72, 0.4, 200_000)
    assert tier.false_alarm(0.6, 3) == pytest.approx(np.mean(bad >= tier.burn * 0.4 * runs), abs=0.003)
    assert tiers(0.83)[0].false_alarm(0.83, 30) < 1e-12
    assert tiers(0.83)[0].false_alarm(0.83, 1) == 0.0


def test_both_windows_must_burn() -> None:
    """What is over does not fire, nor what only began, nor what is too little to tell."""
    tier = tiers(0.83)[0]
    assert is_burning(tier, 0.83, Counted(100, 80), Counted(8, 7))
    assert not is_burning(tier, 0.83, Counted(100, 80), Counted(8, 3))
    assert not is_burning(tier, 0.83, Counted(100, 79), Counted(8, 8))
    assert not is_burning(tier, 0.83, Counted(49, 49), Counted(8, 8))
    assert not is_burning(tier, 0.83, Counted(100, 90), Counted(0, 0))


@pytest.mark.parametrize("objective", [0.0, 1.0, 83.0])
def test_an_objective_is_a_share(objective: float) -> None:
    """At 1 nothing may fail and no budget burns."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        tiers(objective)


def test_a_tier_is_over_well_below_its_line() -> None:
    """Between three quarters of its rate and the rate it neither burns nor is over; without any run it is over."""
    tier = tiers(0.83)[1]
    line = tier.burn * 0.17
    for share, over in ((0.99, False), (0.76, False), (0.74, True), (0.0, True)):
        short = Counted(1000, round(1000 * share * line))
        assert is_over(tier, 0.83, Counted(5000, 5000), short) is over
        assert not is_burning(tier, 0.83, Counted(5000, 5000), short)
    assert not is_over(tier, 0.83, Counted(100, 80), Counted(0, 0))
    assert is_over(tier, 0.83, Counted(100, 10), Counted(0, 0))
    assert not is_over(tier, 0.83, Counted(100, 10), Counted(2, 2))
    assert is_over(tier, 0.83, Counted(0, 0), Counted(0, 0))


def test_a_few_good_runs_do_not_end_an_alarm() -> None:
    """Five good ones of five are within chance of 17 % failures; of twenty they are not."""
    slow = tiers(0.83)[2]
    assert not is_over(slow, 0.83, Counted(1000, 190), Counted(5, 0))
    assert is_over(slow, 0.83, Counted(1000, 190), Counted(20, 0))
