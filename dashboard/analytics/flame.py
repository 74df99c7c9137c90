"""Where the blocks of a flame chart stand: lanes per depth, blocks that overlap in time in lanes of their own."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

LANES: Final = 6  # of one depth: more at once are put together in the last one


class Block(NamedTuple):
    """A block in its lane; `steps` and `failed` count those it stands for."""

    row: Mapping[str, Any]
    lane: int
    """From the top of the chart."""
    steps: int
    failed: int
    start_ns: int
    end_ns: int


class Flame(NamedTuple):
    """A chart."""

    blocks: list[Block]
    lanes: int
    depths: list[tuple[int, int]]
    """Depth and its first lane."""


def flame(rows: Sequence[Mapping[str, Any]]) -> Flame:
    """The chart of the rows of `queries/run_flame.sql`, in any order."""
    by_depth: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_depth[row["depth"]].append(row)
    blocks: list[Block] = []
    depths: list[tuple[int, int]] = []
    top = 0
    for depth in sorted(by_depth):
        level = sorted(by_depth[depth], key=lambda row: (row["start_ns"], -row["end_ns"], row["place"]))
        placed = _lanes(level)
        depths.append((depth, top))
        blocks += [block._replace(lane=block.lane + top) for block in placed]
        top += 1 + max(block.lane for block in placed)
    return Flame(blocks, top, depths)


def _lanes(level: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Each block in the first lane that is free by then; where none is, in the last block of the last lane."""
    ends: list[int] = []
    placed: list[Block] = []
    last_of: dict[int, int] = {}
    for row in level:
        own = Block(row, 0, row["steps"], row["failed"], row["start_ns"], row["end_ns"])
        lane = next((lane for lane, end in enumerate(ends) if end <= row["start_ns"]), len(ends))
        if lane < LANES:
            ends[lane : lane + 1] = [own.end_ns]
            last_of[lane] = len(placed)
            placed.append(own._replace(lane=lane))
        else:
            at = last_of[LANES - 1]
            held = placed[at]
            end_ns = max(held.end_ns, own.end_ns)
            placed[at] = held._replace(steps=held.steps + own.steps, failed=held.failed + own.failed, end_ns=end_ns)
            ends[LANES - 1] = end_ns
    return placed
