"""Answers to export requests, by the rules of OTLP."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import Busy, CollectorError, DecodeError, TooManySpans
from collector.ingest import Signal
from collector.receive.inflate import BodyTooLarge, UnknownEncoding
from schemas.records import Rejection

MAX_MESSAGE_CHARS: Final = 1000
"""gRPC sends the message as a header, and clients cap all headers at 8 KiB."""


class Refusal(NamedTuple):
    """Why a request is refused, in the terms of both transports."""

    code: int
    """A google.rpc.Code."""
    http_status: int
    reason: str
    """One word to count it under."""
    message: str
    retry_after_s: int | None = None
    """None: the sender must not send it again."""


def refusal_of(error: CollectorError) -> Refusal:
    """How an error of the write side is answered."""
    message = str(error)[:MAX_MESSAGE_CHARS]
    match error:
        case DecodeError():
            return Refusal(code_pb2.INVALID_ARGUMENT, 400, "malformed", message)
        case BodyTooLarge() | TooManySpans():
            return Refusal(code_pb2.RESOURCE_EXHAUSTED, 413, "too_large", message)
        case UnknownEncoding():
            return Refusal(code_pb2.INVALID_ARGUMENT, 415, "content_encoding", message)
        case Busy():
            return Refusal(code_pb2.UNAVAILABLE, 503, "busy", message, error.retry_after_s)
    return Refusal(code_pb2.INTERNAL, 500, "internal", message)


def status_of(refusal: Refusal) -> Status:
    """The google.rpc.Status that goes with a refusal, with RetryInfo where the sender may try again."""
    status = Status(code=refusal.code, message=refusal.message)
    if refusal.retry_after_s is not None:
        status.details.add().Pack(retry_info(refusal.retry_after_s))
    return status


def retry_info(after_s: int) -> RetryInfo:
    """When the sender may try again."""
    return RetryInfo(retry_delay=Duration(seconds=after_s))


def response_to(rejections: Sequence[Rejection], signal: Signal = "traces") -> Message:
    """The answer to a stored request: empty, or how many of its spans or log records were rejected and why."""
    if signal == "logs":
        logs = ExportLogsServiceResponse()
        if rejections:
            logs.partial_success.rejected_log_records = len(rejections)
            logs.partial_success.error_message = _reasons(rejections, "log records")
        return logs
    spans = ExportTraceServiceResponse()
    if rejections:
        spans.partial_success.rejected_spans = len(rejections)
        spans.partial_success.error_message = _reasons(rejections, "spans")
    return spans


def _reasons(rejections: Sequence[Rejection], what: str) -> str:
    """How many for each reason, with the first example."""
    counts = Counter(rejection.reason for rejection in rejections)
    examples = {rejection.reason: rejection.detail for rejection in reversed(rejections)}
    parts = [f"{count} {reason} (first: {examples[reason]})" for reason, count in sorted(counts.items())]
    return f"{len(rejections)} {what} rejected: {'; '.join(parts)}"[:MAX_MESSAGE_CHARS]
