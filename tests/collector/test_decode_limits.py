"""What one request and one span may hold, and what is said about the rest. The same in both encodings."""

import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from collector.decode import decode_json, decode_protobuf
from collector.decode.limits import content_bytes
from collector.errors import DecodeError, TooManySpans
from schemas.records import Decoded, Span
from schemas.settings import Settings
from tests.collector.requests import body_of, request, span, text_attribute
from tests.otlp_json import to_json


def decode(*spans: SpanMessage, **limits: Any) -> Decoded:
    settings = Settings(**limits)
    decoded = decode_protobuf(body_of(*spans), settings)
    assert repr(decode_json(to_json(request(*spans)), settings)) == repr(decoded)
    return decoded


def only_span(message: SpanMessage, **limits: Any) -> Span:
    decoded = decode(message, **limits)
    assert not decoded.rejections
    return decoded.spans[0]


def test_nothing_is_marked_within_the_limits() -> None:
    kept = only_span(span(attributes=[text_attribute("k", "v" * 1000)]))
    assert not kept.truncated
    assert kept.attributes == {"k": "v" * 1000}


def test_a_long_value_is_cut_on_a_character_border_and_marked() -> None:
    kept = only_span(span(attributes=[text_attribute("k", "é" * 100), text_attribute("s", "v")]), max_value_bytes=21)
    assert kept.attributes == {"k": "é" * 10, "s": "v"}
    assert kept.truncated
    assert kept.dropped_attributes_count == 0


def test_every_long_name_is_cut() -> None:
    long = "n" * 100
    link = {"trace_id": b"l" * 16, "span_id": b"l" * 8, "trace_state": long}
    message = span(
        name=long,
        trace_state=long,
        status={"message": long, "code": 2},
        attributes=[text_attribute(long, "v")],
        events=[{"name": long, "attributes": [text_attribute("k", long)]}],
        links=[link],
    )
    kept = only_span(message, max_value_bytes=10)
    short = "n" * 10
    assert (kept.name, kept.trace_state, kept.status_message, kept.status_code) == (short, short, short, 2)
    assert kept.attributes == {short: "v"}
    assert (kept.events[0].name, kept.events[0].attributes) == (short, {"k": short})
    assert kept.links[0].trace_state == short
    assert kept.truncated


def test_a_large_list_keeps_its_start() -> None:
    items = [AnyValue(string_value="12345")] * 10 + [AnyValue(int_value=1)]
    nested = AnyValue(kvlist_value={"values": [KeyValue(key="list", value={"array_value": {"values": items}})]})
    kept = only_span(span(attributes=[KeyValue(key="k", value=nested)]), max_value_bytes=20)
    assert kept.attributes == {"k": {"list": ["12345", "12345", "1234"]}}
    assert content_bytes(kept.attributes["k"]) <= 20
    assert kept.truncated


def test_attributes_over_the_limit_are_dropped_and_counted() -> None:
    attributes = [text_attribute(f"k{i}", "v") for i in range(100)]
    kept = only_span(span(attributes=attributes, dropped_attributes_count=3), max_attributes=10)
    assert list(kept.attributes) == [f"k{i}" for i in range(10)]
    assert kept.dropped_attributes_count == 93
    assert kept.truncated


def test_events_and_links_over_the_limit_are_dropped_and_counted() -> None:
    link = {"trace_id": b"l" * 16, "span_id": b"l" * 8}
    attributes = [text_attribute(f"k{i}", "v") for i in range(9)]
    message = span(events=[{"name": "e", "attributes": attributes}] * 10, links=[link] * 7, dropped_events_count=2)
    kept = only_span(message, max_events=4, max_attributes=5)
    assert (len(kept.events), kept.dropped_events_count) == (4, 8)
    assert (len(kept.links), kept.dropped_links_count) == (4, 3)
    assert (len(kept.events[0].attributes), kept.events[0].dropped_attributes_count) == (5, 4)
    assert kept.truncated


def test_a_count_of_dropped_attributes_stays_32_bit() -> None:
    kept = only_span(
        span(attributes=[text_attribute(str(i), "") for i in range(9)], dropped_attributes_count=2**32 - 1),
        max_attributes=1,
    )
    assert kept.dropped_attributes_count == 2**32 - 1


def test_a_link_that_points_nowhere_is_dropped_and_counted() -> None:
    kept = only_span(
        span(links=[{"trace_id": b"short", "span_id": b"l" * 8}, {"trace_state": "empty ids are allowed"}])
    )
    assert [link.trace_id for link in kept.links] == [""]
    assert kept.dropped_links_count == 1
    assert kept.truncated


def test_a_resource_cut_to_the_limits_marks_its_spans() -> None:
    asked = request(span())
    asked.resource_spans[0].resource.attributes.append(text_attribute("long", "v" * 100))
    decoded = decode_protobuf(asked.SerializeToString(), Settings(max_value_bytes=50))
    assert decoded.spans[0].resource.attributes["long"] == "v" * 50
    assert decoded.spans[0].truncated
    assert decode_json(to_json(asked), Settings(max_value_bytes=50)) == decoded


