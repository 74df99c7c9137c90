"""Processes that a command starts, watches and ends: one Ctrl-C stops all, an early death is told."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import NamedTuple, Self

from dashboard.errors import ChildFailed

POLL_S = 0.1
DRAIN_S = 10.0
"""How long a child may take to end: the collector promises 5 s."""


class Child(NamedTuple):
    """A started process."""

    name: str
    process: subprocess.Popen[bytes]


class Children:
    """Processes in the order they were started; they are ended in reverse.

    Each has its own process group, so the terminal's Ctrl-C reaches only this process, which then ends them in order:
    the collector last, after those who send to it. A second Ctrl-C kills.
    """

    def __init__(self) -> None:
        self._running: list[Child] = []
        self._signals = 0

    def __enter__(self) -> Self:
        self._former = {
            sig: signal.signal(sig, self._on_signal) for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        return self

    def __exit__(self, *_exc: object) -> None:
        try:
            self._end_all()
        finally:
            for sig, handler in self._former.items():
                signal.signal(sig, handler)

    @property
    def stopping(self) -> bool:
        """Somebody asked this process to end."""
        return self._signals > 0

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Starts a process. Its warnings and errors are seen; what it says besides is ours to say."""
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0
        )
        child = Child(name, process)
        self._running.append(child)
        return child

    def ticks(self, timeout_s: float | None = None) -> Iterator[None]:
        """Comes by every moment until somebody asks to stop, or the time is over; dead children are told on the way.

        Raises:
            ChildFailed: a child ended by itself.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.stopping and (until is None or time.monotonic() < until):
            self._look()
            yield
            time.sleep(POLL_S)

    def forget(self, child: Child) -> None:
        """No longer minds whether this child ends; it is still ended with the others."""
        self._running = [c if c is not child else c._replace(name="") for c in self._running]

    def _look(self) -> None:
        for child in self._running:
            code = child.process.poll()
            if code is not None and child.name:
                raise ChildFailed(f"{child.name} ended by itself ({_ending(code)}); what it wrote is above")

    def _end_all(self) -> None:
        for child in reversed(self._running):
            if child.process.poll() is None:
                child.process.terminate()
                self._await(child)

    def _await(self, child: Child) -> None:
        asked = self._signals
        until = time.monotonic() + DRAIN_S
        while child.process.poll() is None:
            if time.monotonic() > until or self._signals > max(asked, 1):
                child.process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(POLL_S)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
