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
from collector.dialects.content import find_error
from collector.dialects.draft import IN_BAND_LIMIT, NAME_LIMIT, Draft, name_of, pick
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

FIRST_MESSAGE = "llm.input_messages.0.message."
OUT_OF_STEPS = "An agent tried to answer a user query but it got stuck"
"""How smolagents begins its request for an answer in the place of an agent that reached its limit."""

METHOD_NAMED = frozenset({"crewai", "autogen", "llama_index", "smolagents", "haystack"})
"""Frameworks whose spans are named `Class.method` or `agent.method`."""

CLASS_NAMED = frozenset({"llama_index", "haystack"})
"""Those of them whose spans are all named `Class.method`."""

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
        "__call__",
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
    if draft.framework == "smolagents" and draft.step_kind == LLM and not draft.failed:
        _read_last_answer(attributes, draft)
    if draft.framework == "llama_index" and draft.step_kind == CHAIN and not draft.failed:
        _read_tool_result(draft, attributes.get("output.value"))
    draft.prompt_version = pick(draft, "prompt_version", attributes, ("llm.prompt_template.version", "prompt.version"))


def _read_last_answer(attributes: Attributes, draft: Draft) -> None:
    """smolagents: an agent that ran out of steps raises nothing; it asks the model to answer in its place."""
    first = attributes.get(FIRST_MESSAGE + "contents.0.message_content.text", attributes.get(FIRST_MESSAGE + "content"))
    if first.__class__ is str and first.startswith(OUT_OF_STEPS):
        draft.in_band_error, draft.error_type = "Reached max steps.", "AgentMaxStepsError"


def _read_tool_result(draft: Draft, output: object) -> None:
    """LlamaIndex: a call of a tool that does not exist is only in the printed result of the step that calls tools."""
    if output.__class__ is str and output.startswith("ToolCallResult("):
        text = output.partition("text='")[2].partition("'")[0]
        found = find_error(text)
        if found is not None:
            draft.in_band_error, draft.error_type, draft.output_kind = found[0][:IN_BAND_LIMIT], found[1], "error"


def _place(span: Span, attributes: Attributes, draft: Draft, metadata: dict[str, Any] | None) -> None:
    """Tell a workflow from a step of it, and wrappers from both; each framework has its own sign."""
    is_root = span.parent_span_id is None
    if draft.framework == "langchain":
        if metadata and ("ls_integration" in metadata or "langgraph_node" in metadata):
            place_graph(span.name, draft, metadata.get("ls_integration"), metadata.get("langgraph_node"))
    elif draft.framework == "openai_agents":
        draft.step_kind = _openai_agents_kind(span.name, attributes, draft.step_kind)
    elif _is_inner_work(span.name, attributes, draft):
        draft.step_kind = TRANSPORT
    elif draft.step_kind == CHAIN and draft.framework is not None and _runs_whole(draft.framework, span.name):
        draft.step_kind = WORKFLOW
    if draft.step_kind == TOOL and _hands_over(span.name, attributes, draft.framework):
        draft.step_kind = HANDOFF
    if is_root and draft.step_kind == CHAIN:
        draft.step_kind = WORKFLOW
    if draft.step_kind == WORKFLOW or (is_root and draft.step_kind == AGENT):
        draft.workflow = workflow_name(span, attributes)
        if draft.framework in CLASS_NAMED and draft.workflow == span.name:
            draft.workflow = _plain_name(span.name, draft.framework, draft.step_kind)


def _hands_over(name: str, attributes: Attributes, framework: str | None) -> bool:
    """Whether a tool is one by which its framework lets an agent hand over: by its name, or by that of its span."""
    tool = name_of(attributes.get("tool.name"))
    if framework == "llama_index" and tool == "handoff":
        return True
    return is_handoff_tool(name.removesuffix(".run")) or (tool is not None and is_handoff_tool(tool))


def _openai_agents_kind(name: str, attributes: Attributes, kind: str) -> str:
    """OpenAI Agents: a trace is an AGENT span that names no agent; turns wrap, and a hand-over is a TOOL span."""
    if kind == AGENT and "agent.name" not in attributes:
        return WORKFLOW
    if kind == CHAIN:
        return {"Agent workflow": WORKFLOW, "turn": TRANSPORT, "mcp_tools": PROTOCOL}.get(name, CHAIN)
    return HANDOFF if kind == TOOL and name.startswith("handoff to ") else kind


def _is_inner_work(name: str, attributes: Attributes, draft: Draft) -> bool:
    """The turn of an agent, or what a public method does inside: no step of its own, and no call of a model."""
    kind = draft.step_kind
    if draft.framework == "smolagents":
        return kind == CHAIN and name.startswith("Step ")
    method = name.rpartition(".")[2]
    if draft.framework != "llama_index" or not method.startswith("_") or method.startswith("__"):
        return False
    is_embedding = attributes.get("openinference.span.kind") == "EMBEDDING"
    return (kind == LLM and not is_embedding) or (kind == CHAIN and method in METHODS)


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
    draft.step_name = name or _plain_name(span.name, draft.framework, kind)
    if kind == AGENT and draft.agent is None:
        draft.agent = draft.step_name


def _plain_name(name: str, framework: str | None, kind: str) -> str:
    """The span's name without ids and without the method that every span of its framework has."""
    if framework in CLASS_NAMED:
        path, _, method = name.rpartition(".")
        owner = path.rpartition(".")[2]  # a class defined in a function is `function.<locals>.Class`
        if owner and (kind != LLM or framework == "haystack"):
            name = owner if method in METHODS else method
    elif framework in METHOD_NAMED and kind != LLM:
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
