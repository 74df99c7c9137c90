"""Two runs side by side: their operations aligned step by step, and where they part first. Rows in, values out."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from dashboard.analytics.marks import mark

Row = Mapping[str, Any]

SAME: Final = 4  # of an alignment's score: the same kind and name
SAME_STATE: Final = 1  # on top: the same input, the same fate
TOP: Final = None
DECISIVE: Final = frozenset(("status", "tries", "extra", "missing"))


class Operation(NamedTuple):
    """One operation of a run, and what its last try asked for."""

    row: Row
    mark: str
    below: tuple["Operation", ...]

    @property
    def key(self) -> tuple[str, str]:
        """What makes two operations alike."""
        return self.row["kind"], self.row["name"]


class Pair(NamedTuple):
    """An operation of this run and the one of the other run that it stands beside; None where there is none."""

    depth: int
    this: Operation | None
    other: Operation | None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name of what stands here."""
        found = self.this or self.other
        assert found is not None
        return found.key

    @property
    def changed(self) -> tuple[str, ...]:
        """What differs in kind: `status`, `tries`, `input`, `output`; `extra` or `missing` where it has no partner."""
        if self.other is None:
            return ("extra",)
        if self.this is None:
            return ("missing",)
        one, two = self.this.row, self.other.row
        found = ["status"] if self.this.mark != self.other.mark else []
        found += ["tries"] if one["tries"] != two["tries"] else []
        return (*found, *(name for name in ("input", "output") if _differ(one, two, f"{name}_hash")))


def _differ(one: Row, two: Row, column: str) -> bool:
    return one[column] is not None and two[column] is not None and one[column] != two[column]


def operations(rows: Sequence[Row]) -> tuple[Operation, ...]:
    """The operations of a run as a tree; below each what its last try did.

    Args:
        rows: of `queries/run_operations.sql`, in reading order. What lies below earlier tries is left out.
    """
    below: dict[str | None, list[Row]] = {}
    last_tries = {row["span_id"] for row in rows}
    for row in rows:
        parent = row["parent_span_id"] if row["depth"] > 1 else TOP
        if parent is TOP or parent in last_tries:
            below.setdefault(parent, []).append(row)
    built: dict[str | None, tuple[Operation, ...]] = {}
    for parent in reversed(below):  # parents come before their children: the innermost first
        built[parent] = tuple(
            Operation(row, mark(row), built.get(row["span_id"], ())) for row in _in_order(below[parent])
        )
    return built.get(TOP, ())


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """Siblings in order of time; which of those that ran at once began first is chance, so they stand by name."""
    groups: list[list[Row]] = []
    until: float = 0
    for row in rows:
        if groups and row["start_ns"] < until:
            groups[-1].append(row)
        else:
            groups.append([row])
            until = 0
        until = max(until, float("inf") if row["end_ns"] is None else row["end_ns"])
    return [row for group in groups for row in sorted(group, key=lambda row: (row["kind"], row["name"]))]


def align(this: Sequence[Operation], other: Sequence[Operation]) -> list[Pair]:
    """Both runs' operations in one reading order: the chain first, then below each pair."""
    found: list[Pair] = []
    stack = [Pair(0, *each) for each in reversed(_aligned(this, other))]
    while stack:
        pair = stack.pop()
        found.append(pair)
        one, two = pair.this.below if pair.this else (), pair.other.below if pair.other else ()
        stack.extend(Pair(pair.depth + 1, *each) for each in reversed(_aligned(one, two)))
    return found


def _aligned(this: Sequence[Operation], other: Sequence[Operation]) -> list[tuple[Operation | None, Operation | None]]:
    """The best alignment of two sequences: most alike pairs in order, nothing unlike paired."""
    head = _alike_ends(this, other)
    one, two = this[head:], other[head:]
    tail = _alike_ends(one[::-1], two[::-1])
    one, two = one[: len(one) - tail], two[: len(two) - tail]
    best = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i in reversed(range(len(one))):
        for j in reversed(range(len(two))):
            best[i][j] = max(_score(one[i], two[j]) + best[i + 1][j + 1], best[i + 1][j], best[i][j + 1])
    middle: list[tuple[Operation | None, Operation | None]] = []
    i = j = 0
    while i < len(one) or j < len(two):
        score = _score(one[i], two[j]) if i < len(one) and j < len(two) else 0
        if score and best[i][j] == score + best[i + 1][j + 1]:
            middle.append((one[i], two[j]))
            i, j = i + 1, j + 1
        elif j < len(two) and (i == len(one) or best[i][j] == best[i][j + 1]):
            middle.append((None, two[j]))
            j += 1
        else:
            middle.append((one[i], None))
            i += 1
    ends = list(zip(this[len(this) - tail :], other[len(other) - tail :], strict=True))
    return [*zip(this[:head], other[:head], strict=True), *middle, *ends]


