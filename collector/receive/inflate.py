"""Compressed bodies, inflated no further than allowed."""

import zlib
from collections.abc import Iterator
from typing import Final

from collector.errors import CollectorError, DecodeError

_WINDOW_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What tells zlib the container: gzip, or the zlib header that HTTP calls deflate."""

_MAX_MEMBERS: Final = 64
"""Gzip members of one body. Each costs a copy of what was read ahead, so a body of empty ones would be slow."""

_INPUT_BYTES: Final = 64 * 1024
_OUTPUT_BYTES: Final = 1024 * 1024
"""Inflated piece by piece: asked for all at once, zlib takes twice the room of what it gives."""


class BodyTooLarge(CollectorError):
    """A body is larger than one may be, as sent or once inflated (HTTP 413, gRPC RESOURCE_EXHAUSTED)."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the body is larger than {limit_bytes} bytes (max_body_bytes); send smaller batches")


class UnknownEncoding(CollectorError):
    """A content encoding that is not offered (HTTP 415)."""


def check_encoding(content_encoding: str) -> str | None:
    """The one compression a Content-Encoding header names; None: the body comes as it is.

    Raises:
        DecodeError: it names several, one on top of the other.
        UnknownEncoding: it names one that is not offered.
    """
    names = [name for part in content_encoding.split(",") if (name := part.strip().lower()) not in {"", "identity"}]
    if not names:
        return None
    if len(names) > 1:
        raise DecodeError(f"Content-Encoding {content_encoding[:80]!r}: a body may be compressed once only")
    if names[0] not in _WINDOW_BITS:
        raise UnknownEncoding(f"Content-Encoding {names[0][:40]!r} is not offered; use gzip, deflate or none")
    return names[0]


def inflate(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """The inflated body. Several gzip members in a row are one body, as the format has it.

    Raises:
        BodyTooLarge: it is larger than `limit_bytes`; found out without inflating more than that.
        DecodeError: it is not in that encoding, cut off, or followed by something else.
    """
    parts: list[bytes] = []
    room = limit_bytes
    try:
        for part in _inflated(body, encoding):
            room -= len(part)
            if room < 0:
                raise BodyTooLarge(limit_bytes)
            parts.append(part)
    except zlib.error as exc:
        raise DecodeError(f"the body is not valid {encoding}: {exc}") from exc
    return b"".join(parts)


def _inflated(body: bytes, encoding: str) -> Iterator[bytes]:
    """The inflated body in pieces."""
    stream = zlib.decompressobj(_WINDOW_BITS[encoding])
    members = 1
    view = memoryview(body)
    for start in range(0, len(body), _INPUT_BYTES):
        ahead: bytes | memoryview = view[start : start + _INPUT_BYTES]
        while ahead:
            if stream.eof:
                members += 1
                if encoding == "deflate" or members > _MAX_MEMBERS:
                    raise DecodeError(f"the {encoding} body goes on after its end")
                stream = zlib.decompressobj(_WINDOW_BITS[encoding])
            yield stream.decompress(ahead, _OUTPUT_BYTES)
            ahead = stream.unused_data if stream.eof else stream.unconsumed_tail
    while not stream.eof:
        rest = stream.decompress(b"", _OUTPUT_BYTES)
        if not rest:
            raise DecodeError(f"the {encoding} body is cut off")
        yield rest
