"""What holds, what is over, and what lies between."""

from datetime import UTC, date, timedelta

import numpy as np
import pytest

from dashboard.alerts.conditions import burning, drifting, storming
from dashboard.analytics import drift, storms
from dashboard.analytics.burn import Counted, tiers
from dashboard.analytics.storms import Key
from tests.dashboard.alerts.made import HOUR, NOW
from tests.dashboard.calls import Calls, by_key

FIRST = date(2025, 9, 1)


def counts(objective: float, failing: float, runs_an_hour: float = 60) -> dict[int, Counted]:
    """Windows in which always the same share fails."""
    lengths = [length for tier in tiers(objective) for length in (tier.long_ns, tier.short_ns)]
    runs = {length: max(1, round(runs_an_hour * length / HOUR)) for length in lengths}
    return {length: Counted(many, round(many * failing)) for length, many in runs.items()}


@pytest.mark.parametrize("objective", [0.5, 0.83, 0.95, 0.99])
def test_an_outage_is_urgent_at_any_objective(objective: float) -> None:
    """Where every run fails all tiers fire; where none does all are over."""
    down = burning("w", objective, counts(objective, 1.0), NOW)
    assert [(one.urgency, one.state, one.value) for one in down] == [("page", "holds", 1.0), ("ticket", "holds", 1.0)]
    assert all(one.low is not None and one.low < 1 and one.limit <= 1 for one in down)
    fine = burning("w", objective, counts(objective, 0.0), NOW)
    assert [one.state for one in fine] == ["over", "over"]


def test_an_outage_began_when_runs_began_to_fail() -> None:
    """Two hours of failing runs are two hours, though the window that shows them is longer."""
    lasted = 2 * HOUR
    tier = tiers(0.83)[0]
    seen = {
        length: Counted(length // 10**9, min(length, lasted) // 10**9)
        for each in tiers(0.83)
        for length in (each.long_ns, each.short_ns)
    }
    (page, _) = burning("w", 0.83, seen, NOW)
    assert tier.long_ns > lasted + HOUR
    assert NOW - page.since_ns == pytest.approx(lasted, rel=0.01)


def test_between_the_lines_nothing_is_decided() -> None:
    """At nine tenths of the slow page tier's rate it neither burns nor is over; the ticket tier burns."""
    slow = tiers(0.83)[1]
    found = burning("w", 0.83, counts(0.83, 0.9 * slow.burn * 0.17), NOW)
    assert [(one.urgency, one.state) for one in found] == [("page", "between"), ("ticket", "holds")]


def test_too_few_runs_never_fire() -> None:
    """Three runs a day that all fail are no burn that could be told from chance."""
    found = burning("w", 0.95, counts(0.95, 1.0, runs_an_hour=0.1), NOW)
    assert {one.state for one in found} == {"between"}


def calls(name: str, tries: int, dimension: str = "step") -> list[Calls]:
    """An hour of calm and half an hour of operations that take so many tries."""
    bucket = 300 * 10**9
    start = NOW // bucket * bucket - 18 * bucket
    return [
        Calls(Key("", dimension, name), start + n * bucket, 30, 30 if n < 12 else 30 * tries, most_tries=4)
        for n in range(18)
    ]


def test_a_storm_that_spread_is_one_condition() -> None:
    """The worst step is named, the rest stands beside it, and since when is the first onset."""
    rows = [*calls("look_up", 4), *calls("draft", 3), *calls("search", 4, "tool"), *calls("calm", 1)]
    found = storms.find(by_key(rows))
    (one,) = storming("w", found.episodes)
    assert (one.state, one.rule, one.step, one.also) == ("holds", "storm", "look_up", ("step draft", "tool search"))
    assert one.value == pytest.approx(4.0)
    assert one.since_ns == rows[12].bucket_ns
    assert storming("w", storms.find(by_key(calls("calm", 1))).episodes) == []


def test_a_storm_that_is_over_is_none() -> None:
    """Half an hour of calm later there is no condition."""
    rows = calls("look_up", 4)
    until = rows[-1].bucket_ns + 7 * 300 * 10**9
    assert storming("w", storms.find(by_key(rows), until_ns=until).episodes) == []


def examined(*levels: tuple[int, float], trials: int = 200) -> tuple[drift.Examined, date]:
    """Days at one level after another."""
    rng = np.random.default_rng(5)
    shares = [share for days, share in levels for _ in range(days)]
    days = [FIRST + timedelta(days=n) for n in range(len(shares))]
    good = [int(rng.binomial(trials, share)) for share in shares]
    return drift.examine(drift.Shares("", days, good, [trials] * len(days))), days[-1]


def test_a_fall_is_news_for_two_weeks() -> None:
    """It holds with its band and its day, and is no condition once it is old."""
    found, last = examined((30, 0.95), (6, 0.80))
    (one,) = drifting("w", found, last, UTC)
    assert (one.state, one.rule, one.urgency) == ("holds", "drift", "ticket")
    assert one.low is not None
    assert one.high is not None
    assert one.low < 0.80 < one.high
    assert one.limit == pytest.approx(0.95, abs=0.02)
    assert abs(one.since_ns / (24 * HOUR) - (FIRST + timedelta(days=30) - date(1970, 1, 1)).days) <= 1
    assert drifting("w", found, last + timedelta(days=20), UTC) == []


@pytest.mark.parametrize("levels", [((40, 0.95),), ((30, 0.80), (8, 0.95)), ((24, 0.95), (12, 0.75), (12, 0.95))])
def test_calm_a_rise_and_a_fall_that_was_mended_are_no_conditions(levels: tuple[tuple[int, float], ...]) -> None:
    """Only the newest change counts."""
    assert drifting("w", *examined(*levels), UTC) == []