def _score(one: Operation, two: Operation) -> int:
    if one.key != two.key:
        return 0
    same_input = one.row["input_hash"] is not None and one.row["input_hash"] == two.row["input_hash"]
    return SAME + SAME_STATE * (same_input + (one.mark == two.mark))


def _alike_ends(one: Sequence[Operation], two: Sequence[Operation]) -> int:
    """How many operations both begin with that could not be paired better."""
    count = 0
    for a, b in zip(one, two, strict=False):
        if a.key != b.key or a.mark != b.mark:
            break
        count += 1
    return count


def first_difference(pairs: Sequence[Pair], *, same_input: bool) -> tuple[Pair, str] | None:
    """Where two runs part first, and in what. A changed input or output counts only between runs of the same input:
    otherwise every step's differs."""
    telling = _telling(same_input=same_input)
    for pair, following in pairwise((*pairs, None)):
        assert pair is not None
        changed = [name for name in pair.changed if name in telling]
        inner = following is not None and following.depth > pair.depth
        if changed and not (inner and _explained_below(pairs, pair, DECISIVE)):
            return pair, changed[0]
    return None


def _telling(*, same_input: bool) -> frozenset[str]:
    """What tells two runs apart."""
    return DECISIVE | {"input", "output"} if same_input else DECISIVE


def _explained_below(pairs: Sequence[Pair], pair: Pair, decisive: frozenset[str]) -> bool:
    """Whether something below a pair that both runs have differs itself, and so says more."""
    if pair.this is None or pair.other is None:
        return False
    at = next(index for index, each in enumerate(pairs) if each is pair)
    for each in pairs[at + 1 :]:
        if each.depth <= pair.depth:
            return False
        if decisive & set(each.changed):
            return True
    return False


def said(pairs: Sequence[Pair], *, same_input: bool) -> tuple[str, ...]:
    """What differs first, in words: our own and foreign text in turn."""
    found = first_difference(pairs, same_input=same_input)
    if found is None:
        rest = "the same" if same_input else "alike, though their inputs differ"
        return (f"Step by step both runs are {rest}: no step differs in what became of it, none is missing.",)
    pair, what = found
    telling = _telling(same_input=same_input)  # what holds the step that differs differs with it
    alike = sum(not telling & set(each.changed) for each in pairs[: _place(pairs, pair)])
    until = (
        f"After {alike:,} steps alike, "
        if alike > 1
        else "At the beginning, "
        if not alike
        else "After one step alike, "
    )
    if pair.this is None:
        assert pair.other is not None
        return (f"{until}the good run went to ", pair.other.row["name"], ", which this run never did there.")
    name = pair.this.row["name"]
    if pair.other is None:
        return (f"{until}this run went to ", name, ", which the good run did not there.")
    match what:
        case "status":
            ends = f" {_became(pair.this)} here and {_became(pair.other)} in the good run."
        case "tries":
            ends = f" took {_tries(pair.this)} here and {_tries(pair.other)} in the good run."
        case _:
            ends = f" had another {what} than in the good run, though both runs began with the same input."
    return (until, name, ends)


def _place(pairs: Sequence[Pair], pair: Pair) -> int:
    return next(index for index, each in enumerate(pairs) if each is pair)


def _became(operation: Operation) -> str:
    told = {
        "ok": "was fine",
        "failed": "failed",
        "propagated": "failed with a step below it",
        "collateral": "was cut off",
        "recovered": "failed and was recovered",
        "silent": "went wrong in silence",
        "pending": "waits for a human",
        "open": "has not finished",
    }[operation.mark]
    tries = operation.row["tries"]
    return f"{told} ({tries:,} tries)" if tries > 1 else told


def _tries(operation: Operation) -> str:
    tries = operation.row["tries"]
    return f"{tries:,} tries" if tries != 1 else "one try"
