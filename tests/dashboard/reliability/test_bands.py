"""Bands against known values, against simulated workflows, and when they may be shown."""

import pytest

from dashboard.analytics import reliability
from dashboard.analytics.proportions import wilson
from dashboard.analytics.reliability import Estimate, Outcomes, chain_of, compounded, observed, retries_buy, verified
from tests.benchmarks import bands
from tests.dashboard.reliability.chains import edge, ended, group, node, straight

DYING = [0.97**i for i in range(6)]


@pytest.mark.parametrize(
    ("operations", "low", "high"),
    [([100] * 6, 0.752, 0.892), ([100 * x for x in DYING], 0.748, 0.893), ([1000 * x for x in DYING], 0.809, 0.855)],
    ids=["100 operations each", "100 runs that end by failure", "1,000 runs that end by failure"],
)
def test_six_steps_at_97_percent_have_the_bands_that_were_simulated(
    operations: list[float], low: float, high: float
) -> None:
    """To the digits that were written down."""
    found = compounded(straight([0.97] * 6, operations))
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_one_step_has_the_band_of_a_share() -> None:
    """A chain of one step that ends every run is a share, with Wilson's band."""
    found = compounded(straight([0.9], [200]))
    plain = reliability.share(180, 200, "")
    assert (found.low, found.high) == (pytest.approx(plain.low, abs=1e-12), pytest.approx(plain.high, abs=1e-12))


def test_where_nothing_failed_the_band_is_that_of_the_runs() -> None:
    """However many steps there are: n good runs of n."""
    found = compounded(straight([1.0] * 6, [50] * 6))
    assert (found.low, found.high) == (pytest.approx(reliability.share(50, 50, "").low), 1.0)


def test_nothing_recovered_buys_nothing_with_a_band_off_zero() -> None:
    """No retry helped in 100 runs: it may still be a few in a hundred."""
    found = retries_buy(straight([0.9, 0.9], [100, 90]))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.037, abs=1e-3)


def test_what_retries_buy_is_the_difference_with_its_band() -> None:
    """One step: r = .95, f = .80 of 400 runs; the band is that of a share of .15, ± 1.96 √(.15·.85/400)."""
    found = retries_buy(straight([0.95], [400], [0.80]))
    assert found.value == pytest.approx(0.15, abs=1e-9)
    half = 1.959963984540054 * (0.15 * 0.85 / 400) ** 0.5
    assert (found.low, found.high) == (pytest.approx(0.15 - half, abs=1e-9), pytest.approx(0.15 + half, abs=1e-9))


def test_under_30_runs_only_the_band_is_shown() -> None:
    """The value comes with the thirtieth run."""
    few, enough = compounded(straight([0.9], [29])), compounded(straight([0.9], [30]))
    assert (few.shown, enough.shown) == ("band", "value and band")


def test_a_wide_band_says_how_many_more_runs_make_it_2_points() -> None:
    """k = N((half/.02)² − 1); ±2 points take 9,604·R(1−R) runs in all: 1,355 at .83, 456 at .95."""
    assert Estimate(0.5, 0.46, 0.54, 100).more_for_2_points == 300
    for value, runs in ((0.83, 1355), (0.95, 456)):
        more = compounded(straight([value], [0.9 * runs])).more_for_2_points
        assert more is not None
        assert 0.9 * runs + more == pytest.approx(runs, rel=0.04)
    assert compounded(straight([0.83], [1400])).more_for_2_points is None


def test_claimed_and_verified_are_never_mixed() -> None:
    """E claimed counts runs without a visible failure; verified counts verdicts, and how many there are."""
    outcomes = Outcomes.of(ended(clean=70, recovered=20, failed=10, verdict_pass=6, verdict_fail=4))
    claimed, judged = observed(outcomes), verified(outcomes)
    assert (claimed.value, claimed.n) == (0.9, 100)
    assert (judged.value, judged.n) == (0.6, 10)


def test_each_node_tells_its_visits_and_where_runs_are_lost() -> None:
    """draft ⇄ check: visits by hand, and what is lost adds up to 1 − R."""
    chain = chain_of(
        [node("draft", 1000, 900), node("check", 900, 855, 810)],
        [edge(None, "draft", 829), edge("draft", "check", 900), edge("check", "draft", 171), edge("check", "end", 684)],
    )
    draft, check = reliability.node_figures(chain)
    again = 1 / (1 - 0.9 * 0.95 * 0.2)
    assert (draft.visits, check.visits) == (pytest.approx(again), pytest.approx(0.9 * again))
    assert (draft.reaches_end, check.reaches_end) == (
        pytest.approx(0.9 * 0.95 * 0.8 * again),
        pytest.approx(0.95 * (0.8 + 0.2 * 0.9 * 0.95 * 0.8 * again)),
    )
    assert draft.lost + check.lost == pytest.approx(1 - 0.9 * 0.95 * 0.8 * again)
    assert check.first_try.value == pytest.approx(0.9)


def test_the_band_of_a_group_is_wider_than_that_of_its_best_member() -> None:
    """Two of .9 in 100 operations each: .81, as sure as a share of .81 in about 95."""
    chain = chain_of(
        group(node("a", 100, 90), node("b", 100, 90)), [edge(None, "a ‖ b", 100), edge("a ‖ b", "end", 81)]
    )
    (figures,) = reliability.node_figures(chain)
    assert figures.reliability.value == pytest.approx(0.81)
    worth = 0.81 * 0.19 / (2 * 0.81 * 0.09 / 100)
    assert figures.reliability.low == pytest.approx(wilson(0.81 * worth, worth).low)


@pytest.mark.parametrize("family", bands.FAMILIES)
def test_bands_hold_the_truth_19_times_in_20(family: str) -> None:
    """150 workflows of each family; `python -m tests.benchmarks.bands` runs 2,000."""
    scores = bands.coverage(family, 150)
    for name in ("R", "F", "dependence"):
        score = bands.total(scores, name, at_edge=False)
        assert wilson(score.held, score.all).high >= 0.95, (name, str(score))
    compounded_score = bands.total(scores, "R", at_edge=False)
    assert compounded_score.held < compounded_score.all, "bands that never miss are too wide"
    assert bands.total(scores, "R", at_edge=True).held == bands.total(scores, "R", at_edge=True).all
