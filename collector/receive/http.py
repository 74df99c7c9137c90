"""The OTLP/HTTP server, which also carries the read API."""

import asyncio
import json
import math
import threading
import time
from collections.abc import Sequence
from typing import Final

import uvicorn
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import code_pb2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.errors import Busy, CollectorError
from collector.ingest import Encoding, Signal
from collector.receive.answers import Refusal, refusal_of, response_to, status_of
from collector.receive.auth import check_token
from collector.receive.binding import check_exposure, listen
from collector.receive.connection import BODY_TIMEOUT_S, IDLE_TIMEOUT_S, MAX_HEAD_BYTES, PatientProtocol
from collector.receive.guard import check_browser
from collector.receive.inflate import BodyTooLarge, check_encoding, inflate
from collector.receive.port import Ingest
from schemas.settings import Settings

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
ENCODINGS: Final[dict[str, Encoding]] = {PROTOBUF: "protobuf", JSON: "json"}

MAX_CONNECTIONS: Final = 1000
MAX_INFLATING: Final = 4
"""Bodies inflated at one time: each may take the whole body limit."""

START_TIMEOUT_S: Final = 10.0


# --- application ---------------------------------------------------------------------------------------------------


def http_app(ingest: Ingest, settings: Settings, routes: Sequence[BaseRoute]) -> ASGIApp:
    """The ASGI application: POST /v1/traces and /v1/logs, and `routes` beside them."""
    export = _Export(ingest, settings)
    app = Starlette(
        routes=[
            Route("/v1/traces", export.serve_traces, methods=["POST"]),
            Route("/v1/logs", export.serve_logs, methods=["POST"]),
            *routes,
        ],
        exception_handlers={HTTPException: _answer_http_exception},
    )
    app.router.redirect_slashes = False
    inner: ASGIApp = app
    if settings.cors_origins:
        headers = ["authorization", "content-type", "content-encoding"]
        inner = CORSMiddleware(app, settings.cors_origins, allow_methods=["POST"], allow_headers=headers)
    return _Guarded(inner, ingest, settings)


