"""Storms and loops within one run, in its operations."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any, Final, NamedTuple

from dashboard.analytics.storms.limits import Limits

LOOP_TIMES: Final = 3  # the same call with the same answer; other observers draw the line there, too

Row = Mapping[str, Any]


class InRunStorm(NamedTuple):
    """One operation that was tried again and again within a minute."""

    run_id: str
    operation_id: str
    name: str
    attempts: int
    """Within the minute that held most of them; at least, where only the operation's own times are known."""
    start_ns: int


class Loop(NamedTuple):
    """The same call with the same answer, again and again."""

    run_id: str
    name: str
    times: int
    start_ns: int


def in_run_storms(
    operations: Iterable[Row], starts_ns: Mapping[str, Sequence[int]] | None = None, limits: Limits | None = None
) -> list[InRunStorm]:
    """Operations with 5 or more attempts within 60 s (or what the limits say), in order of their start.

    Args:
        operations: rows with run_id, operation_id, name, attempts, start_ns, end_ns.
        starts_ns: when the attempts of an operation began, by operation_id. Without them (hidden in one span) it is
            what one minute must have held at least.
    """
    limits, found = limits or Limits(), []
    for row in operations:
        starts = sorted((starts_ns or {}).get(row["operation_id"], ()))
        if len(starts) == row["attempts"]:
            most = max(bisect_right(starts, start + limits.in_run_ns) - index for index, start in enumerate(starts))
        elif row["end_ns"] is not None:
            most = ceil(row["attempts"] / max(1, ceil((row["end_ns"] - row["start_ns"]) / limits.in_run_ns)))
        else:
            continue
        if most >= limits.in_run_attempts:
            found.append(InRunStorm(row["run_id"], row["operation_id"], row["name"], most, row["start_ns"]))
    return sorted(found, key=lambda storm: (storm.start_ns, storm.operation_id))


def loops(operations: Iterable[Row]) -> list[Loop]:
    """Calls that were made three times or more in one run with the same arguments and the same answer.

    Polling changes its answer and pagination its arguments, so neither is one; nor is what failed, that is a retry.

    Args:
        operations: rows with run_id, name, outcome, start_ns, input_hash, output_hash; NULL hashes are not known.
    """
    seen: dict[tuple[str, str, str, str], list[int]] = {}
    for row in operations:
        if row["outcome"] != "failed" and row["input_hash"] and row["output_hash"]:
            call = row["run_id"], row["name"], row["input_hash"], row["output_hash"]
            seen.setdefault(call, []).append(row["start_ns"])
    found = [Loop(run, name, len(at), min(at)) for (run, name, _, _), at in seen.items() if len(at) >= LOOP_TIMES]
    return sorted(found, key=lambda loop: (loop.start_ns, loop.run_id, loop.name))
