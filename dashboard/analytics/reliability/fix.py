"""What the chain would deliver if a step failed less often, and where it loses what it loses."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from dashboard.analytics.reliability.chain import START, Chain, Numbers
from dashboard.analytics.reliability.walk import end_chances, walk, ways

ROUNDED: Final = 12  # digits in which gains are told apart; what is beyond is the solver's rounding


@dataclass(frozen=True, slots=True)
class Fix:
    """What a step is worth fixing."""

    step: str
    gain_half: float
    """What R gains if the step failed half as often."""
    gain_never: float
    """What R gains if it never failed."""
    at_most: bool
    """Nothing is known of what follows the step, which may fail too."""


@dataclass(frozen=True, slots=True)
class Stair:
    """One step down from 100 % to R."""

    node: str
    top: float
    bottom: float

    @property
    def drop(self) -> float:
        """u (1 − r): the share of runs whose first failed operation is here."""
        return self.top - self.bottom


def what_if(chain: Chain, reliability: Mapping[str, float]) -> float | None:
    """R with other reliabilities for some steps, everything else as it is; None without runs.

    A step that stands in several nodes (alone, in a parallel group, fanned out) fails in each of them more or less
    often by the same factor. Names the chain does not know change nothing.
    """
    if not chain.runs:
        return None
    return _with(chain, ways(chain).shares, _factors(chain, reliability), reliability)


def fix_first(chain: Chain) -> tuple[Fix, ...]:
    """The steps that ever failed, by what halving their failures would gain."""
    if not chain.runs:
        return ()
    found = ways(chain)
    now = _with(chain, found.shares, {}, {})
    failing = dict.fromkeys(m.step for node in chain.nodes for m in node.members if m.good < m.operations)
    fixes = []
    for step in failing:
        half, never = (_with(chain, found.shares, {step: factor}, {}) - now for factor in (0.5, 0.0))
        blind = any(node.name in found.assumed and step in {m.step for m in node.members} for node in chain.nodes)
        fixes.append(Fix(step, max(half, 0.0), max(never, 0.0), blind))
    return tuple(sorted(fixes, key=lambda fix: -round(fix.gain_half, ROUNDED)))  # of equals the first to be read


def staircase(chain: Chain, *, first_try: bool = False) -> tuple[Stair, ...]:
    """From 100 % down to R (or F), one stair a node in reading order.

    A stair drops by the share of runs whose first failed operation is there, u (1 − r). On a straight chain that is
    the running product; with branches and loops the drops still add up to 1 − R exactly.
    """
    if not chain.runs:
        return ()
    values = _values(chain, {}, {}, first_try=first_try)
    visits = walk(ways(chain), values).visits
    drops = visits[START + 1 :] * (1 - values[START + 1 :])
    tops = np.clip(1 - np.concatenate(([0.0], np.cumsum(drops))), 0.0, 1.0)
    return tuple(
        Stair(node.name, float(top), float(bottom))
        for node, top, bottom in zip(chain.nodes, tops[:-1], tops[1:], strict=True)
    )


def _with(chain: Chain, shares: Numbers, factors: Mapping[str, float], targets: Mapping[str, float]) -> float:
    return float(min(max(end_chances(shares, _values(chain, factors, targets))[START], 0.0), 1.0))


def _factors(chain: Chain, targets: Mapping[str, float]) -> dict[str, float]:
    """By how much more often a step fails, to come from what it is to what is wanted."""
    factors = {}
    for step, target in targets.items():
        members = [m for node in chain.nodes for m in node.members if m.step == step]
        failed = sum(m.operations - m.good for m in members)
        if failed:
            factors[step] = (1 - target) * sum(m.operations for m in members) / failed
    return factors


def _values(
    chain: Chain, factors: Mapping[str, float], targets: Mapping[str, float], *, first_try: bool = False
) -> Numbers:
    """The reliability of START and of each node, with a step's failures times its factor, or set where it had none."""

    def value(step: str, now: float) -> float:
        if step in factors:
            return 1 - min((1 - now) * factors[step], 1.0)
        return targets.get(step, now)

    return np.array(
        [1.0]
        + [
            prod(value(m.step, m.first_try if first_try else m.reliability) for m in node.members)
            for node in chain.nodes
        ]
    )
