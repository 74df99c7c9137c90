"""OTLP/JSON to records.

By the rules of OTLP, which are not those of protobuf's own JSON form: ids are hexadecimal, enums are numbers only,
names are lowerCamelCase only. 64-bit numbers come as text or as numbers; unknown fields are ignored.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from collector.decode.limits import (
    ARRAY_DEPTH,
    MAP_DEPTH,
    UINT32_MAX,
    Limits,
    bad_id,
    content_bytes,
    cut_span,
    deeper,
    is_link_target,
    limits_of,
    not_hexadecimal,
    too_large,
    too_many_spans,
)
from collector.decode.logs import NO_EVIDENCE, event_name, is_evidence, refused, within_limits
from collector.decode.shared import make_entity_ref, make_resource, make_scope
from collector.errors import DecodeError, TooManySpans
from schemas.records import (
    Attributes,
    Decoded,
    DecodedLogs,
    LogRecord,
    Rejection,
    Resource,
    Scope,
    Span,
    SpanEvent,
    SpanLink,
)
from schemas.settings import Settings
from schemas.taxonomy import RejectReason

Json = dict[str, Any]

INT32: Final = (-(2**31), 2**31 - 1)
INT64: Final = (-(2**63), 2**63 - 1)
UINT32: Final = (0, UINT32_MAX)
UINT64: Final = (0, 2**64 - 1)

BODY_BYTES_PER_VALUE: Final = 16
"""A body of the largest size may hold one value for each so many bytes. A Python object costs about 60 bytes, an
object with fields 230 (counted as four values): the parsed request stays below four times the body limit."""


def decode_json(body: bytes, settings: Settings) -> Decoded:
    """The spans of one OTLP/JSON request, and why the others are refused. An empty body is an empty request.

    Lone surrogates in texts become U+FFFD: they cannot be stored, and the rest of the request can.

    Raises:
        DecodeError: the body is not such a request; the message names the place.
        TooManySpans: it holds more spans than one request may, or more values than a request of such spans has.
    """
    limits = limits_of(settings)
    request = _parse(body, settings.max_body_bytes // BODY_BYTES_PER_VALUE)
    groups = list(_groups(request))
    if sum(len(_list(scope_spans, "spans")) for _, _, scope_spans in groups) > limits.request_spans:
        raise too_many_spans(limits)
    # No text is larger than the body it came in: in a small one nothing needs to be measured.
    measure = len(body) > min(limits.value_bytes, limits.span_bytes)
    return _decode(groups, measure, limits)


def decode_logs_json(body: bytes, settings: Settings) -> DecodedLogs:
    """The log records of one OTLP/JSON request that say something of a span, and why the others are refused.

    Raises:
        DecodeError: the body is not such a request; the message names the place.
        TooManySpans: it holds more records than one request may, or more values.
    """
    limits = limits_of(settings)
    request = _parse(body, settings.max_body_bytes // BODY_BYTES_PER_VALUE)
    groups = list(_groups(request, "resourceLogs", "scopeLogs"))
    if sum(len(_list(scope_logs, "logRecords")) for _, _, scope_logs in groups) > limits.request_spans:
        raise too_many_spans(limits)
    records: list[LogRecord] = []
    rejections: list[Rejection] = []
    for path, resource_logs, scope_logs in groups:
        at = path
        try:
            for i, item in enumerate(_list(scope_logs, "logRecords")):
                at = f"{path}.logRecords[{i}]"
                read = _log_record(_object(item), resource_logs, scope_logs, limits)
                if isinstance(read, LogRecord):
                    records.append(read)
                else:
                    rejections.append(read)
        except DecodeError as exc:
            raise DecodeError(f"{at}: {exc}") from exc
    return DecodedLogs(records, rejections)


def _log_record(log: Json, resource_logs: Json, scope_logs: Json, limits: Limits) -> LogRecord | Rejection:
    attributes, over = _attributes(log, limits)
    name = event_name(_text(log, "eventName"), attributes)
    if not is_evidence(name, attributes):
        return NO_EVIDENCE
    ids = []
    for field, reason in _ID_FIELDS[:2]:
        text = _text(log, field)
        value = _from_hex(text)
        if value is None:
            return not_hexadecimal(reason, field, text)
        ids.append(value)
    rejection = refused(*ids)
    if rejection is not None:
        return rejection
    resource, resource_cut = _resource(resource_logs, limits)
    scope, scope_cut = _scope(scope_logs, limits)
    observed_ns = _number(log, "observedTimeUnixNano", UINT64)
    record = LogRecord(
        ids[0].hex(),
        ids[1].hex(),
        _number(log, "timeUnixNano", UINT64) or observed_ns,
        name,
        attributes,
        _number(log, "droppedAttributesCount", UINT32),
        _value(log.get("body"), 0),
        _enum(log, "severityNumber"),
        _text(log, "severityText"),
        observed_ns,
        _number(log, "flags", UINT32),
        resource_cut or scope_cut,
        resource,
        scope,
    )
    return within_limits(record, over, limits)


def _decode(groups: list[tuple[str, Json, Json]], measure: bool, limits: Limits) -> Decoded:
    spans: list[Span] = []
    rejections: list[Rejection] = []
    known: tuple[Json, Resource, bool] | None = None
    for path, resource_spans, scope_spans in groups:
        at = path
        try:
            if known is None or known[0] is not resource_spans:
                known = (resource_spans, *_resource(resource_spans, limits))
            _, resource, resource_cut = known
            scope, scope_cut = _scope(scope_spans, limits)
            for i, item in enumerate(_list(scope_spans, "spans")):
                at = f"{path}.spans[{i}]"
                read = _span(_object(item), resource, scope, resource_cut or scope_cut, limits)
                if measure and isinstance(read, Span):
                    read = _within_limits(read, limits)
                if isinstance(read, Span):
                    spans.append(read)
                else:
                    rejections.append(read)
        except DecodeError as exc:
            raise DecodeError(f"{at}: {exc}") from exc
    return Decoded(spans, rejections)


def _within_limits(span: Span, limits: Limits) -> Span | Rejection:
    size = content_bytes(
        (span.name, span.trace_state, span.status_message, span.attributes, list(span.events), list(span.links))
    )
    if size > limits.span_bytes:
        return too_large(size, limits)
    return span if size <= limits.value_bytes else cut_span(span, limits)


# --- text to JSON --------------------------------------------------------------------------------------------------


def _parse(body: bytes, max_values: int) -> Json:
    if not body:
        return {}
    if 4 * (body.count(b"{") + body.count(b"[")) + body.count(b",") > max_values:
        raise TooManySpans(f"the JSON body holds more than about {max_values} values; send smaller batches")
    try:
        request = orjson.loads(body)
    except ValueError:
        try:
            request = orjson.loads(_without_lone_surrogates(body))
        except ValueError as exc:
            raise DecodeError(f"the body is not valid JSON: {str(exc)[:200]}") from exc
    if not isinstance(request, dict):
        raise DecodeError(f"the body must be a JSON object, not {_kind(request)}")
    return request


_SURROGATES: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An even number of backslashes, then a pair of surrogate escapes or a lone one."""

