"""Export requests: any at all, as hypothesis strategies, and small ones by hand."""

import random
import struct
from collections.abc import Callable
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


class Dice:
    """Any request at all, a hundred times faster than hypothesis; it cannot be made smaller, but it has a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def request(self) -> ExportTraceServiceRequest:
        return ExportTraceServiceRequest(resource_spans=self._some(self._resource_spans))

    def _some(self, make: Callable[[], Any], most: int = 2) -> list[Any]:
        return [make() for _ in range(self._chance.randint(0, most))]

    def _text(self) -> str:
        return "".join(self._chance.choices('ab.\0\n"\\é😀\u2028', k=self._chance.randint(0, 6)))

    def _bytes(self, *sizes: int) -> bytes:
        return self._chance.randbytes(self._chance.choice(sizes))

    def _unsigned(self, bits: int) -> int:
        return self._chance.getrandbits(self._chance.randint(0, bits))

    def _signed(self, bits: int) -> int:
        return self._unsigned(bits - 1) - self._chance.choice([0, 2 ** (bits - 1)])

    def _value(self, depth: int = 0) -> AnyValue:
        match self._chance.randrange(9 if depth < 4 else 7):
            case 0:
                return AnyValue(bool_value=self._chance.random() < 0.5)
            case 1:
                return AnyValue(int_value=self._signed(64))
            case 2:
                return AnyValue(double_value=struct.unpack("<d", self._bytes(8))[0])
            case 3:
                return AnyValue(bytes_value=self._bytes(0, 1, 5))
            case 4:
                return AnyValue()
            case 7:
                return AnyValue(array_value={"values": self._some(lambda: self._value(depth + 1), 3)})
            case 8:
                return AnyValue(kvlist_value={"values": self._some(lambda: self._pair(depth + 1), 3)})
        return AnyValue(string_value=self._text() * self._chance.choice([1, 1, 40]))

    def _pair(self, depth: int = 0) -> KeyValue:
        return KeyValue(key=self._text(), value=self._value(depth))

    def _attributes(self) -> dict[str, Any]:
        return {"attributes": self._some(self._pair, 5), "dropped_attributes_count": self._unsigned(32)}

    def _event(self) -> Span.Event:
        return Span.Event(time_unix_nano=self._unsigned(64), name=self._text(), **self._attributes())

    def _link(self) -> Span.Link:
        trace_id, span_id = self._bytes(16, 16, 0, 3), self._bytes(8, 8, 0, 3)
        flags, state = self._unsigned(32), self._text()
        return Span.Link(trace_id=trace_id, span_id=span_id, trace_state=state, flags=flags, **self._attributes())

    def _span(self) -> Span:
        return Span(
            trace_id=self._bytes(16, 16, 16, 0, 15),
            span_id=self._bytes(8, 8, 8, 0, 9),
            trace_state=self._text(),
            parent_span_id=self._chance.choice([self._bytes(8), b"", bytes(8), b"short"]),
            flags=self._unsigned(32),
            name=self._text(),
            kind=self._signed(32),
            start_time_unix_nano=self._unsigned(64),
            end_time_unix_nano=self._unsigned(64),
            events=self._some(self._event),
            dropped_events_count=self._unsigned(32),
            links=self._some(self._link),
            dropped_links_count=self._unsigned(32),
            status=self._chance.choice([None, Status(message=self._text(), code=self._signed(32))]),
            **self._attributes(),
        )

    def _scope_spans(self) -> ScopeSpans:
        scope = InstrumentationScope(name=self._text(), version=self._text(), **self._attributes())
        return ScopeSpans(scope=scope, schema_url=self._text(), spans=self._some(self._span, 3))

    def _resource_spans(self) -> ResourceSpans:
        resource = Resource(entity_refs=self._some(self._ref), **self._attributes())
        return ResourceSpans(resource=resource, schema_url=self._text(), scope_spans=self._some(self._scope_spans))

    def _ref(self) -> EntityRef:
        keys = self._some(self._text)
        return EntityRef(schema_url=self._text(), type=self._text(), id_keys=keys, description_keys=keys[:1])


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
