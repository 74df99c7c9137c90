"""OTLP/HTTP on the wire, with an ingest in memory: what is answered to what."""

import contextlib
import gzip
import json
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import Busy, StoreUnavailable
from collector.receive import CannotListen, check_exposure, connection, http
from schemas.settings import Settings
from tests import local
from tests.collector.receiving import Receivers, receivers
from tests.collector.requests import body_of, request, span
from tests.otlp_json import to_json

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
BODY = body_of(span())


@pytest.fixture(scope="module")
def shared() -> Iterator[Receivers]:
    with receivers(max_body_bytes=1 << 20) as running:
        yield running


@pytest.fixture
def server(shared: Receivers) -> Receivers:
    shared.ingest.spans.clear()
    shared.ingest.bodies.clear()
    shared.ingest.refused.clear()
    return shared


def post(server: Receivers, body: Any, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    return local.post(server.url, content=body, headers=PROTOBUF | (headers or {}), **more)


def status_of(response: httpx.Response) -> Status:
    """The Status in the body, in the encoding the response claims."""
    if response.headers["content-type"] == "application/json":
        said = response.json()
        return Status(code=said["code"], message=said["message"])
    assert response.headers["content-type"] == "application/x-protobuf"
    return Status.FromString(response.content)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_spans_arrive_in_every_encoding(server: Receivers, encoding: str, headers: dict[str, str]) -> None:
    body = BODY if headers is PROTOBUF else to_json(request(span()))
    response = post(server, COMPRESS[encoding](body), headers | {"Content-Encoding": encoding})
    assert response.status_code == 200
    assert response.headers["content-type"] == headers["Content-Type"]
    assert response.content == (b"" if headers is PROTOBUF else b"{}")
    assert [item.name for item in server.ingest.spans] == ["span 1"]


def test_several_gzip_members_are_one_body(server: Receivers) -> None:
    half = len(BODY) // 2
    body = gzip.compress(BODY[:half]) + gzip.compress(BODY[half:])
    assert post(server, body, {"Content-Encoding": "gzip"}).status_code == 200
    assert len(server.ingest.spans) == 1


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", BODY, 400),
        ("gzip", gzip.compress(BODY)[:-3], 400),
        ("gzip", gzip.compress(BODY) + b"more", 400),
        ("gzip", gzip.compress(b"") * 100, 400),
        ("gzip", b"", 400),
        ("deflate", zlib.compress(BODY) + b"more", 400),
        ("deflate", zlib.compress(BODY)[:-3], 400),
        ("gzip", gzip.compress(gzip.compress(BODY)), 400),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY)), 400),
        ("br", BODY, 415),
        ("zstd", BODY, 415),
    ],
)
def test_a_body_that_is_not_what_its_header_says_is_refused(
    server: Receivers, encoding: str, body: bytes, status: int
) -> None:
    response = post(server, body, {"Content-Encoding": encoding})
    assert response.status_code == status
    assert status_of(response).code == 3
    assert not server.ingest.spans


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
@pytest.mark.parametrize("body", [b"\xff garbage", BODY[:-4], b'{"resourceSpans":[{'])
def test_garbage_is_refused_in_the_encoding_of_the_request(
    server: Receivers, headers: dict[str, str], body: bytes
) -> None:
    response = post(server, body, headers)
    assert response.status_code == 400
    assert response.headers["content-type"] == headers["Content-Type"]
    assert status_of(response).code == 3
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("content_type", "answered"),
    [
        ("application/json; charset=utf-8", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/x-protobuf; charset=utf-8", "application/x-protobuf"),
    ],
)
def test_content_types_are_read_as_http_has_them(server: Receivers, content_type: str, answered: str) -> None:
    body = b"{}" if "json" in answered else b""
    response = post(server, body, {"Content-Type": content_type})
    assert (response.status_code, response.headers["content-type"]) == (200, answered)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/grpc", "application/octet-stream"])
def test_other_content_types_are_refused(server: Receivers, content_type: str) -> None:
    response = post(server, BODY, {"Content-Type": content_type})
    assert response.status_code == 415
    assert "application/x-protobuf or application/json" in status_of(response).message
    assert server.ingest.refused["content_type"] == 1


