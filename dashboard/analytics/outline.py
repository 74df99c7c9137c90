"""The shape of a run's step tree as arrays: a million steps in a few passes, without an object for each."""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

TOP: Final = -1
"""What stands for the parent of steps without one."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Outline(NamedTuple):
    """A forest of steps, siblings in order of their index."""

    parent: Ints
    """Index of the step above, or `TOP`. Parents may run in circles; `circles_cut` gives a forest."""
    failed: Bools
    troubled: Bools
    """Failed, waiting, unfinished, or an error in the output of a step that says it is fine."""
    first: Ints
    """Index of the first try of the operation that the step is a try of; its own where there is one try."""

    @property
    def size(self) -> int:
        """How many steps."""
        return len(self.parent)


def read_outline(table: pa.Table) -> Outline:
    """The outline in the rows of `queries/run_outline.sql` or `run_span_outline.sql`, which are in order from 0."""
    own = np.arange(len(table))
    if "depth" in table.column_names:
        parent, first = parents_by_depth(_ints(table, "depth")), _ints(table, "first_place")
    else:
        parent, first = circles_cut(_ints(table, "parent_place")), own
    failed, troubled = (table[name].to_numpy(zero_copy_only=False) for name in ("failed", "troubled"))
    return Outline(parent, failed, troubled, first)


def _ints(table: pa.Table, name: str) -> Ints:
    found: Ints = table[name].to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def parents_by_depth(depth: Ints) -> Ints:
    """The parent of each step of a reading order: the last one before it that lies one level higher."""
    parent = np.full(len(depth), TOP, np.int64)
    by_depth = np.argsort(depth, kind="stable")
    levels, starts = np.unique(depth[by_depth], return_index=True)
    members = dict(zip(levels.tolist(), np.split(by_depth, starts[1:]), strict=True))
    for level, inside in members.items():
        above = members.get(level - 1)
        if above is not None:
            place = np.searchsorted(above, inside) - 1
            parent[inside] = np.where(place >= 0, above[place], TOP)
    return parent


def circles_cut(parent: Ints) -> Ints:
    """The same parents, where each circle of them is cut at its first member, which becomes a root."""
    size = len(parent)
    above = np.append(np.where(parent == np.arange(size), TOP, parent), TOP)
    above[above == TOP] = size  # the sentinel stands above all roots and above itself
    far = above.copy()
    for _ in range(max(1, size).bit_length() + 1):
        far = far[far]
    settled = dict.fromkeys(np.flatnonzero(far == size).tolist()) if (far != size).any() else {}
    for start in np.flatnonzero(far != size).tolist():
        index = int(start)
        way: dict[int, None] = {}
        while index not in settled and index not in way:
            way[index] = None
            index = int(above[index])
        if index in way:
            circle = list(way)[list(way).index(index) :]
            above[min(circle)] = size
        settled.update(way)
    above[above == size] = TOP
    return above[:size]
