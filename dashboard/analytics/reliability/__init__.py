"""Compounded reliability: what a chain of steps delivers, its band, and what to fix first."""

from dashboard.analytics.reliability.bands import (
    Estimate,
    NodeFigures,
    compounded,
    compounded_value,
    first_try,
    node_figures,
    observed,
    retries_buy,
    share,
    verified,
)
from dashboard.analytics.reliability.chain import Chain, Member, Node, Outcomes, Transition, chain_of, together
from dashboard.analytics.reliability.fix import Fix, Stair, fix_first, staircase, what_if
from dashboard.analytics.reliability.parting import Loss, Parting, in_percent, losses, parting

__all__ = [
    "Chain",
    "Estimate",
    "Fix",
    "Loss",
    "Member",
    "Node",
    "NodeFigures",
    "Outcomes",
    "Parting",
    "Stair",
    "Transition",
    "chain_of",
    "compounded",
    "compounded_value",
    "first_try",
    "fix_first",
    "in_percent",
    "losses",
    "node_figures",
    "observed",
    "parting",
    "retries_buy",
    "share",
    "staircase",
    "together",
    "verified",
    "what_if",
]
