"""Every field of OTLP has a place in the store: a new field in the proto fails here until it has one."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode.otlp_protobuf import _RAW
from schemas.ddl import tables

REQUESTS = (ExportTraceServiceRequest.DESCRIPTOR, ExportLogsServiceRequest.DESCRIPTOR)

COLUMN_OF = {
    "Span.trace_id": "span.trace_id",
    "Span.span_id": "span.span_id",
    "Span.trace_state": "span.trace_state",
    "Span.parent_span_id": "span.parent_span_id",
    "Span.flags": "span.flags",
    "Span.name": "span.name",
    "Span.kind": "span.kind",
    "Span.start_time_unix_nano": "span.start_ns",
    "Span.end_time_unix_nano": "span.end_ns",
    "Span.attributes": "span.attributes",
    "Span.dropped_attributes_count": "span.dropped_attributes_count",
    "Span.events": "span.events",
    "Span.dropped_events_count": "span.dropped_events_count",
    "Span.links": "span.links",
    "Span.dropped_links_count": "span.dropped_links_count",
    "Status.message": "span.status_message",
    "Status.code": "span.status_code",
    "Event.time_unix_nano": "span.events",
    "Event.name": "span.events",
    "Event.attributes": "span.events",
    "Event.dropped_attributes_count": "span.events",
    "Link.trace_id": "span.links",
    "Link.span_id": "span.links",
    "Link.trace_state": "span.links",
    "Link.attributes": "span.links",
    "Link.dropped_attributes_count": "span.links",
    "Link.flags": "span.links",
    "LogRecord.time_unix_nano": "evidence.time_ns",
    "LogRecord.observed_time_unix_nano": "evidence.observed_ns",
    "LogRecord.severity_number": "evidence.severity_number",
    "LogRecord.severity_text": "evidence.severity_text",
    "LogRecord.body": "evidence.body",
    "LogRecord.attributes": "evidence.attributes",
    "LogRecord.dropped_attributes_count": "evidence.dropped_attributes_count",
    "LogRecord.flags": "evidence.flags",
    "LogRecord.trace_id": "evidence.trace_id",
    "LogRecord.span_id": "evidence.span_id",
    "LogRecord.event_name": "evidence.name",
    "ResourceLogs.schema_url": "resource.schema_url",
    "ScopeLogs.schema_url": "scope.schema_url",
    "ResourceSpans.schema_url": "resource.schema_url",
    "Resource.attributes": "resource.attributes",
    "Resource.dropped_attributes_count": "resource.dropped_attributes_count",
    "Resource.entity_refs": "resource.entity_refs",
    "EntityRef.schema_url": "resource.entity_refs",
    "EntityRef.type": "resource.entity_refs",
    "EntityRef.id_keys": "resource.entity_refs",
    "EntityRef.description_keys": "resource.entity_refs",
    "ScopeSpans.schema_url": "scope.schema_url",
    "InstrumentationScope.name": "scope.name",
    "InstrumentationScope.version": "scope.version",
    "InstrumentationScope.attributes": "scope.attributes",
    "InstrumentationScope.dropped_attributes_count": "scope.dropped_attributes_count",
}

ATTRIBUTE_PARTS = {
    "KeyValue.key", "KeyValue.value", "ArrayValue.values", "KeyValueList.values", "AnyValue.string_value",
    "AnyValue.bool_value", "AnyValue.int_value", "AnyValue.double_value", "AnyValue.array_value",
    "AnyValue.kvlist_value", "AnyValue.bytes_value",
}  # fmt: skip
"""Inside every column that holds attributes."""

FRAME = {
    "ExportTraceServiceRequest.resource_spans", "ResourceSpans.resource", "ResourceSpans.scope_spans",
    "ScopeSpans.scope", "ScopeSpans.spans", "Span.status", "ExportLogsServiceRequest.resource_logs",
    "ResourceLogs.resource", "ResourceLogs.scope_logs", "ScopeLogs.scope", "ScopeLogs.log_records",
}  # fmt: skip
"""Messages that say only what belongs to what."""

PROFILES_ONLY = {"KeyValue.key_strindex", "AnyValue.string_value_strindex"}
"""Indexes into the string table of the profiles signal; the proto says other signals must not use them."""


def fields(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    """Every field that can be reached from `message`."""
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from fields(field.message_type, seen)


def all_fields() -> list[FieldDescriptor]:
    """Every field of the requests that are taken."""
    seen: set[str] = set()
    return [field for request in REQUESTS for field in fields(request, seen)]


def name(field: FieldDescriptor) -> str:
    return f"{field.containing_type.name}.{field.name}"


def test_every_field_of_the_proto_has_its_column() -> None:
    known = COLUMN_OF.keys() | ATTRIBUTE_PARTS | FRAME | PROFILES_ONLY
    assert {name(field) for field in all_fields()} == known


@pytest.mark.parametrize("column", sorted(set(COLUMN_OF.values())))
def test_the_column_exists(column: str) -> None:
    table, _, field = column.partition(".")
    (statement,) = [s for s in tables() if s.name == f"tables/{table}.sql"]
    assert f"\n    {field} " in statement.sql


def test_the_raw_messages_read_every_field_under_its_number() -> None:
    """The private descriptors are compatible with those of OTLP, field by field."""
    by_message: dict[str, dict[int, str]] = {}
    for field in all_fields():
        by_message.setdefault(field.containing_type.name, {})[field.number] = field.name
    for raw, message in _RAW.items():
        ours = {field.number: field.name for field in message.DESCRIPTOR.fields}
        assert ours == by_message["InstrumentationScope" if raw == "Scope" else raw]
