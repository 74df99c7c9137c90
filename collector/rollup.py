"""What runs add to the roll-ups: a pure function from settled rows to signed sums.

Taking a run back is the same with the sign turned, so re-settling leaves exactly what is true now. Open runs are in no
roll-up. See docs/decisions/028-rollups.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log2
from typing import Final, NamedTuple

from collector.settle import FailureRow, OperationRow, RunRow, StepRow
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

Key = tuple[object, ...]
Deltas = dict[str, dict[Key, list[int]]]
"""For each table its keys (without the level) with what they gained."""

GOOD: Final = frozenset({Outcome.CLEAN, Outcome.RECOVERED})
WAITED_FOR: Final = {"llm": 1, "tool": 2, "retrieval": 3}
"""Kind of step to its place in `_Used`."""


class Rows(NamedTuple):
    """One run with everything that was derived of it."""

    run: RunRow
    steps: list[StepRow]
    operations: list[OperationRow]
    failures: list[FailureRow]


def by_run(
    runs: Iterable[RunRow],
    steps: Iterable[StepRow],
    operations: Iterable[OperationRow],
    failures: Iterable[FailureRow],
) -> list[Rows]:
    """Rows of several runs, put together run by run."""
    found = {run.run_id: Rows(run, [], [], []) for run in runs}
    for step in steps:
        found[step.run_id].steps.append(step)
    for operation in operations:
        found[operation.run_id].operations.append(operation)
    for failure in failures:
        found[failure.run_id].failures.append(failure)
    return list(found.values())


def no_deltas() -> Deltas:
    """Nothing gained yet."""
    return {table: {} for table in MEASURES}


def contribute(deltas: Deltas, rows: Rows, sign: int) -> None:
    """Adds what a run adds to the roll-ups, or with sign −1 takes it back."""
    run = rows.run
    if run.outcome == Outcome.OPEN:
        return
    seen = _Seen(rows)
    head = (run.start_ns // BUCKET_NS * BUCKET_NS, run.workflow, run.workflow_version, run.environment)
    duration = max((run.end_ns or 0) - run.start_ns, 0)
    is_rescued = run.outcome in GOOD and any(o.depth == 1 and o.outcome == "failed" for o in rows.operations)
    _add(
        deltas["rollup_run"],
        (*head, run.outcome, run.verdict, run.layer_a, run.layer_b, run.code, run.failing_step),
        sign,
        [
            1, is_rescued, run.operations, run.attempts, run.tokens_input or 0, run.tokens_output or 0,
            _nano(run.cost_usd), duration, *seen.whole[1:4], seen.whole[4],
        ],
    )  # fmt: skip
    if run.outcome in FINISHED and duration:
        _add(deltas["rollup_latency"], (*head, "", None, octave_8(duration)), sign, [1])
    _add_chains(deltas, rows, seen, head, sign)
    for operation in rows.operations:
        _add_call(deltas["rollup_call"], run, operation, seen, sign)
    _add_failures(deltas["rollup_failure"], rows.failures, head, sign)


def octave_8(ns: int) -> int:
    """The eighth of an octave that a length falls in: floor(8·log2 ns); read as 2^((i+½)/8)."""
    return int(8 * log2(max(ns, 1)))


def _add(table: dict[Key, list[int]], key: Key, sign: int, gained: Sequence[int]) -> None:
    held = table.get(key)
    if held is None:
        table[key] = [sign * value for value in gained]
    else:
        for at, value in enumerate(gained):
            if value:
                held[at] += sign * value


def _nano(usd: float | None) -> int:
    return round(usd * 1e9) if usd else 0


# ---- times and tokens of steps, with all that lies below them --------------------------------------------------------

_Used = list[int]
"""Critical path: whole, model, tool, retrieval, wasted; tokens in, tokens out, nano-dollars."""


class _Seen:
    """What the steps of a run tell of each other."""

    def __init__(self, rows: Rows) -> None:
        self.tries: dict[str, list[StepRow]] = defaultdict(list)
        """The attempts of each operation, by its id, in order."""
        self.path: dict[str, str] = {}
        """Scope of what lies directly below each step, down to the deepest that is rolled up."""
        self.used: dict[str | None, _Used] = {}
        """Of each step with all that lies below it; None is the run."""
        self.status: dict[str, str] = {}
        for step in rows.steps:
            self.tries[step.operation_id].append(step)
            self.status[step.span_id] = step.status
            if step.depth < DEEPEST:
                above = self.path.get(step.parent_span_id or "", "")
                self.path[step.span_id] = above + JOINT + step.name if above else step.name
        wasted = self._wasted_steps(rows)
        self._sum_up(rows, wasted)
        self.whole = self.used.setdefault(None, [0] * 8)

    def _wasted_steps(self, rows: Rows) -> set[str]:
        """Tries that failed of what was tried more than once, and all that lies below them."""
        wasted: set[str] = set()
        for tries in self.tries.values():
            if len(tries) > 1:
                wasted.update(step.span_id for step in tries[:-1])
                if tries[-1].status == StepStatus.FAILED:
                    wasted.add(tries[-1].span_id)
        if wasted:
            for step in rows.steps:  # parents first
                if step.parent_span_id in wasted:
                    wasted.add(step.span_id)
        return wasted

    def _sum_up(self, rows: Rows, wasted: set[str]) -> None:
        own = {step.span_id: step.critical_ns for step in rows.steps}
        outside = max((rows.run.end_ns or 0) - rows.run.start_ns, 0) - sum(own.values())
        for step in reversed(rows.steps):
            used = self.used.setdefault(step.span_id, [0] * 8)
            if step.critical_ns:
                used[0] += step.critical_ns
                kind = 4 if step.span_id in wasted else WAITED_FOR.get(step.kind, 0)
                if kind:
                    used[kind] += step.critical_ns
            used[5] += step.tokens_input or 0
            used[6] += step.tokens_output or 0
            used[7] += _nano(step.cost_usd)
            if step.attempt > 1 and used[0]:
                pause = self._pause_before(step)
                asker = step.parent_span_id
                left = min(pause, own[asker] if asker in own else max(outside, 0))
                if left > 0 and asker not in wasted:
                    if asker in own:
                        own[asker] -= left
                    else:
                        outside -= left
                    self.used.setdefault(asker, [0] * 8)[4] += left
            above = self.used.setdefault(step.parent_span_id, [0] * 8)
            for at, value in enumerate(used):
                if value:
                    above[at] += value

    def _pause_before(self, step: StepRow) -> int:
        tries = self.tries[step.operation_id]
        before = tries[tries.index(step) - 1]
        return max(step.start_ns - (before.end_ns or step.start_ns), 0)

    def wasted_ns(self, operation: OperationRow) -> int:
        """Tries that failed of an operation, and waiting for the next; 0 where it was tried once."""
        tries = self.tries[operation.operation_id]
        if len(tries) < 2:
            return 0
        failed = tries if tries[-1].status == StepStatus.FAILED else tries[:-1]
        lost = sum(max((step.end_ns or step.start_ns) - step.start_ns, 0) for step in failed)
        return lost + sum(self._pause_before(step) for step in tries[1:])

    def wasted_use(self, operation: OperationRow) -> tuple[int, int]:
        """Tokens and nano-dollars of an operation's tries that failed, with all that lies below them."""
        tries = self.tries[operation.operation_id]
        if len(tries) < 2:
            return 0, 0
        failed = tries if tries[-1].status == StepStatus.FAILED else tries[:-1]
        used = [self.used[step.span_id] for step in failed]
        return sum(one[5] + one[6] for one in used), sum(one[7] for one in used)

    def counts(self, operation: OperationRow) -> bool:
        """It is over: neither waiting for a human nor still going on."""
        tries = self.tries[operation.operation_id]
        return operation.end_ns is not None and not (tries and tries[-1].status == StepStatus.PENDING)


