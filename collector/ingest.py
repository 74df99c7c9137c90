"""From request bodies to acknowledged rows: a queue, a decoder thread, a writer thread.

The decoder turns bodies into rows while the writer commits the ones before: DuckDB works without the interpreter's
lock, so the two overlap. One COMMIT answers every request that was waiting for it.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from collector.batch import Batch, Marker, Written
from collector.decode import decode_json, decode_logs_json, decode_logs_protobuf, decode_protobuf
from collector.dialects import normalise
from collector.errors import Busy, CollectorError, StoreUnavailable
from collector.evidence import Evidence, of_log
from collector.redaction import Redactor
from collector.rows import TRACE_ID, Row, resource_row, scope_row, span_row
from collector.settle import rules_with
from collector.store import Store
from schemas.records import Normalised, Rejection, Span
from schemas.settings import Settings
from schemas.taxonomy import RejectReason

log = logging.getLogger(__name__)

Encoding = Literal["protobuf", "json"]

Signal = Literal["traces", "logs"]

MAX_COMMIT_ROWS: Final = 20_000
"""Rows of one COMMIT: a larger one only lengthens every wait."""

COMMIT_EVERY_S: Final = 0.05
COMMIT_ROWS: Final = 2_000
"""A COMMIT costs about 5 ms of CPU whatever its size: the next waits this long for company, unless it has enough."""

MAX_READY_ROWS: Final = 10_000
"""Decoded rows ahead of the writer; beyond it the decoder pauses. About 5 KB a row."""

STORE_PAUSE_S: Final = 0.5
"""Pause after a failed COMMIT, so that a full disk is not hammered; what waits is held meanwhile."""


class Receipt(NamedTuple):
    """What became of one request that is on disk now."""

    accepted: int
    rejections: list[Rejection]


class _Request:
    __slots__ = ("arrived_s", "body", "encoding", "future", "signal", "size")

    def __init__(self, body: bytes, encoding: Encoding, signal: Signal) -> None:
        self.body = body
        self.size = len(body)
        self.encoding = encoding
        self.signal = signal
        self.arrived_s = time.monotonic()
        self.future: Future[Receipt] = Future()
        self.future.set_running_or_notify_cancel()  # a client that goes away cannot cancel what is being stored


class _Ready(NamedTuple):
    request: _Request
    rows: list[Row]
    resources: dict[int, Row]
    scopes: dict[int, Row]
    rejections: list[Rejection]
    evidence: Sequence[Evidence] = ()
    markers: Sequence[Marker] = ()
    is_posted: bool = False
    redacted: Mapping[str, int] = MappingProxyType({})


class Ingestor:
    """Takes request bodies and stores what they hold; every body's future ends in a receipt or in an error."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """
        Raises:
            SettingsError: a pattern of redaction is none.
        """
        self._store = store
        self._settings = settings
        self.redactor = Redactor.of(settings.redaction, rules_with(settings.rules))
        self._on_written: Callable[[Written], None]
        self._changed = threading.Condition()
        self._waiting: deque[_Request] = deque()
        self._ready: deque[_Ready] = deque()
        self._refused: Counter[str] = Counter()
        self._held_bytes = 0
        self._ready_rows = 0
        self._decoding = False
        self._decoded_s = 0.0
        self._asked = (time.monotonic(), 0.0)
        self._commit_at_s = 0.0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._decode_loop, name="decoder"),
            threading.Thread(target=self._write_loop, name="writer"),
        ]

    def start(self, on_written: Callable[[Written], None]) -> None:
        """Starts the two threads; `on_written` is told of each COMMIT, after its requests are answered."""
        self._on_written = on_written
        for thread in self._threads:
            thread.start()

    def submit(self, body: bytes, encoding: Encoding, signal: Signal = "traces") -> "Future[Receipt]":
        """Queues an inflated request body. Never blocks.

        The future gives a Receipt once its spans or log records are on disk, or fails with DecodeError, TooManySpans,
        Busy (held as long as the settings allow) or StoreUnavailable.
        """
        request = _Request(body, encoding, signal)
        with self._changed:
            room = self._settings.queue_bytes - self._held_bytes
            if self._stopping or (self._held_bytes and request.size > room):
                self._refused["busy"] += 1
                request.future.set_exception(self._busy("stopping" if self._stopping else "the queue is full"))
                return request.future
            self._held_bytes += request.size
            self._waiting.append(request)
            self._changed.notify_all()
        return request.future

    def put(
        self,
        evidence: Sequence[Evidence] = (),
        markers: Sequence[Marker] = (),
        redacted: Mapping[str, int] = MappingProxyType({}),
    ) -> "Future[Receipt]":
        """Queues what was posted, which needs no decoding. Never blocks; the future is that of `submit`."""
        request = _Request(b"", "json", "logs")
        with self._changed:
            if self._stopping:
                request.future.set_exception(self._busy("stopping"))
            else:
                ready = _Ready(request, [], {}, {}, [], evidence, markers, True, redacted)
                self._ready.append(ready)
                self._changed.notify_all()
        return request.future

    def count_refusal(self, reason: str) -> None:
        """Counts a request that was answered with an error before it came here."""
        with self._changed:
            self._refused[reason] += 1
            self._changed.notify_all()

    def backlog(self) -> tuple[int, int]:
        """(requests, bytes) that are waiting for their COMMIT."""
        with self._changed:
            return len(self._waiting) + len(self._ready) + self._decoding, self._held_bytes

    def is_busy(self) -> bool:
        """The decoder worked more than half the time since this was asked last: a burst, or close to all it can do."""
        (since_s, decoded_s), self._asked = self._asked, (time.monotonic(), self._decoded_s)
        return self._asked[1] - decoded_s > (self._asked[0] - since_s) / 2

    def stop(self) -> None:
        """Refuses new requests, finishes those it has, and returns when the last is answered."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _decode_loop(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._ready_rows > MAX_READY_ROWS:
                    if self._stopping and not self._waiting:
                        return
                    self._changed.wait(0.2)
                    self._expire()
                request = self._waiting.popleft()
                self._decoding = True
            started_s = time.monotonic()
            ready = self._decode(request)
            with self._changed:
                self._decoding = False
                self._decoded_s += time.monotonic() - started_s
                if ready is not None:
                    self._ready.append(ready)
                    self._ready_rows += len(ready.rows)
                self._changed.notify_all()

    def _expire(self) -> None:
        """Refuses what has waited longer than a client is held."""
        oldest = time.monotonic() - self._settings.hold_s
        while self._waiting and self._waiting[0].arrived_s < oldest:
            request = self._waiting.popleft()
            self._held_bytes -= request.size
            self._refused["busy"] += 1
            request.future.set_exception(self._busy(f"held for {self._settings.hold_s:g} s"))

    def _busy(self, why: str) -> Busy:
        return Busy(f"the writer is behind ({why}); send again", self._settings.retry_after_s)

    def _decode(self, request: _Request) -> _Ready | None:
        try:
            if request.signal == "logs":
                return self._decode_logs(request)
            decode = decode_json if request.encoding == "json" else decode_protobuf
            spans, rejections = decode(request.body, self._settings)
            request.body = b""
            spans, read, redacted = self._read(spans)
            return _Ready(
                request,
                [span_row(span, meaning) for span, meaning in zip(spans, read, strict=True)],
                {r.resource_id: resource_row(r) for r in {id(s.resource): s.resource for s in spans}.values()},
                {s.scope_id: scope_row(s) for s in {id(s.scope): s.scope for s in spans}.values()},
                rejections,
                redacted=redacted,
            )
        except CollectorError as exc:
            self._fail([request], exc, "malformed" if type(exc).__name__ == "DecodeError" else "too_many_spans")
        except Exception as exc:  # one request must not end the thread that serves all others
            log.exception("a request of %d bytes could not be decoded", request.size)
            self._fail([request], CollectorError(f"internal error: {type(exc).__name__}"), "internal")
        return None

    def _read(self, spans: list[Span]) -> tuple[list[Span], list[Normalised], Counter[str]]:
        """Spans as they may be stored, and what their dialects say."""
        if self.redactor is None:
            return spans, [normalise(span) for span in spans], Counter()
        spans, redacted = self.redactor.spans(spans)
        kept = [self.redactor.content(span, normalise(span), redacted) for span in spans]
        return [span for span, _ in kept], [meaning for _, meaning in kept], redacted

    def _decode_logs(self, request: _Request) -> _Ready:
        decode = decode_logs_json if request.encoding == "json" else decode_logs_protobuf
        records, rejections = decode(request.body, self._settings)
        request.body = b""
        redacted: Counter[str] = Counter()
        if self.redactor is not None:
            records, redacted = self.redactor.records(records)
        return _Ready(
            request,
            [],
            {r.resource.resource_id: resource_row(r.resource) for r in records},
            {r.scope.scope_id: scope_row(r.scope) for r in records},
            rejections,
            [of_log(record) for record in records],
            redacted=redacted,
        )

    def _write_loop(self) -> None:
        while True:
            with self._changed:
                while not self._is_commit_due():
                    if self._stopping and not self._threads[0].is_alive() and not self._ready and not self._refused:
                        return
                    self._changed.wait(COMMIT_EVERY_S / 2 if self._ready else 0.2)
                taken: list[_Ready] = []
                rows = 0
                while self._ready and rows < MAX_COMMIT_ROWS:
                    taken.append(self._ready.popleft())
                    rows += len(taken[-1].rows)
                self._ready_rows -= rows
                refused, self._refused = self._refused, Counter()
                self._commit_at_s = time.monotonic() + COMMIT_EVERY_S
                self._changed.notify_all()
            self._write(taken, refused)

    def _is_commit_due(self) -> bool:
        if not self._ready:
            return bool(self._refused)
        return self._ready_rows >= COMMIT_ROWS or time.monotonic() >= self._commit_at_s

    def _write(self, taken: list[_Ready], refused: Counter[str]) -> None:
        requests = [ready.request for ready in taken]
        batch = Batch(
            rows=[row for ready in taken for row in ready.rows],
            resources={k: v for ready in taken for k, v in ready.resources.items()},
            scopes={k: v for ready in taken for k, v in ready.scopes.items()},
            rejected=_reasons(taken, "traces"),
            refused=refused,
            requests=sum(not ready.is_posted for ready in taken),
            body_bytes=sum(request.size for request in requests),
            evidence=[one for ready in taken for one in ready.evidence],
            markers=[marker for ready in taken for marker in ready.markers],
            logs_rejected=_reasons(taken, "logs"),
            redacted=sum((Counter(ready.redacted) for ready in taken), Counter()),
        )
        try:
            written = self._store.write(batch)
        except StoreUnavailable as exc:
            log.error("%s", exc)
            self._fail(requests, exc, "store_unavailable")
            with self._changed:
                self._refused += refused
            time.sleep(STORE_PAUSE_S)
            return
        except Exception as exc:
            log.exception("a batch of %d spans could not be written", len(batch.rows))
            self._fail(requests, CollectorError(f"internal error: {type(exc).__name__}"), "internal")
            return
        self._release(requests)
        for ready in taken:
            ready.request.future.set_result(_receipt(ready, written.removed))
        self._on_written(written)
        self._store.fold_minutes()

    def _fail(self, requests: list[_Request], exc: CollectorError, reason: str) -> None:
        self._release(requests)
        with self._changed:
            self._refused[reason] += len(requests)
        for request in requests:
            request.future.set_exception(exc)

    def _release(self, requests: list[_Request]) -> None:
        with self._changed:
            self._held_bytes -= sum(request.size for request in requests)
            self._changed.notify_all()


def _receipt(ready: _Ready, removed: frozenset[str]) -> Receipt:
    """What became of a stored request; what came for removed runs was not stored."""
    trace_ids = [*(row[TRACE_ID] for row in ready.rows), *(one.trace_id for one in ready.evidence)]
    late = [] if removed.isdisjoint(trace_ids) else [trace_id for trace_id in trace_ids if trace_id in removed]
    refused = [Rejection(RejectReason.REMOVED, f"the run of trace {trace_id} was removed") for trace_id in late]
    return Receipt(len(trace_ids) - len(late), [*ready.rejections, *refused])


def _reasons(taken: Sequence[_Ready], signal: Signal) -> Counter[str]:
    """Why things of this signal were rejected, counted."""
    return Counter(
        rejection.reason for ready in taken if ready.request.signal == signal for rejection in ready.rejections
    )
