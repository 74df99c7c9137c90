"""The list of runs: real links, newest first, refreshed without moving what is being read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dashboard import words
from dashboard.components.assets import component
from dashboard.components.text import clip

_mount = component(
    "run_list",
    '<div class="seam run-list"><button type="button" class="new" hidden></button><div class="scroll"></div></div>',
)

Column = dict[str, Any]

VERSION_CHARS: Final = 12  # n8n's versions are uuids

WIDE: Final[Sequence[Column]] = (
    {"name": "state", "label": "Outcome"},
    {"name": "workflow", "label": "Workflow", "beside": "version"},
    {
        "name": "where",
        "label": "Failing or last step",
        "help": "The step that failed; of a run without failure the last one",
    },
    {"name": "started", "label": "Began"},
    {"name": "duration", "label": "Duration", "align": "right", "optional": 2},
    {"name": "steps", "label": "Steps", "align": "right", "optional": 2},
    {"name": "tokens", "label": "Tokens in → out", "align": "right", "optional": 2},
    {"name": "cost", "label": "Cost", "align": "right", "optional": 2},
    {"name": "session", "label": "Session", "optional": 1},
    {"name": "id", "label": "Run", "optional": 1},
)
TROUBLES: Final[Sequence[Column]] = (
    {"name": "state", "label": "Outcome"},
    {"name": "where", "label": "Failing step", "beside": "workflow", "beneath": "code"},
    {"name": "runs", "label": "Runs", "align": "right"},
    {"name": "started", "label": "Newest"},
)


def run_list(
    rows: Iterable[Mapping[str, Any]],
    *,
    key: str,
    label: str,
    live: bool = False,
) -> None:
    """Shows runs; each row links to its run.

    Args:
        rows: rows of `queries/runs_page.sql`.
        live: hold new rows back behind "n new" while a reader is at the list.
    """
    _mount(key=key, data={"rows": [_row(row) for row in rows], "columns": list(WIDE), "hold": live, "label": label})


def trouble_list(rows: Iterable[Mapping[str, Any]], opens: Mapping[str, Any], *, key: str, label: str) -> None:
    """Shows what happened to runs, equal ones as one row; a row leads to its runs, its time to the newest.

    Args:
        rows: rows of `queries/troubles.sql`.
        opens: parameters of the Runs page for the runs that were counted, beside those of a row.
    """
    shown = [_trouble(row, opens) for row in rows]
    _mount(key=key, data={"rows": shown, "columns": list(TROUBLES), "hold": True, "label": label})


def _trouble(row: Mapping[str, Any], opens: Mapping[str, Any]) -> dict[str, Any]:
    params = {"workflow": row["workflow"], "state": row["state"], "step": row["failing_step"] or ""}
    if row["code"]:
        params["code"] = row["code"]
    return {
        "id": row["run_id"],
        "state": row["state"],
        "workflow": row["workflow"],
        "where": row["failing_step"],
        "code": row["code"],
        "runs": words.count(row["runs"]),
        "started": row["start_ns"] // 1_000_000,
        "same": {**params, **opens} if row["runs"] > 1 else None,
    }


def _row(run: Mapping[str, Any]) -> dict[str, Any]:
    tokens_in, tokens_out = run["tokens_input"], run["tokens_output"]
    counted = tokens_in is not None or tokens_out is not None
    return {
        "id": run["run_id"],
        "state": run["state"],
        "workflow": run["workflow"],
        "version": clip(run["workflow_version"], VERSION_CHARS) if run["workflow_version"] else None,
        "where": run["failing_step"] or (run["chain"][-1] if run["chain"] else None),
        "started": run["start_ns"] // 1_000_000,
        "duration": words.duration(run["duration_ns"]),
        "steps": words.count(run["steps"]),
        "tokens": f"{words.count(tokens_in)} → {words.count(tokens_out)}" if counted else None,
        "cost": words.money(run["cost_usd"]),
        "session": run["session_id"],
    }
