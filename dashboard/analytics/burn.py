"""How fast a reliability objective's error budget burns, in tiers that can fire for any objective.

Google's tiers (14.4× over an hour, 6× over six, 1× over three days) suit 99.9 %. A workflow with an objective of 83 %
burns at 5.9× when every run fails, so 14.4× never comes. Here a tier's burn is at most a share of the way from 1× to
what is possible, and its window grows by as much: it still fires once the same share of a month's budget is spent.
"""

from math import exp, lgamma, log, log1p
from typing import Final, Literal, NamedTuple

from dashboard.analytics.proportions import wilson

HOUR_NS: Final = 3_600 * 10**9
SHORT: Final = 12  # the long window over the short one, which tells that it still burns
LEAST_RUNS: Final = 50  # in the long window
LEAST_BAD: Final = 10
RELEASE: Final = 0.75  # of a tier's burn: above it nothing is over

Urgency = Literal["page", "ticket"]


class Tier(NamedTuple):
    """Fires where both windows burn at least this fast."""

    urgency: Urgency
    burn: float
    """Failing share over the share that the objective allows."""
    long_ns: int
    short_ns: int

    def detection_ns(self, objective: float, failing: float) -> float | None:
        """Time until it fires after the failing share went from 0 to this; None: it never does."""
        reached = failing / (1 - objective)
        return self.long_ns * self.burn / reached if reached >= self.burn else None

    def false_alarm(self, objective: float, runs_an_hour: float) -> float:
        """The chance that a long window of independent runs fires though exactly the allowed share fails.

        For the 1× tier that is about a half, and meant: exactly the allowed share spends the budget exactly.
        """
        runs = round(runs_an_hour * self.long_ns / HOUR_NS)
        if runs < LEAST_RUNS:
            return 0.0
        bad = max(LEAST_BAD, _ceil(self.burn * (1 - objective) * runs))
        return _at_least(bad, runs, 1 - objective)


_CLASSIC: Final[tuple[tuple[Urgency, float, float, float], ...]] = (
    # urgency, burn, hours, at most this share of the way from 1× to the largest possible burn
    ("page", 14.4, 1, 0.75),
    ("page", 6.0, 6, 0.35),
    ("ticket", 1.0, 72, 0.0),
)


def tiers(objective: float) -> tuple[Tier, ...]:
    """The tiers of an objective in 0–1, both ends excluded."""
    if not 0 < objective < 1:
        raise ValueError(f"an objective lies between 0 and 1, not at {objective:g}")
    made = []
    for urgency, classic, hours, share in _CLASSIC:
        burn = min(classic, 1 + share * (1 / (1 - objective) - 1))
        long_ns = round(classic * hours / burn * HOUR_NS)
        made.append(Tier(urgency, burn, long_ns, long_ns // SHORT))
    return tuple(made)


class Counted(NamedTuple):
    """Finished runs of a window and those that failed or fell silent."""

    runs: int
    bad: int


def is_burning(tier: Tier, objective: float, long: Counted, short: Counted) -> bool:
    """Both windows burn at the tier's rate, and the long one holds enough to say so."""
    if long.runs < LEAST_RUNS or long.bad < LEAST_BAD or not short.runs:
        return False
    allowed = 1 - objective
    return all(one.bad >= tier.burn * allowed * one.runs for one in (long, short))


def is_over(tier: Tier, objective: float, long: Counted, short: Counted) -> bool:
    """The short window burns well below the rate, beyond chance; or the long one does, and the short one is not at it.

    In a quiet night five good runs are no proof that it is over.
    """
    line = tier.burn * (1 - objective)

    def is_below(window: Counted) -> bool:
        share_is = window.bad < RELEASE * line * window.runs
        return share_is and wilson(window.bad, window.runs).high < line

    if short.runs and is_below(short):
        return True
    return not long.runs or (is_below(long) and (not short.runs or short.bad < line * short.runs))


def _ceil(number: float) -> int:
    """Up to the next whole number, but for rounding."""
    return -int(-(number - 1e-9) // 1)


def _at_least(successes: int, trials: int, chance: float) -> float:
    """The chance of at least so many successes."""
    total = 0.0
    for hit in range(successes, trials + 1):
        choose = lgamma(trials + 1) - lgamma(hit + 1) - lgamma(trials - hit + 1)
        term = exp(choose + hit * log(chance) + (trials - hit) * log1p(-chance))
        total += term
        if hit > trials * chance and term < total * 1e-12:
            break
    return min(1.0, total)
