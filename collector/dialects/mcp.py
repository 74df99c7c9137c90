"""MCP: the Python SDK's native spans and FastMCP's. Only tools/call is work; the rest is the protocol."""

from collector.dialects.common import (
    GENAI,
    read_content,
    read_tool,
)
from collector.dialects.draft import NAME_LIMIT, Draft, name_of, pick
from collector.dialects.errors import read_failure
from collector.dialects.kinds import PROTOCOL, SETUP, TOOL
from schemas.records import Attributes, Span

NAMES = GENAI._replace(tool_call_id=("gen_ai.tool.call.id", "jsonrpc.request.id"))


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One MCP span, client or server."""
    method = pick(draft, "step_kind", attributes, ("mcp.method.name",)) or _method(span.name)
    if method == "tools/call":
        draft.step_kind = TOOL
        read_tool(draft, attributes, NAMES)
        draft.tool = draft.tool or _target(span.name, method) or name_of(attributes.get("fastmcp.component.key"))
        draft.step_name = draft.tool or method
    else:
        draft.step_kind = SETUP if method.startswith("notifications/") or method == "server/discover" else PROTOCOL
        draft.step_name = method[:NAME_LIMIT]
    read_failure(span, attributes, draft)
    code = attributes.get("rpc.response.status_code") or attributes.get("rpc.jsonrpc.error_code")
    if draft.failed and draft.error_type is None and code is not None:
        draft.error_type = str(code)[:NAME_LIMIT]
    read_content(attributes, draft, NAMES)


def _method(name: str) -> str:
    return name.removeprefix("MCP send ").partition(" ")[0] or name


def _target(name: str, method: str) -> str | None:
    return name_of(name.removeprefix("MCP send ").removeprefix(method).strip())
