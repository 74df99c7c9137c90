"""The weekly summary: what leaves the product as JSON, and what HTML, Markdown and CSV are made from.

Shares are fractions in 0–1, a change of a share is a fraction, too; only `points` are percentage points. Times are
ISO 8601 in UTC. Lists have a total order, so that the same data give the same bytes.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from schemas.taxonomy import LayerA, LayerB

FORMAT: Literal[1] = 1
"""Goes up when a reader of the JSON has to change."""
SHARE_DIGITS = 9
"""Digits that are kept of a share: beyond them lies what order of summation decides."""


def _rounded(number: float) -> float:
    return round(number, SHARE_DIGITS) + 0.0  # never -0.0


Number = Annotated[float, AfterValidator(_rounded), Field(allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]
Moment = Annotated[AwareDatetime, Field(description="ISO 8601 in UTC, with Z")]


class Part(BaseModel):
    """What all parts of a summary have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Estimate(Part):
    """A share with its 95 % band."""

    value: Share | None
    """None: nothing to estimate it from."""
    low: Share
    high: Share
    n: int = Field(ge=0)
    """How many runs (of a step: operations) it rests on."""


class Change(Part):
    """A difference with its 95 % band; the band is off 0 where chance alone is no explanation."""

    value: Number
    low: Number
    high: Number


class Ratio(Part):
    """Attempts an operation, with a 95 % band."""

    value: Number | None
    low: Number | None
    high: Number | None
    attempts: int
    operations: int


class Latency(Part):
    """A quantile of durations, with a 95 % band where there are enough of them."""

    value_ms: Number | None
    low_ms: Number | None
    high_ms: Number | None
    n: int


class Verdicts(Part):
    """Judgements from outside. Runs without one are neither."""

    passed: int
    failed: int


class Lost(Part):
    """Finished runs that were lost to one layer."""

    layer_a: LayerA
    layer_b: LayerB
    share: Share
    """Of all finished runs."""
    runs: int
    silent_runs: int
    """Those among them that nothing at the top says failed."""


class Stair(Part):
    """What one place of the chain loses, in reading order."""

    node: str
    """A step; steps that run side by side are one place, as is a fan-out."""
    lost: Share
    """Of all runs that start: over all places, and with `compounded`, it adds up to 1."""
    lost_first_try: Share
    """The same with `first_try`, had nothing been tried twice."""


class Step(Part):
    """One step of the chain."""

    name: str
    kind: str
    operations: int
    first_try: Estimate
    reliability: Estimate
    """After recovery."""
    p50_ms: Number | None
    p95_ms: Number | None
    attempts: int
    change: Change | None
    """Of `reliability`, against the week before."""


class Attribution(Part):
    """What one step contributed to a change of compounded reliability."""

    step: str
    kind: Literal["reliability", "routing"]
    label: str
    """What happened, in words."""
    points: Number
    """Percentage points of R. All of them add up to 100 × (`compounded_after` − `compounded_before`)."""


class ChangePoint(Part):
    """A day from which on a figure was another one."""

    metric: str
    """`observed`, or `reliability` of a step."""
    step: str | None
    at: Moment
    at_range: tuple[Moment, Moment]
    """Where the day may lie just as well."""
    before: Number
    after: Number
    p_value: Number
    certainty: str
    """`change point`, `possible`, or `one bad day so far`."""
    compounded_before: Share | None
    compounded_after: Share | None
    attribution: tuple[Attribution, ...]
    versions: tuple[str, ...]
    """What was first seen near it."""


class Storm(Part):
    """One retry storm, or a look-alike that did not grow into one."""

    step: str
    """The step, model, tool or provider that was retried."""
    dimension: str
    """`step`, `tool`, `model`, `provider`."""
    start: Moment
    end: Moment | None
    """None: it goes on."""
    trigger: str | None
    """The first failure code in it."""
    amplification: Number
    """Attempts an operation, over the whole of it."""
    peak: Number
    attempts: int
    operations: int
    recovered: Share | None
    """Of the operations that needed more than one attempt."""
    wasted_ms: Number | None
    wasted_tokens: int | None
    wasted_usd: Number | None
    spread: tuple[str, ...]
    """Other steps it reached."""


class SilentFailure(Part):
    """What failed inside runs that look good from outside."""

    step: str | None
    code: str
    layer_a: LayerA
    layer_b: LayerB
    failures: int
    """Root occurrences in runs that do not say so; not those that were only judged, nor those of low severity."""


class LatencyMoved(Part):
    """A step that became slower or faster than the week before, by more than chance explains."""

    step: str
    before: Latency
    after: Latency


