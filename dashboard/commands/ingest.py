"""`ingest`: sends OTLP files to the collector, the one way spans come in, and tells what became of every request."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import click

from dashboard.commands.children import Children
from dashboard.commands.options import load_settings, setting_options
from dashboard.commands.run import start_collector
from dashboard.endpoint import reachable, running_collector
from dashboard.otlp_files import Found, OtherSignal, Request, Unreadable, files_in, read_requests
from dashboard.otlp_sender import Answer, Sender
from dashboard.rows import printable
from schemas.settings import Settings

SENDERS = 4
WAITING = 16
"""Requests on their way at one time: enough for group commit, few enough to keep memory flat."""


@dataclass
class Tally:
    """What became of everything that was found."""

    files: int = 0
    requests: int = 0
    taken: int = 0
    refused: int = 0
    other_signals: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, found: Found, answer: Answer | None) -> None:
        """Counts one place in a file and the collector's answer to it (None: it was not sent)."""
        if isinstance(found, OtherSignal):
            self.other_signals += 1
        elif isinstance(found, Unreadable):
            self.complaints.append(f"{found.where}: {found.reason}")
        elif answer is not None:
            self.requests += 1
            self.taken += answer.taken
            self.refused += answer.refused
            if answer.reason:
                self.complaints.append(
                    f"{found.where}: {answer.refused} of {found.spans} spans refused: {answer.reason}"
                )

    def summary(self) -> str:
        """One sentence of totals."""
        text = f"{self.taken:,} spans taken from {self.requests:,} requests in {self.files:,} files"
        if self.refused:
            text += f", {self.refused:,} spans refused"
        if self.other_signals:
            text += f"; {self.other_signals:,} requests held logs, metrics or profiles, which Seamscope does not read"
        return text


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, readable=True, path_type=Path)
)
@setting_options("data_dir")
def ingest(paths: tuple[Path, ...], **flags: Any) -> None:
    """Take in OTLP trace files.

    Protobuf, JSON and JSON lines, each also gzipped; a folder means all files in it. Sends to the collector that
    runs on the data folder, or starts one for as long as it takes. A span that is there already is stored once, so
    a file can be taken in again. Lists what was refused, by file and line; the exit code is 1 if anything was.
    """
    settings = load_settings(flags)
    files = [file for path in paths for file in files_in(path)]
    tally = Tally(files=len(files))
    with collector_of(settings) as (host, port), Sender(host, port, settings.write_token) as sender:
        size = sum(file.stat().st_size for file in files)
        with click.progressbar(length=size, label="taking in", file=sys.stderr, show_pos=False) as bar:
            for found, answer in sent(found_in(files, bar), sender):
                tally.add(found, answer)
    for complaint in tally.complaints:
        click.echo(printable(complaint), err=True)
    click.echo(tally.summary())
    if tally.complaints:
        raise SystemExit(1)


@contextmanager
def collector_of(settings: Settings) -> Iterator[tuple[str, int]]:
    """Host and port of the data folder's collector; one is started, and ended again, where none runs."""
    endpoint = running_collector(settings.data_dir)
    if endpoint is not None:
        yield reachable(str(endpoint["host"])), int(endpoint["http_port"])
        return
    alone = settings.model_copy(update={"host": "127.0.0.1", "grpc_port": 0, "http_port": 0})
    with Children(beside_work=True) as children:
        _, started = start_collector(children, alone)
        yield str(started["host"]), int(started["http_port"])


def found_in(files: Iterable[Path], bar: Any) -> Iterator[Found]:
    """Everything in the files, moving the bar on by what was read of them."""
    for file in files:
        try:
            with file.open("rb") as raw:
                yield from _following(read_requests(raw, str(file)), raw, bar)
        except OSError as exc:
            yield Unreadable(str(file), f"cannot be read: {exc.strerror or exc}")


def _following(found: Iterator[Found], raw: BinaryIO, bar: Any) -> Iterator[Found]:
    at = 0
    for item in found:
        yield item
        now = raw.tell()
        bar.update(now - at)
        at = now


def sent(found: Iterable[Found], sender: Sender) -> Iterator[tuple[Found, Answer | None]]:
    """Each place with the collector's answer, in the order they were found, several on their way at one time."""
    waiting: deque[tuple[Found, Future[Answer] | None]] = deque()
    with ThreadPoolExecutor(SENDERS) as pool:
        for item in found:
            waiting.append((item, pool.submit(sender.send, item) if isinstance(item, Request) else None))
            if len(waiting) > WAITING:
                yield _answered(*waiting.popleft())
        while waiting:
            yield _answered(*waiting.popleft())


def _answered(item: Found, answer: Future[Answer] | None) -> tuple[Found, Answer | None]:
    return item, answer.result() if answer is not None else None
