"""What runs add to the roll-ups: a pure function from settled rows to signed sums, a column at a time.

Taking a run back is the same with the sign turned, so re-settling leaves exactly what is true now. Open runs are in no
roll-up. Every settled run passes here, so what all rows have in common is done in arrays, and only what is rare
(operations tried more than once, steps side by side) one by one. What it must come to is written down run by run in
`tests/collector/rollup_by_run.py`. See docs/decisions/028-rollups.md.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.taxonomy import FINISHED, Outcome, StepStatus

BUCKET_NS: Final = 300 * 10**9
DEEPEST: Final = 3
"""Chains are rolled up down to the steps of this depth."""
JOINT: Final = " › "
"""Between the names of steps that were opened one inside the other."""
WIDEST_FAN: Final = 8
MOST_BESIDE: Final = 4
"""More different steps side by side are one node without their names."""
MOST: Final = 2**53
"""Times of broken clocks (the end of unsigned 64 bit) must not stop settling: no figure and no sum goes beyond."""

MEASURES: Final = {
    "rollup_run": 12,
    "rollup_step": 20,
    "rollup_edge": 1,
    "rollup_latency": 1,
    "rollup_call": 6,
    "rollup_failure": 2,
}
"""Table to how many of its columns, from the last, are sums; those before them are the key."""

Texts = npt.NDArray[np.int32]
"""Texts by their number in the dictionary of a batch, NONE where there is none."""
Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
"""Of any width."""

NONE: Final = -1


class Derived(NamedTuple):
    """Everything derived from some runs: tables with the columns of the store.

    Steps and operations stand run by run, in the order of the runs, and within a run in reading order.
    """

    run: pa.Table
    step: pa.Table
    operation: pa.Table
    failure: pa.Table
    """In any order, and of other runs too."""

    def only(self, kept: Flags) -> "Derived":
        """Some of the runs."""
        steps, operations = (np.repeat(kept, _numbers(self.run, name)) for name in ("steps", "operations"))
        return Derived(self.run.filter(kept), self.step.filter(steps), self.operation.filter(operations), self.failure)


def deltas(added: Derived, taken_back: Derived | None = None) -> dict[str, pa.Table]:
    """What runs add to each roll-up, less what others had added: each key once, without those that came to nothing.

    Returns:
        rows by table, for those tables that have any; columns as in the store but for the level.
    """
    signed = [(_closed(added), 1)] + ([(_closed(taken_back), -1)] if taken_back is not None else [])
    parts = [(part, sign) for part, sign in signed if part.run.num_rows]
    return _Batch(parts).deltas() if parts else {}


def octaves_8(ns: Times) -> Ints:
    """The eighth of an octave that each length falls in: floor(8·log2 ns); read as 2^((i+½)/8)."""
    octaves: Ints = np.floor(8 * np.log2(np.maximum(ns, 1).astype(np.float64))).astype(np.int64)
    return octaves


class _Dictionary:
    """The texts of many columns, each known by its number."""

    def __init__(self, columns: Sequence[pa.ChunkedArray]) -> None:
        encoded = pa.concat_arrays([chunk for column in columns for chunk in column.chunks]).dictionary_encode()
        numbers = encoded.indices.fill_null(NONE).to_numpy()
        self.columns: list[Texts] = np.split(numbers, np.cumsum([len(column) for column in columns])[:-1])
        self._numbers = {text: number for number, text in enumerate(encoded.dictionary.to_pylist())}
        self._texts: list[str] = [*self._numbers]

    def number(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        return number

    def text(self, number: int) -> str:
        return self._texts[number]

    def is_any(self, column: Texts, texts: Iterable[str]) -> Flags:
        """Where a column holds one of some texts."""
        found = np.zeros(len(column), np.bool_)
        for text in texts:
            if text in self._numbers:
                found |= column == self._numbers[text]
        return found

    def arrow(self) -> pa.Array:
        return pa.array(self._texts, pa.string())


class _Groups:
    """Rows put together where all their keys are the same."""

    def __init__(self, *keys: Numbers) -> None:
        combined = _combined(keys)
        self._order = np.argsort(combined, kind="stable")
        in_order = combined[self._order]
        self._starts = np.flatnonzero(np.diff(in_order, prepend=in_order[:1] - 1))
        self.first = self._order[self._starts]
        """Of each group its first row."""

    def of_rows(self) -> Ints:
        """The group of each row."""
        found = np.empty(len(self._order), np.int64)
        found[self._order] = np.repeat(np.arange(len(self._starts)), np.diff(self._starts, append=len(self._order)))
        return found

    def sums(self, figures: Ints) -> Ints:
        """Figures, a line each, summed up by group."""
        return np.clip(np.add.reduceat(figures[:, self._order], self._starts, axis=1), -MOST, MOST)

    def are_all(self, flags: Flags) -> Flags:
        """Whether all rows of a group have a flag."""
        return np.logical_and.reduceat(flags[self._order], self._starts)

    def are_first(self, counted: Flags) -> Flags:
        """Marks the first counted row of each group."""
        order = self._order[counted[self._order]]
        found = np.zeros(len(counted), np.bool_)
        found[order[np.flatnonzero(np.diff(self.of_rows()[order], prepend=-1))]] = True
        return found


def _combined(keys: Sequence[Numbers]) -> Ints:
    """Keys as one number each, in their order."""
    combined, width = np.zeros(len(keys[0]), np.int64), 1
    for key in keys if len(combined) else ():
        low, high = int(key.min()), int(key.max())
        if low == high:
            continue
        if width * (high - low + 1) >= 2**63:
            combined = np.unique(combined, return_inverse=True)[1]
            width = int(combined.max()) + 1
        combined = combined * (high - low + 1) + (key - key.dtype.type(low)).astype(np.int64)
        width *= high - low + 1
    return combined


class _Batch:
    """Runs on their way into the roll-ups.

    Every run is a tree of nodes in reading order: the run itself, then its steps. So all that lies below a node stands
    right behind it, and sums over it are differences of running sums. An operation is known by the node of its first
    attempt.
    """

    def __init__(self, parts: Sequence[tuple[Derived, int]]) -> None:
        derived = [part for part, _ in parts]
        run, step, operation = (pa.concat_tables(tables) for tables in list(zip(*derived, strict=True))[:3])
        self._read_texts(run, step, operation)
        self.run_ids, self.failures = (
            [part.run.column("run_id") for part in derived],
            [part.failure for part in derived],
        )
        self.sign = np.repeat([sign for _, sign in parts], [part.run.num_rows for part in derived])
        self.is_signed = any(sign < 0 for _, sign in parts)
        self._read_runs(run)
        self._read_nodes(run, step)
        self._read_operations(operation, step)
        self._sum_up(step)

    def deltas(self) -> dict[str, pa.Table]:
        """The rows of each table."""
        found = {
            "rollup_run": self._runs(),
            **self._chains(),
            "rollup_call": self._calls(),
            "rollup_failure": self._failures(),
        }
        return {table: rows for table, rows in found.items() if rows.num_rows}

    # ---- reading -------------------------------------------------------------------------------------------------

    def _read_texts(self, run: pa.Table, step: pa.Table, operation: pa.Table) -> None:
        wanted = [(run, name) for name in _RUN_TEXTS] + [(step, name) for name in _STEP_TEXTS]
        columns = [table.column(name) for table, name in [*wanted, (operation, "outcome")]]
        self.texts = _Dictionary(columns)
        self.of_run = dict(zip(_RUN_TEXTS, self.texts.columns, strict=False))
        self.of_step = dict(zip(_STEP_TEXTS, self.texts.columns[len(_RUN_TEXTS) :], strict=False))
        self.outcome = self.texts.columns[-1]
        """Of each operation."""

    def _read_runs(self, run: pa.Table) -> None:
        self.run_start = _numbers(run, "start_ns")
        self.run_length = _bounded(_length(self.run_start, _numbers(run, "end_ns")))
        self.bucket = self.run_start // BUCKET_NS
        who = [self.of_run[name] for name in ("workflow", "workflow_version", "environment")]
        self.who = _Groups(*who).of_rows()
        self.head = _Groups(self.who, self.bucket).of_rows()
        self.run_figures = [
            *(_numbers(run, name) for name in ("operations", "attempts")),
            *(_bounded(_numbers(run, name)) for name in ("tokens_input", "tokens_output")),
            _nano(_numbers(run, "cost_usd")),
        ]

    def _read_nodes(self, run: pa.Table, step: pa.Table) -> None:
        sizes = _numbers(run, "steps")
        runs = np.arange(len(sizes))
        self.run_of_step = np.repeat(runs, sizes)
        self.root = np.cumsum(sizes) - sizes + runs
        """The node of each run."""
        self.node_of_step = np.arange(step.num_rows) + self.run_of_step + 1
        self.depth = np.zeros(len(runs) + step.num_rows, np.int64)
        self.depth[self.node_of_step] = _numbers(step, "depth")
        self.above, self.end = _tree(self.depth.tolist())
        self.step_start, self.step_end = _numbers(step, "start_ns"), _numbers(step, "end_ns")
        self.self_ns = _bounded(_numbers(step, "self_ns"))

    def _read_operations(self, operation: pa.Table, step: pa.Table) -> None:
        attempt = _numbers(step, "attempt")
        self.first = np.flatnonzero(attempt == 1)
        """Of each operation the step that is its first attempt."""
        self.node = self.node_of_step[self.first]
        self.run_of = self.run_of_step[self.first]
        self.attempts = _numbers(operation, "attempts").astype(np.int64)
        self.tries = self._tries(operation, step, np.flatnonzero(attempt > 1))
        self.start = self.step_start[self.first]
        end = _numbers(operation, "end_ns")
        self.until = np.where(end > 0, end, self.start)
        self.length = _length(self.start, end)
        self.is_failed = self.texts.is_any(self.outcome, ["failed"])
        self.first_good = _flags(operation, "first_try_ok")
        waits = self.texts.is_any(self.of_step["status"], [StepStatus.PENDING])
        last = self.first.copy()
        for o, tries in self.tries.items():
            last[o] = tries[-1]
        self.is_over = (end > 0) & ~waits[last]
        """Neither waits for a human nor still goes on."""

    def _tries(self, operation: pa.Table, step: pa.Table, again: Ints) -> dict[int, list[int]]:
        """The steps that tried each operation, of those that were tried more than once."""
        if not len(again):
            return {}
        several = np.flatnonzero(self.attempts > 1)
        ids = operation.column("operation_id").take(several).to_pylist()
        known = {(run, i): o for run, i, o in zip(self.run_of[several].tolist(), ids, several.tolist(), strict=True)}
        tries = {o: [first] for o, first in zip(several.tolist(), self.first[several].tolist(), strict=True)}
        ids = step.column("operation_id").take(again).to_pylist()
        for run, i, at in zip(self.run_of_step[again].tolist(), ids, again.tolist(), strict=True):
            tries[known[run, i]].append(at)
        return {o: steps for o, steps in tries.items() if len(steps) > 1}

    # ---- times and tokens, with all that lies below --------------------------------------------------------------

    def _sum_up(self, step: pa.Table) -> None:
        at = self.node_of_step
        own = np.zeros((8, len(self.depth)), np.int64)
        critical, model, tool, retrieval, wasted, *used = own
        critical[at] = _bounded(_numbers(step, "critical_ns"))
        for line, name in zip(used, ("tokens_input", "tokens_output"), strict=False):
            line[at] = _bounded(_numbers(step, name))
        used[-1][at] = _nano(_numbers(step, "cost_usd"))
        is_lost = np.zeros(len(self.depth), np.bool_)
        for tries in self.tries.values():
            for i in self._failed(tries):
                is_lost[at[i] : self.end[at[i]]] = True
        kind = np.full(len(self.depth), NONE, np.int32)
        kind[at] = self.of_step["kind"]
        for line, text in ((model, "llm"), (tool, "tool"), (retrieval, "retrieval")):
            np.copyto(line, critical, where=self.texts.is_any(kind, [text]) & ~is_lost)
        np.copyto(wasted, critical, where=is_lost)
        for node, pause in self._pauses(critical, is_lost):
            wasted[node] += pause
        running = np.zeros((8, len(self.depth) + 1), np.int64)
        np.cumsum(own, axis=1, out=running[:, 1:])
        self.running = running
        self.used = self._below(self.node)
        """critical, model, tool, retrieval, wasted, tokens in, tokens out and money of each operation, line by line."""
        self.own = self.self_ns[self.first]
        self.lost = np.zeros((3, len(self.first)), np.int64)
        """Time, tokens and money of an operation's failed tries and the waiting between."""
        for o, tries in self.tries.items():
            self.used[:, o] = self._below(at[tries]).sum(axis=1)
            self.own[o] = self.self_ns[tries].sum()
            self.lost[:, o] = self._lost(tries)

    def _below(self, nodes: Ints) -> Ints:
        """What some nodes used with all that lies below."""
        found: Ints = self.running[:, self.end[nodes]] - self.running[:, nodes]
        return found

    def _failed(self, tries: list[int]) -> list[int]:
        is_last = self.texts.text(self.of_step["status"][tries[-1]]) == StepStatus.FAILED
        return tries if is_last else tries[:-1]

    def _pause(self, before: int, after: int) -> int:
        """Between two tries; nothing after a step that never ended."""
        end, start = int(self.step_end[before]), int(self.step_start[after])
        return min(max(start - end, 0), MOST) if end else 0

    def _pauses(self, critical: Ints, is_lost: Flags) -> list[tuple[int, int]]:
        """Waiting between tries as far as it lies on the critical path, with the node that waited."""
        if not self.tries:
            return []
        reached = np.concatenate([[0], np.cumsum(critical)])
        left: dict[int, int] = {}
        found = []
        for tries in self.tries.values():
            up = int(self.above[self.node_of_step[tries[0]]])
            if is_lost[up]:
                continue
            if up not in left:
                left[up] = int(critical[up]) if self.depth[up] else self._idle(up, reached)
            for before, after in pairwise(tries):
                node = self.node_of_step[after]
                if reached[self.end[node]] > reached[node]:
                    pause = min(self._pause(before, after), left[up])
                    left[up] -= pause
                    found.append((up, pause))
        return found

    def _idle(self, root: int, reached: Ints) -> int:
        """How much of a run no step accounts for."""
        run = int(np.searchsorted(self.root, root))
        return max(int(self.run_length[run]) - int(reached[self.end[root]] - reached[root]), 0)

    def _lost(self, tries: list[int]) -> tuple[int, int, int]:
        failed = self._failed(tries)
        time = int(_bounded(_length(self.step_start[failed], self.step_end[failed])).sum())
        time += sum(self._pause(before, after) for before, after in pairwise(tries))
        *_, tokens_in, tokens_out, money = self._below(self.node_of_step[failed]).sum(axis=1)
        return time, int(tokens_in + tokens_out), int(money)

    # ---- runs ----------------------------------------------------------------------------------------------------

    def _runs(self) -> pa.Table:
        run = self.of_run
        fell = np.zeros(len(self.root), np.bool_)
        fell[self.run_of[self.is_failed & (self.depth[self.node] == 1)]] = True
        is_rescued = fell & self.texts.is_any(run["outcome"], [Outcome.CLEAN, Outcome.RECOVERED])
        _, model, tool, retrieval, wasted, *_ = self._below(self.root)
        return self._table(
            np.arange(len(self.root)),
            [run[name] for name in ("outcome", "verdict", "layer_a", "layer_b", "code", "failing_step")],
            [1, is_rescued, *self.run_figures, self.run_length, model, tool, retrieval, wasted],
        )

    # ---- chains --------------------------------------------------------------------------------------------------

    def _chains(self) -> dict[str, pa.Table]:
        """The nodes of all chains, what followed their starts and every node that went well, and how long it took."""
        up = self.above[self.node]
        shown = np.flatnonzero(self.depth[self.node] <= DEEPEST)
        ops = shown[np.argsort(up[shown], kind="stable")]  # chain by chain, in reading order, which is that of time
        up = up[ops]
        opens = np.diff(up, prepend=-1) != 0
        begins = opens | ~self._overlap(ops, opens)
        starts = np.flatnonzero(begins)
        name = self.of_step["name"][self.first]
        node = name[ops[starts]]
        sizes = np.diff(starts, append=len(ops))
        known: dict[bytes, int] = {}
        for group in np.flatnonzero(sizes > 1).tolist():
            names = name[ops[starts[group] : starts[group] + sizes[group]]]
            if names.tobytes() not in known:
                known[names.tobytes()] = self.texts.number(_node_name([self.texts.text(n) for n in names.tolist()]))
            node[group] = known[names.tobytes()]
        scope = self._scopes()
        group_of = np.cumsum(begins) - 1
        edges = self._edges(up[starts], opens[starts], node, self._all_well(ops, starts), scope)
        counted = np.flatnonzero(self.is_over[ops])
        ops, group_of = ops[counted], group_of[counted]
        scope_of, name_of = scope[up[counted]], name[ops]
        return {
            "rollup_step": self._steps(ops, scope_of, name_of, node[group_of], group_of, sizes[group_of] > 1),
            "rollup_edge": edges,
            "rollup_latency": self._latencies(ops, scope_of, name_of),
        }

    def _overlap(self, ops: Ints, opens: Flags) -> Flags:
        """Whether something of its chain that began before each operation still went on."""
        start, until = self.start[ops], self.until[ops]
        if not (~opens[1:] & (start[1:] < until[:-1])).any():
            return np.zeros(len(ops), np.bool_)
        in_order = np.sort(until)
        chain = np.cumsum(opens) * len(ops)
        reached = np.maximum.accumulate(chain + np.searchsorted(in_order, until)) - chain
        found = np.zeros(len(ops), np.bool_)
        found[1:] = ~opens[1:] & (start[1:] < in_order[reached[:-1]])
        return found

    def _all_well(self, ops: Ints, starts: Ints) -> Flags:
        went_well = self.is_over[ops] & ~self.is_failed[ops]
        return np.logical_and.reduceat(went_well, starts) if len(starts) else went_well

    def _scopes(self) -> Texts:
        """For every node that others lie below the scope of their chain."""
        found = np.full(len(self.depth), self.texts.number(""), np.int32)
        name = np.full(len(self.depth), NONE, np.int32)
        name[self.node_of_step] = self.of_step["name"]
        is_above = self.end > np.arange(len(self.depth)) + 1
        for depth in range(1, DEEPEST):
            here = np.flatnonzero(is_above & (self.depth == depth))
            outer = found[self.above[here]]
            paths = _Groups(outer, name[here])
            said = [
                self.texts.number(inner if depth == 1 else self.texts.text(before) + JOINT + inner)
                for before, inner in (
                    (before, self.texts.text(last))
                    for before, last in zip(outer[paths.first].tolist(), name[here[paths.first]].tolist(), strict=True)
                )
            ]
            found[here] = np.array(said, np.int32)[paths.of_rows()]
        return found

    def _edges(self, up: Ints, opens: Flags, node: Texts, went_well: Flags, scope: Texts) -> pa.Table:
        """What followed what: one row for each group of a chain that something led to, and one for each way out."""
        status = np.full(len(self.depth), NONE, np.int32)
        status[self.node_of_step] = self.of_step["status"]
        status[self.root] = self.of_run["outcome"]
        way_out = np.full(len(self.depth), NONE, np.int32)
        way_out[self.texts.is_any(status, _GOES_ON)] = self.texts.number("end")
        way_out[self.texts.is_any(status, ["failed"])] = self.texts.number("outside")
        led = np.flatnonzero(opens | np.append([True], went_well[:-1])[: len(opens)])
        last = np.flatnonzero(np.append(opens[1:], [True])[: len(opens)] & went_well & (way_out[up] != NONE))
        is_empty = np.ones(len(self.root), np.bool_)
        is_empty[np.searchsorted(self.root, up[self.depth[up] == 0])] = False
        empty = self.root[is_empty & (way_out[self.root] != NONE)]
        before = np.where(opens, np.int32(NONE), np.roll(node, 1))
        nobody = np.full(max(len(empty), len(led), len(last)), NONE, np.int32)
        chain = np.concatenate([up[led], up[last], empty])
        run = np.searchsorted(self.root, chain, side="right") - 1
        return self._table(
            run,
            [
                scope[chain],
                np.concatenate([before[led], node[last], nobody[: len(empty)]]),
                np.concatenate([node[led], nobody[: len(last)], nobody[: len(empty)]]),
                np.concatenate([nobody[: len(led)], way_out[up[last]], way_out[empty]]),
            ],
            [1],
        )

    def _steps(self, ops: Ints, scope: Texts, name: Texts, node: Texts, group: Ints, is_beside: Flags) -> pa.Table:
        """One trial for each step at each node, good when all of its operations there are."""
        first_good, good = self.first_good[ops], ~self.is_failed[ops]
        kind = self.of_step["kind"][self.first[ops]]
        trials, trials_first, trials_good = np.ones(len(ops), np.bool_), first_good.copy(), good.copy()
        beside = np.flatnonzero(is_beside)
        if len(beside):
            units = _Groups(group[beside], name[beside])
            told = beside[units.first]
            kind[beside] = kind[told][units.of_rows()]
            for column, value in (
                (trials, True),
                (trials_first, units.are_all(first_good[beside])),
                (trials_good, units.are_all(good[beside])),
            ):
                column[beside] = False
                column[told] = value
        run = self.run_of[ops]
        met = _Groups(run, scope, name)
        is_new = np.zeros(len(ops), np.bool_)
        is_new[met.first] = True
        critical, *others = self.used[:, ops]
        return self._table(
            run,
            [scope, node, name, kind],
            [
                1, first_good, good, trials, trials_first, trials_good, self.attempts[ops], is_new, self.own[ops],
                _bounded(self.length[ops]), self.lost[0, ops], critical, met.are_first(critical > 0), *others,
            ],
        )  # fmt: skip

    def _latencies(self, ops: Ints, scope: Texts, name: Texts) -> pa.Table:
        is_timed = (self.run_length > 0) & self.texts.is_any(self.of_run["outcome"], FINISHED)
        runs = np.flatnonzero(is_timed)
        return self._table(
            np.concatenate([self.run_of[ops], runs]),
            [
                np.concatenate([scope, np.full(len(runs), self.texts.number(""), np.int32)]),
                np.concatenate([name, np.full(len(runs), NONE, np.int32)]),
                octaves_8(np.concatenate([self.length[ops], self.run_length[runs].astype(np.uint64)])),
            ],
            [1],
        )

    # ---- calls and failures --------------------------------------------------------------------------------------

    def _calls(self) -> pa.Table:
        ops = np.flatnonzero(self.is_over)
        is_recovered = self.texts.is_any(self.outcome[ops], ["recovered"])
        told = [self.of_step[name][self.first[ops]] for name in _CALL_TEXTS]
        return self._table(
            self.run_of[ops],
            [*told, self.attempts[ops]],
            [1, is_recovered, self.is_failed[ops], *self.lost[:, ops]],
            self.start[ops] // BUCKET_NS,
        )

    def _failures(self) -> pa.Table:
        offsets = np.cumsum([0, *(len(ids) for ids in self.run_ids)])
        roots, runs = [], []
        for failure, ids, offset in zip(self.failures, self.run_ids, offsets, strict=False):
            rows = failure.filter(pc.equal(failure.column("role"), "root"))
            run = pc.index_in(rows.column("run_id"), value_set=ids)
            roots.append(rows.filter(run.is_valid()))
            runs.append(_array(run.drop_null()).astype(np.int64) + offset)
        root, run = pa.concat_tables(roots), np.concatenate(runs)
        said = [
            *([self.texts.number(text) if text is not None else NONE for text in root.column(name).to_pylist()]
              for name in _FAILURE_TEXTS),
        ]  # fmt: skip
        keys = [np.array(column, np.int32) for column in said] + [_flags(root, "recovered"), _flags(root, "silent")]
        is_new = np.zeros(len(run), np.bool_)
        is_new[_Groups(run, *(key.astype(np.int32) for key in keys)).first] = True
        return self._table(run, keys, [1, is_new])

    # ---- writing -------------------------------------------------------------------------------------------------

    def _table(
        self,
        run: Ints,
        keys: Sequence[Numbers],
        figures: Sequence[Ints | Flags | int],
        bucket: Times | None = None,
    ) -> pa.Table:
        """Rows with the run they are of, summed up by when and whose they are and the other keys.

        Args:
            run: of each row.
            keys: columns; texts by number.
            figures: columns of sums, or one number for all rows.
            bucket: when, of each row; None: as its run.
        """
        filled = np.empty((len(figures), len(run)), np.int64)
        for line, figure in zip(filled, figures, strict=True):
            line[:] = figure
        if self.is_signed:
            filled *= self.sign[run]
        when = [self.head[run]] if bucket is None else [self.who[run], bucket]
        groups = _Groups(*when, *(key.view(np.int8) if key.dtype == np.bool_ else key for key in keys))
        sums, first = filled, np.arange(0)
        if len(run):
            sums, first = groups.sums(filled), groups.first
            is_left = sums.any(axis=0)
            sums, first = sums[:, is_left], first[is_left]
        run = run[first]
        begun = self.bucket[run] if bucket is None else bucket[first]
        who = [self.of_run[name][run] for name in ("workflow", "workflow_version", "environment")]
        columns = [begun * np.uint64(BUCKET_NS), *who, *(key[first] for key in keys), *sums]
        dictionary = self.texts.arrow()
        return pa.Table.from_arrays(
            [
                pa.DictionaryArray.from_arrays(pa.array(column, mask=column == NONE), dictionary)
                if column.dtype == np.int32
                else pa.array(column)
                for column in columns
            ],
            names=["bucket_ns", *(str(number) for number in range(1, len(columns)))],
        )


