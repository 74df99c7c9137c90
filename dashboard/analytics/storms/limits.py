"""From where on it is a storm."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.storms import StormSettings

MINUTE_NS: Final = 60 * 10**9


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on it is a storm. Where they come from: docs/concepts.md, Retry storms."""

    bucket_ns: int = 5 * MINUTE_NS
    window_ns: int = 10 * MINUTE_NS
    reach_ns: int = 30 * MINUTE_NS
    """How far back to reach where the window holds too little."""
    least_operations: int = 20
    storm: float = 2.0
    storm_share: float = 0.75
    """Of the retries that are allowed, where those are too few to double the load."""
    look: float = 1.3
    quiet_evaluations: int = 2
    onset_reach_ns: int = 120 * MINUTE_NS
    """How long before it is noticed a storm can have begun."""
    tries_ns: int = 7 * 24 * 60 * MINUTE_NS
    """How far back to look for the most tries of an operation."""
    in_run_attempts: int = 5
    """Of one operation …"""
    in_run_ns: int = MINUTE_NS
    """… within this time are a storm of their run."""

    @classmethod
    def of(cls, asked: StormSettings) -> "Limits":
        """The limits that the settings ask for."""
        return cls(
            window_ns=asked.window_minutes * MINUTE_NS,
            reach_ns=max(asked.reach_minutes, asked.window_minutes) * MINUTE_NS,
            least_operations=asked.least_operations,
            storm=asked.amplification,
            storm_share=asked.share_of_retries,
            look=asked.look,
            in_run_attempts=asked.in_run_attempts,
            in_run_ns=round(asked.in_run_seconds * 10**9),
        )

    def storm_at(self, most_tries: int) -> float:
        """The amplification of a storm where operations were seen to take up to so many tries; none without retries."""
        return float(self.storms_at(np.array(most_tries)))

    def storms_at(self, most_tries: NDArray[np.int64]) -> NDArray[np.float64]:
        """That for each of many."""
        threshold: NDArray[np.float64] = np.minimum(self.storm, 1 + self.storm_share * (most_tries - 1))
        return np.where(most_tries < 2, np.inf, threshold)
