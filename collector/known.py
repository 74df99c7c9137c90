"""Which spans the store holds already, without an index on them.

An index on `span` makes deletes 150 times slower, so the writer remembers instead: the span ids of recent
traces in full, and of every older trace only a 64-bit digest that says "look it up first".
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

MERGE_AT: Final = 50_000
"""Digests set aside before they are sorted into the array; merging 10 million takes about 0.1 s."""


class Digests:
    """A set of trace ids by their digests: 8 bytes each, however many."""

    def __init__(self, digests: npt.NDArray[np.uint64]) -> None:
        self._old = np.sort(digests)
        self._fresh: set[int] = set()

    def add(self, trace_id: str) -> None:
        """Takes one in."""
        self._fresh.add(trace_digest(trace_id))
        if len(self._fresh) > MERGE_AT:
            fresh = np.fromiter(self._fresh, dtype=np.uint64, count=len(self._fresh))
            self._old = np.union1d(self._old, fresh)
            self._fresh.clear()

    def __contains__(self, trace_id: str) -> bool:
        """True also, once in 2**64 times, of one with the same digest: where it matters, look it up."""
        digest = trace_digest(trace_id)
        if digest in self._fresh:
            return True
        at = int(self._old.searchsorted(np.uint64(digest)))
        return at < len(self._old) and int(self._old[at]) == digest


class TraceEntry:
    """What is remembered of one recent trace."""

    __slots__ = ("finished", "first_received_ns", "span_ids")

    def __init__(self, first_received_ns: int) -> None:
        self.span_ids: set[str] = set()
        self.first_received_ns = first_received_ns
        self.finished = False
        """Its run was settled as finished: what comes now is late."""


class KnownSpans:
    """The span ids the store holds, for recent traces; a digest for the rest.

    The writer owns it; only `mark_finished` and `first_received_ns` may be called from another thread.
    """

    def __init__(self, known_digests: npt.NDArray[np.uint64], max_span_ids: int = 200_000) -> None:
        """
        Args:
            known_digests: `trace_digest` of every trace in the store, any order.
            max_span_ids: how many span ids to remember; about 100 bytes each.
        """
        self._recent: OrderedDict[str, TraceEntry] = OrderedDict()
        self._remembered = 0
        self._max_span_ids = max_span_ids
        self._stored = Digests(known_digests)

    def entries(
        self, trace_ids: Iterable[str], now_ns: int, look_up: Callable[[list[str]], Mapping[str, TraceEntry]]
    ) -> dict[str, TraceEntry]:
        """The entry of each trace, loading with one call of `look_up` those that are known but not remembered."""
        entries: dict[str, TraceEntry] = {}
        forgotten = []
        for trace_id in trace_ids:
            entry = self._recent.get(trace_id)
            if entry is not None:
                self._recent.move_to_end(trace_id)
            elif trace_id in self._stored:
                forgotten.append(trace_id)
                continue
            else:
                entry = self._recent[trace_id] = TraceEntry(now_ns)
            entries[trace_id] = entry
        if forgotten:
            stored = look_up(forgotten)
            for trace_id in forgotten:
                entry = self._recent[trace_id] = stored.get(trace_id) or TraceEntry(now_ns)
                self._remembered += len(entry.span_ids)
                entries[trace_id] = entry
        return entries

    def remember(self, spans: int) -> None:
        """Counts span ids that the caller added to entries, and forgets the least recent traces beyond the limit."""
        self._remembered += spans
        while self._remembered > self._max_span_ids and len(self._recent) > 1:
            trace_id, entry = self._recent.popitem(last=False)
            self._remembered -= len(entry.span_ids)
            self._stored.add(trace_id)

    def forget(self, trace_ids: Iterable[str]) -> None:
        """After a failed commit: these traces are looked up again before their next span is stored."""
        for trace_id in trace_ids:
            entry = self._recent.pop(trace_id, None)
            if entry is not None:
                self._stored.add(trace_id)
        self._remembered = sum(len(e.span_ids) for e in self._recent.values())

    def mark_finished(self, trace_ids: Iterable[str]) -> None:
        """The runs of these traces have been settled as finished."""
        for trace_id in trace_ids:
            entry = self._recent.get(trace_id)
            if entry is not None:
                entry.finished = True

    def first_received_ns(self, trace_id: str) -> int:
        """When the first span of a trace was received; 0 where that is not remembered."""
        entry = self._recent.get(trace_id)
        return entry.first_received_ns if entry is not None else 0


def trace_digest(trace_id: str) -> int:
    """The last 64 bits of a trace id: its random part also where the first bytes are a time stamp."""
    return int(trace_id[16:], 16)


def stored_digests(connection: duckdb.DuckDBPyConnection, settled_until_ns: int) -> npt.NDArray[np.uint64]:
    """`trace_digest` of every trace with a span in the store, any order; table `trace` has those settled up to then."""
    result = connection.execute(
        "select distinct ('0x' || substr(trace_id, 17))::ubigint as digest from ("
        " select trace_id from store.trace"
        " union all select trace_id from store.span where received_ns > $until)",
        {"until": settled_until_ns},
    )
    return np.asarray(result.fetchnumpy()["digest"], dtype=np.uint64)


def removed_digests(connection: duckdb.DuckDBPyConnection) -> npt.NDArray[np.uint64]:
    """`trace_digest` of every trace whose run was removed, any order."""
    result = connection.execute("select ('0x' || substr(trace_id, 17))::ubigint as digest from store.removed_trace")
    return np.asarray(result.fetchnumpy()["digest"], dtype=np.uint64)
