"""What a workflow delivers, in one sentence."""

from datetime import UTC, datetime

import pytest

from dashboard import words
from dashboard.analytics.attribution import AT_START, Attribution, Part
from dashboard.analytics.drift import Level
from dashboard.analytics.findings import Finding
from dashboard.analytics.reliability import Estimate
from dashboard.analytics.wording import Change, E, changed, delivers


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc]  # year, month, day, hour


NOW = ns(2026, 11, 13, 9)  # a Friday
TUESDAY = ns(2026, 11, 10, 14)
MEASURED = Estimate(0.812, 0.798, 0.825, 3210)


def part(step: str, points: float, kind: str = "reliability", step_kind: str = "tool") -> Part:
    return Part(step, kind, points, step, step_kind)  # type: ignore[arg-type]


def level(value: float) -> Level:
    return Level(value, value - 0.014, value + 0.013, 9, 3210)


def told(*parts: Part, r: float = 0.853, version: str | None = None) -> str:
    """E fell from 85.3 to 81.2 %, R from `r` by the parts."""
    found = Attribution(r, r + sum(p.points for p in parts) / 100, parts, {}) if parts else None
    return said(changed("refund_triage", Change(TUESDAY, level(0.853), level(0.812), found, version), UTC, NOW))


def said(finding: Finding) -> str:
    return "".join(finding.pieces)


def test_a_drop_is_told_with_its_band_its_time_its_cause_and_its_version() -> None:
    """The sentence of the overview."""
    assert told(part("ledger.query", -2.95), part("intake", -1.15), version="2.4.0") == (
        "refund_triage gets 81.2 % [79.8, 82.5] of its runs through, down from 85.3 % since Tue 14:00 — 72 % of the "
        "drop is tool ledger.query, first seen in 2.4.0."
    )


@pytest.mark.parametrize(
    ("r", "parts", "end"),
    [
        (
            0.9,
            (part("a", -4.1),),
            ". R, by its steps, fell from 90.0 to 85.9 %: all of that is tool a, first seen in 7.",
        ),
        (
            0.853,
            (part("a", -1.5), part("b", -0.5)),
            ". R, by its steps, fell from 85.3 to 83.3 %: 75 % of that is tool a, first seen in 7.",
        ),
        (0.9, (part("a", 1.0),), ", first seen in 7. R, by its steps, rose from 90.0 to 91.0 %: no step explains it."),
        (0.9, (part("a", -0.01),), ", first seen in 7. R, by its steps, stayed at 90.0 %: no step explains it."),
    ],
    ids=["another level", "another change", "the other way", "none"],
)
def test_r_is_told_apart_where_it_is_not_what_users_got(r: float, parts: tuple[Part, ...], end: str) -> None:
    """One figure to a sentence: the change point is of E, its parts are of R, and the two never share a number."""
    assert told(*parts, r=r, version="7") == (
        f"refund_triage gets 81.2 % [79.8, 82.5] of its runs through, down from 85.3 % since Tue 14:00{end}"
    )


def test_a_level_that_may_have_changed_again_is_told_as_possible() -> None:
    """The last certain change is told; what may have come after it beside it."""
    again = ns(2026, 11, 12), level(0.861)
    finding = changed("w", Change(TUESDAY, level(0.853), level(0.812), possibly=again), UTC, NOW)
    assert said(finding).endswith("down from 85.3 % since Tue 14:00, possibly 86.1 % since Thu.")


def test_a_possible_change_is_told_as_possible_and_alarms_nobody() -> None:
    """The level since then would say nothing without what it may have been before."""
    finding = changed("w", Change(TUESDAY, level(0.853), level(0.812), certain=False), UTC, NOW)
    assert said(finding).endswith("of its runs through, possibly down from 85.3 % since Tue 14:00.")
    assert not finding.alarming


