"""Files of OTLP requests, as an OpenTelemetry Collector and as people write them."""

import gzip
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dashboard.otlp_files import (
    OtherSignal,
    Request,
    Unreadable,
    files_in,
    halves,
    is_framed_protobuf,
    read_requests,
)


def protobuf_request(spans: int, name: str = "step") -> bytes:
    request = ExportTraceServiceRequest()
    for group in range(2):
        scope = request.resource_spans.add().scope_spans.add()
        for n in range(spans // 2 + (spans % 2) * group):
            scope.spans.add(trace_id=b"t" * 16, span_id=(group * 1000 + n + 1).to_bytes(8, "big"), name=name)
    return request.SerializeToString()


def json_request(spans: int) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [{"spanId": f"{n:016x}"} for n in range(spans)]}]}]}


def read(data: bytes) -> list[object]:
    return list(read_requests(io.BytesIO(data), "f"))


def test_one_protobuf_request() -> None:
    body = protobuf_request(5)
    assert read(body) == [Request("f", body, "protobuf", 5)]


def test_protobuf_messages_behind_their_lengths() -> None:
    """What a Collector's file exporter writes with `format: proto`."""
    bodies = [protobuf_request(n) for n in (1, 300, 2)]
    framed = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    assert read(framed) == [Request(f"f:#{n}", body, "protobuf", spans) for n, (body, spans) in
                            enumerate(zip(bodies, (1, 300, 2), strict=True), 1)]  # fmt: skip


def test_json_lines_are_told_by_line() -> None:
    lines = [json_request(2), {"resourceLogs": []}, json_request(3)]
    text = "\n".join([json.dumps(lines[0]), "", "{broken", json.dumps(lines[1]), json.dumps(lines[2])]) + "\n"
    first, broken, logs, last = read(text.encode())
    assert isinstance(first, Request)
    assert (first.where, first.spans) == ("f:1", 2)
    assert isinstance(broken, Unreadable)
    assert broken.where == "f:3"
    assert logs == OtherSignal("f:4")
    assert isinstance(last, Request)
    assert (last.where, last.spans) == ("f:5", 3)


def test_one_json_document_over_many_lines() -> None:
    text = json.dumps(json_request(4), indent=2).encode()
    assert [(r.where, r.spans) for r in read(text) if isinstance(r, Request)] == [("f", 4)]


def test_a_broken_first_line_does_not_hide_the_rest() -> None:
    broken, good = read(b"{oops\n" + json.dumps(json_request(1)).encode())
    assert isinstance(broken, Unreadable)
    assert broken.where == "f:1"
    assert isinstance(good, Request)
    assert good.where == "f:2"


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    text = "\ufeff" + json.dumps(json_request(1)) + "\r\n" + json.dumps(json_request(2)) + "\r\n"
    assert [r.spans for r in read(text.encode()) if isinstance(r, Request)] == [1, 2]


@pytest.mark.parametrize("plain", [protobuf_request(3), json.dumps(json_request(3)).encode()])
def test_gzip_of_either(plain: bytes) -> None:
    (request,) = read(gzip.compress(plain))
    assert isinstance(request, Request)
    assert (request.body, request.spans) == (plain, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\n  \n", "is no OTLP trace request in protobuf|nothing but white space"),
        (b"[1]", "holds a JSON list"),
        (b'{"a": 1}', "no resourceSpans"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (b"\x89PNG\r\n\x1a\n", "is not valid JSON|neither JSON nor protobuf"),
        (b"\x00\x00\x00\x09\x0a", "the file ends after 1 of 9 bytes"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "gzip data is broken"),
        (b"# a title\n\nand text\n", "is not valid JSON"),
    ],
)
def test_what_is_no_request_is_told(data: bytes, reason: str) -> None:
    found = read(data)
    assert found
    assert all(isinstance(item, Unreadable) for item in found)
    assert re.search(reason, str(found[-1]))


@given(st.binary(max_size=200))
def test_any_bytes_give_findings_and_no_exception(data: bytes) -> None:
    for item in read(data):
        assert item.where.startswith("f")


def test_newline_and_tag_are_told_apart() -> None:
    """A protobuf request begins with 0x0A, and so does text after an empty line; one may even go on with a brace."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add(schema_url="x" * (ord("{") - 2))
    body = request.SerializeToString()
    assert body.startswith(b"\n{")
    assert is_framed_protobuf(body)
    assert [item.encoding for item in read(body) if isinstance(item, Request)] == ["protobuf"]
    assert [
        item.encoding for item in read(b"\n" + json.dumps(json_request(1)).encode()) if isinstance(item, Request)
    ] == ["json"]


@pytest.mark.parametrize("spans", [2, 3, 7])
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_halves_hold_every_span_once(encoding: str, spans: int) -> None:
    body = protobuf_request(spans) if encoding == "protobuf" else json.dumps(json_request(spans)).encode()
    (request,) = [item for item in read(body) if isinstance(item, Request)]
    parts = halves(request)
    assert parts is not None
    assert [part.spans for part in parts] == [spans // 2, spans - spans // 2]
    assert sorted(span_ids(parts[0]) + span_ids(parts[1])) == sorted(span_ids(request))


def test_one_span_has_no_halves() -> None:
    (request,) = [item for item in read(protobuf_request(1)) if isinstance(item, Request)]
    assert halves(request) is None


def span_ids(request: Request) -> list[str]:
    if request.encoding == "json":
        document = json.loads(request.body)
        return [s["spanId"] for r in document["resourceSpans"] for c in r["scopeSpans"] for s in c["spans"]]
    message = ExportTraceServiceRequest.FromString(request.body)
    return [s.span_id.hex() for r in message.resource_spans for c in r.scope_spans for s in c.spans]


def test_a_folder_means_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.pb", "a/2.pb", "a/1.pb", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(p.relative_to(tmp_path)) for p in files_in(tmp_path)] == ["a/1.pb", "a/2.pb", "b.pb"]
