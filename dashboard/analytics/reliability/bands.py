"""Estimates with their bands: compounded, first try, observed, what retries buy, and each node's own figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, prod, sqrt
from typing import Final, Literal

import numpy as np

from dashboard.analytics.proportions import Band, Z, wilson
from dashboard.analytics.reliability.chain import START, Chain, Node, Numbers, Outcomes
from dashboard.analytics.reliability.walk import Walk, walk_of

FEWEST_RUNS: Final = 30  # below this the band is shown alone
TWO_POINTS: Final = 0.02  # half a band that is narrow enough to act on
ROUNDING: Final = 1e-20  # a variance below this is none; one failure in a billion runs makes 1e-18

NO_RUNS: Final = "no runs"
NONE_FINISHED: Final = "no run has finished"
NO_VERDICTS: Final = "no run carries a verdict"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % band and what it rests on."""

    value: float | None
    low: float
    high: float
    n: int
    """Runs, operations or verdicts behind it."""
    reason: str = ""
    """Why there is no value; empty where there is one."""

    @property
    def shown(self) -> Literal["nothing", "band", "value and band"]:
        """What may stand on screen: the value only where enough is known."""
        if self.value is None:
            return "nothing"
        return "band" if self.n < FEWEST_RUNS else "value and band"

    @property
    def more_for_2_points(self) -> int | None:
        """How many more until the band is ± 2 points; None where it is, or where nothing is known."""
        half = (self.high - self.low) / 2
        if self.value is None or half <= TWO_POINTS:
            return None
        return ceil(round(self.n * ((half / TWO_POINTS) ** 2 - 1), 6))


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """One node of the chain with everything that is known of it."""

    node: Node
    first_try: Estimate
    reliability: Estimate
    visits: float
    """u: how often a run comes here before it ends or an operation fails."""
    reaches_end: float
    """h: the chance to reach END from here."""
    lost: float
    """u (1 − r): the chance that a run's first failed operation is here. Over all nodes they add up to 1 − R."""


def unknown(reason: str, low: float = 0.0) -> Estimate:
    """No value, and why."""
    return Estimate(None, low, 1.0, 0, reason)


def share(part: int, whole: int, reason: str) -> Estimate:
    """A plain share with its Wilson band; the reason stands where there is nothing to share."""
    return Estimate(part / whole, *wilson(part, whole), whole) if whole else unknown(reason)


def compounded(chain: Chain) -> Estimate:
    """R: the chance of reaching END without a failed operation."""
    return _reached(chain, walk_of(chain), first_try=False) if chain.runs else unknown(NO_RUNS)


def compounded_value(chain: Chain) -> float | None:
    """R alone: its band costs as much again."""
    return _clean(walk_of(chain).value) if chain.runs else None


def first_try(chain: Chain) -> Estimate:
    """F: the chance of reaching END with every operation good at its first try."""
    return _reached(chain, walk_of(chain, first_try=True), first_try=True) if chain.runs else unknown(NO_RUNS)


def observed(outcomes: Outcomes) -> Estimate:
    """E, claimed: the share of finished runs in which no failure was seen, or every failure was handled."""
    return share(outcomes.good, outcomes.finished, NONE_FINISHED)


def verified(outcomes: Outcomes) -> Estimate:
    """E, verified: the share of judged runs whose verdict is pass; `n` says how many carry one."""
    return share(outcomes.verdict_pass, outcomes.verdict_pass + outcomes.verdict_fail, NO_VERDICTS)


def retries_buy(chain: Chain) -> Estimate:
    """R − F: what recovering failed operations adds."""
    if not chain.runs:
        return unknown(NO_RUNS)
    after, before = walk_of(chain), walk_of(chain, first_try=True)
    bought = min(max(after.value - before.value, 0.0), 1.0)
    variance = 0.0
    slopes = zip(member_slopes(chain, after), member_slopes(chain, before, first_try=True), strict=True)
    for node, (for_r, for_f) in zip(chain.nodes, slopes, strict=True):
        for member, a, b in zip(node.members, for_r, for_f, strict=True):
            r, f = member.reliability, member.first_try
            variance += (a * a * r * (1 - r) + b * b * f * (1 - f) - 2 * a * b * f * (1 - r)) / member.operations
    variance += _routing(after, after.visits * after.reliability, before)
    recovered = any(member.good > member.first_good for node in chain.nodes for member in node.members)
    if not recovered or variance < ROUNDING:  # nothing recovered, or every run needed it
        bought = bought if recovered else 0.0
        return Estimate(bought, *wilson(bought * chain.runs, chain.runs), chain.runs)
    half = Z * sqrt(variance)
    return Estimate(bought, max(bought - half, 0.0), min(bought + half, 1.0), chain.runs)


