"""The calls and failures of a window by what storms are told of, for whoever can ask.

They are summed up here and not in SQL: nearly every row of the roll-up is counted by three names and more, which makes
millions of rows and as many groups at a million runs. As arrays, one name after another, they take a fraction of that.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.analytics import storms
from dashboard.chains import Ask, Asked
from dashboard.reports.weeks import HOUR_NS

PART_BYTES: Final = 3 * 2**20
"""About so much is asked for at a time: more would keep others waiting, and may be more than an answer can be."""
BUCKET_BYTES: Final = 30
"""Of one call in a bucket, about: how long the first part is. What it holds tells how long the next may be …"""
LONGEST_NS: Final = 14 * 24 * HOUR_NS
"""… and no longer than that."""

Filters = Mapping[str, Any]
"""since_ns, until_ns (both in whole 5 minutes), workflow, version, environment."""

Step = tuple[str, str]
"""A workflow and a depth-1 step of it, '' where it is none."""


class Called(NamedTuple):
    """What was called in a window."""

    series: list[storms.Series]
    """Of each name that has calls."""
    steps: dict[storms.Key, set[Step]]
    """In which each name was tried again: whose failures are those of the name."""
    length_ns: int
    """How long a part of it may be, about."""


def called(ask: Ask, grain_ns: int, **filters: Any) -> Called:
    """The calls of a window.

    Args:
        grain_ns: length of a bucket.
        filters: see `Filters`.
    """
    names = ask("calls_known", **_names(filters)).to_pylist()
    if not names:
        return Called([], {}, LONGEST_NS)
    if names[0]["first_ns"] > filters["since_ns"] + LONGEST_NS:  # a window may begin years before
        filters["since_ns"] = names[0]["first_ns"]
    calls = np.unique(np.array([row["call"] for row in names], np.uint64))
    step_of: list[Step] = [("", "")] * len(calls)
    numbers: dict[storms.Key, list[int]] = defaultdict(list)
    for row in names:
        number = int(np.searchsorted(calls, np.uint64(row["call"])))
        step_of[number] = row["workflow"], row["step"] or ""
        numbers[storms.Key(row["owner"], row["dimension"], row["name"])].append(number)
    length_ns = PART_BYTES // (BUCKET_BYTES * len(calls)) * grain_ns
    once, again = (
        _Rows.of_calls(_parts(ask, question, length_ns, filters), calls) for question in ("calls_once", "calls_again")
    )
    found = Called([], {}, length_ns)
    for key, of_key in numbers.items():
        series, tried = _series(key, once.of(of_key), again.of(of_key), step_of, grain_ns, filters)
        found.steps[key] = {step_of[number] for number in tried}
        if len(series.buckets_ns):
            found.series.append(series)
    return found


def asked_of_called(**filters: Any) -> list[Asked]:
    """What `called` asks about a window of a few hours, for whoever asks it ahead."""
    return [("calls_known", _names(filters)), ("calls_once", filters), ("calls_again", filters)]


def failed(ask: Ask, calls: Called, keys: Iterable[storms.Key], **filters: Any) -> dict[storms.Key, storms.Failures]:
    """The failures of a window, of some names.

    Args:
        calls: whose failures are those of a name.
        keys: the names.
        filters: see `Filters`; the window is over the start of a run.
    """
    table = pa.concat_tables(_parts(ask, "failures_begun", calls.length_ns, filters)).combine_chunks()
    if not table.num_rows:
        return {}
    workflow, step, code = (
        pc.fill_null(table.column(name), "").combine_chunks().dictionary_encode()
        for name in ("workflow", "step", "code")
    )
    pair = workflow.indices.to_numpy().astype(np.int64) * len(step.dictionary) + step.indices.to_numpy()
    pairs, number = np.unique(pair, return_inverse=True)
    workflows, of_workflows = workflow.dictionary.to_pylist(), step.dictionary.to_pylist()
    number_of = {
        (workflows[one // len(of_workflows)], of_workflows[one % len(of_workflows)]): place
        for place, one in enumerate(pairs.tolist())
    }
    columns = {name: table.column(name).to_numpy().astype(np.int64) for name in ("bucket_ns", "failures")}
    rows = _Rows.by(number, columns | {"code": code.indices.to_numpy()}, len(pairs))
    codes = np.array(code.dictionary.to_pylist(), object)
    found = {}
    for key in keys:
        mine = rows.of([number_of[one] for one in sorted(calls.steps[key]) if one in number_of])
        order = np.argsort(mine["bucket_ns"], kind="stable")
        found[key] = storms.Failures(mine["bucket_ns"][order], codes[mine["code"][order]], mine["failures"][order])
    return found


class _Rows(NamedTuple):
    """Rows by number: those of one after those of another."""

    begins: storms.Counts
    """Of each number the first of its rows, and one beyond the last."""
    columns: dict[str, NDArray[Any]]

    @classmethod
    def by(cls, number: storms.Counts, columns: Mapping[str, NDArray[Any]], numbers: int) -> "_Rows":
        """These rows, each of one number below `numbers`."""
        order = np.argsort(number, kind="stable")
        begins = np.searchsorted(number[order], np.arange(numbers + 1))
        return cls(begins, {name: column[order] for name, column in columns.items()} | {"number": number[order]})

    @classmethod
    def of_calls(cls, parts: Iterable[pa.Table], calls: NDArray[np.uint64]) -> "_Rows":
        """Rows by the place of their call. What began to be called while they were asked for waits for the next."""
        numbers, columns = [], defaultdict(list)
        for part in parts:
            call = part.column("call").to_numpy()
            number = np.searchsorted(calls, call)
            known = np.isin(call, calls)
            numbers.append(number[known])
            for name in part.column_names:
                columns[name].append(part.column(name).to_numpy()[known])
        del columns["call"]
        return cls.by(
            np.concatenate(numbers),
            {name: np.concatenate(column).astype(np.int64) for name, column in columns.items()},
            len(calls),
        )

    def of(self, numbers: Iterable[int]) -> dict[str, NDArray[Any]]:
        """The columns of the rows of some numbers."""
        ranges = [np.arange(self.begins[number], self.begins[number + 1]) for number in numbers]
        rows = np.concatenate([np.zeros(0, np.int64), *ranges])
        return {name: column[rows] for name, column in self.columns.items()}


def _series(
    key: storms.Key,
    once: Mapping[str, NDArray[Any]],
    again: Mapping[str, NDArray[Any]],
    step_of: list[Step],
    grain_ns: int,
    filters: Filters,
) -> tuple[storms.Series, list[int]]:
    """The series of a key, and the numbers of its calls that were tried again."""
    since_ns, slots = filters["since_ns"], (filters["until_ns"] - filters["since_ns"]) // grain_ns
    at_once, at_again = ((rows["bucket_ns"] - since_ns) // grain_ns for rows in (once, again))

    def total(at: storms.Counts, numbers: storms.Counts) -> storms.Counts:
        return np.bincount(at, numbers, slots).astype(np.int64)  # exact up to 2⁵³

    first = total(at_once, once["operations"])
    operations = first + total(at_again, again["operations"])
    held = np.flatnonzero(operations > 0)
    most_tries = (operations > 0).astype(np.int64)
    there = again["operations"] > 0
    np.maximum.at(most_tries, at_again[there], again["tries"][there])
    tried = np.flatnonzero(there & (again["tries"] > 1))
    tried = tried[np.argsort(at_again[tried], kind="stable")]
    lost = ("failed", "recovered", "wasted_ns", "wasted_tokens", "wasted_nano_usd")
    numbers = again["number"][tried].tolist()
    series = storms.Series(
        key,
        held * grain_ns + since_ns,
        operations=operations[held],
        attempts=(first + total(at_again, again["tries"] * again["operations"]))[held],
        most_tries=most_tries[held],
        again_ns=at_again[tried] * grain_ns + since_ns,
        again_in=np.array([step_of[number][0] for number in numbers], object),
        **{name: total(at_again, again[name])[held] for name in lost},
    )
    return series, list(dict.fromkeys(numbers))


def _names(filters: Filters) -> dict[str, Any]:
    return {name: filters[name] for name in ("since_ns", "until_ns", "workflow")}


def _parts(ask: Ask, question: str, length_ns: int, filters: Filters) -> Iterator[pa.Table]:
    """The answer to a question about a window, a part of it at a time, the first about so long; at least one."""
    since_ns, until_ns, length_ns = filters["since_ns"], filters["until_ns"], _whole_hours(length_ns)
    while True:
        end_ns = min(since_ns + length_ns, until_ns)
        part = ask(question, **{**filters, "since_ns": since_ns, "until_ns": end_ns})
        yield part
        if end_ns >= until_ns:
            return
        since_ns = end_ns
        length_ns = _whole_hours(length_ns * PART_BYTES // max(part.nbytes, 1))


def _whole_hours(length_ns: int) -> int:
    return min(max(1, length_ns // HOUR_NS) * HOUR_NS, LONGEST_NS)
