"""OTLP protobuf to records, the plain way: slow, obvious, and independent of `collector.decode`, whose oracle it is."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from schemas.records import Attributes, Resource, Scope, Span, SpanEvent, SpanLink

RECORDINGS = Path(__file__).parent / "fixtures" / "otlp"


def value_of(any_value: AnyValue) -> Any:
    """The Python value of an AnyValue; one that holds nothing is None."""
    match any_value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [value_of(item) for item in any_value.array_value.values]
        case "kvlist_value":
            return attributes_of(any_value.kvlist_value.values)
        case member:
            return getattr(any_value, member)


def attributes_of(pairs: Sequence[KeyValue]) -> Attributes:
    """Attribute name to value; the last of two equal names wins."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def digest(*parts: object) -> int:
    """A stable unsigned 64-bit digest; not the collector's own, only unique within a test."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def resource_of(resource: resource_pb2.Resource, schema_url: str) -> Resource:
    """The resource as a record."""
    attributes = attributes_of(resource.attributes)
    refs = [
        {
            "schema_url": ref.schema_url,
            "type": ref.type,
            "id_keys": list(ref.id_keys),
            "description_keys": list(ref.description_keys),
        }
        for ref in resource.entity_refs
    ]
    dropped = resource.dropped_attributes_count
    return Resource(digest(attributes, dropped, schema_url, refs), attributes, dropped, schema_url, refs)


def scope_of(scope: InstrumentationScope, schema_url: str) -> Scope:
    """The instrumentation scope as a record."""
    attributes = attributes_of(scope.attributes)
    said = (scope.name, scope.version, attributes, scope.dropped_attributes_count, schema_url)
    return Scope(digest(*said), *said)


def span_of(span: trace_pb2.Span, resource: Resource, scope: Scope) -> Span:
    """The span as a record."""
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() or None,
        trace_state=span.trace_state,
        flags=span.flags,
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status_code=span.status.code,
        status_message=span.status.message,
        attributes=attributes_of(span.attributes),
        dropped_attributes_count=span.dropped_attributes_count,
        events=[
            SpanEvent(e.time_unix_nano, e.name, attributes_of(e.attributes), e.dropped_attributes_count)
            for e in span.events
        ],
        dropped_events_count=span.dropped_events_count,
        links=[
            SpanLink(
                link.trace_id.hex(),
                link.span_id.hex(),
                link.trace_state,
                attributes_of(link.attributes),
                link.dropped_attributes_count,
                link.flags,
            )
            for link in span.links
        ],
        dropped_links_count=span.dropped_links_count,
        truncated=False,
        resource=resource,
        scope=scope,
    )


def spans_of(body: bytes) -> Iterator[Span]:
    """Every span of one ExportTraceServiceRequest, in order."""
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = resource_of(resource_spans.resource, resource_spans.schema_url)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_of(scope_spans.scope, scope_spans.schema_url)
            for span in scope_spans.spans:
                yield span_of(span, resource, scope)


def recorded_folders() -> list[str]:
    """Names of all recordings."""
    return sorted(folder.name for folder in RECORDINGS.iterdir() if folder.is_dir())


def recorded_requests(folder: str) -> list[bytes]:
    """The requests of one recording, in order of arrival."""
    return [file.read_bytes() for file in sorted((RECORDINGS / folder).glob("*.pb"))]


def recorded_spans(folder: str) -> list[Span]:
    """The spans of one recording, in order of arrival."""
    return [span for body in recorded_requests(folder) for span in spans_of(body)]
