"""The Run page: what it shows of one run's steps."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard.analytics.fold import Folded, Line
from dashboard.analytics.outline import TOP
from dashboard.components.run_steps import _heading
from dashboard.components.run_tree import Tree
from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.big import big_run
from tests.dashboard.pages import component, data_dir, healthy, open_page, words


def newest(store: Path, outcome: str) -> str:
    with duckdb.connect(str(store), read_only=True) as con:
        query = "select run_id from run where outcome = ? order by start_ns desc limit 1"
        return str(con.execute(query, [outcome]).fetchall()[0][0])


def rows(page: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = component(page, "waterfall")["rows"]
    return found


class TestTries:
    def test_tries_of_an_operation_are_one_row_that_a_link_opens(self, lively: Path) -> None:
        """Closed, one row draws them; with `tries` in the URL each has a row below it, numbered."""
        run_id = newest(lively, "recovered")
        closed = rows(open_page("run", run=run_id))
        [operation] = [row for row in closed if "segments" in row]
        assert (operation["open"], operation["mark"], operation["note"]) == (False, "recovered", "1 good")
        *bad, good = [part["mark"] for part in operation["segments"]]
        assert (set(bad), good, operation["tried"]) == ({"recovered"}, "ok", len(bad) + 1)
        opened = rows(open_page("run", run=run_id, tries=operation["tries"]))
        at = [row["id"] for row in opened].index(operation["id"])
        below = opened[at + 1 : at + 1 + operation["tried"]]
        assert [row["id"] for row in below] == [part["id"] for part in operation["segments"]]
        assert [row["note"] for row in below][:2] == ["", "try 2"]
        assert len(opened) == len(closed) + operation["tried"]

    @pytest.mark.parametrize("tries", ["nonsense", "0" * 16, ["f" * 16, "<b>"]])
    def test_tries_that_are_not_there_change_nothing(self, lively: Path, tries: str | list[str]) -> None:
        """A bad value leaves the page as it is."""
        run_id = newest(lively, "recovered")
        page = open_page("run", run=run_id, tries=tries)
        assert healthy(page)
        assert rows(page) == rows(open_page("run", run=run_id))


def test_the_heading_counts_rows_where_tries_share_one() -> None:
    """Three tries on one line are three of the steps that show, and one row."""
    lines = [Line(0, TOP, step=0), Line(1, 0, step=1, tries=(1, 2, 3), tried=3), Line(1, 0, folded=5)]
    shown = Tree(Folded(lines, 4, 9, {}), {}, {}, {})
    assert _heading(shown, "step") == "shows 4 of 9 steps, tries together in 2 rows"


class TestCompare:
    def test_a_failed_run_stands_beside_the_nearest_good_one(self, lively: Path) -> None:
        """Says what differs first, how the other was picked, and links to both."""
        run_id = newest(lively, "failed")
        page = open_page("run", run=run_id, view="Compare")
        assert healthy(page)
        assert "here and was fine in the good run" in words(page)
        assert "the nearest good run: " in words(page)
        data = component(page, "compare")
        assert data["runs"][0] == run_id
        assert any("status" in row["changed"] for row in data["rows"])

    def test_another_run_can_be_chosen(self, lively: Path) -> None:
        """`against` names it, and it is the other side."""
        other = newest(lively, "silent")
        page = open_page("run", run=newest(lively, "failed"), view="Compare", against=other)
        assert component(page, "compare")["runs"][1] == other
        assert "chosen by you" in words(page)

    @pytest.mark.parametrize(
        ("against", "told"), [("<b>x", "is no run id"), ("0" * 32, "There is no run"), (None, "This is the run itself")]
    )
    def test_what_cannot_be_compared_says_so(self, lively: Path, against: str | None, told: str) -> None:
        """A bad value leaves a usable page that says what is wrong with it."""
        run_id = newest(lively, "failed")
        page = open_page("run", run=run_id, view="Compare", against=against or run_id)
        assert healthy(page)
        assert any(told in info.value for info in page.info)

    def test_without_a_good_run_it_says_so(self, tmp_path: Path, now_ns: int) -> None:
        """A workflow that has only ever failed has nothing to compare with."""
        stores.write(store_path(tmp_path), [big_run(now_ns, 100)[0]])
        with data_dir(tmp_path):
            page = open_page("run", run=newest(store_path(tmp_path), "recovered"), view="Compare")
            assert any("ended well" in info.value for info in page.info)


class TestFind:
    def test_matches_are_marked_counted_and_walked(self, lively: Path) -> None:
        """A tool's name marks its steps; the link with `find` opens the same; next selects the first match."""
        run_id = newest(lively, "failed")
        page = open_page("run", run=run_id, find="TIMEOUT")
        assert healthy(page)
        marked = [row["id"] for row in rows(page) if row.get("found")]
        assert marked
        assert "match" in words(page)
        page.button(key="find_next").click().run()
        assert page.query_params["span"] == marked[0]
        assert "1 of " in words(page)

    def test_inputs_and_outputs_are_searched(self, lively: Path) -> None:
        """What a span recorded counts, and the page says where the text stands."""
        page = open_page("run", run=newest(lively, "clean"), find='"where is my refund')
        page.button(key="find_next").click().run()
        assert "here in its inputs, outputs and attributes" in words(page)

    @pytest.mark.parametrize("text", ["no such thing", "%_", "'; drop table span; --"])
    def test_no_match_says_so(self, lively: Path, text: str) -> None:
        """Nothing found is a state, and text is only ever text."""
        page = open_page("run", run=newest(lively, "clean"), find=text)
        assert healthy(page)
        assert "Nothing in this run holds that text." in words(page)

    def test_matches_in_wrappers_are_counted_beside(self, lively: Path) -> None:
        """A span that is no step is found too, and All spans marks it."""
        run_id = newest(lively, "clean")
        with duckdb.connect(str(lively), read_only=True) as con:
            name = con.execute("select workflow from run where run_id = ?", [run_id]).fetchall()[0][0]
        assert "1 in spans that are no steps" in words(open_page("run", run=run_id, find=name))
        assert any(row.get("found") for row in rows(open_page("run", run=run_id, find=name, spans="true")))


