"""The weekly summary from a real store to its files."""

import json
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from dashboard import changes
from dashboard.analytics.attribution import attribute
from dashboard.questions import EVERYTHING, Questions
from dashboard.reader import FileReader, connect, held
from dashboard.reports import movements
from dashboard.reports.build import weekly
from dashboard.reports.figures import chain_between
from dashboard.reports.formats import RENDER
from dashboard.reports.weeks import Week
from schemas.paths import store_path
from schemas.reports import Source, WeeklySummary
from schemas.settings import Settings
from schemas.zones import zone_of
from tests.collecting import Collector
from tests.dashboard import stores, summaries
from tests.dashboard.cli import seamscope
from tests.dashboard.drifting import drifting
from tests.dashboard.reports.conftest import Thinned, Told

GOLDEN = Path(__file__).parents[2] / "fixtures" / "reports"
LATER_NS = 2**62
LONG_AGO = Source(seamscope="0", store_schema=0, rules=0, first_run=None, last_run=None)


@cache
def of(data: Path, week: str, zone_name: str = "UTC", now_ns: int = LATER_NS, **more: object) -> WeeklySummary:
    with held(FileReader(store_path(data))) as reader:
        zone = zone_of(zone_name)
        return weekly(reader, Week.parse(week, zone), now_ns=now_ns, zone_name=zone_name, **more)  # type: ignore[arg-type]


def compare(name: str, found: bytes, update: bool) -> None:
    path = GOLDEN / name
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found)
    assert path.read_bytes() == found, "read the difference, then: pytest --update-golden"


@pytest.mark.parametrize("form", RENDER)
def test_renderings_read_as_they_did(form: str, update_golden: bool) -> None:
    """What people read changes only on purpose."""
    compare(f"made.{form}", RENDER[form](summaries.lively()), update_golden)


