"""What the dialects share: which attributes hold which field, and the words of the closed vocabularies."""

import re
from typing import Any, NamedTuple

from collector.dialects.content import parsed, read_input, read_output
from collector.dialects.draft import ATTEMPT_LIMIT, NAME_LIMIT, Draft, count_of, name_of, pick, pick_cost, pick_count
from collector.dialects.kinds import AGENT, CHAIN, HANDOFF, LLM, RETRIEVAL, TOOL, WORKFLOW
from collector.dialects.prices import cost_of
from schemas.records import Attributes, Span

Keys = tuple[str, ...]


class Names(NamedTuple):
    """Attributes of one dialect, per field in priority order; the first non-empty one wins (NORMALISATION §4)."""

    agent: Keys
    model: Keys
    provider: Keys
    tool: Keys
    tool_call_id: Keys
    session: Keys
    tokens_input: Keys
    tokens_output: Keys
    tokens_cached: Keys
    tokens_reasoning: Keys
    cost: Keys
    response_id: Keys
    finish_reason: Keys
    inputs: Keys
    outputs: Keys


GENAI = Names(
    agent=("gen_ai.agent.name",),
    model=("gen_ai.response.model", "gen_ai.request.model"),
    provider=("gen_ai.provider.name", "gen_ai.system"),
    tool=("gen_ai.tool.name",),
    tool_call_id=("gen_ai.tool.call.id",),
    session=("gen_ai.conversation.id", "session.id"),
    tokens_input=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    tokens_output=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    tokens_cached=(
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cached_tokens",
    ),
    tokens_reasoning=(
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
    ),
    cost=("gen_ai.usage.cost", "operation.cost"),
    response_id=("gen_ai.response.id",),
    finish_reason=(
        "gen_ai.response.finish_reasons",
        "gen_ai.response.finish_reason",
        "gen_ai.completion.0.finish_reason",
    ),
    inputs=(
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        "gen_ai.retrieval.query.text",
        "input.value",
        "gen_ai.prompt",
        "gen_ai.prompt.",
    ),
    outputs=(
        "gen_ai.output.messages",
        "gen_ai.tool.call.result",
        "gen_ai.retrieval.documents",
        "output.value",
        "gen_ai.completion",
        "gen_ai.completion.",
    ),
)

FRAMEWORKS_AS_PROVIDER = frozenset(
    {"langgraph", "langchain", "crewai", "autogen", "llamaindex", "llama_index", "haystack"}
)
"""A framework's name where a model provider's belongs."""

PROVIDER_NOW = {
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "google": "gcp.gen_ai",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "xai": "x_ai",
    "mistralai": "mistral_ai",
    "bedrock": "aws.bedrock",
    "watsonx": "ibm.watsonx.ai",
}
"""Retired and private provider names -> those of the semantic conventions."""

FINISH = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "complete": "stop",
    "eos": "stop",
    "finish_reason_stop": "stop",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "tool-calls": "tool_calls",
    "function_call": "tool_calls",
    "function_calls": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "max_completion_tokens": "length",
    "token_limit": "length",
    "incomplete": "length",
    "model_length": "length",
    "finish_reason_max_tokens": "length",
    "content_filter": "content_filter",
    "content-filter": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "guardrail_intervened": "content_filter",
}
"""A provider's word for why it stopped -> ours."""

CUT = frozenset({"length", "content_filter"})
"""Of several choices one of these tells: the others do not make it whole."""

CHOICES_LIMIT = 100  # finish reasons of one answer that are looked at
_FINISH_IN_MESSAGES = re.compile(r'"finish_reason": ?"([\w.-]{1,60})"')

WHOLE_RUN = (".kickoff", ".workflow", ".run_stream", ".run_async_generator", ".run_async", ".run")
"""Endings by which frameworks name the span of a whole execution."""

TOOL_CALL_ANSWER = "llm.output_messages.0.message.tool_calls.0.tool_call.function.name"

TOOLS_LIMIT = 1_000  # more tools than this are not counted
FINAL_TOOLS = ("final_answer", "final_result")
"""Tools by which an agent ends its work."""

