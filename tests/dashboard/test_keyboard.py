"""From one failed run to the next, by key or by link."""

from pathlib import Path
from typing import Any

import pytest

from dashboard.chains import Ask
from tests.dashboard import stores
from tests.dashboard.asking import asking
from tests.dashboard.filling import Filling, S

ALL = {"workflow": "", "version": "", "environment": ""}


def beside(ask: Ask, at_ns: int, at_run_id: str = "", **scope: str) -> dict[str, dict[str, Any]]:
    """The failed runs next to a moment or a run, by place."""
    found = ask("failed_neighbours", at_ns=at_ns, at_run_id=at_run_id, **{**ALL, **scope}).to_pylist()
    return {row["place"]: row for row in found}


def walk(ask: Ask, place: str, at_ns: int, **scope: str) -> list[str]:
    """The ids of all failed runs that are met on the way to one end."""
    met, at_run_id = [], ""
    while found := beside(ask, at_ns, at_run_id, **scope).get(place):
        at_ns, at_run_id = found["start_ns"], found["run_id"]
        met.append(at_run_id)
    return met


@pytest.mark.parametrize(
    "scope", [{}, {"workflow": "lead_enrich"}, {"version": "2.4.0"}, {"version": "2.3.1"}, {"environment": "staging"}]
)
def test_walking_meets_every_failed_or_silent_run_once_and_in_order(
    lively: Path, now_ns: int, scope: dict[str, str]
) -> None:
    """Older leads from the newest to the first as the Runs page lists them, newer all the way back; filters hold."""
    at = {"since_ns": 0, "until_ns": now_ns, "at_ns": now_ns, "at_run_id": "", "abandoned_ns": 0, "limit": 1000}
    with asking(lively) as ask:
        ids = ask("runs_page", **ALL, states=["failed", "silent"], **at).column("run_id").to_pylist()
        assert len(ids) > 10
        ids = ask("runs_page", **{**ALL, **scope}, states=["failed", "silent"], **at).column("run_id").to_pylist()
        assert walk(ask, "older", now_ns, **scope) == ids
        assert walk(ask, "newer", 0, **scope) == ids[::-1]


def test_runs_that_began_at_once_are_all_met(tmp_path: Path) -> None:
    """A hundred failures of one moment do not hide each other."""
    filling = Filling()
    for number in range(100):
        filling.add(
            "run",
            run_id=f"{number:032x}",
            root_trace_id=f"{number:032x}",
            trace_ids=[f"{number:032x}"],
            workflow="refunds",
            start_ns=S,
            outcome="failed" if number % 2 else "silent",
            chain=[],
            **dict.fromkeys(("spans", "steps", "operations", "attempts", "error_spans", "last_received_ns", "gaps"), 0),
        )
    with asking(stores.write(tmp_path / "at_once.duckdb", [filling])) as ask:
        assert walk(ask, "older", 2 * S) == [f"{number:032x}" for number in reversed(range(100))]
        assert walk(ask, "newer", 0) == [f"{number:032x}" for number in range(100)]
