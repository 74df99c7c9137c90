"""Which steps and which routes made R change between two windows: an exact split of the difference."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from dashboard.analytics.reliability.bands import all_but_one
from dashboard.analytics.reliability.chain import START, Chain, Member, Node, Numbers
from dashboard.analytics.reliability.walk import end_chances, reaching, ways

POINTS: Final = 16  # of a Gauss–Legendre piece
CLOSE: Final = 1e-10  # a piece is halved while its parts miss its difference by more …
CLOSEST: Final = 1e-13  # … each half may miss half of that, down to here …
DEEPEST: Final = 24  # … and so often at most
MAIN_WAY: Final = 0.05  # a neighbour is one that at least this share of the transitions joins
NOTHING: Final = 1e-12  # points that are no part

AT_START: Final = "(start)"
UNMATCHED: Final = "?"


@dataclass(frozen=True, slots=True)
class Part:
    """What one cause adds to the change of R."""

    step: str
    """The step whose reliability changed, or after which runs went elsewhere; `(start)` for where they begin."""
    kind: Literal["reliability", "routing", "path"]
    points: float
    """Percentage points of R."""
    label: str
    step_kind: str
    """`tool`, `llm` and so on; empty at the start."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The change of R and its parts, which add up to it."""

    before: float
    after: float
    parts: tuple[Part, ...]
    """The largest first."""
    renamed: Mapping[str, str]
    """Nodes that only changed their name: old to new."""

    @property
    def points(self) -> float:
        """The change in percentage points."""
        return 100 * (self.after - self.before)


class _Split(NamedTuple):
    """What a stretch of the line adds to R: by member, by state for known routes, by state for paths come or gone."""

    reliability: Numbers
    routing: Numbers
    path: Numbers

    def total(self) -> float:
        return float(sum(part.sum() for part in self))

    def plus(self, other: "_Split") -> "_Split":
        return _Split(*(a + b for a, b in zip(self, other, strict=True)))


def attribute(before: Chain, after: Chain, *, version_changed: bool = False) -> Attribution | None:
    """Splits R(after) − R(before) over the reliability of steps and the shares of what follows them.

    The gradient of R is integrated along the straight line between the parameters (Aumann–Shapley). So the parts add
    up to the difference whatever the graph does, and what did not change gets nothing. A step that one window lacks
    takes the other's reliability and shares: what its coming or going did is a `path` part at the step before it.
    None where a window has no runs.

    Args:
        version_changed: whether a version changed between the windows; only then is a step taken to be renamed.
    """
    if not before.runs or not after.runs:
        return None
    renamed = renames(before, after) if version_changed else {}
    line = _Line(before, after, renamed)
    parts = [part for part in _parts(line, line.split()) if abs(part.points) > NOTHING]
    parts.sort(key=lambda part: -round(abs(part.points), 9))  # of equals the first to be read
    return Attribution(line.value(0.0), line.value(1.0), tuple(parts), renamed)


def renames(before: Chain, after: Chain) -> dict[str, str]:
    """Nodes of the first window that the second knows by another name: the same kinds, the same main neighbours.

    Neighbours that only one window has count as unknown until they are matched. A match must be the only one both
    ways; so a row of renamed steps is matched from its ends, and a doubtful step not at all.
    """
    common = {node.name for node in before.nodes} & {node.name for node in after.nodes}
    olds, news = ([node for node in chain.nodes if node.name not in common] for chain in (before, after))
    found: dict[str, str] = {}
    while True:
        known_old, known_new = {n: n for n in common} | found, {n: n for n in {*common, *found.values()}}
        left = {node.name: _place(before, node, known_old) for node in olds if node.name not in found}
        right = {node.name: _place(after, node, known_new) for node in news if node.name not in known_new}
        pairs = [(old, new) for old, place in left.items() for new, there in right.items() if place == there]
        sole = [pair for pair in pairs if sum(pair[0] == old or pair[1] == new for old, new in pairs) == 1]
        if not sole:
            return found
        found.update(sole)


