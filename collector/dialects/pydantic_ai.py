"""Pydantic AI: GenAI names, and its own for tools and agents in the older data formats."""

from collector.dialects.common import (
    GENAI,
    is_handoff_tool,
    read_by_kind,
    read_content,
)
from collector.dialects.content import refused_call
from collector.dialects.draft import Draft, attempt_of, count_of, name_of
from collector.dialects.errors import INTERRUPTS, read_failure
from collector.dialects.genai import OPERATIONS, plain_name
from collector.dialects.kinds import AGENT, CHAIN, HANDOFF, LLM, SETUP, TOOL, WORKFLOW
from schemas.records import Attributes, Span

NAMES = GENAI._replace(
    agent=("gen_ai.agent.name", "agent_name"),
    model=("gen_ai.response.model", "gen_ai.request.model", "model_name"),
    tokens_input=("gen_ai.usage.input_tokens", "gen_ai.aggregated_usage.input_tokens"),
    tokens_output=("gen_ai.usage.output_tokens", "gen_ai.aggregated_usage.output_tokens"),
    tokens_cached=(
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.aggregated_usage.cache_read.input_tokens",
    ),
    tokens_reasoning=(*GENAI.tokens_reasoning, "gen_ai.aggregated_usage.details.reasoning_tokens"),
    cost=("operation.cost",),
    inputs=(
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        "tool_arguments",
        "pydantic_ai.all_messages",
        "all_messages_events",
    ),
    outputs=("gen_ai.output.messages", "gen_ai.tool.call.result", "tool_response", "final_result"),
)

ATTEMPT = "model request attempt "


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One Pydantic AI span."""
    operation = attributes.get("gen_ai.operation.name")
    draft.step_kind = _kind(span, OPERATIONS.get(operation) if operation.__class__ is str else None)
    tool = attributes.get("gen_ai.tool.name")
    if draft.step_kind == TOOL and tool.__class__ is str and is_handoff_tool(tool):
        draft.step_kind = HANDOFF
    read_by_kind(span, attributes, draft, NAMES)
    kind = draft.step_kind
    if kind in (TOOL, HANDOFF):
        draft.step_name = draft.tool or plain_name(span.name)
    elif kind in (AGENT, SETUP):
        draft.step_name = draft.agent or plain_name(span.name)
    elif kind == LLM:
        draft.step_name = name_of(operation) or "chat"
    else:
        draft.step_name = plain_name(span.name.removeprefix("run node ").removeprefix("run graph "))
    if (span.parent_span_id is None and kind in (AGENT, WORKFLOW)) or kind == WORKFLOW:
        draft.workflow = draft.step_name
    if span.name.startswith(ATTEMPT):
        index = count_of(attributes.get("pydantic_ai.model_request.attempt"))
        draft.attempt = 1 if index is None else attempt_of(index + 1)
    read_failure(span, attributes, draft)
    if not draft.failed and name_of(attributes.get("pydantic_ai.tool.deferral.name")) in INTERRUPTS:
        draft.interrupted = True
    read_content(attributes, draft, NAMES)
    if draft.step_kind == LLM and not draft.failed:
        draft.in_band_error = refused_call(attributes)


def _kind(span: Span, by_operation: str | None) -> str:
    if by_operation is not None:
        return by_operation
    name = span.name
    if name.startswith((ATTEMPT, "chat ")):
        return LLM
    if name.startswith(("running tool", "execute_tool ")):
        return TOOL
    if name.startswith(("agent run", "invoke_agent ")):
        return AGENT
    if name.startswith("run graph") or span.parent_span_id is None:
        return WORKFLOW
    return CHAIN
