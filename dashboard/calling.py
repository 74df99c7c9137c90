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

PART_ROWS: Final = 200_000
"""So many are asked for at a time: more would keep others waiting, and may be more than an answer can be."""
LONGEST_NS: Final = 14 * 24 * HOUR_NS
"""Nor is a part longer, unless hours without calls lie in it."""

Filters = Mapping[str, Any]
"""since_ns, until_ns (both in whole 5 minutes), workflow, version, environment."""

Step = tuple[str, str]
"""A workflow and a depth-1 step of it, '' where it is none."""


class Called(NamedTuple):
    """What was called in a window."""

    names: dict[storms.Key, list[int]]
    """The numbers of the calls that are counted by each name."""
    step_of: list[Step]
    """Of each number."""
    once: "_Rows"
    again: "_Rows"
    grain_ns: int

    def series(self) -> Iterator[storms.Series]:
        """Of each name that has calls."""
        for key, numbers in self.names.items():
            one = _series(key, self.once.of(numbers), self.again.of(numbers), self.step_of, self.grain_ns)
            if len(one.buckets_ns):
                yield one

    def steps(self, key: storms.Key) -> list[Step]:
        """In which a name was tried again: whose failures are those of the name."""
        rows = self.again.of(self.names[key])
        tried = rows["number"][(rows["tries"] > 1) & (rows["operations"] > 0)]
        return sorted({self.step_of[number] for number in np.unique(tried).tolist()})


def called(ask: Ask, grain_ns: int, **filters: Any) -> Called:
    """The calls of a window.

    Args:
        grain_ns: length of a bucket.
        filters: see `Filters`.
    """
    known = ask("calls_known", **_names(filters)).to_pylist()
    calls = np.unique(np.array([row["call"] for row in known], np.uint64))
    step_of: list[Step] = [("", "")] * len(calls)
    names: dict[storms.Key, list[int]] = defaultdict(list)
    for row in known:
        number = int(np.searchsorted(calls, np.uint64(row["call"])))
        step_of[number] = row["workflow"], row["step"] or ""
        names[storms.Key(row["owner"], row["dimension"], row["name"])].append(number)
    parts = _parts(ask("calls_held", **_names(filters)), filters)
    once, again = (
        _Rows.of_calls([ask(question, **filters | part) for part in parts], calls)
        for question in ("calls_once", "calls_again")
    )
    return Called(names, step_of, once, again, grain_ns)


def asked_of_called(**filters: Any) -> list[Asked]:
    """What `called` asks about a window of a few hours, for whoever asks it ahead."""
    of_names: list[Asked] = [(question, _names(filters)) for question in ("calls_known", "calls_held")]
    return [*of_names, ("calls_once", filters), ("calls_again", filters)]


def failed(ask: Ask, calls: Called, keys: Iterable[storms.Key], **filters: Any) -> dict[storms.Key, storms.Failures]:
    """The failures of a window, of some names.

    Args:
        calls: of the same window, or a longer one: whose failures are those of a name.
        keys: the names.
        filters: see `Filters`; the window is over the start of a run.
    """
    parts = _parts(ask("calls_held", **_names(filters)), filters)
    table = pa.concat_tables(ask("failures_begun", **filters | part) for part in parts).combine_chunks()
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
        mine = rows.of([number_of[one] for one in calls.steps(key) if one in number_of])
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
        table = pa.concat_tables(parts)
        call = table.column("call").to_numpy()
        known = np.isin(call, calls)
        columns = {
            name: table.column(name).to_numpy()[known].astype(np.int64) for name in table.column_names if name != "call"
        }
        return cls.by(np.searchsorted(calls, call[known]), columns, len(calls))

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
) -> storms.Series:
    buckets_ns, place = np.unique(np.concatenate((once["bucket_ns"], again["bucket_ns"])), return_inverse=True)
    at_once, at_again = place[: len(once["bucket_ns"])], place[len(once["bucket_ns"]) :]

    def total(at: storms.Counts, numbers: storms.Counts) -> storms.Counts:
        return np.bincount(at, numbers, len(buckets_ns)).astype(np.int64)  # exact up to 2⁵³

    first = total(at_once, once["operations"])
    operations = first + total(at_again, again["operations"])
    held = operations > 0
    most_tries = held.astype(np.int64)
    there = again["operations"] > 0
    np.maximum.at(most_tries, at_again[there], again["tries"][there])
    tried = np.flatnonzero(there & (again["tries"] > 1))
    tried = tried[np.argsort(again["bucket_ns"][tried], kind="stable")]
    lost = ("failed", "recovered", "wasted_ns", "wasted_tokens", "wasted_nano_usd")
    return storms.Series(
        key,
        buckets_ns[held] // grain_ns * grain_ns,
        operations=operations[held],
        attempts=(first + total(at_again, again["tries"] * again["operations"]))[held],
        most_tries=most_tries[held],
        again_ns=again["bucket_ns"][tried],
        again_in=np.array([step_of[number][0] for number in again["number"][tried].tolist()], object),
        **{name: total(at_again, again[name])[held] for name in lost},
    )


def _names(filters: Filters) -> dict[str, Any]:
    return {name: filters[name] for name in ("since_ns", "until_ns", "workflow")}


def _parts(held: pa.Table, filters: Filters) -> list[dict[str, int]]:
    """A window in parts of so many rows, without the years in which there are none; one at least."""
    since_ns, until_ns = filters["since_ns"], filters["until_ns"]
    hours, rows = held.column("hour_ns").to_pylist(), held.column("rows").to_pylist()
    if sum(rows) <= PART_ROWS and until_ns - since_ns <= LONGEST_NS:
        return [{"since_ns": since_ns, "until_ns": until_ns}]
    parts: list[dict[str, int]] = []
    many = 0
    for hour_ns, some in zip(hours, rows, strict=True):
        many += some
        if not parts or many > PART_ROWS or hour_ns + HOUR_NS - parts[-1]["since_ns"] > LONGEST_NS:
            parts.append({"since_ns": max(since_ns, hour_ns), "until_ns": 0})
            many = some
        parts[-1]["until_ns"] = min(hour_ns + HOUR_NS, until_ns)
    return parts or [{"since_ns": since_ns, "until_ns": since_ns}]
