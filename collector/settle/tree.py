"""Parent links turned into a forest. Nothing recurses: a trace may be a chain of ten thousand spans."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from collector.settle.spans import NEVER_NS, WORKFLOW, Spans

NONE: Final = -1
"""Index of no span."""


class Forest(NamedTuple):
    """Who is below whom, by index."""

    parent: list[int]
    """NONE for a top."""
    children: dict[int, list[int]]
    """In canonical order; spans without children are absent."""
    orphans: frozenset[int]
    """Tops that name a parent: it never arrived, or following it led back here."""


def parents(spans: Spans) -> tuple[list[int], frozenset[int]]:
    """Each span's parent by index, and the orphans.

    A parent counts only within its own trace. Each cycle is cut above its earliest span.
    """
    ids = zip(spans.trace_id, spans.span_id, strict=True)
    at = {pair: i for i, pair in enumerate(ids)}
    parent = [NONE] * len(at)
    orphans = set()
    for i, pair in enumerate(zip(spans.trace_id, spans.parent_span_id, strict=True)):
        if pair[1] is not None:
            found = at.get(pair, NONE)  # type: ignore[arg-type]  # a parent id that is not None
            parent[i] = found
            if found == NONE:
                orphans.add(i)
    for i in _cycle_heads(parent):
        parent[i] = NONE
        orphans.add(i)
    return parent, frozenset(orphans)


def _cycle_heads(parent: Sequence[int]) -> list[int]:
    """The earliest span of each cycle."""
    visited_by = [NONE] * len(parent)
    heads = []
    for start in range(len(parent)):
        i = start
        while i != NONE and visited_by[i] == NONE:
            visited_by[i] = start
            i = parent[i]
        if i != NONE and visited_by[i] == start:
            head, j = i, parent[i]
            while j != i:
                head, j = min(head, j), parent[j]
            heads.append(head)
    return heads


def grow(spans: Spans, parent: list[int], orphans: frozenset[int]) -> Forest:
    """The forest, with a sub-workflow placed under the step that called it.

    n8n hangs a sub-workflow beside the node that runs it: a workflow within a sibling's time is that sibling's.
    """
    children = _children(parent)
    moves = {
        i: caller
        for above in {parent[i] for i, kind in enumerate(spans.step_kind) if kind == WORKFLOW and parent[i] != NONE}
        if spans.step_kind[above] == WORKFLOW
        for i, caller in _callers(spans, children[above])
    }
    if moves:
        for i, caller in moves.items():
            parent[i] = caller
        children = _children(parent)
    return Forest(parent, children, orphans)


def _children(parent: Sequence[int]) -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for i, above in enumerate(parent):
        if above != NONE:
            children.setdefault(above, []).append(i)
    return children


def _callers(spans: Spans, siblings: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Pairs of a workflow and the sibling step whose time encloses it: the latest to start, if several do."""
    enclosing = Enclosing()
    for i in siblings:
        end = spans.end_ns[i] or NEVER_NS
        if spans.step_kind[i] != WORKFLOW:
            enclosing.add(i, end)
        elif (caller := enclosing.latest(end)) != NONE:
            yield i, caller


class Enclosing:
    """Intervals added in order of their start; finds the latest one that ends no earlier than a given moment."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._items: list[int] = []

    def add(self, item: int, end_ns: int) -> None:
        """Adds an interval that starts no earlier than those before it; what it outlasts is never the latest again."""
        keep = bisect_left(self._ends, -end_ns)
        del self._ends[keep:], self._items[keep:]
        self._ends.append(-end_ns)
        self._items.append(item)

    def latest(self, end_ns: int) -> int:
        """The latest added item that ends at or after the moment, or NONE."""
        place = bisect_right(self._ends, -end_ns)
        return self._items[place - 1] if place else NONE


def walk(tops: Iterable[int], children: dict[int, list[int]]) -> list[int]:
    """Everything from the tops down, parents before children, siblings in canonical order."""
    order = []
    stack = list(tops)[::-1]
    while stack:
        i = stack.pop()
        order.append(i)
        if i in children:
            stack.extend(reversed(children[i]))
    return order
