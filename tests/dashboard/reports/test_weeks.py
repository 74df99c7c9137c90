"""ISO weeks in time zones."""

from datetime import UTC, datetime

import pytest

from dashboard.reports.weeks import NS, NoSuchWeek, Week, last_complete, midnight_ns
from schemas.settings import Settings, SettingsError
from schemas.zones import zone_of


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS


@pytest.mark.parametrize(
    ("name", "zone", "start", "end", "hours"),
    [
        ("2026-W46", "UTC", "2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z", 168),
        ("2026-W46", "Asia/Kathmandu", "2026-11-08T18:15:00Z", "2026-11-15T18:15:00Z", 168),
        ("2026-W13", "Europe/Berlin", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z", 167),
        ("2026-W43", "Europe/Berlin", "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z", 169),
        ("2026-W01", "UTC", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z", 168),
        ("2020-W53", "UTC", "2020-12-28T00:00:00Z", "2021-01-04T00:00:00Z", 168),
        ("2026-W40", "Australia/Lord_Howe", "2026-09-27T13:30:00Z", "2026-10-04T13:00:00Z", 167.5),
    ],
)
def test_a_week_runs_from_monday_to_monday_of_its_zone(
    name: str, zone: str, start: str, end: str, hours: float
) -> None:
    """Also where clocks change in between, by an hour or by half of one."""
    week = Week.parse(name, zone_of(zone))
    assert (week.start_ns, week.end_ns, week.hours) == (ns(start), ns(end), hours)
    assert week.name == name


def test_a_day_whose_midnight_is_skipped_begins_when_clocks_jump() -> None:
    """Cairo jumps from 00:00 to 01:00."""
    day = datetime(2026, 4, 24).date()
    assert midnight_ns(day, zone_of("Africa/Cairo")) == ns("2026-04-23T22:00:00Z")


def test_a_day_whose_midnight_comes_twice_begins_at_the_first() -> None:
    """Havana turns 01:00 back to 00:00."""
    day = datetime(2026, 11, 1).date()
    assert midnight_ns(day, zone_of("America/Havana")) == ns("2026-11-01T04:00:00Z")


def test_weeks_follow_each_other_without_gap() -> None:
    """Over ten years, year ends and clock changes included."""
    week = Week.parse("2030-W01", zone_of("America/New_York"))
    for _ in range(520):
        before = week.before()
        assert before.end_ns == week.start_ns
        assert Week.of(before.start_ns, before.zone) == before == Week.of(before.end_ns - 1, before.zone)
        week = before


def test_the_last_complete_week_changes_at_mondays_midnight_of_the_zone() -> None:
    monday = ns("2026-11-15T23:00:00Z")
    berlin = zone_of("Europe/Berlin")
    assert last_complete(monday - 1, berlin).name == "2026-W45"
    assert last_complete(monday, berlin).name == "2026-W46"
    assert last_complete(monday, UTC).name == "2026-W45"


@pytest.mark.parametrize(
    "text", ["", "2026-46", "2026-W00", "2026-W54", "2025-W53", "0000-W01", "9999-W53", "2026-W4 6", "W46", "٢٠٢٦-W46"]
)
def test_what_is_no_week_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NoSuchWeek, match="2026-W46"):
        Week.parse(text, UTC)


@pytest.mark.parametrize("text", ["1969-W52", "1970-W02", "0001-W01", "2262-W14", "9999-W51", "9999-W52"])
def test_a_week_whose_nanoseconds_no_store_holds_is_refused(text: str) -> None:
    """With the weeks there are; those at the ends still fit with the week beside them, in every zone."""
    with pytest.raises(NoSuchWeek, match="weeks go from 1970-W03 to 2262-W13"):
        Week.parse(text, UTC)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert Week.parse("1970-W03", zone_of(zone)).before().start_ns >= 0
        assert Week.parse("2262-W13", zone_of(zone)).end_ns + 7 * 86_400 * NS < 2**63


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "Europe", "../../etc/passwd", "x" * 400])
def test_a_zone_that_does_not_exist_is_refused_with_its_setting_named(name: str) -> None:
    with pytest.raises(SettingsError, match=r"time_zone: .*is no time zone known here"):
        Settings.load(environ={"SEAMSCOPE_TIME_ZONE": name})
