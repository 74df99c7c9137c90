"""Hands finished spans to the real OTLP exporter in large batches, and counts what arrived.

The SDK's BatchSpanProcessor drops spans when its queue is full, silently; loading history fills any queue. Here a
batch is exported before the next one is filled, so the sender waits for the collector and nothing is dropped.
"""

from collections.abc import Callable
from enum import StrEnum
from time import sleep
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

BATCH_SPANS = 800
EXPORT_TIMEOUT_S = 30.0
RETRY_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)
TRACES_PATH = "/v1/traces"


class Protocol(StrEnum):
    """How spans travel."""

    HTTP = "http/protobuf"
    GRPC = "grpc"


DEFAULT_ENDPOINTS = {Protocol.HTTP: "http://127.0.0.1:4318", Protocol.GRPC: "http://127.0.0.1:4317"}


def make_exporter(protocol: Protocol, endpoint: str | None, headers: dict[str, str]) -> SpanExporter:
    """The OTLP exporter of the OpenTelemetry project for this protocol.

    Args:
        protocol: transport and encoding.
        endpoint: base URL of the collector; None is its usual port on this machine. For HTTP the path
            `/v1/traces` is added where the URL has none.
        headers: sent with every request, such as an authorization header.
    """
    url = endpoint or DEFAULT_ENDPOINTS[protocol]
    if protocol is Protocol.GRPC:
        plain = urlsplit(url).scheme != "https"
        lower = {name.lower(): value for name, value in headers.items()}
        return GrpcExporter(endpoint=url, insecure=plain, headers=lower, timeout=EXPORT_TIMEOUT_S)
    if urlsplit(url).path in {"", "/"}:
        url = url.rstrip("/") + TRACES_PATH
    return HttpExporter(endpoint=url, headers=headers, timeout=EXPORT_TIMEOUT_S)


class Delivery:
    """Collects ended spans and exports them; `sent` and `failed` always add up to what was taken and flushed."""

    def __init__(
        self, exporter: SpanExporter, *, batch_spans: int = BATCH_SPANS, wait: Callable[[float], None] = sleep
    ) -> None:
        self._exporter = exporter
        self._batch_spans = batch_spans
        self._wait = wait
        self._batch: list[ReadableSpan] = []
        self.sent = 0
        self.failed = 0
        self.retries = 0

    def take(self, span: ReadableSpan) -> None:
        """Take one ended span; exports when a batch is full."""
        self._batch.append(span)
        if len(self._batch) >= self._batch_spans:
            self.flush()

    def flush(self) -> None:
        """Export what is held; a batch that keeps failing is counted as failed."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        if self._export(batch):
            self.sent += len(batch)
        else:
            self.failed += len(batch)

    def close(self) -> None:
        """Export the rest and end the exporter."""
        self.flush()
        self._exporter.shutdown()

    def _export(self, batch: list[ReadableSpan]) -> bool:
        if self._exporter.export(batch) is SpanExportResult.SUCCESS:
            return True
        for seconds in RETRY_WAITS_S:
            self._wait(seconds)
            self.retries += 1
            if self._exporter.export(batch) is SpanExportResult.SUCCESS:
                return True
        return False
