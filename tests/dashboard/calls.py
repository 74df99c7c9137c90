"""Calls of a key and bucket, written down one by one."""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from dashboard.analytics.storms import Key, Series, series_of


class Calls(NamedTuple):
    """Calls of one key that began in one bucket. Waste is None where it is not known."""

    key: Key
    bucket_ns: int
    operations: int
    attempts: int
    failed: int = 0
    recovered: int = 0
    wasted_ns: int | None = None
    wasted_tokens: int | None = None
    wasted_usd: float | None = None
    most_tries: int = 0
    workflows: tuple[str, ...] = ()


def by_key(calls: Iterable[Calls]) -> list[Series]:
    """They, as an answer brings them."""
    return series_of(pa.Table.from_pylist([one.key._asdict() | one._asdict() for one in calls]))
