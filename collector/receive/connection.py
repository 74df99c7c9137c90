"""An HTTP connection that does not wait for ever."""

import asyncio
from typing import Any, Final, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S: Final = 10.0
"""From the first byte of a request (or from connecting) to the end of its headers."""

BODY_TIMEOUT_S: Final = 30.0
"""From the end of the headers to the end of the body. The application answers 408 by itself before that."""

IDLE_TIMEOUT_S: Final = 30
"""Between two requests. Exporters send every 5 s: a shorter time would close under their hands."""

MAX_HEAD_BYTES: Final = 64 * 1024
"""Headers that are not complete by then are refused. One read may bring up to 256 KiB, so that much can pass."""

Phase = Literal["head", "body", "idle", "ours"]


class PatientProtocol(H11Protocol):
    """uvicorn's own protocol with the time limits it lacks: for headers, and for bodies nobody reads any more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._phase: Phase = "ours"
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection: its first request is due."""
        super().connection_made(transport)
        self._enter("head")

    def data_received(self, data: bytes) -> None:
        """Bytes came; they may complete the headers or the body."""
        super().data_received(data)
        self._enter(self._waiting_for())

    def on_response_complete(self) -> None:
        """We have answered; the body may still be on its way."""
        super().on_response_complete()
        self._enter(self._waiting_for())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._enter("ours")
        super().connection_lost(exc)

    def _waiting_for(self) -> Phase:
        match self.conn.their_state:
            case h11.IDLE:
                return "head" if self.conn.trailing_data[0] else "idle"
            case h11.SEND_BODY:
                return "body"
        return "ours"

    def _enter(self, phase: Phase) -> None:
        if phase == self._phase:
            return
        self._phase = phase
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if phase in {"head", "body"}:
            seconds = HEAD_TIMEOUT_S if phase == "head" else BODY_TIMEOUT_S + 5
            self._deadline = self.loop.call_later(seconds, self.transport.close)