@pytest.mark.slow
class TestRealStore:
    @pytest.mark.parametrize("form", ["md", "json"])
    def test_a_week_of_the_demo_reads_as_it_did(self, told: Told, form: str, update_golden: bool) -> None:
        """From spans through collector, settling, roll-ups and statistics; versions left out."""
        found = of(told.data, told.week).model_copy(update={"generated_from": LONG_AGO})
        compare(f"demo-{told.week}.{form}", RENDER[form](found), update_golden)

    def test_collector_and_file_give_the_same_bytes(self, told: Told, tmp_path: Path) -> None:
        """Whoever answers, and whenever it is asked."""
        by_command = tmp_path / "live.json"
        week = Week.parse(told.week, zone_of("UTC"))
        data = tmp_path / "copy"  # other tests read the folder of all
        data.mkdir()
        shutil.copy(store_path(told.data), data)
        with Collector(data):
            reader = connect(Settings(data_dir=data))
            assert reader.live
            live = weekly(reader, week, now_ns=LATER_NS - 1, zone_name="UTC")
            seamscope("report", "--data", data, "--week", told.week, "--format", "json", "--output", by_command)
        file = of(told.data, told.week)
        for render in RENDER.values():
            assert render(live) == render(file)
        assert by_command.read_bytes() == RENDER["json"](file)

    def test_counts_are_those_of_the_runs(self, told: Told) -> None:
        """Outcomes of every workflow add up to the runs that began in the week."""
        found, week = of(told.data, told.week), Week.parse(told.week, zone_of("UTC"))
        with held(FileReader(store_path(told.data))) as reader:
            rows = reader.query("select workflow, outcome, start_ns from run").to_pylist()
        counted = Counter(
            (row["workflow"], row["outcome"]) for row in rows if week.start_ns <= row["start_ns"] < week.end_ns
        )
        for workflow in found.workflows:
            of_outcome = {
                "clean": workflow.clean,
                "recovered": workflow.recovered,
                "silent": workflow.silent_runs,
                "failed": workflow.failed,
                "pending": workflow.pending,
                "open": workflow.unfinished,
            }
            expected = {name: counted[workflow.name, name] for name in of_outcome}
            assert of_outcome == expected
            assert workflow.runs == sum(expected.values())
        assert sum(workflow.runs for workflow in found.workflows) == counted.total()

    def test_what_was_lost_adds_up_and_what_moved_r_does(self, told: Told) -> None:
        """Lost runs are all of them; the staircase ends at R and at F; parts of a change are the change."""
        for workflow in of(told.data, told.week).workflows:
            assert sum(lost.runs for lost in workflow.lost) == workflow.failed + workflow.silent_runs
            assert workflow.compounded.value is not None
            assert 1 - sum(s.lost for s in workflow.stairs) == pytest.approx(workflow.compounded.value, abs=1e-7)
            assert workflow.first_try.value is not None
            assert 1 - sum(s.lost_first_try for s in workflow.stairs) == pytest.approx(
                workflow.first_try.value, abs=1e-7
            )
            for point in workflow.change_points:
                if point.compounded_before is not None and point.compounded_after is not None:
                    moved = 100 * (point.compounded_after - point.compounded_before)
                    assert sum(part.points for part in point.attribution) == pytest.approx(moved, abs=1e-6)

    def test_what_is_told_as_silent_made_runs_silent(self, told: Told) -> None:
        """Neither what only a judge saw nor what is of low severity: clean runs hold those, too."""
        for workflow in of(told.data, told.week).workflows:
            assert not [one.code for one in workflow.silent_failures if "judged" in one.code]
            assert workflow.silent_runs or not workflow.silent_failures

    def test_days_follow_the_time_zone(self, told: Told) -> None:
        """The runs of a week in Kathmandu are those between its own midnights, quarter hours included."""
        found = of(told.data, told.week, "Asia/Kathmandu")
        assert (found.start.isoformat(), found.hours) == ("2025-11-09T18:15:00+00:00", 168)
        assert next(day.day for day in found.workflows[0].days) == "2025-11-10"
        for workflow in found.workflows:
            assert sum(day.finished for day in workflow.days) == workflow.finished

    def test_a_week_with_a_clock_change_says_so(self, told: Told) -> None:
        found = of(told.data, "2025-W44", "America/New_York")
        assert found.hours == 169
        assert "clock_change" in [note.code for note in found.notes]

    def test_a_week_without_data_says_what_there_is(self, told: Told) -> None:
        found = of(told.data, "2025-W20")
        assert found.workflows == ()
        assert [note.code for note in found.notes] == ["no_data"]
        assert "it holds runs from 2025-10-30 to 2025-11-16" in found.notes[0].text

    def test_the_first_week_has_nothing_to_compare_with(self, told: Told) -> None:
        found = of(told.data, "2025-W44")
        assert "first_week" in [note.code for note in found.notes]
        for workflow in found.workflows:
            assert workflow.before is None
            assert workflow.observed_change is None
            assert "first_week" in [note.code for note in workflow.notes]

    def test_a_week_that_is_not_over_says_so_and_stops_now(self, told: Told) -> None:
        """No day after now is told of, and the finding does not pretend to know the week."""
        week = Week.parse(told.week, zone_of("UTC"))
        found = of(told.data, told.week, now_ns=week.start_ns + 3 * 86_400 * 10**9)
        assert "partial_week" in [note.code for note in found.notes]
        assert [len(workflow.days) for workflow in found.workflows] == [3] * len(found.workflows)
        assert found.workflows[0].finished < of(told.data, told.week).workflows[0].finished

    def test_one_workflow_can_be_asked_for(self, told: Told) -> None:
        """It reads as in the summary of all; one that did not run is missing with a note."""
        both = of(told.data, told.week, workflows=("rag_answers", "nope"))
        assert [workflow.name for workflow in both.workflows] == ["rag_answers"]
        assert "1 workflow that was asked for has no run" in both.notes[0].text
        assert both.workflows[0] in of(told.data, told.week).workflows

    def test_an_environment_can_be_asked_for(self, told: Told) -> None:
        """Only its runs count, and nothing is said of mixing."""
        found = of(told.data, told.week, environment="production")
        for workflow in found.workflows:
            assert workflow.environments == ("production",)
            assert "environments" not in [note.code for note in workflow.notes]
        assert sum(w.runs for w in found.workflows) < sum(w.runs for w in of(told.data, told.week).workflows)

    def test_the_command_writes_to_standard_output_and_never_over_a_file(self, told: Told, tmp_path: Path) -> None:
        """`-` is standard output, notes go to standard error, a file that exists stays without --force."""
        done = seamscope("report", "--data", told.data, "--week", "2025-W20", "--format", "json")
        assert json.loads(done.stdout)["week"] == "2025-W20"
        assert "No run began in this week" in done.stderr
        there = tmp_path / "weekly.md"
        there.write_text("mine")
        again = ("report", "--data", told.data, "--week", told.week, "--format", "md", "-o", there)
        refused = seamscope(*again, check=False)
        assert refused.returncode == 1
        assert there.read_text() == "mine"
        seamscope(*again, "--force")
        assert there.read_text().startswith("# Weekly reliability, 2025-W46")
        assert there.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        ("week", "said"),
        [("2025-46", "write it like 2026-W46"), ("2025-W54", "write it like"), ("0001-W01", "weeks go from 1970-W03")],
    )
    def test_no_week_is_wrong_usage(self, told: Told, week: str, said: str) -> None:
        done = seamscope("report", "--data", told.data, "--week", week, check=False)
        assert done.returncode == 2
        assert said in done.stderr

    def test_a_week_without_what_was_asked_for_says_that_others_ran(self, told: Told) -> None:
        """Nothing of the names is repeated: they may be anybody's."""
        (note,) = of(told.data, told.week, workflows=("nope",)).notes
        assert note.text.startswith("No run of the workflow asked for began in this week, others did; it holds runs")
        (note,) = of(told.data, told.week, workflows=("nope", "no"), environment="moon").notes
        assert "No run of the 2 workflows asked for in the environment asked for began in this week" in note.text
        (note,) = of(told.data, told.week, environment="moon").notes
        assert note.text.startswith("No run in the environment asked for began in this week, others did")
        (note,) = of(told.data, "2025-W20", environment="moon").notes
        assert note.text.startswith("No run began in this week;")

    @pytest.mark.parametrize("flag", ["--workflow", "--environment"])
    def test_an_empty_name_is_wrong_usage(self, told: Told, flag: str) -> None:
        """A variable that is not set must not give the report of everything."""
        done = seamscope("report", "--data", told.data, flag, "", check=False)
        assert done.returncode == 2
        assert "the name is empty" in done.stderr


