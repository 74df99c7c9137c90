"""What is wrong now: burning objectives, retry storms, falls of reliability.

Pure: counts and findings in, conditions out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Final, Literal

from dashboard.analytics import burn, drift, storms
from dashboard.analytics.burn import HOUR_NS, Counted, Tier
from dashboard.analytics.proportions import wilson
from dashboard.reports.weeks import midnight_ns
from schemas.alerts import Rule, Urgency

State = Literal["holds", "between", "over"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What one rule finds in one workflow."""

    state: State
    """Of "between" nothing follows: it begins nothing and ends nothing."""
    rule: Rule
    urgency: Urgency
    workflow: str
    value: float
    low: float | None
    high: float | None
    limit: float
    n: int
    since_ns: int
    """When it began, as far as can be told."""
    shown_ns: int
    """Where the window begins that shows it."""
    step: str | None = None
    also: tuple[str, ...] = ()
    cause: str | None = None
    """Of a storm the code that set it off; of drift what was first seen then."""

    @property
    def key(self) -> str:
        """The same for as long as it is the same episode."""
        return f"{self.rule}/{self.urgency}/{self.workflow}"


# ---- burn ------------------------------------------------------------------------------------------------------------


def burning(workflow: str, objective: float, counts: Mapping[int, Counted], at_ns: int) -> list[Condition]:
    """The conditions of an objective: one for what is urgent, one for what is not.

    Args:
        counts: runs of the windows that end now, by their length.
        at_ns: now.
    """
    made: dict[Urgency, list[tuple[Tier, State]]] = {"page": [], "ticket": []}
    for tier in burn.tiers(objective):
        long, short = counts[tier.long_ns], counts[tier.short_ns]
        state: State = "between"
        if burn.is_burning(tier, objective, long, short):
            state = "holds"
        elif burn.is_over(tier, objective, long, short):
            state = "over"
        made[tier.urgency].append((tier, state))
    found = []
    for urgency, judged in made.items():
        states = {state for _, state in judged}
        state = "holds" if "holds" in states else "between" if "between" in states else "over"
        tier = next((tier for tier, state in judged if state == "holds"), judged[-1][0])
        long, short = counts[tier.long_ns], counts[tier.short_ns]
        shown_ns = tier.long_ns
        if state == "over" and short.runs:  # how it is now
            long, shown_ns = short, tier.short_ns
        band = wilson(long.bad, long.runs)
        found.append(
            Condition(
                state,
                "burn",
                urgency,
                workflow,
                value=long.bad / long.runs if long.runs else 0.0,
                low=band.low,
                high=band.high,
                limit=tier.burn * (1 - objective),
                n=long.runs,
                since_ns=at_ns - _burning_for(tier, counts),
                shown_ns=at_ns - shown_ns,
            )
        )
    return found


def _burning_for(tier: Tier, counts: Mapping[int, Counted]) -> int:
    """How long it has burnt: as long as runs that fail as often as those of the short window take to make the long
    window what it is; not less than the short window, nor more than the long one."""
    long, short = counts[tier.long_ns], counts[tier.short_ns]
    if not (long.bad and short.bad):
        return tier.short_ns
    share = (long.bad / long.runs) / (short.bad / short.runs)
    return round(min(max(share * tier.long_ns, tier.short_ns), tier.long_ns))


# ---- storms ----------------------------------------------------------------------------------------------------------

_LEADS: Final = ("step", "tool", "model", "provider")


def storming(workflow: str, episodes: Sequence[storms.Episode]) -> list[Condition]:
    """The storm of a workflow, whatever it has spread to; none where all is quiet."""
    now = [one for one in episodes if one.end_ns is None and one.status == "storm"]
    if not now:
        return []
    worst = min(now, key=lambda one: (_LEADS.index(one.key.dimension), -one.peak_amplification, one.key.name))
    others = sorted({one.key for one in now} - {worst.key}, key=lambda key: (_LEADS.index(key.dimension), key.name))
    since_ns = min(one.onset_ns for one in now)
    return [
        Condition(
            "holds",
            "storm",
            "page",
            workflow,
            value=worst.amplification,
            low=None,
            high=None,
            limit=worst.threshold,
            n=worst.operations,
            since_ns=since_ns,
            shown_ns=since_ns - HOUR_NS // 2,
            step=worst.key.name,
            also=tuple(f"{key.dimension} {key.name}" for key in others),
            cause=worst.trigger,
        )
    ]


# ---- drift -----------------------------------------------------------------------------------------------------------


def drifting(workflow: str, examined: drift.Examined, last: date, zone: tzinfo) -> list[Condition]:
    """The newest fall of what a workflow delivers, while it is news.

    Args:
        examined: daily shares of finished runs that got through, of whole days.
        last: the newest of those days.
        zone: where days begin.
    """
    newest = examined.standing_fall(last)
    if newest is None:
        return []
    begin = midnight_ns(newest.at, zone)
    return [
        Condition(
            "holds" if newest.verdict == "change point" else "between",
            "drift",
            "ticket",
            workflow,
            value=newest.after.value,
            low=newest.after.low,
            high=newest.after.high,
            limit=newest.before.value,
            n=newest.after.trials,
            since_ns=begin,
            shown_ns=begin - 7 * 24 * HOUR_NS,
            cause=f"{newest.versions[0].kind} {newest.versions[0].name}" if newest.versions else None,
        )
    ]
