"""What one workflow delivered in a window: the figures that the summary tells and the check compares."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import chains
from dashboard.analytics import reliability
from dashboard.analytics.amplification import Amplified, amplified, tries_of
from dashboard.analytics.quantiles import Quantile, quantile
from dashboard.analytics.reliability import Chain, Estimate, Outcomes
from dashboard.questions import Questions

Histogram = Mapping[int, int]


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
    amplification: Amplified | None
    """None: there was no operation."""
    p95: Quantile
    latencies: Mapping[str | None, Histogram]
    """Durations by step; None for whole runs."""


def figures(questions: Questions, workflow: str, since_ns: int, until_ns: int) -> Figures:
    """The figures of a workflow over the runs that began in a window."""
    window = (since_ns, until_ns, workflow)
    chain = chain_between(questions, workflow, since_ns, until_ns)
    outcomes = chain.outcomes or Outcomes(0, 0, 0, 0, 0)
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
        amplified(tries_of(questions.ask("attempts_histogram", *window))),
        quantile(latencies[None], 0.95),
        latencies,
    )


def chain_between(questions: Questions, workflow: str, since_ns: int, until_ns: int) -> Chain:
    """The chain of a workflow in a window."""
    return chains.chain(questions.table, since_ns=since_ns, until_ns=until_ns, **questions.scope(workflow))
