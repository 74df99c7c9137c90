"""Chains to compute by hand, and runs to count into chains."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.analytics.reliability import Chain, chain_of

Row = dict[str, Any]


def node(name: str, operations: float, good: float, first_good: float | None = None, kind: str = "tool") -> Row:
    first = good if first_good is None else first_good
    return {"node": name, "step": name, "kind": kind, "operations": operations, "first_good": first, "good": good}


def group(*members: Row) -> list[Row]:
    """The members of a parallel group."""
    name = " ‖ ".join(sorted(member["step"] for member in members))
    return [member | {"node": name} for member in members]


def edge(source: str | None, target: str | None, transitions: float) -> Row:
    """`end` and `outside` as targets leave the chain."""
    leaves = target if target in ("end", "outside") else None
    return {
        "from_node": source,
        "to_node": None if leaves else target,
        "exit": leaves,
        "transitions": transitions,
    }


def ended(**counts: int) -> Row:
    names = ("finished", "clean", "recovered", "silent", "failed", "pending", "rescued", "verdict_pass", "verdict_fail")
    row = dict.fromkeys(names, 0) | counts
    return row | {"finished": row["clean"] + row["recovered"] + row["silent"] + row["failed"]}


def straight(reliability: Sequence[float], operations: Sequence[float], first: Sequence[float] | None = None) -> Chain:
    """A chain without branches, its steps named s0, s1, … Counts may be broken numbers."""
    names = [f"s{i}" for i in range(len(reliability))]
    tries = first or reliability
    rows = [node(n, o, o * r, o * f) for n, o, r, f in zip(names, operations, reliability, tries, strict=True)]
    good = [row["good"] for row in rows]
    ways = zip([None, *names], [*names, "end"], [operations[0], *good], strict=True)
    return chain_of(rows, [edge(*way) for way in ways])


class Op(NamedTuple):
    """One operation of a simulated run."""

    node: str
    good: bool
    first_good: bool


def counted(runs: Iterable[tuple[Sequence[Op], str | None]], outcomes: Mapping[str, int] | None = None) -> Chain:
    """The chain of runs: their operations in order, and how each left (`end`, `outside`, None: it did not)."""
    operations, good, first = Counter[str](), Counter[str](), Counter[str]()
    ways = Counter[tuple[str | None, str]]()
    for ops, left in runs:
        before: str | None = None
        clear = True  # what stands before was good
        for op in ops:
            operations[op.node] += 1
            good[op.node] += op.good
            first[op.node] += op.first_good
            if clear:
                ways[before, op.node] += 1
            before, clear = op.node, op.good
        if clear and left:
            ways[before, left] += 1
    rows = [node(name, operations[name], good[name], first[name]) for name in operations]
    return chain_of(rows, [edge(*way, n) for way, n in ways.items()], ended(**outcomes) if outcomes else None)