@pytest.mark.parametrize(("headers", "body"), [(PROTOBUF, b""), (JSON, b""), (JSON, b"{}"), (PROTOBUF, b"\x0a\x00")])
def test_an_empty_request_succeeds(server: Receivers, headers: dict[str, str], body: bytes) -> None:
    response = post(server, body, headers)
    assert response.status_code == 200
    assert not server.ingest.spans


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(server: Receivers, method: str) -> None:
    response = local.request(method, server.url, headers=PROTOBUF)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/v1/traces/", "/v1/metrics", "/", "/%2e%2e/etc/passwd"])
def test_other_paths_do_not_exist(server: Receivers, path: str) -> None:
    response = local.post(f"http://127.0.0.1:{server.http_port}{path}", content=BODY, headers=PROTOBUF)
    assert response.status_code == 404
    assert status_of(response).code == 5


def test_rejected_spans_are_told_with_their_reasons(server: Receivers) -> None:
    bad_traces = [span(i, trace_id=b"x" * 15) for i in range(3)]
    bad_spans = [span(i, span_id=bytes(8)) for i in range(2)]
    good = [span(i) for i in range(95)]
    response = post(server, body_of(*good[:50], *bad_traces, *bad_spans, *good[50:]))
    assert response.status_code == 200
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans == 5
    assert "3 invalid_trace_id (first: trace_id has 15 bytes instead of 16" in partial.error_message
    assert "2 invalid_span_id (first: span_id is all zero)" in partial.error_message
    assert len(server.ingest.spans) == 95


def test_rejected_spans_are_told_in_json_too(server: Receivers) -> None:
    body = to_json(request(span(1, trace_id=b"short")))
    partial = post(server, body, JSON).json()["partialSuccess"]
    assert int(partial["rejectedSpans"]) == 1
    assert partial["errorMessage"]


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_a_body_over_the_limit_is_refused_and_the_connection_goes_on(
    server: Receivers, headers: dict[str, str]
) -> None:
    with local.Client() as client:
        response = client.post(server.url, content=bytes((1 << 20) + 1), headers=headers)
        assert response.status_code == 413
        assert status_of(response).code == 8
        assert "retry-after" not in response.headers
        assert client.post(server.url, content=BODY, headers=PROTOBUF).status_code == 200


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 65_536):
        yield bytes(65_536)


def test_a_chunked_body_over_the_limit_is_refused(server: Receivers) -> None:
    assert post(server, chunks(2 << 20)).status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_inflates_over_the_limit_is_refused(server: Receivers, encoding: str) -> None:
    bomb = COMPRESS[encoding](bytes(200 << 20))
    assert len(bomb) < 1 << 20
    response = post(server, bomb, {"Content-Encoding": encoding})
    assert response.status_code == 413
    assert not server.ingest.bodies


def test_a_body_of_exactly_the_limit_is_taken(server: Receivers) -> None:
    body = BODY + b"\x92\x3f" + b"\xe0\xff\x3f" + bytes(0x0FFFE0)
    body = body[: 1 << 20]
    assert post(server, gzip.compress(body), {"Content-Encoding": "gzip"}).status_code in {200, 400}
    assert server.ingest.bodies == [body]


def test_too_many_bodies_at_once_are_told_to_come_back() -> None:
    with receivers(queue_bytes=100_000) as server:
        response = post(server, bytes(200_000))
        assert response.status_code == 503
        assert response.headers["retry-after"] == "2"
        assert post(server, BODY).status_code == 200


@pytest.mark.parametrize("error", [Busy("held", 3), StoreUnavailable("the disk is full", 3)])
@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_a_busy_store_is_told_retryably(error: Busy, headers: dict[str, str]) -> None:
    def refuse(future: Future[Any]) -> bool:
        future.set_exception(error)
        return True

    with receivers() as server:
        server.ingest.before = refuse
        response = post(server, b"", headers)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "3"
    assert status_of(response).code == 14
    assert status_of(response).message == str(error)


# --- transport -----------------------------------------------------------------------------------------------------