class _Guarded:
    """Turns away what a web page may not do, whatever the path."""

    def __init__(self, app: ASGIApp, ingest: Ingest, settings: Settings) -> None:
        self._app = app
        self._ingest = ingest
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            refusal = check_browser(scope["path"], request.headers, self._settings)
            if refusal is not None:
                self._ingest.count_refusal(refusal.reason)
                await _refuse(request, refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Refused(Exception):
    """Ends the handling of a request before it is submitted; carries the answer."""

    def __init__(self, refusal: Refusal, headers: dict[str, str] | None = None) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.headers = headers or {}


class _Export:
    """POST /v1/traces and /v1/logs."""

    def __init__(self, ingest: Ingest, settings: Settings) -> None:
        self._ingest = ingest
        self._settings = settings
        self._room_bytes = settings.queue_bytes
        self._inflating = asyncio.Semaphore(MAX_INFLATING)

    async def serve_traces(self, request: Request) -> Response:
        """Answers one export request of spans."""
        return await self._serve(request, "traces")

    async def serve_logs(self, request: Request) -> Response:
        """Answers one export request of log records."""
        return await self._serve(request, "logs")

    async def _serve(self, request: Request, signal: Signal) -> Response:
        try:
            encoding = self._check(request)
            body = await self._body(request)
        except _Refused as exc:
            self._ingest.count_refusal(exc.refusal.reason)
            return _refuse(request, exc.refusal, exc.headers)
        except CollectorError as exc:
            refusal = refusal_of(exc)
            self._ingest.count_refusal(refusal.reason)
            return _refuse(request, refusal)
        except ClientDisconnect:
            self._ingest.count_refusal("disconnected")
            return Response(status_code=400)
        try:
            receipt = await asyncio.wrap_future(self._ingest.submit(body, encoding, signal))
        except CollectorError as exc:  # counted by whoever refused it
            return _refuse(request, refusal_of(exc))
        return _encoded(request, response_to(receipt.rejections, signal), 200)

    def _check(self, request: Request) -> Encoding:
        """The encoding of the body; all that can be said without reading it is checked."""
        refusal = check_token(request.headers.get("authorization"), self._settings.write_token)
        if refusal is not None:
            raise _Refused(refusal, {"WWW-Authenticate": "Bearer"})
        encoding = ENCODINGS.get(_media_type(request))
        if encoding is None:
            message = f"Content-Type must be {PROTOBUF} or {JSON}"
            raise _Refused(Refusal(code_pb2.INVALID_ARGUMENT, 415, "content_type", message))
        if int(request.headers.get("content-length", "0")) > self._settings.max_body_bytes:
            raise BodyTooLarge(self._settings.max_body_bytes)
        return encoding

    async def _body(self, request: Request) -> bytes:
        """The body, inflated."""
        compression = check_encoding(request.headers.get("content-encoding", ""))
        body = await self._read(request)
        if compression is None:
            return body
        async with self._inflating:
            return await asyncio.to_thread(inflate, body, compression, self._settings.max_body_bytes)

    async def _read(self, request: Request) -> bytes:
        """The body as sent.

        All bodies together hold no more than `queue_bytes` while they arrive: a thousand slow senders must not take
        all memory.
        """
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in request.stream():
                    size += len(chunk)
                    self._room_bytes -= len(chunk)
                    chunks.append(chunk)
                    if size > self._settings.max_body_bytes:
                        raise BodyTooLarge(self._settings.max_body_bytes)
                    if self._room_bytes < 0:
                        raise Busy("too many requests are arriving at once; send again", self._settings.retry_after_s)
        except TimeoutError as exc:
            message = f"the body did not arrive within {BODY_TIMEOUT_S:g} s"
            refusal = Refusal(code_pb2.DEADLINE_EXCEEDED, 408, "timeout", message)
            raise _Refused(refusal, {"Connection": "close"}) from exc
        finally:
            self._room_bytes += size
        return b"".join(chunks)


# --- answers -------------------------------------------------------------------------------------------------------

_CODE_OF_HTTP: Final = {404: code_pb2.NOT_FOUND, 405: code_pb2.UNIMPLEMENTED}


def _answer_http_exception(request: Request, exc: Exception) -> Response:
    """What Starlette refuses by itself: unknown paths and methods."""
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    headers = dict(exc.headers or {}) if isinstance(exc, HTTPException) else {}
    message = {
        404: f"{request.url.path[:80]!r} is not served; spans go to /v1/traces",
        405: f"{request.method} is not offered here; use {headers.get('Allow', 'another method')}",
    }.get(status, "the request cannot be served")
    code = _CODE_OF_HTTP.get(status, code_pb2.UNKNOWN)
    return _refuse(request, Refusal(code, status, "not_served", message), headers)


def _refuse(request: Request, refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    response = _encoded(request, status_of(refusal), refusal.http_status)
    response.headers.update(headers or {})
    if refusal.retry_after_s is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


def _encoded(request: Request, message: Message, http_status: int) -> Response:
    """The message in the encoding the request came in; JSON where that says nothing."""
    if _media_type(request) == PROTOBUF:
        return Response(message.SerializeToString(), http_status, media_type=PROTOBUF)
    return Response(json.dumps(MessageToDict(message)), http_status, media_type=JSON)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


# --- server --------------------------------------------------------------------------------------------------------


class HttpServer:
    """A running server; `port` is where it listens."""

    def __init__(self, server: uvicorn.Server, thread: threading.Thread, port: int) -> None:
        self.port = port
        self._server = server
        self._thread = thread

    def stop(self, grace_s: float) -> None:
        """Accepts nothing more, lets requests that came in finish for up to `grace_s`, and ends."""
        self._server.config.timeout_graceful_shutdown = math.ceil(grace_s)
        self._server.should_exit = True
        self._thread.join()


def start_http(app: ASGIApp, settings: Settings) -> HttpServer:
    """Starts the server in a thread of its own.

    Raises:
        CannotListen: the port is taken, or the address would be open to others unprotected.
    """
    check_exposure(settings)
    sock = listen(settings.host, settings.http_port, "http_port")
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=IDLE_TIMEOUT_S,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="http")
    thread.start()
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    return HttpServer(server, thread, sock.getsockname()[1])
