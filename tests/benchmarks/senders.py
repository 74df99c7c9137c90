"""Clients that send ready-made bodies as fast as they are answered, or on a timetable."""

import http.client
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, Protocol

import grpc

Transport = Literal["grpc", "http"]
TIMEOUT_S = 60.0


class Client(Protocol):
    """One connection."""

    def send(self, body: bytes) -> str:
        """Sends a body; `ok`, or what was answered instead."""
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...


class HttpClient:
    """OTLP/HTTP with protobuf."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def send(self, body: bytes) -> str:
        """See `Client`."""
        try:
            self._connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as exc:
            self._connection.close()
            return type(exc).__name__
        if response.status != 200:
            return str(response.status)
        return "partial" if data else "ok"

    def close(self) -> None:
        """See `Client`."""
        self._connection.close()


class GrpcClient:
    """OTLP/gRPC."""

    def __init__(self, port: int) -> None:
        own_connection = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 1 << 28)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=own_connection)
        self._export = self._channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")

    def send(self, body: bytes) -> str:
        """See `Client`."""
        try:
            return "partial" if self._export(body, timeout=TIMEOUT_S) else "ok"
        except grpc.RpcError as exc:
            return str(exc.code().name)

    def close(self) -> None:
        """See `Client`."""
        self._channel.close()


class Sent(NamedTuple):
    """What became of a load."""

    spans: int
    wall_s: float
    ack_s: list[float]
    """From the due moment where there is a timetable, else from sending, to the answer; accepted requests only."""
    answers: Counter[str]


class Due(NamedTuple):
    """A body and the moment it shall be sent (`time.perf_counter`)."""

    spans: int
    body: bytes
    at_s: float | None


def send_all(port: int, transport: Transport, bodies: Iterable[Due], clients: int) -> Sent:
    """Sends everything over so many connections and waits for the last answer.

    A timetable is kept whether or not answers come: what cannot be sent in time waits here, and the wait counts.
    """
    waiting: queue.Queue[Due | None] = queue.Queue(maxsize=0 if _timed(bodies) else clients * 2)
    ack_s: list[float] = []
    answers: Counter[str] = Counter()
    stored = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal stored
        client: Client = (GrpcClient if transport == "grpc" else HttpClient)(port)
        while (due := waiting.get()) is not None:
            since = time.perf_counter() if due.at_s is None else due.at_s
            answer = client.send(due.body)
            took = time.perf_counter() - since
            with lock:
                answers[answer] += 1
                if answer == "ok":
                    ack_s.append(took)
                    stored += due.spans
        client.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for due in bodies:
        if due.at_s is not None and (left := due.at_s - time.perf_counter()) > 0:
            time.sleep(left)
        waiting.put(due)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    return Sent(stored, time.perf_counter() - started, ack_s, answers)


def _timed(bodies: Iterable[Due]) -> bool:
    return isinstance(bodies, Iterator)


def at_once(bodies: Iterable[tuple[int, bytes]]) -> list[Due]:
    """No timetable: each as soon as a connection is free."""
    return [Due(spans, body, None) for spans, body in bodies]


def timetable(bodies: Iterable[tuple[int, bytes]], spans_per_s: float, seconds: float) -> Iterator[Due]:
    """Bodies at an even pace, from now on."""
    start, sent = time.perf_counter() + 0.2, 0
    for spans, body in bodies:
        at = start + sent / spans_per_s
        if at > start + seconds:
            return
        yield Due(spans, body, at)
        sent += spans
