"""One run: how it is found, and the bounds that keep questions about it off the rest of the store.

A run is known by its id, which says nothing of where its rows lie among millions; its times do.
"""

from collections.abc import Mapping
from typing import Any

from dashboard import store

Run = Mapping[str, Any]
"""A row of `queries/run_by_id.sql`."""


def run_of(found_id: str) -> Run | None:
    """The run of that id, or the one that the trace of that id belongs to."""
    rows: list[Run] = store.ask("run_by_id", id=found_id).to_pylist()
    if not rows:
        rows = store.ask("run_of_trace", trace_id=found_id).to_pylist()
        rows = store.ask("run_by_id", id=rows[0]["run_id"]).to_pylist() if rows else []
    return rows[0] if rows else None


def of_steps(run: Run) -> dict[str, store.Param]:
    """Which run it is, and between which its steps began."""
    return {
        "run_id": run["run_id"],
        "start_ns": run["start_ns"],
        "last_ns": run["start_ns"] if run["last_step_ns"] is None else run["last_step_ns"],
    }


def received(run: Run) -> dict[str, store.Param]:
    """When the spans of a run came."""
    return {"first_received_ns": run["first_received_ns"] or 0, "last_received_ns": run["last_received_ns"]}