def talk(server: Receivers, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Everything the server says to these bytes until it closes or a second passes."""
    with socket.create_connection(("127.0.0.1", server.http_port)) as sock:
        for part in parts:
            sock.sendall(part)
            time.sleep(pause_s)
        sock.settimeout(1)
        said = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while piece := sock.recv(65_536):
                said += piece
        return said


def head(*lines: str, version: str = "1.1") -> bytes:
    head_lines = [f"POST /v1/traces HTTP/{version}", "Content-Type: application/x-protobuf", *lines]
    if version == "1.1":
        head_lines.append("Host: 127.0.0.1")
    return "\r\n".join([*head_lines, "", ""]).encode()


PLAIN = head(f"Content-Length: {len(BODY)}") + BODY


def test_a_chunked_body_is_read_whole(server: Receivers) -> None:
    sent = b"".join(b"%x\r\n%s\r\n" % (len(BODY[i : i + 7]), BODY[i : i + 7]) for i in range(0, len(BODY), 7))
    said = talk(server, head("Transfer-Encoding: chunked", "Connection: close"), sent + b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200")
    assert len(server.ingest.spans) == 1


def test_expect_100_continue_is_answered_before_the_body_comes(server: Receivers) -> None:
    with socket.create_connection(("127.0.0.1", server.http_port)) as sock:
        sock.settimeout(5)
        sock.sendall(head(f"Content-Length: {len(BODY)}", "Expect: 100-continue", "Connection: close"))
        assert sock.recv(4096).startswith(b"HTTP/1.1 100")
        sock.sendall(BODY)
        assert b"HTTP/1.1 200" in sock.recv(4096)


def test_a_connection_serves_a_hundred_requests(server: Receivers) -> None:
    with local.Client() as client:
        assert {client.post(server.url, content=BODY, headers=PROTOBUF).status_code for _ in range(100)} == {200}
    assert len(server.ingest.spans) == 100


def test_an_answer_with_a_body_does_not_wait_for_the_network(server: Receivers) -> None:
    """Nagle's algorithm held the second piece of each answer back for 40 ms."""
    with local.Client() as client:
        client.post(server.url, content=b"garbage", headers=PROTOBUF)
        started = time.monotonic()
        for _ in range(20):
            client.post(server.url, content=b"garbage", headers=PROTOBUF)
        assert time.monotonic() - started < 0.5


def test_pipelined_requests_are_answered_in_order(server: Receivers) -> None:
    said = talk(server, PLAIN * 3 + PLAIN.replace(b"x-protobuf", b"x-unknown!") + PLAIN)
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200", b"200", b"200", b"415", b"200"]


def test_http_1_0_is_served(server: Receivers) -> None:
    said = talk(server, head(f"Content-Length: {len(BODY)}", version="1.0") + BODY)
    assert b" 200 OK" in said
    assert len(server.ingest.spans) == 1


def test_headers_have_a_limit(server: Receivers) -> None:
    assert b" 200 " not in talk(server, head("X-Long: " + "x" * 1_000_000))
    assert post(server, BODY).status_code == 200


def test_what_is_not_http_is_refused_and_the_server_goes_on(server: Receivers) -> None:
    assert talk(server, b"\x16\x03\x01 not http\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert post(server, BODY).status_code == 200


def test_a_client_that_goes_away_mid_body_stores_nothing(server: Receivers) -> None:
    with socket.create_connection(("127.0.0.1", server.http_port)) as sock:
        sock.sendall(head(f"Content-Length: {len(BODY)}") + BODY[:-1])
    deadline = time.monotonic() + 5
    while not server.ingest.refused["disconnected"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.ingest.refused["disconnected"] == 1
    assert not server.ingest.bodies


def closed_after_s(server: Receivers, sent: bytes) -> float:
    """How long the server keeps a connection open on which only `sent` arrives."""
    with socket.create_connection(("127.0.0.1", server.http_port)) as sock:
        sock.sendall(sent)
        sock.settimeout(10)
        started = time.monotonic()
        while sock.recv(4096):
            pass
        return time.monotonic() - started


def test_slow_senders_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers that never end, bodies that never end, and connections that never say anything."""
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.3)
    monkeypatch.setattr(http, "BODY_TIMEOUT_S", 0.6)
    with receivers() as server:
        assert 0.2 < closed_after_s(server, b"") < 2
        assert 0.2 < closed_after_s(server, b"POST /v1/traces HTTP/1.1\r\nHost: 127") < 2
        assert 0.5 < closed_after_s(server, head("Content-Length: 1000") + b"x") < 2
        assert server.ingest.refused["timeout"] == 1
        assert post(server, BODY).status_code == 200


def test_a_refused_body_that_keeps_dripping_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_TIMEOUT_S", -4.5)
    with receivers() as server:
        assert closed_after_s(server, head("Content-Length: 999999999999") + b"x") < 2


def test_a_hundred_idle_connections_leave_the_server_responsive(server: Receivers) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.http_port)))
            sock.sendall(b"POST /v1/tra")
        started = time.monotonic()
        assert post(server, BODY).status_code == 200
        assert time.monotonic() - started < 1


# --- who may send --------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_where_one_is_set() -> None:
    with receivers(write_token="s3cret") as server:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "s3cret"},
            {"Authorization": "Bearer"},
        ):
            response = post(server, BODY, headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            assert status_of(response).code == 16
        assert post(server, BODY, {"Authorization": "bearer s3cret"}).status_code == 200
        assert server.ingest.refused == {"unauthenticated": 4}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:4318"},
    ],
)
def test_web_pages_are_kept_away(server: Receivers, headers: dict[str, str]) -> None:
    response = post(server, b"{}", JSON | headers)
    assert response.status_code == 403
    assert status_of(response).code == 7
    assert "access-control-allow-origin" not in response.headers
    assert not server.ingest.bodies


@pytest.mark.parametrize("host", ["localhost:4318", "127.0.0.1", "[::1]:4318", "127.8.8.8"])
def test_names_of_this_machine_are_served(server: Receivers, host: str) -> None:
    assert post(server, b"", {"Host": host}).status_code == 200


def test_listed_origins_may_send_and_nothing_else() -> None:
    listed = {"Origin": "https://app.example"}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    with receivers(cors_origins=("https://app.example",)) as server:
        preflight = local.options(server.url, headers=listed | asks)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://app.example"
        assert preflight.headers["access-control-allow-methods"] == "POST"
        assert "access-control-allow-credentials" not in preflight.headers
        sent = post(server, BODY, listed | {"Sec-Fetch-Site": "cross-site"})
        assert sent.status_code == 200
        assert sent.headers["access-control-allow-origin"] == "https://app.example"
        assert local.options(server.url, headers={"Origin": "https://other.example"} | asks).status_code == 403
        assert local.get(f"http://127.0.0.1:{server.http_port}/api/health", headers=listed).status_code == 403


def test_a_preflight_is_refused_by_default(server: Receivers) -> None:
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert local.options(server.url, headers=asks).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_another_address_than_loopback_needs_a_token_or_the_explicit_word(host: str) -> None:
    with pytest.raises(CannotListen, match="--insecure"):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, insecure=True))
    check_exposure(Settings(host=host, write_token="s3cret"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_needs_nothing(host: str) -> None:
    check_exposure(Settings(host=host))


def test_a_taken_port_is_told_with_the_remedy() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for setting in ("http_port", "grpc_port"):
            flag = setting.replace("_", "-")
            expected = pytest.raises(CannotListen, match=rf"127.0.0.1:{port}: Address already in use .* --{flag}")
            with expected, receivers(**{setting: port}):
                pass
    assert threading.active_count() == before


def test_an_address_of_another_machine_is_told() -> None:
    with (
        pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1"),
        receivers(host="192.0.2.1", insecure=True),
    ):
        pass
    with pytest.raises(CannotListen, match="is not an address"), receivers(host="no.such.host.invalid", insecure=True):
        pass


def test_ipv6_loopback_is_served() -> None:
    with receivers(host="::1") as server:
        url = f"http://[::1]:{server.http_port}/v1/traces"
        assert local.post(url, content=BODY, headers=PROTOBUF).status_code == 200


def test_requests_in_flight_are_answered_at_a_stop() -> None:
    held: list[Future[Any]] = []
    answers: list[httpx.Response] = []

    def hold(future: Future[Any]) -> bool:
        held.append(future)
        return True

    with receivers() as server:
        server.ingest.before = hold
        sender = threading.Thread(target=lambda: answers.append(post(server, BODY)))
        sender.start()
        while not held:
            time.sleep(0.01)
        threading.Timer(0.3, lambda: held[0].set_exception(Busy("stopping", 2))).start()
    sender.join()
    assert [answer.status_code for answer in answers] == [503]


def test_json_answers_are_json(server: Receivers) -> None:
    assert json.loads(post(server, b"[]", JSON).content)["code"] == 3
