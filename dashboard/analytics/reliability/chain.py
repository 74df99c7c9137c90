"""The step graph of a workflow, made from counted rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, Any]
Numbers = NDArray[np.float64]

START: Final = 0  # the state before the first step; state i+1 is node i
END: Final = "end"
OUTSIDE: Final = "outside"


@dataclass(frozen=True, slots=True)
class Member:
    """A step as it occurs in one node of the graph."""

    step: str
    kind: str
    operations: int
    first_good: int
    """Operations whose first try was good."""
    good: int
    """Operations that were ok or recovered."""

    @property
    def first_try(self) -> float:
        """f: the share of operations whose first try was good."""
        return self.first_good / self.operations

    @property
    def reliability(self) -> float:
        """r: the share of operations that were ok or recovered."""
        return self.good / self.operations


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the graph: one step, a fan-out of one step, or a group of steps that run at the same time."""

    name: str
    members: tuple[Member, ...]

    @property
    def operations(self) -> int:
        """How often runs came here."""
        return max(member.operations for member in self.members)

    @property
    def kind(self) -> str:
        """The step kind; `parallel` where members differ."""
        kinds = {member.kind for member in self.members}
        return kinds.pop() if len(kinds) == 1 else "parallel"

    @property
    def first_try(self) -> float:
        """The chance that every member is good at its first try."""
        return prod(member.first_try for member in self.members)

    @property
    def reliability(self) -> float:
        """The chance that every member is good in the end."""
        return prod(member.reliability for member in self.members)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How runs ended: a row of `queries/chain_runs.sql`."""

    finished: int
    clean: int
    recovered: int
    silent: int
    failed: int
    pending: int = 0
    rescued: int = 0
    """Good runs that hold a failed step."""
    verdict_pass: int = 0
    verdict_fail: int = 0

    @classmethod
    def of(cls, row: Row) -> Self:
        """What is missing or NULL in the row counts as none."""
        return cls(**{field.name: row.get(field.name) or 0 for field in fields(cls)})

    @property
    def good(self) -> int:
        """Runs in which no failure was seen, or every failure was handled."""
        return self.clean + self.recovered


@dataclass(frozen=True, slots=True)
class Transition:
    """One edge of the graph; None stands for START before, and for leaving the chain after."""

    source: str | None
    target: str | None
    exit: str | None
    """`end` or `outside` where there is no target."""
    count: int
    share: float
    """Of all that followed a successful operation of the source, lost outside a step included."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The steps of one workflow in one window, and what followed what."""

    nodes: tuple[Node, ...]
    """In reading order."""
    moves: Numbers
    """Counts. Row 0 is START, row i+1 node i; column i is node i, then END, then lost outside a step."""
    outcomes: Outcomes | None = None
    """None for a chain that was opened out of one step."""
    unknown: tuple[str, ...] = ()
    """Nodes that transitions name and no operation belongs to: left out."""

    @property
    def runs(self) -> int:
        """How many entered the chain."""
        return int(self.moves[START].sum())

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps, each once, in reading order."""
        return tuple(dict.fromkeys(member.step for node in self.nodes for member in node.members))

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The edges that were seen, in reading order."""
        sources = [None, *(node.name for node in self.nodes)]
        targets = [*((node.name, None) for node in self.nodes), (None, END), (None, OUTSIDE)]
        return tuple(
            Transition(source, target, way_out, int(count), float(count / row.sum()))
            for source, row in zip(sources, self.moves, strict=True)
            for (target, way_out), count in zip(targets, row, strict=True)
            if count
        )


def chain_of(nodes: Iterable[Row], edges: Iterable[Row], runs: Row | None = None) -> Chain:
    """The chain that the rows of `chain_nodes`, `chain_edges` and `chain_runs` describe.

    Rows that count nothing are left out, as are transitions from or to a node without operations.
    """
    members: dict[str, list[Member]] = defaultdict(list)
    for row in nodes:
        if (operations := row["operations"]) > 0:
            good = min(max(row["good"], 0), operations)
            first = min(max(row["first_good"], 0), good)
            members[row["node"]].append(Member(row["step"], row["kind"] or "", operations, first, good))
    known = {name: Node(name, tuple(sorted(group, key=lambda m: m.step))) for name, group in members.items()}
    seen = [edge for edge in edges if edge["transitions"] > 0]
    named = {name for edge in seen for name in (edge["from_node"], edge["to_node"]) if name is not None}
    seen = [edge for edge in seen if {edge["from_node"], edge["to_node"]} <= {*known, None}]
    order = reading_order(sorted(known), seen)
    column = {name: index for index, name in enumerate(order)}
    moves = np.zeros((len(order) + 1, len(order) + 2))
    for edge in seen:
        source = START if edge["from_node"] is None else column[edge["from_node"]] + 1
        out = len(order) + (edge["exit"] == OUTSIDE)
        moves[source, out if edge["to_node"] is None else column[edge["to_node"]]] += edge["transitions"]
    return Chain(
        tuple(known[name] for name in order),
        moves,
        Outcomes.of(runs) if runs is not None else None,
        tuple(sorted(named - known.keys())),
    )


def reading_order(names: Sequence[str], edges: Iterable[Row]) -> list[str]:
    """Nodes as a reader follows them: each before what comes after it, as far as loops allow.

    The reverse postorder of a walk from START that takes the most travelled transition first, so that a loop is
    cut at its rare way back. Nodes that the walk does not reach follow by name.
    """
    after: dict[str | None, list[tuple[float, str]]] = defaultdict(list)
    for edge in edges:
        if edge["to_node"] is not None:
            after[edge["from_node"]].append((-edge["transitions"], edge["to_node"]))
    ways = {source: iter([name for _, name in sorted(targets)]) for source, targets in after.items()}
    done: list[str] = []
    entered: set[str | None] = {None}
    path: list[str | None] = [None]
    while path:
        step = next((name for name in ways.get(path[-1], iter(())) if name not in entered), None)
        if step is not None:
            entered.add(step)
            path.append(step)
        elif (left := path.pop()) is not None:
            done.append(left)
    return [*reversed(done), *(name for name in names if name not in entered)]


def together(chains: Mapping[str, Chain]) -> Chain:
    """All workflows as one chain: a run first enters the chain of its workflow, and stays there.

    Its R is the mean of theirs by runs, its band what theirs and the shares of START make.
    """
    names: list[tuple[str, Chain]] = [(name, chain) for name, chain in chains.items() if chain.runs]
    size = sum(len(chain.nodes) for _, chain in names)
    moves = np.zeros((size + 1, size + 2))
    nodes: list[Node] = []
    for name, chain in names:
        first, count = len(nodes), len(chain.nodes)
        rows = slice(first + 1, first + 1 + count)
        moves[START, first : first + count] = chain.moves[START, :count]
        moves[START, size:] += chain.moves[START, count:]
        moves[rows, first : first + count] = chain.moves[1:, :count]
        moves[rows, size:] = chain.moves[1:, count:]
        nodes += [Node(f"{name} › {node.name}", node.members) for node in chain.nodes]
    ends = [chain.outcomes for chain in chains.values() if chain.outcomes is not None]
    summed = {field.name: sum(getattr(end, field.name) for end in ends) for field in fields(Outcomes)}
    unknown = tuple(f"{name} › {node}" for name, chain in chains.items() for node in chain.unknown)
    return Chain(tuple(nodes), moves, Outcomes(**summed), unknown)
