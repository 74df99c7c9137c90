"""The Drift page: since when a workflow delivers less, and what did it."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboard import alarms, changes
from dashboard.analytics import wording
from dashboard.components import drift_words, filters
from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.asking import asking
from tests.dashboard.drifting import drifting
from tests.dashboard.pages import component, data_dir, healthy, open_page, warnings, words

EVERYTHING = {"workflow": "", "version": "", "environment": ""}


def turned(now_ns: int) -> date:
    """About the first day that was worse."""
    return datetime.fromtimestamp(now_ns / 1e9, UTC).date() - timedelta(days=13)


def test_the_first_sentence_tells_the_fall_and_the_step_that_did_it(fallen: Path) -> None:
    """How many of its runs get through since when, how many did before, and why: E as the table of series has it."""
    page = open_page("drift", workflow="refunds", window="28d")
    assert healthy(page)
    said = page.subheader[0].value
    success = component(page, "drift_series")["rows"][0]
    before, after = success["levels"].split(" → ")
    assert said.startswith(f"**refunds** gets {after} {success['band']} of its runs through, down from {before} since ")
    assert "of the drop is step **ledger\\.query**, first seen in **2**" in said


def test_the_change_point_stands_on_its_day_with_its_version(fallen: Path, now_ns: int) -> None:
    """The mark is within two days of the truth, and the version that came with it is beside it."""
    page = open_page("drift", workflow="refunds", window="28d")
    (turn,) = component(page, "drift_days")["turns"]
    assert turn["chosen"]
    assert abs((date.fromisoformat(turn["params"]["change"]) - turned(now_ns)).days) <= 2
    assert turn["earliest"] <= turn["at"] <= turn["latest"]
    (version,) = component(page, "drift_versions")["rows"]
    assert version["what"] == ["2", "workflow"]
    assert version["params"]["version"] == "2"


def test_the_bridge_adds_up_as_it_is_read(fallen: Path) -> None:
    """R before, the parts as they are written, R after: to the last digit."""
    piers = component(open_page("drift", workflow="refunds", window="28d"), "drift_bridge")["piers"]
    first, *parts, last = (float(pier["said"].strip("± ").replace("−", "-").split(" ")[0]) for pier in piers)
    assert first + sum(parts) == pytest.approx(last)
    assert min(parts) == parts[0]
    assert piers[1]["name"] == "reliability of ledger.query"


@pytest.mark.parametrize(("before", "after"), [(0.886, 0.814), (0.5, 0.5), (0.12345, 0.98765)])
def test_points_are_rounded_so_that_they_add_up(before: float, after: float) -> None:
    """Whatever the parts are, and no part moves by more than a digit."""
    parts = [0.77 * (after - before) * 100, 0.13 * (after - before) * 100, 0.0249, -0.0251]
    parts.append(100 * (after - before) - sum(parts))
    first, last, tenths = wording.in_tenths(before, after, parts)
    assert first + sum(tenths) == pytest.approx(last)
    assert all(abs(one - other) < 0.15 for one, other in zip(tenths, parts, strict=True))


def test_both_sides_lead_to_their_runs(fallen: Path) -> None:
    """Before ends where after begins."""
    before, after = component(open_page("drift", workflow="refunds", window="28d"), "drift_sides")["rows"]
    assert before["params"]["to"] == after["params"]["from"]
    assert before["params"]["from"] < before["params"]["to"] < after["params"]["to"]


def test_every_series_is_listed_and_can_be_chosen(fallen: Path) -> None:
    """Success first; a row's link shows that series."""
    page = open_page("drift", workflow="refunds", window="28d")
    rows = component(page, "drift_series")["rows"]
    assert rows[0]["params"] == {"series": "success"}
    kinds = {row["params"]["series"].split(":")[0] for row in rows}
    assert kinds == {"success", "reliability", "p95"}  # nothing was tried twice
    chosen = open_page("drift", workflow="refunds", window="28d", series="p95:answer")
    assert healthy(chosen)
    assert not warnings(chosen)
    assert component(chosen, "drift_days")["turns"] == []
    assert "no change" not in words(chosen)


@pytest.mark.parametrize(("name", "value"), [("series", "mood:ledger"), ("change", "2020-01-01")])
def test_a_series_or_a_day_that_is_none_is_named(fallen: Path, name: str, value: str) -> None:
    """The message says which, and the page shows its default."""
    page = open_page("drift", workflow="refunds", window="28d", **{name: value})
    assert healthy(page)
    assert any(value.split(":", maxsplit=1)[0] in warning.value.replace("\\", "") for warning in page.warning)


def test_without_a_workflow_the_strongest_fall_is_first(fallen: Path) -> None:
    """All workflows with what they show, also those that cannot be judged."""
    page = open_page("drift", window="28d")
    assert healthy(page)
    assert page.subheader[0].value.startswith("**refunds** fell by ")
    rows = {row["workflow"]: row for row in component(page, "drift_workflows")["rows"]}
    assert next(iter(rows)) == "refunds"
    assert rows["steady"]["status"] == "nothing"
    assert rows["young"]["status"].startswith("not enough days")