def _place(chain: Chain, node: Node, known: Mapping[str, str]) -> tuple[object, ...]:
    """What is the same of a node after a new name: the kinds of its members and its main neighbours."""

    def neighbour(name: str | None, otherwise: str | None) -> str | None:
        return otherwise if name is None else known.get(name, UNMATCHED)

    ways_in = {
        neighbour(way.source, AT_START)
        for way in chain.transitions
        if way.target == node.name and way.count >= MAIN_WAY * node.operations
    }
    ways_out = {
        neighbour(way.target, way.exit)
        for way in chain.transitions
        if way.source == node.name and way.share >= MAIN_WAY
    }
    return sorted(member.kind for member in node.members), ways_in, ways_out


class _Line:
    """The straight line from the parameters of one window to those of another."""

    def __init__(self, before: Chain, after: Chain, renamed: Mapping[str, str]) -> None:
        """Brings both windows to the same nodes, named as in the second."""
        old = {renamed.get(node.name, node.name): node for node in before.nodes}
        new = {node.name: node for node in after.nodes}
        self.names = [*new, *(name for name in old if name not in new)]
        pairs = [_pair(old.get(name), new.get(name)) for name in self.names]
        self.kinds = [(new.get(name) or old[name]).kind for name in self.names]
        self.members = [both for pair in pairs for both in pair]
        self.owner = np.repeat(np.arange(len(pairs)), [len(pair) for pair in pairs])
        self.r = np.array([[member.reliability for member in side] for side in zip(*self.members, strict=True)])
        self.r = self.r.reshape(2, len(self.members))
        shares = [self._shares(before, renamed), self._shares(after, {})]
        for one, other in ((0, 1), (1, 0)):
            missing = np.isnan(shares[one]).any(axis=1)
            shares[one][missing] = shares[other][missing]
        self.shares = np.nan_to_num(np.array(shares))
        self.is_new = np.array([name not in old for name in self.names] + [False])
        self.passing = self.is_new | np.array([name not in new for name in self.names] + [False])

    def _shares(self, chain: Chain, renamed: Mapping[str, str]) -> Numbers:
        """What follows what in one window; NaN in rows that it does not know."""
        k = len(self.names)
        at = {name: index for index, name in enumerate(self.names)}
        columns = [*(at[renamed.get(node.name, node.name)] for node in chain.nodes), k]
        shares = np.full((k + 1, k + 1), np.nan)
        found = ways(chain).shares
        for state, row in enumerate(found):
            node = chain.nodes[state - 1] if state != START else None
            if node is None or node.reliability > 0 or chain.moves[state].any():
                target = START if node is None else columns[state - 1] + 1
                shares[target] = 0.0
                shares[target, columns] = row
        return shares

    def value(self, t: float) -> float:
        """R at a point of the line."""
        shares, r = self.shares[0] + t * (self.shares[1] - self.shares[0]), self.r[0] + t * (self.r[1] - self.r[0])
        return float(end_chances(shares, np.concatenate(([1.0], self._of_nodes(r[None])[0][0])))[START])

    def split(self, since: float = 0.0, until: float = 1.0, close: float = CLOSE, depth: int = 0) -> _Split:
        """What each parameter adds to R between two points of the line."""
        found = self._piece(since, until)
        if abs(found.total() - (self.value(until) - self.value(since))) <= close or depth == DEEPEST:
            return found
        middle, closer = (since + until) / 2, max(close / 2, CLOSEST)
        return self.split(since, middle, closer, depth + 1).plus(self.split(middle, until, closer, depth + 1))

    def _piece(self, since: float, until: float) -> _Split:
        points, weights = np.polynomial.legendre.leggauss(POINTS)
        t, weights = since + (until - since) * (points + 1) / 2, weights * (until - since) / 2
        dr, dp = self.r[1] - self.r[0], self.shares[1] - self.shares[0]
        r_nodes, beside = self._of_nodes(self.r[0] + t[:, None] * dr)
        r = np.concatenate((np.ones((POINTS, 1)), r_nodes), axis=1)
        shares = self.shares[0] + t[:, None, None] * dp
        end, visits = _solve(shares, r)
        worth = np.concatenate((end, np.ones((POINTS, 1))), axis=1)
        onward = np.einsum("tij,tj->ti", shares, worth)
        slope = (visits * onward)[:, 1:][:, self.owner] * beside
        # Where runs that come or go through a lone node would have been: on the other ways, as these share them.
        usual = shares * ~self.passing
        usual_worth = np.einsum("tij,tj->ti", usual, worth) / np.maximum(usual.sum(axis=2), np.finfo(float).tiny)
        gain = dp * (worth[:, None, :] - usual_worth[:, :, None]) * (visits * r)[:, :, None]
        by_way = np.einsum("t,tij->ij", weights, gain)
        return _Split(weights @ slope * dr, by_way[:, ~self.passing].sum(axis=1), by_way[:, self.passing].sum(axis=1))

    def _of_nodes(self, members: Numbers) -> tuple[Numbers, Numbers]:
        """Reliability of each node, and for each member that of those beside it, at each point."""
        nodes, beside = np.ones((len(members), len(self.names))), np.ones_like(members)
        for index in range(len(self.names)):
            of = np.flatnonzero(self.owner == index)
            nodes[:, index] = members[:, of].prod(axis=1)
            if len(of) > 1:
                beside[:, of] = [all_but_one(list(values)) for values in members[:, of]]
        return nodes, beside


