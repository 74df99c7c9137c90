"""What `seamscope check --format json` writes."""

from typing import Literal

from schemas.reports import Moment, Number, Part


class Check(Part):
    """One threshold and what was found."""

    metric: Literal["reliability", "observed", "amplification", "silent", "p95_ms", "storms", "drift", "runs"]
    ok: bool
    limit: Number | None
    """None: none is allowed."""
    value: Number | None
    low: Number | None
    """Of a 95 % band; None: too few for one."""
    high: Number | None
    n: int
    """Runs (of `amplification`: operations) that it rests on."""
    reason: str
    """What was found and how it was decided, in our own words."""


class WorkflowChecks(Part):
    """The checks of one workflow."""

    name: str
    ok: bool
    finished: int
    checks: tuple[Check, ...]


class CheckReport(Part):
    """Everything that was checked."""

    ok: bool
    mode: Literal["confident", "strict", "point"]
    """A check fails where even the good end of the band breaks the threshold; where its bad end does; where the value
    does."""
    since: Moment
    until: Moment
    environment: str | None
    workflows: tuple[WorkflowChecks, ...]
