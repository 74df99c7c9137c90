"""What receivers need of the part that stores."""

from concurrent.futures import Future
from typing import Protocol

from collector.ingest import Encoding, Receipt, Signal


class Ingest(Protocol):
    """Takes inflated request bodies; implemented by `collector.ingest.Ingestor`."""

    def submit(self, body: bytes, encoding: Encoding, signal: Signal = "traces") -> "Future[Receipt]":
        """Queues a body, never blocks. The future gives a receipt once all of it is on disk, or a CollectorError."""
        ...

    def count_refusal(self, reason: str) -> None:
        """Counts a request that was answered with an error before it was submitted."""
        ...
