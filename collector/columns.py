"""Columns of settled rows as arrays: texts by their number, rows put together by their keys, figures within bounds."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Texts = npt.NDArray[np.int32]
"""Texts by their number in the dictionary of a batch, NONE where there is none."""
Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
"""Of any width."""
Columns = list[Numbers]
Key = tuple[Numbers, int]
"""A column and the width of the range it lies in, from 0 or from NONE on."""

NONE: Final = -1
MOST: Final = 2**53
"""Times of broken clocks (the end of unsigned 64 bit) must not stop settling: no figure and no sum goes beyond."""


class Dictionary:
    """The texts of many columns, each known by its number."""

    def __init__(self, columns: Sequence[pa.ChunkedArray]) -> None:
        encoded = pa.concat_arrays([chunk for column in columns for chunk in column.chunks]).dictionary_encode()
        numbers = encoded.indices.fill_null(NONE).to_numpy()
        self.columns: list[Texts] = np.split(numbers, np.cumsum([len(column) for column in columns])[:-1])
        self._numbers = {text: number for number, text in enumerate(encoded.dictionary.to_pylist())}
        self._texts: list[str] = [*self._numbers]

    def __len__(self) -> int:
        return len(self._texts)

    def number(self, text: str) -> int:
        """The number of a text, known before or not."""
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        return number

    def text(self, number: int) -> str:
        """The text of a number."""
        return self._texts[number]

    def is_any(self, column: Texts, texts: Iterable[str]) -> Flags:
        """Where a column holds one of some texts."""
        found = np.zeros(len(column), np.bool_)
        for text in texts:
            if text in self._numbers:
                found |= column == self._numbers[text]
        return found

    def arrow(self) -> pa.Array:
        """All texts, each at its number."""
        return pa.array(self._texts, pa.string())


class Groups:
    """Rows put together where all their keys are the same."""

    def __init__(self, *keys: Key) -> None:
        combined = as_one(keys)
        self._order = np.argsort(combined, kind="stable")
        self._begins = changes(combined[self._order])
        self._starts = np.flatnonzero(self._begins)
        self.first = self._order[self._starts]
        """Of each group its first row."""

    def of_rows(self) -> Ints:
        """The group of each row."""
        found = np.empty(len(self._order), np.int64)
        found[self._order] = np.cumsum(self._begins) - 1
        return found

    def sums(self, figures: Ints) -> Ints:
        """Figures, a line each, summed up by group."""
        return np.clip(np.add.reduceat(figures[:, self._order], self._starts, axis=1), -MOST, MOST)

    def are_all(self, flags: Flags) -> Flags:
        """Whether all rows of a group have a flag."""
        return np.logical_and.reduceat(flags[self._order], self._starts)

    def are_first(self, counted: Flags) -> Flags:
        """Marks the first counted row of each group."""
        is_counted = counted[self._order]
        group = (np.cumsum(self._begins) - 1)[is_counted]
        found = np.zeros(len(counted), np.bool_)
        found[self._order[is_counted][changes(group)]] = True
        return found


def as_one(keys: Sequence[Key]) -> Ints:
    """Keys as one number each, in their order."""
    combined, width = np.zeros(len(keys[0][0]), np.int64), 1
    for key, of_key in keys:
        if width * (of_key + 1) >= 2**62:
            combined = np.unique(combined, return_inverse=True)[1]
            width = len(combined)
        combined *= of_key + 1
        combined += key
        width *= of_key + 1
    return combined


def changes(values: Numbers) -> Flags:
    """Where a value differs from the one before it."""
    found = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def from_lowest(key: Ints) -> Key:
    """A key of large numbers that lie close together."""
    lowest = key.min(initial=2**62)
    return key - lowest, int(key.max(initial=0)) - int(lowest) + 1 if len(key) else 1


def to_arrow(columns: Columns, dictionary: pa.Array) -> pa.Table:
    """A table whose first column is the bucket; the others have no names."""
    return pa.Table.from_arrays(
        [
            pa.DictionaryArray.from_arrays(pa.array(column, mask=column == NONE), dictionary)
            if column.dtype == np.int32
            else pa.array(column)
            for column in columns
        ],
        names=["bucket_ns", *(str(number) for number in range(1, len(columns)))],
    )


def array(column: pa.ChunkedArray) -> Numbers:
    """A column as it is."""
    return np.asarray(column.to_numpy())


def numbers(table: pa.Table, name: str) -> Numbers:
    """A column with 0 where nothing is known."""
    column = table.column(name)
    return array(column.fill_null(0) if column.null_count else column)


def flags(table: pa.Table, name: str) -> Flags:
    """A column of booleans."""
    return array(table.column(name)).astype(np.bool_)


def length(start: Times, end: Times) -> Times:
    """From start to end in ns; 0 where the end lies before the start, as it does where there is none."""
    return np.where(end > start, end - start, np.uint64(0))


def bounded(figures: Numbers) -> Ints:
    """Figures that no broken clock or counter makes too large to be summed up."""
    return np.clip(figures, -MOST if figures.dtype.kind == "i" else 0, MOST).astype(np.int64)


def nano(usd: Numbers) -> Ints:
    """US dollars in whole billionths."""
    return np.rint(np.clip(usd * 1e9, -MOST, MOST)).astype(np.int64)
