"""Alarms about a reliability objective can fire, seldom do so falsely, and speak twice an episode."""

import numpy as np
import pytest

from dashboard.analytics.burn import HOUR_NS, Counted, Open, Tier, is_burning, step, tiers


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


def test_an_episode_speaks_when_it_begins_and_when_it_ends() -> None:
    """A flicker within it says nothing, and a second quiet evaluation ends it."""
    opened: dict[str, Open] = {}
    told = []
    for at, firing in enumerate([[], ["storm"], ["storm"], [], ["storm"], [], [], []]):
        opened, messages = step(opened, firing, at)
        told += [(message.kind, message.since_ns, message.at_ns) for message in messages]
    assert told == [("open", 1, 1), ("close", 1, 6)]
    assert opened == {}


def test_alarms_do_not_mix() -> None:
    """One ends while another begins, and each has its own messages, in a fixed order."""
    opened, messages = step({"a": Open(1, quiet=1)}, ["c", "b"], 9)
    assert [(message.key, message.kind) for message in messages] == [("a", "close"), ("b", "open"), ("c", "open")]
    assert set(opened) == {"b", "c"}
