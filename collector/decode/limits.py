"""What a single span may hold, and what happens to the rest. The rules are the same for both encodings."""

from typing import Any, Final, NamedTuple

from collector.errors import DecodeError, TooManySpans
from schemas.records import Attributes, Rejection, Span, SpanEvent, SpanLink
from schemas.settings import Settings
from schemas.taxonomy import RejectReason

UINT32_MAX: Final = 2**32 - 1

MAX_VALUE_DEPTH: Final = 95
"""Protobuf messages inside one attribute value. A stock parser reads 100 deep and has spent 5 on the way to a value."""

ARRAY_DEPTH: Final = 2
"""An array element is two messages further in: ArrayValue, AnyValue."""

MAP_DEPTH: Final = 3
"""A map value is three messages further in: KeyValueList, KeyValue, AnyValue."""

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)
_SHOWN_BYTES: Final = 24


class Limits(NamedTuple):
    """The part of the settings that decoding obeys; hashable, so that it can be part of a cache key."""

    request_spans: int
    span_bytes: int
    value_bytes: int
    attributes: int
    events: int


def limits_of(settings: Settings) -> Limits:
    """The limits that `settings` ask for."""
    return Limits(
        settings.max_request_spans,
        settings.max_span_bytes,
        settings.max_value_bytes,
        settings.max_attributes,
        settings.max_events,
    )


def too_many_spans(limits: Limits) -> TooManySpans:
    """The refusal of a request with more spans than one may hold."""
    return TooManySpans(
        f"the request holds more than {limits.request_spans} spans or log records (max_request_spans); "
        "send smaller batches"
    )


def deeper(depth: int, step: int) -> int:
    """The depth `step` messages further in.

    Raises:
        DecodeError: no stock parser would go there.
    """
    if depth + step > MAX_VALUE_DEPTH:
        raise DecodeError(f"an attribute value is nested too deep: more than {MAX_VALUE_DEPTH} messages")
    return depth + step


def bad_id(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> Rejection | None:
    """Why a span with these ids cannot be stored; None: it can."""
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return _bad_id(RejectReason.TRACE_ID, "trace_id", 16, trace_id)
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return _bad_id(RejectReason.SPAN_ID, "span_id", 8, span_id)
    if parent_span_id and len(parent_span_id) != 8:
        return _bad_id(RejectReason.PARENT_SPAN_ID, "parent_span_id", 8, parent_span_id)
    return None


def _bad_id(reason: RejectReason, field: str, size: int, value: bytes) -> Rejection:
    if len(value) == size:
        return Rejection(reason, f"{field} is all zero")
    shown = value[:_SHOWN_BYTES].hex() + ("..." if len(value) > _SHOWN_BYTES else "")
    return Rejection(reason, f"{field} has {len(value)} bytes instead of {size}: {shown!r}")


def not_hexadecimal(reason: RejectReason, field: str, text: str) -> Rejection:
    """The rejection of a span whose id is not written in hexadecimal digits."""
    shown = text[:_SHOWN_BYTES] + ("..." if len(text) > _SHOWN_BYTES else "")
    return Rejection(reason, f"{field} is not hexadecimal: {shown!a}")


def is_link_target(trace_id: bytes, span_id: bytes) -> bool:
    """Whether a link may keep these ids: whole ones, or none at all (the specification allows links to nothing)."""
    return len(trace_id) in {0, 16} and len(span_id) in {0, 8}


def too_large(size_bytes: int, limits: Limits) -> Rejection:
    """The rejection of a span with more content than one may hold."""
    return Rejection(
        RejectReason.SIZE, f"the span has {size_bytes} bytes, more than {limits.span_bytes} (max_span_bytes)"
    )


def content_bytes(value: Any) -> int:
    """How large a decoded value is: bytes of its texts and keys, and one for anything else.

    Never more than the value takes in protobuf, so an encoding that fits needs no second look.
    """
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, dict):
        return 1 + sum(len(key.encode()) + content_bytes(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return 1 + sum(map(content_bytes, value))
    return 1


def cut_text(text: str, size: int) -> str:
    """The longest start of `text` that is at most `size` bytes of UTF-8."""
    if len(text) <= size and (text.isascii() or len(text.encode()) <= size):
        return text
    return text[:size].encode()[:size].decode(errors="ignore")


def cut_value(value: Any, size: int) -> Any:
    """`value` with texts cut and items left out at the end, so that `content_bytes` of it is at most `size`."""
    return value if content_bytes(value) <= size else _cut(value, size)[0]


def _cut(value: Any, room: int) -> tuple[Any, int]:
    """As much of `value` as fits, and the room that is left."""
    if isinstance(value, str):
        value = cut_text(value, room)
    elif isinstance(value, bytes):
        value = value[:room]
    elif isinstance(value, list):
        return _cut_list(value, room - 1)
    elif isinstance(value, dict):
        return _cut_map(value, room - 1)
    return value, room - content_bytes(value)


def _cut_list(items: list[Any], room: int) -> tuple[list[Any], int]:
    kept: list[Any] = []
    for item in items:
        if room <= 0:
            break
        cut, room = _cut(item, room)
        kept.append(cut)
    return kept, room


def _cut_map(items: dict[str, Any], room: int) -> tuple[dict[str, Any], int]:
    kept: dict[str, Any] = {}
    for key, item in items.items():
        room -= content_bytes(key)
        if room <= 0:
            break
        kept[key], room = _cut(item, room)
    return kept, room


def cut_attributes(attributes: Attributes, size: int) -> Attributes:
    """Attributes with names and values of at most `size` bytes each."""
    return {cut_text(key, size): cut_value(value, size) for key, value in attributes.items()}


def cut_span(span: Span, limits: Limits) -> Span:
    """The span with every name and value cut to size, marked if that changed anything."""
    size = limits.value_bytes
    cut = span._replace(
        trace_state=cut_text(span.trace_state, size),
        name=cut_text(span.name, size),
        status_message=cut_text(span.status_message, size),
        attributes=cut_attributes(span.attributes, size),
        events=[_cut_event(event, size) for event in span.events],
        links=[_cut_link(link, size) for link in span.links],
    )
    return span if cut == span else cut._replace(truncated=True)


def _cut_event(event: SpanEvent, size: int) -> SpanEvent:
    return event._replace(name=cut_text(event.name, size), attributes=cut_attributes(event.attributes, size))


def _cut_link(link: SpanLink, size: int) -> SpanLink:
    return link._replace(trace_state=cut_text(link.trace_state, size), attributes=cut_attributes(link.attributes, size))
