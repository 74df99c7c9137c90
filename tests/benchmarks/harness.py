"""A collector as a child process, measured from outside; and where results go."""

import argparse
import contextlib
import http.client
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from dashboard.endpoint import running_collector
from schemas.paths import store_path
from tests.markers import replace_between

RESULTS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
START_S = 60


class Usage(NamedTuple):
    """What a process has used from its start to its end."""

    cpu_s: float
    exit_s: float
    """From being told to stop to being gone."""
    code: int


class Collector:
    """A running collector on a data folder of its own."""

    def __init__(self, data: Path, **settings: object) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SEAMSCOPE_", "OTEL_"))}
        told = {"data_dir": data, "http_port": 0, "grpc_port": 0, **settings}
        environment |= {f"SEAMSCOPE_{name.upper()}": str(value) for name, value in told.items()}
        self.data = data
        self.started_s = time.perf_counter()
        self.log = (data.parent / f"{data.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector"], env=environment, stdout=subprocess.DEVNULL, stderr=self.log
        )
        self._seen = psutil.Process(self.process.pid)
        self.endpoint = self._wait()

    def _wait(self) -> dict[str, Any]:
        while time.perf_counter() - self.started_s < START_S:
            endpoint = running_collector(self.data)
            if endpoint is not None and endpoint["pid"] == self.process.pid:
                return endpoint
            if self.process.poll() is not None:
                raise RuntimeError(f"the collector ended with code {self.process.returncode}; see {self.log.name}")
            time.sleep(0.01)
        raise TimeoutError("the collector did not come up")

    @property
    def http_port(self) -> int:
        """OTLP/HTTP and the read API."""
        return int(self.endpoint["http_port"])

    @property
    def grpc_port(self) -> int:
        """OTLP/gRPC."""
        return int(self.endpoint["grpc_port"])

    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def rss_mib(self) -> float:
        """Resident memory."""
        return float(self._seen.memory_info().rss) / 2**20

    def health(self) -> dict[str, Any]:
        """What `/api/health` says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        try:
            connection.request("GET", "/api/health")
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()

    def sql(self, query: str, **params: object) -> list[dict[str, Any]]:
        """Rows of a query through the read API."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        try:
            connection.request(
                "POST", "/api/sql", json.dumps({"sql": query, "params": params}), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            data = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{query}: {data}")
        rows: list[dict[str, Any]] = data
        return rows

    def wait_settled(self, timeout_s: float = 300) -> float:
        """Seconds until no trace waits for settling."""
        since = time.perf_counter()
        while time.perf_counter() - since < timeout_s:
            waiting = self.health()["settling"]
            if not waiting["traces_waiting"] and not waiting["lag_s"]:
                return time.perf_counter() - since
            time.sleep(0.1)
        raise TimeoutError("settling does not catch up")

    def store_bytes(self) -> int:
        """Size of the store's file."""
        return store_path(self.data).stat().st_size

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> Usage:
        """Ends it and gives back all it used, its last checkpoint included."""
        since = time.perf_counter()
        self.process.send_signal(sig)
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.log.close()
        return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - since, self.process.returncode)


@contextlib.contextmanager
def collector(**settings: object) -> Iterator[Collector]:
    """A collector on an empty folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder:
        running = Collector(Path(folder) / "data", **settings)
        try:
            yield running
        finally:
            if running.process.returncode is None:
                running.process.kill()
                running.process.wait()


class Samples(threading.Thread):
    """Calls a function at a fixed pace in the background and keeps what it gives."""

    def __init__(self, every_s: float, look: Any) -> None:
        super().__init__(daemon=True)
        self.values: list[Any] = []
        self.failures = 0
        self._every_s, self._look, self._over = every_s, look, threading.Event()

    def run(self) -> None:
        """Until `end`."""
        while not self._over.wait(self._every_s):
            try:
                self.values.append(self._look())
            except (OSError, http.client.HTTPException, RuntimeError, TimeoutError):
                self.failures += 1

    def end(self) -> list[Any]:
        """Stops, and gives back everything that was seen."""
        self._over.set()
        self.join()
        return self.values


def percentile(values: Sequence[float], ratio: float) -> float:
    """The value below which that share lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(ratio * len(ordered)))] if ordered else float("nan")


def other_cores_used(seconds: float = 2.0) -> float:
    """How many cores the rest of the machine is using just now: a figure measured on a busy machine is none."""
    return psutil.cpu_percent(seconds) / 100 * (psutil.cpu_count() or 1)


def machine() -> str:
    """The machine and the versions, in one line."""
    model = "unknown processor"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory_gib = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores ({model}), {memory_gib:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, duckdb {version('duckdb')}, seamscope {version('seamscope')}, "
        f"{time.strftime('%Y-%m-%d', time.gmtime())}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(map(shown, row)) + " |" for row in rows)])


def shown(value: object) -> str:
    """A number with three significant digits, anything else as it is."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def options(description: str | None) -> argparse.ArgumentParser:
    """The flags that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    return parser


def report(name: str, text: str, *, write: bool, busy_cores: float) -> None:
    """Prints a result, and writes it into the document where asked to."""
    text = f"{machine()}; {busy_cores:.1f} cores busy with other work before the start.\n\n{text}"
    print(text)  # noqa: T201 - a benchmark's result is its output
    if write:
        replace_between(RESULTS, name, text)
