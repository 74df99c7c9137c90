"""Calls as they are counted: of one key, in one bucket."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

Row = Mapping[str, Any]
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


def calls_of(rows: Iterable[Row]) -> list[Calls]:
    """Rows of `queries/calls_near_retries.sql`; columns that are missing or NULL are not known."""
    return [
        Calls(
            Key(row.get("workflow") or "", row["dimension"], row["name"]),
            row["bucket_ns"],
            row["operations"],
            row["attempts"],
            row.get("failed") or 0,
            row.get("recovered") or 0,
            row.get("wasted_ns"),
            row.get("wasted_tokens"),
            row.get("wasted_usd"),
            row.get("most_tries") or 0,
            tuple(row.get("workflows") or ()),
        )
        for row in rows
    ]


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
