"""OTLP/JSON by its own rules, where they are not those of protobuf's JSON form."""

import json
from typing import Any

import pytest

from collector.decode import decode_json
from collector.errors import DecodeError, TooManySpans
from schemas.records import Decoded, Span
from schemas.settings import Settings

TRACE_ID = "5b8efff798038103d269b633813fc60c"
SPAN_ID = "eee19b7ec3c1b174"


def body_of(**fields: Any) -> bytes:
    span = {"traceId": TRACE_ID, "spanId": SPAN_ID} | fields
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def decode(body: bytes, **settings: Any) -> Decoded:
    return decode_json(body, Settings(**settings))


def only_span(**fields: Any) -> Span:
    decoded = decode(body_of(**fields))
    assert not decoded.rejections
    return decoded.spans[0]


def value_of(any_value: Any) -> Any:
    return only_span(attributes=[{"key": "k", "value": any_value}]).attributes["k"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"resourceSpans":[]}', b'{"resourceSpans":[{"scopeSpans":[{}]}]}'])
def test_an_empty_request_holds_nothing(body: bytes) -> None:
    assert decode(body) == Decoded([], [])


def test_ids_are_hexadecimal_in_either_case() -> None:
    span = only_span(traceId=TRACE_ID.upper(), spanId=SPAN_ID.upper(), parentSpanId="EEE19B7EC3C1B173")
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE_ID, SPAN_ID, "eee19b7ec3c1b173")


@pytest.mark.parametrize(
    ("fields", "reason", "detail"),
    [
        ({"traceId": "W47/95gDgQPSabYzgT/GDA=="}, "invalid_trace_id", "not hexadecimal"),
        ({"traceId": TRACE_ID[:-2]}, "invalid_trace_id", "15 bytes instead of 16"),
        ({"traceId": "0" * 32}, "invalid_trace_id", "all zero"),
        ({"traceId": " ".join(TRACE_ID)}, "invalid_trace_id", "not hexadecimal"),
        ({"traceId": None}, "invalid_trace_id", "0 bytes"),
        ({"spanId": "7uGbfsPBsXQ="}, "invalid_span_id", "not hexadecimal"),
        ({"parentSpanId": "ff"}, "invalid_parent_span_id", "1 bytes"),
        ({"traceId": "x" * 9999}, "invalid_trace_id", "xxx..."),
    ],
)
def test_a_span_with_a_bad_id_is_rejected_alone(fields: dict[str, Any], reason: str, detail: str) -> None:
    request = json.loads(body_of())
    spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append(spans[0] | fields)
    decoded = decode(json.dumps(request).encode())
    assert len(decoded.spans) == 1
    assert [r.reason for r in decoded.rejections] == [reason]
    assert detail in decoded.rejections[0].detail
    assert len(decoded.rejections[0].detail) < 100


def test_an_all_zero_parent_is_no_parent() -> None:
    assert only_span(parentSpanId="0" * 16).parent_span_id is None


def test_64_bit_numbers_come_as_text_or_number() -> None:
    assert only_span(startTimeUnixNano="18446744073709551615").start_ns == 2**64 - 1
    assert only_span(startTimeUnixNano=1790000000000000001).start_ns == 1790000000000000001
    assert value_of({"intValue": "9223372036854775807"}) == 2**63 - 1
    assert value_of({"intValue": -(2**63)}) == -(2**63)
    assert value_of({"intValue": 1e3}) == 1000


@pytest.mark.parametrize(
    ("any_value", "expected"),
    [
        ({"stringValue": "x"}, "x"),
        ({"boolValue": False}, False),
        ({"doubleValue": 1}, 1.0),
        ({"doubleValue": "1.5e3"}, 1500.0),
        ({"doubleValue": "Infinity"}, float("inf")),
        ({"doubleValue": "-Infinity"}, float("-inf")),
        ({"bytesValue": "AP8="}, b"\x00\xff"),
        ({"bytesValue": "-_8"}, b"\xfb\xff"),
        ({"arrayValue": {"values": [{"intValue": "1"}, {}]}}, [1, None]),
        ({"arrayValue": {}}, []),
        (
            {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}, {"key": "b"}]}},
            {"a": True, "b": None},
        ),
        ({}, None),
        (None, None),
        ({"stringValue": None}, None),
        ({"stringValueStrindex": 3}, None),
    ],
)
def test_attribute_values(any_value: Any, expected: Any) -> None:
    value = value_of(any_value)
    assert value == expected
    assert type(value) is type(expected)


def test_nan_comes_as_text() -> None:
    assert str(value_of({"doubleValue": "NaN"})) == "nan"


