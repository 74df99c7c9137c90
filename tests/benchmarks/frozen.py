"""The yardstick of the ack path: what it costs to parse a request and touch every field of every span, and no more.

Frozen: changing anything here changes what "three times the reference" means. It is plain Python over the generated
protobuf classes, as anybody would write it first, and keeps nothing.
"""

import time
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def extract(body: bytes) -> list[tuple[Any, ...]]:
    """Every field of every span of a request."""
    rows: list[tuple[Any, ...]] = []
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = (scope_spans.scope.name, scope_spans.scope.version, attributes(scope_spans.scope.attributes))
            rows.extend(row(span, resource, scope) for span in scope_spans.spans)
    return rows


def row(span: Any, resource: dict[str, Any], scope: tuple[str, str, dict[str, Any]]) -> tuple[Any, ...]:
    """Every field of one span."""
    return (
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.trace_state,
        span.flags,
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        attributes(span.attributes),
        span.dropped_attributes_count,
        [(e.time_unix_nano, e.name, attributes(e.attributes)) for e in span.events],
        span.dropped_events_count,
        [(k.trace_id.hex(), k.span_id.hex(), k.trace_state, attributes(k.attributes)) for k in span.links],
        span.dropped_links_count,
        span.status.code,
        span.status.message,
        resource,
        scope,
    )


def attributes(pairs: Any) -> dict[str, Any]:
    """Attribute name to value."""
    return {pair.key: value(pair.value) for pair in pairs}


def value(any_value: Any) -> Any:
    """The Python value of an AnyValue."""
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(v) for v in any_value.array_value.values]
    if kind == "kvlist_value":
        return attributes(any_value.kvlist_value.values)
    return getattr(any_value, kind) if kind else None


def cost_us_per_span(bodies: Sequence[bytes], spans: int) -> float:
    """CPU microseconds of the reference per span, over bodies that were never parsed before."""
    before = time.process_time()
    for body in bodies:
        extract(body)
    return (time.process_time() - before) / spans * 1e6
