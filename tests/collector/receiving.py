"""Receivers without a store: an ingest in memory, and both servers on free ports."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, NamedTuple

from collector.decode import decode_json, decode_logs_json, decode_logs_protobuf, decode_protobuf
from collector.errors import CollectorError
from collector.ingest import Encoding, Receipt, Signal
from collector.receive import http_app, start_grpc, start_http
from schemas.records import LogRecord, Span
from schemas.settings import Settings


class MemoryIngest:
    """Decodes and keeps spans at once; `before` can hold or refuse a request."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.spans: list[Span] = []
        self.records: list[LogRecord] = []
        self.bodies: list[bytes] = []
        self.refused: Counter[str] = Counter()
        self.before: Callable[[Future[Receipt]], bool] = lambda future: False

    def submit(self, body: bytes, encoding: Encoding, signal: Signal = "traces") -> "Future[Receipt]":
        future: Future[Receipt] = Future()
        self.bodies.append(body)
        if self.before(future):
            return future
        try:
            if signal == "logs":
                logs = (decode_logs_json if encoding == "json" else decode_logs_protobuf)(body, self.settings)
                self.records.extend(logs.records)
                future.set_result(Receipt(len(logs.records), logs.rejections))
                return future
            decoded = (decode_json if encoding == "json" else decode_protobuf)(body, self.settings)
        except CollectorError as exc:
            future.set_exception(exc)
            return future
        self.spans.extend(decoded.spans)
        future.set_result(Receipt(len(decoded.spans), decoded.rejections))
        return future

    def count_refusal(self, reason: str) -> None:
        self.refused[reason] += 1


class Receivers(NamedTuple):
    """Where the servers listen, and what they received."""

    ingest: MemoryIngest
    grpc_port: int
    http_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/v1/traces"


@contextmanager
def receivers(**settings: Any) -> Iterator[Receivers]:
    """Both servers with these settings."""
    chosen = Settings(**({"grpc_port": 0, "http_port": 0} | settings))
    ingest = MemoryIngest(chosen)
    grpc_server = start_grpc(ingest, chosen)
    try:
        http_server = start_http(http_app(ingest, chosen, []), chosen)
        try:
            yield Receivers(ingest, grpc_server.port, http_server.port)
        finally:
            http_server.stop(1)
    finally:
        grpc_server.stop(1)
