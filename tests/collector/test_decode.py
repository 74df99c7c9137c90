"""Protobuf and JSON of one request give the same records, and those say what the request says."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode import decode_json, decode_protobuf
from collector.decode.limits import is_link_target
from collector.errors import DecodeError
from schemas.records import Decoded, Span
from schemas.settings import Settings
from tests.collector.requests import REQUESTS, Dice, body_of, span, text_attribute
from tests.otlp import recorded_folders, recorded_requests, spans_of
from tests.otlp_json import to_json

SETTINGS = Settings()


def same_in_both(request: ExportTraceServiceRequest) -> Decoded:
    """What both decoders make of the request."""
    decoded = decode_protobuf(request.SerializeToString(), SETTINGS)
    # As text, because 1 == True == 1.0 and NaN != NaN.
    assert repr(decode_json(to_json(request), SETTINGS)) == repr(decoded)
    return decoded


def without_digests(item: Span) -> Span:
    resource = item.resource._replace(resource_id=0)
    return item._replace(resource=resource, scope=item.scope._replace(scope_id=0))


def plainly_decoded(body: bytes) -> list[Span]:
    """The valid spans as the plain reading has them, after our three rules about ids."""
    spans = []
    for item in spans_of(body):
        parent = item.parent_span_id
        if len(item.trace_id) != 32 or len(item.span_id) != 16:
            continue
        if not item.trace_id.strip("0") or not item.span_id.strip("0"):
            continue
        if parent is not None and len(parent) != 16:
            continue
        links = [k for k in item.links if is_link_target(bytes.fromhex(k.trace_id), bytes.fromhex(k.span_id))]
        gone = len(item.links) - len(links)
        spans.append(
            item._replace(
                parent_span_id=None if parent is None or not parent.strip("0") else parent,
                links=links,
                dropped_links_count=min(item.dropped_links_count + gone, 2**32 - 1),
                truncated=gone > 0,
            )
        )
    return spans


def check(request: ExportTraceServiceRequest) -> None:
    decoded = same_in_both(request)
    expected = plainly_decoded(request.SerializeToString())
    assert repr([without_digests(item) for item in decoded.spans]) == repr([without_digests(s) for s in expected])
    total = sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)
    assert len(decoded.spans) + len(decoded.rejections) == total


@given(REQUESTS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_request_decodes_the_same_from_protobuf_and_json(request: ExportTraceServiceRequest) -> None:
    check(request)


@pytest.mark.parametrize("thousand", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 10))])
def test_ten_thousand_requests_decode_the_same_from_protobuf_and_json(thousand: int) -> None:
    for seed in range(thousand * 1_000, thousand * 1_000 + 1_000):
        check(Dice(seed).request())


@pytest.mark.parametrize("folder", recorded_folders())
def test_recordings_decode_the_same_from_protobuf_and_json(folder: str) -> None:
    for body in recorded_requests(folder):
        check(ExportTraceServiceRequest.FromString(body))


@given(REQUESTS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_request_cut_anywhere_gives_records_or_a_decode_error(request: ExportTraceServiceRequest) -> None:
    body = request.SerializeToString()
    for size in range(0, len(body), max(1, len(body) // 20)):
        with contextlib.suppress(DecodeError):
            decode_protobuf(body[:size], SETTINGS)


def test_resources_that_differ_in_order_only_are_one() -> None:
    first, second = (
        decode_protobuf(_with_resource(attributes), SETTINGS).spans[0].resource
        for attributes in ([("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")])
    )
    assert first.resource_id == second.resource_id
    assert decode_protobuf(_with_resource([("a", "1")]), SETTINGS).spans[0].resource.resource_id != first.resource_id


def test_a_resource_has_the_same_id_in_every_process() -> None:
    """The id is stored; a digest that changed would give every known resource a second row."""
    resource = decode_protobuf(_with_resource([("service.name", "shop"), ("Ü", "\n")]), SETTINGS).spans[0].resource
    assert resource.resource_id == 4079188831817368624


def _with_resource(attributes: list[tuple[str, str]]) -> bytes:
    request = ExportTraceServiceRequest.FromString(body_of(span()))
    del request.resource_spans[0].resource.attributes[:]
    request.resource_spans[0].resource.attributes.extend(text_attribute(*pair) for pair in attributes)
    return request.SerializeToString()


def test_a_message_given_in_two_pieces_is_merged() -> None:
    """Protobuf allows it; concatenated requests are the usual case."""
    first, second = body_of(span(1)), body_of(span(2))
    assert [item.name for item in decode_protobuf(first + second, SETTINGS).spans] == ["span 1", "span 2"]
