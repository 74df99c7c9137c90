"""Calls as they are counted: of one key, in one bucket."""

from typing import NamedTuple, TypeVar

import pyarrow as pa

Number = TypeVar("Number", int, float)


class Key(NamedTuple):
    """What calls were counted for: a step of a workflow, or a model, tool or provider of all (workflow '')."""

    workflow: str
    dimension: str
    name: str


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
    """Attempts of the operation with the most of them; 0: not known."""
    workflows: tuple[str, ...] = ()
    """Whose operations were tried again."""


class Failures(NamedTuple):
    """How often one code was seen for a key in a bucket."""

    key: Key
    bucket_ns: int
    code: str
    failures: int = 1


def calls_of(answer: pa.Table) -> list[Calls]:
    """Rows of `queries/calls_near_retries.sql`; columns that are missing are not known."""
    known = {name: answer.column(name).to_pylist() for name in answer.column_names}
    zeros, unknown = [0] * answer.num_rows, [None] * answer.num_rows
    named = zip((name or "" for name in known.get("workflow", unknown)), known["dimension"], known["name"], strict=True)
    shared: dict[Key, Key] = {}
    keys = (shared.setdefault(key, key) for key in map(Key._make, named))
    counts = (known.get(name, zeros) for name in ("bucket_ns", "operations", "attempts", "failed", "recovered"))
    waste = (known.get(name, unknown) for name in ("wasted_ns", "wasted_tokens", "wasted_usd"))
    most_tries = (tries or 0 for tries in known.get("most_tries", zeros))
    workflows = (tuple(names or ()) for names in known.get("workflows", unknown))
    return list(map(Calls, keys, *counts, *waste, most_tries, workflows))


def both(one: Calls, other: Calls) -> Calls:
    """Two rows of one key as one."""
    return one._replace(
        operations=one.operations + other.operations,
        attempts=one.attempts + other.attempts,
        failed=one.failed + other.failed,
        recovered=one.recovered + other.recovered,
        wasted_ns=_known(one.wasted_ns, other.wasted_ns),
        wasted_tokens=_known(one.wasted_tokens, other.wasted_tokens),
        wasted_usd=_known(one.wasted_usd, other.wasted_usd),
        most_tries=max(one.most_tries, other.most_tries),
        workflows=tuple(sorted({*one.workflows, *other.workflows})),
    )


def _known(one: Number | None, other: Number | None) -> Number | None:
    """The sum of what is known."""
    return one if other is None else other if one is None else one + other
