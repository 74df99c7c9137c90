"""What runs add to the roll-ups: a pure function from settled rows to signed sums, a column at a time.

Taking a run back is the same with the sign turned, so re-settling leaves exactly what is true now. Open runs are in no
roll-up. Every settled run passes here, so what all rows have in common is done in arrays, and only what is rare
(operations tried more than once, steps side by side) one by one. What it must come to is written down run by run in
`tests/collector/rollup_by_run.py`. See docs/decisions/028-rollups.md.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.columns import (
    NONE,
    Columns,
    Dictionary,
    Flags,
    Groups,
    Ints,
    Key,
    Texts,
    Times,
    array,
    bounded,
    changes,
    flags,
    from_lowest,
    length,
    nano,
    numbers,
    to_arrow,
)
from schemas.taxonomy import FINISHED, Outcome, StepStatus

BUCKET_NS: Final = 300 * 10**9
DEEPEST: Final = 3
"""Chains are rolled up down to the steps of this depth."""
JOINT: Final = " › "
"""Between the names of steps that were opened one inside the other."""
WIDEST_FAN: Final = 8
MOST_BESIDE: Final = 4
"""More different steps side by side are one node without their names."""
MEASURES: Final = {
    "rollup_run": 12,
    "rollup_step": 20,
    "rollup_edge": 1,
    "rollup_latency": 1,
    "rollup_call": 6,
    "rollup_failure": 2,
}
"""Table to how many of its columns, from the last, are sums; those before them are the key."""

OCTAVES: Final = 8 * 64
"""All that 64 bits can hold."""


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
        steps, operations = (np.repeat(kept, numbers(self.run, name)) for name in ("steps", "operations"))
        return Derived(self.run.filter(kept), self.step.filter(steps), self.operation.filter(operations), self.failure)


def deltas(added: Sequence[Derived], taken_back: Sequence[Derived] = ()) -> dict[str, pa.Table]:
    """What runs add to each roll-up, less what others had added: each key once, without those that came to nothing.

    Returns:
        rows by table, for those tables that have any; columns as in the store but for the level.
    """
    signed = [(_closed(part), 1) for part in added] + [(_closed(part), -1) for part in taken_back]
    parts = [(part, sign) for part, sign in signed if part.run.num_rows]
    return _Batch(parts).deltas() if parts else {}


def octaves_8(ns: Times) -> Ints:
    """The eighth of an octave that each length falls in: floor(8·log2 ns); read as 2^((i+½)/8)."""
    octaves: Ints = np.floor(8 * np.log2(np.maximum(ns, 1).astype(np.float64))).astype(np.int64)
    return octaves


class _Batch:
    """Runs on their way into the roll-ups.

    Every run is a tree of nodes in reading order: the run itself, then its steps. So all that lies below a node stands
    right behind it, and sums over it are differences of running sums. An operation is known by its place among the
    first attempts.
    """

    def __init__(self, parts: Sequence[tuple[Derived, int]]) -> None:
        derived = [part for part, _ in parts]
        run, step, operation, failure = (pa.concat_tables(tables) for tables in zip(*derived, strict=True))
        self._read_texts(run, step, operation, failure)
        self.sign = np.repeat([sign for _, sign in parts], [part.run.num_rows for part in derived])
        self.is_signed = any(sign < 0 for _, sign in parts)
        self._read_runs(run)
        self._read_nodes(run, step)
        self._read_operations(operation, step)
        self._sum_up(step)
        self._read_failures(derived, failure)

    def deltas(self) -> dict[str, pa.Table]:
        """The rows of each table."""
        found = {
            "rollup_run": self._runs(),
            **self._chains(),
            "rollup_call": self._calls(),
            "rollup_failure": self._failures(),
        }
        dictionary = self.texts.arrow()
        return {table: to_arrow(columns, dictionary) for table, columns in found.items() if len(columns[0])}

    # ---- reading -------------------------------------------------------------------------------------------------

    def _read_texts(self, run: pa.Table, step: pa.Table, operation: pa.Table, failure: pa.Table) -> None:
        wanted = [(table, name) for table, names in ((run, _RUN_TEXTS), (step, _STEP_TEXTS), (operation, ("outcome",)),
                                                      (failure, _FAILURE_TEXTS)) for name in names]  # fmt: skip
        self.texts = Dictionary([table.column(name) for table, name in wanted])
        columns = iter(self.texts.columns)
        self.of_run = {name: next(columns) for name in _RUN_TEXTS}
        self.of_step = {name: next(columns) for name in _STEP_TEXTS}
        self.outcome = next(columns)
        """Of each operation."""
        self.of_failure = {name: next(columns) for name in _FAILURE_TEXTS}

    def _read_runs(self, run: pa.Table) -> None:
        self.run_start = numbers(run, "start_ns")
        self.run_length = bounded(length(self.run_start, numbers(run, "end_ns")))
        self.bucket = (self.run_start // BUCKET_NS).astype(np.int64)
        who = [(self.of_run[name], len(self.texts)) for name in _WHO]
        self.who = Groups(*who).of_rows()
        self.head = Groups((self.who, len(self.who)), from_lowest(self.bucket)).of_rows()
        self.run_figures = [
            *(numbers(run, name) for name in ("operations", "attempts")),
            *(bounded(numbers(run, name)) for name in ("tokens_input", "tokens_output")),
            nano(numbers(run, "cost_usd")),
        ]

    def _read_nodes(self, run: pa.Table, step: pa.Table) -> None:
        sizes = numbers(run, "steps")
        runs = np.arange(len(sizes))
        self.run_of_step = np.repeat(runs, sizes)
        self.root = np.cumsum(sizes) - sizes + runs
        """The node of each run."""
        self.node_of_step = np.arange(step.num_rows) + self.run_of_step + 1
        self.depth = np.zeros(len(runs) + step.num_rows, np.int64)
        self.depth[self.node_of_step] = numbers(step, "depth")
        self.above, self.end = _tree(self.depth)
        self.step_start, self.step_end = numbers(step, "start_ns"), numbers(step, "end_ns")
        self.self_ns = bounded(numbers(step, "self_ns"))

    def _read_operations(self, operation: pa.Table, step: pa.Table) -> None:
        attempt = numbers(step, "attempt")
        self.first = np.flatnonzero(attempt == 1)
        """Of each operation the step that is its first attempt."""
        self.node = self.node_of_step[self.first]
        self.run_of = self.run_of_step[self.first]
        self.attempts = numbers(operation, "attempts").astype(np.int64)
        self.tries = _Tries(self, operation, step, np.flatnonzero(attempt > 1))
        self.start = self.step_start[self.first]
        end = numbers(operation, "end_ns")
        self.until = np.where(end > 0, end, self.start)
        self.length = length(self.start, end)
        self.is_failed = self.texts.is_any(self.outcome, ["failed"])
        self.first_good = flags(operation, "first_try_ok")
        last = self.first.copy()
        last[self.tries.of[self.tries.is_last]] = self.tries.step[self.tries.is_last]
        waits = self.texts.is_any(self.of_step["status"], [StepStatus.PENDING])
        self.is_over = (end > 0) & ~waits[last]
        """Neither waits for a human nor still goes on."""

    def _read_failures(self, parts: Sequence[Derived], failure: pa.Table) -> None:
        places, before = [], 0
        for part in parts:
            found = pc.index_in(part.failure.column("run_id"), value_set=part.run.column("run_id"))
            places.append(np.where(array(found.is_valid()), array(found.fill_null(0)) + before, NONE))
            before += part.run.num_rows
        run = np.concatenate(places)
        root = np.flatnonzero(self.texts.is_any(self.of_failure["role"], ["root"]) & (run != NONE))
        self.run_of_failure = run[root]
        self.failure = [self.of_failure[name][root] for name in _FAILURE_KEY]
        self.failure_flags = [flags(failure, name)[root] for name in ("recovered", "silent")]

    # ---- times and tokens, with all that lies below --------------------------------------------------------------

    def _sum_up(self, step: pa.Table) -> None:
        at = self.node_of_step
        own = np.zeros((8, len(self.depth)), np.int64)
        critical, model, tool, retrieval, wasted, tokens_in, tokens_out, money = own
        critical[at] = bounded(numbers(step, "critical_ns"))
        tokens_in[at] = bounded(numbers(step, "tokens_input"))
        tokens_out[at] = bounded(numbers(step, "tokens_output"))
        money[at] = nano(numbers(step, "cost_usd"))
        is_lost = self._lost_nodes()
        kind = np.full(len(self.depth), NONE, np.int32)
        kind[at] = self.of_step["kind"]
        for line, text in ((model, "llm"), (tool, "tool"), (retrieval, "retrieval")):
            np.copyto(line, critical, where=self.texts.is_any(kind, [text]) & ~is_lost)
        np.copyto(wasted, critical, where=is_lost)
        for node, pause in self._pauses(critical, is_lost):
            wasted[node] += pause
        self.running = np.zeros((8, len(self.depth) + 1), np.int64)
        np.cumsum(own, axis=1, out=self.running[:, 1:])
        self.used = self._below(self.node)
        """critical, model, tool, retrieval, wasted, tokens in, tokens out and money of each operation, line by line."""
        self.own = self.self_ns[self.first]
        self.lost = np.zeros((3, len(self.first)), np.int64)
        """Time, tokens and money of an operation's failed tries and the waiting between."""
        tries = self.tries
        if len(tries.of):
            again, failed = ~tries.is_first, tries.is_failed
            used = self._below(at[tries.step])
            for line, more in zip(self.used, used, strict=True):
                np.add.at(line, tries.of[again], more[again])
            np.add.at(self.own, tries.of[again], self.self_ns[tries.step[again]])
            time = bounded(length(self.step_start[tries.step], self.step_end[tries.step]))
            for line, spent in zip(self.lost, (time, used[5] + used[6], used[7]), strict=True):
                np.add.at(line, tries.of[failed], spent[failed])
            np.add.at(self.lost[0], tries.of[again], tries.pause[again])

    def _below(self, nodes: Ints) -> Ints:
        """What some nodes used with all that lies below."""
        found: Ints = self.running[:, self.end[nodes]] - self.running[:, nodes]
        return found

    def _lost_nodes(self) -> Flags:
        """Tries that failed of what was tried more than once, and all that lies below them."""
        failed = self.node_of_step[self.tries.step[self.tries.is_failed]]
        open_here = np.zeros(len(self.depth) + 1, np.int64)
        np.add.at(open_here, failed, 1)
        np.add.at(open_here, self.end[failed], -1)
        return np.cumsum(open_here[:-1]) > 0

    def _pauses(self, critical: Ints, is_lost: Flags) -> Iterable[tuple[int, int]]:
        """Waiting between tries as far as it lies on the critical path, with the node that waited."""
        tries = self.tries
        if not len(tries.of):
            return
        reached = np.concatenate([[0], np.cumsum(critical)])
        node = self.node_of_step[tries.step]
        up = self.above[self.node[tries.of]]
        counts = (tries.pause > 0) & (reached[self.end[node]] > reached[node]) & ~is_lost[up]
        left: dict[int, int] = {}
        for above, pause in zip(up[counts].tolist(), tries.pause[counts].tolist(), strict=True):
            if above not in left:
                left[above] = int(critical[above]) if self.depth[above] else self._idle(above, reached)
            taken = min(pause, left[above])
            left[above] -= taken
            yield above, taken

    def _idle(self, root: int, reached: Ints) -> int:
        """How much of a run no step accounts for."""
        run = int(np.searchsorted(self.root, root))
        return max(int(self.run_length[run]) - int(reached[self.end[root]] - reached[root]), 0)

    # ---- runs ----------------------------------------------------------------------------------------------------

    def _runs(self) -> Columns:
        run = self.of_run
        fell = np.zeros(len(self.root), np.bool_)
        fell[self.run_of[self.is_failed & (self.depth[self.node] == 1)]] = True
        is_rescued = fell & self.texts.is_any(run["outcome"], [Outcome.CLEAN, Outcome.RECOVERED])
        _, model, tool, retrieval, wasted, *_ = self._below(self.root)
        return self._summed(
            np.arange(len(self.root)),
            [self._text(run[name]) for name in _RUN_TEXTS if name not in _WHO],
            [1, is_rescued, *self.run_figures, self.run_length, model, tool, retrieval, wasted],
        )

    # ---- chains --------------------------------------------------------------------------------------------------

    def _chains(self) -> dict[str, Columns]:
        """The nodes of all chains, what followed their starts and every node that went well, and how long it took."""
        up = self.above[self.node]
        shown = np.flatnonzero(self.depth[self.node] <= DEEPEST)
        ops = shown[np.argsort(up[shown], kind="stable")]  # chain by chain, in reading order, which is that of time
        up = up[ops]
        opens = changes(up)
        begins = opens | ~self._overlap(ops, opens)
        starts = np.flatnonzero(begins)
        sizes = np.diff(starts, append=len(ops))
        name = self.of_step["name"][self.first][ops]
        node = self._nodes(name, starts, sizes)
        scope = self._scopes()[up]
        well = self.is_over[ops] & ~self.is_failed[ops]
        all_well = np.logical_and.reduceat(well, starts) if len(starts) else well
        edges = self._edges(up[starts], opens[starts], node, all_well, scope[starts])
        counted = np.flatnonzero(self.is_over[ops])
        ops, scope, name = ops[counted], scope[counted], name[counted]
        group = (np.cumsum(begins) - 1)[counted]
        return {
            "rollup_step": self._steps(ops, scope, name, node, group, sizes),
            "rollup_edge": edges,
            "rollup_latency": self._latencies(ops, scope, name),
        }

    def _overlap(self, ops: Ints, opens: Flags) -> Flags:
        """Whether something of its chain that began before each operation still went on."""
        start, until = self.start[ops], self.until[ops]
        found = np.zeros(len(ops), np.bool_)
        if (~opens[1:] & (start[1:] < until[:-1])).any():
            in_order = np.sort(until)
            chain = np.cumsum(opens) * len(ops)
            reached = np.maximum.accumulate(chain + np.searchsorted(in_order, until)) - chain
            found[1:] = ~opens[1:] & (start[1:] < in_order[reached[:-1]])
        return found

    def _nodes(self, name: Texts, starts: Ints, sizes: Ints) -> Texts:
        """What each group of operations is called."""
        node = name[starts]
        known: dict[bytes, int] = {}
        for group in np.flatnonzero(sizes > 1).tolist():
            names = name[starts[group] : starts[group] + sizes[group]]
            beside = names.tobytes()
            if beside not in known:
                known[beside] = self.texts.number(_node_name([self.texts.text(n) for n in names.tolist()]))
            node[group] = known[beside]
        return node

    def _scopes(self) -> Texts:
        """For every node that others lie below the scope of their chain."""
        found = np.full(len(self.depth), self.texts.number(""), np.int32)
        name = np.full(len(self.depth), NONE, np.int32)
        name[self.node_of_step] = self.of_step["name"]
        is_above = self.end > np.arange(len(self.depth)) + 1
        for depth in range(1, DEEPEST):
            here = np.flatnonzero(is_above & (self.depth == depth))
            if depth == 1:
                found[here] = name[here]
                continue
            outer, inner = found[self.above[here]], name[here]
            paths = Groups(self._text(outer), self._text(inner))
            said = [
                self.texts.number(self.texts.text(before) + JOINT + self.texts.text(last))
                for before, last in zip(outer[paths.first].tolist(), inner[paths.first].tolist(), strict=True)
            ]
            found[here] = np.array(said, np.int32)[paths.of_rows()]
        return found

    def _edges(self, up: Ints, opens: Flags, node: Texts, went_well: Flags, scope: Texts) -> Columns:
        """What followed what: one row for each group of a chain that something led to, and one for each way out."""
        status = np.full(len(self.depth), NONE, np.int32)
        status[self.node_of_step] = self.of_step["status"]
        status[self.root] = self.of_run["outcome"]
        way_out = np.full(len(self.depth), NONE, np.int32)
        way_out[self.texts.is_any(status, _GOES_ON)] = self.texts.number("end")
        way_out[self.texts.is_any(status, ["failed"])] = self.texts.number("outside")
        follows = np.zeros(len(opens), np.bool_)
        follows[1:] = went_well[:-1]
        closes = np.ones(len(opens), np.bool_)
        closes[:-1] = opens[1:]
        led = np.flatnonzero(opens | follows)
        last = np.flatnonzero(closes & went_well & (way_out[up] != NONE))
        is_empty = np.ones(len(self.root), np.bool_)
        is_empty[np.searchsorted(self.root, up[self.depth[up] == 0])] = False
        empty = self.root[is_empty & (way_out[self.root] != NONE)]
        before = np.where(opens, np.int32(NONE), np.roll(node, 1))
        nobody = np.full(len(led) + len(last) + len(empty), NONE, np.int32)
        top = np.full(len(empty), self.texts.number(""), np.int32)
        return self._summed(
            np.searchsorted(self.root, np.concatenate([up[led], up[last], empty]), side="right") - 1,
            [
                self._text(np.concatenate([scope[led], scope[last], top])),
                self._text(np.concatenate([before[led], node[last], nobody[: len(empty)]])),
                self._text(np.concatenate([node[led], nobody[len(led) :]])),
                self._text(np.concatenate([nobody[: len(led)], way_out[up[last]], way_out[empty]])),
            ],
            [1],
        )

    def _steps(self, ops: Ints, scope: Texts, name: Texts, node: Texts, group: Ints, sizes: Ints) -> Columns:
        """One trial for each step at each node, good when all of its operations there are."""
        first_good, good = self.first_good[ops], ~self.is_failed[ops]
        kind = self.of_step["kind"][self.first[ops]]
        trials, trials_first, trials_good = np.ones(len(ops), np.bool_), first_good.copy(), good.copy()
        beside = np.flatnonzero(sizes[group] > 1)
        if len(beside):
            units = Groups((group[beside], len(sizes)), self._text(name[beside]))
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
        met = Groups((run, len(self.root)), self._text(scope), self._text(name))
        is_new = np.zeros(len(ops), np.bool_)
        is_new[met.first] = True
        critical, *others = self.used[:, ops]
        return self._summed(
            run,
            [self._text(scope), self._text(node[group]), self._text(name), self._text(kind)],
            [
                1, first_good, good, trials, trials_first, trials_good, self.attempts[ops], is_new, self.own[ops],
                bounded(self.length[ops]), self.lost[0, ops], critical, met.are_first(critical > 0), *others,
            ],
        )  # fmt: skip

    def _latencies(self, ops: Ints, scope: Texts, name: Texts) -> Columns:
        runs = np.flatnonzero((self.run_length > 0) & self.texts.is_any(self.of_run["outcome"], FINISHED))
        top = np.full(len(runs), self.texts.number(""), np.int32)
        octaves = octaves_8(np.concatenate([self.length[ops], self.run_length[runs].astype(np.uint64)]))
        return self._summed(
            np.concatenate([self.run_of[ops], runs]),
            [
                self._text(np.concatenate([scope, top])),
                self._text(np.concatenate([name, np.full(len(runs), NONE, np.int32)])),
                (octaves, OCTAVES),
            ],
            [1],
        )

    # ---- calls and failures --------------------------------------------------------------------------------------

    def _calls(self) -> Columns:
        ops = np.flatnonzero(self.is_over)
        told = [self._text(self.of_step[name][self.first[ops]]) for name in _CALL_TEXTS]
        attempts = self.attempts[ops]
        return self._summed(
            self.run_of[ops],
            [*told, (attempts, int(attempts.max(initial=0)) + 1)],
            [1, self.texts.is_any(self.outcome[ops], ["recovered"]), self.is_failed[ops], *self.lost[:, ops]],
            (self.start[ops] // BUCKET_NS).astype(np.int64),
        )

    def _failures(self) -> Columns:
        keys = [*(self._text(column) for column in self.failure), *((flags, 2) for flags in self.failure_flags)]
        is_new = np.zeros(len(self.run_of_failure), np.bool_)
        is_new[Groups((self.run_of_failure, len(self.root)), *keys).first] = True
        return self._summed(self.run_of_failure, keys, [1, is_new])

    # ---- writing -------------------------------------------------------------------------------------------------

    def _text(self, column: Texts) -> Key:
        return column, len(self.texts)

    def _summed(
        self, run: Ints, keys: Sequence[Key], figures: Sequence[Ints | Flags | int], bucket: Ints | None = None
    ) -> Columns:
        """Rows with the run they are of, summed up by when and whose they are and the other keys.

        Args:
            run: of each row.
            keys: columns, with the width of their range.
            figures: columns of sums, or one number for all rows.
            bucket: when, of each row; None: as its run.
        """
        filled = np.empty((len(figures), len(run)), np.int64)
        for line, figure in zip(filled, figures, strict=True):
            line[:] = figure
        if self.is_signed:
            filled *= self.sign[run]
        when = [(self.head[run], len(self.root))]
        if bucket is not None:
            when = [(self.who[run], len(self.root)), from_lowest(bucket)]
        groups = Groups(*when, *keys)
        sums, first = filled, groups.first
        if len(run):
            sums = groups.sums(filled)
        if self.is_signed:
            is_left = sums.any(axis=0)
            sums, first = sums[:, is_left], first[is_left]
        run = run[first]
        begun = self.bucket[run] if bucket is None else bucket[first]
        who = [self.of_run[name][run] for name in _WHO]
        return [begun.astype(np.uint64) * np.uint64(BUCKET_NS), *who, *(key[first] for key, _ in keys), *sums]


class _Tries:
    """Every try of what was tried more than once, operation by operation, in order."""

    def __init__(self, batch: _Batch, operation: pa.Table, step: pa.Table, again: Ints) -> None:
        of, at = np.arange(0), np.arange(0)
        if len(again):
            several = np.flatnonzero(batch.attempts > 1)
            ids = operation.column("operation_id").take(several).to_pylist()
            known = dict(zip(zip(batch.run_of[several].tolist(), ids, strict=True), several.tolist(), strict=True))
            ids = step.column("operation_id").take(again).to_pylist()
            of_again = [known[key] for key in zip(batch.run_of_step[again].tolist(), ids, strict=True)]
            tried = np.unique(of_again)
            of, at = np.concatenate([tried, of_again]), np.concatenate([batch.first[tried], again])
            order = np.lexsort((at, of))
            of, at = of[order], at[order]
        self.of: Ints = of
        """Its operation."""
        self.step: Ints = at
        self.is_first = changes(of)
        self.is_last = np.roll(self.is_first, -1)
        fails = batch.texts.is_any(batch.of_step["status"][at], [StepStatus.FAILED])
        self.is_failed = ~self.is_last | fails
        """The last one fails by its status, all before it did."""
        begin, end = batch.step_start[at], np.roll(batch.step_end[at], 1)
        self.pause = np.where(self.is_first | (end == 0), 0, bounded(length(end, begin)))
        """What went by since the try before; nothing after one that never ended."""


_RUN_TEXTS: Final = (
    "workflow", "workflow_version", "environment", "outcome", "verdict", "layer_a", "layer_b", "code", "failing_step",
)  # fmt: skip
_STEP_TEXTS: Final = ("kind", "name", "status", "chain_step", "tool", "model", "provider")
_WHO: Final = _RUN_TEXTS[:3]
_CALL_TEXTS: Final = ("chain_step", "name", "kind", "tool", "model", "provider")
_FAILURE_KEY: Final = ("step", "code", "layer_a", "layer_b", "certainty", "severity")
_FAILURE_TEXTS: Final = (*_FAILURE_KEY, "role")
_GOES_ON: Final = (StepStatus.OK, Outcome.CLEAN, Outcome.RECOVERED, Outcome.SILENT)
"""What a step or a run says after which its chain has come to its end."""


def _closed(derived: Derived) -> Derived:
    """Without what is open."""
    is_closed = array(pc.not_equal(derived.run.column("outcome"), Outcome.OPEN.value))
    return derived if is_closed.all() else derived.only(is_closed)


def _tree(depth: Ints) -> tuple[Ints, Ints]:
    """For nodes in reading order the one above each, and the place behind all that lies below it."""
    order = np.argsort(depth, kind="stable")
    levels = np.split(order, np.flatnonzero(np.diff(depth[order])) + 1)
    above, size = np.full(len(depth), NONE, np.int64), np.ones(len(depth), np.int64)
    for upper, here in pairwise(levels):
        above[here] = upper[np.searchsorted(upper, here) - 1]
    for here in reversed(levels[1:]):
        np.add.at(size, above[here], size[here])
    return above, np.arange(len(depth)) + size


def _node_name(names: Sequence[str]) -> str:
    counts = Counter(names)
    if len(counts) > MOST_BESIDE:
        return f"{len(counts)} steps side by side"
    return " ‖ ".join(_fan(name, counts[name]) for name in sorted(counts))


def _fan(name: str, width: int) -> str:
    return name if width == 1 else f"{name} ×{width}" if width <= WIDEST_FAN else f"{name} ×{WIDEST_FAN + 1}+"
