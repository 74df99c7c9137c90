"""OpenInference: `openinference.span.kind` names the kind; metadata, input and output are JSON texts."""

from typing import Any

from collector.dialects.common import (
    GENAI,
    Names,
    is_handoff_tool,
    read_by_kind,
    read_content,
    without_uuid,
    workflow_name,
)
from collector.dialects.draft import NAME_LIMIT, Draft, attempt_of, name_of, pick
from collector.dialects.errors import read_failure
from collector.dialects.genai import OPERATIONS
from collector.dialects.kinds import (
    AGENT,
    CHAIN,
    EVALUATOR,
    GUARDRAIL,
    HANDOFF,
    LLM,
    PROTOCOL,
    RETRIEVAL,
    TOOL,
    TRANSPORT,
    WORKFLOW,
)
from collector.dialects.langgraph import place_graph, read_metadata
from collector.dialects.responses import object_of, read_text_response
from schemas.records import Attributes, Span

NAMES = Names(
    agent=("agent.name", "gen_ai.agent.name"),
    model=("llm.response.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name", *GENAI.model),
    provider=("llm.provider", "llm.system", *GENAI.provider),
    tool=("tool.name", "gen_ai.tool.name"),
    tool_call_id=("tool_call.id", "tool.id", "gen_ai.tool.call.id"),
    session=("session.id", "gen_ai.conversation.id"),
    tokens_input=("llm.token_count.prompt", *GENAI.tokens_input),
    tokens_output=("llm.token_count.completion", *GENAI.tokens_output),
    tokens_cached=("llm.token_count.prompt_details.cache_read", *GENAI.tokens_cached),
    tokens_reasoning=("llm.token_count.completion_details.reasoning", *GENAI.tokens_reasoning),
    cost=("llm.cost.total", *GENAI.cost),
    response_id=("llm.response.id", *GENAI.response_id),
    finish_reason=("llm.finish_reason", *GENAI.finish_reason),
    inputs=("input.value", "llm.input_messages.", *GENAI.inputs, "crew_inputs", "flow_inputs"),
    outputs=("output.value", "llm.output_messages.", "retrieval.documents.", *GENAI.outputs),
)

KINDS = {
    "CHAIN": CHAIN,
    "AGENT": AGENT,
    "LLM": LLM,
    "TOOL": TOOL,
    "RETRIEVER": RETRIEVAL,
    "RERANKER": RETRIEVAL,
    "EMBEDDING": LLM,
    "GUARDRAIL": GUARDRAIL,
    "EVALUATOR": EVALUATOR,
    "PROMPT": CHAIN,
    "DECISION": CHAIN,
}


CALLS = {"Response": "response", "CreateEmbeddings": "embeddings", "ChatCompletion": "chat"}
"""Names of the OpenAI client's calls -> what everybody else calls them."""

METHOD_NAMED = frozenset({"crewai", "autogen", "llama_index", "smolagents", "haystack"})
"""Frameworks whose spans are named `Class.method` or `agent.method`."""