class TestPictures:
    @pytest.mark.parametrize("outcome", ["failed", "recovered", "pending"])
    def test_flame_and_graph_show_the_same_run_and_selection(self, lively: Path, outcome: str) -> None:
        """The selected span is selected in each, and the inspector shows it; every step is in sight."""
        run_id = newest(lively, outcome)
        found = rows(open_page("run", run=run_id))
        span = found[-1]["id"]
        page = open_page("run", run=run_id, view="Flame", span=span)
        assert healthy(page)
        chart = component(page, "flame")
        assert chart["selected"] == span
        assert span in {block["id"] for block in chart["blocks"]}
        assert all(0 <= block["from"] <= block["from"] + block["width"] <= 1.000001 for block in chart["blocks"])
        page = open_page("run", run=run_id, view="Graph", span=span)
        assert healthy(page)
        nodes = {node["name"] for node in component(page, "run_graph")["nodes"]}
        assert nodes == {row["name"] for row in found if row["depth"] == 0}

    @pytest.mark.parametrize("outcome", ["failed", "recovered", "silent"])
    def test_a_step_has_one_mark_in_waterfall_and_flame(self, lively: Path, outcome: str) -> None:
        """What a silent run hid is no plain failure in one picture and hidden in the other."""
        run_id = newest(lively, outcome)
        marks = {row["id"]: row["mark"] for row in rows(open_page("run", run=run_id))}
        blocks = component(open_page("run", run=run_id, view="Flame"), "flame")["blocks"]
        shared = [block for block in blocks if block["id"] in marks and "×" not in block["name"]]
        assert any(block["mark"] != "ok" for block in blocks)
        assert {block["id"]: block["mark"] for block in shared} == {block["id"]: marks[block["id"]] for block in shared}

    def test_a_link_zooms_into_a_step(self, lively: Path) -> None:
        """Only the step and what lies below it, over the whole width."""
        run_id = newest(lively, "clean")
        whole = component(open_page("run", run=run_id, view="Flame"), "flame")["blocks"]
        step = next(block for block in whole if block["lane"] == 0)
        page = open_page("run", run=run_id, view="Flame", zoom=step["id"])
        zoomed = component(page, "flame")["blocks"]
        assert next(block["width"] for block in zoomed if block["id"] == step["id"]) == 1
        assert len(zoomed) < len(whole)
        page.button(key="flame_whole").click().run()
        assert len(component(page, "flame")["blocks"]) == len(whole)

    @pytest.mark.parametrize("zoom", ["nonsense", "0" * 16])
    def test_a_zoom_that_is_not_there_shows_the_whole(self, lively: Path, zoom: str) -> None:
        """A bad value says so and leaves the page usable."""
        page = open_page("run", run=newest(lively, "clean"), view="Flame", zoom=zoom)
        assert healthy(page)
        assert "is not in this run" in words(page)


class TestInspector:
    def test_messages_stand_as_a_conversation(self, lively: Path) -> None:
        """A span's messages with their roles; what recorded none shows what went in and came out."""
        page = open_page("run", run=newest(lively, "failed"))
        said = component(page, "conversation")["messages"]
        assert [message["role"] for message in said] == ["input", "output"]
        assert said[0]["parts"][0]["text"].startswith('{\n  "question": "Where is my refund?')
        assert said[1]["parts"][0]["text"] == "It was paid on Tuesday."


class TestNeighbours:
    def test_failed_runs_of_the_workflow_are_a_click_away(self, lively: Path) -> None:
        """The newest failed run leads to the older one of its workflow, failed or silent, and that one back."""
        with duckdb.connect(str(lively), read_only=True) as con:
            ids = con.execute(
                "select run_id from run where outcome in ('failed', 'silent') and workflow = (select workflow from run "
                "where run_id = ?) order by start_ns desc, run_id desc",
                [newest(lively, "failed")],
            ).fetchall()
        (first,), (second,) = ids[:2]
        assert ways(open_page("run", run=first, view="Compare")) == {"older failed": f"run={second}&view=Compare"}
        assert ways(open_page("run", run=second))["newer failed"] == f"run={first}"


def ways(page: Any) -> dict[str, str]:
    """The links to other failed runs, by label."""
    links = [element.proto for element in page.get("page_link")]
    return {link.label: link.query_string for link in links if link.label.endswith(" failed")}
