"""Thresholds against figures: who fails, and with which reason."""

from datetime import date

import pytest

from dashboard.analytics import drift
from dashboard.analytics.amplification import amplified
from dashboard.analytics.quantiles import quantile
from dashboard.analytics.reliability import Outcomes, chain_of, compounded, first_try, observed, share, verified
from dashboard.reports.check import Measured, Mode, Thresholds, at_least, at_most, judge
from dashboard.reports.figures import Figures
from dashboard.reports.movements import Drifts
from schemas.checks import Check

MODES: tuple[Mode, ...] = ("confident", "strict", "point")


def of(good: int, finished: int, *, silent: int = 0, tries: dict[int, int] | None = None) -> Figures:
    """A workflow of one step that ends the run where it fails."""
    outcomes = Outcomes(
        finished=finished, clean=good, recovered=0, silent=silent, failed=finished - good - silent, pending=0
    )
    step = {"node": "s", "step": "s", "kind": "tool", "operations": finished, "first_good": good, "good": good}
    edges = [
        {"from_node": None, "to_node": "s", "exit": None, "transitions": finished},
        {"from_node": "s", "to_node": None, "exit": "end", "transitions": good},
    ]
    chain = chain_of([step], edges)
    counted = tries or {1: finished}
    return Figures(
        chain,
        outcomes,
        compounded(chain),
        first_try(chain),
        observed(outcomes),
        verified(outcomes),
        share(silent, finished, "none"),
        amplified(counted),
        quantile({240: finished}, 0.95),
        {None: {240: finished}},
    )


def only(figures: Figures, asked: Thresholds, mode: Mode) -> Check:
    (check,) = judge(figures, [], None, asked, mode)
    return check


@pytest.mark.parametrize(
    ("good", "runs", "passed"),
    [
        # value .91 or .90; the band decides how sure that is
        (91, 100, {"confident": True, "strict": False, "point": False}),
        (9_000, 10_000, {"confident": False, "strict": False, "point": False}),
        # value .96
        (96, 100, {"confident": True, "strict": False, "point": True}),
        (9_600, 10_000, {"confident": True, "strict": True, "point": True}),
    ],
)
def test_modes_differ_by_how_sure_they_must_be(good: int, runs: int, passed: dict[Mode, bool]) -> None:
    """Confident fails on what is beyond doubt, strict passes only that, point ignores the band."""
    asked = Thresholds(min_reliability=0.95)
    assert {mode: only(of(good, runs), asked, mode).ok for mode in MODES} == passed


def test_r_and_e_are_asked_apart() -> None:
    """Each threshold is a check of its own, with value, band and number."""
    found = list(judge(of(80, 100), [], None, Thresholds(min_reliability=0.5, min_observed=0.95), "confident"))
    assert [(check.metric, check.ok) for check in found] == [("reliability", True), ("observed", False)]
    assert (found[1].value, found[1].n) == (0.8, 100)
    assert "80.0 % [71.1 %, 86.7 %] of 100 runs, at least 95.0 % wanted" in found[1].reason
    assert found[1].reason.endswith("even the good end of the band breaks it")


def test_few_runs_say_so_and_fail_only_beyond_doubt() -> None:
    """Below the sample gate the band still decides, and the reason says it."""
    asked = Thresholds(min_observed=0.95)
    doubtful, hopeless = only(of(4, 5), asked, "confident"), only(of(0, 5), asked, "confident")
    assert (doubtful.ok, hopeless.ok) == (True, False)
    assert "under 30 runs the band decides, however wide" in doubtful.reason
    assert not only(of(5, 5), asked, "strict").ok


def test_no_finished_run_fails_unless_that_is_allowed() -> None:
    """An empty window proves nothing: a gate that passed it would pass a broken exporter."""
    for mode in MODES:
        assert not only(of(0, 0), Thresholds(min_observed=0.5), mode).ok
        assert only(of(0, 0), Thresholds(min_observed=0.5, allow_empty=True), mode).ok


def test_amplification_is_a_mean_with_a_band() -> None:
    """3 of 10 operations took 3 attempts: 1.6, and with 10 operations anything from 1 to 2.2."""
    few, many = of(10, 10, tries={1: 7, 3: 3}), of(10, 10, tries={1: 7_000, 3: 3_000})
    asked = Thresholds(max_amplification=1.3)
    assert few.amplification
    assert many.amplification
    assert few.amplification.value == many.amplification.value == pytest.approx(1.6)
    assert only(few, asked, "confident").ok
    assert not only(many, asked, "confident").ok
    assert not only(few, asked, "point").ok


def test_where_nothing_was_tried_twice_strict_still_asks_for_enough() -> None:
    """5 operations without a retry do not show that fewer than 3 in 10 are retried; 100 do."""
    asked = Thresholds(max_amplification=1.3)
    assert not only(of(5, 5), asked, "strict").ok
    assert only(of(100, 100), asked, "strict").ok