_RUN_TEXTS: Final = (
    "workflow", "workflow_version", "environment", "outcome", "verdict", "layer_a", "layer_b", "code", "failing_step",
)  # fmt: skip
_STEP_TEXTS: Final = ("kind", "name", "status", "chain_step", "tool", "model", "provider")
_CALL_TEXTS: Final = ("chain_step", "name", "kind", "tool", "model", "provider")
_FAILURE_TEXTS: Final = ("step", "code", "layer_a", "layer_b", "certainty", "severity")
_GOES_ON: Final = (StepStatus.OK, Outcome.CLEAN, Outcome.RECOVERED, Outcome.SILENT)
"""What a step or a run says after which its chain has come to its end."""


def _closed(derived: Derived) -> Derived:
    """Without what is open."""
    is_closed = _array(pc.not_equal(derived.run.column("outcome"), Outcome.OPEN.value))
    return derived if is_closed.all() else derived.only(is_closed)


def _tree(depth: list[int]) -> tuple[Ints, Ints]:
    """For nodes in reading order the one above each, and the place behind all that lies below it."""
    above, end = [NONE] * len(depth), [len(depth)] * len(depth)
    path: list[int] = []
    for i, level in enumerate(depth):
        while len(path) > level:
            end[path.pop()] = i
        if path:
            above[i] = path[-1]
        path.append(i)
    return np.array(above, np.int64), np.array(end, np.int64)


