"""What each fault is called, from the words on its own span, and what a root occurrence is called in the end.

A root occurrence is mostly called what its span says. Where that says nothing, the span above that passed the error on
may know more; and where a framework says that it gave up retrying, that is the failure and its cause the trigger.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from collector.settle.failures import CUT, EMPTY, IN_BAND, INFERRED, LOUD, RETRIED, TOLD, Failures
from collector.settle.operations import Operation
from collector.settle.patterns import Seen
from collector.settle.rules import NAMELESS, Named, Rules, Said, Where
from collector.settle.spans import AGENT, CHAIN, HANDOFF, LLM, PROTOCOL, RETRIEVAL, TOOL, TRANSPORT, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest
from schemas.codes import Certainty, Severity

BESIDE_LIMIT: Final = 100
"""Model calls beside a failure that are looked at, the latest first."""

EVIDENCE_CHARS: Final = 500
CLIMB_LIMIT: Final = 50
"""Levels above a failure among which the model call is looked for that led to it."""

PLACES: Final = {
    LLM: Where.LLM,
    AGENT: Where.AGENT,
    TOOL: Where.TOOL,
    RETRIEVAL: Where.TOOL,
    HANDOFF: Where.TOOL,
    PROTOCOL: Where.REQUEST,
}
"""Kinds of span to places that rules know; the rest are nodes."""

CALLS_IN_STEPS: Final = frozenset(
    {"AgentExecutionError", "AgentToolCallError", "AgentToolExecutionError", "NodeApiError"}
)
"""By these smolagents and n8n say that a call of a step failed that has no span of its own."""

NOTHING_FOUND: Final = "no documents found"
"""What a look-up that gave nothing back is taken to say."""

GAVE_UP: Final = "recovery.retry_exhausted"

BY_PATTERN: Final = frozenset({"siblings", "nested"})
"""Evidence of a retry that is a pattern over spans; else the runtime says so."""


@dataclass(slots=True)
class Finding:
    """One root occurrence, named."""

    named: Named
    certainty: Certainty
    evidence: str
    trigger: str | None = None

    def add(self, code: str) -> None:
        """Another code contributes, if it does not already."""
        if code != self.named.code.code and code not in self.named.contributing:
            self.named = self.named._replace(contributing=(*self.named.contributing, code))

    def may_pass(self) -> bool:
        """Whether another try may well succeed. A used-up quota reads as rate limited and does not pass."""
        return self.named.code.retryable and "component.auth" not in self.named.contributing


def name_faults(spans: Spans, faults: Mapping[int, str], rules: Rules) -> dict[int, Named]:
    """What each fault is called from its own words."""
    return {i: rules.name(_said(spans, i, fault)) for i, fault in faults.items()}


def told_by_attributes(spans: Spans, members: Iterable[int], faults: Mapping[int, str], rules: Rules) -> dict[int, str]:
    """The spans that claim success and of which rules of the user say that they failed."""
    if not rules.asked:
        return {}
    return {i: TOLD for i in members if i not in faults and rules.tells_failure(_said(spans, i, TOLD))}


def set_aside(faults: dict[int, str], named: Mapping[int, Named]) -> dict[int, str]:
    """Takes out the faults of low severity that no status confirms: they are shown and decide nothing."""
    notes = [i for i, fault in faults.items() if fault != LOUD and named[i].code.severity == Severity.LOW]
    return {i: faults.pop(i) for i in notes}


def _said(spans: Spans, i: int, fault: str) -> Said:
    asked = tuple(spans.asked[i])
    if fault == EMPTY:
        return Said(Where.TOOL, NOTHING_FOUND, asked=asked)
    if fault == IN_BAND:
        return Said(Where.TOOL, _words(spans.error_type[i], spans.in_band_error[i]), asked=asked)
    finish = spans.finish_reason[i] or ""
    place = PLACES.get(spans.step_kind[i], Where.NODE)
    if place != Where.LLM and spans.error_type[i] in CALLS_IN_STEPS:
        place = Where.TOOL
    said = "" if fault in (CUT, TOLD) else _words(spans.error_type[i], spans.error_message[i])
    return Said(place, said, finish, asked)


def _words(kind: str | None, message: str | None) -> str:
    return ": ".join(part for part in (kind, message) if part)


def evidence_of(spans: Spans, failures: Failures, i: int) -> str:
    """The text a failure rests on, shortened; hostile like all span text."""
    fault = failures.faults.get(i, LOUD)
    if fault == RETRIED:
        return f"tried {failures.retries[i].tries} times ({failures.retries[i].evidence})"
    if fault == CUT:
        return f"finish reason {spans.finish_reason[i]}"
    if fault == TOLD:
        return "; ".join(value for value in spans.asked[i] if value)[:EVIDENCE_CHARS]
    return _said(spans, i, fault).text[:EVIDENCE_CHARS] or "status ERROR"


def find_names(
    spans: Spans, forest: Forest, steps: Steps, failures: Failures, named: Mapping[int, Named], rules: Rules
) -> dict[int, Finding]:
    """The name of each root occurrence."""
    echoes: dict[int, list[int]] = {}
    for i, root in failures.cause.items():
        if i != root:
            echoes.setdefault(root, []).append(i)
    findings = {}
    for i in {*failures.cause.values()}:
        fault = failures.faults[i]
        if fault == RETRIED:
            findings[i] = _name_retry(spans, forest, steps, failures, i, rules)
            continue
        certainty = Certainty.INFERRED if fault == TOLD else Certainty.OBSERVED
        found = Finding(named[i], certainty, evidence_of(spans, failures, i))
        if _is_router_error(spans, steps, i, found.named):
            others = (found.named.code.code, *found.named.contributing)
            target = rules.code("routing.unknown_agent")
            found.named = Named(target, "routing.unknown_agent/after-router", others)
            found.certainty = Certainty.INFERRED
        if i in echoes:
            _hear_echoes(spans, failures, i, sorted(echoes[i], reverse=True), named, found)
        if found.named.code.code == GAVE_UP and found.trigger is None:
            found.trigger = next(iter(found.named.contributing), None)
        findings[i] = found
    return findings


def _hear_echoes(
    spans: Spans, failures: Failures, i: int, echoes: Iterable[int], named: Mapping[int, Named], found: Finding
) -> None:
    """Takes what spans above say, nearest first, where the root occurrence says nothing or a framework gave up."""
    own = _said(spans, i, failures.faults[i]).text
    is_vague = named[i] is NAMELESS or (named[i].is_last_resort and not spans.error_message[i])
    for echo in echoes:
        above = named[echo]
        if above is NAMELESS or failures.faults[echo] != LOUD:
            continue
        if above.code.code == GAVE_UP:
            if found.named.code.code != GAVE_UP:
                first = found.named.code.code
                others = dict.fromkeys((first, *found.named.contributing, *above.contributing))
                found.named, found.trigger = above._replace(contributing=tuple(others)), first
                found.evidence = evidence_of(spans, failures, echo)
            return
        if is_vague and (not own or own not in _said(spans, echo, LOUD).text):
            found.named, found.evidence = above, evidence_of(spans, failures, echo)
            is_vague = False


def _is_router_error(spans: Spans, steps: Steps, i: int, named: Named) -> bool:
    """Whether a graph node failed on the answer of its router: a key that is no edge.

    LangGraph runs a node's router as the last child of the node, after its body; a body that fails has no router.
    """
    if named.code.code != "state.missing" or spans.visit_key[i] is None or spans.error_type[i] != "KeyError":
        return False
    last = max(steps.children.get(i, ()), default=NONE)
    return last != NONE and spans.step_kind[last] == CHAIN and last not in steps.children and not spans.failed[last]


def _name_retry(spans: Spans, forest: Forest, steps: Steps, failures: Failures, i: int, rules: Rules) -> Finding:
    """What was wrong with a first try that only shows by there being another: the failed request below it, if any."""
    operation: Operation = failures.retries[i]
    certainty = Certainty.INFERRED if operation.evidence in BY_PATTERN else Certainty.OBSERVED
    evidence = evidence_of(spans, failures, i)
    if operation.evidence == "siblings":
        asked_again = Named(rules.code("handoff.schema_invalid"), "handoff.schema_invalid/asked-again")
        return Finding(asked_again, certainty, evidence)
    place = PLACES.get(spans.step_kind[i], Where.NODE)
    told = _words(spans.error_type[i], spans.error_message[i])
    if told:
        return Finding(rules.name(Said(place, told)), certainty, f"{evidence}: {told}"[:EVIDENCE_CHARS])
    for call in (i, *steps.twins.get(i, ())):
        for below in forest.children.get(call, ()):
            if spans.failed[below] and spans.step_kind[below] == TRANSPORT:
                said = _words(spans.error_type[below], spans.error_message[below])
                return Finding(rules.name(Said(place, said)), certainty, f"{evidence}: {said}"[:EVIDENCE_CHARS])
    return Finding(NAMELESS, certainty, evidence)


def infer(failures: Failures, findings: dict[int, Finding], patterns: Iterable[Seen], rules: Rules) -> None:
    """Adds what patterns tell: to the failure of the same step where it has one, else as an occurrence of its own."""
    for seen in patterns:
        root = failures.cause.get(seen.step)
        if root is not None:
            findings[root].add(seen.code)
            continue
        failures.faults[seen.step] = INFERRED
        failures.cause[seen.step] = seen.step
        named = Named(rules.code(seen.code), f"{seen.code}/{seen.name}")
        findings[seen.step] = Finding(named, Certainty.INFERRED, seen.evidence)
        if seen.explains:
            _explain(failures, findings, seen)


def _explain(failures: Failures, findings: dict[int, Finding], seen: Seen) -> None:
    """Makes the failures of steps part of what a pattern tells: a check that says no has not failed by that."""
    for part in seen.explains:
        own = failures.cause.get(part)
        if own is not None and own in findings and own != seen.step:
            failures.cause.update({i: seen.step for i, root in failures.cause.items() if root == own})
            findings[seen.step].add(findings.pop(own).named.code.code)


def issuer_of(spans: Spans, steps: Steps, models: Mapping[int, list[int]], i: int) -> int:
    """The model call that produced what failed, or NONE.

    The span itself; else its last model call below; else the last one beside it that ended before; else climb.

    Args:
        spans: the spans.
        steps: the steps of the run.
        models: for each step the model calls right below it, in order (`model_calls`).
        i: the span that failed.
    """
    if spans.step_kind[i] == LLM:
        return i
    step = steps.owner(i)
    below = models.get(step)
    if below:
        return below[-1]
    for _ in range(CLIMB_LIMIT):
        if step == NONE:
            break
        above = steps.above[step]
        calls = models.get(above, [])
        at = bisect_left(calls, step)
        before = reversed(calls[max(at - BESIDE_LIMIT, 0) : at])
        found = next((m for m in before if spans.end_ns[m] <= spans.start_ns[step]), NONE)
        if found != NONE:
            return found
        step = above
    return NONE


def model_calls(spans: Spans, steps: Steps) -> dict[int, list[int]]:
    """For each step, and for the run (NONE), the model calls right below it."""
    calls: dict[int, list[int]] = {}
    for i in steps.order:
        if spans.step_kind[i] == LLM:
            calls.setdefault(steps.above[i], []).append(i)
    return calls
