"""The way one run took through its steps: nodes with what became of them, transitions with how often."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from dashboard.analytics.marks import mark

Row = Mapping[str, Any]

WORST: Final = ("failed", "propagated", "silent", "collateral", "open", "pending", "recovered", "ok")
"""Marks from bad to good: a node shows the worst of its visits."""


class Node(NamedTuple):
    """A step of the way and its visits."""

    name: str
    kind: str
    visits: int
    tries: int
    mark: str
    span_id: str
    """Of the first visit that went as badly as the mark says."""
    duration_ns: int
    """Of all visits together."""


class Route(NamedTuple):
    """The way of one run."""

    nodes: list[Node]
    """In order of the first visit."""
    edges: dict[tuple[str | None, str | None], int]
    """From a node to the next, None for start and end; how often."""


def level(rows: Sequence[Row]) -> list[Row]:
    """The operations of the chain; of a run that is a single step, those within it."""
    chain = [row for row in rows if row["depth"] == 1]
    within = [row for row in rows if row["depth"] == 2]
    return within if len(chain) == 1 and within else chain


def route(rows: Sequence[Row]) -> Route:
    """The way through operations of one level.

    One follows another where it began after that one had ended and nothing lay wholly between them: steps that ran at
    once are ways beside each other.

    Args:
        rows: of `queries/run_operations.sql`, in order of start.
    """
    edges: Counter[tuple[str | None, str | None]] = Counter()
    ended = sorted((row["end_ns"], at) for at, row in enumerate(rows) if row["end_ns"] is not None)
    ends = [end for end, _ in ended]
    latest_start = list(accumulate((rows[at]["start_ns"] for _, at in ended), max))
    for at, row in enumerate(rows):
        until = bisect_right(ends, row["start_ns"])
        since = bisect_right(ends, latest_start[until - 1], 0, until) if until else 0
        before = dict.fromkeys(rows[other]["name"] for _, other in ended[since:until] if other != at)
        edges.update((source, row["name"]) for source in before or (None,))
    if ended:
        edges.update(
            (name, None) for name in dict.fromkeys(rows[at]["name"] for end, at in ended if end > latest_start[-1])
        )
    visits: dict[str, list[Row]] = {}
    for row in rows:
        visits.setdefault(row["name"], []).append(row)
    return Route([_node(name, visited) for name, visited in visits.items()], dict(edges))


def _node(name: str, rows: Sequence[Row]) -> Node:
    visits = [(mark(row), row) for row in rows]
    worst = min((became for became, _ in visits), key=WORST.index)
    shown = next(row for became, row in visits if became == worst)
    return Node(
        name,
        shown["kind"],
        len(visits),
        sum(row["tries"] for _, row in visits),
        worst,
        shown["span_id"],
        sum(row["duration_ns"] or 0 for _, row in visits),
    )
