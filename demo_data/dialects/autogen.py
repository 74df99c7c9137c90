"""AutoGen's built-in spans as recorded (0.7.5): every message is a span, and one team run is many traces.

A message is created under its sender, published in a trace of its own that links back, and processed there.
"""

import json
from typing import Any

from opentelemetry.trace import StatusCode

from demo_data.dialects.openinference import exception_event
from demo_data.plan import PlannedSpan, Raised, Scope


def _fail_agent(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with `Class: message`, error.type and the exception twice, as AutoGen records it."""
    _fail_runtime(span, error, now_ns)
    span.events.append(span.events[-1])
    span.attributes["error.type"] = error.short_class


def _fail_runtime(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with `Class: message` and one exception event."""
    span.status = StatusCode.ERROR
    span.status_message = f"{error.short_class}: {error.message}"
    span.events.append(exception_event(error.error_class, error.message, error.stacktrace(), now_ns))


CORE = Scope("autogen-core", None, StatusCode.UNSET, _fail_agent)
RUNTIME = Scope("autogen SingleThreadedAgentRuntime", None, StatusCode.UNSET, _fail_runtime)

MANAGER = "RoundRobinGroupChatManager"
AGENT_DESCRIPTION = "An agent that provides assistance with ability to use tools."
UNHANDLED = "Unhandled message in agent container: <class 'autogen_agentchat.teams._group_chat._events.GroupChatError'>"


def agent_address(agent: str, team: str) -> str:
    """Where an agent of a team receives messages."""
    return f"{agent}_{team}.({team})-A"


def topic_address(topic: str, team: str) -> str:
    """A topic of a team."""
    return f"{topic}_{team}.({team})-T"


def create(destination: str, message_type: str) -> dict[str, Any]:
    """Attributes of the span that creates a message."""
    return {
        "messaging.operation": "create",
        "messaging.destination": destination,
        "messaging.message.type": message_type,
    }


def publish(destination: str) -> dict[str, Any]:
    """Attributes of the span that carries a message (`send` says publish too)."""
    return {"messaging.operation": "publish", "messaging.destination": destination}


def process(recipient: str, sender: str | None, team: str, message: str, message_id: str) -> dict[str, Any]:
    """Attributes of the span in which a recipient handles a message."""
    attributes: dict[str, Any] = {}
    if sender is not None:
        attributes["sender_agent_type"] = f"{sender}_{team}"
        attributes["sender_agent_class"] = _class_of(sender)
    context = {
        "sender": f"{sender}_{team}/{team}" if sender else "None",
        "topic_id": f"group_topic_{team}/{team}" if sender else "None",
        "is_rpc": sender is None,
        "message_id": message_id,
    }
    return {
        **attributes,
        "recipient_agent_type": f"{recipient}_{team}",
        "recipient_agent_class": _class_of(recipient),
        "message_context": json.dumps(context),
        "message": message,
        "messaging.operation": "process",
        "messaging.destination": agent_address(recipient, team),
    }


def ack() -> dict[str, Any]:
    """Attributes of the acknowledgement of the team's start."""
    return {"message": "No Message", "messaging.operation": "receive", "messaging.destination": ""}


def create_agent(agent: str) -> dict[str, Any]:
    """Attributes of an agent's construction, which carries no team id."""
    return {
        "gen_ai.operation.name": "create_agent",
        "gen_ai.system": "autogen",
        "gen_ai.agent.name": agent,
        "gen_ai.agent.description": AGENT_DESCRIPTION,
    }


def invoke_agent(agent: str, team: str) -> dict[str, Any]:
    """Attributes of one turn of an agent."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.system": "autogen",
        "gen_ai.agent.name": agent,
        "gen_ai.agent.id": f"{agent}_{team}/{team}",
        "gen_ai.agent.description": AGENT_DESCRIPTION,
    }


def execute_tool(tool: str, description: str, call_id: str) -> dict[str, Any]:
    """Attributes of a tool call."""
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.system": "autogen",
        "gen_ai.tool.name": tool,
        "gen_ai.tool.description": description,
        "gen_ai.tool.call.id": call_id,
    }


def text_message(message_id: str, source: str, content: str, usage: tuple[int, int] | None) -> dict[str, Any]:
    """A message as its JSON travels in the `message` attribute; usage is (prompt, completion) tokens."""
    tokens = {"prompt_tokens": usage[0], "completion_tokens": usage[1]} if usage else None
    return {"id": message_id, "source": source, "models_usage": tokens, "content": content, "type": "TextMessage"}


def _class_of(agent: str) -> str:
    return MANAGER if agent == MANAGER else "ChatAgentContainer"
