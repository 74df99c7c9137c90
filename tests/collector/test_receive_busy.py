"""Stock exporters and a busy collector: what is refused retryably arrives in the end."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext

from collector.errors import Busy
from collector.ingest import Receipt
from tests.collector.receiving import Receivers, receivers

SPAN = ReadableSpan("held", SpanContext(1, 2, is_remote=False), start_time=1, end_time=2)

EXPORTERS: dict[str, Callable[[Receivers], SpanExporter]] = {
    "grpc": lambda r: GrpcExporter(endpoint=f"http://127.0.0.1:{r.grpc_port}", insecure=True),
    "http": lambda r: HttpExporter(endpoint=r.url),
}


@pytest.mark.parametrize("kind", EXPORTERS)
def test_an_exporter_comes_back_after_the_time_it_was_told(kind: str) -> None:
    """Two seconds stretch the exporter's six attempts over the ten seconds it has."""
    asked_s: list[float] = []

    def refuse_first(future: Future[Receipt]) -> bool:
        asked_s.append(time.monotonic())
        if len(asked_s) == 1:
            future.set_exception(Busy("the writer is behind", 2))
        return len(asked_s) == 1

    with receivers() as server:
        server.ingest.before = refuse_first
        exporter = EXPORTERS[kind](server)
        assert exporter.export([SPAN]) is SpanExportResult.SUCCESS
        exporter.shutdown()
        assert [item.name for item in server.ingest.spans] == ["held"]
    assert len(asked_s) == 2
    assert 1.5 < asked_s[1] - asked_s[0] < 3.5


@pytest.mark.parametrize("kind", EXPORTERS)
def test_an_exporter_waits_while_it_is_held(kind: str) -> None:
    """Holding a request saves the clients that never retry."""
    held: list[Future[Receipt]] = []

    def hold(future: Future[Receipt]) -> bool:
        held.append(future)
        return True

    with receivers() as server:
        server.ingest.before = hold
        exporter = EXPORTERS[kind](server)
        sent: Future[SpanExportResult] = Future()
        Thread(target=lambda: sent.set_result(exporter.export([SPAN]))).start()
        time.sleep(1.5)
        assert len(held) == 1
        assert not sent.done()
        held[0].set_result(Receipt(1, []))
        assert sent.result(timeout=5) is SpanExportResult.SUCCESS
        exporter.shutdown()