def test_without_a_change_the_first_sentence_tells_what_users_got(fallen: Path) -> None:
    """E, as in the table of series; as usual only where there are days enough to tell."""
    for workflow, usual in (("steady", True), ("young", False)):
        page = open_page("drift", workflow=workflow, window="28d")
        success = component(page, "drift_series")["rows"][0]
        first = page.subheader[0].value
        assert first.startswith(f"**{workflow}** gets {success['levels']} {success['band']} of its runs through")
        assert ("as usual since" in first) is usual


def test_a_young_workflow_says_when_there_will_be_a_verdict(fallen: Path) -> None:
    """Five days are too few, and the page says what it takes."""
    page = open_page("drift", workflow="young", window="28d")
    assert healthy(page)
    assert "No verdict before 14 days with runs" in words(page)


def test_one_day_only_is_shown_as_it_is(lively: Path) -> None:
    """A store of two hours has one day or two; nothing breaks and nothing is claimed."""
    page = open_page("drift", workflow="refund_triage")
    assert healthy(page)
    assert len(component(page, "drift_days")["points"]) in (1, 2)
    assert "No verdict before 14 days" in words(page)


def test_what_this_traffic_can_detect_is_said(fallen: Path) -> None:
    """In runs a day, days and points."""
    said = words(open_page("drift", workflow="steady", window="28d"))
    assert "At 30 runs a day a fall by 5 points is found within " in said or "At 31 runs a day" in said
    assert "within 28 days the smallest to be found is one by " in said


def test_how_to_post_a_marker_is_shown_until_there_is_one(fallen: Path) -> None:
    """A line to paste, with the workflow in it."""
    page = open_page("drift", workflow="refunds", window="28d")
    assert any("/api/marker" in block.value and '"workflow": "refunds"' in block.value for block in page.code)


def test_hostile_names_stay_text(tmp_path: Path, now_ns: int) -> None:
    """Escaped where Markdown would read them, as they are where text is set as text."""
    name = "![x](http://127.0.0.1:9/a) **b**'; rm"
    stores.write(store_path(tmp_path), [drifting(now_ns, step=name, workflow=name, runs_a_day=40)])
    with data_dir(tmp_path):
        page = open_page("drift", window="28d")
        assert healthy(page)
        assert name not in words(page)
        assert any(
            row["params"] == {"series": f"reliability:{name}"} for row in component(page, "drift_series")["rows"]
        )
        (code,) = page.code
        assert code.value.count("'") == 4


def test_no_runs_and_an_empty_store_say_what_to_do(fallen: Path) -> None:
    """A hint, not an empty page."""
    assert "Widen the window" in words(open_page("drift", workflow="long_gone"))


def test_an_empty_store_says_what_to_do(empty: Path) -> None:
    """Nothing has arrived."""
    assert "Nothing has arrived yet" in words(open_page("drift"))


@pytest.mark.parametrize("reader", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_days_begin_in_the_zone_of_the_setting_whoever_reads(
    fallen: Path, tmp_path: Path, now_ns: int, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    """As in reports, checks and alerts; the reader's own zone is for clock times."""
    shutil.copy(fallen, tmp_path)
    monkeypatch.setenv("SEAMSCOPE_TIME_ZONE", "Pacific/Kiritimati")  # midnight is 10:00 in UTC
    monkeypatch.setattr(filters, "zone", lambda: ZoneInfo(reader))
    with data_dir(tmp_path):
        drift, overview = open_page("drift", workflow="refunds", window="28d"), open_page("overview", window="28d")
        with asking(store_path(tmp_path)) as ask:
            found = alarms.newest_changes(ask, now_ns, ZoneInfo("Pacific/Kiritimati"), **EVERYTHING)
    assert healthy(drift)
    assert healthy(overview)
    chart, at = component(drift, "drift_days"), found["refunds"].at
    assert all(point["params"][end].endswith("T10:00:00Z") for point in chart["points"] for end in ("from", "to"))
    assert [turn["params"]["change"] for turn in chart["turns"]] == [at.isoformat()]
    assert "day by day** in Pacific/Kiritimati" in words(drift)
    assert ("times in America/Los_Angeles, days in Pacific/Kiritimati" in words(drift)) is (
        reader != "Pacific/Kiritimati"
    )
    (sign,) = (sign for sign in component(overview, "overview_course")["signs"] if sign["kind"] == "change")
    assert sign["said"].endswith(f"points, {drift_words.said(at)}")


def test_newest_change_of_each_workflow_can_be_asked_for_alone(fallen: Path, now_ns: int) -> None:
    """Only the one that fell has one; the series behind it are those of the page."""
    with asking(fallen) as ask:
        found = alarms.newest_changes(ask, now_ns, UTC, **EVERYTHING)
        series = changes.tested(
            ask,
            now_ns // 300_000_000_000 * 300_000_000_000,
            UTC,
            changes.KINDS,
            **{**EVERYTHING, "workflow": "refunds"},
        )
    assert list(found) == ["refunds"]
    assert found["refunds"].change < -0.2
    assert series[0].examined.main is not None
    assert series[0].examined.main.at == found["refunds"].at