def test_unknown_fields_are_ignored_at_every_level() -> None:
    extra = {"futureField": {"deep": [1, {"x": None}]}}
    attribute = {"key": "k", "value": {"stringValue": "v"} | extra} | extra
    span = {"traceId": TRACE_ID, "spanId": SPAN_ID, "attributes": [attribute], "status": {"code": 2} | extra} | extra
    span |= {"events": [{"name": "e"} | extra], "links": [{"traceId": TRACE_ID, "spanId": SPAN_ID} | extra]}
    scope_spans = {"scope": {"name": "s"} | extra, "spans": [span]} | extra
    request = {
        "resourceSpans": [{"resource": {"attributes": [attribute]} | extra, "scopeSpans": [scope_spans]} | extra]
    }
    decoded = decode(json.dumps(request | extra).encode())
    assert decoded.spans[0].attributes == {"k": "v"}
    assert decoded.spans[0].status_code == 2


def test_snake_case_names_are_unknown() -> None:
    assert only_span(start_time_unix_nano="5", droppedAttributesCount=2).start_ns == 0


def test_enums_are_numbers_and_unknown_ones_are_kept() -> None:
    assert only_span(kind=3).kind == 3
    assert only_span(kind=77).kind == 77


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "SPAN_KIND_SERVER"}, r"resourceSpans\[0\].scopeSpans\[0\].spans\[0\]: kind must be a number"),
        ({"name": 5}, "name must be text, not 5"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano must be a whole number, not 'soon'"),
        ({"startTimeUnixNano": -1}, "from 0 to"),
        ({"startTimeUnixNano": str(2**64)}, "from 0 to"),
        ({"startTimeUnixNano": 1.5}, "whole number"),
        ({"startTimeUnixNano": True}, "whole number, not true"),
        ({"attributes": {"k": "v"}}, "attributes must be a list, not an object"),
        ({"attributes": ["k"]}, "expected an object, not 'k'"),
        ({"attributes": [{"key": "k", "value": {"intValue": "9223372036854775808"}}]}, "intValue must be from"),
        ({"attributes": [{"key": "k", "value": {"intValue": "1_0"}}]}, "intValue must be a whole number"),
        ({"attributes": [{"key": "k", "value": {"boolValue": "true"}}]}, "boolValue must be true or false"),
        ({"attributes": [{"key": "k", "value": {"stringValue": 1}}]}, "stringValue must be text"),
        ({"attributes": [{"key": "k", "value": {"doubleValue": "nan"}}]}, "doubleValue must be a number"),
        ({"attributes": [{"key": "k", "value": {"bytesValue": "a"}}]}, "bytesValue must be base64"),
        ({"attributes": [{"key": "k", "value": {"bytesValue": "****"}}]}, "bytesValue must be base64"),
        ({"status": []}, "status must be an object"),
    ],
)
def test_a_field_of_the_wrong_type_refuses_the_request_and_names_the_place(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(DecodeError, match=message):
        decode(body_of(**fields))


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"x"', b"\xff", b'{"resourceSpans":[{]}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\xff"}',
     b"\xef\xbb\xbf{}", b" ", b'{"resourceSpans":{}}', b'{"resourceSpans":[3]}'],
)  # fmt: skip
def test_what_is_not_a_request_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(body)


@pytest.mark.parametrize("depth", [900, 1_100, 100_000])
def test_deep_json_is_refused_without_recursion(depth: int) -> None:
    with pytest.raises(DecodeError):
        decode(b'{"resourceSpans":' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize(("levels", "fits"), [(47, True), (48, False), (400, False)])
def test_values_may_be_nested_as_deep_as_stock_parsers_read(levels: int, fits: bool) -> None:
    text = '{"arrayValue":{"values":[' * levels + '{"intValue":1}' + "]}}" * levels
    body = body_of(attributes=[{"key": "k", "value": "VALUE"}]).replace(b'"VALUE"', text.encode())
    if fits:
        assert decode(body).spans
    else:
        with pytest.raises(DecodeError, match=r"nested too deep|not valid JSON"):
            decode(body)


def test_lone_surrogates_become_replacement_characters_and_the_rest_is_kept() -> None:
    name = r"a\ud800b \ud83d\ude00 \udc00\ud83d \\ud800 \\\ud800 é"
    body = body_of(name="NAME", kind=3).replace(b"NAME", name.encode())
    span = decode(body).spans[0]
    assert span.name == "a\ufffdb 😀 \ufffd\ufffd \\ud800 \\\ufffd é"
    assert span.kind == 3


def test_a_body_of_containers_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooManySpans, match="values"):
        decode(b"[" + b"{}," * 3_000_000 + b"{}]")


def test_the_limit_on_spans_holds_for_json() -> None:
    request = json.loads(body_of())
    request["resourceSpans"][0]["scopeSpans"][0]["spans"] *= 11
    with pytest.raises(TooManySpans, match="more than 10 spans"):
        decode(json.dumps(request).encode(), max_request_spans=10)