def test_levels_that_read_alike_have_another_digit() -> None:
    """A certain change of very many runs can be small; "down from 99.9 to 99.9" says nothing."""
    change = Change(TUESDAY, Level(0.99921, 0.9991, 0.9993, 9, 10**6), Level(0.99878, 0.9987, 0.9989, 9, 10**6))
    assert "gets 99.88 % [99.87, 99.89] of its runs through, down from 99.92 %" in said(changed("w", change, UTC, NOW))


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
    ],
    ids=["none known", "one", "more than all", "routing", "start", "path", "spread"],
)
def test_the_cause_is_named_as_far_as_it_goes(parts: tuple[Part, ...], end: str) -> None:
    """All, a share, no single one; only causes that go the same way count."""
    assert told(*parts).endswith(end)


def test_a_rise_is_told_without_alarm() -> None:
    """Good news has the same form."""
    found = Attribution(0.782, 0.812, (part("a", 3.0),), {})
    finding = changed("w", Change(TUESDAY, level(0.782), level(0.812), found), UTC, NOW)
    assert said(finding) == (
        "w gets 81.2 % [79.8, 82.5] of its runs through, up from 78.2 % since Tue 14:00 — all of the rise is tool a."
    )
    assert not finding.alarming


def test_nothing_new_is_as_usual() -> None:
    """Without a change point, and since when that is so."""
    assert said(delivers("w", MEASURED, UTC, NOW, steady_ns=ns(2026, 9, 2))) == (
        "w delivers 81.2 % [79.8, 82.5], as usual since 2 Sep."
    )
    assert said(delivers("w", MEASURED, UTC, NOW)) == "w delivers 81.2 % [79.8, 82.5]."


def test_what_users_got_is_told_in_its_own_words() -> None:
    """E is no compounded figure, and is not told as one."""
    assert said(delivers("w", MEASURED, UTC, NOW, measure=E, steady_ns=ns(2026, 9, 2))) == (
        "w gets 81.2 % [79.8, 82.5] of its runs through, as usual since 2 Sep."
    )
    assert said(delivers("w", Estimate(0.9, 0.6, 0.98, 12), UTC, NOW, measure=E)) == (
        "w gets between 60.0 and 98.0 % of its runs through: 12 runs, too few for one figure."
    )


def test_a_window_that_went_otherwise_is_not_as_usual() -> None:
    """Told where chance does not explain it, though no change point says that it lasts."""

    def against(value: float, n: int) -> str:
        half = (value * (1 - value) / n) ** 0.5 * 1.96
        before = Estimate(value, value - half, value + half, n)
        return said(delivers("w", MEASURED, UTC, NOW, steady_ns=ns(2026, 9, 2), before=before))

    less = "w delivers 81.2 % [79.8, 82.5], 3.9 points less than in the window before; no lasting change since 2 Sep."
    assert against(0.851, 3000) == less
    assert against(0.78, 3000).startswith("w delivers 81.2 % [79.8, 82.5], 3.2 points more than in the window before")
    usual = "w delivers 81.2 % [79.8, 82.5], as usual since 2 Sep."
    assert against(0.851, 60) == against(0.815, 3000) == against(0.99, 20) == usual


def test_few_runs_have_a_band_and_no_runs_a_reason() -> None:
    """Never a number that is not known."""
    assert said(delivers("w", Estimate(0.9, 0.6, 0.98, 12), UTC, NOW)) == (
        "w delivers between 60.0 and 98.0 %: 12 runs, too few for one figure."
    )
    assert said(delivers("w", Estimate(None, 0, 1, 0, "no runs"), UTC, NOW)) == "w: no runs."


def test_names_from_spans_stay_apart() -> None:
    """Our words and foreign text in turn, so that a page can escape the one and not the other."""
    found = Attribution(0.85, 0.81, (part("<step>", -4.0),), {})
    at_start = Attribution(0.85, 0.81, (part(AT_START, -4.0, "path"),), {})
    apart = Attribution(0.95, 0.91, (part("<step>", -4.0),), {})
    against = Attribution(0.85, 0.89, (part("<step>", 4.0),), {})
    changes = [
        Change(TUESDAY, level(0.85), level(0.81), split, version)
        for split in (found, None, at_start, apart, against)
        for version in ("<version>", None)
    ]
    told_ones = [changed("<workflow>", change, UTC, NOW) for change in changes]
    for pieces in (each.pieces for each in (*told_ones, delivers("<workflow>", MEASURED, UTC, NOW))):
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
