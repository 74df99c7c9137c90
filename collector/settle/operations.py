"""Attempts put together to operations: what a parent asked for, and how often it was tried.

Evidence of a retry, strongest first: the span says which attempt it is (event); repeated siblings; the same agent
nested in itself; failed HTTP requests below one call; the client's own resend count. Without any, one try is all that
was made (single), or all that can be seen, because such a client may retry within one span (unseen). Overlapping spans,
other inputs and other visits of a graph node are never retries. Work done again after a check rejected it, or after it
failed and other steps ran, is a redo: an operation of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.dialects.checks import REJECTION, is_checking
from collector.settle.joins import Run
from collector.settle.spans import AGENT, CHAIN, EVALUATOR, GUARDRAIL, LLM, RETRIEVAL, TRANSPORT, WORKFLOW, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest

ASKS_AGAIN: Final = frozenset({"pydantic_ai"})
"""Frameworks whose agent calls the model again without a tool between only when it rejected the answer."""

Identity = tuple[str, str, str | None]


@dataclass(slots=True)
class Operation:
    """One logical piece of work and its tries."""

    attempts: list[int]
    """Steps, in order. The first names the operation."""
    evidence: str = "single"
    hidden: int = 0
    """Failed tries inside its attempts that are no steps of their own."""
    is_redo: bool = False
    """Does again what a check rejected, or what failed before other steps ran."""

    @property
    def tries(self) -> int:
        """All tries, hidden ones too."""
        return len(self.attempts) + self.hidden


def find_operations(
    spans: Spans, forest: Forest, run: Run, steps: Steps, faults: Mapping[int, str]
) -> tuple[list[Operation], dict[int, Operation]]:
    """The operations of a run in reading order, and the one of each step."""
    of_step: dict[int, Operation] = {}
    is_agent_run = run.root != NONE and spans.step_kind[run.root] == AGENT
    found = []
    for parent in (NONE, *steps.order):
        siblings = steps.children.get(parent, ())
        asks_again = is_agent_run if parent == NONE else spans.step_kind[parent] == AGENT
        found += _group(spans, steps, faults, parent, siblings, asks_again, of_step)
    for operation in found:
        _count_hidden(spans, forest, steps, faults, operation)
    place = {i: n for n, i in enumerate(steps.order)}
    return sorted(found, key=lambda operation: place[operation.attempts[0]]), of_step


def _group(
    spans: Spans,
    steps: Steps,
    faults: Mapping[int, str],
    parent: int,
    siblings: Sequence[int],
    asks_again: bool,
    of_step: dict[int, Operation],
) -> list[Operation]:
    """The operations that begin among steps with one parent; each step's operation is entered in `of_step`."""
    found: list[Operation] = []
    latest: dict[Identity, Operation] = {}
    previous = check = NONE
    for i in siblings:
        identity = (spans.step_kind[i], steps.name[i], spans.tool[i])
        operation = latest.get(identity)
        evidence = None
        if _is_nested_attempt(spans, steps, parent, i):
            operation, evidence = of_step[parent], "nested"
        elif operation is not None:
            evidence = _joins(spans, faults, operation.attempts[-1], i, previous, asks_again, parent in steps.roled)
        if operation is None or evidence is None:
            is_redo = operation is not None and _is_redo(spans, faults, operation.attempts[-1], i, previous, check)
            operation = Operation([i], is_redo=is_redo)
            found.append(operation)
        else:
            operation.attempts.append(i)
            operation.evidence = evidence
        of_step[i] = latest[identity] = operation
        previous = i
        if _rejects(spans, steps, faults, i):
            check = i
    return found


def _rejects(spans: Spans, steps: Steps, faults: Mapping[int, str], i: int) -> bool:
    """Whether a step is a check that said no. A node of a graph that reviews need not say so: going back tells."""
    kind = spans.step_kind[i]
    if spans.output_kind[i] == REJECTION:
        return True
    if kind in (GUARDRAIL, EVALUATOR):
        return i in faults
    return kind in (CHAIN, AGENT) and spans.visit_key[i] is not None and is_checking(steps.name[i])


