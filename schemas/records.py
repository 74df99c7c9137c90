"""What travels through the collector: a span as received, and what its dialect says about it.

Named tuples, because the hot path makes one of each per span: creating one costs a third of a frozen
dataclass, and a row is the two concatenated. Field order here is column order in `sql/tables/span.sql`;
`tests/schemas` holds the two together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

Attributes = dict[str, Any]
"""Attribute name to value: str, bool, int, float, bytes, list, dict, or None (an AnyValue that holds nothing).
Any, because dialects test the type of each value they read: senders lie about types."""


class Resource(NamedTuple):
    """The resource a span came from, shared by all its spans."""

    resource_id: int
    """Unsigned 64-bit digest of everything below: the same resource has the same id in every process."""
    attributes: Attributes
    dropped_attributes_count: int
    schema_url: str
    entity_refs: list[dict[str, Any]]


class Scope(NamedTuple):
    """The instrumentation scope a span came from, shared by all its spans."""

    scope_id: int
    """Unsigned 64-bit digest of everything below."""
    name: str
    version: str
    attributes: Attributes
    dropped_attributes_count: int
    schema_url: str


class SpanEvent(NamedTuple):
    """One event of a span."""

    time_ns: int
    name: str
    attributes: Attributes
    dropped_attributes_count: int


class SpanLink(NamedTuple):
    """One link of a span; ids in lower-case hex."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: Attributes
    dropped_attributes_count: int
    flags: int


class Span(NamedTuple):
    """One OTLP span as received. Ids are lower-case hex, times integer nanoseconds UTC (unsigned 64 bit)."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    """None: a root as far as its sender knows."""
    trace_state: str
    flags: int
    name: str
    kind: int
    """OTLP enum number, 0-5; unknown numbers are kept."""
    start_ns: int
    end_ns: int
    """0: not ended."""
    status_code: int
    """OTLP enum number: 0 unset, 1 ok, 2 error."""
    status_message: str
    attributes: Attributes
    dropped_attributes_count: int
    events: Sequence[SpanEvent]
    dropped_events_count: int
    links: Sequence[SpanLink]
    dropped_links_count: int
    truncated: bool
    """A value was cut, or attributes, events or links were dropped, to stay within our own limits."""
    resource: Resource
    scope: Scope


class Normalised(NamedTuple):
    """What a span means in our words (DESIGN §3-4). None: the span does not say.

    Made by `collector.dialects.normalise`, a pure function of one span; nothing here looks at another span.
    """

    dialect: str
    """Which rules read the span: openinference, openllmetry, genai, langsmith, autogen, … generic."""
    framework: str | None
    """langgraph, langchain, crewai, autogen, openai_agents, …; None for plain SDK calls of no framework."""
    step_kind: str
    """A StepKind value."""
    step_name: str
    workflow: str | None
    """The workflow's name, as far as this span names it; on a child it may name a sub-workflow."""
    workflow_version: str | None
    agent: str | None
    model: str | None
    provider: str | None
    tool: str | None
    tool_call_id: str | None
    tools_offered: int | None
    """How many tools and agents an agent says it may call, the one that ends its work not counted."""
    session_id: str | None
    environment: str | None
    service: str | None
    input_key: str | None
    """Attribute that holds the input; ending in '.' it is a prefix; 'event:NAME' is an event."""
    output_key: str | None
    input_hash: int | None
    """Unsigned 64-bit digest of the canonical input: equal inputs have equal hashes. None: no input recorded."""
    output_hash: int | None
    output_kind: str | None
    """error, empty, json, text, tool_calls; rejection: a check said no; None: no output recorded."""
    tokens_input: int | None
    """Own tokens only, cached ones included; see `tokens_are_sum`."""
    tokens_output: int | None
    tokens_cached: int | None
    tokens_reasoning: int | None
    tokens_are_sum: bool
    """The counts repeat what spans below already count: used only where no span below carries any."""
    cost_usd: float | None
    response_id: str | None
    """Identity of the model response (or message) the counts belong to: counted once in a run."""
    finish_reason: str | None
    """stop, tool_calls, length, content_filter, or the provider's own word."""
    failed: bool
    """The runtime says this span failed (status, exception, error.type). Control flow is not failure."""
    interrupted: bool
    """The span stopped to wait for a human (GraphInterrupt, approval required, n8n waiting)."""
    error_type: str | None
    """Exception class without module, HTTP status or JSON-RPC code; also of a soft error where it has one."""
    error_message: str | None
    in_band_error: str | None
    """The error text inside an output whose span claims success (MCP isError, …); at most 500 characters.
    On a model call: the refusal of a tool that does not exist, where no other span tells of it. On a CrewAI workflow:
    a tool's failure in the crew's printed output; `agent` and `tool` then say whose."""
    collateral: bool
    """The error only echoes another span's (cancelled sibling, AutoGen's unhandled GroupChatError)."""
    resend_count: int | None
    """HTTP resends the client hid inside this span."""
    attempt: int | None
    """1-based number of the attempt the span is or ended with, where it says so by attribute or retry events."""
    visit_key: str | None
    """Identity of one visit of a graph node (LangGraph namespace and step): attempts share it, loop visits do not."""
    run_key: str | None
    """Joins traces of one run: 'autogen:<team>', 'n8n:<instance>/<execution>'."""
    prompt_version: str | None
    gaps: Sequence[str]
    """What this dialect should have said and did not, for the data-quality panel; empty on a complete span."""
    evaluations: str | None
    """JSON list of Evaluation objects: outside judgements that the span carries. None: it carries none."""


class Evaluation(NamedTuple):
    """An outside judgement of a span or a run, as its judge put it."""

    about: str
    """span: the one that carries it; parent: the one that span lies in (an evaluator's own span); run."""
    source: str
    """event, attribute, evaluator, log, or who posted it."""
    name: str
    """Of what was judged: relevance, task_success, …"""
    score: float | None
    label: str | None
    explanation: str | None
    at_ns: int


class LogRecord(NamedTuple):
    """One OTLP log record that says something of a span. Ids and times as in Span."""

    trace_id: str
    span_id: str
    time_ns: int
    """When it happened; when it was observed, where the sender does not say."""
    name: str
    """The event's name; empty on a plain log line."""
    attributes: Attributes
    dropped_attributes_count: int
    body: Any
    severity_number: int
    severity_text: str
    observed_ns: int
    flags: int
    truncated: bool
    resource: Resource
    scope: Scope


class Rejection(NamedTuple):
    """One span or log record of a good request that is not stored."""

    reason: str
    """A RejectReason value."""
    detail: str
    """What was wrong, with the shortened value; safe to send back to the client."""


class Decoded(NamedTuple):
    """One request, decoded: what to store and what to refuse."""

    spans: list[Span]
    rejections: list[Rejection]


class DecodedLogs(NamedTuple):
    """One request of log records, decoded."""

    records: list[LogRecord]
    rejections: list[Rejection]
