"""How often the 95 % bands hold the truth, on workflows whose truth is known. Writes docs/accuracy.md.

    python -m tests.benchmarks.bands --write

Random workflows of five families are run a number of times, their runs counted into the rows that the dashboard
reads, and each figure's band is compared with the truth, which the workflow's own parameters give. A workflow whose
truth is exactly 0 or 1 is counted apart: its band is one-sided and holds it more often. So is R − F where not one
operation was recovered: its band begins at 0 and can miss on one side only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.proportions import wilson
from dashboard.analytics.reliability import Chain, Estimate, chain_of, compounded, first_try, parting, retries_buy
from tests.benchmarks import harness
from tests.markers import replace_between

RESULTS = Path(__file__).parents[2] / "docs" / "accuracy.md"
WORKFLOWS = 2_000
RUNS = (30, 60, 100, 300, 1_000)
SEED = 7
LONGEST = 400  # operations of one run; a loop goes on with a chance of at most a half

Floats = NDArray[np.float64]


class Workflow(NamedTuple):
    """A workflow by its parameters. States are START, the nodes, END."""

    members: tuple[tuple[int, ...], ...]
    """Of each node; more than one is a parallel group."""
    first: Floats
    """The chance of a good first try of each member, in order of the nodes."""
    good: Floats
    """The chance of being good in the end."""
    shares: Floats
    """What follows: rows START and nodes, columns nodes and END."""
    goes_on: float
    """The chance that a run goes on after a failed operation."""


class Score(NamedTuple):
    """How often a band held the truth."""

    held: int
    all: int

    def __str__(self) -> str:
        if not self.all:
            return "–"
        low, high = wilson(self.held, self.all)
        return f"{self.held / self.all:.1%} [{low:.1%}, {high:.1%}]"


# ---- workflows -------------------------------------------------------------------------------------------------------


def straight(random: np.random.Generator) -> Workflow:
    """Two to eight steps in a row; a run may go on after a failure."""
    return _in_a_row(random, [1] * int(random.integers(2, 9)), random.uniform(0.2, 1))


def cut_short(random: np.random.Generator) -> Workflow:
    """The same, but every failed step ends the run: later steps are seen less often."""
    return _in_a_row(random, [1] * int(random.integers(2, 9)), 0.0)


def parallel(random: np.random.Generator) -> Workflow:
    """Steps in a row of which some are groups of two to four that run at the same time."""
    widths = [int(random.integers(2, 5)) if random.random() < 0.5 else 1 for _ in range(int(random.integers(2, 6)))]
    return _in_a_row(random, [*widths, int(random.integers(2, 5))], random.choice([0.0, random.random()]))


def branching(random: np.random.Generator) -> Workflow:
    """Three to eight steps; each leads to some of the later ones or to END."""
    return _graph(random, int(random.integers(3, 9)), loops=False)


def looping(random: np.random.Generator) -> Workflow:
    """The same, with ways back."""
    return _graph(random, int(random.integers(3, 9)), loops=True)


FAMILIES: dict[str, Callable[[np.random.Generator], Workflow]] = {
    "straight": straight,
    "branching": branching,
    "looping": looping,
    "parallel": parallel,
    "cut short by failure": cut_short,
}


def _in_a_row(random: np.random.Generator, widths: Sequence[int], goes_on: float) -> Workflow:
    return _workflow(random, widths, np.eye(len(widths) + 1), goes_on)


def _graph(random: np.random.Generator, nodes: int, *, loops: bool) -> Workflow:
    shares = np.zeros((nodes + 1, nodes + 1))
    for state in range(nodes + 1):
        later = np.arange(state, nodes + 1)  # column i is node i, END last
        chosen = random.choice(later, size=min(len(later), int(random.integers(1, 4))), replace=False)
        shares[state, chosen] = random.dirichlet(np.ones(len(chosen)))
        if loops and state and random.random() < 0.5:
            back = random.uniform(0.05, 0.5)
            shares[state] *= 1 - back
            shares[state, random.integers(0, state)] += back
    return _workflow(random, [1] * nodes, shares, random.choice([0.0, random.random()]))


def _workflow(random: np.random.Generator, widths: Sequence[int], shares: Floats, goes_on: float) -> Workflow:
    """Steps fail at rates that span the usual: from one in five to one in two hundred, some never."""
    count = sum(widths)
    bad = np.exp(random.uniform(np.log(0.005), np.log(0.2), count)) * (random.random(count) > 0.1)
    caught = random.choice([0.0, 1.0], count) * random.random(count)
    ends = np.cumsum([0, *widths])
    members = tuple(tuple(range(a, b)) for a, b in pairwise(ends))
    return Workflow(members, 1 - bad, 1 - bad * (1 - caught), shares, goes_on)


def truth(workflow: Workflow, of_members: Floats) -> float:
    """The chance of reaching END without a failed operation, step by step until no run is left."""
    r = np.array([of_members[list(members)].prod() for members in workflow.members])
    there, ended = workflow.shares[0, :-1], workflow.shares[0, -1]
    while there.sum() > 1e-15:
        good = there * r
        there, ended = good @ workflow.shares[1:, :-1], ended + good @ workflow.shares[1:, -1]
    return float(ended)


# ---- runs ------------------------------------------------------------------------------------------------------------


def simulated(workflow: Workflow, runs: int, random: np.random.Generator) -> Chain:
    """That many runs of a workflow, all at once, counted into a chain.

    Runs go in two crowds: those without a failed operation so far, and the others.
    """
    nodes = len(workflow.members)
    member_counts = np.zeros((len(workflow.good), 3), int)  # operations, first good, good
    moves = np.zeros_like(workflow.shares, dtype=int)
    moves[0] = random.multinomial(runs, workflow.shares[0])
    clear, marked = moves[0, :-1].copy(), np.zeros(nodes, int)
    clean, good_end, lost = moves[0, -1], 0, 0
    for _ in range(LONGEST):
        next_clear, next_marked = np.zeros(nodes, int), np.zeros(nodes, int)
        for index, members in enumerate(workflow.members):
            for crowd, is_clear in ((clear[index], True), (marked[index], False)):
                if not crowd:
                    continue
                ok = np.ones(crowd, bool)
                for member in members:
                    luck = random.random(crowd)
                    good = luck < workflow.good[member]
                    member_counts[member] += crowd, int((luck < workflow.first[member]).sum()), int(good.sum())
                    ok &= good
                after_good = random.multinomial(int(ok.sum()), workflow.shares[index + 1])
                after_bad = random.multinomial(
                    random.binomial(crowd - int(ok.sum()), workflow.goes_on), workflow.shares[index + 1]
                )
                moves[index + 1] += after_good
                (next_clear if is_clear else next_marked)[:] += after_good[:-1]
                next_marked += after_bad[:-1]
                clean += after_good[-1] if is_clear else 0
                good_end += after_bad[-1] + (0 if is_clear else after_good[-1])
        clear, marked = next_clear, next_marked
        if not clear.any() and not marked.any():
            break
    lost = runs - clean - good_end
    names = [f"n{index}" for index in range(nodes)]
    rows = [
        {"node": names[index], "step": f"{names[index]}.{member}", "kind": "tool"}
        | dict(zip(("operations", "first_good", "good"), map(int, member_counts[member]), strict=True))
        for index, members in enumerate(workflow.members)
        for member in members
    ]
    sources, targets = [None, *names], [*names, None]
    edges = [
        {"from_node": a, "to_node": b, "exit": None if b else "end", "transitions": int(moves[i, j])}
        for i, a in enumerate(sources)
        for j, b in enumerate(targets)
    ]
    ended = {"finished": runs, "clean": int(clean), "recovered": int(good_end), "rescued": int(good_end)}
    return chain_of(rows, edges, ended | {"failed": int(lost), "silent": 0})


# ---- coverage --------------------------------------------------------------------------------------------------------

FIGURES = ("R", "F", "R − F", "dependence")


def figures(workflow: Workflow, chain: Chain) -> Iterator[tuple[str, Estimate, float]]:
    """Each figure with its band and its truth."""
    r, f = truth(workflow, workflow.good), truth(workflow, workflow.first)
    yield "R", compounded(chain), r
    yield "F", first_try(chain), f
    yield "R − F", retries_buy(chain), r - f
    parted = parting(chain)
    assert parted is not None
    yield "dependence", parted.dependence, 0.0  # steps fail independently of each other here


def coverage(family: str, workflows: int, seed: int = SEED) -> dict[tuple[str, int, bool], Score]:
    """By figure, runs, and whether the truth is exactly 0 or 1: how often the band held it."""
    held: dict[tuple[str, int, bool], list[bool]] = defaultdict(list)
    random = np.random.default_rng([seed, list(FAMILIES).index(family)])
    for number in range(workflows):
        workflow = FAMILIES[family](random)
        runs = RUNS[number % len(RUNS)]
        for name, found, true in figures(workflow, simulated(workflow, runs, random)):
            at_edge = true < 1e-12 or true > 1 - 1e-12
            if name == "R − F":
                at_edge |= found.value == 0
            if name == "dependence":  # no band where every failed step ends the run: it is 0 by definition
                at_edge = found.high - found.low < 1e-6
            held[name, runs, at_edge].append(found.low - 1e-12 <= true <= found.high + 1e-12)
    return {key: Score(sum(found), len(found)) for key, found in held.items()}


def total(scores: dict[tuple[str, int, bool], Score], name: str, *, at_edge: bool, runs: int | None = None) -> Score:
    """Scores of a figure put together."""
    chosen = [s for (n, r, edge), s in scores.items() if n == name and edge == at_edge and runs in (None, r)]
    return Score(sum(s.held for s in chosen), sum(s.all for s in chosen))


def main() -> None:
    """Measures and reports."""
    args = harness.options(__doc__).parse_args()
    found = {family: coverage(family, WORKFLOWS) for family in FAMILIES}
    text = (
        f"{WORKFLOWS:,} random workflows of each family, each run {', '.join(f'{n:,}' for n in RUNS[:-1])} or "
        f"{RUNS[-1]:,} times. *At 0 or 1*: bands of R where that is the truth. *None recovered*: bands of R − F where "
        "no retry was seen to buy anything.\n\n"
    )
    heads = ["family", *FIGURES, "R at 0 or 1", "R − F, none recovered"]
    edges = ("R", "R − F")
    text += harness.table(
        heads,
        [
            [
                family,
                *(total(s, name, at_edge=False) for name in FIGURES),
                *(total(s, name, at_edge=True) for name in edges),
            ]
            for family, s in found.items()
        ],
    )
    text += "\n\nR by the number of runs:\n\n" + harness.table(
        ["family", *(f"{runs:,} runs" for runs in RUNS)],
        [[family, *(total(s, "R", at_edge=False, runs=runs) for runs in RUNS)] for family, s in found.items()],
    )
    print(text)  # noqa: T201 - a benchmark's result is its output
    if args.write:
        replace_between(RESULTS, "bands", text)


if __name__ == "__main__":
    main()
