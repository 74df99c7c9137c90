"""Closed vocabularies: what a step can be, how a run can end, which layer a failure falls into."""

from enum import StrEnum


class StepKind(StrEnum):
    """What a span is to its workflow. The last three are never steps of the chain."""

    WORKFLOW = "workflow"
    """The execution of a whole workflow, crew, graph or team."""
    CHAIN = "chain"
    """A graph node, a task, a flow method, a plain function: a step with no closer kind."""
    AGENT = "agent"
    """One agent's turn."""
    LLM = "llm"
    """One model call (chat, completion, embeddings)."""
    TOOL = "tool"
    """One tool call."""
    RETRIEVAL = "retrieval"
    """One look-up in a vector store, memory or reranker."""
    HANDOFF = "handoff"
    """Control passes from one agent to another."""
    GUARDRAIL = "guardrail"
    """A check that may stop the run."""
    EVALUATOR = "evaluator"
    """A judgement of another span."""
    SETUP = "setup"
    """Construction before any work (create_agent, workflow.build)."""
    PROTOCOL = "protocol"
    """A protocol request that does no work for the user (MCP initialize, tools/list)."""
    TRANSPORT = "transport"
    """Messaging, HTTP and the like: how work travelled, not the work."""


class Outcome(StrEnum):
    """How a run ended (DESIGN: words). `open` is shown as running, later as abandoned."""

    CLEAN = "clean"
    RECOVERED = "recovered"
    SILENT = "silent"
    FAILED = "failed"
    PENDING = "pending"
    OPEN = "open"


FINISHED: frozenset[Outcome] = frozenset({Outcome.CLEAN, Outcome.RECOVERED, Outcome.SILENT, Outcome.FAILED})
"""Outcomes that count in a reliability figure."""


class StepStatus(StrEnum):
    """How one step ended, from its own spans alone."""

    OK = "ok"
    FAILED = "failed"
    PENDING = "pending"
    """Stopped to wait for a human."""
    OPEN = "open"
    """Not ended yet."""


class LayerA(StrEnum):
    """Lens A of the coordination layers."""

    STATE = "state"
    CONTROL = "control"
    ERROR = "error"
    TOOL = "tool"
    COMPONENT = "component"
    UNCLASSIFIED = "unclassified"


class LayerB(StrEnum):
    """Lens B of the coordination layers."""

    HANDOFF = "handoff"
    STATE = "state"
    ROUTING = "routing"
    RECOVERY = "recovery"
    COMPONENT = "component"
    UNCLASSIFIED = "unclassified"


class RejectReason(StrEnum):
    """Why one span or log record of a good request was not stored."""

    TRACE_ID = "invalid_trace_id"
    SPAN_ID = "invalid_span_id"
    PARENT_SPAN_ID = "invalid_parent_span_id"
    SIZE = "span_too_large"
    LOG_SIZE = "log_record_too_large"
    NO_EVIDENCE = "no_evidence"
    """A log record that is neither an evaluation result nor an exception: logs as such are not kept."""
    NO_SPAN = "no_span"
    """A log record that does not say which span it is about."""
    REMOVED = "run_removed"
    """Its run was removed by retention, or because someone asked for it."""


class RemovalReason(StrEnum):
    """Why a run was removed."""

    AGE = "age"
    """Nothing came for it for longer than runs are kept."""
    SIZE = "size"
    """The store had grown beyond its limit, and this was among the oldest."""
    ASKED = "asked"
    """Someone asked for it (`seamscope forget`)."""
