"""Takes OTLP trace files apart into requests, without deciding what they mean.

Known are what an OpenTelemetry Collector's file exporter writes (JSON lines, or protobuf messages each behind its
length), single requests in protobuf or JSON, and gzip of any of them. The content decides, not the file's name.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Encoding = Literal["protobuf", "json"]

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"
RESOURCE_SPANS_TAG = 0x0A
"""The only field of an OTLP trace request, as its first byte. It is also a newline: the framing tells them apart."""
MAX_MESSAGE_BYTES = 1 << 30
OTHER_SIGNALS = ("resourceLogs", "resourceMetrics", "resourceProfiles")


class Request(NamedTuple):
    """One export request found in a file."""

    where: str
    """`file`, `file:line` or `file:#message`, for messages."""
    body: bytes
    encoding: Encoding
    spans: int


class Unreadable(NamedTuple):
    """A place in a file that is no trace request."""

    where: str
    reason: str


class OtherSignal(NamedTuple):
    """A place in a file that holds logs, metrics or profiles."""

    where: str


Found = Request | Unreadable | OtherSignal


def files_in(path: Path) -> list[Path]:
    """The files a command-line argument means: itself, or everything below a folder in name order."""
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))


def read_requests(raw: BinaryIO, name: str) -> Iterator[Found]:
    """Everything in a file, in order; a broken place does not hide what follows it.

    Args:
        raw: the file, opened in binary.
        name: what to call it in messages.
    """
    source = io.BufferedReader(raw) if isinstance(raw, io.RawIOBase) else raw
    head = _peek(source, 4)
    if head.startswith(ZSTD_MAGIC):
        yield Unreadable(name, "is compressed with zstd; unpack it first: zstd -d")
        return
    if head.startswith(GZIP_MAGIC):
        try:
            yield from _read_plain(io.BufferedReader(gzip.GzipFile(fileobj=source)), name)
        except (EOFError, OSError, zlib.error) as exc:
            yield Unreadable(name, f"its gzip data is broken: {exc}")
        return
    yield from _read_plain(source, name)


def _read_plain(source: BinaryIO, name: str) -> Iterator[Found]:
    head = _peek(source, 4)
    if not head:
        yield Unreadable(name, "is empty")
    elif head[0] == 0 or (len(head) == 4 and head[0] != RESOURCE_SPANS_TAG and not _looks_like_text(head)):
        yield from _read_framed(source, name)
    elif head[0] == RESOURCE_SPANS_TAG:
        yield from _read_ambiguous(source.read(), name)
    else:
        yield from _read_text(source, name)


def _read_framed(source: BinaryIO, name: str) -> Iterator[Found]:
    """Protobuf messages, each behind its length in four bytes, most significant first."""
    number = 0
    while prefix := source.read(4):
        number += 1
        where = f"{name}:#{number}"
        length = int.from_bytes(prefix, "big")
        if len(prefix) < 4 or length > MAX_MESSAGE_BYTES:
            yield Unreadable(where, "is neither JSON nor protobuf" if number == 1 else "is not a message length")
            return
        body = source.read(length)
        if len(body) < length:
            yield Unreadable(where, f"the file ends after {len(body):,} of {length:,} bytes")
            return
        if body.startswith(ZSTD_MAGIC):
            yield Unreadable(
                where, "is compressed with zstd; export without compression, or with gzip of the whole file"
            )
        else:
            yield _protobuf_request(body, where)


def _read_ambiguous(data: bytes, name: str) -> Iterator[Found]:
    """A file that begins with 0x0A: one protobuf request, or text after an empty line."""
    if is_framed_protobuf(data) or not data.lstrip().startswith(b"{"):
        yield _protobuf_request(data, name)
    else:
        yield from _read_text(io.BytesIO(data), name)


def _read_text(source: BinaryIO, name: str) -> Iterator[Found]:
    """One JSON document, however it is laid out, or one a line."""
    first = b""
    skipped = 0
    while not first.strip(b" \t\r\n" + BOM):
        first = source.readline()
        skipped += 1
        if not first:
            yield Unreadable(name, "holds nothing but white space")
            return
    try:
        orjson.loads(first.removeprefix(BOM))
    except orjson.JSONDecodeError:
        rest = source.read()
        if not rest.strip() or _is_json(rest.lstrip().split(b"\n", 1)[0]):  # a broken line, not a document over many
            yield from _read_lines(io.BytesIO(first + rest), name, skipped)
        else:
            yield _json_request((first + rest).removeprefix(BOM), name)
        return
    yield _json_request(first.removeprefix(BOM), f"{name}:{skipped}")
    yield from _read_lines(source, name, skipped + 1)


def _read_lines(source: BinaryIO, name: str, number: int) -> Iterator[Found]:
    for line in source:
        if line.strip():
            yield _json_request(line.removeprefix(BOM), f"{name}:{number}")
        number += 1


def _protobuf_request(body: bytes, where: str) -> Found:
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as exc:
        return Unreadable(where, f"is no OTLP trace request in protobuf: {exc}")
    spans = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    return Request(where, body, "protobuf", spans)


def _json_request(body: bytes, where: str) -> Found:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        return Unreadable(where, f"is not valid JSON: {exc}")
    if not isinstance(document, dict):
        return Unreadable(where, f"holds a JSON {type(document).__name__}, expected an object with resourceSpans")
    if "resourceSpans" not in document:
        if any(signal in document for signal in OTHER_SIGNALS):
            return OtherSignal(where)
        return Unreadable(where, "holds no resourceSpans: not an OTLP trace request")
    return Request(where, body, "json", _count_json_spans(document))


def _count_json_spans(document: dict[str, object]) -> int:
    """How many spans a request claims to hold; 0 where its shape is wrong, which is the collector's to say."""
    return sum(
        len(_list(scope, "spans"))
        for resource in _list(document, "resourceSpans")
        for scope in _list(resource, "scopeSpans")
    )


