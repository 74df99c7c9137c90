"""The OTLP/gRPC server.

Asynchronous, because a request waits for its COMMIT: a thread for each would put a small ceiling on how many can
wait, and a client that sends a byte a minute would hold one for good.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, Final

import grpc
import grpc.aio

from collector.errors import Busy, CollectorError
from collector.ingest import Signal
from collector.receive.answers import Refusal, refusal_of, response_to, retry_info, status_of
from collector.receive.auth import check_token
from collector.receive.binding import CannotListen, check_exposure, listen, resolve
from collector.receive.inflate import BodyTooLarge
from collector.receive.port import Ingest
from schemas.settings import Settings

SERVICES: Final[dict[str, Signal]] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
}

MAX_WAITING_REQUESTS: Final = 512
"""Requests that wait for their COMMIT; more are told to come back."""

Context = grpc.aio.ServicerContext[Any, Any]
Handler = Callable[[bytes, Context], Awaitable[bytes]]

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class GrpcServer:
    """A running server; `port` is where it listens."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread, server: grpc.aio.Server, port: int):
        self.port = port
        self._loop = loop
        self._thread = thread
        self._server = server

    def stop(self, grace_s: float) -> None:
        """Accepts nothing more, lets requests that came in finish for up to `grace_s`, and ends."""
        asyncio.run_coroutine_threadsafe(self._server.stop(grace_s), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def start_grpc(ingest: Ingest, settings: Settings) -> GrpcServer:
    """Starts the server in a thread of its own.

    Raises:
        CannotListen: the port is taken, or the address would be open to others unprotected.
    """
    check_exposure(settings)
    # gRPC tells a taken port to the log only; a plain socket tells why.
    listen(settings.host, settings.grpc_port, "grpc_port").close()
    started: Future[tuple[grpc.aio.Server, int]] = Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, ingest, settings, started), name="grpc")
    thread.start()
    server, port = started.result()
    return GrpcServer(loop, thread, server, port)


def _run(
    loop: asyncio.AbstractEventLoop,
    ingest: Ingest,
    settings: Settings,
    started: "Future[tuple[grpc.aio.Server, int]]",
) -> None:
    asyncio.set_event_loop(loop)
    try:
        started.set_result(loop.run_until_complete(_start(ingest, settings)))
    except BaseException as exc:
        started.set_exception(exc)
    else:
        loop.run_forever()
    finally:
        loop.close()


async def _start(ingest: Ingest, settings: Settings) -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server(options=_options(settings))
    exports = _Exports(ingest, settings)
    for service, signal in SERVICES.items():
        handler = grpc.unary_unary_rpc_method_handler(exports.handler(signal))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    _, address = resolve(settings.host, settings.grpc_port)
    target = f"[{address}]" if ":" in address else address
    try:
        port = server.add_insecure_port(f"{target}:{settings.grpc_port}")
    except RuntimeError as exc:
        raise CannotListen(f"cannot listen on {settings.host}:{settings.grpc_port}: {exc}") from exc
    await server.start()
    return server, port


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_body_bytes),
        ("grpc.so_reuseport", 0),  # two collectors on one port would each see half of the spans
        ("grpc.max_concurrent_streams", 1024),
        ("grpc.max_metadata_size", 16 * 1024),
        ("grpc.absolute_max_metadata_size", 64 * 1024),
        ("grpc.max_connection_idle_ms", 10 * 60 * 1000),
        ("grpc.keepalive_time_ms", 60 * 1000),
        ("grpc.keepalive_timeout_ms", 20 * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10 * 1000),
    ]


class _Exports:
    """The Export calls of all signals, which wait in one line."""

    def __init__(self, ingest: Ingest, settings: Settings) -> None:
        self._ingest = ingest
        self._settings = settings
        self._waiting = 0

    def handler(self, signal: Signal) -> Handler:
        """The Export call of one signal."""

        async def export(body: bytes, context: Context) -> bytes:
            metadata = dict(context.invocation_metadata() or ())
            refusal = _check(body, metadata, self._waiting, self._settings)
            if refusal is not None:
                self._ingest.count_refusal(refusal.reason)
                await _abort(context, refusal)
            self._waiting += 1
            try:
                receipt = await asyncio.wrap_future(self._ingest.submit(body, "protobuf", signal))
            except CollectorError as exc:
                await _abort(context, refusal_of(exc))
                raise
            finally:
                self._waiting -= 1
            return response_to(receipt.rejections, signal).SerializeToString()

        return export


def _check(body: bytes, metadata: dict[str, str | bytes], waiting: int, settings: Settings) -> Refusal | None:
    """Why the request is refused before it is looked into; None: it is not."""
    refusal = check_token(str(metadata.get("authorization", "")), settings.write_token)
    if refusal is not None:
        return refusal
    if len(body) > settings.max_body_bytes:
        return refusal_of(BodyTooLarge(settings.max_body_bytes))
    if waiting >= MAX_WAITING_REQUESTS:
        return refusal_of(Busy(f"{waiting} requests are waiting already; send again", settings.retry_after_s))
    return None


async def _abort(context: Context, refusal: Refusal) -> None:
    """Ends the call. Clients look for the delay in either of two places, so it is in both."""
    metadata = [("grpc-status-details-bin", status_of(refusal).SerializeToString())]
    if refusal.retry_after_s is not None:
        metadata.append(("google.rpc.retryinfo-bin", retry_info(refusal.retry_after_s).SerializeToString()))
    await context.abort(_CODES[refusal.code], refusal.message, trailing_metadata=tuple(metadata))
