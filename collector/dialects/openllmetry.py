"""OpenLLMetry (Traceloop): `traceloop.*` beside GenAI names; inputs are wrapped together with volatile metadata."""

import re
from typing import Any

from collector.dialects.common import (
    GENAI,
    is_handoff_tool,
    note_answer,
    read_by_kind,
    without_uuid,
    workflow_name,
)
from collector.dialects.content import find_content, set_input_hash, set_output
from collector.dialects.draft import IN_BAND_LIMIT, NAME_LIMIT, Draft, count_of, name_of, pick
from collector.dialects.errors import read_failure, record_failure
from collector.dialects.genai import OPERATIONS, plain_name
from collector.dialects.kinds import AGENT, CHAIN, HANDOFF, LLM, PROTOCOL, RETRIEVAL, SETUP, TOOL, TRANSPORT, WORKFLOW
from collector.dialects.langgraph import set_visit
from schemas.records import Attributes, Span

PROPERTIES = "traceloop.association.properties."

NAMES = GENAI._replace(
    agent=("gen_ai.agent.name", "crewai.agent.role", "crewai.task.agent"),
    model=(*GENAI.model, PROPERTIES + "ls_model_name", "crewai.agent.llm"),
    provider=(*GENAI.provider, PROPERTIES + "ls_provider"),
    tool=("gen_ai.tool.name", "tool.name"),
    session=(
        "gen_ai.conversation.id",
        PROPERTIES + "session_id",
        PROPERTIES + "thread_id",
        "session.id",
    ),
    tokens_cached=(*GENAI.tokens_cached, "llm.usage.cache_read_input_tokens"),
    inputs=(
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        "gen_ai.task.input",
        "traceloop.entity.input",
        *GENAI.inputs,
    ),
    outputs=(
        "gen_ai.output.messages",
        "gen_ai.tool.call.result",
        "gen_ai.task.output",
        "traceloop.entity.output",
        *GENAI.outputs,
        "crewai.crew.result",
    ),
)

KINDS = {"workflow": WORKFLOW, "task": CHAIN, "agent": AGENT, "tool": TOOL, "handoff": HANDOFF, "session": TRANSPORT}
SUFFIXES = (".workflow", ".task", ".agent", ".tool", ".handoff", ".chat", ".mcp")
NOISE = frozenset({"ResponseStreamWriter", "RequestStreamWriter"})

