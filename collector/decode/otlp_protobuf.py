"""OTLP protobuf to records, at about half the cost of reading the generated messages.

Two tricks (measured in docs/benchmarks.md). The frame of a request is walked by hand, so a span is found before any
object exists for it: two million empty spans cost four megabytes, not hundreds. And spans are read with a private
descriptor, compatible on the wire, in which attributes, events and links are raw bytes: a key-value pair seen before
(`gen_ai.system=openai`) is then one dict look-up.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.common.v1 import common_pb2

from collector.decode.limits import (
    ARRAY_DEPTH,
    MAP_DEPTH,
    UINT32_MAX,
    Limits,
    bad_id,
    cut_span,
    deeper,
    is_link_target,
    limits_of,
    too_large,
    too_many_spans,
)
from collector.decode.logs import EVALUATION, NO_EVIDENCE, event_name, is_evidence, refused, within_limits
from collector.decode.shared import make_entity_ref, make_resource, make_scope
from collector.errors import DecodeError
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

_SHARED_MAX_BYTES: Final = 16 * 1024
"""Larger resources and scopes are not remembered: 1,024 of these are 16 MiB at most."""


def decode_protobuf(body: bytes, settings: Settings) -> Decoded:
    """The spans of one ExportTraceServiceRequest, and why the others are refused.

    Values may be shared between spans: read them, never change them.

    Raises:
        DecodeError: the body is not such a request.
        TooManySpans: it holds more spans than one request may; known before any span is read.
    """
    limits = limits_of(settings)
    try:
        return _decode(body, limits)
    except (ProtobufError, UnicodeDecodeError) as exc:
        raise DecodeError(f"the body is not a valid ExportTraceServiceRequest: {str(exc)[:200]}") from exc


def _decode(body: bytes, limits: Limits) -> Decoded:
    spans: list[Span] = []
    rejections: list[Rejection] = []
    for group in _groups(body, limits):
        resource, resource_cut = _resource(group.resource, group.resource_schema_url, limits)
        scope, scope_cut = _scope(group.scope, group.scope_schema_url, limits)
        shared_cut = resource_cut or scope_cut
        for start, stop in group.spans:
            read = _read_span(body[start:stop], resource, scope, shared_cut, limits)
            if isinstance(read, Span):
                spans.append(read)
            else:
                rejections.append(read)
    return Decoded(spans, rejections)


def decode_logs_protobuf(body: bytes, settings: Settings) -> DecodedLogs:
    """The log records of one ExportLogsServiceRequest that say something of a span, and why the others are refused.

    Raises:
        DecodeError: the body is not such a request.
        TooManySpans: it holds more records than one request may.
    """
    limits = limits_of(settings)
    try:
        return _decode_logs(body, limits)
    except (ProtobufError, UnicodeDecodeError) as exc:
        raise DecodeError(f"the body is not a valid ExportLogsServiceRequest: {str(exc)[:200]}") from exc


def _decode_logs(body: bytes, limits: Limits) -> DecodedLogs:
    records: list[LogRecord] = []
    rejections: list[Rejection] = []
    for group in _groups(body, limits):  # the frame has the same numbers as that of spans
        for start, stop in group.spans:
            raw = body[start:stop]
            # Most applications that send logs send all of them: what cannot be evidence is not read.
            is_worth_reading = b"exception." in raw or EVALUATION.encode() in raw
            read = _read_log(raw, group, limits) if is_worth_reading else NO_EVIDENCE
            if isinstance(read, LogRecord):
                records.append(read)
            else:
                rejections.append(read)
    return DecodedLogs(records, rejections)


# --- the frame: request, resource spans, scope spans ---------------------------------------------------------------


class _Group(NamedTuple):
    """The spans of one ScopeSpans: where in the body each starts and stops."""

    resource: bytes
    resource_schema_url: bytes
    scope: bytes
    scope_schema_url: bytes
    spans: list[tuple[int, int]]


_FRAME_FIELDS_PER_SPAN: Final = 8
"""A span that shares nothing needs seven frame fields: four messages, two of them with a schema URL, and itself."""


def _groups(body: bytes, limits: Limits) -> list[_Group]:
    """Where all spans are. Walks the frame only: cost and memory are bounded by the limit on spans."""
    groups: list[_Group] = []
    frame = _Frame(body, limits)
    spans_left = limits.request_spans
    for number, start, stop in frame.fields(0, len(body)):
        if number != 1:
            continue
        resource, schema_url = b"", b""
        scope_spans = []
        for part, part_start, part_stop in frame.fields(start, stop):
            if part == 1:
                resource += body[part_start:part_stop]  # a message given twice is merged: that is concatenation
            elif part == 2:
                scope_spans.append(_scope_spans(frame, part_start, part_stop))
                spans_left -= len(scope_spans[-1].spans)
                if spans_left < 0:
                    raise too_many_spans(limits)
            elif part == 3:
                schema_url = body[part_start:part_stop]
        groups.extend(group._replace(resource=resource, resource_schema_url=schema_url) for group in scope_spans)
    return groups


def _scope_spans(frame: "_Frame", start: int, stop: int) -> _Group:
    scope, schema_url = b"", b""
    spans: list[tuple[int, int]] = []
    for part, part_start, part_stop in frame.fields(start, stop):
        if part == 2:
            spans.append((part_start, part_stop))
        elif part == 1:
            scope += frame.body[part_start:part_stop]
        elif part == 3:
            schema_url = frame.body[part_start:part_stop]
    return _Group(b"", b"", scope, schema_url, spans)


class _Frame:
    """Reads the outer messages of one body, and counts what it reads."""

    def __init__(self, body: bytes, limits: Limits) -> None:
        self.body = body
        self._limits = limits
        self._fields_left = limits.request_spans * _FRAME_FIELDS_PER_SPAN + 100

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(field number, start, stop) of each length-delimited field in body[at:end]; other fields are skipped.

        Raises:
            ProtobufError: the bytes are no protobuf message.
            TooManySpans: the body has more fields than one with the most spans can need.
        """
        body = self.body
        while at < end:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise too_many_spans(self._limits)
            tag = body[at]
            at += 1
            if tag > 127:
                tag, at = _varint(body, at - 1, end)
            if tag < 8:
                raise ProtobufError(f"byte {at}: field number 0 does not exist")
            if tag & 7 == _LENGTH_DELIMITED:
                # Sizes of one and two bytes are read here: a call for each span costs as much as finding it.
                if at < end and body[at] < 128:
                    size, start = body[at], at + 1
                elif at + 1 < end and body[at + 1] < 128:
                    size, start = body[at] & 127 | body[at + 1] << 7, at + 2
                else:
                    size, start = _varint(body, at, end)
                at = start + size
                if at <= end:
                    yield tag >> 3, start, at
            else:
                at = _after_number(body, tag & 7, at, end)
        if at > end:
            raise ProtobufError("the body is cut off in the middle of a field")


