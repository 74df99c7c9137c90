"""OpenTelemetry GenAI semantic conventions, old names and new: official instrumentations and whoever follows them."""

from collector.dialects.common import (
    GENAI,
    is_handoff_tool,
    read_by_kind,
    read_content,
    without_uuid,
)
from collector.dialects.content import TOOLISH, refused_call
from collector.dialects.draft import IN_BAND_LIMIT, NAME_LIMIT, Draft, name_of, pick
from collector.dialects.errors import read_failure
from collector.dialects.kinds import AGENT, CHAIN, GUARDRAIL, HANDOFF, LLM, RETRIEVAL, SETUP, TOOL, TRANSPORT, WORKFLOW
from schemas.records import Attributes, Span

OPERATIONS = {
    "chat": LLM,
    "text_completion": LLM,
    "completion": LLM,
    "generate_content": LLM,
    "fetch_response": LLM,
    "embeddings": LLM,
    "execute_tool": TOOL,
    "create_memory": TOOL,
    "update_memory": TOOL,
    "upsert_memory": TOOL,
    "delete_memory": TOOL,
    "retrieval": RETRIEVAL,
    "search_memory": RETRIEVAL,
    "vector_db_retrieve": RETRIEVAL,
    "invoke_agent": AGENT,
    "create_agent": SETUP,
    "create_memory_store": SETUP,
    "delete_memory_store": SETUP,
    "invoke_workflow": WORKFLOW,
    "apply_guardrail": GUARDRAIL,
    "handoff": HANDOFF,
    "goto": HANDOFF,
    "plan": CHAIN,
    "execute_task": CHAIN,
    "invoke_node": CHAIN,
    "compact_events": TRANSPORT,
    "execute_event_loop_cycle": TRANSPORT,
    "invoke_graph": WORKFLOW,
    "invoke_swarm": WORKFLOW,
    "task": CHAIN,
    "chain": CHAIN,
}
"""gen_ai.operation.name -> kind; those of the registry and those seen beside it (SEMCONV)."""

PREFIXES = (
    "invoke_agent ",
    "invoke_workflow ",
    "execute_tool ",
    "execute_task ",
    "create_agent ",
    "invoke_node ",
    "apply_guardrail ",
)


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One span of the GenAI conventions."""
    draft.step_kind = kind_of(attributes, draft)
    tool = attributes.get("gen_ai.tool.name")
    if draft.step_kind == TOOL and tool.__class__ is str and is_handoff_tool(tool):
        draft.step_kind = HANDOFF
    read_by_kind(span, attributes, draft, GENAI)
    name_step(span, attributes, draft)
    read_failure(span, attributes, draft)
    read_content(attributes, draft, GENAI)
    if draft.step_kind == LLM and not draft.failed:
        draft.in_band_error = refused_call(attributes)
    elif draft.step_kind in TOOLISH and not draft.failed and attributes.get("gen_ai.tool.status") == "error":
        tell_tool_status(span, draft)
    draft.prompt_version = pick(draft, "prompt_version", attributes, ("gen_ai.prompt.version", "prompt.version"))


def tell_tool_status(span: Span, draft: Draft) -> None:
    """Strands Agents ends a failed tool's span with OK: only its tool status tells, and an event has the text."""
    if draft.in_band_error is None:
        said = next((e.attributes.get("message") for e in reversed(span.events) if e.name == "gen_ai.choice"), None)
        draft.in_band_error = (said if said.__class__ is str and said else "error")[:IN_BAND_LIMIT]
    draft.output_kind = "error"


def kind_of(attributes: Attributes, draft: Draft) -> str:
    """The kind by operation name; a span that only names a model is a model call."""
    operation = attributes.get("gen_ai.operation.name")
    if operation.__class__ is str:
        kind = OPERATIONS.get(operation)
        if kind is not None:
            return kind
        draft.gap("step_kind:unknown")
    elif operation is not None:
        draft.gap("step_kind:type")
    if "gen_ai.request.model" in attributes or "gen_ai.usage.input_tokens" in attributes:
        return LLM
    return TOOL if "gen_ai.tool.name" in attributes else CHAIN


def name_step(span: Span, attributes: Attributes, draft: Draft) -> None:
    """What a user calls this step, and the workflow where the span is one."""
    kind = draft.step_kind
    name: str | None = None
    if kind == WORKFLOW:
        name = name_of(attributes.get("gen_ai.workflow.name")) or draft.agent
        draft.agent = None
    elif kind in (AGENT, SETUP):
        name = draft.agent
    elif kind in (TOOL, HANDOFF):
        name = draft.tool
    elif kind == LLM:
        name = name_of(attributes.get("gen_ai.operation.name"))
    elif kind == CHAIN:
        name = name_of(attributes.get("langgraph_node")) or name_of(attributes.get("agent.step.name"))
    draft.step_name = name or plain_name(span.name)
    if kind == WORKFLOW or (kind == AGENT and span.parent_span_id is None):
        draft.workflow = draft.step_name
        if span.name == attributes.get("gen_ai.operation.name"):  # that names nothing: the service does
            draft.workflow = draft.service or draft.step_name


def plain_name(name: str) -> str:
    """A span name without the operation in front and without ids."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            name = name[len(prefix) :]
            break
    return without_uuid(name)[:NAME_LIMIT] or name[:NAME_LIMIT]