def _pair(old: Node | None, new: Node | None) -> list[tuple[Member, Member]]:
    """The members of a node in both windows. A window that lacks it takes the other's."""
    if old is None or new is None:
        return [(member, member) for node in (old, new) if node is not None for member in node.members]
    if {m.step for m in old.members} == {m.step for m in new.members}:
        return list(zip(old.members, new.members, strict=True))  # both by step
    by_kind = (sorted(node.members, key=lambda member: (member.kind, member.step)) for node in (old, new))
    return list(zip(*by_kind, strict=True))


def _solve(shares: Numbers, r: Numbers) -> tuple[Numbers, Numbers]:
    """h of each node and u of each state at each point inside the line."""
    k = r.shape[1] - 1
    some_shares, some_r = shares.max(axis=0), r.max(axis=0)
    alive = reaching((some_shares[:, k] > 0) & (some_r > 0), some_shares[:, :k] * some_r[:, None])
    inner: Numbers = np.eye(k) - (r * alive)[:, 1:, None] * shares[:, 1:, :k]
    ends: Numbers = (r * alive * shares[:, :, k])[:, 1:, None]
    end = np.linalg.solve(inner, ends)[:, :, 0]
    visits = np.linalg.solve(inner.transpose(0, 2, 1), shares[:, START, :k, None])[:, :, 0]
    return np.asarray(end, float), np.concatenate((np.ones((len(r), 1)), visits), axis=1)


def _parts(line: _Line, split: _Split) -> Iterator[Part]:
    """The pieces of the split by step and by node, with words."""
    by_step: dict[str, float] = defaultdict(float)
    for (_, member), gain in zip(line.members, split.reliability, strict=True):
        by_step[member.step] += gain
    kinds = {member.step: member.kind for _, member in line.members}
    was = {new.step: f" (was {old.step})" for old, new in line.members if old.step != new.step}
    for step, gain in by_step.items():
        yield Part(step, "reliability", 100 * gain, step + was.get(step, ""), kinds[step])
    for state, name in enumerate([AT_START, *line.names]):
        kind = "" if state == START else line.kinds[state - 1]
        place = "at the start" if state == START else f"after {name}"
        yield Part(name, "routing", 100 * split.routing[state], f"routing {place}", kind)
        changed = (line.shares[0, state] != line.shares[1, state]) & line.passing
        news = [f"{line.names[i]} {'added' if line.is_new[i] else 'removed'}" for i in np.flatnonzero(changed)]
        yield Part(name, "path", 100 * split.path[state], f"path: {', '.join(news)}", kind)
