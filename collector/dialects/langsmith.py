"""LangSmith's OpenTelemetry export. A run slower than its batch interval arrives with status OK although it failed."""

from collector.dialects.common import (
    GENAI,
    is_handoff_tool,
    read_by_kind,
    read_content,
)
from collector.dialects.draft import Draft, name_of
from collector.dialects.errors import read_failure
from collector.dialects.kinds import CHAIN, HANDOFF, LLM, RETRIEVAL, TOOL, WORKFLOW
from collector.dialects.langgraph import place_graph, set_visit
from collector.dialects.responses import read_text_response
from schemas.records import Attributes, Span

METADATA = "langsmith.metadata."

NAMES = GENAI._replace(
    model=("gen_ai.response.model", METADATA + "ls_model_name", "gen_ai.request.model"),
    provider=(METADATA + "ls_provider", "gen_ai.provider.name", "gen_ai.system"),
    session=(METADATA + "session_id", METADATA + "thread_id", METADATA + "conversation_id", "gen_ai.conversation.id"),
    inputs=("gen_ai.prompt", "gen_ai.input.messages"),
    outputs=("gen_ai.completion", "gen_ai.output.messages"),
)

KINDS = {
    "chain": CHAIN,
    "llm": LLM,
    "tool": TOOL,
    "retriever": RETRIEVAL,
    "embedding": LLM,
    "prompt": CHAIN,
    "parser": CHAIN,
}


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One LangSmith span."""
    said = attributes.get("langsmith.span.kind")
    kind = KINDS.get(said) if said.__class__ is str else None
    if kind is None:
        draft.gap("step_kind")
    draft.step_kind = kind or CHAIN
    draft.framework = "langchain"
    place_graph(
        span.name, draft, attributes.get(METADATA + "ls_integration"), attributes.get(METADATA + "langgraph_node")
    )
    if draft.step_kind == TOOL and is_handoff_tool(span.name):
        draft.step_kind = HANDOFF
    if span.parent_span_id is None and draft.step_kind == CHAIN:
        draft.step_kind = WORKFLOW
    agent = draft.agent
    read_by_kind(span, attributes, draft, NAMES)
    draft.agent = draft.agent or agent
    if draft.step_kind in (TOOL, HANDOFF) and draft.tool is None:
        draft.tool = name_of(span.name)
    draft.step_name = draft.tool or name_of(span.name) or "run"
    if draft.step_kind == WORKFLOW or span.parent_span_id is None:
        draft.workflow = draft.step_name
    set_visit(draft, attributes.get(METADATA + "langgraph_checkpoint_ns"), attributes.get(METADATA + "langgraph_step"))
    read_failure(span, attributes, draft, distrust_ok=True)
    if draft.step_kind == LLM:
        read_text_response(draft, attributes.get("gen_ai.completion"))
    read_content(attributes, draft, NAMES)
