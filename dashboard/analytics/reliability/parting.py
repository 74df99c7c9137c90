"""Why the chain's figure and what users got are not the same, and where the lost runs went."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import Final, Literal

from dashboard.analytics.proportions import Z
from dashboard.analytics.reliability.bands import NONE_FINISHED, Estimate, all_but_one, share
from dashboard.analytics.reliability.chain import START, Chain, Node, Outcomes, Row
from dashboard.analytics.reliability.walk import Walk, walk_of

UNCLASSIFIED: Final = "unclassified"
COMPONENT: Final = "component"
ROUNDING: Final = 1e-9  # of the solver: no effect is this small


@dataclass(frozen=True, slots=True)
class Parting:
    """R − E in three parts: outside − rescued + dependence."""

    total: float
    """R − E."""
    outside: float
    """Runs that failed although no step of theirs did."""
    rescued: Estimate
    """Good runs that hold a failed step."""
    dependence: Estimate
    """What is left: below 0 where failures gather in the same runs. Its band is as wide as chance makes it where
    steps fail independently of each other, so it holds 0 there 19 times in 20."""

    @property
    def gathers(self) -> bool:
        """Failures gather in the same runs, beyond chance: E predicts the next run, R says what to fix."""
        return self.dependence.value is not None and self.dependence.high < -ROUNDING


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of the finished runs; all parts together are all of them."""

    part: str
    """`clean`, `recovered`, a layer of the lens, `component` or `unclassified`."""
    runs: int
    silent: int
    """Of these, how many said nothing."""
    share: float


def parting(chain: Chain) -> Parting | None:
    """Where R and E part; None without finished runs, or for a chain opened out of a step."""
    outcomes = chain.outcomes
    if outcomes is None or not outcomes.finished or not chain.runs:
        return None
    compounded, with_exit = walk_of(chain), walk_of(chain, outside=True)
    rescued = min(outcomes.rescued, outcomes.good)
    unexplained = with_exit.value - (outcomes.good - rescued) / outcomes.finished
    half = Z * sqrt(dependence_variance(chain, with_exit))
    return Parting(
        compounded.value - outcomes.good / outcomes.finished,
        compounded.value - with_exit.value,
        share(rescued, outcomes.finished, NONE_FINISHED),
        Estimate(unexplained, unexplained - half, unexplained + half, outcomes.finished),
    )


def dependence_variance(chain: Chain, found: Walk) -> float:
    """The variance of R_all − (E − rescued) where steps fail independently of each other.

    Both count the same runs, so most chance cancels. Until its first failed operation a run adds to either figure
    the same martingale increments, h after minus h before; R_all weighs them by w = u N/n, the share of a step's
    operations that lie before any failure, E − rescued by 1 before a failure and 0 after. What remains is
    Σ u (1 − w) τ²/N, τ² the variance of one increment, which is 0 where every failed step ends the run. Members of
    a parallel group add what their product leaves of the joint chance. See docs/decisions/051.
    """
    n, total = chain.runs, 0.0
    k = len(chain.nodes)
    worth = [*found.end[1:], 1.0]
    for state, node in enumerate(chain.nodes, START + 1):
        u, g, r = found.visits[state], found.onward[state], found.reliability[state]
        before = min(u * n / node.operations, 1.0)
        shares = found.ways.shares[state]
        follows = max(sum(p * h * h for p, h in zip(shares[: k + 1], worth, strict=True)) - g * g, 0.0)
        linear = _linear(node)
        increment = g * g * linear + r * follows
        joint = max(r * (1 - r) - linear, 0.0) if len(node.members) > 1 else 0.0
        total += u * ((1 - before) * increment + g * g * joint) / n
    return float(total)


def losses(outcomes: Outcomes, rows: Iterable[Row], *, lens: Literal["a", "b"] = "a") -> tuple[Loss, ...]:
    """Where the finished runs went: clean, recovered, then the layers by size, component and unclassified last.

    Args:
        rows: of `queries/chain_losses.sql`. Lost runs that no row accounts for are unclassified.
    """
    runs, silent = Counter[str](), Counter[str]()
    for row in rows:
        layer = row[f"layer_{lens}"] or UNCLASSIFIED
        runs[layer] += row["runs"]
        silent[layer] += row["runs"] if row["outcome"] == "silent" else 0
    if (missing := outcomes.failed + outcomes.silent - runs.total()) > 0:
        runs[UNCLASSIFIED] += missing
        silent[UNCLASSIFIED] += min(max(outcomes.silent - silent.total(), 0), missing)
    total = outcomes.good + runs.total()
    last = (COMPONENT, UNCLASSIFIED)
    layers = sorted(+runs, key=lambda name: (name in last, name == UNCLASSIFIED, -runs[name], name))
    parts = [("clean", outcomes.clean, 0), ("recovered", outcomes.recovered, 0)]
    parts += [(layer, runs[layer], silent[layer]) for layer in layers]
    return tuple(Loss(part, count, quiet, count / total) for part, count, quiet in parts) if total else ()


def in_percent(shares: Sequence[float], digits: int = 1) -> list[float]:
    """Shares as percentages that add up to what the whole rounds to (largest remainder)."""
    scale = 10**digits
    exact = [100 * scale * part for part in shares]
    whole = [floor(part) for part in exact]
    missing = round(sum(exact)) - sum(whole)
    for index in sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))[:missing]:
        whole[index] += 1
    return [part / scale for part in whole]


def _linear(node: Node) -> float:
    """The part of a node's Bernoulli variance that its members add up to: all of it where there is one."""
    values = [member.reliability for member in node.members]
    return sum(p * (1 - p) * beside * beside for p, beside in zip(values, all_but_one(values), strict=True))