# ---- chains ----------------------------------------------------------------------------------------------------------


def _add_chains(deltas: Deltas, rows: Rows, seen: _Seen, head: Key, sign: int) -> None:
    below: dict[str | None, list[OperationRow]] = defaultdict(list)
    for operation in rows.operations:
        if operation.depth <= DEEPEST:
            below[operation.parent_span_id].append(operation)
    below.setdefault(None, [])  # a run without steps goes from its start straight to its end
    met: set[tuple[str, str]] = set()
    critical: set[tuple[str, str]] = set()
    for parent, operations in below.items():
        if parent is None:
            scope, way_out = "", _way_out_of_run(rows.run.outcome)
        elif parent in seen.path:
            scope, way_out = seen.path[parent], _way_out_of_step(seen.status[parent])
        else:
            continue
        groups = _groups(sorted(operations, key=lambda o: (o.start_ns, o.operation_id)))
        nodes = [_node_name(group) for group in groups]
        for node, group in zip(nodes, groups, strict=True):
            _add_node(deltas, seen, head, scope, node, group, met, critical, sign)
        _add_edges(deltas["rollup_edge"], seen, (*head, scope), nodes, groups, way_out, sign)


def _way_out_of_run(outcome: str) -> str | None:
    if outcome == Outcome.PENDING:
        return None
    return "outside" if outcome == Outcome.FAILED else "end"