def test_a_change_is_split_between_the_stretches_that_page_drift_compares(tmp_path: Path) -> None:
    """All days before it, however many, and all from it on: else one change has two waterfalls."""
    week = Week.parse("2025-W46", zone_of("UTC"))
    made = stores.write(store_path(tmp_path), [drifting(week.end_ns, days=60, worse_for=5)])
    with held(FileReader(made)) as reader:
        questions = Questions(reader, EVERYTHING)
        success = movements.tested(questions, "refunds", week.end_ns, week.zone)[0]
        change = success.examined.changes[-1]
        sides = changes.around(success, change, week.end_ns, week.zone)
        assert sides[0][1] - sides[0][0] > 50 * 86_400 * 10**9
        before, after = (chain_between(questions, "refunds", *side) for side in sides)
    split = attribute(before, after, version_changed=bool(change.versions))
    assert split
    (point, *_) = of(tmp_path, week.name).workflows[0].change_points
    assert point.compounded_before == pytest.approx(split.before, abs=1e-8)
    assert [part.points for part in point.attribution] == pytest.approx([part.points for part in split.parts], abs=1e-8)


@pytest.mark.slow
class TestRemovedRuns:
    def test_a_week_says_that_runs_of_it_were_removed(self, told: Told, thinned: Thinned) -> None:
        """How many, and what no longer holds them; a week of which none went says nothing."""
        found, whole = of(thinned.data, told.week), of(told.data, told.week)
        assert found.data_quality.runs_removed == thinned.of_week
        (note,) = [note.text for note in found.notes if note.code == "removed"]
        assert note.startswith(f"{thinned.of_week} runs that began on the days (UTC) of this week went since")
        assert "in part" not in note
        assert found.data_quality.spans < whole.data_quality.spans
        assert whole.data_quality.runs_removed == 0
        assert "removed" not in [note.code for note in whole.notes]

    def test_shares_bands_and_counts_still_hold_them(self, told: Told, thinned: Thinned) -> None:
        """The workflows read as before to the last digit, also against a week before of which no run is left."""
        found = of(thinned.data, told.week)
        assert found.workflows == of(told.data, told.week).workflows
        assert all(workflow.before for workflow in found.workflows)
        assert "first_week" not in [note.code for note in found.notes]

    def test_what_is_left_of_a_removed_run_is_its_day_alone(self, told: Told, thinned: Thinned) -> None:
        """No workflow and no environment narrows the number, and a week that begins within a day (UTC) says so."""
        one = of(thinned.data, told.week, workflows=("rag_answers",), environment="production")
        assert one.data_quality.runs_removed == thinned.of_week
        elsewhere = of(thinned.data, told.week, "Asia/Kathmandu")
        assert elsewhere.data_quality.runs_removed > thinned.of_week
        (note,) = [note.text for note in elsewhere.notes if note.code == "removed"]
        assert "days that lie in it in part counted whole" in note


def test_questions_bind_what_they_name_and_no_more() -> None:
    """A question gets the parameters of its file, whatever else is known."""

    class Recorder:
        live, where = False, ""

        def query(self, sql: str, params: object = None) -> object:
            class Rows:
                def to_pylist(self) -> list[object]:
                    return [params]

            return Rows()

    (bound,) = Questions(Recorder(), "production").ask("chain_runs", 1, 2, "w")  # type: ignore[arg-type]
    expected = {"since_ns": 1, "until_ns": 2, "workflow": "w", "environment": "production", "version": ""}
    assert bound == expected
