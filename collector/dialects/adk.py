"""Google's Agent Development Kit: GenAI names, content under its own."""

from collector.dialects.common import (
    GENAI,
    is_handoff_tool,
    read_by_kind,
    read_content,
)
from collector.dialects.content import is_wordless
from collector.dialects.draft import Draft
from collector.dialects.errors import read_failure
from collector.dialects.genai import OPERATIONS, name_step
from collector.dialects.kinds import AGENT, CHAIN, HANDOFF, LLM, TOOL, TRANSPORT, WORKFLOW
from schemas.records import Attributes, Span

OWN = "gcp.vertex.agent."
NO_TOOL = "Tool not found"
"""What ADK gives as the description of a tool that does not exist; the words of the failure are in no attribute."""
MERGED = "(merged tools)"  # a span over the answers of parallel tool calls, each of which has its own
NAMES = GENAI._replace(
    session=("gen_ai.conversation.id", OWN + "session_id"),
    inputs=(
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        OWN + "tool_call_args",
        OWN + "llm_request",
        OWN + "data",
    ),
    outputs=("gen_ai.output.messages", "gen_ai.tool.call.result", OWN + "tool_response", OWN + "llm_response"),
)


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One ADK span."""
    operation = attributes.get("gen_ai.operation.name")
    kind = OPERATIONS.get(operation) if operation.__class__ is str else None
    if kind is None:
        kind = _kind(span)
    tool = attributes.get("gen_ai.tool.name")
    if tool == MERGED:
        kind = TRANSPORT
    if kind == TOOL and tool.__class__ is str and is_handoff_tool(tool):
        kind = HANDOFF
    draft.step_kind = kind
    read_by_kind(span, attributes, draft, NAMES)
    name_step(span, attributes, draft)
    read_failure(span, attributes, draft)
    read_content(attributes, draft, NAMES)
    if kind == TOOL and is_wordless(draft) and attributes.get("gen_ai.tool.description") == NO_TOOL:
        draft.error_message = NO_TOOL


def _kind(span: Span) -> str:
    name = span.name
    if name == "invocation" or name.startswith("invoke_workflow"):
        return WORKFLOW
    if name.startswith(("call_llm", "generate_content")):
        return LLM
    if name.startswith(("agent_run", "invoke_agent")):
        return AGENT
    if name.startswith("execute_tool"):
        return TOOL
    return TRANSPORT if name.startswith("send_data") else CHAIN
