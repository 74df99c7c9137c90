"""What a workflow delivers, in one sentence."""

from datetime import UTC, datetime

import pytest

from dashboard import words
from dashboard.analytics.attribution import AT_START, Attribution, Part
from dashboard.analytics.findings import Finding
from dashboard.analytics.reliability import Estimate
from dashboard.analytics.wording import Change, delivers


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc]  # year, month, day, hour


NOW = ns(2026, 11, 13, 9)  # a Friday
TUESDAY = ns(2026, 11, 10, 14)
MEASURED = Estimate(0.812, 0.798, 0.825, 3210)


def part(step: str, points: float, kind: str = "reliability", step_kind: str = "tool") -> Part:
    return Part(step, kind, points, step, step_kind)  # type: ignore[arg-type]


def told(*parts: Part, ratio: float = -0.041, version: str | None = None) -> str:
    found = Attribution(0.853, 0.853 + sum(p.points for p in parts) / 100, parts, {}) if parts else None
    return said(delivers("refund_triage", MEASURED, Change(TUESDAY, ratio, found, version), UTC, NOW))


def said(finding: Finding) -> str:
    return "".join(finding.pieces)


def test_a_drop_is_told_with_its_band_its_time_its_cause_and_its_version() -> None:
    """The sentence of the overview."""
    assert told(part("ledger.query", -2.95), part("intake", -1.15), version="2.4.0") == (
        "refund_triage delivers 81.2 % [79.8, 82.5], down 4.1 points since Tue 14:00 — 72 % of the drop is tool "
        "ledger.query, first seen in 2.4.0."
    )


@pytest.mark.parametrize(
    ("parts", "end"),
    [
        ((), "since Tue 14:00."),
        ((part("a", -4.1, step_kind="llm"),), " — all of the drop is model call a."),
        ((part("a", -5.0), part("b", 0.9)), " — all of the drop is tool a."),
        ((part("a", -4.1, "routing"),), " — all of the drop is where runs go after a."),
        ((part(AT_START, -4.1, "routing"),), " — all of the drop is where runs begin."),
        ((part("a", -4.1, "path"),), " — all of the drop is a step added or removed after a."),
        (
            tuple(part(f"s{i}", -0.41) for i in range(10)),
            " — no single cause; the largest, 10 % of the drop, is tool s0.",
        ),
        ((part("a", 4.1),), "since Tue 14:00."),
    ],
    ids=["none known", "one", "more than all", "routing", "start", "path", "spread", "against it"],
)
def test_the_cause_is_named_as_far_as_it_goes(parts: tuple[Part, ...], end: str) -> None:
    """All, a share, no single one; only causes that go the same way count."""
    assert told(*parts).endswith(end)


def test_a_rise_is_told_without_alarm() -> None:
    """Good news has the same form."""
    finding = delivers("w", MEASURED, Change(TUESDAY, 0.03, Attribution(0.78, 0.81, (part("a", 3.0),), {})), UTC, NOW)
    assert said(finding) == "w delivers 81.2 % [79.8, 82.5], up 3.0 points since Tue 14:00 — all of the rise is tool a."
    assert not finding.alarming


def test_nothing_new_is_as_usual() -> None:
    """Without a change point, and since when that is so."""
    assert said(delivers("w", MEASURED, None, UTC, NOW, steady_ns=ns(2026, 9, 2))) == (
        "w delivers 81.2 % [79.8, 82.5], as usual since 2 Sep."
    )
    assert said(delivers("w", MEASURED, None, UTC, NOW)) == "w delivers 81.2 % [79.8, 82.5]."


def test_a_window_that_went_otherwise_is_not_as_usual() -> None:
    """Told where chance does not explain it, though no change point says that it lasts."""

    def against(value: float, n: int) -> str:
        half = (value * (1 - value) / n) ** 0.5 * 1.96
        before = Estimate(value, value - half, value + half, n)
        return said(delivers("w", MEASURED, None, UTC, NOW, steady_ns=ns(2026, 9, 2), before=before))

    less = "w delivers 81.2 % [79.8, 82.5], 3.9 points less than in the window before; no lasting change since 2 Sep."
    assert against(0.851, 3000) == less
    assert against(0.78, 3000).startswith("w delivers 81.2 % [79.8, 82.5], 3.2 points more than in the window before")
    usual = "w delivers 81.2 % [79.8, 82.5], as usual since 2 Sep."
    assert against(0.851, 60) == against(0.815, 3000) == against(0.99, 20) == usual


def test_points_are_those_of_the_figure_that_is_told() -> None:
    """R before and after as they are read, not the change of E, whose level moved."""
    found = Attribution(0.8934, 0.8426, (part("a", -5.08),), {})
    assert "down 5.0 points since" in said(delivers("w", MEASURED, Change(TUESDAY, -0.052, found), UTC, NOW))


def test_few_runs_have_a_band_and_no_runs_a_reason() -> None:
    """Never a number that is not known."""
    assert said(delivers("w", Estimate(0.9, 0.6, 0.98, 12), None, UTC, NOW)) == (
        "w delivers between 60.0 and 98.0 %: 12 runs, too few for one figure."
    )
    assert said(delivers("w", Estimate(None, 0, 1, 0, "no runs"), None, UTC, NOW)) == "w: no runs."


def test_names_from_spans_stay_apart() -> None:
    """Our words and foreign text in turn, so that a page can escape the one and not the other."""
    found = Attribution(0.85, 0.81, (part("<step>", -4.0),), {})
    for change in (
        Change(TUESDAY, -0.04, found, "<version>"),
        Change(TUESDAY, -0.04, None, "<version>"),
        Change(TUESDAY, -0.04, Attribution(0.85, 0.81, (part(AT_START, -4.0, "path"),), {}), "<version>"),
        None,
    ):
        pieces = delivers("<workflow>", MEASURED, change, UTC, NOW).pieces
        assert all(piece.startswith("<") for piece in pieces[1::2])
        assert not any("<" in piece for piece in pieces[::2])


def test_times_are_said_as_one_says_them() -> None:
    """Today by the clock, the weekday within a week, the date before, the year where it is another."""
    assert words.lately(ns(2026, 11, 13, 8), UTC, NOW) == "08:00"
    assert words.lately(ns(2026, 11, 13), UTC, NOW) == "today"
    assert words.lately(TUESDAY, UTC, NOW) == "Tue 14:00"
    assert words.lately(ns(2026, 11, 10), UTC, NOW) == "Tue"
    assert words.lately(ns(2026, 11, 5, 8), UTC, NOW) == "5 Nov"
    assert words.lately(ns(2025, 11, 5, 8), UTC, NOW) == "5 Nov 2025"