_TOOL_FAILURE = re.compile(
    r"ToolFailureRecord\(tool_name='(?P<tool>[^']{1,200})', failure=ToolFailure\("
    r"message=(?P<quote>['\"])(?P<text>.{1,2000}?)(?P=quote), reason=.{0,200}?code='(?P<type>\w{1,200})'"
    r".{0,2000}?agent_role='(?P<agent>[^']{1,200})'",
    re.DOTALL,
)
_CREW_TOKENS = re.compile(r"\b(prompt|completion|cached_prompt|reasoning)_tokens['\"]?[=:] ?(\d{1,12})\b")


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One OpenLLMetry span."""
    draft.step_kind = _kind(span, attributes, draft)
    if draft.framework == "langchain" and _is_langgraph(attributes):
        draft.framework = "langgraph"
    read_by_kind(span, attributes, draft, NAMES)
    if draft.step_kind in (TOOL, HANDOFF) and draft.tool is None:
        draft.tool = name_of(attributes.get("traceloop.entity.name")) or _bare(span.name)
    if draft.step_kind == TOOL and draft.tool and is_handoff_tool(draft.tool):
        draft.step_kind = HANDOFF
    draft.workflow = name_of(attributes.get("traceloop.workflow.name"))
    _name(span, attributes, draft)
    node_step = attributes.get(PROPERTIES + "langgraph_step")
    if node_step is not None:
        set_visit(draft, attributes.get(PROPERTIES + "langgraph_checkpoint_ns"), node_step)
    _failure(span, attributes, draft)
    _content(attributes, draft)
    if draft.step_kind == WORKFLOW and draft.tokens_input is None:
        _crew_tokens(attributes.get("crewai.crew.token_usage"), draft)
    if draft.step_kind == WORKFLOW:
        _crew_tool_failure(attributes.get("crewai.crew.tasks_output"), draft)
    draft.prompt_version = pick(
        draft, "prompt_version", attributes, ("traceloop.prompt.version", PROPERTIES + "prompt_version")
    )


def _kind(span: Span, attributes: Attributes, draft: Draft) -> str:
    said = attributes.get("traceloop.span.kind")
    operation = attributes.get("gen_ai.operation.name")
    by_operation = OPERATIONS.get(operation) if operation.__class__ is str else None
    kind = KINDS.get(said) if said.__class__ is str else None
    if kind is not None:
        return RETRIEVAL if kind == CHAIN and by_operation == RETRIEVAL else kind
    if said is not None:
        draft.gap("step_kind:type")
    if by_operation == AGENT and ("gen_ai.workflow.nodes" in attributes or "crewai.crew.id" in attributes):
        return WORKFLOW
    return by_operation or _kind_by_name(span, attributes)


def _kind_by_name(span: Span, attributes: Attributes) -> str:
    """MCP's requests and OpenLLMetry's own noise say nothing but their name."""
    if span.name in NOISE:
        return TRANSPORT
    if span.name.endswith(".mcp"):
        return PROTOCOL
    if "llm.request.type" in attributes or "gen_ai.request.model" in attributes:
        return LLM
    return WORKFLOW if span.parent_span_id is None else CHAIN


def _is_langgraph(attributes: Attributes) -> bool:
    return (
        attributes.get("gen_ai.provider.name") == "langgraph"
        or PROPERTIES + "langgraph_node" in attributes
        or attributes.get(PROPERTIES + "ls_integration") in ("langgraph", "langchain_create_agent")
    )


def _name(span: Span, attributes: Attributes, draft: Draft) -> None:
    """What a user calls this step. CrewAI names a task span by its prompt: the agent that does it is a better name."""
    kind = draft.step_kind
    name = name_of(attributes.get("traceloop.entity.name"))
    if kind == WORKFLOW:
        name = name_of(attributes.get("crewai.crew.name")) or name or name_of(attributes.get("gen_ai.workflow.name"))
        name = name or draft.agent or workflow_name(span, attributes)
        draft.workflow = draft.workflow or name
        draft.agent = None
    elif kind in (AGENT, SETUP):
        name = draft.agent or name
        if span.parent_span_id is None and kind == AGENT:
            draft.workflow = draft.workflow or name
    elif kind == CHAIN:
        name = name_of(attributes.get("crewai.task.agent")) or name or name_of(attributes.get("gen_ai.task.name"))
    elif kind == TOOL:
        name = draft.tool
    elif kind == LLM:
        name = name_of(attributes.get("gen_ai.operation.name"))
    draft.step_name = name or _bare(span.name)


def _bare(name: str) -> str:
    name = plain_name(name)
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return without_uuid(name)[:NAME_LIMIT] or name[:NAME_LIMIT]


def _failure(span: Span, attributes: Attributes, draft: Draft) -> None:
    if span.name in NOISE:  # repeats what the call around it says
        return
    read_failure(span, attributes, draft)
    if not draft.failed and not draft.interrupted and attributes.get("gen_ai.task.status") == "failure":
        declared = name_of(attributes.get("error.type"))
        record_failure(span, attributes, draft, declared, None, None)


def _content(attributes: Attributes, draft: Draft) -> None:
    """Content without its wrapper: tags and metadata differ between two visits with the same input."""
    key, value = find_content(attributes, NAMES.inputs)
    if key is not None:
        draft.input_key = key
        set_input_hash(draft, _unwrapped(value, ', "tags": ['))
    key, value = find_content(attributes, NAMES.outputs)
    if key is not None:
        draft.output_key = key
        set_output(draft, value)
    if draft.step_kind == LLM:
        note_answer(draft, attributes)


def _unwrapped(value: Any, mark: str) -> Any:
    if value.__class__ is str and value.startswith(('{"input', '{"query"')):
        end = value.rfind(mark)
        if end > 0:
            return value[:end] + "}"
    return value


def _crew_tokens(usage: object, draft: Draft) -> None:
    """The crew's totals, written as a Python repr; used where no span below carries any."""
    if usage.__class__ is not str:
        return
    said = {name: count_of(number) for name, number in _CREW_TOKENS.findall(usage)}
    if "prompt" in said:
        draft.tokens_input = said["prompt"]
        draft.tokens_output = said.get("completion")
        draft.tokens_cached = said.get("cached_prompt")
        draft.tokens_reasoning = said.get("reasoning")
        draft.tokens_are_sum = True


def _crew_tool_failure(tasks: object, draft: Draft) -> None:
    """The first tool failure of a crew: tools have no spans, only the crew's printed output tells.

    `agent` then names the agent whose tool it was.
    """
    if tasks.__class__ is not str or draft.failed:
        return
    found = _TOOL_FAILURE.search(tasks)
    if found is not None:
        draft.tool = found["tool"]
        draft.in_band_error = found["text"][:IN_BAND_LIMIT]
        draft.error_type = found["type"]
        draft.agent = found["agent"]
