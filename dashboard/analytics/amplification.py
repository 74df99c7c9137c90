"""How retries multiply the work that was asked for: attempts over operations, budgets, and layers that retry layers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, Final

from dashboard.analytics.proportions import Band, Z, movement, wilson

RETRY_BUDGET: Final = 0.2  # retries an operation; Envoy's and Finagle's default, and ours where nothing is set
FEWEST_OPERATIONS: Final = 30  # that another window is set against, as of runs

Row = Mapping[str, Any]


def amplification(attempts: int, operations: int) -> float | None:
    """Attempts an operation; None where nothing was asked for."""
    return attempts / operations if operations else None


def expected_amplification(failing: float, tries: int) -> float:
    """What retrying costs when each attempt fails with this chance and up to `tries` are made: (1 − fᵐ)/(1 − f).

    It takes failures as independent. In an outage they are not, and A goes to `tries`.
    """
    return float(tries) if failing >= 1 else (1 - failing**tries) / (1 - failing)


def budget_used(attempts: int, operations: int, budget: float = RETRY_BUDGET) -> float | None:
    """Retries over those that the budget allows; above 1 it is overspent. None where nothing was asked for."""
    return (attempts - operations) / (budget * operations) if operations else None


@dataclass(frozen=True, slots=True)
class Amplified:
    """Attempts an operation, with a 95 % band."""

    value: float
    low: float
    high: float
    operations: int
    attempts: int


def tries_of(rows: Iterable[Row]) -> Counter[int]:
    """How many operations took how many tries: from rows of `queries/attempts_histogram.sql`."""
    found = Counter[int]()
    for row in rows:
        found[row["tries"]] += row["operations"]
    return found


def amplified(tries: Mapping[int, int]) -> Amplified | None:
    """Amplification from how many operations took how many tries; None where there were none.

    The band is the mean's own, operations taken as independent: in an outage they are not, so it is the narrowest
    it can be. Where nothing was tried twice, its upper end is what so many operations can hide.
    """
    operations = sum(tries.values())
    if not operations:
        return None
    attempts = sum(tried * number for tried, number in tries.items())
    value = attempts / operations
    spread = sum(number * (tried - value) ** 2 for tried, number in tries.items()) / operations
    half = Z * sqrt(spread / operations)
    high = value + half if half else value + wilson(0, operations).high
    return Amplified(value, max(1.0, value - half), high, operations, attempts)


def other(now: Amplified, before: Amplified) -> bool:
    """Whether two amplifications, each of operations enough, differ by more than chance explains."""
    if min(now.operations, before.operations) < FEWEST_OPERATIONS:
        return False
    moved = movement(before.value, Band(before.low, before.high), now.value, Band(now.low, now.high))
    return not moved.low <= 0 <= moved.high


@dataclass(frozen=True, slots=True)
class Path:
    """Operations nested in one another, outermost first, and how their retries multiply."""

    names: tuple[str, ...]
    amplifications: tuple[float, ...]
    """Attempts an operation of each layer."""
    operations: int
    """Innermost ones."""

    @property
    def product(self) -> float:
        """Innermost attempts for one outermost operation, were every layer called once an attempt."""
        return prod(self.amplifications)


def paths(operations: Iterable[Row], operation_of_span: Mapping[str, str]) -> list[Path]:
    """The paths on which an operation lies inside another one's attempt, largest product first.

    Args:
        operations: rows with operation_id, parent_span_id, name, attempts.
        operation_of_span: the operation that each attempt's span belongs to.
    """
    known = {row["operation_id"]: row for row in operations}
    counts: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    for key, row in known.items():
        names: list[str] = []
        at: str | None = key
        seen: set[str] = set()
        while at is not None and at in known and at not in seen:
            seen.add(at)
            names.append(known[at]["name"])
            at = operation_of_span.get(known[at]["parent_span_id"] or "")
        tally = counts[tuple(reversed(names))]
        tally[0] += row["attempts"]
        tally[1] += 1
    holding = {chain[:-1] for chain in counts}
    found = []
    for chain, (_, number) in counts.items():
        if len(chain) > 1 and chain not in holding:
            layers = [counts[chain[:depth]] for depth in range(1, len(chain) + 1) if chain[:depth] in counts]
            found.append(Path(chain, tuple(attempts / asked for attempts, asked in layers), number))
    return sorted(found, key=lambda path: (-path.product, path.names))