def test_silent_runs_and_p95_have_thresholds() -> None:
    asked = Thresholds(max_silent=0.02, max_p95_ms=900)
    found = list(judge(of(900, 1_000, silent=100), [], None, asked, "confident"))
    assert [(check.metric, check.ok) for check in found] == [("silent", False), ("p95_ms", False)]
    assert "1.12 s [1.12 s, 1.12 s] of 1,000 runs, at most 900 ms wanted" in found[1].reason


@pytest.mark.parametrize("judged", [at_least, at_most])
def test_an_unknown_end_of_a_band_is_no_breach_and_no_proof(judged: object) -> None:
    """Confident needs a known good end to fail, strict a known bad end to pass."""
    unknown = Measured(1.0, None, None, 3)
    assert judged("p95_ms", unknown, 1.0, "confident").ok  # type: ignore[operator]
    assert not judged("p95_ms", unknown, 1.0, "strict").ok  # type: ignore[operator]


def change(at: date, before: float, after: float, verdict: drift.Verdict) -> drift.ChangePoint:
    level = [drift.Level(value, value - 0.01, value + 0.01, 14, 4_000) for value in (before, after)]
    return drift.ChangePoint(at, at, at, level[0], level[1], -5.0, 0.001, verdict)


@pytest.mark.parametrize(
    ("before", "after", "verdict", "passed"),
    [
        (0.9, 0.8, "change point", {"confident": False, "strict": False}),
        (0.9, 0.8, "possible", {"confident": True, "strict": False}),
        (0.9, 0.8, "one day", {"confident": True, "strict": True}),
        (0.8, 0.9, "change point", {"confident": True, "strict": True}),
    ],
)
def test_drift_fails_on_falls_that_are_sure_enough(
    before: float, after: float, verdict: drift.Verdict, passed: dict[Mode, bool]
) -> None:
    """A rise is welcome, one bad day is no drift, and what is only possible fails in strict mode."""
    seen = drift.Examined("", "tested", 0.001, (change(date(2026, 11, 10), before, after, verdict),), None, 400, 1)
    for mode, expected in passed.items():
        (found,) = judge(of(90, 100), [], Drifts(seen, []), Thresholds(no_drift=True), mode)
        assert found.ok == expected


def test_drift_outside_the_window_does_not_count() -> None:
    seen = drift.Examined("", "tested", 0.001, (change(date(2026, 11, 10), 0.9, 0.8, "change point"),), None, 400, 1)
    inside, outside = (Drifts(seen, [seen]).within(date(2026, 11, d), date(2026, 11, 25)) for d in (10, 11))
    assert inside.observed.changes
    assert inside.steps[0].changes
    assert not outside.observed.changes
    assert not outside.steps[0].changes


def test_a_fall_before_the_window_counts_while_it_stands_and_is_news() -> None:
    """14 days at most, and only if nothing lasting came after it; one bad day is nothing lasting."""
    fall = change(date(2026, 11, 10), 0.9, 0.8, "change point")

    def counted(last: date, *more: drift.ChangePoint) -> bool:
        seen = drift.Examined("", "tested", 0.001, (fall, *more), None, 400, 1)
        return fall in Drifts(seen, []).within(last, last).observed.changes

    assert counted(date(2026, 11, 24))
    assert not counted(date(2026, 11, 25))
    assert counted(date(2026, 11, 18), change(date(2026, 11, 15), 0.8, 0.4, "one day"))
    assert not counted(date(2026, 11, 18), change(date(2026, 11, 15), 0.8, 0.9, "change point"))


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        (Thresholds(min_observed=0.9999), "at least 99.99 % wanted"),
        (Thresholds(min_observed=0.9), "at least 90.0 % wanted"),
        (Thresholds(max_silent=0.00025), "at most 0.025 % wanted"),
        (Thresholds(max_amplification=1.305), "at most × 1.305 wanted"),
        (Thresholds(max_amplification=1.3), "at most × 1.30 wanted"),
        (Thresholds(max_p95_ms=1_234), "at most 1.234 s wanted"),
        (Thresholds(max_p95_ms=14_000), "at most 14 s wanted"),
    ],
)
def test_a_limit_is_told_as_it_was_asked(asked: Thresholds, limit: str) -> None:
    """To its last digit: rounded, it is another one."""
    assert limit in only(of(90, 100), asked, "confident").reason


def test_too_few_days_for_drift_is_said() -> None:
    """A gate that cannot tell passes, and tells that it could not."""
    seen = drift.examine(drift.Shares("", [date(2026, 11, 10)], [9], [10]))
    (found,) = judge(of(9, 10), [], Drifts(seen, []), Thresholds(no_drift=True), "strict")
    assert found.ok
    assert "no verdict: too few days" in found.reason