def _list(holder: object, key: str) -> list[object]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def is_framed_protobuf(data: bytes) -> bool:
    """Whether the bytes are exactly a sequence of `resource_spans` fields."""
    at = 0
    while at < len(data):
        if data[at] != RESOURCE_SPANS_TAG:
            return False
        at, length, shift = at + 1, 0, 0
        while True:
            if at >= len(data) or shift > 35:
                return False
            byte = data[at]
            at, length, shift = at + 1, length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        at += length
    return at == len(data)


def halves(request: Request) -> tuple[Request, Request] | None:
    """A request as two of half the spans each, for a collector that finds it too large; None if it has one span."""
    if request.spans < 2:
        return None
    middle = request.spans // 2
    cut = _cut_protobuf if request.encoding == "protobuf" else _cut_json
    first, second = cut(request.body, 0, middle), cut(request.body, middle, request.spans)
    return (
        request._replace(body=first, spans=middle),
        request._replace(body=second, spans=request.spans - middle),
    )


def _cut_protobuf(body: bytes, since: int, until: int) -> bytes:
    request = ExportTraceServiceRequest.FromString(body)
    at = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            count = len(scope.spans)
            del scope.spans[max(0, min(count, until - at)) :]
            del scope.spans[: max(0, min(count, since - at))]
            at += count
    return request.SerializeToString()


def _cut_json(body: bytes, since: int, until: int) -> bytes:
    document = orjson.loads(body)
    at = 0
    for resource in _list(document, "resourceSpans"):
        for scope in _list(resource, "scopeSpans"):
            spans = _list(scope, "spans")
            count = len(spans)
            if spans:
                scope["spans"] = spans[max(0, since - at) : max(0, until - at)]  # type: ignore[index]
            at += count
    return orjson.dumps(document)


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _looks_like_text(head: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\r\n" for byte in head)


def _peek(source: BinaryIO, size: int) -> bytes:
    peek = getattr(source, "peek", None)
    if peek is not None:
        return bytes(peek(size)[:size])
    at = source.tell()
    head = source.read(size)
    source.seek(at)
    return head