_PAIR_BYTES: Final = 12


def _without_lone_surrogates(body: bytes) -> bytes:
    def replaced(match: re.Match[bytes]) -> bytes:
        return match[0] if len(match[2]) == _PAIR_BYTES else match[1] + rb"\ufffd"

    return _SURROGATES.sub(replaced, body)


# --- the message ---------------------------------------------------------------------------------------------------


def _groups(request: Json, outer: str = "resourceSpans", inner: str = "scopeSpans") -> Iterator[tuple[str, Json, Json]]:
    """(place, resource spans, scope spans) of each group of spans, or of log records."""
    place = ""
    try:
        for i, item in enumerate(_list(request, outer)):
            place = f"{outer}[{i}]"
            of_resource = _object(item)
            for j, of_scope in enumerate(_list(of_resource, inner)):
                place = f"{outer}[{i}].{inner}[{j}]"
                yield place, of_resource, _object(of_scope)
    except DecodeError as exc:
        raise DecodeError(f"{place}: {exc}" if place else str(exc)) from exc


def _resource(resource_spans: Json, limits: Limits) -> tuple[Resource, bool]:
    resource = _field(resource_spans, "resource")
    attributes, over = _attributes(resource, limits)
    items = _list(resource, "entityRefs")
    refs = [_entity_ref(_object(item)) for item in items[: limits.attributes]]
    dropped = _number(resource, "droppedAttributesCount", UINT32)
    over += len(items) - len(refs)
    return make_resource(attributes, dropped, over, _text(resource_spans, "schemaUrl"), refs, limits)


def _entity_ref(ref: Json) -> Json:
    id_keys, description_keys = _texts(ref, "idKeys"), _texts(ref, "descriptionKeys")
    return make_entity_ref(_text(ref, "schemaUrl"), _text(ref, "type"), id_keys, description_keys)


