"""OTLP/gRPC on the wire, with an ingest in memory."""

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import grpc
import psutil
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import Busy
from collector.ingest import Receipt
from collector.receive import grpc as receive_grpc
from tests.collector.receiving import Receivers, receivers
from tests.collector.requests import body_of, span

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
BODY = body_of(span())


@pytest.fixture(scope="module")
def shared() -> Iterator[Receivers]:
    with receivers(max_body_bytes=1 << 20) as running:
        yield running


@pytest.fixture
def server(shared: Receivers) -> Iterator[Receivers]:
    shared.ingest.spans.clear()
    shared.ingest.bodies.clear()
    shared.ingest.refused.clear()
    yield shared
    shared.ingest.before = lambda future: False


def export(server: Receivers, body: bytes, **call: Any) -> ExportTraceServiceResponse:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", options=options) as channel:
        return ExportTraceServiceResponse.FromString(channel.unary_unary(EXPORT)(body, **call))


def failure_of(server: Receivers, body: bytes, **call: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        export(server, body, **call)
    return caught.value


def trailers_of(error: Any) -> dict[str, bytes]:
    return dict(error.trailing_metadata())


@pytest.mark.parametrize("compression", grpc.Compression)
def test_spans_arrive_with_every_compression(server: Receivers, compression: grpc.Compression) -> None:
    response = export(server, BODY, compression=compression)
    assert not response.HasField("partial_success")
    assert [item.name for item in server.ingest.spans] == ["span 1"]


def test_an_empty_request_succeeds(server: Receivers) -> None:
    assert not export(server, b"").HasField("partial_success")


def test_rejected_spans_are_told_with_their_reasons(server: Receivers) -> None:
    response = export(server, body_of(span(1), span(2, trace_id=bytes(16))))
    assert response.partial_success.rejected_spans == 1
    assert "trace_id is all zero" in response.partial_success.error_message
    assert len(server.ingest.spans) == 1


@pytest.mark.parametrize("body", [b"\xff garbage", BODY[:-4], gzip.compress(BODY)])
def test_garbage_is_an_invalid_argument(server: Receivers, body: bytes) -> None:
    error = failure_of(server, body)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = Status.FromString(trailers_of(error)["grpc-status-details-bin"])
    assert (status.code, status.message) == (3, error.details())


@pytest.mark.parametrize(
    "method",
    ["/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", EXPORT.replace("Export", "Import"), "/x/y"],
)
def test_other_services_are_unimplemented(server: Receivers, method: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(BODY)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("size", "compression"),
    [((1 << 20) + 1, grpc.Compression.NoCompression), (100 << 20, grpc.Compression.Gzip)],
)
def test_a_message_over_the_limit_is_refused_for_good(
    server: Receivers, size: int, compression: grpc.Compression
) -> None:
    error = failure_of(server, bytes(size), compression=compression)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "google.rpc.retryinfo-bin" not in trailers_of(error)
    assert not server.ingest.bodies
    assert not export(server, BODY).HasField("partial_success")


def test_a_busy_store_is_told_retryably_in_both_places(server: Receivers) -> None:
    def refuse(future: Future[Receipt]) -> bool:
        future.set_exception(Busy("the writer is behind", 2))
        return True

    server.ingest.before = refuse
    error = failure_of(server, BODY)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    trailers = trailers_of(error)
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]).retry_delay.seconds == 2
    inside = RetryInfo()
    assert Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(inside)
    assert inside.retry_delay.seconds == 2


def test_a_token_is_asked_for_where_one_is_set() -> None:
    with receivers(write_token="s3cret") as server:
        for metadata in ((), (("authorization", "Bearer wrong"),), (("authorization", "s3cret"),)):
            assert failure_of(server, BODY, metadata=metadata).code() is grpc.StatusCode.UNAUTHENTICATED
        export(server, BODY, metadata=(("authorization", "Bearer s3cret"),))
        assert server.ingest.refused == {"unauthenticated": 3}
        assert len(server.ingest.bodies) == 1


def test_a_thousand_wrong_tokens_are_cheap() -> None:
    with receivers(write_token="s3cret") as guarded:
        started = time.process_time()
        with grpc.insecure_channel(f"127.0.0.1:{guarded.grpc_port}") as channel:
            call = channel.unary_unary(EXPORT)
            for _ in range(1_000):
                with pytest.raises(grpc.RpcError):
                    call(BODY, metadata=(("authorization", "Bearer wrong"),))
        assert time.process_time() - started < 5


def held_by(server: Receivers) -> list[Future[Receipt]]:
    held: list[Future[Receipt]] = []

    def hold(future: Future[Receipt]) -> bool:
        held.append(future)
        return True

    server.ingest.before = hold
    return held


def wait_for(held: list[Future[Receipt]], count: int) -> None:
    deadline = time.monotonic() + 10
    while len(held) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(held) == count


def test_a_hundred_streams_wait_at_the_same_time(server: Receivers) -> None:
    held = held_by(server)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        calls = [channel.unary_unary(EXPORT).future(BODY) for _ in range(100)]
        wait_for(held, 100)
        assert not any(call.done() for call in calls)
        for future in held:
            future.set_result(Receipt(1, []))
        assert {call.result(timeout=10) for call in calls} == {b""}


def test_more_than_can_wait_are_told_to_come_back(server: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_grpc, "MAX_WAITING_REQUESTS", 3)
    held = held_by(server)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        calls = [channel.unary_unary(EXPORT).future(BODY) for _ in range(3)]
        wait_for(held, 3)
        error = failure_of(server, BODY)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "google.rpc.retryinfo-bin" in trailers_of(error)
        for future in held:
            future.set_result(Receipt(1, []))
        assert all(call.result(timeout=10) == b"" for call in calls)


def test_cancelled_and_expired_calls_leave_nothing_behind(server: Receivers) -> None:
    """A thousand calls that the client gives up on: threads and file descriptors stay as they were."""
    held = held_by(server)
    process = psutil.Process()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.unary_unary(EXPORT)
        call.future(BODY).cancel()
        before = threading.active_count(), process.num_fds()
        for i in range(1_000):
            if i % 2:
                call.future(BODY).cancel()
            else:
                call.future(BODY, timeout=0.001)
        time.sleep(0.5)
        for future in list(held):
            if not future.done():
                future.set_result(Receipt(1, []))
        server.ingest.before = lambda future: False
        assert call(BODY, timeout=5) == b""
        deadline = time.monotonic() + 10
        while threading.active_count() > before[0] + 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert threading.active_count() <= before[0] + 2
        assert process.num_fds() <= before[1] + 4


def test_keepalive_pings_do_not_end_the_connection(server: Receivers) -> None:
    options = [("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_permit_without_calls", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", options=options) as channel:
        call = channel.unary_unary(EXPORT)
        assert call(BODY) == b""
        assert call(BODY) == b""


def test_a_request_in_flight_is_answered_at_a_stop() -> None:
    with receivers() as server:
        held = held_by(server)
        channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
        call = channel.unary_unary(EXPORT).future(BODY)
        wait_for(held, 1)
        threading.Timer(0.3, lambda: held[0].set_result(Receipt(1, []))).start()
    assert call.result(timeout=5) == b""
    channel.close()