@pytest.mark.parametrize("encode", [body_of, lambda *spans: to_json(request(*spans))])
def test_a_span_over_the_limit_is_rejected_alone(encode: Any) -> None:
    big = span(2, attributes=[text_attribute(f"k{i}", "v" * 100) for i in range(100)])
    decode_one = decode_protobuf if encode is body_of else decode_json
    decoded = decode_one(encode(span(1), big, span(3)), Settings(max_span_bytes=5_000))
    assert [item.name for item in decoded.spans] == ["span 1", "span 3"]
    assert [r.reason for r in decoded.rejections] == ["span_too_large"]
    assert "more than 5000 (max_span_bytes)" in decoded.rejections[0].detail


def test_the_last_of_two_equal_names_wins() -> None:
    assert only_span(span(attributes=[text_attribute("k", "1"), text_attribute("k", "2")])).attributes == {"k": "2"}


@pytest.mark.parametrize(
    "text", ["nul \0 inside", "\u202egnp.exe", "\x1b[31mred", "😀", "two\nlines", "zero\u200bwidth"]
)
def test_odd_text_is_kept_as_it_is(text: str) -> None:
    kept = only_span(span(name=text, attributes=[text_attribute(text, text)]))
    assert kept.name == text
    assert kept.attributes == {text: text}


def test_names_with_a_thousand_values_do_not_push_out_others() -> None:
    """Exactness, not speed: whatever is remembered, the values are those sent."""
    for i in range(1_000):
        message = span(i, attributes=[text_attribute("session", f"s{i}"), text_attribute("kind", "LLM")])
        assert only_span(message).attributes == {"session": f"s{i}", "kind": "LLM"}


@pytest.mark.parametrize(
    "value",
    [0, 1, 127, 128, 300, 16_383, 16_384, 2**31, -1, 2**63 - 1, -(2**63), 0.5, -0.0, 1e308, True, b"\x80", "",
     "x" * 127, "x" * 128, "x" * 8_192, "x" * 20_000, "é" * 70],
)  # fmt: skip
def test_every_size_of_value_is_read_exactly(value: Any) -> None:
    field = {int: "int_value", float: "double_value", bool: "bool_value", bytes: "bytes_value", str: "string_value"}
    message = span(attributes=[KeyValue(key="some.name", value=AnyValue(**{field[type(value)]: value}))])
    kept = only_span(message).attributes["some.name"]
    assert kept == value
    assert type(kept) is type(value)


def test_a_name_longer_than_a_length_byte_is_read() -> None:
    assert only_span(span(attributes=[text_attribute("n" * 200, "v")])).attributes == {"n" * 200: "v"}


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def with_value(any_value: bytes) -> bytes:
    raw_span = span().SerializeToString() + _field(9, _field(1, b"k") + _field(2, any_value))
    return _field(1, _field(2, _field(2, raw_span)))


def nested(levels: int) -> bytes:
    value = _field(1, b"leaf")
    for _ in range(levels):
        value = _field(5, _field(1, value))
    return value


@pytest.mark.parametrize(("levels", "fits"), [(45, True), (47, True), (48, False), (100, False), (20_000, False)])
def test_values_may_be_nested_as_deep_as_stock_parsers_read(levels: int, fits: bool) -> None:
    if fits:
        assert decode_protobuf(with_value(nested(levels)), Settings()).spans
    else:
        with pytest.raises(DecodeError):
            decode_protobuf(with_value(nested(levels)), Settings())


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        body_of(span())[:-1],
        body_of(span()) + b"\x0a",
        with_value(_field(1, b"\xff\xfe")),
        _field(1, _field(2, _field(2, span().SerializeToString() + _field(5, b"\xc3\x28")))),
        _field(1, _field(3, b"\xff") + _field(2, _field(2, span().SerializeToString()))),
        _field(1, _field(1, _field(1, _field(1, b"\xff"))) + _field(2, _field(2, span().SerializeToString()))),
        b"\x80" * 20,
        b"\x00\x00",
        b"\x0b",
        b"\x0d\x00",
    ],
)
def test_what_is_not_a_request_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError, match="not a valid ExportTraceServiceRequest"):
        decode_protobuf(body, Settings())


def test_unknown_fields_of_the_frame_are_skipped() -> None:
    unknown = b"\x98\x06\x01" + _field(1000, b"x") + b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4)
    inner = _field(2, unknown + _field(2, span().SerializeToString() + unknown) + unknown)
    assert len(decode_protobuf(unknown + _field(1, unknown + inner), Settings()).spans) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x04\x12\x02\x12\x00" * 60_000,
        _field(1, _field(2, b"\x12\x00" * 2_000_000)),
        b"\x0a\x00" * 2_000_000,
        _field(1, b"\x12\x00" * 2_000_000),
        b"\x20\x00" * 2_000_000,
    ],
)
def test_too_many_of_anything_is_refused(body: bytes) -> None:
    with pytest.raises(TooManySpans, match="50000 spans"):
        decode_protobuf(body, Settings())


_AMPLIFIED = """
import resource, sys
from collector.decode import decode_protobuf
from collector.errors import TooManySpans
from schemas.settings import Settings
size = b"\\x80\\x92\\xf4\\x01"  # 4,000,000
inner = b"\\x12" + size + b"\\x12\\x00" * 2_000_000
body = b"\\x0a" + b"\\x85\\x92\\xf4\\x01" + inner
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode_protobuf(body, Settings())
except TooManySpans:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_two_million_empty_spans_cost_little_memory() -> None:
    """Measured in a process of its own: a peak cannot be taken back."""
    done = subprocess.run([sys.executable, "-c", _AMPLIFIED], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50 * 1024  # KiB