def _scope(scope_spans: Json, limits: Limits) -> tuple[Scope, bool]:
    scope = _field(scope_spans, "scope")
    attributes, over = _attributes(scope, limits)
    dropped = _number(scope, "droppedAttributesCount", UINT32)
    schema_url = _text(scope_spans, "schemaUrl")
    return make_scope(_text(scope, "name"), _text(scope, "version"), attributes, dropped, over, schema_url, limits)


def _span(span: Json, resource: Resource, scope: Scope, shared_cut: bool, limits: Limits) -> Span | Rejection:
    ids = []
    for field, reason in _ID_FIELDS:
        text = _text(span, field)
        value = _from_hex(text)
        if value is None:
            return not_hexadecimal(reason, field, text)
        ids.append(value)
    trace_id, span_id, parent = ids
    rejection = bad_id(trace_id, span_id, parent)
    if rejection is not None:
        return rejection
    attributes, over_attributes = _attributes(span, limits)
    events, over_events, truncated_event = _events(span, limits)
    links, over_links, truncated_link = _links(span, limits)
    status = _field(span, "status")
    return Span(
        trace_id.hex(),
        span_id.hex(),
        parent.hex() if any(parent) else None,
        _text(span, "traceState"),
        _number(span, "flags", UINT32),
        _text(span, "name"),
        _enum(span, "kind"),
        _number(span, "startTimeUnixNano", UINT64),
        _number(span, "endTimeUnixNano", UINT64),
        _enum(status, "code"),
        _text(status, "message"),
        attributes,
        min(_number(span, "droppedAttributesCount", UINT32) + over_attributes, UINT32_MAX),
        events,
        min(_number(span, "droppedEventsCount", UINT32) + over_events, UINT32_MAX),
        links,
        min(_number(span, "droppedLinksCount", UINT32) + over_links, UINT32_MAX),
        shared_cut or bool(over_attributes or over_events or over_links) or truncated_event or truncated_link,
        resource,
        scope,
    )


_ID_FIELDS: Final = (
    ("traceId", RejectReason.TRACE_ID),
    ("spanId", RejectReason.SPAN_ID),
    ("parentSpanId", RejectReason.PARENT_SPAN_ID),
)


def _events(span: Json, limits: Limits) -> tuple[list[SpanEvent], int, bool]:
    """The events, how many were over the limit, and whether one of them lost attributes."""
    items = _list(span, "events")
    events = []
    truncated = False
    for item in items[: limits.events]:
        event = _object(item)
        attributes, over = _attributes(event, limits)
        dropped = min(_number(event, "droppedAttributesCount", UINT32) + over, UINT32_MAX)
        events.append(SpanEvent(_number(event, "timeUnixNano", UINT64), _text(event, "name"), attributes, dropped))
        truncated |= over > 0
    return events, len(items) - len(events), truncated


def _links(span: Json, limits: Limits) -> tuple[list[SpanLink], int, bool]:
    """The links, how many were dropped (over the limit, or pointing nowhere), and whether one lost attributes."""
    items = _list(span, "links")
    links = []
    truncated = False
    for item in items[: limits.events]:
        link = _object(item)
        trace_id, span_id = _from_hex(_text(link, "traceId")), _from_hex(_text(link, "spanId"))
        if trace_id is None or span_id is None or not is_link_target(trace_id, span_id):
            continue
        attributes, over = _attributes(link, limits)
        dropped = min(_number(link, "droppedAttributesCount", UINT32) + over, UINT32_MAX)
        flags = _number(link, "flags", UINT32)
        links.append(SpanLink(trace_id.hex(), span_id.hex(), _text(link, "traceState"), attributes, dropped, flags))
        truncated |= over > 0
    return links, len(items) - len(links), truncated


# --- attributes ----------------------------------------------------------------------------------------------------


def _attributes(message: Json, limits: Limits) -> tuple[Attributes, int]:
    """The attributes, and how many were over the limit. Of a name given twice the last one wins."""
    items = _list(message, "attributes")
    return _pairs(items[: limits.attributes], 0), max(0, len(items) - limits.attributes)


def _pairs(items: list[Any], depth: int) -> Attributes:
    pairs = {}
    for item in items:
        pair = _object(item)
        pairs[_text(pair, "key")] = _value(pair.get("value"), depth)
    return pairs


