"""The read API: health, and SQL that can only read."""

import asyncio
import hmac
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import duckdb
import orjson
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from collector.errors import CollectorError
from collector.store import Store
from schemas.settings import Settings

ARROW_STREAM: Final = "application/vnd.apache.arrow.stream"
MAX_QUESTION_BYTES: Final = 1 << 20
KEPT_QUESTIONS: Final = 256
"""Parsed and kept, since pages ask the same few again and again: a tenth of the time of a small question …"""
KEPT_CHARS: Final = 32_768
"""… as long as they are no longer than that."""


class QueryRefused(CollectorError):
    """A query cannot be answered; `status` is the HTTP status that says whose fault it is."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Question(BaseModel):
    """The body of POST /api/sql."""

    model_config = ConfigDict(extra="forbid")

    sql: str
    params: dict[str, Any] = {}


class QueryRunner:
    """Runs reading queries, a few at a time, each in a read-only transaction with limits on time, rows and bytes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._slots = threading.BoundedSemaphore(settings.sql_max_concurrent)
        self._kept = lru_cache(KEPT_QUESTIONS)(self._parsed)

    def run(self, sql: str, params: Mapping[str, Any]) -> pa.Table:
        """The whole answer, never a part of it.

        Raises:
            QueryRefused: the query is not a single reading statement, fails, or passes a limit.
        """
        if not self._slots.acquire(timeout=self._settings.sql_timeout_s):
            raise QueryRefused(f"{self._settings.sql_max_concurrent} other queries are running; try again", status=503)
        try:
            with (
                self._store.cursor() as cursor,
                _read_only(cursor),
                _deadline(cursor, self._settings.sql_timeout_s) as late,
            ):
                try:
                    statement = self._kept(sql) if len(sql) <= KEPT_CHARS else _reading(cursor, sql)
                    return self._collect(cursor.sql(statement, params=dict(params)))
                except duckdb.InterruptException as exc:
                    if not late.is_set():
                        raise
                    limit = f"the query ran longer than {self._settings.sql_timeout_s:g} s (sql_timeout_s)"
                    raise QueryRefused(f"{limit}; narrow its time range", status=408) from exc
                except duckdb.Error as exc:
                    raise QueryRefused(str(exc)) from exc
        finally:
            self._slots.release()

    def _parsed(self, sql: str) -> duckdb.Statement:
        with self._store.cursor() as cursor:
            return _reading(cursor, sql)

    def _collect(self, answer: duckdb.DuckDBPyRelation) -> pa.Table:
        batches = []
        rows = size = 0
        with answer.to_arrow_reader(100_000) as reader:
            for batch in reader:
                rows += batch.num_rows
                size += batch.get_total_buffer_size()
                if rows > self._settings.sql_max_rows:
                    raise QueryRefused(
                        f"more than {self._settings.sql_max_rows} rows (sql_max_rows); add a limit or page"
                    )
                if size > self._settings.sql_max_bytes:
                    limit = f"more than {self._settings.sql_max_bytes} bytes (sql_max_bytes)"
                    raise QueryRefused(f"{limit}; ask for fewer columns or page")
                batches.append(batch)
            return pa.Table.from_batches(batches, schema=reader.schema)


def api_routes(store: Store, settings: Settings, health: Callable[[], dict[str, Any]]) -> list[BaseRoute]:
    """The routes of the read API, for the HTTP server to mount."""
    runner = QueryRunner(store, settings)

    async def get_health(request: Request) -> Response:
        if not _may_read(request, settings.read_token):
            return _error(401, "a read token is needed: Authorization: Bearer …")
        return _json(await run_in_threadpool(health))

    async def post_sql(request: Request) -> Response:
        if not _may_read(request, settings.read_token):
            return _error(401, "a read token is needed: Authorization: Bearer …")
        body = await _read_body(request)
        if body is None:
            return _error(413, f"the question is longer than {MAX_QUESTION_BYTES} bytes")
        try:
            question = Question.model_validate_json(body)
        except ValidationError as exc:
            return _error(400, f'expected {{"sql": "…", "params": {{…}}}}: {exc.errors(include_url=False)[0]["msg"]}')
        try:
            table = await run_in_threadpool(runner.run, question.sql, question.params)
        except QueryRefused as exc:
            return _error(exc.status, str(exc))
        if ARROW_STREAM in request.headers.get("accept", ""):
            return Response(await run_in_threadpool(_arrow_stream, table), media_type=ARROW_STREAM)
        return _json(await run_in_threadpool(_json_rows, table))

    return [Route("/api/health", get_health, methods=["GET"]), Route("/api/sql", post_sql, methods=["POST"])]


def _reading(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one SELECT or EXPLAIN that a text holds; refuses everything else.

    Only the first fence, for clear messages: a data-changing CTE parses as SELECT too, and the read-only transaction
    is what stops it.
    """
    statements = cursor.extract_statements(sql)
    if len(statements) != 1:
        raise QueryRefused(f"one statement at a time, this is {len(statements)}")
    if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise QueryRefused(f"only reading is possible here, this is {statements[0].type.name}")
    return statements[0]


@contextmanager
def _read_only(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    cursor.execute("begin transaction read only")
    try:
        yield
    finally:
        cursor.rollback()


@contextmanager
def _deadline(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[threading.Event]:
    late = threading.Event()

    def stop() -> None:
        late.set()
        cursor.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


async def _read_body(request: Request) -> bytes | None:
    body = bytearray()
    async with asyncio.timeout(30):
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_QUESTION_BYTES:
                return None
    return bytes(body)


def _may_read(request: Request, token: SecretStr | None) -> bool:
    if token is None:
        return True
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.encode(), token.get_secret_value().encode())


def _arrow_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


def _json_rows(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _json(value: object) -> Response:
    return Response(orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS), media_type="application/json")


def _plain(value: object) -> Any:
    """What orjson does not know: DuckDB's wide integers and decimals, bytes, intervals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and -(2**63) <= value < 2**64 else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value)


def _error(status: int, message: str) -> Response:
    return Response(orjson.dumps({"error": message}), status_code=status, media_type="application/json")
