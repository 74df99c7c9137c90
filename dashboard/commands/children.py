"""Processes that a command starts, watches and ends: one Ctrl-C stops all, a death is told, and mended where it can."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final, Self

import click

from dashboard.errors import ChildFailed

POLL_S = 0.1
DRAIN_S = 10.0
"""How long a child may take to end: the collector promises 5 s."""
PAUSES_S: Final = (0, 1, 2, 4, 8, 16, 30)
"""How long a kept child that ended is left alone before it is started again: the first time, the second …"""
RAN_WELL_S: Final = 60.0
"""One that ran for so long begins with the first pause again: a start that fails takes no longer."""


@dataclass(slots=True)
class Kept:
    """How a child is started again, and how that went so far."""

    command: Sequence[str]
    environment: Mapping[str, str]
    started_s: float
    ends: int = 0
    """How often it ended without having run well."""
    due_s: float | None = None
    """When it is started again; None while it runs."""

    def pause_s(self, now_s: float) -> int:
        """How long to wait now that it has ended."""
        self.ends = 1 if now_s - self.started_s > RAN_WELL_S else self.ends + 1
        return PAUSES_S[min(self.ends, len(PAUSES_S)) - 1]


@dataclass(slots=True, eq=False)
class Child:
    """A started process."""

    name: str
    process: subprocess.Popen[bytes]
    kept: Kept | None = None


class Children:
    """Processes in the order they were started; they are ended in reverse.

    Each has its own process group, so the terminal's Ctrl-C reaches only this process, which then ends them in order:
    the collector last, after those who send to it. A second Ctrl-C kills.

    Args:
        beside_work: this process does work of its own meanwhile, which the first Ctrl-C breaks off: `SystemExit` with
            128 and the number of the signal, so that nobody takes what was broken off for done.
    """

    def __init__(self, *, beside_work: bool = False) -> None:
        self._running: list[Child] = []
        self._signals = 0
        self._beside_work = beside_work

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
        child = Child(name, _process(command, environment))
        self._running.append(child)
        return child

    def keep(self, child: Child, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """From now on this child is started again whenever it ends: at once, then after growing pauses."""
        child.kept = Kept(command, environment, started_s=time.monotonic())

    def ticks(self, timeout_s: float | None = None) -> Iterator[None]:
        """Comes by every moment until somebody asks to stop, or the time is over; dead children are told on the way.

        Raises:
            ChildFailed: a child ended by itself that is not kept.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.stopping and (until is None or time.monotonic() < until):
            self._look()
            yield
            time.sleep(POLL_S)

    def _look(self) -> None:
        for child in self._running:
            code = child.process.poll()
            if code is None:
                continue
            if child.kept is None:
                raise ChildFailed(f"{child.name} ended by itself ({_ending(code)}); what it wrote is above")
            _mend(child, child.kept, code)

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

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._beside_work and self._signals == 1:
            raise SystemExit(128 + number)


def _process(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0
    )


def _mend(child: Child, kept: Kept, code: int) -> None:
    """Says once that a kept child has ended, and starts it again when its pause is over."""
    now_s = time.monotonic()
    if kept.due_s is None:
        pause_s = kept.pause_s(now_s)
        kept.due_s = now_s + pause_s
        when = f"in {pause_s} s" if pause_s else "now"
        click.echo(f"{child.name} ended by itself ({_ending(code)}); it is started again {when}", err=True)
    if now_s >= kept.due_s:
        child.process = _process(kept.command, kept.environment)
        kept.started_s, kept.due_s = now_s, None


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