def node_figures(chain: Chain) -> tuple[NodeFigures, ...]:
    """Each node's own figures, in reading order."""
    if not chain.runs:
        return ()
    found = walk_of(chain)
    return tuple(
        NodeFigures(
            node,
            _of_node(node, [member.first_try for member in node.members]),
            _of_node(node, [member.reliability for member in node.members]),
            float(found.visits[state]),
            float(found.end[state]),
            float(found.visits[state] * (1 - node.reliability)),
        )
        for state, node in enumerate(chain.nodes, START + 1)
    )


def variance_of(chain: Chain, found: Walk, *, first_try: bool = False) -> float:
    """V: the variance of R (or F), from the operations of each step and from what followed them."""
    steps = sum(
        slope * slope * p * (1 - p) / member.operations
        for node, slopes in zip(chain.nodes, member_slopes(chain, found, first_try=first_try), strict=True)
        for member, slope in zip(node.members, slopes, strict=True)
        for p in [member.first_try if first_try else member.reliability]
    )
    return steps + _routing(found, found.visits * found.reliability)


def member_slopes(chain: Chain, found: Walk, *, first_try: bool = False) -> Iterator[list[float]]:
    """∂R/∂r of each member of each node: u g times the reliability of those beside it."""
    for state, node in enumerate(chain.nodes, START + 1):
        values = [member.first_try if first_try else member.reliability for member in node.members]
        slope = float(found.visits[state] * found.onward[state])
        yield [slope * beside for beside in all_but_one(values)]


def all_but_one(values: Sequence[float]) -> list[float]:
    """For each value the product of the others."""
    return [prod(values[:i]) * prod(values[i + 1 :]) for i in range(len(values))]


def _routing(found: Walk, weight: Numbers, less: Walk | None = None) -> float:
    """Variance by what followed what: Σ Var_P(u r h)/m, or of its difference from another walk of the same ways."""
    worth = weight[:, None] * np.append(found.end[1:], 1.0)
    if less is not None:
        worth = worth - (less.visits * less.reliability)[:, None] * np.append(less.end[1:], 1.0)
    shares = found.ways.shares
    mean = (shares * worth).sum(axis=1, keepdims=True)
    # Runs lost outside a step are worth nothing, and make the rest of the row's share.
    lost = np.maximum(1 - shares.sum(axis=1), 0.0)
    spread = (shares * (worth - mean) ** 2).sum(axis=1) + lost * mean[:, 0] ** 2
    return float((spread / found.ways.counts).sum())


def _reached(chain: Chain, found: Walk, *, first_try: bool) -> Estimate:
    value = _clean(found.value)
    return Estimate(value, *_band(value, variance_of(chain, found, first_try=first_try), chain.runs), chain.runs)


def _clean(value: float) -> float:
    """A chance without the rounding of the solver at 0 and 1, where bands have another rule."""
    return float(round(value)) if abs(value - round(value)) < 1e-12 else value


def _band(value: float, variance: float, n: int) -> Band:
    """Wilson's band at the number of trials that would have this variance: n where there is none."""
    if variance < ROUNDING or value in (0, 1):
        return wilson(value * n, n)
    worth = value * (1 - value) / variance
    return wilson(value * worth, worth)


def _of_node(node: Node, values: Sequence[float]) -> Estimate:
    value = prod(values)
    variance = sum(
        beside * beside * p * (1 - p) / member.operations
        for member, p, beside in zip(node.members, values, all_but_one(values), strict=True)
    )
    return Estimate(value, *_band(value, variance, node.operations), node.operations)
