"""The chances of a run that walks the step graph: of reaching END, and how often it comes to each step."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.reliability.chain import START, Chain, Numbers

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """What follows a successful operation, as shares: rows as in `Chain.moves`, columns nodes and END."""

    shares: Numbers
    counts: Numbers
    """Transitions behind each row."""
    assumed: frozenset[str]
    """Nodes that nothing was seen to follow: END is taken to."""


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A chain solved for one set of reliabilities. Index 0 is START, which always succeeds."""

    ways: Ways
    reliability: Numbers
    end: Numbers
    """h: the chance of reaching END without a failed operation, from each state."""
    onward: Numbers
    """g: the same once the state's own operation was good."""
    visits: Numbers
    """u: how often a run comes here before it ends or an operation fails."""

    @property
    def value(self) -> float:
        """The chance of reaching END without a failed operation."""
        return float(self.end[START])


@lru_cache(maxsize=8)  # R, F and what lies between them walk the same ways, one after another
def ways(chain: Chain, *, outside: bool = False) -> Ways:
    """What follows what in a chain.

    Args:
        outside: whether runs lost outside a step leave the chain. Else only steps and END follow.

    Where no transition says what follows a successful operation (all its runs wait or still go on), or a circle has
    no way out and no step of it ever failed, END is taken to follow: nothing is known against it.
    """
    k = len(chain.nodes)
    moves = chain.moves[:, : k + 1].copy()
    lost = chain.moves[:, k + 1] if outside else np.zeros(k + 1)
    good = np.array([chain.runs, *(min(m.good for m in node.members) for node in chain.nodes)])
    silent = (moves.sum(axis=1) + lost) == 0
    moves[silent, k] = np.maximum(good[silent], 1)
    failing = reliabilities(chain) < 1
    assumed = silent
    for fewest in (0, 1):  # 1 for counts that contradict each other: runs went in and are nowhere
        stuck = ~reaching((moves[:, k] > 0) | (lost > 0) | failing, moves[:, :k])
        assumed = assumed | stuck
        moves[stuck, k] = np.maximum(good[stuck] - moves[stuck].sum(axis=1), fewest)
    counts = moves.sum(axis=1) + lost
    names = frozenset(node.name for node, is_assumed in zip(chain.nodes, assumed[1:], strict=True) if is_assumed)
    return Ways(moves / counts[:, None], counts, names)


def walk(found: Ways, reliability: Numbers) -> Walk:
    """Solves a chain: R = start·(I − D·P)⁻¹·D·p_END and what belongs to it.

    Args:
        reliability: of START (1) and of each node, each with a way to END or to a failure.
    """
    end = end_chances(found.shares, reliability)
    k = len(reliability) - 1
    onward = found.shares[:, :k] @ end[1:] + found.shares[:, k]
    inner = np.eye(k) - reliability[1:, None] * found.shares[1:, :k]
    visits = np.linalg.solve(inner.T, found.shares[START, :k])
    return Walk(found, reliability, end, onward, np.concatenate(([1.0], visits)))


def end_chances(shares: Numbers, reliability: Numbers) -> Numbers:
    """h of START and of each node. A state that cannot reach END has 0, so no circle makes the system singular."""
    k = len(reliability) - 1
    comes = reaching((shares[:, k] > 0) & (reliability > 0), shares[:, :k] * reliability[:, None])
    alive = np.where(comes, reliability, 0.0)
    inner = np.eye(k) - alive[1:, None] * shares[1:, :k]
    nodes = np.linalg.solve(inner, alive[1:] * shares[1:, k])
    return np.concatenate(([shares[START, :k] @ nodes + shares[START, k]], nodes))


def reaching(goal: Flags, moves: Numbers) -> Flags:
    """Which states come to the goal along transitions; rows as in `Chain.moves`, columns nodes only."""
    found = goal.copy()
    while True:
        more = found | (moves[:, found[1:]] > 0).any(axis=1)
        if (more == found).all():
            return found
        found = more


def reliabilities(chain: Chain, *, first_try: bool = False) -> Numbers:
    """r (or f) of START, which is 1, and of each node."""
    return np.array([1.0, *(node.first_try if first_try else node.reliability for node in chain.nodes)])


def walk_of(chain: Chain, *, first_try: bool = False, outside: bool = False) -> Walk:
    """A chain solved as it is."""
    return walk(ways(chain, outside=outside), reliabilities(chain, first_try=first_try))
