"""What the waterfall says of a step's tries."""

from typing import Any

import pytest

from dashboard.analytics.fold import Folded, Line
from dashboard.components.run_tree import Tree
from dashboard.components.waterfall import Axis, _row

STEP: dict[str, Any] = {
    "span_id": "a" * 16, "kind": "llm", "name": "chat", "start_ns": 0, "end_ns": 10, "status": "ok", "in_band": False,
    "attempt": 1, "is_orphan": False, "critical_ns": 0, "tries": 1, "evidence": "single", "is_redo": False,
    "operation_id": "a" * 16, "operation_outcome": "ok", "role": None, "recovered": None,
    "silent": None, "severity": None,
}  # fmt: skip


def drawn(line: Line, *steps: dict[str, Any]) -> dict[str, Any]:
    tree = Tree(Folded([line], len(steps), len(steps), {}), dict(enumerate({**STEP, **step} for step in steps)), {}, {})
    row = _row(tree, line, Axis(0, 100), critical=False)
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({}, ""),
        ({"attempt": 2, "tries": 2, "evidence": "siblings"}, "try 2"),
        ({"tries": 3, "evidence": "http"}, "3 tries in its HTTP requests"),
        ({"tries": 3, "evidence": "resend_count"}, "3 tries in its client"),
        ({"is_redo": True}, "redo"),
    ],
)
def test_tries_are_told_with_what_they_rest_on(told: dict[str, Any], note: str) -> None:
    """Hidden tries say where they lie; redone work is no retry."""
    assert drawn(Line(0, -1, step=0), told)["note"] == note


def test_where_a_client_may_hide_retries_the_reader_is_told() -> None:
    """One try seen is not one try made."""
    row = drawn(Line(0, -1, step=0), {"evidence": "unseen"})
    assert row["note"] == ""
    assert row["told"].startswith("no retry visible")


def test_the_tries_of_an_operation_are_bars_on_one_row() -> None:
    """Each with its own place and mark, one word for the whole; choosing the row means its last try."""
    bad = {"status": "failed", "operation_outcome": "recovered", "role": "root", "recovered": True, "severity": "high"}
    row = drawn(
        Line(0, -1, tries=(0, 1), tried=2),
        {"span_id": "1" * 16, **bad},
        {"span_id": "2" * 16, "attempt": 2, "start_ns": 50, "end_ns": 100, "operation_outcome": "recovered"},
    )
    assert [(part["mark"], part["from"], part["width"]) for part in row["segments"]] == [
        ("recovered", 0, 0.1),
        ("ok", 0.5, 0.5),
    ]
    assert (row["mark"], row["tried"], row["note"], row["last"]) == ("recovered", 2, "1 good", "2" * 16)
    assert (row["from"], row["width"], row["length"]) == (0, 1, "100 ns")


def test_a_row_says_how_many_of_a_thousand_tries_it_draws() -> None:
    """What is left out is counted."""
    row = drawn(Line(0, -1, tries=(0, 1), tried=1000), {}, {"attempt": 1000})
    assert row["note"] == "the first and last 1 of 1,000 drawn"


@pytest.mark.parametrize(
    ("told", "mark"),
    [
        ({}, "ok"),
        ({"status": "failed", "role": "root", "recovered": False, "silent": False}, "failed"),
        ({"status": "failed"}, "failed"),
        ({"status": "failed", "role": "propagated", "recovered": False, "silent": False}, "propagated"),
        ({"status": "failed", "role": "collateral", "recovered": False, "silent": False}, "collateral"),
        ({"status": "failed", "role": "root", "recovered": True, "silent": False}, "recovered"),
        ({"status": "failed", "operation_outcome": "recovered"}, "recovered"),
        ({"in_band": True}, "silent"),
        ({"status": "failed", "role": "root", "recovered": False, "silent": True}, "silent"),
        ({"role": "propagated", "recovered": False, "silent": True, "severity": "high"}, "silent"),
        ({"role": "root", "recovered": False, "silent": True, "severity": "low"}, "ok"),
        ({"status": "pending"}, "pending"),
        ({"status": "open"}, "open"),
    ],
)
def test_what_became_of_a_step_is_one_word(told: dict[str, Any], mark: str) -> None:
    """One mark each, by the failure's part in the run; what decides no outcome marks nothing."""
    assert drawn(Line(0, -1, step=0), told)["mark"] == mark
