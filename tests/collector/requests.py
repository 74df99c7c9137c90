"""Export requests: any at all, as hypothesis strategies, and small ones by hand."""

import random
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, EntityRef, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

TEXT = st.text(max_size=8)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)


def _grow(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    arrays = st.lists(values, max_size=3).map(lambda items: AnyValue(array_value={"values": items}))
    pairs = st.lists(st.builds(KeyValue, key=TEXT, value=values), max_size=3)
    return arrays | pairs.map(lambda items: AnyValue(kvlist_value={"values": items}))


SCALARS = st.one_of(
    st.just(AnyValue()),
    st.builds(AnyValue, string_value=TEXT),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=INT64 | st.integers(0, 20_000)),
    st.builds(AnyValue, double_value=st.floats()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=8)),
)
VALUES = st.recursive(SCALARS, _grow, max_leaves=6)
ATTRIBUTES = st.lists(st.builds(KeyValue, key=TEXT, value=VALUES) | st.builds(KeyValue, key=TEXT), max_size=5)

TRACE_IDS = st.binary(min_size=16, max_size=16)
SPAN_IDS = st.binary(min_size=8, max_size=8)
EVENTS = st.builds(Span.Event, time_unix_nano=UINT64, name=TEXT, attributes=ATTRIBUTES, dropped_attributes_count=UINT32)
LINKS = st.builds(
    Span.Link,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS | st.just(b"") | st.binary(max_size=9),
    trace_state=TEXT,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    flags=UINT32,
)
SPANS = st.builds(
    Span,
    trace_id=TRACE_IDS | st.binary(max_size=20),
    span_id=SPAN_IDS | st.just(bytes(8)),
    trace_state=TEXT,
    parent_span_id=SPAN_IDS | st.sampled_from([b"", bytes(8), b"short"]),
    flags=UINT32,
    name=TEXT,
    kind=INT32,
    start_time_unix_nano=UINT64,
    end_time_unix_nano=UINT64,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    events=st.lists(EVENTS, max_size=2),
    dropped_events_count=UINT32,
    links=st.lists(LINKS, max_size=2),
    dropped_links_count=UINT32,
    status=st.builds(Status, message=TEXT, code=INT32) | st.none(),
)
REFS = st.builds(
    EntityRef,
    schema_url=TEXT,
    type=TEXT,
    id_keys=st.lists(TEXT, max_size=2),
    description_keys=st.lists(TEXT, max_size=2),
)
RESOURCES = st.builds(
    Resource, attributes=ATTRIBUTES, dropped_attributes_count=UINT32, entity_refs=st.lists(REFS, max_size=2)
)
SCOPES = st.builds(
    InstrumentationScope, name=TEXT, version=TEXT, attributes=ATTRIBUTES, dropped_attributes_count=UINT32
)
SCOPE_SPANS = st.builds(ScopeSpans, scope=SCOPES | st.none(), schema_url=TEXT, spans=st.lists(SPANS, max_size=3))
RESOURCE_SPANS = st.builds(
    ResourceSpans, resource=RESOURCES | st.none(), schema_url=TEXT, scope_spans=st.lists(SCOPE_SPANS, max_size=2)
)
REQUESTS = st.builds(ExportTraceServiceRequest, resource_spans=st.lists(RESOURCE_SPANS, max_size=2))


def span(seed: int = 1, **fields: Any) -> Span:
    """A valid span whose ids follow from `seed`; `fields` replace or add."""
    ids = random.Random(seed)
    chosen: dict[str, Any] = {
        "trace_id": ids.randbytes(16),
        "span_id": ids.randbytes(8),
        "name": f"span {seed}",
        "kind": 1,
        "start_time_unix_nano": 1_790_000_000_000_000_000 + seed,
        "end_time_unix_nano": 1_790_000_001_000_000_000 + seed,
    }
    return Span(**(chosen | fields))


def text_attribute(key: str, text: str) -> KeyValue:
    """An attribute that holds a text."""
    return KeyValue(key=key, value=AnyValue(string_value=text))


def request(*spans: Span) -> ExportTraceServiceRequest:
    """A request with these spans in one scope of one resource."""
    resource = Resource(attributes=[text_attribute("service.name", "tests")])
    scope_spans = ScopeSpans(scope=InstrumentationScope(name="tests", version="1"), spans=spans)
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope_spans])])


def body_of(*spans: Span) -> bytes:
    """The protobuf body of a request with these spans."""
    return request(*spans).SerializeToString()
