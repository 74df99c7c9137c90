"""Which log records are taken, and within which limits: those that say of a span what a span event would.

OpenTelemetry's newer conventions send evaluation results and exceptions as log records instead of span events.
"""

from typing import Any, Final

from collector.decode.limits import (
    UINT32_MAX,
    Limits,
    bad_id,
    content_bytes,
    cut_attributes,
    cut_text,
    cut_value,
)
from schemas.records import Attributes, LogRecord, Rejection
from schemas.taxonomy import RejectReason

EVALUATION: Final = "gen_ai.evaluation.result"
EXCEPTION_KEYS: Final = ("exception.type", "exception.message")

NO_EVIDENCE: Final = Rejection(
    RejectReason.NO_EVIDENCE, "only evaluation results and exceptions are taken; send other logs elsewhere"
)
NO_SPAN: Final = Rejection(RejectReason.NO_SPAN, "an evaluation result or exception needs a trace id and a span id")


def event_name(name: str, attributes: Attributes) -> str:
    """The event's name, also where an older SDK says it in an attribute."""
    older = attributes.get("event.name")
    return name or (older if isinstance(older, str) else "")


def is_evidence(name: str, attributes: Attributes) -> bool:
    """Whether the record says of a span what an event of it would."""
    return name == EVALUATION or any(key in attributes for key in EXCEPTION_KEYS)


def refused(trace_id: bytes, span_id: bytes) -> Rejection | None:
    """Why evidence with these ids is not taken; None: it is."""
    if not trace_id.strip(b"\0") or not span_id.strip(b"\0"):
        return NO_SPAN
    return bad_id(trace_id, span_id, b"")


def within_limits(record: LogRecord, over: int, limits: Limits) -> LogRecord | Rejection:
    """The record with values cut to size, or why it is too large as a whole.

    Args:
        record: as read.
        over: attributes that were left out already.
        limits: of a span: its event must fit too.
    """
    size = content_bytes((record.name, record.attributes, record.body))
    if size > limits.span_bytes:
        detail = f"the log record has {size} bytes, more than {limits.span_bytes} (max_span_bytes)"
        return Rejection(RejectReason.LOG_SIZE, detail)
    room = limits.value_bytes
    cut = record._replace(
        name=cut_text(record.name, room),
        attributes=cut_attributes(record.attributes, room),
        body=_cut_body(record.body, room),
        severity_text=cut_text(record.severity_text, room),
    )
    return cut._replace(
        truncated=record.truncated or over > 0 or cut != record,
        dropped_attributes_count=min(record.dropped_attributes_count + over, UINT32_MAX),
    )


def _cut_body(body: Any, room: int) -> Any:
    return None if body is None else cut_value(body, room)
