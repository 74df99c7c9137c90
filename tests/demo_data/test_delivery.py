"""Nothing is lost on the way, and what could not be sent is counted."""

from concurrent import futures

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from demo_data.delivery import RETRY_WAITS_S, Delivery, Protocol, make_exporter
from demo_data.send import History, history_runs, send_history
from tests.demo_data.conftest import Sink

HISTORY = History(seed=3, end_ns=1_795_392_000_000_000_000, days=1, factor=0.05)


def planned_ids() -> set[bytes]:
    """Ids of every span of the history."""
    return {span.span_id.to_bytes(8, "big") for run in history_runs(HISTORY) for span in run.spans}


class Refusing(SpanExporter):
    """Fails a number of times, then takes everything."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.taken: list[ReadableSpan] = []

    def export(self, spans: list[ReadableSpan]) -> SpanExportResult:
        if self.failures:
            self.failures -= 1
            return SpanExportResult.FAILURE
        self.taken += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


def test_every_span_arrives_once(sink: Sink) -> None:
    """The sum of what the sink got is exactly what was planned."""
    delivery = Delivery(make_exporter(Protocol.HTTP, sink.url, {}), batch_spans=50)
    runs = send_history(HISTORY, delivery)
    delivery.close()
    arrived = [span.span_id for span in sink.spans()]
    assert len(arrived) == len(set(arrived)) == delivery.sent
    assert set(arrived) == planned_ids()
    assert runs == sum(1 for _ in history_runs(HISTORY))
    assert delivery.failed == 0


def test_a_sink_that_refuses_at_first_gets_everything(sink: Sink) -> None:
    """Statuses that must not be retried by the exporter are retried by the delivery."""
    sink.refusals = [400, 404, 500]
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    delivery = Delivery(make_exporter(Protocol.HTTP, sink.url, {}), batch_spans=80, wait=wait)
    send_history(HISTORY, delivery)
    delivery.close()
    assert {span.span_id for span in sink.spans()} == planned_ids()
    assert delivery.failed == 0
    assert delivery.retries == len(waits) == 3


def test_what_cannot_be_sent_is_counted_and_ends_the_history() -> None:
    """A batch that failed every try is lost; the rest of four weeks is not tried on a collector that is gone."""
    exporter = Refusing(failures=1_000_000)
    delivery = Delivery(exporter, batch_spans=30, wait=lambda seconds: False)
    runs = send_history(HISTORY, delivery)
    delivery.close()
    assert delivery.sent == 0
    assert 30 <= delivery.failed < len(planned_ids())
    assert delivery.retries <= 3 * len(RETRY_WAITS_S)
    assert runs < sum(1 for _ in history_runs(HISTORY))


def test_whoever_is_told_to_stop_does_not_try_again() -> None:
    """A collector that went away first must not hold up the end of live traffic."""
    exporter = Refusing(failures=1_000)
    delivery = Delivery(exporter, wait=lambda seconds: True)
    send_history(HISTORY, delivery)
    delivery.close()
    assert delivery.retries == 0
    assert delivery.failed


def test_headers_travel_with_every_request(sink: Sink) -> None:
    """A token given once is on each request."""
    delivery = Delivery(make_exporter(Protocol.HTTP, sink.url, {"authorization": "Bearer t0ken"}), batch_spans=60)
    send_history(HISTORY, delivery)
    delivery.close()
    assert len(sink.headers) > 1
    assert {headers["authorization"] for headers in sink.headers} == {"Bearer t0ken"}


def test_grpc_carries_the_same_spans() -> None:
    """The other protocol, its own exporter, the same history."""
    got: list[bytes] = []
    tokens: set[str] = set()

    class Servicer(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request, context):
            tokens.add(dict(context.invocation_metadata())["authorization"])
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    got.extend(span.span_id for span in scope.spans)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        exporter = make_exporter(Protocol.GRPC, f"http://127.0.0.1:{port}", {"Authorization": "Bearer t0ken"})
        delivery = Delivery(exporter)
        send_history(HISTORY, delivery)
        delivery.close()
    finally:
        server.stop(None).wait()
    assert set(got) == planned_ids()
    assert tokens == {"Bearer t0ken"}


@pytest.mark.parametrize("url", ["http://collector.example:4318", "http://collector.example:4318/"])
def test_a_base_url_gets_the_path_of_traces(url: str) -> None:
    """Only a URL that already has a path keeps it."""
    exporter = make_exporter(Protocol.HTTP, url, {})
    assert exporter._endpoint == "http://collector.example:4318/v1/traces"
    exporter.shutdown()
