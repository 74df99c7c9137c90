"""Which spans of a run are steps, what lies below what, and what the rest belongs to.

Wrappers are stripped: transport, messaging and protocol, the workflow's own spans, the lone agent at the root, and the
twins that double instrumentation makes. The first level that stays is depth 1, the chain a user drew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from collector.settle.joins import AMBIENT_DIALECTS, Run
from collector.settle.spans import (
    AGENT,
    CHAIN,
    LLM,
    NEVER_NS,
    PROTOCOL,
    RETRIEVAL,
    SETUP,
    TOOL,
    TRANSPORT,
    WORKFLOW,
    Spans,
)
from collector.settle.tree import NONE, Forest

TWIN_BY_NAME: Final = frozenset({TOOL, RETRIEVAL, PROTOCOL})
"""Kinds that never nest in themselves under one name: the inner span is the same call, seen by another layer."""


@dataclass(slots=True)
class Steps:
    """The steps of one run."""

    order: list[int]
    """Every step, parents first, siblings in canonical order."""
    above: dict[int, int]
    """For every member of the run: the nearest step above it, or NONE."""
    children: dict[int, list[int]]
    """Steps below a step; NONE holds depth 1."""
    twins: dict[int, list[int]]
    """Stripped spans that describe the same call as a step."""
    depth: dict[int, int]
    name: dict[int, str]
    chain: dict[int, int]
    """For every step: the depth-1 step it is or lies in."""
    roled: set[int] = field(default_factory=set)
    """Tasks that carry the name of the agent they were given to."""

    def owner(self, i: int) -> int:
        """The step that a member is or belongs to, or NONE."""
        return i if i in self.depth else self.above[i]


def find_steps(spans: Spans, forest: Forest, run: Run) -> Steps:
    """The steps of a run."""
    lone = {_lone_agent(spans, forest, run)} - {NONE}
    above: dict[int, int] = {}
    kept: set[int] = set()
    twins: dict[int, list[int]] = {}
    in_protocol_scope: set[int] = set()
    for i in run.members:
        parent = forest.parent[i]
        step = parent if parent in kept else above.get(parent, NONE)
        above[i] = step
        kind = spans.step_kind[i]
        if _closes_protocol(spans, i) or parent in in_protocol_scope:
            in_protocol_scope.add(i)
        if parent in lone and _is_twin(spans, i, parent):
            lone.add(i)
        if kind in (TRANSPORT, SETUP) or i in lone:
            continue
        if kind == WORKFLOW and step == NONE:
            continue
        if kind == PROTOCOL and parent in in_protocol_scope:
            continue
        if step != NONE and _is_twin(spans, i, step):
            twins.setdefault(step, []).append(i)
            continue
        kept.add(i)
    children: dict[int, list[int]] = {}
    for i in sorted(kept):
        children.setdefault(above[i], []).append(i)
    return _ordered(spans, above, children, twins)


def _lone_agent(spans: Spans, forest: Forest, run: Run) -> int:
    """The agent that is the run, or NONE: its root, or the only thing that a transport root carries.

    So is an agent of the workflow's own name that only puts other agents to work (ADK's sequences and loops).
    """
    i = above = run.root
    while i != NONE and (spans.step_kind[i] == TRANSPORT or (spans.step_kind[i] == WORKFLOW and i == run.root)):
        above, i = i, _only(_working(spans, forest, i))
    if i == NONE or spans.step_kind[i] != AGENT:
        return NONE
    if spans.step_kind[above] != WORKFLOW:
        return i
    kinds = {spans.step_kind[c] for c in _working(spans, forest, i)}
    return i if spans.step_name[i] == spans.step_name[above] and kinds == {AGENT} else NONE


def _working(spans: Spans, forest: Forest, i: int) -> list[int]:
    return [c for c in forest.children.get(i, ()) if spans.step_kind[c] not in (SETUP, PROTOCOL)]


def _only(found: Sequence[int]) -> int:
    return found[0] if len(found) == 1 else NONE


def _closes_protocol(spans: Spans, i: int) -> bool:
    """Below an agent, a step of a protocol, or a framework's workflow, protocol requests are no steps."""
    kind = spans.step_kind[i]
    return kind in (AGENT, PROTOCOL, TOOL) or (kind == WORKFLOW and spans.dialect[i] not in AMBIENT_DIALECTS)


def _is_twin(spans: Spans, i: int, step: int) -> bool:
    """Whether a span describes the same call as the step right above it."""
    kind = spans.step_kind[i]
    if kind != spans.step_kind[step]:
        return False
    if kind == LLM:
        return True
    same_name = (spans.tool[i] or spans.step_name[i]) == (spans.tool[step] or spans.step_name[step])
    return same_name and (kind in TWIN_BY_NAME or spans.scope_id[i] != spans.scope_id[step])


def _ordered(spans: Spans, above: dict[int, int], children: dict[int, list[int]], twins: dict[int, list[int]]) -> Steps:
    steps = Steps([], above, children, twins, {}, {}, {})
    stack = children.get(NONE, [])[::-1]
    while stack:
        i = stack.pop()
        step = above[i]
        steps.order.append(i)
        steps.depth[i] = 1 if step == NONE else steps.depth[step] + 1
        steps.chain[i] = i if step == NONE else steps.chain[step]
        below = children.get(i, ())
        role = _role(spans, i, below)
        if role is not None:
            steps.roled.add(i)
        steps.name[i] = role or spans.step_name[i]
        stack.extend(reversed(below))
    return steps


def _role(spans: Spans, i: int, below: Sequence[int]) -> str | None:
    """CrewAI names its task spans by the task's text; the step is known by the role of the agent that does it."""
    if spans.framework[i] != "crewai" or spans.step_kind[i] != CHAIN:
        return None
    return next((spans.step_name[c] for c in below if spans.step_kind[c] == AGENT), None)


def self_times(spans: Spans, steps: Steps) -> dict[int, int]:
    """For each step the ns that no step below it covers; 0 where it has not ended or its clock went back."""
    return {i: _uncovered(spans, i, steps.children.get(i, ())) for i in steps.order}


def _uncovered(spans: Spans, i: int, below: Sequence[int]) -> int:
    start, end = spans.start_ns[i], spans.end_ns[i]
    reached, covered = start, 0
    for child in below:
        child_end = min(spans.end_ns[child] or NEVER_NS, end)
        if child_end > reached:
            covered += child_end - max(spans.start_ns[child], reached)
            reached = child_end
    return max(end - start - max(covered, 0), 0)
