"""Retry storms: when attempts outran operations, from when to when, what set it off and what it cost.

Over time they are found in 5-minute buckets of calls, per step and per shared dependency, with the same code whether
the buckets come all at once (`find`) or one after another (`Watch`). Within one run they are found in its operations.
"""

from dashboard.analytics.storms.calls import Calls, Failures, Key, calls_of
from dashboard.analytics.storms.counted import Counted, Counts
from dashboard.analytics.storms.episodes import Episode, Evaluation, Found, State, Status, triggered
from dashboard.analytics.storms.find import find
from dashboard.analytics.storms.in_run import InRunStorm, Loop, in_run_storms, loops
from dashboard.analytics.storms.limits import MINUTE_NS, Limits
from dashboard.analytics.storms.watch import Watch

__all__ = [
    "MINUTE_NS",
    "Calls",
    "Counted",
    "Counts",
    "Episode",
    "Evaluation",
    "Failures",
    "Found",
    "InRunStorm",
    "Key",
    "Limits",
    "Loop",
    "State",
    "Status",
    "Watch",
    "calls_of",
    "find",
    "in_run_storms",
    "loops",
    "triggered",
]
