"""Pydantic AI's own spans (2.68.0, default data format) and those of the MCP SDK beneath its tools, as recorded."""

import json
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

from demo_data.dialects.openinference import exception_event
from demo_data.models import Reply
from demo_data.plan import PlannedSpan, Raised, Scope

Message = dict[str, Any]


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR and an exception event; agents and model calls also get a message, tools do not."""
    span.status = StatusCode.ERROR
    if span.attributes["gen_ai.operation.name"] == "execute_tool":
        span.attributes["gen_ai.tool.call.result"] = error.message
    else:
        span.status_message = f"{error.short_class}: {error.message}"
    span.events.append(exception_event(error.error_class, error.message, error.stacktrace(), now_ns))


def _fail_fastmcp(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with the tool's text and no event."""
    span.status = StatusCode.ERROR
    span.status_message = error.message
    span.attributes["error.type"] = "tool_error"


def _fail_mcp(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """The server says ERROR without a word; the client only when no answer came: an `isError` answer is an answer."""
    if span.kind is SpanKind.SERVER:
        span.status = StatusCode.ERROR
        span.attributes["error.type"] = "tool_error"
    elif error.short_class == "TimeoutError":
        span.status = StatusCode.ERROR
        span.status_message = f"{error.short_class}: {error.message}"
        span.events.append(exception_event(error.error_class, error.message, error.stacktrace(), now_ns))


SCOPE = Scope("pydantic-ai", "2.68.0", StatusCode.UNSET, _fail)
FASTMCP_SCOPE = Scope("fastmcp", None, StatusCode.UNSET, _fail_fastmcp)
MCP_SCOPE = Scope("mcp-python-sdk", None, StatusCode.UNSET, _fail_mcp)

PROTOCOL_VERSION = "2025-11-25"


def said(role: str, text: str) -> Message:
    """A text message."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def called(reply: Reply) -> Message:
    """The assistant's message that asks for a tool, or answers."""
    call = reply.tool_call
    if call is None:
        return {**said("assistant", reply.text), "finish_reason": reply.finish_reason}
    part = {"type": "tool_call", "id": call.call_id, "name": call.name, "arguments": call.arguments}
    return {"role": "assistant", "parts": [part], "finish_reason": reply.finish_reason}


def answered(call_id: str, name: str, result: str) -> Message:
    """The tool's answer as the model sees it."""
    return {"role": "user", "parts": [{"type": "tool_call_response", "id": call_id, "name": name, "result": result}]}


def identity(agent: str, call_id: str, conversation_id: str) -> dict[str, Any]:
    """What every span of an agent run carries."""
    return {
        "gen_ai.agent.name": agent,
        "gen_ai.agent.call.id": call_id,
        "gen_ai.conversation.id": conversation_id,
    }


def agent_run(who: dict[str, Any], model: str, instructions: str) -> dict[str, Any]:
    """Attributes of the agent's span at its start."""
    return {
        "model_name": model,
        "agent_name": who["gen_ai.agent.name"],
        **who,
        "gen_ai.operation.name": "invoke_agent",
        "logfire.msg": f"{who['gen_ai.agent.name']} run",
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": instructions}]),
    }


def finish_agent_run(span: PlannedSpan, messages: list[Message], replies: list[Reply]) -> None:
    """Add the whole conversation and the totals, which repeat what the model calls below already say."""
    span.attributes["pydantic_ai.all_messages"] = json.dumps(messages)
    span.attributes["gen_ai.aggregated_usage.input_tokens"] = sum(reply.tokens_input for reply in replies)
    span.attributes["gen_ai.aggregated_usage.output_tokens"] = sum(reply.tokens_output for reply in replies)
    if replies and replies[-1].text:
        span.attributes["final_result"] = replies[-1].text


def model_call(who: dict[str, Any], model: str, messages: list[Message], tools: str) -> dict[str, Any]:
    """Attributes of a chat span at its start; tools are JSON."""
    return {
        "gen_ai.operation.name": "chat",
        **who,
        "gen_ai.provider.name": "openai",
        "gen_ai.system": "openai",
        "server.address": "api.openai.com",
        "server.port": 443,
        "gen_ai.request.model": model,
        "gen_ai.tool.definitions": tools,
        "gen_ai.input.messages": json.dumps(messages),
    }


def finish_model_call(span: PlannedSpan, reply: Reply) -> None:
    """Add what the model answered, with its token counts."""
    span.attributes |= {
        "gen_ai.output.messages": json.dumps([called(reply)]),
        "gen_ai.usage.input_tokens": reply.tokens_input,
        "gen_ai.usage.output_tokens": reply.tokens_output,
        "gen_ai.usage.cache_read.input_tokens": reply.tokens_cached,
        "gen_ai.response.model": reply.model,
        "gen_ai.response.id": reply.response_id,
        "gen_ai.response.finish_reasons": [reply.finish_reason],
    }


def model_attempt(who: dict[str, Any], model: str) -> dict[str, Any]:
    """Attributes of one try inside a FallbackModel's chat span."""
    return {
        "gen_ai.operation.name": "chat",
        **who,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
    }


def tool_run(who: dict[str, Any], name: str, call_id: str, arguments: str) -> dict[str, Any]:
    """Attributes of a tool's span at its start."""
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.call.arguments": arguments,
        **who,
        "logfire.msg": f"running tool: {name}",
    }


def fastmcp_call(tool: str) -> dict[str, Any]:
    """Attributes of FastMCP's client span around a tool call."""
    return {
        "mcp.method.name": "tools/call",
        "fastmcp.component.key": tool,
        "gen_ai.tool.name": tool,
        "gen_ai.operation.name": "execute_tool",
    }


def mcp_request(method: str, request_id: int) -> dict[str, Any]:
    """Attributes of the MCP SDK's client span."""
    return {"mcp.method.name": method, "jsonrpc.request.id": str(request_id)}


def mcp_served_call(tool: str, request_id: int) -> dict[str, Any]:
    """Attributes of the MCP SDK's server span of a tool call."""
    return {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": PROTOCOL_VERSION,
        "jsonrpc.request.id": str(request_id),
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
    }