def _value(any_value: Any, depth: int) -> Any:
    """The value as Python says it; None for one that holds nothing. Of two values in one object the last one wins."""
    value = None
    for key, content in _object(any_value or {}).items():
        if content is not None and key in _READERS:
            value = _READERS[key](content, depth)
    return value


def _array_value(content: Any, depth: int) -> list[Any]:
    depth = deeper(depth, ARRAY_DEPTH)
    return [_value(item, depth) for item in _list(_object(content), "values")]


def _map_value(content: Any, depth: int) -> Attributes:
    return _pairs(_list(_object(content), "values"), deeper(depth, MAP_DEPTH))


def _string_value(content: Any, _depth: int) -> str:
    if isinstance(content, str):
        return content
    raise DecodeError(f"stringValue must be text, not {_kind(content)}")


def _bool_value(content: Any, _depth: int) -> bool:
    if isinstance(content, bool):
        return content
    raise DecodeError(f"boolValue must be true or false, not {_kind(content)}")


def _int_value(content: Any, _depth: int) -> int:
    return _as_int("intValue", content, INT64)


def _double_value(content: Any, _depth: int) -> float:
    if isinstance(content, int | float) and not isinstance(content, bool):
        return float(content)
    if isinstance(content, str) and _DOUBLE.fullmatch(content):
        return float(content)
    raise DecodeError(f"doubleValue must be a number, not {_kind(content)}")


_DOUBLE: Final = re.compile(r"NaN|-?Infinity|-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,5})?")


def _bytes_value(content: Any, _depth: int) -> bytes:
    """Bytes from base64, either alphabet, padded or not."""
    try:
        text = _string_value(content, 0).translate(_STANDARD_BASE64).rstrip("=")
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (DecodeError, ValueError) as exc:
        raise DecodeError("bytesValue must be base64 text") from exc


_STANDARD_BASE64: Final = str.maketrans("-_", "+/")

_READERS: Final[dict[str, Callable[[Any, int], Any]]] = {
    "stringValue": _string_value,
    "boolValue": _bool_value,
    "intValue": _int_value,
    "doubleValue": _double_value,
    "bytesValue": _bytes_value,
    "arrayValue": _array_value,
    "kvlistValue": _map_value,
}


# --- fields: absent and null are the default, as protobuf has it ---------------------------------------------------


def _object(item: Any) -> Json:
    if isinstance(item, dict):
        return item
    raise DecodeError(f"expected an object, not {_kind(item)}")


def _field(message: Json, key: str) -> Json:
    item = message.get(key)
    if item is None:
        return {}
    if isinstance(item, dict):
        return item
    raise DecodeError(f"{key} must be an object, not {_kind(item)}")


def _list(message: Json, key: str) -> list[Any]:
    items = message.get(key)
    if items is None:
        return []
    if isinstance(items, list):
        return items
    raise DecodeError(f"{key} must be a list, not {_kind(items)}")


def _text(message: Json, key: str) -> str:
    text = message.get(key)
    if text is None:
        return ""
    if isinstance(text, str):
        return text
    raise DecodeError(f"{key} must be text, not {_kind(text)}")


def _texts(message: Json, key: str) -> list[str]:
    return [_string_value(item, 0) for item in _list(message, key)]


def _number(message: Json, key: str, bounds: tuple[int, int]) -> int:
    content = message.get(key)
    return 0 if content is None else _as_int(key, content, bounds)


def _enum(message: Json, key: str) -> int:
    content = message.get(key)
    if isinstance(content, str):
        raise DecodeError(f"{key} must be a number: OTLP/JSON has no enum names, got {content[:40]!r}")
    return 0 if content is None else _as_int(key, content, INT32)


def _as_int(key: str, content: Any, bounds: tuple[int, int]) -> int:
    is_number_in_text = isinstance(content, str) and _INTEGER.fullmatch(content)
    if is_number_in_text or (isinstance(content, float) and content.is_integer()):
        content = int(content)
    if not isinstance(content, int) or isinstance(content, bool):
        raise DecodeError(f"{key} must be a whole number, not {_kind(content)}")
    if not bounds[0] <= content <= bounds[1]:
        raise DecodeError(f"{key} must be from {bounds[0]} to {bounds[1]}, not {content}")
    return content


_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")


def _from_hex(text: str) -> bytes | None:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return None
    return value if 2 * len(value) == len(text) else None  # fromhex skips spaces


def _kind(value: Any) -> str:
    """What a JSON value is, for a message that does not repeat it whole."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
