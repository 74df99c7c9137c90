"""Where a chain's nodes and edges stand when it is drawn."""

from typing import Any

from dashboard.analytics.reliability import chain_of
from dashboard.analytics.step_graph import Place, layout


def node(name: str, operations: int = 100) -> dict[str, Any]:
    return {
        "node": name, "step": name, "kind": "chain",
        "operations": operations, "first_good": operations, "good": operations,
    }  # fmt: skip


def edge(source: str | None, target: str | None, times: int = 100, way_out: str | None = None) -> dict[str, Any]:
    return {"from_node": source, "to_node": target, "exit": way_out, "transitions": times}


def test_a_straight_chain_is_one_row_in_reading_order() -> None:
    """Each step stands one column after the one before."""
    edges = [edge(None, "b"), edge("b", "a"), edge("a", None, way_out="end")]
    drawn = layout(chain_of([node("a"), node("b")], edges))
    assert drawn.places == {"b": Place(0, 0), "a": Place(1, 0)}
    assert (drawn.columns, drawn.rows, drawn.back) == (2, 1, [])


def test_branches_stand_below_each_other_and_meet_after_the_longer_one() -> None:
    """A node comes after all that lead forward to it."""
    edges = [
        edge(None, "route"), edge("route", "short", 40), edge("route", "long", 60), edge("long", "more", 60),
        edge("short", "join", 40), edge("more", "join", 60), edge("join", None, way_out="end"),
    ]  # fmt: skip
    drawn = layout(chain_of([node(name) for name in ("route", "short", "long", "more", "join")], edges))
    assert drawn.places["short"].column == drawn.places["long"].column == 1
    assert {drawn.places["short"].row, drawn.places["long"].row} == {0, 1}
    assert drawn.places["join"].column == 3


def test_a_loop_is_a_way_back_and_moves_nothing() -> None:
    """A verifier that sends work back does not push the writer behind itself."""
    edges = [
        edge(None, "write"), edge("write", "verify", 120), edge("verify", "write", 20),
        edge("verify", None, 100, "end"),
    ]  # fmt: skip
    drawn = layout(chain_of([node("write", 120), node("verify", 120)], edges))
    assert [(e.source, e.target) for e in drawn.back] == [("verify", "write")]
    assert drawn.places == {"write": Place(0, 0), "verify": Place(1, 0)}


def test_rare_transitions_are_counted_rather_than_drawn() -> None:
    """One in a thousand is no line; the reader is told that it is missing."""
    edges = [edge(None, "a", 1000), edge("a", None, 999, "end"), edge("a", None, 1, "outside")]
    drawn = layout(chain_of([node("a", 1000)], edges))
    assert drawn.left_out == 1
    assert all(e.exit != "outside" for e in drawn.forward)
