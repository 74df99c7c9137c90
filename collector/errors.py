"""What can go wrong on the write side. Every message says what was wrong and what to do about it."""


class CollectorError(Exception):
    """Base of all errors of the collector."""


class DecodeError(CollectorError):
    """A request cannot be read: the sender must not send it again (HTTP 400, gRPC INVALID_ARGUMENT)."""


class TooManySpans(CollectorError):
    """A request holds more spans than one request may (HTTP 413, gRPC RESOURCE_EXHAUSTED without RetryInfo)."""


class Busy(CollectorError):
    """The writer is behind and the request has waited long enough: try again (HTTP 503, gRPC UNAVAILABLE)."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreUnavailable(Busy):
    """The store cannot be written just now (disk full, file being reopened): the sender may try again."""


class SchemaMismatch(CollectorError):
    """The store was written by another schema version."""


class StoreLocked(CollectorError):
    """Another process has the store open."""
