"""Retry storms: when attempts outran operations, from when to when, what set it off and what it cost.

Over time they are found in 5-minute buckets of calls, per step and per shared dependency (`find`). Within one run they
are found in its operations.
"""

from dashboard.analytics.storms.calls import Counts, Failures, Key, Names, Series
from dashboard.analytics.storms.episodes import Episode, Found, State, Status, triggered
from dashboard.analytics.storms.find import find
from dashboard.analytics.storms.in_run import InRunStorm, Loop, in_run_storms, loops
from dashboard.analytics.storms.limits import MINUTE_NS, Limits

__all__ = [
    "MINUTE_NS",
    "Counts",
    "Episode",
    "Failures",
    "Found",
    "InRunStorm",
    "Key",
    "Limits",
    "Loop",
    "Names",
    "Series",
    "State",
    "Status",
    "find",
    "in_run_storms",
    "loops",
    "triggered",
]
