"""Failures that no single span tells of: patterns over the steps of a run (TAXONOMY, "inferred").

Each pattern gives steps and what to say of them. Polling, pagination, fan-out and redoing work with new results are
none of these: wherever results differ, or are not known to be equal, something new was learnt.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Final, NamedTuple

import orjson

from collector.dialects.checks import REJECTION
from collector.settle.joins import Run
from collector.settle.rules import Named, Rules
from collector.settle.spans import AGENT, CHAIN, EVALUATOR, GUARDRAIL, HANDOFF, RETRIEVAL, TOOL, Spans
from collector.settle.steps import Steps
from collector.settle.texts import MIN_CALLS, asks_again, question_of
from collector.settle.tree import NONE

PING_PONG_HANDOFFS: Final = 6
"""A to B and back, three times."""

LOOP_TURNS: Final = 3
"""What runs a third time with nothing new is a loop."""

CHECKS: Final = frozenset({GUARDRAIL, EVALUATOR})

ANSWERS_REJECTION: Final = re.compile(
    r"refus|reject|declin|den(?:y|ied)|block|fallback|escalat|human|apolog|abort|safe|quarantin|revis|rewrit|redraft"
    r"|redo|correct|repair|fix|regenerat|retry",
    re.IGNORECASE,
)
"""Names of steps by which a workflow deals with a rejection: it is handled, not passed over."""

WORK: Final = frozenset({TOOL, RETRIEVAL, AGENT, HANDOFF})
"""Kinds of step by which an agent does something other than ask a model."""

FUTILE_CALLS: Final = frozenset({"routing.unknown_tool", "handoff.tool_args_invalid"})
"""Codes of what a model asked for and no tool did."""

FINAL_TOOLS: Final = frozenset({"final_answer", "FinalAnswerTool", "final_result"})
"""Tools by which an agent ends its work."""


class Seen(NamedTuple):
    """A pattern at one step."""

    step: int
    code: str
    name: str
    """Tells the patterns of one code apart."""
    evidence: str
    explains: tuple[int, ...] = ()
    """Other steps, whose failures are part of this one."""


class Calls(NamedTuple):
    """What the patterns look at."""

    spans: Spans
    steps: Steps
    root: int
    """Of the run: a lone agent that is the run is no step."""
    named: Mapping[int, Named]
    """What spans that failed say of it."""
    of_steps: Mapping[int, str]
    """Steps that failed."""
    rules: Rules
    of_agents: list[list[int]]
    """The tool calls of each agent, in order."""
    repeated: list[list[int]]
    """Calls of one tool with the same known arguments by the same agent: two or more, in order."""


def find_patterns(
    spans: Spans,
    run: Run,
    steps: Steps,
    named: Mapping[int, Named],
    of_steps: Mapping[int, str],
    rules: Rules,
) -> list[Seen]:
    """Everything inferred about a run, one finding per step and code."""
    of_agents = _calls_of_agents(spans, steps)
    repeated = [group for calls in of_agents for group in _repeated(spans, calls)]
    calls = Calls(spans, steps, run.root, named, of_steps, rules, of_agents, repeated)
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
        if (
            len(answers) == 1
            and None not in answers
            and _in_sequence(spans, group)
            and calls.of_steps.keys().isdisjoint(group)
        ):
            evidence = f"{len(group)} calls with the same arguments and the same answer"
            yield Seen(group[-1], "state.redundant_step", "same-answer", evidence)


def _similar_calls(calls: Calls) -> Iterator[Seen]:
    """Three or more calls of one tool in a row, each asking what the one before asked in other words."""
    spans = calls.spans
    for of_agent in calls.of_agents:
        for _, run in itertools.groupby(of_agent, lambda i: spans.tool[i]):
            series = list(run)
            if len(series) < MIN_CALLS or all(spans.input_text[i] is None for i in series):
                continue
            asked = {i: question_of(spans.input_text[i]) for i in series}
            alike = series[:1]
            for i in [*series[1:], NONE]:
                if i != NONE and asks_again(asked[alike[-1]], asked[i]):
                    alike.append(i)
                    continue
                if len(alike) >= MIN_CALLS:
                    evidence = f"{len(alike)} calls in a row that ask nearly the same"
                    yield Seen(alike[-1], "state.redundant_step", "similar-arguments", evidence)
                alike = [i]


def _duplicate_effects(calls: Calls) -> Iterator[Seen]:
    """A tool that the settings call side-effecting, called twice with the same arguments, and both succeeded."""
    spans = calls.spans
    done: dict[tuple[object, ...], int] = {}
    for i in sorted(calls.steps.order):
        tool = spans.tool[i]
        if tool not in calls.rules.effects or spans.step_kind[i] != TOOL or i in calls.of_steps:
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


def _turns_in_circles(calls: Calls) -> Iterator[Seen]:
    """Steps of a workflow that run again and again and say nothing new: one alone, or two in turn.

    Where outputs or inputs differ, or are not known, something may have been learnt.
    """
    spans, steps = calls.spans, calls.steps
    with_tools: set[int] = set()
    for i in reversed(steps.order):
        if i in with_tools or spans.step_kind[i] in (TOOL, RETRIEVAL):
            with_tools.add(steps.above[i])
    for siblings in steps.children.values():
        turns = [i for i in siblings if spans.step_kind[i] in (AGENT, CHAIN)]
        if len(turns) < LOOP_TURNS:
            continue
        for _, run in itertools.groupby(turns, lambda i: (steps.name[i], spans.input_hash[i], spans.output_hash[i])):
            same = list(run)
            last = same[-1]
            is_known = spans.input_hash[last] is not None and spans.output_hash[last] is not None
            if len(same) >= LOOP_TURNS and is_known and _in_sequence(spans, same):
                yield Seen(
                    last, "state.redundant_step", "loop", f"the same input and output {len(same)} times in a row"
                )
        yield from _circles_of_two(calls, turns, with_tools)


def _circles_of_two(calls: Calls, turns: Sequence[int], with_tools: Set[int]) -> Iterator[Seen]:
    spans, names = calls.spans, calls.steps.name
    path: list[int] = []
    for i in turns:
        is_idle = spans.output_hash[i] is not None and i not in with_tools and i not in calls.of_steps
        if len(path) > 1 and not (names[i] == names[path[-2]] and spans.output_hash[i] == spans.output_hash[path[-2]]):
            path = path[-1:]
        if not is_idle or (path and (names[i] == names[path[-1]] or spans.start_ns[i] < spans.end_ns[path[-1]])):
            path = []
        if is_idle:
            path.append(i)
        if len(path) == PING_PONG_HANDOFFS:
            pair = f"{names[path[0]]} and {names[path[1]]}"
            yield Seen(i, "routing.ping_pong", "turns", f"{pair} in turn, {len(path)} times without anything new")


def _in_sequence(spans: Spans, found: Sequence[int]) -> bool:
    return all(0 < spans.end_ns[a] <= spans.start_ns[b] for a, b in itertools.pairwise(found))


def _is_progress(spans: Spans, turns: Sequence[int]) -> bool:
    """Whether every turn said something new, as far as what they said is known."""
    said = [spans.output_hash[i] for i in turns if spans.output_hash[i] is not None]
    return len(said) > 1 and len({*said}) == len(said)


def _fail_open(calls: Calls) -> Iterator[Seen]:
    """A check that rejected the work, and steps beside it that went on and ended well with no passing check first."""
    spans, steps = calls.spans, calls.steps
    for siblings in steps.children.values():
        checks = {steps.name[i]: i for i in siblings if spans.step_kind[i] in CHECKS}  # the last of each name
        rejected = [i for i in checks.values() if _rejected(calls, i)]
        if not rejected:
            continue
        check = min(rejected, key=lambda i: (spans.end_ns[i], i))
        after = [i for i in siblings if spans.step_kind[i] not in CHECKS and spans.start_ns[i] >= spans.end_ns[check]]
        if any(ANSWERS_REJECTION.search(steps.name[i]) for i in after):
            continue
        last = next((i for i in reversed(after) if i not in calls.of_steps), NONE)
        if last != NONE:
            evidence = f"ran although {steps.name[check]} had rejected"
            said_no = tuple(i for i in siblings if spans.step_kind[i] == GUARDRAIL and i in calls.of_steps)
            yield Seen(last, "recovery.fail_open", "rejected-check", evidence, said_no)


def _rejected(calls: Calls, i: int) -> bool:
    """Whether a check did not pass: it said no, by its status or its answer, or it could not be made."""
    spans = calls.spans
    if not spans.end_ns[i]:
        return False
    return spans.output_kind[i] == REJECTION or i in calls.of_steps


def _bypassed_tools(calls: Calls) -> Iterator[Seen]:
    """An agent that has tools, called none, and delivered all the same. A suspicion: the task may need none.

    A call that came to nothing was one all the same, and has no span of its own in most frameworks.
    """
    spans, steps = calls.spans, calls.steps
    agents = steps.order if calls.root == NONE or calls.root in steps.depth else [calls.root, *steps.order]
    offering = [i for i in agents if spans.tools_offered[i]]
    if not offering:
        return
    busy = set()
    for i in reversed(steps.order):
        if i in busy or (spans.step_kind[i] in WORK and steps.name[i] not in FINAL_TOOLS):
            busy.add(steps.above[i])
    for fault in (i for i, named in calls.named.items() if named.code.code in FUTILE_CALLS):
        step = steps.owner(fault)
        while step not in busy:
            busy.add(step)
            step = steps.above.get(step, NONE)
    for i in offering:
        is_busy = (i if i in steps.depth else NONE) in busy
        if not is_busy and not spans.failed[i] and i not in calls.of_steps and spans.end_ns[i]:
            evidence = f"{spans.tools_offered[i]} tools offered, none called"
            yield Seen(i, "routing.tools_bypassed", "none-called", evidence)


def _missing_contracts(calls: Calls) -> Iterator[Seen]:
    """A step whose input asked for something that the settings say must follow, and whose output does not have it."""
    spans, steps = calls.spans, calls.steps
    for contract in calls.rules.contracts:
        for i in steps.order:
            asked, answered = spans.input_text[i], spans.output_text[i]
            if asked is None or answered is None or i in calls.of_steps or not spans.end_ns[i]:
                continue
            if contract.step is not None and not contract.step.match(steps.name[i]):
                continue
            ends = ("", *_stops(spans.stop_text[i]))
            if contract.asks.search(asked) and not any(contract.needs.search(answered + end) for end in ends):
                yield Seen(i, "handoff.contract_missing", "contract", f"the output lacks: {contract.name}")


def _stops(text: str | None) -> Iterator[str]:
    """Stop sequences, from a JSON list, or from a JSON object of call parameters that has one."""
    try:
        value = orjson.loads(text or "null")
    except ValueError:
        return
    if isinstance(value, dict):
        value = value.get("stop", value.get("stop_sequences", value.get("stop_sequence")))
    for stop in value if isinstance(value, list) else (value,):
        if isinstance(stop, str):
            yield stop


PATTERNS: Final[tuple[Callable[[Calls], Iterator[Seen]], ...]] = (
    _blind_retries,
    _duplicate_effects,  # before redundant steps: an effect made twice decides the run, whatever it answered
    _redundant_steps,
    _similar_calls,
    _ping_pong,
    _turns_in_circles,
    _fail_open,
    _bypassed_tools,
    _missing_contracts,
)
