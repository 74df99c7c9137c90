"""What failed in a run: occurrences, which of them explain the others, and which were made good.

A fault is evidence on one span. A loud fault with another below it is propagated and points at it; what is left are
root occurrences. What they are called (codes, layers) is found elsewhere: see `naming`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from collector.dialects.errors import CANCELLED
from collector.settle.joins import Run
from collector.settle.operations import Operation
from collector.settle.spans import AGENT, CHAIN, LLM, RETRIEVAL, TOOL, TRANSPORT, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest

LOUD: Final = "loud"
IN_BAND: Final = "in_band"
CUT: Final = "cut"
EMPTY: Final = "empty"
TOLD: Final = "told"
RETRIED: Final = "retried"
INFERRED: Final = "inferred"
JUDGED: Final = "judged"

CUT_SHORT: Final = frozenset({"length", "content_filter", "model_context_window_exceeded", "malformed_function_call"})
"""Finish reasons of an answer that is not whole."""


WAY_OUT: Final = re.compile(
    r"fall[ _-]?back|escalat|hand[ _-]?over|human[ _-]?hand|(?:on|handle|handling)[ _-]?(?:error|failure)"
    r"|(?:error|failure)[ _-]?handle|degraded",
    re.IGNORECASE,
)
"""Names of steps that a workflow takes when another failed."""


@dataclass(slots=True)
class Failures:
    """The failures of one run, by span index."""

    faults: dict[int, str]
    """LOUD, IN_BAND, CUT, EMPTY; TOLD by a rule of the user; RETRIED: only that there was another try tells of it;
    INFERRED from a pattern; JUDGED by somebody outside."""
    cause: dict[int, int]
    """For each fault the root occurrence that explains it; its own index if it is one."""
    collateral: list[int]
    recovered: set[int]
    """Faults that a later try, or something else that ran, made good."""
    lost: set[int]
    """Steps with an unhandled failure in or below them."""
    retries: dict[int, Operation]
    """For each RETRIED fault the operation that was tried again."""


def find_faults(spans: Spans, members: Iterable[int]) -> dict[int, str]:
    """The spans of a run that carry evidence of a failure.

    HTTP requests do not count: they are evidence for the call they serve. Copies of one message (AutoGen sends a tool
    result to every agent) count once.
    """
    faults: dict[int, str] = {}
    messages: set[str] = set()
    answered = {spans.parent_span_id[i] for i in members if spans.step_kind[i] == AGENT and not spans.failed[i]}
    for i in members:
        kind = spans.step_kind[i]
        if spans.failed[i] or spans.in_band_error[i] is not None:
            fault = _fault(spans, i)
            if fault is None or (kind == TRANSPORT and spans.dialect[i] == "http"):
                continue
            if fault == IN_BAND and kind == TRANSPORT:
                text = spans.in_band_error[i] or ""
                if text in messages:
                    continue
                messages.add(text)
            if fault == IN_BAND and spans.span_id[i] in answered:
                continue  # the answer of the agent that the tool asked
            faults[i] = fault
        elif kind == LLM:
            finish = spans.finish_reason[i]
            if finish is not None and finish.lower() in CUT_SHORT:
                faults[i] = CUT
        elif kind == RETRIEVAL and spans.output_kind[i] == "empty":
            faults[i] = EMPTY
    return faults


def _fault(spans: Spans, i: int) -> str | None:
    if spans.failed[i] and not spans.interrupted[i] and not spans.collateral[i]:
        return LOUD
    return None if spans.in_band_error[i] is None else IN_BAND


def cancelled_run(spans: Spans, forest: Forest, run: Run, faults: Mapping[int, str]) -> dict[int, str]:
    """The faults of a run that was cancelled from outside: nothing in it failed, and it did not end well.

    The deepest cancelled span is where it stood; those above passed that on. All others stay collateral.
    """
    if run.root == NONE or LOUD in faults.values() or not _is_cancelled(spans, run.root):
        return {}
    depth: dict[int, int] = {}
    for i in run.members:
        depth[i] = depth.get(forest.parent[i], 0) + 1
    i = max((i for i in run.members if _is_cancelled(spans, i)), key=lambda i: (depth[i], i))
    found = {run.root: LOUD}
    while i != NONE:
        if _is_cancelled(spans, i):
            found[i] = LOUD
        i = forest.parent[i]
    return found


def _is_cancelled(spans: Spans, i: int) -> bool:
    return spans.failed[i] and spans.collateral[i] and spans.error_type[i] in CANCELLED


def step_faults(spans: Spans, steps: Steps, faults: Mapping[int, str]) -> dict[int, str]:
    """Faults of the steps: their own, that of a twin, or that of the turn of an agent (OpenAI Agents).

    Among model calls the outer span knows best how it ended.
    """
    found = {i: fault for i, fault in faults.items() if i in steps.depth}
    for i, fault in faults.items():
        is_turn = fault == LOUD and spans.step_kind[i] == TRANSPORT and spans.framework[i] == "openai_agents"
        if is_turn and steps.owner(i) != NONE:
            found.setdefault(steps.owner(i), fault)
    for step, twins in steps.twins.items():
        if spans.step_kind[step] != LLM:
            for twin in twins:
                if twin in faults:
                    found.setdefault(step, faults[twin])
        elif spans.finish_reason[step] is None and faults.get(twins[-1]) == CUT:
            found.setdefault(step, CUT)
    return found


def find_failures(
    spans: Spans,
    forest: Forest,
    run: Run,
    steps: Steps,
    faults: dict[int, str],
    of_steps: Mapping[int, str],
    operations: Sequence[Operation],
) -> Failures:
    """Root occurrences, what they explain, and what was recovered.

    Args:
        faults: of all spans (`find_faults`).
        of_steps: of steps (`step_faults`).
    """
    saved = _saved(spans, steps, of_steps, operations)
    cause = _causes(spans, forest, run.members, steps, faults, saved)
    cause |= _told_again(spans, cause)
    lost: set[int] = set()
    rescued: set[int] = set()
    tried_again = {i for i in faults if _is_inner_try(spans, steps, i, of_steps)}
    for i in {*cause.values()} - tried_again:
        _follow_up(steps, steps.owner(i), saved, lost, rescued)
    passed_on = [i for i in cause if cause[i] != i and i in steps.depth]
    for i in passed_on:
        _follow_up(steps, i, saved, lost, rescued)
    recovered = {i for i in faults if i in tried_again or steps.owner(i) in rescued}
    recovered -= {cause[i] for i in passed_on if i not in recovered}
    recovered |= {i for i in faults if spans.step_kind[i] == TRANSPORT and cause[i] in recovered}
    collateral = [i for i in run.members if spans.collateral[i] and i not in faults and spans.failed[i]]
    retries: dict[int, Operation] = {}
    for operation in operations:
        if operation.tries > 1 and not _has_fault(steps, operation, faults):
            first, last = operation.attempts[0], operation.attempts[-1]
            asker = steps.above[first] if steps.above[first] != NONE else run.root
            if cause.get(asker) == asker:  # whoever asked gave up: its own failure tells it
                lost.add(last)
            else:
                retries[first] = operation
    for i in retries:
        faults[i] = RETRIED
        cause[i] = i
        recovered.add(i)
    return Failures(faults, cause, collateral, recovered, lost, retries)


def _has_fault(steps: Steps, operation: Operation, faults: Mapping[int, str]) -> bool:
    return any(t in faults for i in operation.attempts for t in (i, *steps.twins.get(i, ())))


def _saved(spans: Spans, steps: Steps, of_steps: Mapping[int, str], operations: Sequence[Operation]) -> set[int]:
    """Steps whose failure no longer matters: a later attempt was good, the same agent later did it another way, or the
    workflow has a path for failures and took it."""
    saved: set[int] = set()
    later_good: set[tuple[object, ...]] = set()
    ways_out: set[int] = set()
    """Parents below which a way out ran well, later than what is looked at."""
    for operation in sorted(operations, key=lambda o: o.attempts[-1], reverse=True):
        last = operation.attempts[-1]
        purpose = _purpose(spans, steps, last)
        if last not in of_steps:
            saved.update(operation.attempts[:-1])
            later_good.add(purpose)
            if _is_way_out(steps.name[last]):
                ways_out.add(steps.above[last])
            continue
        may_be_made_good = of_steps[last] == LOUD or spans.step_kind[last] == TOOL
        if steps.above[last] in ways_out or (may_be_made_good and purpose in later_good):
            saved.update(operation.attempts)
    return saved


@lru_cache(maxsize=4_096)
def _is_way_out(name: str) -> bool:
    return WAY_OUT.search(name) is not None


def _purpose(spans: Spans, steps: Steps, i: int) -> tuple[object, ...]:
    """What a call serves: a tool by its name within the same agent or node; a model call only within the same one."""
    above = steps.above[i]
    scope = steps.name[above] if above != NONE else None
    if spans.step_kind[i] == TOOL:
        return TOOL, scope, spans.tool[i] or steps.name[i]
    if spans.step_kind[i] == LLM and above != NONE and spans.step_kind[above] in (AGENT, CHAIN):
        return LLM, above
    return (i,)


def _causes(
    spans: Spans,
    forest: Forest,
    members: Sequence[int],
    steps: Steps,
    faults: Mapping[int, str],
    saved: set[int],
) -> dict[int, int]:
    """For each fault its root occurrence. Faults rise through wrappers, not through steps that ended well."""
    cause: dict[int, int] = {}
    risen: dict[int, list[int]] = {}
    last: dict[int, int] = {}
    """For each span the last step right below it."""
    hidden: dict[int, int] = {}
    """For each span the last fault below a step in it that ended well."""
    for i in reversed(members):
        below = risen.pop(i, [])
        parent = forest.parent[i]
        step = i if i in steps.depth else last.get(i, NONE)
        last[parent] = max(step, last.get(parent, NONE))
        if i in faults:
            is_turn = spans.step_kind[i] == TRANSPORT and steps.owner(i) != i
            last_step = last.get(i, NONE) if is_turn else max(steps.children.get(steps.owner(i), ()), default=NONE)
            cause[i] = _cause(spans, steps, i, below, last_step, faults, cause, saved)
            told = hidden.get(i, NONE)
            if cause[i] == i and told != NONE and faults[i] == LOUD and _passes_on(spans, i, told):
                cause[i] = cause[told]
            below = [i]
        else:
            held = max(hidden.get(i, NONE), *below, NONE) if i in steps.depth else hidden.get(i, NONE)
            hidden[parent] = max(held, hidden.get(parent, NONE))
            if i in steps.depth:
                continue
        if below and parent != NONE:
            risen.setdefault(parent, []).extend(below)
    return cause


def _told_again(spans: Spans, cause: Mapping[int, int]) -> dict[int, int]:
    """For each message that a tool failed, the failure of that tool which it tells again (AutoGen)."""
    failed_tools: dict[str, int] = {}
    found = {}
    for i in sorted(cause):
        tool = spans.tool[i]
        if tool is None:
            continue
        if spans.step_kind[i] == TOOL:
            failed_tools[tool] = cause[i]
        elif spans.step_kind[i] == TRANSPORT and tool in failed_tools:
            found[i] = failed_tools[tool]
    return found


def _cause(
    spans: Spans,
    steps: Steps,
    i: int,
    below: Sequence[int],
    last_step: int,
    faults: Mapping[int, str],
    cause: Mapping[int, int],
    saved: set[int],
) -> int:
    if faults[i] == CUT:
        copies = [c for c in below if faults[c] == CUT and steps.owner(c) == steps.owner(i)]
        return cause[max(copies)] if copies else i
    own = steps.owner(i)
    open_faults = [c for c in below if steps.owner(c) not in saved or steps.owner(c) == own or _passes_on(spans, i, c)]
    loud = [c for c in open_faults if faults[c] == LOUD]
    if loud:
        return cause[max(loud)]
    if faults[i] == IN_BAND:
        return cause[max(open_faults)] if open_faults else i
    quiet = [c for c in open_faults if c == last_step or c not in steps.depth]
    return cause[max(quiet)] if quiet else i


def _passes_on(spans: Spans, above: int, below: int) -> bool:
    """Whether an error tells of the one below it: made good later or not, that is what it failed of."""
    said, told = spans.error_message[below], spans.error_message[above]
    return said is not None and told is not None and said in told


def _follow_up(steps: Steps, step: int, saved: set[int], lost: set[int], rescued: set[int]) -> None:
    """Marks the steps that a root occurrence reaches, up to the one whose operation made it good."""
    path = []
    while step != NONE and step not in lost and step not in rescued:
        path.append(step)
        if step in saved:
            break
        step = steps.above[step]
    is_rescued = step != NONE and (step in saved or step in rescued)
    (rescued if is_rescued else lost).update(path)


def shown_with(steps: Steps, operation_of: Mapping[int, Operation], primary: int) -> set[int]:
    """The steps of earlier tries at what failed for good in the primary failure; who sees it knows of them."""
    path: dict[int, None] = {}
    step = steps.owner(primary) if primary != NONE else NONE
    while step != NONE:
        path[step] = None
        step = steps.above[step]
    shown = {attempt for step in path for attempt in operation_of[step].attempts} - path.keys()
    if shown:
        for step in steps.order:
            if steps.above[step] in shown:
                shown.add(step)
    return shown


def _is_inner_try(spans: Spans, steps: Steps, i: int, of_steps: Mapping[int, str]) -> bool:
    """Whether a span is a failed try inside a model call that ended well."""
    owner = steps.owner(i)
    return owner not in (i, NONE) and spans.step_kind[owner] == LLM and owner not in of_steps
