"""What settling gives back: one named tuple per derived table, fields in the order of its DDL."""

from typing import NamedTuple


class RunRow(NamedTuple):
    """A row of `store.run`."""

    run_id: str
    root_trace_id: str
    root_span_id: str | None
    trace_ids: list[str]
    workflow: str
    workflow_version: str | None
    service: str | None
    environment: str | None
    framework: str | None
    session_id: str | None
    start_ns: int
    end_ns: int | None
    outcome: str
    verdict: str | None
    code: str | None
    layer_a: str | None
    layer_b: str | None
    failing_step: str | None
    origin_span_id: str | None
    chain: list[str]
    spans: int
    steps: int
    operations: int
    attempts: int
    error_spans: int
    orphans: int
    gaps: int
    tokens_input: int | None
    tokens_output: int | None
    cost_usd: float | None
    last_received_ns: int
    rule_version: int
    words: str | None


class StepRow(NamedTuple):
    """A row of `store.step`."""

    run_id: str
    trace_id: str
    span_id: str
    parent_span_id: str | None
    depth: int
    position: int
    kind: str
    name: str
    chain_step: str | None
    agent: str | None
    model: str | None
    provider: str | None
    tool: str | None
    start_ns: int
    end_ns: int | None
    self_ns: int
    status: str
    error_type: str | None
    error_message: str | None
    in_band_error: str | None
    tokens_input: int | None
    tokens_output: int | None
    cost_usd: float | None
    visit: int
    attempt: int
    operation_id: str
    is_orphan: bool
    rule_version: int
    critical_ns: int


class OperationRow(NamedTuple):
    """A row of `store.operation`."""

    run_id: str
    trace_id: str
    operation_id: str
    parent_span_id: str | None
    depth: int
    kind: str
    name: str
    chain_step: str | None
    tool: str | None
    model: str | None
    start_ns: int
    end_ns: int | None
    outcome: str
    first_try_ok: bool
    attempts: int
    evidence: str
    rule_version: int
    is_redo: bool


class FailureRow(NamedTuple):
    """A row of `store.failure`."""

    run_id: str
    trace_id: str
    span_id: str
    issuer_span_id: str | None
    root_span_id: str | None
    step: str | None
    code: str
    layer_a: str
    layer_b: str
    certainty: str
    severity: str
    role: str
    recovered: bool
    silent: bool
    trigger: str | None
    contributing: list[str]
    evidence: str
    error_type: str | None
    at_ns: int
    rule_id: str | None
    rule_version: int
    scope_id: int
    workflow: str
    workflow_version: str | None
    environment: str | None
    run_start_ns: int
    kind: str | None
    lost_ns: int | None
    last_of_run: bool
    last_of_code: bool
    last_of_step: bool


class VerdictRow(NamedTuple):
    """A row of `store.verdict`."""

    run_id: str
    trace_id: str
    span_id: str | None
    judge_span_id: str | None
    name: str
    verdict: str | None
    score: float | None
    label: str | None
    explanation: str | None
    source: str
    decides: bool
    at_ns: int
    rule_version: int


class TraceRow(NamedTuple):
    """A row of `store.trace`."""

    trace_id: str
    run_id: str | None
    spans: int
    first_received_ns: int
    last_received_ns: int


class Stray(NamedTuple):
    """A trace that is only a client library's model call, and what is needed to find the run it belongs to."""

    trace_id: str
    resource_id: int
    response_id: str | None
    start_ns: int
    end_ns: int


class Settled(NamedTuple):
    """Everything derived from a batch of whole runs. Each list has a total order that no arrival order changes."""

    run: list[RunRow]
    step: list[StepRow]
    operation: list[OperationRow]
    failure: list[FailureRow]
    verdict: list[VerdictRow]
    trace: list[TraceRow]
