"""The Run page: what it shows of one run's steps."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dashboard.pages import component, healthy, open_page


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
