"""What is found: episodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from dashboard.analytics.storms.calls import Failures, Key

Status = Literal["storm", "look"]
State = Literal["storm", "look", "quiet", "too few to tell"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One storm, or one stretch that is worth a look."""

    key: Key
    status: Status
    onset_ns: int
    peak_ns: int
    """End of the window with the highest amplification."""
    end_ns: int | None
    """None: still on."""
    noticed_ns: int
    """End of the bucket that gave it away."""
    threshold: float
    peak_amplification: float
    amplification: float
    """Over the whole episode."""
    operations: int
    attempts: int
    failed: int
    recovered: int
    wasted_ns: int
    wasted_tokens: int
    """Those that were counted."""
    wasted_usd: float
    trigger: str | None = None
    """The first failure code in it."""
    spread: tuple[Key, ...] = ()
    """What else was in a storm or worth a look in the same time."""
    workflows: tuple[str, ...] = ()
    """Whose operations were tried again."""

    @property
    def recovered_ratio(self) -> float | None:
        """Share of the operations with a failed first attempt that got through; None where there was none."""
        troubled = self.failed + self.recovered
        return self.recovered / troubled if troubled else None


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that a span of time showed."""

    episodes: tuple[Episode, ...]
    """By onset; looks that lie in a storm of the same key are left out."""
    states: Mapping[Key, State]
    """Of each key at the end."""
    judged: Mapping[Key, float]
    """Share of the evaluations that had enough operations to judge by."""


def triggered(episodes: Iterable[Episode], failures: Mapping[Key, Failures]) -> tuple[Episode, ...]:
    """The episodes, each with the first failure code in it; of those in one bucket the most frequent."""
    codes = (
        (one, failures[one.key].first(one.onset_ns, one.end_ns or inf) if one.key in failures else None)
        for one in episodes
    )
    return tuple(replace(one, trigger=code) if code else one for one, code in codes)
