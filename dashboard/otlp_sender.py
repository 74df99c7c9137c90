"""Sends OTLP requests over HTTP as the specification wants: again when asked to wait, never when told no."""

import http.client
import threading
import time
from http import HTTPStatus
from typing import NamedTuple, Self

import orjson
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from pydantic import SecretStr

from dashboard.otlp_files import Request, halves

CONTENT_TYPE = {"protobuf": "application/x-protobuf", "json": "application/json"}
RETRYABLE = frozenset({429, 502, 503, 504})
TIMEOUT_S = 60.0
PATIENCE_S = 120.0
"""How long one request is offered again before it counts as refused."""
PAUSE_S = 1.0


class Answer(NamedTuple):
    """What became of one request."""

    taken: int
    refused: int
    reason: str
    """Why spans were refused; empty where none were."""


class Sender:
    """Sends requests to one collector; safe from many threads, each of which keeps its connection."""

    def __init__(self, host: str, port: int, token: SecretStr | None) -> None:
        self._address = (host, port)
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for connection in self._connections:
            connection.close()

    def send(self, request: Request) -> Answer:
        """Delivers one request, in parts if the collector finds it too large."""
        until = time.monotonic() + PATIENCE_S
        while True:
            status, data, wait_s = self._post(request)
            if status not in RETRYABLE and status != 0:
                break
            if time.monotonic() + wait_s > until:
                return Answer(
                    0, request.spans, f"the collector did not take it within {PATIENCE_S:.0f} s: {data.decode()}"
                )
            time.sleep(wait_s)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and (parts := halves(request)) is not None:
            return _sum(self.send(parts[0]), self.send(parts[1]))
        if status != HTTPStatus.OK:
            return Answer(0, request.spans, f"HTTP {status}: {_status_text(request, data)}")
        refused, reason = _partial_success(request, data)
        return Answer(request.spans - refused, refused, reason)

    def _post(self, request: Request) -> tuple[int, bytes, float]:
        """Status, body, and how long to wait before another try. Status 0: no answer came, the body says why."""
        connection = self._connection()
        headers = {"Content-Type": CONTENT_TYPE[request.encoding], **self._headers}
        try:
            connection.request("POST", "/v1/traces", request.body, headers)
            response = connection.getresponse()
            return response.status, response.read(), _retry_after(response)
        except (OSError, http.client.HTTPException) as exc:
            connection.close()
            return 0, (str(exc) or type(exc).__name__).encode(), PAUSE_S

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_S)
            self._local.connection = connection
            self._connections.append(connection)
        return connection


def _retry_after(response: http.client.HTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else PAUSE_S


def _partial_success(request: Request, data: bytes) -> tuple[int, str]:
    if request.encoding == "protobuf":
        partial = ExportTraceServiceResponse.FromString(data).partial_success
        return partial.rejected_spans, partial.error_message
    told = (orjson.loads(data) if data else {}).get("partialSuccess") or {}
    return int(told.get("rejectedSpans", 0)), str(told.get("errorMessage", ""))


def _status_text(request: Request, data: bytes) -> str:
    try:
        if request.encoding == "protobuf":
            return str(Status.FromString(data).message)
        return str(orjson.loads(data)["message"])
    except (DecodeError, orjson.JSONDecodeError, KeyError, TypeError):
        return data[:200].decode("utf-8", "replace") or "no reason given"


def _sum(first: Answer, second: Answer) -> Answer:
    reasons = dict.fromkeys(reason for reason in (first.reason, second.reason) if reason)
    return Answer(first.taken + second.taken, first.refused + second.refused, "; ".join(reasons))