class FixFirst(Part):
    """What a better step would buy."""

    step: str
    gain: Share
    """Of R, if its failures were cut by half."""
    gain_perfect: Share
    """Of R, if it never failed."""


class Parting(Part):
    """Why R and E differ: R − E = outside − rescued + dependence."""

    outside: Number
    rescued: Number
    dependence: Number
    dependence_low: Number | None
    dependence_high: Number | None


class Day(Part):
    """The runs of one day."""

    day: str
    """In the time zone of the summary."""
    finished: int
    good: int


class Note(Part):
    """Something a reader must know to read the figures right."""

    code: Literal[
        "no_data",
        "first_week",
        "partial_week",
        "data_begins",
        "few_runs",
        "wide_band",
        "no_verdicts",
        "environments",
        "unfinished",
        "removed",
        "clock_change",
        "drift_blind",
    ]
    text: str
    """In our own words: nothing of it comes from a span."""


class Before(Part):
    """The week before."""

    finished: int
    compounded: Estimate
    observed: Estimate
    silent: Estimate
    amplification: Ratio
    p95: Latency


class WorkflowSummary(Part):
    """One workflow's week."""

    name: str
    finding: str
    """The one sentence to read."""
    notes: tuple[Note, ...]
    versions: tuple[str, ...]
    environments: tuple[str, ...]

    runs: int
    """That began in the week."""
    finished: int
    clean: int
    recovered: int
    silent_runs: int
    failed: int
    pending: int
    unfinished: int
    verdicts: Verdicts

    compounded: Estimate
    """R: the chance to get through the chain without a failed operation."""
    first_try: Estimate
    """F: the same, had nothing been tried twice."""
    observed: Estimate
    """E, as claimed: finished runs in which no unhandled failure was seen."""
    verified: Estimate | None
    """E by verdicts: None where no run has one."""
    retries_buy: Change | None
    """R − F."""
    silent: Estimate
    """Of finished runs."""
    amplification: Ratio
    p95: Latency
    """Of whole runs."""
    enough_runs: bool
    """False: too few for a value; go by the bands."""
    more_runs_needed: int
    """For R within ±2 points."""
    parting: Parting | None

    before: Before | None
    """None: no finished run in the week before."""
    compounded_change: Change | None
    observed_change: Change | None
    silent_change: Change | None

    lost: tuple[Lost, ...]
    stairs: tuple[Stair, ...]
    steps: tuple[Step, ...]
    fix_first: tuple[FixFirst, ...]
    change_points: tuple[ChangePoint, ...]
    fall_seen: Share | None
    """The smallest fall of `observed` that a week of this traffic would show, in 4 of 5 cases; None: none at all."""
    storms: tuple[Storm, ...]
    silent_failures: tuple[SilentFailure, ...]
    latency_moved: tuple[LatencyMoved, ...]
    days: tuple[Day, ...]


class DataQuality(Part):
    """What the figures rest on."""

    spans_received: int
    """While the week lasted; the four add up."""
    spans_stored: int
    spans_duplicate: int
    spans_rejected: int
    spans: int
    """Of the runs that began in the week."""
    orphan_spans: int
    dialect_gaps: int
    """Facts that spans lacked and a figure needed."""
    runs_removed: int
    """That began on the days (UTC) of the week, in any workflow and environment: its day is what is left of a removed
    run. Shares, bands and counts of runs hold them; the three numbers above and runs without an end do not."""
    failures: int
    """Root occurrences."""
    failures_observed: int
    failures_inferred: int
    failures_judged: int
    failures_unclassified: int


class Source(Part):
    """What made the summary, and from what."""

    seamscope: str
    """Version of the program."""
    store_schema: int
    rules: int
    """Version of the rules that name failures."""
    first_run: Moment | None
    """Of the whole store."""
    last_run: Moment | None


class WeeklySummary(Part):
    """The weekly reliability summary."""

    format: Literal[1] = FORMAT
    week: str = Field(pattern=r"^\d{4}-W\d{2}$")
    time_zone: str
    start: Moment
    end: Moment
    hours: Number
    """168, but where clocks change."""
    environment: str | None
    """The only one that counts; None: all."""
    generated_from: Source
    notes: tuple[Note, ...]
    workflows: tuple[WorkflowSummary, ...]
    """Most lost runs first."""
    data_quality: DataQuality


def json_schema() -> dict[str, Any]:
    """The JSON schema of a summary, as published in docs/reports.schema.json."""
    schema = WeeklySummary.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def moment(ns: int) -> datetime:
    """A time in nanoseconds as a summary holds it."""
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC)
