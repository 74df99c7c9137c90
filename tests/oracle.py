"""What an acknowledgement obliges a collector to: the check that nothing acknowledged is lost, changed or doubled.

Every span is a pure function of (seed, n), so the check needs no copy of what was sent. A number becomes an
obligation when the request that carried it was answered with success and without rejected spans, and not before.
Whatever was sent without an answer may be stored or not, but whole.
"""

import json
import random
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import grpc
import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests import local
from tests.collecting import EXPORT
from tests.collector.requests import request, span, text_attribute
from tests.otlp import spans_of
from tests.stored_form import columns_of

SPANS_PER_TRACE = 8


class Oracle:
    """Knows which spans exist for a seed, which were sent, and which were acknowledged."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._lock = threading.Lock()
        self._next = 0
        self._obligations: set[int] = set()
        self.sent = 0

    def take(self, count: int) -> range:
        """The next `count` numbers that nobody has sent."""
        with self._lock:
            self._next += count
            return range(self._next - count, self._next)

    def body(self, numbers: Iterable[int]) -> bytes:
        """The protobuf request with the spans of these numbers."""
        return request(*(self.span(n) for n in numbers)).SerializeToString()

    def span(self, n: int) -> Span:
        """The span of number `n`."""
        chance = random.Random(f"{self.seed} {n}")
        trace = random.Random(f"{self.seed} trace {n // SPANS_PER_TRACE}").randbytes(16)
        text = chance.choice(["handoff", "Grüße 😀", "x" * 500])
        first = n % SPANS_PER_TRACE == 0
        return span(
            n,
            trace_id=trace,
            span_id=(n + 1).to_bytes(8),
            parent_span_id=b"" if first else (n - n % SPANS_PER_TRACE + 1).to_bytes(8),
            name=f"step {n}",
            attributes=[text_attribute("n", str(n)), text_attribute("text", text)],
            events=[{"name": "event", "time_unix_nano": n}] * (n % 2),
        )

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """The request with these numbers was answered with success."""
        with self._lock:
            self._obligations.update(numbers)

    @property
    def obligations(self) -> frozenset[int]:
        """Numbers that must be stored now."""
        with self._lock:
            return frozenset(self._obligations)

    def check(self, rows: Sequence[dict[str, Any]]) -> None:
        """Fails unless `rows`, all stored spans of this seed, hold every obligation once and exactly."""
        numbers = [int(row["attributes"]["n"]) for row in rows]
        assert len(numbers) == len(set(numbers)), "a span is stored twice"
        assert not self.obligations - set(numbers), "an acknowledged span is lost"
        assert all(0 <= n < self._next for n in numbers), "a span is stored that nobody sent"
        expected = {item.span_id: columns_of(item) for item in spans_of(self.body(numbers))}
        for row in rows:
            said = expected[row["span_id"]]
            assert {key: row[key] for key in said} == said


def stored_rows(store: Path) -> list[dict[str, Any]]:
    """All spans of a store that no collector has open, with JSON columns read."""
    with duckdb.connect(str(store), read_only=True) as connection:
        cursor = connection.execute("select * from span")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        for column in ("attributes", "events", "links", "resource_attributes", "scope_attributes"):
            row[column] = None if row[column] is None else json.loads(row[column])
    return rows


class Sender(threading.Thread):
    """Sends batches over one transport until stopped; sends unanswered ones again half of the time, as exporters do."""

    def __init__(self, oracle: Oracle, grpc_port: int | None, http_port: int, seed: int) -> None:
        super().__init__(name=f"sender {seed}")
        self._oracle = oracle
        self._grpc_port = grpc_port
        self._url = f"http://127.0.0.1:{http_port}/v1/traces"
        self._chance = random.Random(seed)
        self._stopping = threading.Event()
        self._again: list[range] = []

    def stop(self) -> None:
        """Ends after the batch in hand."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Sends until stopped or nobody answers any more."""
        while not self._stopping.is_set():
            numbers = self._again.pop() if self._again else self._oracle.take(self._chance.randint(1, 200))
            if self._answered(self._oracle.body(numbers)):
                self._oracle.acknowledge(numbers)
            elif self._chance.random() < 0.5:
                self._again.append(numbers)
                self._stopping.wait(0.02)

    def _answered(self, body: bytes) -> bool:
        """Whether the request was answered with success and without rejected spans."""
        try:
            answer = self._by_grpc(body) if self._grpc_port else self._by_http(body)
        except (grpc.RpcError, httpx.HTTPError):
            return False
        return answer is not None and not ExportTraceServiceResponse.FromString(answer).HasField("partial_success")

    def _by_grpc(self, body: bytes) -> bytes:
        with grpc.insecure_channel(f"127.0.0.1:{self._grpc_port}") as channel:
            answer: bytes = channel.unary_unary(EXPORT)(body, timeout=10)
            return answer

    def _by_http(self, body: bytes) -> bytes | None:
        headers = {"Content-Type": "application/x-protobuf"}
        answer = local.post(self._url, content=body, headers=headers, timeout=10)
        return answer.content if answer.status_code == 200 else None
