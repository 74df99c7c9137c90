"""Where blocks stand in a flame chart, and which way a run took."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.analytics.flame import LANES, flame
from dashboard.analytics.route import level, route

Row = dict[str, Any]


def block(start: int, end: int, depth: int = 1, steps: int = 1) -> Row:
    return {"start_ns": start, "end_ns": end, "depth": depth, "steps": steps, "failed": 0, "place": start}


def visit(name: str, start: int, end: int | None, depth: int = 1, **more: Any) -> Row:
    fine = {"status": "ok", "in_band": False, "operation_outcome": "ok", "tries": 1, "kind": "chain"}
    fault = dict.fromkeys(("role", "recovered", "silent", "severity"))
    took = {"start_ns": start, "end_ns": end, "duration_ns": None if end is None else end - start}
    return {"name": name, "depth": depth, "span_id": f"{name}{start}", **fine, **fault, **took, **more}


def test_a_depth_is_a_lane_where_nothing_overlaps() -> None:
    """Children stand below their parents."""
    chart = flame([block(0, 10), block(0, 4, 2), block(4, 10, 2)])
    assert [placed.lane for placed in chart.blocks] == [0, 1, 1]
    assert (chart.lanes, chart.depths) == (2, [(1, 0), (2, 1)])


def test_what_runs_at_once_stands_in_lanes_and_the_next_depth_below_all_of_them() -> None:
    """No block covers another."""
    chart = flame([block(0, 10), block(2, 8), block(9, 12), block(3, 4, 2)])
    assert [placed.lane for placed in chart.blocks] == [0, 1, 1, 2]


@settings(max_examples=200, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 50), some.integers(0, 20), some.integers(1, 3)), max_size=60))
def test_blocks_never_overlap_and_every_step_is_counted(given_blocks: list[tuple[int, int, int]]) -> None:
    """A thousand-way fan-out takes a few lanes; what has no room is counted where it is put together."""
    chart = flame([block(start, start + length, depth) for start, length, depth in given_blocks])
    assert sum(placed.steps for placed in chart.blocks) == len(given_blocks)
    by_lane: dict[int, list[tuple[int, int]]] = {}
    for placed in chart.blocks:
        by_lane.setdefault(placed.lane, []).append((placed.start_ns, placed.end_ns))
    assert len(by_lane) == chart.lanes <= 3 * LANES
    for lane in by_lane.values():
        ordered = sorted(lane)
        assert all(end <= start for (_, end), (start, _) in pairwise(ordered))


def test_a_run_goes_from_step_to_step_and_back() -> None:
    """A loop is an edge to an earlier step, counted."""
    way = route([visit("plan", 0, 1), visit("act", 1, 2), visit("plan", 2, 3), visit("act", 3, 4), visit("end", 4, 5)])
    assert way.edges == {(None, "plan"): 1, ("plan", "act"): 2, ("act", "plan"): 1, ("act", "end"): 1, ("end", None): 1}
    assert [(node.name, node.visits, node.duration_ns) for node in way.nodes] == [
        ("plan", 2, 2),
        ("act", 2, 2),
        ("end", 1, 1),
    ]


def test_steps_that_ran_at_once_are_ways_beside_each_other() -> None:
    """They part and meet; none follows the other."""
    way = route([visit("a", 0, 1), visit("b", 1, 5), visit("c", 2, 4), visit("d", 5, 6)])
    assert set(way.edges) == {(None, "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", None)}


def test_a_step_shows_its_worst_visit() -> None:
    """What went wrong once is what a reader looks for."""
    [node] = route([visit("a", 0, 1), visit("a", 1, 2, status="failed"), visit("a", 2, None, status="open")]).nodes
    assert (node.mark, node.span_id) == ("failed", "a1")


def test_a_run_of_a_single_step_is_drawn_from_within() -> None:
    """One node says nothing."""
    inner = [visit("x", 0, 1, 2), visit("y", 1, 2, 2)]
    assert level([visit("agent", 0, 2), *inner]) == inner
    assert [row["name"] for row in level([visit("a", 0, 1), visit("b", 1, 2), *inner])] == ["a", "b"]
