"""The collector as a child process, as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import grpc
import httpx

from schemas.paths import store_path
from tests import local

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
START_TIMEOUT_S = 20.0

_ACCEPTS = re.compile(r"gRPC on \S+:(\d+) and OTLP/HTTP on \S+:(\d+)")


class DidNotStart(Exception):
    """The collector ended before it accepted spans; carries its exit code and what it said."""

    def __init__(self, returncode: int, said: str) -> None:
        super().__init__(said)
        self.returncode = returncode


class Collector:
    """A running collector on free ports of 127.0.0.1, or on the ports of one that ran before."""

    def __init__(self, data_dir: Path, *, grpc_port: int = 0, http_port: int = 0, **settings: object) -> None:
        variables = {f"SEAMSCOPE_{key.upper()}": str(value) for key, value in settings.items()}
        flags = ["--data", str(data_dir), "--grpc-port", str(grpc_port), "--http-port", str(http_port)]
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"SEAMSCOPE_MIN_FREE_DISK_MIB": "0"} | variables,
            cwd=data_dir.parent,  # where no seamscope.toml lies
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        line = self.process.stdout.readline()
        accepts = _ACCEPTS.search(line)
        if accepts is None:
            _, said = self.process.communicate(timeout=START_TIMEOUT_S)
            raise DidNotStart(self.process.returncode, line + said)
        self.grpc_port, self.http_port = int(accepts[1]), int(accepts[2])
        self.log: list[str] = []
        stderr = self.process.stderr
        self._reader = threading.Thread(target=lambda: self.log.extend(stderr))
        self._reader.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def url(self) -> str:
        return f"{self.base_url}/v1/traces"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> float:
        """Asks it to end; how long that took, in seconds."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self._gone()
        return time.monotonic() - started

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self._gone()

    def _gone(self) -> None:
        try:
            self.process.wait(timeout=60)
        finally:
            self.process.kill()
            self._reader.join()
            for pipe in (self.process.stdout, self.process.stderr):
                if pipe is not None:
                    pipe.close()

    def post(self, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        """Sends a body to /v1/traces; protobuf unless `headers` say otherwise."""
        return local.post(
            self.url, content=body, headers={"Content-Type": "application/x-protobuf"} | (headers or {}), timeout=60
        )

    @contextmanager
    def export(self) -> Iterator[grpc.UnaryUnaryMultiCallable]:
        """The Export method as a raw call: bytes in, bytes out."""
        with grpc.insecure_channel(
            f"127.0.0.1:{self.grpc_port}", options=[("grpc.max_send_message_length", -1)]
        ) as channel:
            yield channel.unary_unary(EXPORT)

    def sql(self, sql: str, **params: object) -> list[dict[str, Any]]:
        """The rows of a query, asked through the read API."""
        answer = local.post(f"{self.base_url}/api/sql", json={"sql": sql, "params": params}, timeout=60)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def health(self) -> dict[str, Any]:
        """What /api/health says."""
        answer: dict[str, Any] = local.get(f"{self.base_url}/api/health", timeout=60).json()
        return answer

    def spans(self, where: str = "true", **params: object) -> list[dict[str, Any]]:
        """Stored spans in order of start, with JSON columns read."""
        rows = self.sql(f"select * from span where {where} order by start_ns, span_id", **params)
        for row in rows:
            for column, value in row.items():
                if column in JSON_COLUMNS:
                    row[column] = json.loads(value) if isinstance(value, str) else value
        return rows

    def rss_bytes(self) -> int:
        """Its memory now."""
        return int(re.search(r"VmRSS:\s+(\d+) kB", self._status())[1]) * 1024  # type: ignore[index]

    def peak_rss_bytes(self) -> int:
        """The most memory it had."""
        return int(re.search(r"VmHWM:\s+(\d+) kB", self._status())[1]) * 1024  # type: ignore[index]

    def queued_for_cpu_s(self) -> float:
        """How long its main thread was ready to run and others ran: what a busy machine adds to every wait."""
        _, queued_ns, _ = Path(f"/proc/{self.process.pid}/schedstat").read_text().split()
        return int(queued_ns) / 1e9

    def _status(self) -> str:
        return Path(f"/proc/{self.process.pid}/status").read_text()

    @property
    def store(self) -> Path:
        """The database file."""
        return store_path(self.data_dir)


JSON_COLUMNS = frozenset({"attributes", "events", "links", "resource_attributes", "scope_attributes"})