def _array(column: pa.ChunkedArray) -> Numbers:
    return np.asarray(column.to_numpy())


def _numbers(table: pa.Table, name: str) -> Numbers:
    """A column with 0 where nothing is known."""
    column = table.column(name)
    return _array(column.fill_null(0) if column.null_count else column)


def _flags(table: pa.Table, name: str) -> Flags:
    return _array(table.column(name)).astype(np.bool_)


def _length(start: Times, end: Times) -> Times:
    return np.where(end > start, end - start, np.uint64(0))


def _bounded(figures: Numbers) -> Ints:
    return np.clip(figures, -MOST if figures.dtype.kind == "i" else 0, MOST).astype(np.int64)


def _nano(usd: Numbers) -> Ints:
    return np.clip(np.rint(np.nan_to_num(usd) * 1e9), -MOST, MOST).astype(np.int64)


def _node_name(names: Sequence[str]) -> str:
    counts = Counter(names)
    if len(counts) > MOST_BESIDE:
        return f"{len(counts)} steps side by side"
    return " ‖ ".join(_fan(name, counts[name]) for name in sorted(counts))


def _fan(name: str, width: int) -> str:
    return name if width == 1 else f"{name} ×{width}" if width <= WIDEST_FAN else f"{name} ×{WIDEST_FAN + 1}+"
