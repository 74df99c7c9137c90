"""One run's rows, from what the other modules found."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from collector.settle.critical import critical_times
from collector.settle.failures import Failures, cancelled_run, find_failures, find_faults, shown_with, step_faults
from collector.settle.joins import Run
from collector.settle.naming import (
    Finding,
    evidence_of,
    find_names,
    infer,
    issuer_of,
    model_calls,
    name_faults,
    set_aside,
    told_by_attributes,
)
from collector.settle.operations import Operation, find_operations
from collector.settle.outcome import decide, is_finished
from collector.settle.patterns import find_patterns
from collector.settle.recovery import SILENT_FAILURE, hiding_span, note_retries
from collector.settle.rows import FailureRow, OperationRow, RunRow, Settled, StepRow
from collector.settle.rules import NAMELESS, Rules
from collector.settle.spans import AGENT, LLM, TRANSPORT, WORKFLOW, Spans
from collector.settle.steps import Steps, find_steps, self_times
from collector.settle.tokens import NOTHING_SAID, Usage, count_usage
from collector.settle.tree import NONE, Forest
from collector.settle.verdicts import add_judged, judge, verdict_of_run, verdict_rows
from schemas.codes import BY_NAME, Certainty
from schemas.records import Evaluation
from schemas.taxonomy import FINISHED, Outcome, StepStatus
from schemas.version import RULE_VERSION

MOST_WORDS: Final = 8_192  # characters
ECHO: Final = Finding(NAMELESS, Certainty.OBSERVED, "")
"""How a collateral failure is named: not at all."""


def derive(
    spans: Spans,
    forest: Forest,
    run: Run,
    quiet_since_ns: int,
    rules: Rules,
    evaluations: Sequence[tuple[int, Evaluation]],
    settled: Settled,
) -> None:
    """Appends the rows of one run."""
    steps = find_steps(spans, forest, run)
    faults = find_faults(spans, run.members)
    faults |= told_by_attributes(spans, run.members, faults, rules)
    faults |= cancelled_run(spans, forest, run, faults)
    named = name_faults(spans, faults, rules)
    notes = set_aside(faults, named)
    of_steps = step_faults(spans, steps, faults)
    operations, operation_of = find_operations(spans, forest, run, steps, of_steps)
    failures = find_failures(spans, forest, run, steps, faults, of_steps, operations)
    failures.faults.update(notes)
    failures.cause.update({i: i for i in notes})
    findings = find_names(spans, forest, steps, failures, named, rules)
    infer(failures, findings, find_patterns(spans, run, steps, named, of_steps, rules), rules)
    total, usage = count_usage(spans, forest, run, steps)
    finished = is_finished(spans, forest, run, quiet_since_ns)
    outcome, primary = decide(spans, run, steps, failures, findings, finished)
    note_retries(steps, failures, findings, operation_of, outcome, primary)
    judgements = judge(spans, forest, run, steps, evaluations, rules.passing) if evaluations else []
    judged = add_judged(spans, run, judgements, failures, findings, rules)
    if judged != NONE and outcome in (Outcome.CLEAN, Outcome.RECOVERED):
        primary = judged
    settled.verdict.extend(verdict_rows(spans, run, judgements))
    at = _Places(spans, steps)
    shown = shown_with(steps, operation_of, primary)
    step_rows = _step_rows(spans, forest, run, steps, of_steps, operations, operation_of, usage)
    settled.step.extend(step_rows)
    settled.operation.extend(_operation_rows(spans, run, steps, operations, of_steps, failures))
    verdict = verdict_of_run(judgements)
    run_row = _run_row(spans, forest, run, steps, operations, total, outcome, verdict, primary, findings, at)
    run_row = run_row._replace(words=words_of(run_row, step_rows))
    settled.run.append(run_row)
    by_place = dict(zip(steps.order, step_rows, strict=True))
    settled.failure.extend(
        _failure_rows(spans, forest, run_row, by_place, steps, failures, findings, primary, shown, at, of_steps)
    )


class _Places:
    """Which depth-1 step a span belongs to, also where it lies in none."""

    def __init__(self, spans: Spans, steps: Steps) -> None:
        self._spans = spans
        self._steps = steps
        self._names = {steps.name[i] for i in steps.children.get(NONE, ())}

    def name_of(self, i: int) -> str:
        """What a span is called, as a step where it is one."""
        return self._steps.name.get(i) or self._spans.step_name[i]

    def step_of(self, i: int) -> str | None:
        """Name of the depth-1 step: the one the span lies in, or that of the agent it names. None: the run itself."""
        owner = self._steps.owner(i)
        if owner != NONE:
            return self._steps.name[self._steps.chain[owner]]
        agent = self._spans.agent[i]
        if agent in self._names:
            return agent
        if self._spans.step_kind[i] != TRANSPORT:
            return None
        depth_1 = self._steps.children.get(NONE, [])
        carried = bisect_right(depth_1, self._spans.end_ns[i], key=self._spans.start_ns.__getitem__)
        if carried and depth_1[carried - 1] > i:
            return self._steps.name[depth_1[carried - 1]]
        before = bisect_left(depth_1, i)
        return self._steps.name[depth_1[before - 1]] if before else None


def _step_rows(
    spans: Spans,
    forest: Forest,
    run: Run,
    steps: Steps,
    of_steps: Mapping[int, str],
    operations: Sequence[Operation],
    operation_of: Mapping[int, Operation],
    usage: Mapping[int, Usage],
) -> list[StepRow]:
    own_ns = self_times(spans, steps)
    critical_ns = critical_times(spans, steps, *_bounds(spans, run))
    visits = _visits(steps, operation_of)
    attempt_of = {i: n for operation in operations for n, i in enumerate(operation.attempts, 1)}
    rows = []
    for position, i in enumerate(steps.order):
        above = steps.above[i]
        chain = steps.chain[i]
        operation = operation_of[i]
        used = usage.get(i, NOTHING_SAID)
        told = _telling(spans, steps, i) if i in of_steps else i
        rows.append(
            StepRow(
                run.run_id,
                spans.trace_id[i],
                spans.span_id[i],
                spans.span_id[above] if above != NONE else None,
                steps.depth[i],
                position,
                spans.step_kind[i],
                steps.name[i],
                steps.name[chain],
                spans.agent[i],
                spans.model[i],
                spans.provider[i],
                spans.tool[i],
                spans.start_ns[i],
                spans.end_ns[i] or None,
                own_ns[i],
                _status(spans, i, of_steps),
                spans.error_type[told],
                spans.error_message[told],
                spans.in_band_error[told],
                used.tokens_input,
                used.tokens_output,
                used.cost_usd,
                visits[chain],
                attempt_of[i],
                spans.span_id[operation.attempts[0]],
                i in forest.orphans,
                RULE_VERSION,
                critical_ns.get(i, 0),
            )
        )
    return rows


def _bounds(spans: Spans, run: Run) -> tuple[int, int]:
    """When a run began and ended, as far as it has."""
    end = spans.end_ns[run.root] if run.root != NONE else max(spans.end_ns[i] for i in run.members)
    return min(spans.start_ns[i] for i in run.members), end


def _telling(spans: Spans, steps: Steps, i: int) -> int:
    """The span that says what went wrong in a step: itself, or a twin where only that one knows."""
    if spans.error_type[i] or spans.error_message[i] or spans.in_band_error[i] or spans.step_kind[i] == LLM:
        return i
    return next((t for t in steps.twins.get(i, ()) if spans.failed[t] or spans.in_band_error[t]), i)


def _status(spans: Spans, i: int, of_steps: Mapping[int, str]) -> StepStatus:
    if i in of_steps:
        return StepStatus.FAILED
    if spans.interrupted[i]:
        return StepStatus.PENDING
    if not spans.end_ns[i]:
        return StepStatus.OPEN
    return StepStatus.FAILED if spans.failed[i] else StepStatus.OK


def _visits(steps: Steps, operation_of: Mapping[int, Operation]) -> dict[int, int]:
    """Which visit of its name each depth-1 step is; attempts share one."""
    count: dict[str, int] = {}
    visits: dict[int, int] = {}
    for i in steps.children.get(NONE, ()):
        first = operation_of[i].attempts[0]
        if first == i:
            count[steps.name[i]] = count.get(steps.name[i], 0) + 1
        visits[i] = visits.get(first, count.get(steps.name[i], 1))
    return visits


def _operation_rows(
    spans: Spans,
    run: Run,
    steps: Steps,
    operations: Sequence[Operation],
    of_steps: Mapping[int, str],
    failures: Failures,
) -> list[OperationRow]:
    rows = []
    troubled: set[int] = set()
    for operation in reversed(operations):
        first, last = operation.attempts[0], operation.attempts[-1]
        if last in of_steps or last in failures.lost:
            outcome = "failed"
        else:
            outcome = "recovered" if operation.tries > 1 else "ok"
        first_try_ok = outcome == "ok" and troubled.isdisjoint(operation.attempts)
        above = steps.above[first]
        if not first_try_ok and above != NONE:
            troubled.add(above)
        end = max(spans.end_ns[i] for i in operation.attempts) if len(operation.attempts) > 1 else spans.end_ns[last]
        rows.append(
            OperationRow(
                run.run_id,
                spans.trace_id[first],
                spans.span_id[first],
                spans.span_id[above] if above != NONE else None,
                steps.depth[first],
                spans.step_kind[first],
                steps.name[first],
                steps.name[steps.chain[first]],
                spans.tool[first],
                spans.model[first],
                spans.start_ns[first],
                end if spans.end_ns[last] else None,
                outcome,
                first_try_ok,
                operation.tries,
                operation.evidence,
                RULE_VERSION,
                operation.is_redo,
            )
        )
    return rows[::-1]


def _failure_rows(
    spans: Spans,
    forest: Forest,
    run: RunRow,
    step_rows: Mapping[int, StepRow],
    steps: Steps,
    failures: Failures,
    findings: Mapping[int, Finding],
    primary: int,
    shown: Set[int],
    at: _Places,
    of_steps: Mapping[int, str],
) -> list[FailureRow]:
    models = model_calls(spans, steps) if findings else {}
    rows = []
    for i in sorted([*failures.faults, *failures.collateral]):
        root = failures.cause.get(i, NONE)
        role = "collateral" if root == NONE else "root" if root == i else "propagated"
        is_recovered = i in failures.recovered
        is_shown = run.outcome == Outcome.FAILED and (root == primary or (root != NONE and steps.owner(root) in shown))
        is_silent = run.outcome in FINISHED and root != NONE and not is_recovered and not is_shown
        found = findings.get(root, ECHO)
        issuer = issuer_of(spans, steps, models, root) if root != NONE else NONE
        rows.append(
            FailureRow(
                run.run_id,
                spans.trace_id[i],
                spans.span_id[i],
                spans.span_id[issuer] if issuer != NONE else None,
                spans.span_id[root] if role == "propagated" else None,
                at.step_of(i),
                found.named.code.code,
                found.named.code.layer_a,
                found.named.code.layer_b,
                found.certainty,
                found.named.code.severity,
                role,
                is_recovered,
                is_silent,
                found.trigger,
                [*found.named.contributing] if root == i else [],
                found.evidence if root == i else evidence_of(spans, failures, i),
                spans.error_type[i],
                max(spans.end_ns[i], spans.start_ns[i]),
                found.named.rule_id if root == i else None,
                RULE_VERSION,
                spans.scope_id[i],
                run.workflow,
                run.workflow_version,
                run.environment,
                run.start_ns,
                *_lost(step_rows.get(i)),
                last_of_run=False,
                last_of_code=False,
                last_of_step=False,
            )
        )
    hiding = hiding_span(spans, forest, failures, of_steps, primary) if run.outcome == Outcome.SILENT else NONE
    if hiding != NONE:
        hidden = _hidden(spans, hiding, primary, rows, findings[primary], at)
        kind, lost_ns = _lost(step_rows.get(hiding))
        rows.append(hidden._replace(kind=kind, lost_ns=lost_ns))
    return _marked(rows)


def _marked(rows: Sequence[FailureRow]) -> list[FailureRow]:
    """The rows of a run, in which one root occurrence stands for the run, one for each code and one for each step."""
    marked = [*rows]
    seen: set[tuple[str | None, ...]] = set()
    roots = (place for place, row in enumerate(rows) if row.role == "root")
    for place in sorted(roots, key=lambda place: (rows[place].at_ns, rows[place].span_id), reverse=True):
        row = rows[place]
        keys = (row.certainty,), (row.certainty, row.code), (row.certainty, row.step, row.layer_a, row.layer_b)
        of_run, of_code, of_step = (key not in seen for key in keys)
        marked[place] = row._replace(last_of_run=of_run, last_of_code=of_code, last_of_step=of_step)
        seen.update(keys)
    return marked


def _lost(step: StepRow | None) -> tuple[str | None, int | None]:
    """The kind of a step, and how long it took if it failed and ended."""
    if step is None:
        return None, None
    has_failed = step.status == StepStatus.FAILED or step.in_band_error is not None
    if step.end_ns is None or step.end_ns < step.start_ns or not has_failed:
        return step.kind, None
    return step.kind, step.end_ns - step.start_ns


def _hidden(
    spans: Spans, hiding: int, primary: int, rows: Sequence[FailureRow], found: Finding, at: _Places
) -> FailureRow:
    """The row that says which span ended well although the primary failure lies below it."""
    code = BY_NAME[SILENT_FAILURE]
    return next(row for row in rows if row.span_id == spans.span_id[primary])._replace(
        trace_id=spans.trace_id[hiding],
        span_id=spans.span_id[hiding],
        root_span_id=spans.span_id[primary],
        step=at.step_of(hiding),
        code=code.code,
        layer_a=code.layer_a,
        layer_b=code.layer_b,
        certainty=Certainty.INFERRED,
        severity=code.severity,
        role="propagated",
        trigger=found.named.code.code,
        contributing=[],
        evidence=f"ended well although {at.name_of(primary)} had failed",
        error_type=None,
        at_ns=max(spans.end_ns[hiding], spans.start_ns[hiding]),
        rule_id=f"{SILENT_FAILURE}/ended-well",
        scope_id=spans.scope_id[hiding],
    )


def _run_row(
    spans: Spans,
    forest: Forest,
    run: Run,
    steps: Steps,
    operations: Sequence[Operation],
    total: Usage,
    outcome: Outcome,
    verdict: str | None,
    primary: int,
    findings: Mapping[int, Finding],
    at: _Places,
) -> RunRow:
    members = run.members
    names = _Names(spans, run, steps)
    depth_1 = [operation.attempts[0] for operation in operations if steps.depth[operation.attempts[0]] == 1]
    start, end = _bounds(spans, run)
    code = findings[primary].named.code if primary != NONE else None
    return RunRow(
        run.run_id,
        spans.trace_id[run.base],
        spans.span_id[run.root] if run.root != NONE else None,
        list(dict.fromkeys(spans.trace_id[i] for i in sorted(members))),
        names.workflow(),
        names.first(spans.workflow_version),
        names.first(spans.service),
        names.first(spans.environment),
        names.first(spans.framework),
        names.first(spans.session_id),
        start,
        end if outcome != Outcome.OPEN else None,
        outcome,
        verdict,
        code and code.code,
        code and code.layer_a,
        code and code.layer_b,
        at.step_of(primary) if primary != NONE else None,
        spans.span_id[primary] if primary != NONE else None,
        [steps.name[i] for i in sorted(depth_1)],
        len(members),
        len(steps.order),
        len(operations),
        sum(operation.tries for operation in operations),
        sum(spans.status_code[i] == 2 for i in members),
        sum(i in forest.orphans for i in members),
        sum(spans.gaps[i] for i in members),
        total.tokens_input,
        total.tokens_output,
        total.cost_usd,
        max(spans.received_ns[i] for i in members),
        RULE_VERSION,
        None,
    )


def words_of(run: RunRow, steps: Iterable[StepRow]) -> str | None:
    """What a search looks through: workflow, failing step, names and errors of steps, in lower case; None: too much."""
    of_steps = dict.fromkeys(
        word for step in steps for word in (step.name, step.error_type, step.error_message, step.in_band_error)
    )
    words = dict.fromkeys(word.lower() for word in (run.workflow, run.failing_step, *of_steps) if word is not None)
    return "\n".join(words) if sum(len(word) + 1 for word in words) <= MOST_WORDS else None


class _Names:
    """What a run is called. Values that only some spans say are taken from the base of the run, then the earliest."""

    def __init__(self, spans: Spans, run: Run, steps: Steps) -> None:
        self._spans = spans
        self._run = run
        self._steps = steps
        self._order = [run.base, *sorted(run.members)]

    def first(self, column: Sequence[str | None]) -> str | None:
        """The first value of a column."""
        return next((column[i] for i in self._order if column[i] is not None), None)

    def workflow(self) -> str:
        """The workflow's name: its root's; under a transport root, that of the workflow inside; else the service's."""
        spans, steps = self._spans, self._steps
        for i in self._order:
            kind = spans.step_kind[i]
            if steps.owner(i) == NONE and kind in (WORKFLOW, AGENT):
                return spans.workflow[i] or (kind == AGENT and spans.agent[i]) or spans.step_name[i]
        return self.first(spans.workflow) or self.first(spans.service) or spans.step_name[self._run.base]
