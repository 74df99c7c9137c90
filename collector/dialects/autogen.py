"""AutoGen's own spans. One group chat is dozens of traces; the team's id in names and attributes joins them.

There are no model spans: tokens and tool errors sit in the chat messages that the runtime's `process` spans carry.
"""

from typing import Any

import orjson

from collector.dialects.common import (
    UUID,
    without_uuid,
)
from collector.dialects.content import find_error
from collector.dialects.draft import IN_BAND_LIMIT, NAME_LIMIT, Draft, count_of, name_of
from collector.dialects.errors import read_failure
from collector.dialects.genai import read as read_genai
from collector.dialects.kinds import AGENT, TRANSPORT, WORKFLOW
from schemas.records import Attributes, Span

MESSAGE_LIMIT = 262_144  # characters of a chat message worth parsing
TEAMS = {
    "SwarmGroupChatManager": "Swarm",
    "GraphManager": "GraphFlow",
    "GraphFlowManager": "GraphFlow",
    "MagenticOneOrchestrator": "MagenticOneGroupChat",
}
"""Manager of a group chat -> team class, where it is not the name without `Manager`."""

IDENTITIES = ("messaging.destination", "recipient_agent_type", "sender_agent_type", "gen_ai.agent.id")


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One span of autogen-core or of its runtime."""
    if "messaging.operation" in attributes or span.name.startswith("autogen "):
        _read_message(span, attributes, draft)
    else:
        read_genai(span, attributes, draft)
        draft.workflow = None
        if draft.step_kind == AGENT and "gen_ai.agent.id" not in attributes and span.parent_span_id is None:
            draft.workflow = draft.agent
    draft.run_key = _team(span, attributes)


def _team(span: Span, attributes: Attributes) -> str | None:
    """The join key of a group chat: the team's uuid, wherever the span says it."""
    for key in IDENTITIES:
        value = attributes.get(key)
        if value.__class__ is str:
            found = UUID.search(value)
            if found is not None:
                return f"autogen:{found.group()}"
    found = UUID.search(span.name)
    return f"autogen:{found.group()}" if found else None


def _read_message(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One message on its way. Sending to the manager starts a group chat."""
    draft.step_kind = TRANSPORT
    name = span.name.removeprefix("autogen ")
    operation, _, target = name.partition(" ")
    target = without_uuid(target.partition(".(")[0])
    recipient = attributes.get("recipient_agent_type")
    agent = without_uuid(recipient) if recipient.__class__ is str else target
    manager = agent if agent.endswith(("Manager", "Orchestrator")) else None
    if operation == "send" and manager:
        draft.step_kind = WORKFLOW
        draft.workflow = TEAMS.get(manager, manager.removesuffix("Manager"))[:NAME_LIMIT]
        draft.step_name = draft.workflow
    else:
        draft.step_name = f"{operation} {target}".strip()[:NAME_LIMIT]
        if operation == "process" and manager is None:
            draft.agent = agent[:NAME_LIMIT] or None
    read_failure(span, attributes, draft)
    message = attributes.get("message")
    if message.__class__ is str and message.startswith('{"') and len(message) <= MESSAGE_LIMIT:
        draft.input_key = "message"
        try:
            body = orjson.loads(message)
        except ValueError:
            draft.gap("message:json")
            return
        _read_chat(body, draft)


def _read_chat(body: Any, draft: Draft) -> None:
    """Tokens and tool errors of the one chat message that is told of.

    A response repeats inner messages that were each told of by a span of their own: only its own message is read.
    """
    said = body.get("message") if body.__class__ is dict else None
    if said.__class__ is dict:
        _read_results(said.get("content"), draft)
    else:
        response = body.get("response") if body.__class__ is dict else None
        said = response.get("chat_message") if response.__class__ is dict else None
        if said.__class__ is not dict:
            return
    usage = said.get("models_usage")
    message_id = name_of(said.get("id"))
    if usage.__class__ is dict and message_id:
        draft.tokens_input = count_of(usage.get("prompt_tokens"))
        draft.tokens_output = count_of(usage.get("completion_tokens"))
        draft.response_id = f"autogen:{message_id}"


def _read_results(content: Any, draft: Draft) -> None:
    """The first tool result of the message that is an error."""
    if content.__class__ is not list:
        return
    for result in content:
        if result.__class__ is dict and result.get("is_error") is True:
            text = name_of(result.get("content"), IN_BAND_LIMIT)
            found = find_error(result)
            draft.in_band_error = text or "error"
            draft.error_type = found[1] if found else None
            draft.tool = name_of(result.get("name"))
            draft.tool_call_id = name_of(result.get("call_id"))
            draft.output_kind = "error"
            return
