"""Where the nodes and edges of a step graph stand when it is drawn: columns in reading order, ways back below."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from dashboard.analytics.reliability import Chain, Transition

SHOWN_SHARE = 0.005
"""Rarer transitions are left out of the drawing and counted."""


class Place(NamedTuple):
    """A node's place: column and row, both from 0."""

    column: int
    row: int


class Layout(NamedTuple):
    """A drawing of a chain."""

    places: dict[str, Place]
    forward: list[Transition]
    """START to a node, a node to a later one, a node to END or out."""
    back: list[Transition]
    """Loops: to the same node or an earlier one."""
    columns: int
    """Of nodes; START stands before them, END after."""
    rows: int
    left_out: int
    """Transitions too rare to be drawn."""


def layout(chain: Chain) -> Layout:
    """Places the nodes of a chain."""
    return placed([node.name for node in chain.nodes], chain.transitions)


def placed(names: Sequence[str], transitions: Sequence[Transition]) -> Layout:
    """Places each node one column after the last of those that lead to it, ways back apart.

    Args:
        names: of the nodes in reading order.
    """
    index = {name: i for i, name in enumerate(names)}
    forward: list[Transition] = []
    back: list[Transition] = []
    left_out = 0
    for edge in transitions:
        if edge.share < SHOWN_SHARE:
            left_out += 1
        elif edge.source is not None and edge.target is not None and index[edge.target] <= index[edge.source]:
            back.append(edge)
        else:
            forward.append(edge)
    column = dict.fromkeys(index, 0)
    for name in names:  # in reading order, so what leads forward to a node is placed before it
        before = [column[e.source] + 1 for e in forward if e.target == name and e.source is not None]
        column[name] = max(before, default=0)
    rows: dict[int, int] = defaultdict(int)
    places = {}
    for name in names:
        at = column[name]
        places[name] = Place(at, rows[at])
        rows[at] += 1
    return Layout(places, forward, back, max(rows, default=-1) + 1, max(rows.values(), default=0), left_out)
