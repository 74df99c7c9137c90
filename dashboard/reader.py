"""Reads a store without anyone needing to know how: through the running collector, or from its file.

DuckDB lets one process hold a file that is written, so while a collector runs every read goes through its read
API; without one the file is opened read-only here. No Streamlit in this module: the command line uses it too.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import urllib3
from pyarrow import ipc

from dashboard import silence
from dashboard.endpoint import reachable, running_collector, url_of
from dashboard.errors import (
    AccessDenied,
    CollectorDown,
    CollectorSilent,
    NoStore,
    QueryFailed,
    SchemaMismatch,
    StoreBusy,
)
from schemas import ddl
from schemas.paths import store_path
from schemas.settings import Settings
from schemas.version import SCHEMA_VERSION

ARROW_STREAM = "application/vnd.apache.arrow.stream"
CONNECT_TIMEOUT_S = 2.0
KEPT_CONNECTIONS = 32
ANSWER_MARGIN_S = 5.0
"""How much longer than the collector's own time limit a client waits: the collector's message is the better one."""
SHOWN_QUESTION_CHARS = 80


class Reader(Protocol):
    """A store that can be asked. Safe from many threads; its file does not stay open between two questions."""

    @property
    def live(self) -> bool:
        """True: a running collector answers. False: the file is read, nobody writes it."""
        ...

    @property
    def where(self) -> str:
        """Address or path, for messages."""
        ...

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """The whole answer, never cut short. `$name` in the text takes `params["name"]`.

        Raises:
            DashboardError: the query is wrong, not allowed or over a limit, or nobody can answer just now.
        """
        ...


def connect(settings: Settings) -> Reader:
    """The store of the data folder, through its collector where one runs. Opens nothing yet.

    Raises:
        NoStore: there is neither a collector nor a file.
        SchemaMismatch: the collector is of another version.
    """
    endpoint = running_collector(settings.data_dir)
    if endpoint is None:
        path = store_path(settings.data_dir)
        if not path.is_file():
            raise NoStore(path)
        return FileReader(path)
    if endpoint.get("schema_version") != SCHEMA_VERSION:
        where = f"the collector on {settings.data_dir} (pid {endpoint['pid']})"
        raise SchemaMismatch(where, str(endpoint.get("schema_version")), SCHEMA_VERSION)
    token = settings.read_token.get_secret_value() if settings.read_token else None
    host, port = reachable(str(endpoint["host"])), int(endpoint["http_port"])
    return CollectorReader(host, port, int(endpoint["pid"]), token, settings.sql_timeout_s + ANSWER_MARGIN_S)


@dataclass(frozen=True, slots=True)
class CollectorReader:
    """Asks a running collector over its read API."""

    host: str
    port: int
    pid: int
    token: str | None
    timeout_s: float

    @property
    def live(self) -> bool:
        """Always."""
        return True

    @property
    def where(self) -> str:
        """The collector's address."""
        return url_of(self.host, self.port)

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """See `Reader.query`."""
        body = json.dumps({"sql": sql, "params": dict(params or {})}).encode()
        with ipc.open_stream(self._request("POST", "/api/sql", body, sql)) as stream:
            return stream.read_all()

    def health(self) -> dict[str, Any]:
        """What `/api/health` says."""
        answer: dict[str, Any] = json.loads(self._request("GET", "/api/health", None, "health"))
        return answer

    def _request(self, method: str, path: str, body: bytes | None, question: str) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": f"{ARROW_STREAM}, application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        heard = _heard(self.host, self.port)
        try:
            if silence.is_known(self.host, self.port):
                raise silence.Silent
            try:
                response = self._sent(method, path, body, headers)
            except urllib3.exceptions.ProtocolError:  # a kept connection that it had closed, as when it began anew
                response = self._sent(method, path, body, headers)
        except silence.Silent as exc:
            raise CollectorSilent(self.where, self.pid, heard.at_ns) from exc
        except urllib3.exceptions.HTTPError as exc:
            raise CollectorDown(self.where, str(exc) or type(exc).__name__) from exc
        heard.at_ns = time.time_ns()
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise AccessDenied(self.where)
        if response.status != HTTPStatus.OK:
            raise QueryFailed(_shown(question), _error_text(response.status, response.data))
        return response.data

    def _sent(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=self.timeout_s)
        return _connections(self.host, self.port).request(
            method, path, body, headers=headers, timeout=timeout, retries=False
        )


@lru_cache(maxsize=4)
def _connections(host: str, port: int) -> urllib3.HTTPConnectionPool:
    """Connections that are kept: a new one for each question costs the collector as much as a small question does."""
    pool = urllib3.HTTPConnectionPool(host, port, maxsize=KEPT_CONNECTIONS)
    pool.ConnectionCls = silence.Watched
    return pool


@dataclass(slots=True)
class Heard:
    """When a collector answered last, or was first asked."""

    at_ns: int


@lru_cache(maxsize=4)
def _heard(_host: str, _port: int) -> Heard:
    return Heard(time.time_ns())


@dataclass(frozen=True, slots=True)
class FileReader:
    """Opens the file read-only for one query and lets go of it, so that a collector can start at any time."""

    path: Path

    @property
    def live(self) -> bool:
        """Never."""
        return False

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """See `Reader.query`."""
        with self.held() as held:
            return held.query(sql, params)

    @contextmanager
    def held(self) -> Iterator["HeldFile"]:
        """The file, open for as long as the block lasts: no collector can start meanwhile."""
        try:
            connection = duckdb.connect(self.path, read_only=True, config={"enable_external_access": "false"})
        except duckdb.Error as exc:
            if isinstance(exc, duckdb.IOException) and "lock" in str(exc):
                raise StoreBusy(self.path) from exc
            raise QueryFailed(f"open {self.path}", str(exc).strip()) from exc
        with connection:
            meta = _meta(connection)
            if (found := meta.get("schema_version", "none")) != str(SCHEMA_VERSION):
                raise SchemaMismatch(str(self.path), found, SCHEMA_VERSION)
            if meta.get("contract") != ddl.contract_digest():  # another build of the same schema wrote it
                for statement in ddl.contract_for_session():
                    connection.execute(statement.sql)
            yield HeldFile(self.path, connection)


@dataclass(frozen=True, slots=True)
class HeldFile:
    """The file while it is held open. For one thread."""

    path: Path
    connection: duckdb.DuckDBPyConnection

    @property
    def live(self) -> bool:
        """Never."""
        return False

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """See `Reader.query`."""
        try:
            return self.connection.sql(sql, params=dict(params or {})).to_arrow_table()
        except duckdb.Error as exc:
            raise QueryFailed(_shown(sql), str(exc).strip()) from exc


@contextmanager
def held(reader: Reader) -> Iterator[Reader]:
    """A reader for many questions in a row: a file is opened once for all of them."""
    if isinstance(reader, FileReader):
        with reader.held() as file:
            yield file
    else:
        yield reader


def _meta(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What a store says of itself; nothing where it is no store."""
    try:
        return dict(connection.execute("select key, value from store.meta").fetchall())
    except duckdb.CatalogException:
        return {}


def _error_text(status: int, data: bytes) -> str:
    try:
        return str(json.loads(data)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}"


def _shown(question: str) -> str:
    text = " ".join(question.split())
    return text if len(text) <= SHOWN_QUESTION_CHARS else text[: SHOWN_QUESTION_CHARS - 1] + "…"