def _is_redo(spans: Spans, faults: Mapping[int, str], last: int, i: int, previous: int, check: int) -> bool:
    """Whether a step does again what its like had done: a check between them said no, or the first had failed."""
    if not 0 < spans.end_ns[last] <= spans.start_ns[i]:
        return False
    if last in faults and previous != last:
        return True
    is_between = check > last and check != NONE and spans.start_ns[check] >= spans.end_ns[last]
    return is_between and spans.step_kind[i] in (CHAIN, AGENT, LLM) and not is_checking(spans.step_name[i])


def _is_nested_attempt(spans: Spans, steps: Steps, parent: int, i: int) -> bool:
    """An agent directly inside itself is its framework's retry (CrewAI)."""
    return (
        parent != NONE
        and spans.step_kind[i] == spans.step_kind[parent] == AGENT
        and spans.step_name[i] == spans.step_name[parent]
    )


def _joins(
    spans: Spans, faults: Mapping[int, str], last: int, i: int, previous: int, asks_again: bool, is_role: bool
) -> str | None:
    """The evidence that a step is another attempt at what the last one tried, or None."""
    attempt, before = spans.attempt[i], spans.attempt[last]
    is_numbered = before is not None or last in faults
    if attempt is not None and is_numbered and attempt > max(1, before or 0):
        return "event"
    is_over = 0 < spans.end_ns[last] <= spans.start_ns[i]
    is_same_visit = _equal_if_known(spans.visit_key, last, i)
    if not is_over or is_same_visit is False:
        return None
    is_next = previous == last or is_same_visit is True
    is_retry = last in faults and (_equal_if_known(spans.input_hash, last, i) is not False or is_same_visit is True)
    is_rejected = asks_again and spans.framework[i] in ASKS_AGAIN and _is_answer(spans, last)
    return "siblings" if is_role or (is_next and (is_retry or is_rejected)) else None


def _equal_if_known(column: Sequence[object], one: int, other: int) -> bool | None:
    return None if column[one] is None or column[other] is None else column[one] == column[other]


def _is_answer(spans: Spans, i: int) -> bool:
    return spans.step_kind[i] == LLM and spans.finish_reason[i] == "stop" and spans.output_kind[i] != "tool_calls"


def _count_hidden(spans: Spans, forest: Forest, steps: Steps, faults: Mapping[int, str], operation: Operation) -> None:
    for i in operation.attempts:
        if i not in forest.children and spans.resend_count[i] is None:
            continue
        tries, evidence = _hidden_tries(spans, forest, steps, i)
        is_last_try_itself = i in faults and evidence != "resend_count"
        hidden = tries - 1 if tries and is_last_try_itself else tries
        operation.hidden += hidden
        if hidden and operation.evidence == "single":
            operation.evidence = evidence
    said = spans.attempt[operation.attempts[-1]] or 0
    if said > operation.tries:
        operation.hidden += said - operation.tries
        operation.evidence = "event"
    elif operation.evidence == "single" and _may_hide(spans, forest, steps, operation.attempts[0]):
        operation.evidence = "unseen"


def _may_hide(spans: Spans, forest: Forest, steps: Steps, i: int) -> bool:
    """Whether more tries than one could hide in a span: its client retries by itself and only that span is seen."""
    kind = spans.step_kind[i]
    if kind == LLM:
        calls = (i, *steps.twins.get(i, ()))
        if any(spans.resend_count[t] is not None or spans.attempt[t] is not None for t in calls):
            return False
        below = (c for t in calls for c in forest.children.get(t, ()))
        return not any(spans.dialect[c] == "http" for c in below)
    if spans.dialect[i] == "n8n":
        return kind != WORKFLOW
    return kind == RETRIEVAL and spans.dialect[i] == "database"


def _hidden_tries(spans: Spans, forest: Forest, steps: Steps, i: int) -> tuple[int, str]:
    """How many failed tries lie inside one attempt, and what tells so."""
    same_call = (i, *steps.twins.get(i, ()))
    nested = sum(1 for t in same_call[1:] if spans.failed[t] and spans.attempt[t] is not None)
    if nested:
        return nested, "nested"
    http = max(sum(_failed_requests(spans, forest.children.get(t, ()))) for t in same_call)
    if http:
        return http, "http"
    return max(spans.resend_count[t] or 0 for t in same_call), "resend_count"


def _failed_requests(spans: Spans, below: Iterable[int]) -> Iterable[bool]:
    return (spans.failed[c] and spans.step_kind[c] == TRANSPORT and spans.dialect[c] == "http" for c in below)
