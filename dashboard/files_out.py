"""Writes files that hold what agents said: readable by their owner only, whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dashboard.errors import OutputRefused

OWNER_ONLY = 0o600


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file to write; it takes its name only when the block ends well, so a broken one is never found there.

    Args:
        path: where it shall be.
        replace: whether a file of that name may be replaced. A symbolic link never is.

    Raises:
        OutputRefused: there is a link, a file that may not be replaced, or no folder.
    """
    _check(path, replace)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
        _check(path, replace)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _check(path: Path, replace: bool) -> None:
    if path.is_symlink():
        raise OutputRefused(f"{path} is a symbolic link: name the file itself, or another one, with --out")
    if path.is_dir():
        raise OutputRefused(f"{path} is a folder: name a file with --out")
    if path.exists() and not replace:
        raise OutputRefused(f"{path} exists: name another file with --out, or replace it with --force")
    if not path.parent.is_dir():
        raise OutputRefused(f"{path.parent} is no folder: make it first, or name another file with --out")