NO_CALL_ID = frozenset({"<not specified>", "<not_specified>"})

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def without_uuid(name: str) -> str:
    """The name without the uuids in it: a name that differs in every run names nothing."""
    return UUID.sub("", name).strip("_-. /") if len(name) >= 36 and "-" in name else name


def read_provider(draft: Draft, attributes: Attributes, keys: Keys) -> None:
    """The model provider, by its present name; a framework is none."""
    for key in keys:
        value = attributes.get(key)
        if value.__class__ is str and value:
            low = value[:NAME_LIMIT].lower()
            if low not in FRAMEWORKS_AS_PROVIDER:
                draft.provider = PROVIDER_NOW.get(low, low)
                return
        elif value is not None and value != "":
            draft.gap("provider:type")


def read_model(draft: Draft, attributes: Attributes, names: Names) -> None:
    """Model and provider."""
    draft.model = pick(draft, "model", attributes, names.model)
    read_provider(draft, attributes, names.provider)


def read_tokens(draft: Draft, attributes: Attributes, names: Names) -> None:
    """Token counts; on anything but a model call they repeat what is counted below."""
    taken = pick_count(draft, "tokens_input", attributes, names.tokens_input)
    given = pick_count(draft, "tokens_output", attributes, names.tokens_output)
    draft.tokens_input = taken
    draft.tokens_output = given
    if taken is not None or given is not None:
        draft.tokens_cached = pick_count(draft, "tokens_cached", attributes, names.tokens_cached)
        draft.tokens_reasoning = pick_count(draft, "tokens_reasoning", attributes, names.tokens_reasoning)
        draft.tokens_are_sum = draft.step_kind != LLM


def provider_id(said: str | None) -> str | None:
    """The id that a provider gave its answer; LangChain makes one up where a stream brings none."""
    return None if said is not None and said.startswith(("lc_run-", "run-")) else said


def finish_of(value: Any) -> str | None:
    """Why the model stopped, in our words where we have one; of several choices one that was cut, else the first.

    A list may come as JSON, and a Python enum as Python prints it.
    """
    if value.__class__ is str and value.startswith('["'):
        value = parsed(value)
    if value.__class__ is list:
        reasons = [reason for choice in value[:CHOICES_LIMIT] if (reason := _reason_of(choice))]
        return next((reason for reason in reasons if reason in CUT), reasons[0] if reasons else None)
    return _reason_of(value)


def _reason_of(value: Any) -> str | None:
    name = name_of(value)
    if name is None:
        return None
    name = name.removeprefix("FinishReason.")
    return FINISH.get(name.lower(), name)


def _told_finish(attributes: Attributes, span: Span) -> str | None:
    """The finish reason where only the answer's messages tell it, or the events that carry its choices."""
    messages = attributes.get("gen_ai.output.messages")
    if messages.__class__ is str and '"finish_reason"' in messages:
        return finish_of(_FINISH_IN_MESSAGES.findall(messages))
    return finish_of([e.attributes.get("finish_reason") for e in span.events if e.name == "gen_ai.choice"])


def read_llm(draft: Draft, attributes: Attributes, names: Names, span: Span) -> None:
    """Everything one model call says about itself, content apart."""
    read_model(draft, attributes, names)
    read_tokens(draft, attributes, names)
    draft.response_id = provider_id(pick(draft, "response_id", attributes, names.response_id))
    for key in names.finish_reason:
        value = attributes.get(key)
        if value is not None:
            reason = finish_of(value)
            if reason is not None:
                draft.finish_reason = reason
                break
            if value not in ([], ""):
                draft.gap("finish_reason:type")
    if draft.finish_reason is None:
        draft.finish_reason = _told_finish(attributes, span)
    finish_llm(draft, attributes, names, span)


