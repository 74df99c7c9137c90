"""Which steps of a run to show when there are too many: a tree cut to a budget that says what it leaves out.

Tries of one operation stand on one line, and below it what its last try did. It opens into a line for each try.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

import numpy as np

from dashboard.analytics.outline import TOP, Bools, Ints, Outline

BUDGET: Final = 300  # lines that a reader can scroll through and a browser draws in a few milliseconds
FIRST_CHILDREN: Final = 5  # of a wide fan-out, before the rest folds
TROUBLED: Final = 40  # failed, pending and open steps that are shown wherever they lie
OPEN_MORE: Final = 300  # lines that opening a fold brings
DRAWN_TRIES: Final = 60  # of one operation on its line: the first and the last ones
APART: Final = -2  # stands where no line hangs: below an operation that draws it


class Line(NamedTuple):
    """One line of the folded tree: a step, an operation with its tries, or what was folded away under a parent."""

    depth: int
    parent: int
    """Index of the parent, or of its last try where that has several; or `TOP`."""
    step: int | None = None
    tries: tuple[int, ...] = ()
    """Of an operation: the tries that its line draws."""
    tried: int = 0
    """Of an operation: how many tries it has. Of a fold: how many tries it stands for."""
    is_open: bool = False
    """Of an operation: its tries stand below, a line each."""
    inside: int = 0
    """Of an operation: steps below earlier tries than the last, which show when it is open."""
    folded: int = 0
    """How many steps the line stands for, with all that lies below."""
    folded_failed: int = 0
    matches: int = 0
    """How many matches of a search the line draws, or hides where it is a fold."""


class Folded(NamedTuple):
    """A tree cut to a budget."""

    lines: list[Line]
    shown: int
    total: int
    stands_for: Mapping[int, int]
    """Of each wanted step the step that shows in its place: itself, or a try or a step above it."""
    hidden_matches: int = 0

    def drawn(self) -> list[int]:
        """The steps that any line draws."""
        found = [index for line in self.lines for index in (line.step, *line.tries) if index is not None]
        return list(dict.fromkeys(found))

    def folds(self) -> list[int]:
        """The parents below which steps are folded."""
        return [line.parent for line in self.lines if line.folded and not line.tried]


def fold(
    outline: Outline,
    opened: Mapping[int, int] | None = None,
    wanted: Sequence[int] = (),
    opened_tries: Set[int] = frozenset(),
    beside: Sequence[int] = (),
    matches: Sequence[int] = (),
    budget: int = BUDGET,
) -> Folded:
    """The lines to show, parents before children.

    All are shown where they fit the budget. Else each parent shows its first children, level by level until the
    budget is used, and beside them, at any depth, the wanted steps and the first ones in trouble with all above them.

    Args:
        opened: parents whose folded children a reader asked for, and how many of them.
        wanted: steps that must be among the lines, as far as the budget goes; operations open for them.
        opened_tries: any try of each operation whose tries a reader asked for.
        beside: steps that are worth a line, but for which no operation opens.
        matches: steps that a search found; lines count those that they draw or hide.
    """
    nodes = _Nodes(outline, wanted, opened_tries)
    if outline.size <= budget:
        nodes.choose_all()
    else:
        nodes.choose(opened or {}, (*wanted, *beside), budget)
    return nodes.lines((*wanted, *beside), matches)


class _Nodes:
    """Steps and, after them, one node for each operation of several tries."""

    def __init__(self, outline: Outline, wanted: Iterable[int], opened_tries: Iterable[int]) -> None:
        size = outline.size
        self.outline, self.size = outline, size
        index = np.arange(size)
        first = np.where(outline.parent[outline.first] == outline.parent, outline.first, index)
        heads = np.flatnonzero(np.bincount(first, minlength=size) > 1)
        node_of = np.full(size, TOP, np.int64)
        node_of[heads] = size + np.arange(len(heads))
        operation: Ints = node_of[first]
        """Of a step: the node of its operation, or `TOP` where that has one try."""
        is_try = operation != TOP
        last = np.zeros(len(heads), np.int64)
        last[operation[is_try] - size] = index[is_try]  # the highest index stays
        self.last: Ints = last
        self.is_open: Bools = np.zeros(size + len(heads), np.bool_)
        for step in opened_tries:
            if operation[step] != TOP:
                self.is_open[operation[step]] = True
        for step in wanted:
            self._open_above(step, operation)
        self.is_open[:size] = True

        closed = is_try & ~self.is_open[operation]
        self.is_drawn_by_operation: Bools = closed
        of_last = np.full(size, TOP, np.int64)
        of_last[last] = operation[last]
        of_last[~closed] = TOP
        has_parent = outline.parent != TOP
        below_last = np.where(has_parent, of_last[outline.parent], TOP)
        above = np.where(below_last != TOP, below_last, outline.parent)
        heads_above = above[heads]
        self.above: Ints = np.concatenate([np.where(is_try, operation, above), heads_above])
        hung = np.concatenate([np.where(closed, APART, self.above[:size]), heads_above])
        place = np.concatenate([index, heads])
        self._order: Ints = np.argsort((hung - APART) * (size + 1) + place, kind="stable")
        self._starts: Ints = np.searchsorted(hung[self._order], np.arange(TOP, len(hung) + 1))
        self.tries_order: Ints = np.argsort(np.where(is_try, operation, TOP), kind="stable")
        self._tries_starts: Ints = np.searchsorted(operation[self.tries_order], np.arange(size, size + len(heads) + 1))
        self.chosen: Bools = np.zeros(len(hung), np.bool_)

    def _open_above(self, step: int, operation: Ints) -> None:
        """Opens the operations that would hide a step: it lies below a try that is not the last."""
        up = int(self.outline.parent[step])
        while up != TOP:
            node = operation[up]
            if node != TOP and self.last[node - self.size] != up:
                self.is_open[node] = True
            up = int(self.outline.parent[up])

    def kids(self, node: int) -> Ints:
        """What hangs below a node, in order."""
        found: Ints = self._order[self._starts[node + 1] : self._starts[node + 2]]
        return found

    def tries(self, node: int) -> Ints:
        """The tries of an operation in order."""
        at = node - self.size
        found: Ints = self.tries_order[self._tries_starts[at] : self._tries_starts[at + 1]]
        return found

    def node(self, step: int) -> int:
        """What shows a step: itself, or the closed operation that draws it."""
        return int(self.above[step]) if self.is_drawn_by_operation[step] else step

    def choose_all(self) -> None:
        """Chooses every node but what closed operations hide."""
        self.chosen = _ends_of_ways(self.above, self._drawn_tries()) == len(self.above)

    def _drawn_tries(self) -> Bools:
        found = np.zeros(len(self.above), np.bool_)
        found[: self.size] = self.is_drawn_by_operation
        return found

    def choose(self, opened: Mapping[int, int], wanted: Sequence[int], budget: int) -> None:
        """Chooses nodes within the budget."""
        room = budget
        troubled = np.flatnonzero(self.outline.troubled)[:TROUBLED].tolist()
        for step in (*wanted, *troubled):
            way = self._way(step)
            if len(way) <= room:  # all of the way down to it, or a line would have no place in the tree
                self.chosen[way] = True
                room -= len(way)
        level = [TOP]
        while level:
            below: list[int] = []
            for node in level:
                is_asked = node >= self.size and self.is_open[node]  # a reader wants to see the tries
                more = opened.get(self.step_of(node), 0) + (OPEN_MORE if is_asked else 0)
                take = min(FIRST_CHILDREN, max(room, 0)) + more
                kids = self.kids(node)
                fresh = kids[~self.chosen[kids]][:take]
                room -= max(0, len(fresh) - more)
                self.chosen[fresh] = True
                below += [kid for kid in kids[self.chosen[kids]].tolist() if len(self.kids(kid))]
            level = below

    def _way(self, step: int) -> list[int]:
        """What must be chosen to see a step, from it upwards. What a closed operation hides shows as the operation."""
        way: list[int] = []
        up = step
        while up != TOP:
            if up < self.size and self.is_drawn_by_operation[up]:
                up, way = int(self.above[up]), []
            if not self.chosen[up]:
                way.append(up)
            up = int(self.above[up])
        return way

    def step_of(self, node: int) -> int:
        """The step that a node is, or the last try of its operation."""
        return int(self.last[node - self.size]) if node >= self.size else node

    def lines(self, wanted: Sequence[int], matches: Sequence[int] = ()) -> Folded:
        """The chosen nodes as lines, each parent's hidden ones in one line after its children."""
        drawn = self.chosen[: self.size] & ~self.is_drawn_by_operation
        operations = np.flatnonzero(self.chosen[self.size :]) + self.size
        tries = {node: _ends(self.tries(node)) for node in operations.tolist()}
        for node, some in tries.items():
            if not self.is_open[node]:
                drawn[list(some)] = True
        owner, top = self._owners(), len(self.above)
        owned = owner[: self.size]
        counted = ~drawn & (owned != np.arange(self.size))
        hidden = np.bincount(owned[counted], minlength=top + 1)
        failed = np.bincount(owned[counted & self.outline.failed], minlength=top + 1)
        match = np.zeros(self.size, np.bool_)
        match[[step for step in matches if 0 <= step < self.size]] = True
        matched = np.bincount(owned[match], minlength=top + 1)
        lines: list[Line] = []

        def siblings(node: int, depth: int) -> list[tuple[Line, int]]:
            kids, parent = self.kids(node), self.step_of(node)
            found = [
                (self._line(kid, depth, parent, tries, hidden, match), kid) for kid in kids[self.chosen[kids]].tolist()
            ]
            if hidden[node]:
                of_tries = int(len(kids) - self.chosen[kids].sum()) if node >= self.size and self.is_open[node] else 0
                itself = bool(0 <= node < self.size and match[node])
                rest = Line(
                    depth,
                    parent,
                    tried=of_tries,
                    folded=int(hidden[node]),
                    folded_failed=int(failed[node]),
                    matches=int(matched[node]) - itself,
                )
                found.append((rest, APART))
            return found

        stack = siblings(TOP, 0)[::-1]
        while stack:
            line, node = stack.pop()
            lines.append(line)
            if node != APART:
                stack.extend(siblings(node, line.depth + 1)[::-1])
        places = {step: self.step_of(int(owner[step])) for step in wanted if owner[step] != top}
        return Folded(lines, int(drawn.sum()), self.size, places, int((match & ~drawn).sum()))

    def _line(
        self, node: int, depth: int, parent: int, tries: Mapping[int, tuple[int, ...]], hidden: Ints, match: Bools
    ) -> Line:
        if node < self.size:
            return Line(depth, parent, step=node, matches=int(match[node]))
        every = self.tries(node)
        is_open = bool(self.is_open[node])
        inside = 0 if is_open else int(hidden[every].sum())
        found = 0 if is_open else int(match[every].sum())
        return Line(depth, parent, tries=tries[node], tried=len(every), is_open=is_open, inside=inside, matches=found)

    def _owners(self) -> Ints:
        """What shows or counts each node: itself, a try on the line of its operation, or the next chosen one above."""
        return _ends_of_ways(self.above, self.chosen | (self._drawn_tries() & self.chosen[self.above]))


def _ends_of_ways(above: Ints, stops: Bools) -> Ints:
    """Of each node the first stop on its way up, itself included; one past the last node where there is none."""
    top = len(above)
    end: Ints = np.append(np.where(stops, np.arange(top), np.where(above == TOP, top, above)), top)
    while True:
        further = end[end]
        if np.array_equal(further, end):
            return end[:top]
        end = further


def _ends(kids: Ints) -> tuple[int, ...]:
    """The tries that one line draws."""
    half = DRAWN_TRIES // 2
    some = kids if len(kids) <= DRAWN_TRIES else np.concatenate([kids[:half], kids[-half:]])
    return tuple(some.tolist())
