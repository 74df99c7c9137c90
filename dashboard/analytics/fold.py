"""Which steps of a run to show when there are too many: a tree cut to a budget that says what it leaves out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

BUDGET: Final = 300  # lines that a reader can scroll through and a browser draws in a few milliseconds
FIRST_CHILDREN: Final = 5  # of a wide fan-out, before the rest folds
TROUBLED: Final = 40  # failed, pending and open steps that are shown wherever they lie
OPEN_MORE: Final = 300  # lines that opening a fold brings
TOP: Final = "top"  # what stands for the parent of steps without one

Step = Mapping[str, Any]


class Line(NamedTuple):
    """One line of the folded tree: a step, or what was folded away under a parent."""

    depth: int
    step: int | None
    """Index into the steps; None: this line stands for folded ones."""
    parent: str
    """Span id of the parent, or `TOP`."""
    folded: tuple[int, ...] = ()
    """Indices of the folded siblings; more may lie below them."""
    folded_steps: int = 0
    """How many steps the line stands for, with all that lies below."""
    folded_failed: int = 0


class Folded(NamedTuple):
    """A tree cut to a budget."""

    lines: list[Line]
    shown: int
    total: int


def fold(steps: Sequence[Step], opened: Mapping[str, int], wanted: str | None = None, budget: int = BUDGET) -> Folded:
    """The lines to show, parents before children.

    All are shown where they fit the budget. Else each parent shows its first children, level by level until the
    budget is used, and beside them, at any depth, the wanted step and the first ones in trouble with all above them.

    Args:
        steps: rows with `span_id`, `parent_span_id` and `status`, siblings in order. Parents may be missing or
            run in circles.
        opened: parents whose folded children a reader asked for, and how many of them.
        wanted: a span id that must be among the lines.
    """
    children, roots = _tree(steps)
    order = _preorder(children, roots)
    above = _parents(children)
    size, failed = [1] * len(steps), [int(step["status"] == "failed") for step in steps]
    for index in reversed(order):
        parent = above[index]
        if parent is not None:
            size[parent] += size[index]
            failed[parent] += failed[index]
    if len(steps) <= budget:
        chosen = set(range(len(steps)))
    else:
        chosen = _choose(steps, children, roots, above, opened, wanted, budget)
    lines = _lines(steps, children, roots, chosen, size, failed)
    return Folded(lines, len(chosen), len(steps))


def _tree(steps: Sequence[Step]) -> tuple[list[list[int]], list[int]]:
    """Children of each step and the roots; every step is reached exactly once, whatever the parents say."""
    at = {step["span_id"]: index for index, step in enumerate(steps)}
    children: list[list[int]] = [[] for _ in steps]
    roots: list[int] = []
    for index, step in enumerate(steps):
        parent = at.get(step["parent_span_id"])
        (roots if parent is None or parent == index else children[parent]).append(index)
    reached = set(_preorder(children, roots))
    for index in range(len(steps)):
        if index not in reached:  # a circle: cut it at its first step
            parent = at[steps[index]["parent_span_id"]]
            children[parent].remove(index)
            roots.append(index)
            reached.update(_preorder(children, [index]))
    return children, roots


def _preorder(children: Sequence[Sequence[int]], roots: Sequence[int]) -> list[int]:
    order, stack = [], list(reversed(roots))
    while stack:
        index = stack.pop()
        order.append(index)
        stack.extend(reversed(children[index]))
    return order


def _parents(children: Sequence[Sequence[int]]) -> list[int | None]:
    above: list[int | None] = [None] * len(children)
    for parent, kids in enumerate(children):
        for kid in kids:
            above[kid] = parent
    return above


def _choose(
    steps: Sequence[Step],
    children: Sequence[Sequence[int]],
    roots: Sequence[int],
    above: Sequence[int | None],
    opened: Mapping[str, int],
    wanted: str | None,
    budget: int,
) -> set[int]:
    troubled = [index for index, step in enumerate(steps) if step["status"] != "ok"][:TROUBLED]
    chosen: set[int] = set()
    for index in (*(index for index, step in enumerate(steps) if step["span_id"] == wanted), *troubled):
        path: list[int] = []
        up: int | None = index
        while up is not None and up not in chosen:
            path.append(up)
            up = above[up]
        if len(chosen) + len(path) <= budget:  # all of the way down to it, or a line would have no place in the tree
            chosen.update(path)
    level: list[tuple[str, Sequence[int]]] = [(TOP, roots)]
    room = budget - len(chosen)
    while level:
        below: list[tuple[str, Sequence[int]]] = []
        for parent, kids in level:
            more = opened.get(parent, 0)
            take = min(FIRST_CHILDREN, max(room, 0)) + more
            fresh = [kid for kid in kids if kid not in chosen][:take]
            room -= max(0, len(fresh) - more)
            chosen.update(fresh)
            below += [(steps[kid]["span_id"], children[kid]) for kid in kids if kid in chosen and children[kid]]
        level = below
    return chosen


def _lines(
    steps: Sequence[Step],
    children: Sequence[Sequence[int]],
    roots: Sequence[int],
    chosen: set[int],
    size: Sequence[int],
    failed: Sequence[int],
) -> list[Line]:
    lines: list[Line] = []

    def siblings(parent: str, kids: Sequence[int], depth: int) -> list[Line]:
        shown = [Line(depth, kid, parent) for kid in kids if kid in chosen]
        hidden = tuple(kid for kid in kids if kid not in chosen)
        if hidden:
            steps_below, failed_below = sum(size[kid] for kid in hidden), sum(failed[kid] for kid in hidden)
            shown.append(Line(depth, None, parent, hidden, steps_below, failed_below))
        return shown

    stack = siblings(TOP, roots, 0)[::-1]
    while stack:
        line = stack.pop()
        lines.append(line)
        if line.step is not None:
            stack.extend(siblings(steps[line.step]["span_id"], children[line.step], line.depth + 1)[::-1])
    return lines
