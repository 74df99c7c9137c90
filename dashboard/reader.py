"""Reads a store without anyone needing to know how: through the running collector, or from its file.

DuckDB lets one process hold a file that is written, so while a collector runs every read goes through its read
API; without one the file is opened read-only here. No Streamlit in this module: the command line uses it too.
"""

import http.client
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from dashboard.endpoint import reachable, running_collector, url_of
from dashboard.errors import QueryError, SchemaMismatch, StoreBusy, StoreMissing
from schemas.paths import store_path
from schemas.settings import Settings
from schemas.version import SCHEMA_VERSION

ARROW_STREAM = "application/vnd.apache.arrow.stream"
ANSWER_MARGIN_S = 5.0
"""How much longer than the collector's own time limit a client waits: the collector's message is the better one."""


class Reader(Protocol):
    """A store that can be asked."""

    @property
    def live(self) -> bool:
        """True: a running collector answers. False: the file is read, nobody writes it."""
        ...

    @property
    def where(self) -> str:
        """Address or path, for messages."""
        ...

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """The whole answer, never cut short. `$name` in the text takes `params["name"]`. Safe from many threads.

        Raises:
            QueryError: the query is wrong, not allowed, or over a limit.
            StoreBusy: nobody answers any more; `connect` again.
        """
        ...

    def health(self) -> dict[str, Any]:
        """What `/api/health` says; of a file only the versions."""
        ...

    def close(self) -> None:
        """Lets go of the store."""
        ...


def connect(settings: Settings) -> Reader:
    """The store of the data folder, through its collector where one runs.

    Raises:
        StoreMissing: there is neither a collector nor a file.
        StoreBusy: another process holds the file and says no address.
        SchemaMismatch: the file was written by another build.
    """
    endpoint = running_collector(settings.data_dir)
    if endpoint is not None:
        return LiveReader(endpoint, settings)
    return FileReader(store_path(settings.data_dir), settings)


class LiveReader:
    """Asks a running collector over its read API; one kept-open connection per thread."""

    live = True

    def __init__(self, endpoint: Mapping[str, Any], settings: Settings) -> None:
        self._host = reachable(str(endpoint["host"]))
        self._port = int(endpoint["http_port"])
        self._headers = {"Content-Type": "application/json"}
        if settings.read_token is not None:
            self._headers["Authorization"] = f"Bearer {settings.read_token.get_secret_value()}"
        self._timeout_s = settings.sql_timeout_s + ANSWER_MARGIN_S
        self._local = threading.local()

    @property
    def where(self) -> str:
        """The collector's address."""
        return url_of(self._host, self._port)

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """See `Reader.query`."""
        body = json.dumps({"sql": sql, "params": dict(params or {})}).encode()
        data = self._request("POST", "/api/sql", body, {"Accept": ARROW_STREAM})
        with pa.ipc.open_stream(data) as stream:
            return stream.read_all()

    def health(self) -> dict[str, Any]:
        """See `Reader.health`."""
        answer: dict[str, Any] = json.loads(self._request("GET", "/api/health", None, {}))
        return answer

    def close(self) -> None:
        """Closes this thread's connection; those of other threads end with their threads."""
        self._disconnect()

    def _request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        reused = getattr(self._local, "connection", None) is not None
        try:
            status, data = self._exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException) as exc:
            self._disconnect()
            if not reused or isinstance(exc, TimeoutError):
                raise self._gone(exc) from exc
            try:  # the server closes idle connections; only a fresh one tells whether it is still there
                status, data = self._exchange(method, path, body, headers)
            except (OSError, http.client.HTTPException) as again:
                self._disconnect()
                raise self._gone(again) from again
        if status != http.HTTPStatus.OK:
            raise QueryError(_error_text(status, data), status)
        return data

    def _exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
            self._local.connection = connection
        connection.request(method, path, body, {**self._headers, **headers})
        response = connection.getresponse()
        return response.status, response.read()

    def _disconnect(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _gone(self, exc: Exception) -> StoreBusy:
        return StoreBusy(
            f"the collector at {self.where} does not answer ({_first_line(exc) or type(exc).__name__}); "
            "see `seamscope doctor`"
        )


class FileReader:
    """Reads the file itself; possible only while no collector runs."""

    live = False

    def __init__(self, path: Path, settings: Settings) -> None:
        if not path.is_file():
            raise StoreMissing(
                f"no store at {path} and no collector running on {path.parent} — "
                "start one with `seamscope up`, or name another folder with --data"
            )
        config: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "lock_configuration": "true",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "memory_limit": f"{settings.duckdb_memory_mib}MiB",
            "threads": str(settings.duckdb_threads),
        }
        try:
            self._connection = duckdb.connect(path, read_only=True, config=config)
        except duckdb.Error as exc:
            raise StoreBusy(
                f"{path} cannot be opened: {_first_line(exc)} — stop the process that holds it, "
                "or wait until its collector answers"
            ) from exc
        self._path = path
        self._check_schema()

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self._path)

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """See `Reader.query`."""
        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(sql, dict(params or {})).to_arrow_table()
        except duckdb.Error as exc:
            raise QueryError(_first_line(exc)) from exc

    def health(self) -> dict[str, Any]:
        """See `Reader.health`."""
        return {"live": False, "schema_version": SCHEMA_VERSION}

    def close(self) -> None:
        """Closes the file, so that a collector can start."""
        self._connection.close()

    def _check_schema(self) -> None:
        try:
            row = self._connection.execute("select value from store.meta where key = 'schema_version'").fetchone()
        except duckdb.Error as exc:
            self.close()
            raise SchemaMismatch(f"{self._path} is not a Seamscope store: {_first_line(exc)}") from exc
        found = row[0] if row else "none"
        if str(found) != str(SCHEMA_VERSION):
            self.close()
            raise SchemaMismatch(
                f"{self._path} was written by schema {found}, this build reads {SCHEMA_VERSION} — "
                "use the build that wrote it, or another folder with --data"
            )


def _error_text(status: int, data: bytes) -> str:
    try:
        text = str(json.loads(data)["error"])
    except (ValueError, KeyError, TypeError):
        text = data[:200].decode("utf-8", "replace") or "no reason given"
    if status == http.HTTPStatus.UNAUTHORIZED:
        return f"{text} — set SEAMSCOPE_READ_TOKEN to the collector's read token"
    return text


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n", 1)[0]