_LENGTH_DELIMITED: Final = 2


def _after_number(body: bytes, wire_type: int, at: int, end: int) -> int:
    match wire_type:
        case 0:
            return _varint(body, at, end)[1]
        case 1:
            return at + 8
        case 5:
            return at + 4
    raise ProtobufError(f"byte {at}: wire type {wire_type} does not occur in OTLP")


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ProtobufError(f"byte {at}: a number does not end")


# --- spans ---------------------------------------------------------------------------------------------------------


def _message_classes() -> dict[str, Any]:
    """Message classes, compatible on the wire with those of OTLP, that leave what repeats as raw bytes."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="seamscope/otlp_raw.proto", package="seamscope", syntax="proto3")
    for name, fields in _RAW_MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind in fields:
            repeated = kind.startswith("repeated ")
            field_kind = kind.removeprefix("repeated ")
            added = message.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
                type=kinds.TYPE_MESSAGE if field_kind == "Status" else kinds.Type.Value(f"TYPE_{field_kind.upper()}"),
            )
            if field_kind == "Status":
                added.type_name = ".seamscope.Status"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"seamscope.{name}")) for name in _RAW_MESSAGES
    }


_RAW_MESSAGES: Final = {
    "Status": ((2, "message", "string"), (3, "code", "int32")),
    "Span": (
        (1, "trace_id", "bytes"),
        (2, "span_id", "bytes"),
        (3, "trace_state", "string"),
        (4, "parent_span_id", "bytes"),
        (16, "flags", "fixed32"),
        (5, "name", "string"),
        (6, "kind", "int32"),
        (7, "start_time_unix_nano", "fixed64"),
        (8, "end_time_unix_nano", "fixed64"),
        (9, "attributes", "repeated bytes"),
        (10, "dropped_attributes_count", "uint32"),
        (11, "events", "repeated bytes"),
        (12, "dropped_events_count", "uint32"),
        (13, "links", "repeated bytes"),
        (14, "dropped_links_count", "uint32"),
        (15, "status", "Status"),
    ),
    "Event": (
        (1, "time_unix_nano", "fixed64"),
        (2, "name", "string"),
        (3, "attributes", "repeated bytes"),
        (4, "dropped_attributes_count", "uint32"),
    ),
    "Link": (
        (1, "trace_id", "bytes"),
        (2, "span_id", "bytes"),
        (3, "trace_state", "string"),
        (4, "attributes", "repeated bytes"),
        (5, "dropped_attributes_count", "uint32"),
        (6, "flags", "fixed32"),
    ),
    "LogRecord": (
        (1, "time_unix_nano", "fixed64"),
        (11, "observed_time_unix_nano", "fixed64"),
        (2, "severity_number", "int32"),
        (3, "severity_text", "string"),
        (5, "body", "bytes"),
        (6, "attributes", "repeated bytes"),
        (7, "dropped_attributes_count", "uint32"),
        (8, "flags", "fixed32"),
        (9, "trace_id", "bytes"),
        (10, "span_id", "bytes"),
        (12, "event_name", "string"),
    ),
    "Resource": (
        (1, "attributes", "repeated bytes"),
        (2, "dropped_attributes_count", "uint32"),
        (3, "entity_refs", "repeated bytes"),
    ),
    "Scope": (
        (1, "name", "string"),
        (2, "version", "string"),
        (3, "attributes", "repeated bytes"),
        (4, "dropped_attributes_count", "uint32"),
    ),
}

_RAW: Final = _message_classes()
_span_from: Final = _RAW["Span"].FromString
_event_from: Final = _RAW["Event"].FromString
_link_from: Final = _RAW["Link"].FromString
_log_from: Final = _RAW["LogRecord"].FromString
_resource_from: Final = _RAW["Resource"].FromString
_scope_from: Final = _RAW["Scope"].FromString


def _read_span(raw: bytes, resource: Resource, scope: Scope, shared_cut: bool, limits: Limits) -> Span | Rejection:
    if len(raw) > limits.span_bytes:
        return too_large(len(raw), limits)
    message = _span_from(raw)
    trace_id, span_id, parent = message.trace_id, message.span_id, message.parent_span_id
    rejection = bad_id(trace_id, span_id, parent)
    if rejection is not None:
        return rejection
    attributes, over_attributes = _attributes(message.attributes, limits)
    events, over_events, truncated_event = _events(message.events, limits)
    links, over_links, truncated_link = _links(message.links, limits)
    truncated = shared_cut or truncated_event or truncated_link or over_attributes + over_events + over_links > 0
    status = message.status
    span = Span(
        trace_id.hex(),
        span_id.hex(),
        parent.hex() if parent.strip(b"\0") else None,
        message.trace_state,
        message.flags,
        message.name,
        message.kind,
        message.start_time_unix_nano,
        message.end_time_unix_nano,
        status.code,
        status.message,
        attributes,
        min(message.dropped_attributes_count + over_attributes, UINT32_MAX),
        events,
        min(message.dropped_events_count + over_events, UINT32_MAX),
        links,
        min(message.dropped_links_count + over_links, UINT32_MAX),
        truncated,
        resource,
        scope,
    )
    return span if len(raw) <= limits.value_bytes else cut_span(span, limits)


def _read_log(raw: bytes, group: _Group, limits: Limits) -> LogRecord | Rejection:
    message = _log_from(raw)
    attributes, over = _attributes(message.attributes, limits)
    name = event_name(message.event_name, attributes)
    if not is_evidence(name, attributes):
        return NO_EVIDENCE
    rejection = refused(message.trace_id, message.span_id)
    if rejection is not None:
        return rejection
    resource, resource_cut = _resource(group.resource, group.resource_schema_url, limits)
    scope, scope_cut = _scope(group.scope, group.scope_schema_url, limits)
    record = LogRecord(
        message.trace_id.hex(),
        message.span_id.hex(),
        message.time_unix_nano or message.observed_time_unix_nano,
        name,
        attributes,
        message.dropped_attributes_count,
        _value(common_pb2.AnyValue.FromString(message.body), 0),
        message.severity_number,
        message.severity_text,
        message.observed_time_unix_nano,
        message.flags,
        resource_cut or scope_cut,
        resource,
        scope,
    )
    return within_limits(record, over, limits)


def _events(raws: Sequence[bytes], limits: Limits) -> tuple[list[SpanEvent], int, bool]:
    """The events, how many were over the limit, and whether one of them lost attributes."""
    if not raws:
        return [], 0, False
    events = []
    truncated = False
    for raw in raws[: limits.events]:
        message = _event_from(raw)
        attributes, over = _attributes(message.attributes, limits)
        dropped = min(message.dropped_attributes_count + over, UINT32_MAX)
        events.append(SpanEvent(message.time_unix_nano, message.name, attributes, dropped))
        truncated |= over > 0
    return events, len(raws) - len(events), truncated


def _links(raws: Sequence[bytes], limits: Limits) -> tuple[list[SpanLink], int, bool]:
    """The links, how many were dropped (over the limit, or pointing nowhere), and whether one lost attributes."""
    if not raws:
        return [], 0, False
    links = []
    truncated = False
    for raw in raws[: limits.events]:
        message = _link_from(raw)
        trace_id, span_id = message.trace_id, message.span_id
        if not is_link_target(trace_id, span_id):
            continue
        attributes, over = _attributes(message.attributes, limits)
        dropped = min(message.dropped_attributes_count + over, UINT32_MAX)
        links.append(SpanLink(trace_id.hex(), span_id.hex(), message.trace_state, attributes, dropped, message.flags))
        truncated |= over > 0
    return links, len(raws) - len(links), truncated


# --- resources and scopes ------------------------------------------------------------------------------------------


def _resource(raw: bytes, schema_url: bytes, limits: Limits) -> tuple[Resource, bool]:
    """The resource, and whether it was cut to the limits."""
    small = len(raw) + len(schema_url) <= _SHARED_MAX_BYTES
    return (_known_resource if small else _read_resource)(raw, schema_url, limits)


def _scope(raw: bytes, schema_url: bytes, limits: Limits) -> tuple[Scope, bool]:
    """The scope, and whether it was cut to the limits."""
    small = len(raw) + len(schema_url) <= _SHARED_MAX_BYTES
    return (_known_scope if small else _read_scope)(raw, schema_url, limits)


def _read_resource(raw: bytes, schema_url: bytes, limits: Limits) -> tuple[Resource, bool]:
    message = _resource_from(raw)
    attributes, over = _attributes(message.attributes, limits)
    refs = [_entity_ref(ref) for ref in message.entity_refs[: limits.attributes]]
    over += len(message.entity_refs) - len(refs)
    return make_resource(attributes, message.dropped_attributes_count, over, schema_url.decode(), refs, limits)


def _entity_ref(raw: bytes) -> dict[str, Any]:
    ref = common_pb2.EntityRef.FromString(raw)
    return make_entity_ref(ref.schema_url, ref.type, list(ref.id_keys), list(ref.description_keys))


def _read_scope(raw: bytes, schema_url: bytes, limits: Limits) -> tuple[Scope, bool]:
    message = _scope_from(raw)
    attributes, over = _attributes(message.attributes, limits)
    dropped = message.dropped_attributes_count
    return make_scope(message.name, message.version, attributes, dropped, over, schema_url.decode(), limits)


_known_resource = lru_cache(maxsize=1024)(_read_resource)
_known_scope = lru_cache(maxsize=1024)(_read_scope)


# --- attributes ----------------------------------------------------------------------------------------------------


def _attributes(raws: Sequence[bytes], limits: Limits) -> tuple[Attributes, int]:
    """The attributes, and how many were over the limit. Of a name given twice the last one wins."""
    over = len(raws) - limits.attributes
    if over > 0:
        return dict(map(_pair_of, raws[: limits.attributes])), over
    return dict(map(_pair_of, raws)), 0


_PAIR_MAX_BYTES: Final = 96
_PAIRS_PER_NAME: Final = 256
_MAX_PAIRS: Final = 65_536


class _Pairs(dict[bytes, tuple[str, Any]]):
    """Raw KeyValue to (name, value), remembered where it is likely to come again.

    Ids and texts never repeat, so a name is remembered with few values, and only short ones: they cannot push out
    what does repeat.
    """

    def __init__(self) -> None:
        self._room_of: dict[str, int] = {}

    def __missing__(self, raw: bytes) -> tuple[str, Any]:
        pair = _read_pair(raw)
        if len(raw) <= _PAIR_MAX_BYTES:
            room = self._room_of.get(pair[0], _PAIRS_PER_NAME)
            if room:
                if len(self) >= _MAX_PAIRS:
                    self.clear()
                    self._room_of.clear()
                self._room_of[pair[0]] = room - 1
                self[raw] = pair
        return pair


_PAIRS: Final = _Pairs()
_pair_of: Final = _PAIRS.__getitem__


def _text_heads(longest: int) -> dict[int, bytes]:
    """How a KeyValue goes on after its name if it holds one text, by the bytes that are left: two tags, two lengths."""
    heads = {}
    for size in range(longest + 1):
        text_size = _varint_bytes(size)
        head = b"\x12" + _varint_bytes(1 + len(text_size) + size) + b"\x0a" + text_size
        heads[len(head) + size] = head
    return heads


def _varint_bytes(value: int) -> bytes:
    low = value & 127
    return bytes([low]) if value < 128 else bytes([low | 128]) + _varint_bytes(value >> 7)


_TEXT_HEADS: Final = _text_heads(longest=8192)
_DOUBLE_HEAD: Final = b"\x12\x09\x21"
_INT_HEAD: Final = b"\x12\x03\x18"
"""A whole number of two bytes, 128 to 16,383: token counts, mostly. Smaller ones repeat, larger ones are rare."""


def _read_pair(raw: bytes) -> tuple[str, Any]:
    """(name, value) of a KeyValue. Texts and numbers, as every encoder writes them, are read by hand."""
    size = len(raw)
    if size > 1 and raw[0] == 0x0A and raw[1] < 128:
        at = raw[1] + 2
        rest = size - at
        head = _TEXT_HEADS.get(rest)
        if head is not None and raw.startswith(head, at):
            return raw[2:at].decode(), raw[at + len(head) :].decode()
        if rest == 5 and raw.startswith(_INT_HEAD, at) and raw[-2] > 127 > raw[-1]:
            return raw[2:at].decode(), raw[-2] & 127 | raw[-1] << 7
        if rest == 11 and raw.startswith(_DOUBLE_HEAD, at):
            return raw[2:at].decode(), _double_at(raw, size - 8)[0]
    message = common_pb2.KeyValue.FromString(raw)
    return message.key, _value(message.value, 0)


_double_at: Final = struct.Struct("<d").unpack_from


def _value(any_value: common_pb2.AnyValue, depth: int) -> Any:
    """The value as Python says it; None for one that holds nothing (or only an index into a profile's string table)."""
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        depth = deeper(depth, ARRAY_DEPTH)
        return [_value(item, depth) for item in any_value.array_value.values]
    if kind == "kvlist_value":
        depth = deeper(depth, MAP_DEPTH)
        return {item.key: _value(item.value, depth) for item in any_value.kvlist_value.values}
    if kind is None or kind == "string_value_strindex":
        return None
    return getattr(any_value, kind)