def finish_llm(draft: Draft, attributes: Attributes, names: Names, span: Span) -> None:
    """What follows from model, tokens and finish reason once all of them are known."""
    draft.cost_usd = pick_cost(draft, attributes, names.cost)
    if draft.cost_usd is None and draft.model is not None and draft.tokens_input is not None:
        draft.cost_usd = cost_of(draft, span.start_ns)
    resends = count_of(attributes.get("http.request.resend_count"))
    if resends is not None and resends <= ATTEMPT_LIMIT:
        draft.resend_count = resends


def read_tool(draft: Draft, attributes: Attributes, names: Names) -> None:
    """The tool and its call id."""
    draft.tool = pick(draft, "tool", attributes, names.tool)
    call = pick(draft, "tool_call_id", attributes, names.tool_call_id)
    if call is not None and call not in NO_CALL_ID:
        draft.tool_call_id = call


def read_by_kind(span: Span, attributes: Attributes, draft: Draft, names: Names) -> None:
    """The fields that matter for the span's kind, from the dialect's attributes."""
    kind = draft.step_kind
    if kind == LLM:
        read_llm(draft, attributes, names, span)
    elif kind in (TOOL, HANDOFF):
        read_tool(draft, attributes, names)
    elif kind in (AGENT, WORKFLOW, CHAIN):
        read_tokens(draft, attributes, names)
        if kind == AGENT:
            read_model(draft, attributes, names)
            draft.tools_offered = tools_of(attributes)
    elif kind == RETRIEVAL:
        read_provider(draft, attributes, names.provider)
    draft.agent = pick(draft, "agent", attributes, names.agent)
    draft.session_id = pick(draft, "session_id", attributes, names.session)


def tools_of(attributes: Attributes) -> int | None:
    """How many tools an agent says it has: by the semantic conventions, or smolagents with the agents it manages."""
    said = attributes.get("gen_ai.tool.definitions", attributes.get("smolagents.tools_names"))
    if said is None:
        return None
    tools = parsed(said)
    if tools.__class__ is not list and tools.__class__ is not tuple:
        return None
    managed = 0
    while managed < TOOLS_LIMIT and f"smolagents.managed_agents.{managed}.name" in attributes:
        managed += 1
    return min(sum(tool not in FINAL_TOOLS for tool in tools if tool.__class__ is not list) + managed, TOOLS_LIMIT)


def read_content(attributes: Attributes, draft: Draft, names: Names) -> None:
    """Input and output. After failure and kind are known: both decide how they are read."""
    read_input(draft, attributes, names.inputs)
    read_output(draft, attributes, names.outputs)
    if draft.step_kind == LLM:
        note_answer(draft, attributes)


def note_answer(draft: Draft, attributes: Attributes) -> None:
    """What a model answered with. Some dialects call an answer that asks for tools finished, as it is to the API."""
    if draft.finish_reason == "stop" and asks_for_tools(attributes):
        draft.finish_reason = "tool_calls"
    if draft.output_key is not None:
        draft.output_kind = "tool_calls" if draft.finish_reason == "tool_calls" else "text"


def asks_for_tools(attributes: Attributes) -> bool:
    """The answer holds a tool call."""
    if TOOL_CALL_ANSWER in attributes:
        return True
    messages = attributes.get("gen_ai.output.messages")
    return messages.__class__ is str and ('"type":"tool_call"' in messages or '"type": "tool_call"' in messages)


def workflow_name(span: Span, attributes: Attributes) -> str:
    """What a user calls the workflow whose whole execution this span is."""
    said = name_of(attributes.get("gen_ai.workflow.name")) or name_of(attributes.get("agent.name"))
    if said:
        return said
    name = span.name
    for suffix in WHOLE_RUN:
        name = name.removesuffix(suffix)
    return without_uuid(name.removeprefix("invoke_workflow "))[:NAME_LIMIT] or span.name[:NAME_LIMIT]


def is_handoff_tool(name: str) -> bool:
    """The tool by which a framework lets one agent hand over to another."""
    return name.startswith(("transfer_to_", "handoff_to_")) or name.lower() in DELEGATION


DELEGATION = frozenset(
    {
        "delegate work to coworker",
        "delegate_work_to_coworker",
        "ask question to coworker",
        "ask_question_to_coworker",
    }
)
