"""Tokens and money of a run: each model response counted once.

Counts sit on the innermost span that carries them: a span above repeats or sums them. Copies beside each other share a
response id. Messages that tell of a model's use (AutoGen) do so only where no model call is seen. Nothing is guessed:
where no span carries counts, the answer is None.
"""

from typing import NamedTuple

from collector.settle.joins import Run
from collector.settle.spans import LLM, TRANSPORT, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest


class Usage(NamedTuple):
    """What was used. None: nobody says."""

    tokens_input: int | None = None
    tokens_output: int | None = None
    cost_usd: float | None = None


NOTHING_SAID = Usage()


def count_usage(spans: Spans, forest: Forest, run: Run, steps: Steps) -> tuple[Usage, dict[int, Usage]]:
    """Usage of the run, and of each step that has its own."""
    counted_below: set[int] = set()
    responses: set[str] = set()
    total = NOTHING_SAID
    by_step: dict[int, Usage] = {}
    has_calls = any(spans.step_kind[i] == LLM and spans.tokens_input[i] is not None for i in run.members)
    for i in reversed(run.members):
        said = Usage(spans.tokens_input[i], spans.tokens_output[i], spans.cost_usd[i])
        if has_calls and spans.step_kind[i] == TRANSPORT:
            said = NOTHING_SAID
        is_counted = i in counted_below
        if not is_counted and said != NOTHING_SAID:
            is_counted = True
            response = spans.response_id[i]
            if response is None or response not in responses:
                if response is not None:
                    responses.add(response)
                total = _plus(total, said)
                owner = steps.owner(i)
                if owner != NONE:
                    by_step[owner] = _plus(by_step.get(owner, NOTHING_SAID), said)
        if is_counted:
            counted_below.add(forest.parent[i])
    return total, by_step


def _plus(one: Usage, other: Usage) -> Usage:
    return Usage(
        _sum(one.tokens_input, other.tokens_input),
        _sum(one.tokens_output, other.tokens_output),
        other.cost_usd if one.cost_usd is None else one.cost_usd + (other.cost_usd or 0.0),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
