"""Spans of no known dialect, and of plain transport: still readable steps."""

from collector.dialects.common import (
    GENAI,
    read_content,
    without_uuid,
)
from collector.dialects.draft import NAME_LIMIT, Draft, attempt_of, count_of, name_of
from collector.dialects.errors import read_failure
from collector.dialects.kinds import CHAIN, TRANSPORT, WORKFLOW
from schemas.records import Attributes, Span

CLIENT = 3
TRAVEL = (
    "messaging.system",
    "messaging.operation",
    "messaging.operation.type",
    "rpc.system",
    "rpc.system.name",
    "faas.trigger",
)


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """A span about which nothing is known but its name: a root is a workflow, anything below a step of it."""
    name = span.name.strip()
    draft.step_name = (without_uuid(name) or name)[:NAME_LIMIT] or "(unnamed)"
    if any(key in attributes for key in TRAVEL):
        draft.step_kind = TRANSPORT
    else:
        draft.step_kind = WORKFLOW if span.parent_span_id is None else CHAIN
        if draft.step_kind == WORKFLOW:
            draft.workflow = draft.step_name
    draft.agent = name_of(attributes.get("agent.name"))
    draft.session_id = name_of(attributes.get("session.id"))
    read_failure(span, attributes, draft)
    read_content(attributes, draft, GENAI)


def read_http(span: Span, attributes: Attributes, draft: Draft) -> None:
    """An HTTP request, client or server: how work travelled. A client's error status is a failure of the request."""
    draft.step_kind = TRANSPORT
    draft.step_name = name_of(span.name) or "HTTP"
    read_failure(span, attributes, draft)
    code = attributes.get("http.response.status_code", attributes.get("http.status_code"))
    if code.__class__ is int and code >= 400 and span.kind == CLIENT and not draft.failed:
        draft.failed = True
        draft.error_type = str(code)
        draft.error_message = f"HTTP {code}"
    resends = count_of(attributes.get("http.request.resend_count"))
    if resends is not None:
        draft.attempt = attempt_of(resends + 1)
