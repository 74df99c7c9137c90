"""Which spans' own words settling has to read, and what it makes of them.

Hashes tell equal inputs and outputs apart from all others; that is enough for nearly everything, and reading content
costs more than all rules together. Words are read of the few calls that may repeat each other in other words, and of
all steps where the settings hold a contract.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from collector.settle.rules import Rules
from collector.settle.spans import NO_WORK, TOOL

MIN_CALLS: Final = 3
"""Fewer calls of one tool than this repeat nothing yet."""

MAX_CALLS: Final = 1_000
"""Calls of one tool in one trace whose words are read; the rest go by their hashes."""

LEAF_LIMIT: Final = 200
"""Values within one call's arguments that are looked at."""


def texts_wanted(batch: pa.Table, rules: Rules) -> list[tuple[str, str]]:
    """Trace and span id of the spans whose input and output words are wanted."""
    if rules.contracts:
        kinds = pa.array(sorted(NO_WORK), pa.string())
        spans = batch.filter(pc.invert(pc.is_in(batch.column("step_kind"), value_set=kinds)))
        return list(zip(spans.column("trace_id").to_pylist(), spans.column("span_id").to_pylist(), strict=True))
    calls = batch.filter(pc.equal(batch.column("step_kind"), TOOL))
    if calls.num_rows < MIN_CALLS:
        return []
    by_tool: dict[tuple[str, str], list[tuple[int | None, str]]] = {}
    columns = (calls.column(name).to_pylist() for name in ("trace_id", "tool", "input_hash", "span_id", "start_ns"))
    for trace, tool, said, span, _ in sorted(zip(*columns, strict=True), key=lambda call: (call[4], call[3])):
        if tool is not None and said is not None:
            by_tool.setdefault((trace, tool), []).append((said, span))
    wanted = []
    for (trace, _), said_by in by_tool.items():
        if len({said for said, _ in said_by}) >= MIN_CALLS:
            wanted += [(trace, span) for _, span in said_by[:MAX_CALLS]]
    return wanted


MIN_WORDS: Final = 3
"""Fewer words than this are a name, not a question."""

_WORD: Final = re.compile(r"[^\W_]+")


def question_of(text: str | None) -> list[str]:
    """The words of the longest value among a call's arguments: what it asks. Names of parameters say nothing."""
    if not text:
        return []
    try:
        value = orjson.loads(text)
    except ValueError:
        value = text
    return _WORD.findall(max(_leaves(value), key=len, default="").lower())


def asks_again(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two questions are one in other words: half of all their words are in both.

    The same words around one place that differs ask for something else: the next page, another city. So does the very
    same question with other arguments beside it.
    """
    if min(len(one), len(other)) < MIN_WORDS or _is_template(one, other):
        return False
    words, others = {*one}, {*other}
    return len(words & others) * 2 >= len(words | others)


def _is_template(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether both are the same but for one place, which each fills with words of its own; or just the same."""
    shorter = min(len(one), len(other))
    before = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    after = next((n for n in range(shorter - before) if one[-1 - n] != other[-1 - n]), shorter - before)
    fills, filled = one[before : len(one) - after], other[before : len(other) - after]
    return bool(fills) == bool(filled) and {*fills}.isdisjoint(filled)


def _leaves(value: Any) -> Iterator[str]:
    stack = [value]
    for _ in range(LEAF_LIMIT):
        if not stack:
            return
        value = stack.pop()
        if value.__class__ is dict:
            stack.extend(value.values())
        elif value.__class__ is list:
            stack.extend(value)
        elif value.__class__ is str:
            yield value
        elif value.__class__ in (int, float):
            yield str(value)
