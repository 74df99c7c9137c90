"""Starts on a damaged store: what cannot be read is set aside, what can be is kept, and the loss is told.

DuckDB refuses a file whose log has a flipped byte, for ever: services were seen to restart on it in a loop. Where the
first bytes of the log or the length of an entry are damaged it opens without a word, and without all that came after.
"""

import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import duckdb

from collector.errors import CollectorError

log = logging.getLogger(__name__)

Opened = TypeVar("Opened")

MOST_REPAIRS: Final = 3
"""The log cut, the log set aside, the file set aside: then there is nothing left that can be damaged."""

HEADER_MOST: Final = 256
_NUMBER: Final = rb"[\x80-\xff]*[\x00-\x7f]"
_HEADER: Final = re.compile(
    rb"\x64\x00\x62\x65\x00\x02\x66\x00\x10(?:" + _NUMBER + rb"){16}\x67\x00" + _NUMBER + rb"\xff\xff"
)
"""How a log begins: entry type (VERSION), version 2, 16 bytes that name its database, the checkpoint, end."""
ENTRY_HEAD: Final = 16
"""Length and checksum of an entry, 8 bytes each."""

_AT_BYTE: Final = re.compile(r"entry at byte position (\d+)")
_OF_LOG: Final = "replaying WAL file"
_OF_FILE: Final = re.compile(
    r"not a valid DuckDB database file|Corrupt database file|Corrupt file|Could not read enough bytes|"
    r"checksum .{0,80} does not match"
)


class Damage(NamedTuple):
    """What was found at a start."""

    at_ns: int
    what: str
    kept: str
    """Name of the file it was set aside as, in the data folder."""
    lost: str


def open_whole(path: Path, wal: Path, connect: Callable[[], Opened]) -> tuple[Opened, list[Damage]]:
    """Opens a store, around what is damaged of it.

    Args:
        path: of the store; it may be missing.
        wal: of its write-ahead log.
        connect: opens it.

    Returns:
        (what `connect` gave, what was set aside).

    Raises:
        CollectorError: a damaged file cannot be set aside, for want of room perhaps.
    """
    found = _look_at_log(wal)
    for _ in range(MOST_REPAIRS):
        try:
            return connect(), found
        except duckdb.Error as exc:
            damage = _repair(path, wal, str(exc))
            if damage is None:
                raise
            found.append(damage)
    return connect(), found


def is_damage(error: duckdb.Error) -> bool:
    """Whether an error says that the store's files are damaged."""
    return _OF_LOG in str(error) or _OF_FILE.search(str(error)) is not None


def _look_at_log(wal: Path) -> list[Damage]:
    """A log that DuckDB would read only in part and say nothing: it is copied first."""
    size = wal.stat().st_size if wal.is_file() else 0
    whole = whole_bytes(wal) if size else 0
    if whole == size:
        return []
    what = f"the write-ahead log ends in {size - whole} bytes that are no whole entry"
    lost = (
        "what these bytes held: a write that a crash cut short and nobody was answered for, or more on a failing disk"
    )
    return [_told(what, _set_aside(wal, keeps=True), lost)]


def whole_bytes(wal: Path) -> int:
    """Up to where a log consists of whole entries."""
    with wal.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = _HEADER.match(file.read(HEADER_MOST))
        if header is None:
            return 0
        at = header.end()
        while at + ENTRY_HEAD <= size:
            file.seek(at)
            end = at + ENTRY_HEAD + int.from_bytes(file.read(8), "little")
            if end > size:
                break
            at = end
        return at


def _repair(path: Path, wal: Path, said: str) -> Damage | None:
    """Sets aside what an error names as damaged. -> None: it names nothing of that kind."""
    first = said.splitlines()[0]
    if _OF_LOG in first:
        reason = first.split(": ", 1)[-1]
        at = _AT_BYTE.search(first)
        size = wal.stat().st_size
        if at is None or not 0 < int(at[1]) < size:
            lost = f"what was stored since the log was last folded into the file ({size} bytes)"
            return _told(f"the write-ahead log cannot be read: {reason}", _set_aside(wal), lost)
        kept = _set_aside(wal, keeps=True)
        os.truncate(wal, int(at[1]))
        lost = f"what the log held from byte {at[1]} of {size} on; everything before it is there"
        return _told(f"the write-ahead log is damaged: {reason}", kept, lost)
    if _OF_FILE.search(said) and path.exists():
        kept = _set_aside(path)
        if wal.exists():
            _set_aside(wal)
        return _told(f"the store cannot be read: {first}", kept, "everything in it; a new store was begun")
    return None


def _told(what: str, kept: Path, lost: str) -> Damage:
    log.error("%s; set aside as %s; lost: %s", what, kept, lost)
    return Damage(time.time_ns(), what, kept.name, lost)


def _set_aside(file: Path, *, keeps: bool = False) -> Path:
    """The file under a name that tells when it was found damaged; `keeps`: as a copy.

    Raises:
        CollectorError: it cannot be, for want of room perhaps.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = file.with_name(f"{file.name}.corrupt-{stamp}")
    for n in range(2, 100):
        if not aside.exists():
            break
        aside = file.with_name(f"{file.name}.corrupt-{stamp}-{n}")
    try:
        if keeps:
            shutil.copyfile(file, aside)
        else:
            file.rename(aside)
    except OSError as exc:
        raise CollectorError(f"{file} is damaged and cannot be set aside as {aside.name}: {exc.strerror}") from exc
    return aside
