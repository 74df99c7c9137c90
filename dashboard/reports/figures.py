"""What one workflow delivered in a window: the figures that the summary tells and the check compares."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from dashboard.analytics import reliability
from dashboard.analytics.proportions import Z, wilson
from dashboard.analytics.quantiles import Quantile, quantile
from dashboard.analytics.reliability import Chain, Estimate, Outcomes
from dashboard.questions import Questions, Row

Histogram = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Amplified:
    """Attempts an operation, with a 95 % band."""

    value: float | None
    low: float | None
    high: float | None
    attempts: int
    operations: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One workflow, one window."""

    chain: Chain
    outcomes: Outcomes
    compounded: Estimate
    first_try: Estimate
    observed: Estimate
    verified: Estimate
    silent: Estimate
    amplification: Amplified
    p95: Quantile
    latencies: Mapping[str | None, Histogram]
    """Durations by step; None for whole runs."""


def figures(questions: Questions, workflow: str, since_ns: int, until_ns: int) -> Figures:
    """The figures of a workflow over the runs that began in a window."""
    window = (since_ns, until_ns, workflow)
    runs = questions.ask("chain_runs", *window)[0]
    chain = chain_between(questions, workflow, since_ns, until_ns, runs)
    outcomes = Outcomes.of(runs)
    latencies: dict[str | None, dict[int, int]] = defaultdict(dict)
    for row in questions.ask("report_latency", *window):
        latencies[row["step"]][row["octave_8"]] = row["observations"]
    return Figures(
        chain,
        outcomes,
        reliability.compounded(chain),
        reliability.first_try(chain),
        reliability.observed(outcomes),
        reliability.verified(outcomes),
        reliability.share(outcomes.silent, outcomes.finished, "no run has finished"),
        amplified(questions.ask("attempts_histogram", *window)),
        quantile(latencies[None], 0.95),
        latencies,
    )


def chain_between(questions: Questions, workflow: str, since_ns: int, until_ns: int, runs: Row | None = None) -> Chain:
    """The chain of a workflow in a window."""
    window = (since_ns, until_ns, workflow)
    return reliability.chain_of(questions.ask("chain_nodes", *window), questions.ask("chain_edges", *window), runs)


def amplified(rows: list[Row]) -> Amplified:
    """Attempts an operation from counts of operations by their tries.

    The band is that of a mean, with operations taken as independent: in a storm they are not, and it is too narrow
    then. Where nothing was tried twice, its upper end is what so many operations can hide.
    """
    operations = sum(row["operations"] for row in rows)
    attempts = sum(row["tries"] * row["operations"] for row in rows)
    if operations == 0:
        return Amplified(None, None, None, 0, 0)
    mean = attempts / operations
    spread = sum(row["operations"] * (row["tries"] - mean) ** 2 for row in rows) / operations
    half = Z * sqrt(spread / operations)
    if half == 0:
        return Amplified(mean, mean, mean + wilson(0, operations).high, attempts, operations)
    return Amplified(mean, max(1.0, mean - half), mean + half, attempts, operations)
