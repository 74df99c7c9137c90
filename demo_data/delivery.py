"""Hands finished spans to the real OTLP exporter in large batches, and counts what arrived.

The SDK's BatchSpanProcessor drops spans when its queue is full, silently; loading history fills any queue. Here
whoever makes spans waits for the collector, and nothing is dropped.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from threading import Event
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

BATCH_SPANS = 1_500
EXPORT_TIMEOUT_S = 10.0
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
    """Collects ended spans and exports them; after a flush `sent` and `failed` add up to what was taken.

    One batch may be on its way while the next is filled: the collector works while runs are planned. Taking waits
    when the one after that is full, too.
    """

    def __init__(
        self, exporter: SpanExporter, *, batch_spans: int = BATCH_SPANS, wait: Callable[[float], bool] | None = None
    ) -> None:
        """Deliver through an exporter.

        Args:
            exporter: the OTLP exporter; closed with the delivery.
            batch_spans: spans in one request.
            wait: sleeps that many seconds before a batch is tried again; True means to give it up.
        """
        self._exporter = exporter
        self._batch_spans = batch_spans
        self._wait = wait or Event().wait
        self._batch: list[ReadableSpan] = []
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="delivery")
        self._on_its_way: Future[None] | None = None
        self.sent = 0
        self.failed = 0
        self.retries = 0

    def take(self, span: ReadableSpan) -> None:
        """Take one ended span; sends when a batch is full."""
        self._batch.append(span)
        if len(self._batch) >= self._batch_spans:
            self._send()

    def flush(self) -> None:
        """Send what is held and wait until everything was answered."""
        self._send()
        self._settle()

    def close(self) -> None:
        """Send the rest and end the exporter."""
        self.flush()
        self._sender.shutdown()
        self._exporter.shutdown()

    def _send(self) -> None:
        self._settle()
        if self._batch:
            batch, self._batch = self._batch, []
            self._on_its_way = self._sender.submit(self._deliver, batch)

    def _settle(self) -> None:
        if self._on_its_way is not None:
            self._on_its_way.result()
            self._on_its_way = None

    def _deliver(self, batch: list[ReadableSpan]) -> None:
        if self._export(batch):
            self.sent += len(batch)
        else:
            self.failed += len(batch)

    def _export(self, batch: list[ReadableSpan]) -> bool:
        if self._exporter.export(batch) is SpanExportResult.SUCCESS:
            return True
        for seconds in RETRY_WAITS_S:
            if self._wait(seconds):
                return False
            self.retries += 1
            if self._exporter.export(batch) is SpanExportResult.SUCCESS:
                return True
        return False
