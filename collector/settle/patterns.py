"""Failures that no single span tells of: patterns over the steps of a run (TAXONOMY, "inferred").

Each pattern gives steps and what to say of them. Polling, pagination, fan-out and redoing work with new results are
none of these: wherever results differ, or are not known to be equal, something new was learnt.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from collector.settle.joins import Run
from collector.settle.rules import Rules
from collector.settle.spans import AGENT, CHAIN, GUARDRAIL, HANDOFF, RETRIEVAL, TOOL, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE

PING_PONG_HANDOFFS: Final = 6
"""A to B and back, three times."""

WORK: Final = frozenset({TOOL, RETRIEVAL, AGENT, HANDOFF})
"""Kinds of step by which an agent does something other than ask a model."""

FINAL_TOOLS: Final = frozenset({"final_answer", "FinalAnswerTool", "final_result"})
"""Tools by which an agent ends its work."""


class Seen(NamedTuple):
    """A pattern at one step."""

    step: int
    code: str
    name: str
    """Tells the patterns of one code apart."""
    evidence: str


class Calls(NamedTuple):
    """What the patterns look at."""

    spans: Spans
    steps: Steps
    root: int
    """Of the run: a lone agent that is the run is no step."""
    of_steps: Mapping[int, str]
    """Steps that failed."""
    effects: frozenset[str]
    """Tools that have side effects."""
    of_agents: list[list[int]]
    """The tool calls of each agent, in order."""
    repeated: list[list[int]]
    """Calls of one tool with the same known arguments by the same agent: two or more, in order."""


def find_patterns(spans: Spans, run: Run, steps: Steps, of_steps: Mapping[int, str], rules: Rules) -> list[Seen]:
    """Everything inferred about a run, one finding per step and code."""
    of_agents = _calls_of_agents(spans, steps)
    repeated = [group for calls in of_agents for group in _repeated(spans, calls)]
    calls = Calls(spans, steps, run.root, of_steps, rules.effects, of_agents, repeated)
    return [seen for pattern in PATTERNS for seen in pattern(calls)]


def _calls_of_agents(spans: Spans, steps: Steps) -> list[list[int]]:
    agents: dict[int, int] = {NONE: NONE}
    calls: dict[int, list[int]] = {}
    for i in steps.order:
        agents[i] = i if spans.step_kind[i] == AGENT else agents[steps.above[i]]
        if spans.step_kind[i] == TOOL:
            calls.setdefault(agents[i], []).append(i)
    return [sorted(found) for found in calls.values()]


def _repeated(spans: Spans, calls: Sequence[int]) -> list[list[int]]:
    groups: dict[tuple[object, ...], list[int]] = {}
    for i in calls:
        if spans.input_hash[i] is not None:
            groups.setdefault((spans.tool[i], spans.input_hash[i]), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _blind_retries(calls: Calls) -> Iterator[Seen]:
    """Failed calls of one tool in a row, some with the arguments of an earlier one, and none of those good later.

    A series in which the arguments also varied counts as one: its last call is marked.
    """
    failed = calls.of_steps.keys()
    hopeless = {i: n for n, group in enumerate(calls.repeated) if failed >= {*group} for i in group}
    if not hopeless:
        return
    for of_agent in calls.of_agents:
        for _, run in itertools.groupby(of_agent, lambda i: (calls.spans.tool[i], i in failed)):
            series = list(run)
            again = [hopeless[i] for i in series if i in hopeless]
            if len(again) > len({*again}):
                evidence = f"{len(series)} failed calls in a row, the same arguments again among them"
                yield Seen(series[-1], "recovery.blind_retry", "same-arguments", evidence)


def _redundant_steps(calls: Calls) -> Iterator[Seen]:
    """The same call made again although its answer was known, and giving the same answer every time."""
    spans = calls.spans
    for group in calls.repeated:
        answers = {spans.output_hash[i] for i in group}
        is_sequence = all(0 < spans.end_ns[a] <= spans.start_ns[b] for a, b in itertools.pairwise(group))
        if len(answers) == 1 and None not in answers and is_sequence and calls.of_steps.keys().isdisjoint(group):
            evidence = f"{len(group)} calls with the same arguments and the same answer"
            yield Seen(group[-1], "state.redundant_step", "same-answer", evidence)


def _duplicate_effects(calls: Calls) -> Iterator[Seen]:
    """A tool that the settings call side-effecting, called twice with the same arguments, and both succeeded."""
    spans = calls.spans
    done: dict[tuple[object, ...], int] = {}
    for i in sorted(calls.steps.order):
        tool = spans.tool[i]
        if tool not in calls.effects or spans.step_kind[i] != TOOL or i in calls.of_steps:
            continue
        key = tool, spans.input_hash[i]
        if spans.input_hash[i] is not None and key in done:
            yield Seen(i, "recovery.duplicate_effect", "same-arguments", f"{tool} had succeeded with these arguments")
        done[key] = i


def _ping_pong(calls: Calls) -> Iterator[Seen]:
    """Control handed from one agent to another and straight back, three times, with no work done in between."""
    spans, steps = calls.spans, calls.steps
    path: list[int] = []
    turns: list[int] = []
    for i in sorted(steps.order):
        kind = spans.step_kind[i]
        if kind == HANDOFF:
            if len(path) > 1 and steps.name[i] != steps.name[path[-2]]:
                path, turns = path[-1:], []
            if path and steps.name[i] == steps.name[path[-1]]:
                path, turns = [], []
            path.append(i)
            if len(path) == PING_PONG_HANDOFFS and not _is_progress(spans, turns):
                pair = f"{steps.name[path[0]]} and {steps.name[path[1]]}"
                yield Seen(i, "routing.ping_pong", "handoffs", f"{pair} in turn, {len(path)} handoffs without work")
        elif kind in (TOOL, RETRIEVAL):
            path, turns = [], []
        elif kind in (AGENT, CHAIN):
            turns.append(i)


def _is_progress(spans: Spans, turns: Sequence[int]) -> bool:
    """Whether every turn said something new, as far as what they said is known."""
    said = [spans.output_hash[i] for i in turns if spans.output_hash[i] is not None]
    return len(said) > 1 and len({*said}) == len(said)


def _fail_open(calls: Calls) -> Iterator[Seen]:
    """A check that rejected the work, and steps beside it that went on and ended well with no passing check first."""
    spans, steps = calls.spans, calls.steps
    for siblings in steps.children.values():
        checks = {steps.name[i]: i for i in siblings if spans.step_kind[i] == GUARDRAIL}  # the last of each name
        rejected = [i for i in checks.values() if i in calls.of_steps and spans.end_ns[i]]
        if not rejected:
            continue
        check = min(rejected, key=lambda i: (spans.end_ns[i], i))
        went_on = (i for i in reversed(siblings) if spans.step_kind[i] != GUARDRAIL and i not in calls.of_steps)
        last = next(went_on, NONE)
        if last != NONE and spans.start_ns[last] >= spans.end_ns[check]:
            evidence = f"ran although {steps.name[check]} had rejected"
            yield Seen(last, "recovery.fail_open", "rejected-check", evidence)


def _bypassed_tools(calls: Calls) -> Iterator[Seen]:
    """An agent that has tools, called none, and delivered all the same. A suspicion: the task may need none."""
    spans, steps = calls.spans, calls.steps
    agents = steps.order if calls.root == NONE or calls.root in steps.depth else [calls.root, *steps.order]
    offering = [i for i in agents if spans.tools_offered[i]]
    if not offering:
        return
    busy = set()
    for i in reversed(steps.order):
        if i in busy or (spans.step_kind[i] in WORK and steps.name[i] not in FINAL_TOOLS):
            busy.add(steps.above[i])
    for i in offering:
        is_busy = (i if i in steps.depth else NONE) in busy
        if not is_busy and not spans.failed[i] and i not in calls.of_steps and spans.end_ns[i]:
            evidence = f"{spans.tools_offered[i]} tools offered, none called"
            yield Seen(i, "routing.tools_bypassed", "none-called", evidence)


PATTERNS: Final[tuple[Callable[[Calls], Iterator[Seen]], ...]] = (
    _blind_retries,
    _redundant_steps,
    _duplicate_effects,
    _ping_pong,
    _fail_open,
    _bypassed_tools,
)
