"""Calls of a key and bucket, written down one by one."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from dashboard.analytics.storms import Key, Series


class Calls(NamedTuple):
    """Calls of one key that began in one bucket."""

    key: Key
    bucket_ns: int
    operations: int
    attempts: int
    failed: int = 0
    recovered: int = 0
    wasted_ns: int = 0
    wasted_tokens: int = 0
    wasted_nano_usd: int = 0
    most_tries: int = 0
    workflows: tuple[str, ...] = ()


COUNTS = Calls._fields[2:-1]


def by_key(calls: Iterable[Calls]) -> list[Series]:
    """They, in arrays."""
    of_key: dict[Key, list[Calls]] = {}
    for one in sorted(calls, key=lambda one: one.bucket_ns):
        of_key.setdefault(one.key, []).append(one)
    return [
        Series(
            key,
            np.array([one.bucket_ns for one in rows]),
            again_ns=np.array([one.bucket_ns for one in rows for _ in one.workflows], np.int64),
            again_in=np.array([name for one in rows for name in one.workflows], object),
            **{name: np.array([getattr(one, name) for one in rows]) for name in COUNTS},
        )
        for key, rows in of_key.items()
    ]
