"""Broken and huge trees: settled in time that grows with their size, without recursion."""

import time
from collections.abc import Callable

import pytest

from collector.rows import Row
from collector.settle import settle
from tests.collector.settle.batches import QUIET_NS, made, settled, table

ROOT = made("root", None, 0, 1_000, step_kind="workflow", workflow="w")


def test_cycle_is_cut_above_its_earliest_span() -> None:
    got = settled(made("a", "b", 1, 9), made("b", "a", 2, 8), made("c", "b", 3, 4))
    assert [(s.name, s.depth, s.is_orphan) for s in got.step] == [("a", 1, True), ("b", 2, False), ("c", 3, False)]


def test_span_that_is_its_own_parent_is_a_top() -> None:
    got = settled(made("a", "a", 1, 9), made("b", "a", 2, 8))
    assert [(s.name, s.depth, s.is_orphan) for s in got.step] == [("a", 1, True), ("b", 2, False)]


def test_parent_in_another_trace_does_not_count() -> None:
    got = settled(made("a", None, 0, 9, trace="one"), made("b", "a", 1, 2, trace="two"))
    assert [(run.run_id, run.orphans) for run in got.run] == [("one", 0), ("two", 1)]


def test_orphan_is_marked_and_kept_in_its_run() -> None:
    got = settled(ROOT, made("lost", "gone", 1, 2))
    assert [(s.name, s.is_orphan) for s in got.step] == [("lost", True)]
    assert (got.run[0].root_span_id, got.run[0].orphans) == ("root", 1)


def test_clock_that_goes_back_gives_no_negative_time() -> None:
    got = settled(ROOT, made("a", "root", 5, 3), made("b", "a", 1, 9))
    assert [s.self_ns for s in got.step] == [0, 8 * 10**9]


def test_self_time_counts_overlapping_children_once() -> None:
    got = settled(ROOT, made("a", "root", 0, 10), made("b", "a", 1, 4), made("c", "a", 3, 6), made("d", "a", 8, 20))
    assert got.step[0].self_ns == 3 * 10**9


def calls(**said: object) -> list[Row]:
    """A run of 50,000 calls by one agent, one after another, that differ in nothing but when they were made."""
    tool = {"step_kind": "tool", "tool": "look", "input_hash": 7, **said}
    return [ROOT, *(made(i, "root", i / 1e3, (i + 0.5) / 1e3, step_name="ab"[i % 2], **tool) for i in range(50_000))]


def chain(**said: object) -> list[Row]:
    """A run in which each of 10,000 spans lies within the one before."""
    return [made(i, i - 1 if i else None, i / 1e3, 100 - i / 1e3, **said) for i in range(10_000)]


HUGE: dict[str, Callable[[], list[Row]]] = {
    "deep": chain,
    "deep failures": lambda: chain(failed=True, error_message="no"),
    "deep agents": lambda: chain(step_kind="agent", step_name="a"),
    "cycle": lambda: [made(i, (i + 1) % 10_000, i / 1e3, 100) for i in range(10_000)],
    "wide": lambda: [ROOT, *(made(i, "root", 1, 2) for i in range(100_000))],
    "wide retries": lambda: [
        ROOT,
        *(made(i, "root", i / 1e3, (i + 0.5) / 1e3, step_name="s", failed=True) for i in range(100_000)),
    ],
    "equal calls": lambda: calls(output_hash=1),
    "equal failures": lambda: calls(failed=True, error_message="no"),
    "two in turn": lambda: calls(step_kind="agent", output_hash=1),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", HUGE)
def test_huge_trees_settle_within_seconds(shape: str) -> None:
    rows = HUGE[shape]()
    batch = table(rows)
    started = time.process_time()
    got = settle(batch, QUIET_NS)
    assert time.process_time() - started < 10
    assert sum(run.spans for run in got.run) == len(rows)