METHODS = frozenset(
    {
        "run",
        "arun",
        "run_stream",
        "run_async",
        "run_async_generator",
        "call",
        "acall",
        "query",
        "aquery",
        "retrieve",
        "aretrieve",
        "chat",
        "achat",
        "on_messages_stream",
        "kickoff",
        "complete",
        "acomplete",
        "synthesize",
        "asynthesize",
        "_query",
        "_aquery",
        "_retrieve",
        "_aretrieve",
    }
)
"""Methods that say nothing beside their owner; any other is the step a user wrote."""


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One OpenInference span."""
    kind = attributes.get("openinference.span.kind")
    if kind.__class__ is str:
        draft.step_kind = KINDS.get(kind.upper(), CHAIN)
    else:
        draft.gap("step_kind" if kind is None else "step_kind:type")
        operation = attributes.get("gen_ai.operation.name")
        if operation.__class__ is str:
            draft.step_kind = OPERATIONS.get(operation, CHAIN)
    metadata = attributes.get("metadata")
    if metadata.__class__ is str and metadata:
        metadata = object_of(metadata)
    if metadata.__class__ is not dict:
        metadata = None
    _place(span, attributes, draft, metadata)
    read_by_kind(span, attributes, draft, NAMES)
    if metadata:
        read_metadata(draft, metadata)
    name_step(span, attributes, draft)
    read_failure(span, attributes, draft)
    if draft.step_kind == LLM:
        read_text_response(draft, attributes.get("output.value"))
    read_content(attributes, draft, NAMES)
    draft.prompt_version = pick(draft, "prompt_version", attributes, ("llm.prompt_template.version", "prompt.version"))
    draft.attempt = attempt_of(attributes.get("retry.attempt"))


def _place(span: Span, attributes: Attributes, draft: Draft, metadata: dict[str, Any] | None) -> None:
    """Tell a workflow from a step of it, and wrappers from both; each framework has its own sign."""
    is_root = span.parent_span_id is None
    if draft.framework == "langchain":
        if metadata and ("ls_integration" in metadata or "langgraph_node" in metadata):
            place_graph(span.name, draft, metadata.get("ls_integration"), metadata.get("langgraph_node"))
    elif draft.framework == "openai_agents":
        draft.step_kind = _openai_agents_kind(span.name, attributes, draft.step_kind)
    elif draft.step_kind == CHAIN and draft.framework is not None:
        if _runs_whole(draft.framework, span.name):
            draft.step_kind = WORKFLOW
        elif draft.framework == "smolagents" and span.name.startswith("Step "):
            draft.step_kind = TRANSPORT
    if draft.step_kind == TOOL and is_handoff_tool(span.name.removesuffix(".run")):
        draft.step_kind = HANDOFF
    if is_root and draft.step_kind == CHAIN:
        draft.step_kind = WORKFLOW
    if draft.step_kind == WORKFLOW or (is_root and draft.step_kind == AGENT):
        draft.workflow = workflow_name(span, attributes)


def _openai_agents_kind(name: str, attributes: Attributes, kind: str) -> str:
    """OpenAI Agents: a trace is an AGENT span that names no agent; turns wrap, and a hand-over is a TOOL span."""
    if kind == AGENT and "agent.name" not in attributes:
        return WORKFLOW
    if kind == CHAIN:
        return {"Agent workflow": WORKFLOW, "turn": TRANSPORT, "mcp_tools": PROTOCOL}.get(name, CHAIN)
    return HANDOFF if kind == TOOL and name.startswith("handoff to ") else kind


def _runs_whole(framework: str, name: str) -> bool:
    """The call that runs a whole pipeline, team or workflow; spans are named `Class.method` there."""
    owner, _, method = name.rpartition(".")
    if framework == "haystack":
        return owner.endswith("Pipeline") and method.startswith("run")
    if framework == "autogen":
        return method in ("run", "run_stream")
    return (framework == "crewai" and method == "kickoff") or (framework == "llama_index" and method == "run")


def name_step(span: Span, attributes: Attributes, draft: Draft) -> None:
    """What a user calls this step."""
    kind = draft.step_kind
    name: str | None = None
    if kind in (TOOL, HANDOFF):
        name = draft.tool
    elif kind == AGENT:
        name = name_of(attributes.get("langgraph_node")) or _crew_role(span, attributes, draft)
        name = name or draft.agent
    elif kind == CHAIN:
        name = name_of(attributes.get("flow.node.name")) or name_of(attributes.get("langgraph_node"))
        name = name or name_of(attributes.get("agent.step.name"))
    elif kind == WORKFLOW:
        name = draft.workflow
    elif kind == LLM:
        name = name_of(attributes.get("gen_ai.operation.name")) or CALLS.get(span.name)
    draft.step_name = name or _plain_name(span.name, draft)
    if kind == AGENT and draft.agent is None:
        draft.agent = draft.step_name


def _plain_name(name: str, draft: Draft) -> str:
    """The span's name without ids and without the method that every span of its framework has."""
    if draft.framework in METHOD_NAMED and draft.step_kind != LLM:
        owner, _, method = name.partition(".")
        name = owner if not method or method in METHODS else method
    return (without_uuid(name) or name)[:NAME_LIMIT]


def _crew_role(span: Span, attributes: Attributes, draft: Draft) -> str | None:
    """CrewAI: the agent that does the task; `role.task._execute_core`."""
    if draft.framework != "crewai":
        return None
    role = name_of(attributes.get("graph.node.id")) or span.name.removesuffix("._execute_core").partition(".")[0]
    draft.agent = draft.agent or role
    return role
