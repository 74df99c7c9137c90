"""Calls as they are counted: of one key, by bucket."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Counts = NDArray[np.int64]

NAMES: Final = ("workflow", "dimension", "name")
COUNTS: Final = ("operations", "attempts", "failed", "recovered", "most_tries")
WASTE: Final = (("wasted_ns", pa.int64()), ("wasted_tokens", pa.int64()), ("wasted_usd", pa.float64()))


class Key(NamedTuple):
    """What calls were counted for: a step of a workflow, or a model, tool or provider of all (workflow '')."""

    workflow: str
    dimension: str
    name: str


class Failures(NamedTuple):
    """How often one code was seen for a key in a bucket."""

    key: Key
    bucket_ns: int
    code: str
    failures: int = 1


class Known(NamedTuple):
    """Numbers, 0 where not known, and where they are."""

    numbers: NDArray[Any]
    known: NDArray[np.bool_]

    def sum(self, first: int, stop: int) -> Any:
        """What is known of these; None where nothing is."""
        return self.numbers[first:stop].sum().item() if self.known[first:stop].any() else None


@dataclass(frozen=True, slots=True)
class Series:
    """The calls of one key in the buckets that have some, in order of time."""

    key: Key
    buckets_ns: Counts
    operations: Counts
    attempts: Counts
    failed: Counts
    recovered: Counts
    most_tries: Counts
    """Attempts of the operation with the most of them; 0: not known."""
    wasted_ns: Known
    wasted_tokens: Known
    wasted_usd: Known
    workflows: pa.ListArray
    """Whose operations were tried again."""

    def hit(self, first: int, stop: int) -> tuple[str, ...]:
        """Whose operations were tried again in these buckets."""
        return tuple(sorted(self.workflows.slice(first, stop - first).flatten().unique().to_pylist()))


def series_of(calls: pa.Table) -> list[Series]:
    """Calls by key.

    Args:
        calls: one row per bucket and key in any order, as of `queries/calls_near_retries.sql`; columns that are missing
            are not known.

    Raises:
        ValueError: a key has two rows of one bucket.
    """
    return list(_series(calls)) if calls.num_rows else []


def _series(calls: pa.Table) -> Iterator[Series]:
    blank = pa.nulls(calls.num_rows)
    known = {name: calls.column(name).combine_chunks() for name in calls.column_names}
    buckets_ns = known["bucket_ns"].to_numpy().astype(np.int64)
    names = [pc.fill_null(known.get(name, blank).cast(pa.string()), "").dictionary_encode() for name in NAMES]
    number = np.zeros(calls.num_rows, np.int64)
    for encoded in names:
        number = number * len(encoded.dictionary) + encoded.indices.to_numpy()
    order = np.lexsort((buckets_ns, number))
    buckets_ns, number = buckets_ns[order], number[order]
    if np.any((np.diff(number) == 0) & (np.diff(buckets_ns) == 0)):
        raise ValueError("a bucket of a key has more than one row")
    counts: dict[str, Any] = {
        name: pc.fill_null(known.get(name, blank).cast(pa.int64()), 0).to_numpy()[order] for name in COUNTS
    }
    waste: dict[str, Any] = {name: _known(known.get(name, blank).cast(kind), order) for name, kind in WASTE}
    workflows = known.get("workflows", blank).cast(pa.list_(pa.string())).take(pa.array(order))
    begins = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    for first, stop in zip(begins, [*begins[1:], calls.num_rows], strict=True):
        row = int(order[first])
        columns = {name: column[first:stop] for name, column in counts.items()}
        columns |= {name: Known(*(part[first:stop] for part in column)) for name, column in waste.items()}
        yield Series(
            Key(*(encoded.dictionary[encoded.indices[row].as_py()].as_py() for encoded in names)),
            buckets_ns[first:stop],
            workflows=workflows.slice(first, stop - first),
            **columns,
        )


def _known(column: pa.Array, order: NDArray[np.int64]) -> Known:
    return Known(pc.fill_null(column, 0).to_numpy()[order], column.is_valid().to_numpy(zero_copy_only=False)[order])
