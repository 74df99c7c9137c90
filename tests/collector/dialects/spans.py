"""Spans made by hand, for rules that no recording shows."""

import itertools
import json
from typing import Any

from schemas.records import Attributes, Resource, Scope, Span, SpanEvent

ERROR = 2
OK = 1
"""Status codes of OTLP."""

EXECUTE: Attributes = {"gen_ai.operation.name": "execute_tool"}
CHAT: Attributes = {"gen_ai.operation.name": "chat"}
LANGCHAIN = "openinference.instrumentation.langchain"

_ids = itertools.count(1)


def exception(kind: str | None = None, message: str | None = None, **more: str) -> SpanEvent:
    """An exception event."""
    attributes: Attributes = {f"exception.{name}": text for name, text in more.items()}
    if kind is not None:
        attributes["exception.type"] = kind
    if message is not None:
        attributes["exception.message"] = message
    return SpanEvent(5, "exception", attributes, 0)


def make_span(
    scope: str = "my.app",
    attributes: Attributes | None = None,
    *,
    name: str = "work",
    parent: str | None = "00000000000000aa",
    status: int = 0,
    message: str = "",
    events: tuple[SpanEvent, ...] = (),
    resource: dict[str, Any] | None = None,
    kind: int = 1,
) -> Span:
    """One span of the scope; ids differ from span to span."""
    number = next(_ids)
    return Span(
        trace_id=f"{1:032x}",
        span_id=f"{number:016x}",
        parent_span_id=parent,
        trace_state="",
        flags=0,
        name=name,
        kind=kind,
        start_ns=1_795_000_000_000_000_000,
        end_ns=1_795_000_001_000_000_000,
        status_code=status,
        status_message=message,
        attributes=attributes or {},
        dropped_attributes_count=0,
        events=events,
        dropped_events_count=0,
        links=(),
        dropped_links_count=0,
        truncated=False,
        resource=Resource(number, resource or {}, 0, "", []),
        scope=Scope(number, scope, "", {}, 0, ""),
    )


def tool_span(output: Any) -> Span:
    """One span of a tool that claims success and gave this output."""
    text = output if isinstance(output, str) else json.dumps(output)
    return make_span(attributes={**EXECUTE, "gen_ai.tool.name": "t", "gen_ai.tool.call.result": text})