def _way_out_of_step(status: str) -> str | None:
    return {StepStatus.OK: "end", StepStatus.FAILED: "outside"}.get(StepStatus(status))


def _groups(operations: Sequence[OperationRow]) -> list[list[OperationRow]]:
    """Operations in order of their start, those together that ran at the same time."""
    groups: list[list[OperationRow]] = []
    until = 0
    for operation in operations:
        end = operation.end_ns or operation.start_ns
        if groups and operation.start_ns < until:
            groups[-1].append(operation)
            until = max(until, end)
        else:
            groups.append([operation])
            until = end
    return groups


def _node_name(group: Sequence[OperationRow]) -> str:
    if len(group) == 1:
        return group[0].name
    counts = Counter(operation.name for operation in group)
    if len(counts) > MOST_BESIDE:
        return f"{len(counts)} steps side by side"
    return " ‖ ".join(_fan(name, counts[name]) for name in sorted(counts))


def _fan(name: str, width: int) -> str:
    return name if width == 1 else f"{name} ×{width}" if width <= WIDEST_FAN else f"{name} ×{WIDEST_FAN + 1}+"


def _add_node(
    deltas: Deltas,
    seen: _Seen,
    head: Key,
    scope: str,
    node: str,
    group: Sequence[OperationRow],
    met: set[tuple[str, str]],
    critical: set[tuple[str, str]],
    sign: int,
) -> None:
    members: dict[str, list[OperationRow]] = defaultdict(list)
    for operation in group:
        if seen.counts(operation):
            members[operation.name].append(operation)
    for name, operations in members.items():
        used = [0] * 8
        for operation in operations:
            for step in seen.tries[operation.operation_id]:
                for at, value in enumerate(seen.used[step.span_id]):
                    used[at] += value
        self_ns = sum(step.self_ns for o in operations for step in seen.tries[o.operation_id])
        lengths = [max((o.end_ns or o.start_ns) - o.start_ns, 0) for o in operations]
        place = scope, name
        is_on_path = used[0] > 0 and place not in critical
        _add(
            deltas["rollup_step"],
            (*head, scope, node, name, operations[0].kind),
            sign,
            [
                len(operations),
                sum(o.first_try_ok for o in operations),
                sum(o.outcome != "failed" for o in operations),
                1,
                all(o.first_try_ok for o in operations),
                all(o.outcome != "failed" for o in operations),
                sum(o.attempts for o in operations),
                place not in met,
                self_ns,
                sum(lengths),
                sum(seen.wasted_ns(o) for o in operations),
                used[0],
                is_on_path,
                *used[1:],
            ],
        )
        met.add(place)
        if is_on_path:
            critical.add(place)
        for length in lengths:
            _add(deltas["rollup_latency"], (*head, scope, name, octave_8(length)), sign, [1])


def _add_edges(
    table: dict[Key, list[int]],
    seen: _Seen,
    key: Key,
    nodes: Sequence[str],
    groups: Sequence[Sequence[OperationRow]],
    way_out: str | None,
    sign: int,
) -> None:
    """What followed the start, and every node that went well."""
    source: str | None = None
    went_well = True
    for node, group in zip(nodes, groups, strict=True):
        if went_well:
            _add(table, (*key, source, node, None), sign, [1])
        source = node
        went_well = all(o.outcome != "failed" and seen.counts(o) for o in group)
    if went_well and way_out is not None:
        _add(table, (*key, source, None, way_out), sign, [1])


# ---- calls and failures ----------------------------------------------------------------------------------------------


def _add_call(table: dict[Key, list[int]], run: RunRow, operation: OperationRow, seen: _Seen, sign: int) -> None:
    if not seen.counts(operation):
        return
    tries = seen.tries[operation.operation_id]
    key = (
        operation.start_ns // BUCKET_NS * BUCKET_NS, run.workflow, run.workflow_version, run.environment,
        operation.chain_step, operation.name, operation.kind, operation.tool, operation.model,
        tries[0].provider if tries else None, operation.attempts,
    )  # fmt: skip
    tokens, nano = seen.wasted_use(operation)
    outcome = operation.outcome
    _add(table, key, sign, [1, outcome == "recovered", outcome == "failed", seen.wasted_ns(operation), tokens, nano])


def _add_failures(table: dict[Key, list[int]], failures: Iterable[FailureRow], head: Key, sign: int) -> None:
    met: set[Key] = set()
    for f in failures:
        if f.role == "root":
            key = (*head, f.step, f.code, f.layer_a, f.layer_b, f.certainty, f.severity, f.recovered, f.silent)
            _add(table, key, sign, [1, key not in met])
            met.add(key)
