"""What is posted beside OTLP: verdicts, markers, and wishes about what is stored. All need the write token."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from google.rpc import code_pb2
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from collector.batch import Marker
from collector.errors import CollectorError
from collector.evidence import of_verdict
from collector.ingest import Ingestor
from collector.receive.answers import Refusal, refusal_of
from collector.receive.auth import check_token
from collector.settle.verdicts import verdict_of
from collector.settling import Settler
from collector.store import Store
from schemas.records import Evaluation
from schemas.rules import UserRules
from schemas.settings import Settings

MAX_POST_BYTES: Final = 64 * 1024
POST_TIMEOUT_S: Final = 30.0

AGAIN_NS: Final = 60 * 10**9
"""A marker without a time that comes again within this is the same one, sent again."""


def _hex(digits: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        lower = text.lower()
        if len(lower) != digits or set(lower) - set("0123456789abcdef") or not lower.strip("0"):
            raise ValueError(f"must be {digits} hexadecimal digits, not all zero")
        return lower

    return check


Name = Annotated[str, Field(min_length=1, max_length=200)]


class VerdictPost(BaseModel):
    """The body of POST /api/verdict."""

    model_config = ConfigDict(extra="forbid")

    trace_id: Annotated[str, AfterValidator(_hex(32))]
    span_id: Annotated[str, AfterValidator(_hex(16))] | None = None
    name: Name
    score: float | None = Field(None, allow_inf_nan=False)
    label: Name | None = None
    explanation: str | None = Field(None, max_length=2_000)
    source: Name = "posted"
    at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "VerdictPost":
        if self.score is None and self.label is None:
            raise ValueError("needs a score or a label")
        return self


class MarkerPost(BaseModel):
    """The body of POST /api/marker."""

    model_config = ConfigDict(extra="forbid")

    label: Name
    kind: Name = "deploy"
    workflow: Name | None = None
    at: AwareDatetime | None = None


class ForgetPost(BaseModel):
    """The body of POST /api/forget."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Annotated[str, AfterValidator(_hex(32))]], Field(min_length=1, max_length=1_000)]


Post = TypeVar("Post", VerdictPost, MarkerPost, ForgetPost)


class _Refused(Exception):
    """Ends the handling of a request; carries the answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Posts:
    """What may be posted, and what comes of it."""

    def __init__(self, ingestor: Ingestor, store: Store, settler: Settler, settings: Settings) -> None:
        self._ingestor = ingestor
        self._store = store
        self._settler = settler
        self._settings = settings
        self._passing = settings.rules or UserRules()

    def routes(self) -> list[BaseRoute]:
        """The routes, for the HTTP server to mount."""
        return [
            self._route("/api/verdict", self._verdict),
            self._route("/api/marker", self._marker),
            self._route("/api/rebuild", self._rebuild),
            self._route("/api/forget", self._forget),
        ]

    async def _verdict(self, request: Request) -> dict[str, Any]:
        post = await _read(request, self._settings, VerdictPost)
        about = "run" if post.span_id is None else "span"
        texts, redacted = self._redacted(
            post.model_dump(include={"source", "name", "label", "explanation"}), content="explanation"
        )
        said = Evaluation(about=about, score=post.score, at_ns=_ns(post.at), **texts)
        evidence = [of_verdict(post.trace_id, post.span_id, said)]
        receipt = await asyncio.wrap_future(self._ingestor.put(evidence=evidence, redacted=redacted))
        if receipt.rejections:
            raise _Refused(Refusal(code_pb2.NOT_FOUND, 410, "run_removed", receipt.rejections[0].detail))
        run_id = await run_in_threadpool(_run_of, self._store, post.trace_id)
        return {"stored": True, "verdict": verdict_of(said, self._passing), "run_id": run_id}

    async def _marker(self, request: Request) -> dict[str, Any]:
        post = await _read(request, self._settings, MarkerPost)
        texts, redacted = self._redacted(post.model_dump(include={"workflow", "kind", "label"}))
        marker = Marker(at_ns=_ns(post.at), again_ns=AGAIN_NS if post.at is None else 0, **texts)
        await asyncio.wrap_future(self._ingestor.put(markers=[marker], redacted=redacted))
        return {"stored": True, "at_ns": marker.at_ns}

    async def _rebuild(self, request: Request) -> dict[str, Any]:
        _check_may_write(request, self._settings)
        self._settler.rebuild_rollups()
        return {"rebuilding": True}

    async def _forget(self, request: Request) -> dict[str, Any]:
        post = await _read(request, self._settings, ForgetPost)
        return (await asyncio.wrap_future(self._settler.forget(post.ids)))._asdict()

    def _redacted(self, texts: dict[str, Any], content: str = "") -> tuple[dict[str, Any], Counter[str]]:
        redactor = self._ingestor.redactor
        return (texts, Counter()) if redactor is None else redactor.texts(texts, content=content)

    def _route(self, path: str, take: Callable[[Request], Awaitable[dict[str, Any]]]) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return JSONResponse(await take(request))
            except _Refused as exc:
                refusal = exc.refusal
                self._ingestor.count_refusal(refusal.reason)
            except CollectorError as exc:  # counted by whoever refused it
                refusal = refusal_of(exc)
            except ClientDisconnect:
                return Response(status_code=400)
            return _refuse(refusal)

        return Route(path, answer, methods=["POST"])


def _check_may_write(request: Request, settings: Settings) -> None:
    refusal = check_token(request.headers.get("authorization"), settings.write_token)
    if refusal is not None:
        raise _Refused(refusal)


async def _read(request: Request, settings: Settings, model: type[Post]) -> Post:
    """The body, checked.

    Raises:
        _Refused: it may not be posted, or is none; the message names the field.
    """
    _check_may_write(request, settings)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        message = "Content-Type must be application/json"
        raise _Refused(Refusal(code_pb2.INVALID_ARGUMENT, 415, "content_type", message))
    body = bytearray()
    try:
        async with asyncio.timeout(POST_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_POST_BYTES:
                    message = f"the body is longer than {MAX_POST_BYTES} bytes"
                    raise _Refused(Refusal(code_pb2.RESOURCE_EXHAUSTED, 413, "too_large", message))
    except TimeoutError as exc:
        message = f"the body did not arrive within {POST_TIMEOUT_S:g} s"
        raise _Refused(Refusal(code_pb2.DEADLINE_EXCEEDED, 408, "timeout", message)) from exc
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as exc:
        raise _Refused(Refusal(code_pb2.INVALID_ARGUMENT, 400, "malformed", _mistakes(exc, model))) from exc


def _mistakes(exc: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong with which field; never echoes a value."""
    parts = []
    for error in exc.errors(include_url=False, include_input=False):
        field = ".".join(map(str, error["loc"]))[:80]
        said = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            said = f"unknown; known are {', '.join(model.model_fields)}"
        parts.append(f"{field}: {said}" if field else said)
    return "; ".join(parts)


def _ns(at: datetime | None) -> int:
    """Nanoseconds UTC; now where nothing is said. Times outside of what OTLP can say are cut to it."""
    if at is None:
        return time.time_ns()
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return min(max(((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1_000, 0), 2**64 - 1)


def _run_of(store: Store, trace_id: str) -> str | None:
    with store.cursor() as cursor:
        rows = cursor.execute("select run_id from store.trace where trace_id = ?", [trace_id]).fetchall()
    return rows[0][0] if rows else None


def _refuse(refusal: Refusal) -> Response:
    headers = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": refusal.message}, refusal.http_status, headers)
