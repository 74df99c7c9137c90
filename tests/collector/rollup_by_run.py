"""The roll-ups of settled rows as one counts them by hand, run after run: the tests' measure of `collector.rollup`."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import log2
from typing import Final, NamedTuple

from collector.columns import MOST
from collector.rollup import BUCKET_NS, DEEPEST, JOINT, MEASURES, MOST_BESIDE, WIDEST_FAN
from collector.settle import FailureRow, OperationRow, RunRow, Settled, StepRow
from schemas.taxonomy import FINISHED, Outcome, StepStatus

Key = tuple[object, ...]
Gains = dict[Key, list[Sequence[int]]]
"""Keys of one table (without the level) and all that each gained."""

GOOD: Final = frozenset({Outcome.CLEAN, Outcome.RECOVERED})
FAILED: Final = "failed"
RECOVERED: Final = "recovered"


class Rows(NamedTuple):
    """One run with everything that was derived of it."""

    run: RunRow
    steps: list[StepRow]
    operations: list[OperationRow]
    failures: list[FailureRow]


def run_by_run(settled: Settled) -> dict[str, list[Key]]:
    """For each table its rows, each key once with its sums; without those that came to nothing."""
    found = {run.run_id: Rows(run, [], [], []) for run in settled.run}
    for step in settled.step:
        found[step.run_id].steps.append(step)
    for operation in settled.operation:
        found[operation.run_id].operations.append(operation)
    for failure in settled.failure:
        found[failure.run_id].failures.append(failure)
    deltas = Deltas()
    for rows in found.values():
        if rows.run.outcome != Outcome.OPEN:
            _Contribution(rows, deltas).add()
    return deltas.rows()


class Deltas:
    """What some runs add to each roll-up."""

    def __init__(self) -> None:
        self.run: Gains = defaultdict(list)
        self.step: Gains = defaultdict(list)
        self.edge: Gains = defaultdict(list)
        self.latency: Gains = defaultdict(list)
        self.call: Gains = defaultdict(list)
        self.failure: Gains = defaultdict(list)

    def gains(self) -> tuple[Gains, ...]:
        """Of each table, in the order of MEASURES."""
        return self.run, self.step, self.edge, self.latency, self.call, self.failure

    def rows(self) -> dict[str, list[Key]]:
        """For each table its rows, each key once with its sums; without those that came to nothing."""
        found = {}
        for table, gains in zip(MEASURES, self.gains(), strict=True):
            summed = ((key, [_within(sum(each)) for each in zip(*gain, strict=True)]) for key, gain in gains.items())
            found[table] = [(*key, *sums) for key, sums in summed]
        return found


def octave_8(ns: int) -> int:
    """The eighth of an octave that a length falls in: floor(8·log2 ns); read as 2^((i+½)/8)."""
    return int(8 * log2(ns)) if ns > 1 else 0


class _Contribution:
    """One run on its way into the roll-ups.

    Steps are known by their place in reading order. Lists of what they used hold each step with all that lies below
    it; their last element is the run itself.
    """

    def __init__(self, rows: Rows, deltas: Deltas) -> None:
        self.rows = rows
        self.deltas = deltas
        run = rows.run
        self.head = (run.start_ns // BUCKET_NS * BUCKET_NS, run.workflow, run.workflow_version, run.environment)
        steps = rows.steps
        self.met: set[tuple[object, str]] = set()
        """Steps (scope and name) that the run has been counted for."""
        self.on_path: set[tuple[object, str]] = set()
        """The same, of those on the critical path."""
        self.place = {step.span_id: i for i, step in enumerate(steps)}
        self.above = [-1 if step.parent_span_id is None else self.place.get(step.parent_span_id, -1) for step in steps]
        self.tries: dict[str, list[int]] = {}
        """Attempts by operation, of those that were tried more than once."""
        if any(step.attempt > 1 for step in steps):
            every = defaultdict(list)
            for i, step in enumerate(steps):
                every[step.operation_id].append(i)
            self.tries = {operation_id: tries for operation_id, tries in every.items() if len(tries) > 1}
        self.over = [
            operation.end_ns is not None and steps[self._last(operation)].status != StepStatus.PENDING
            for operation in rows.operations
        ]
        """Whether each operation is over: it neither waits for a human nor still goes on."""
        self._sum_up()

    def add(self) -> None:
        """Adds everything that the run adds."""
        rows, run, deltas = self.rows, self.rows.run, self.deltas
        duration = max((run.end_ns or 0) - run.start_ns, 0)
        is_rescued = run.outcome in GOOD and any(o.depth == 1 and o.outcome == FAILED for o in rows.operations)
        key = (*self.head, run.outcome, run.verdict, run.layer_a, run.layer_b, run.code, run.failing_step)
        deltas.run[key].append(
            (
                1, is_rescued, run.operations, run.attempts, run.tokens_input or 0, run.tokens_output or 0,
                _nano(run.cost_usd), duration, self.model[-1], self.tool[-1], self.retrieval[-1], self.wasted[-1],
            )
        )  # fmt: skip
        if duration and run.outcome in FINISHED:
            deltas.latency[*self.head, "", None, octave_8(duration)].append(_ONE)
        self._add_chains()
        self._add_calls()
        if rows.failures:
            self._add_failures()

    def _last(self, operation: OperationRow) -> int:
        tries = self.tries.get(operation.operation_id)
        return tries[-1] if tries else self.place[operation.operation_id]

    # ---- times and tokens, with all that lies below --------------------------------------------------------------

    def _sum_up(self) -> None:
        steps, above = self.rows.steps, self.above
        n = len(steps)
        critical = self.critical = [step.critical_ns for step in steps] + [0]
        model, tool, retrieval, wasted = ([0] * (n + 1) for _ in range(4))
        tokens_in = self.tokens_in = [step.tokens_input or 0 for step in steps] + [0]
        tokens_out = self.tokens_out = [step.tokens_output or 0 for step in steps] + [0]
        nano = self.nano = [_nano(step.cost_usd) for step in steps] + [0]
        self.model, self.tool, self.retrieval, self.wasted = model, tool, retrieval, wasted
        kinds = {"llm": model, "tool": tool, "retrieval": retrieval}
        lost = self._failed_tries() if self.tries else set()
        pauses = self._pauses(lost) if self.tries else ()
        for i in range(n - 1, -1, -1):
            step, up = steps[i], above[i]
            if step.critical_ns:
                place = wasted if i in lost else kinds.get(step.kind)
                if place is not None:
                    place[i] += step.critical_ns
            if critical[i]:
                critical[up] += critical[i]
                model[up] += model[i]
                tool[up] += tool[i]
                retrieval[up] += retrieval[i]
                wasted[up] += wasted[i]
            tokens_in[up] += tokens_in[i]
            tokens_out[up] += tokens_out[i]
            nano[up] += nano[i]
        for waiting, pause in pauses:
            i = waiting
            while i >= 0:
                wasted[i] += pause
                i = above[i]
            wasted[-1] += pause

    def _failed_tries(self) -> set[int]:
        """Tries that failed of what was tried more than once, and all that lies below them."""
        steps = self.rows.steps
        lost: set[int] = set()
        for tries in self.tries.values():
            lost.update(tries if steps[tries[-1]].status == StepStatus.FAILED else tries[:-1])
        for i, up in enumerate(self.above):  # parents first
            if up in lost:
                lost.add(i)
        return lost

    def _pauses(self, lost: set[int]) -> list[tuple[int, int]]:
        """Waiting between tries as far as it lies on the critical path: by the step that waited, or −1 for the run."""
        run, steps = self.rows.run, self.rows.steps
        own = dict(enumerate(step.critical_ns for step in steps))
        own[-1] = max((run.end_ns or 0) - run.start_ns - sum(own.values()), 0)
        found = []
        for tries in self.tries.values():
            up = self.above[tries[0]]
            if up in lost:
                continue
            for before, after in pairwise(tries):
                if self._touches(after):
                    pause = min(_pause(steps[before], steps[after]), own[up])
                    if pause > 0:
                        own[up] -= pause
                        found.append((up, pause))
        return found

    def _touches(self, i: int) -> bool:
        """Whether a step or one below it lies on the critical path."""
        steps, above = self.rows.steps, self.above
        reached = {i}
        for j in range(i, len(steps)):
            if j == i or above[j] in reached:
                if steps[j].critical_ns:
                    return True
                reached.add(j)
        return False

    def _lost(self, operation: OperationRow) -> tuple[int, int, int]:
        """Time, tokens and nano-dollars of an operation's failed tries and the waiting between; 0 where it had one."""
        tries = self.tries.get(operation.operation_id)
        if tries is None:
            return 0, 0, 0
        steps = self.rows.steps
        failed = tries if steps[tries[-1]].status == StepStatus.FAILED else tries[:-1]
        time = sum(max((steps[i].end_ns or steps[i].start_ns) - steps[i].start_ns, 0) for i in failed)
        time += sum(_pause(steps[a], steps[b]) for a, b in pairwise(tries))
        tokens = sum(self.tokens_in[i] + self.tokens_out[i] for i in failed)
        return time, tokens, sum(self.nano[i] for i in failed)

    # ---- chains --------------------------------------------------------------------------------------------------

    def _add_chains(self) -> None:
        rows = self.rows
        below: dict[str | None, list[int]] = {None: []}  # a run without steps goes from its start to its end
        for o, operation in enumerate(rows.operations):
            if operation.depth <= DEEPEST:
                below.setdefault(operation.parent_span_id, []).append(o)
        scopes: dict[int, str] = {}
        for parent, chain in below.items():
            if parent is None:
                self._add_chain("", chain, _WAY_OUT_OF_RUN.get(rows.run.outcome, "end"))
            elif parent in self.place:
                i = self.place[parent]
                self._add_chain(self._scope(i, scopes), chain, _WAY_OUT_OF_STEP.get(rows.steps[i].status))

    def _add_chain(self, scope: str, chain: list[int], way_out: str | None) -> None:
        """The nodes of one chain, and what followed its start and every node that went well."""
        operations, over, edges = self.rows.operations, self.over, self.deltas.edge
        head = (*self.head, scope)
        if len(chain) > 1:
            chain.sort(key=lambda o: (operations[o].start_ns, self.place[operations[o].operation_id]))
        source: str | None = None
        went_well = True
        for group in self._groups(chain):
            first = group[0]
            if len(group) == 1:
                node = operations[first].name
                if over[first]:
                    self._add_one(head, node, operations[first])
            else:
                node = _node_name([operations[o].name for o in group])
                self._add_group(head, node, group)
            if went_well:
                edges[*head, source, node, None].append(_ONE)
            source = node
            went_well = all(over[o] and operations[o].outcome != FAILED for o in group)
        if went_well and way_out is not None:
            edges[*head, source, None, way_out].append(_ONE)

    def _scope(self, i: int, known: dict[int, str]) -> str:
        scope = known.get(i)
        if scope is None:
            name, up = self.rows.steps[i].name, self.above[i]
            scope = known[i] = name if up < 0 else self._scope(up, known) + JOINT + name
        return scope

    def _groups(self, chain: Sequence[int]) -> list[list[int]]:
        """Operations in order of their start, those together that ran at the same time."""
        groups: list[list[int]] = []
        until = 0
        for o in chain:
            operation = self.rows.operations[o]
            end = operation.end_ns or operation.start_ns
            if operation.start_ns < until and groups:
                groups[-1].append(o)
                until = max(until, end)
            else:
                groups.append([o])
                until = end
        return groups

    def _add_one(self, head: Key, node: str, operation: OperationRow) -> None:
        """One operation by itself: what nearly all nodes are."""
        tries = self.tries.get(operation.operation_id)
        if tries is not None:
            self._add_operations(head, node, [operation])
            return
        i = self.place[operation.operation_id]
        critical = self.critical[i]
        is_good, is_first = operation.outcome != FAILED, operation.first_try_ok
        length = max((operation.end_ns or 0) - operation.start_ns, 0)
        place = head[-1], operation.name
        is_new, is_seen_on_path = place not in self.met, critical > 0 and place not in self.on_path
        self.deltas.step[*head, node, operation.name, operation.kind].append(
            (
                1, is_first, is_good, 1, is_first, is_good, operation.attempts, is_new, self.rows.steps[i].self_ns,
                length, 0, critical, is_seen_on_path, self.model[i], self.tool[i], self.retrieval[i], self.wasted[i],
                self.tokens_in[i], self.tokens_out[i], self.nano[i],
            )
        )  # fmt: skip
        if is_new:
            self.met.add(place)
        if is_seen_on_path:
            self.on_path.add(place)
        self.deltas.latency[*head, operation.name, octave_8(length)].append(_ONE)

    def _add_group(self, head: Key, node: str, group: Sequence[int]) -> None:
        members: dict[str, list[OperationRow]] = {}
        for o in group:
            if self.over[o]:
                operation = self.rows.operations[o]
                members.setdefault(operation.name, []).append(operation)
        for operations in members.values():
            self._add_operations(head, node, operations)

    def _add_operations(self, head: Key, node: str, operations: Sequence[OperationRow]) -> None:
        """Operations of one step at one node: one trial, good when all of them are."""
        name = operations[0].name
        tried = [i for o in operations for i in self.tries.get(o.operation_id) or (self.place[o.operation_id],)]
        critical = sum(self.critical[i] for i in tried)
        place = head[-1], name
        is_seen_on_path = critical > 0 and place not in self.on_path
        firsts = [o.first_try_ok for o in operations]
        goods = [o.outcome != FAILED for o in operations]
        lengths = [max((o.end_ns or 0) - o.start_ns, 0) for o in operations]
        sums = (self.model, self.tool, self.retrieval, self.wasted, self.tokens_in, self.tokens_out, self.nano)
        self.deltas.step[*head, node, name, operations[0].kind].append(
            (
                len(operations), sum(firsts), sum(goods), 1, all(firsts), all(goods),
                sum(o.attempts for o in operations), place not in self.met,
                sum(self.rows.steps[i].self_ns for i in tried), sum(lengths),
                sum(self._lost(o)[0] for o in operations), critical, is_seen_on_path,
                *(sum(used[i] for i in tried) for used in sums),
            )
        )  # fmt: skip
        self.met.add(place)
        if is_seen_on_path:
            self.on_path.add(place)
        for length in lengths:
            self.deltas.latency[*head, name, octave_8(length)].append(_ONE)

    # ---- calls and failures --------------------------------------------------------------------------------------

    def _add_calls(self) -> None:
        run, steps, place, calls = self.rows.run, self.rows.steps, self.place, self.deltas.call
        who = (run.workflow, run.workflow_version, run.environment)
        for is_over, o in zip(self.over, self.rows.operations, strict=True):
            if is_over:
                key = (
                    o.start_ns // BUCKET_NS * BUCKET_NS, *who, o.chain_step, o.name, o.kind, o.tool, o.model,
                    steps[place[o.operation_id]].provider, o.attempts,
                )  # fmt: skip
                calls[key].append((1, o.outcome == RECOVERED, o.outcome == FAILED, *self._lost(o)))

    def _add_failures(self) -> None:
        met: set[Key] = set()
        for f in self.rows.failures:
            if f.role == "root":
                said = (f.step, f.code, f.layer_a, f.layer_b, f.certainty, f.severity, f.recovered, f.silent)
                self.deltas.failure[*self.head, *said].append((1, said not in met))
                met.add(said)


_ONE: Final = (1,)
_WAY_OUT_OF_RUN: Final[dict[str, str | None]] = {Outcome.PENDING: None, Outcome.FAILED: "outside"}
_WAY_OUT_OF_STEP: Final[dict[str, str]] = {StepStatus.OK: "end", StepStatus.FAILED: "outside"}


def _within(total: int) -> int:
    """A sum that 64 bits can hold: times of broken clocks (the end of unsigned 64 bit) must not stop settling."""
    return max(-MOST, min(total, MOST))


def _nano(usd: float | None) -> int:
    return round(usd * 1e9) if usd else 0


def _pause(before: StepRow, after: StepRow) -> int:
    return max(after.start_ns - (before.end_ns or after.start_ns), 0)


def _node_name(names: Sequence[str]) -> str:
    counts = Counter(names)
    if len(counts) > MOST_BESIDE:
        return f"{len(counts)} steps side by side"
    return " ‖ ".join(_fan(name, counts[name]) for name in sorted(counts))


def _fan(name: str, width: int) -> str:
    return name if width == 1 else f"{name} ×{width}" if width <= WIDEST_FAN else f"{name} ×{WIDEST_FAN + 1}+"
