"""Runs `seamscope` as a user does: a process, its output, its exit code."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboard.endpoint import running_collector

SEAMSCOPE = [sys.executable, "-m", "dashboard.cli"]
RECORDINGS = Path(__file__).parents[1] / "fixtures" / "otlp"
ANY_PORTS = ["--grpc-port", "0", "--http-port", "0"]
START_S = 60


def seamscope(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A finished `seamscope …`."""
    done = subprocess.run([*SEAMSCOPE, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def running(*arguments: str | Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A `seamscope …` that keeps running; it is interrupted at the end, as by Ctrl-C."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [*SEAMSCOPE, *map(str, arguments)],
            stdout=out,
            stderr=out,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def wait_for_collector(data: Path, process: subprocess.Popen[str]) -> dict[str, object]:
    """What the collector of the folder says of itself, once it does."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        endpoint = running_collector(data)
        if endpoint is not None:
            return endpoint
        assert process.poll() is None, "it ended"
        time.sleep(0.05)
    raise TimeoutError("no collector came up")


def wait_for_text(log: Path, text: str, process: subprocess.Popen[str]) -> str:
    """The output so far, once it holds a text."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if text in (said := log.read_text()):
            return said
        assert process.poll() is None, said
        time.sleep(0.05)
    raise TimeoutError(f"{text!r} was not said:\n{said}")
