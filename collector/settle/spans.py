"""The batch as settling reads it: one list per column, all in one canonical order."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from schemas.taxonomy import StepKind

NEVER_NS: Final = 2**64 - 1
"""End of a span that has not ended, for comparisons: later than every time."""

WORKFLOW: Final = StepKind.WORKFLOW.value
CHAIN: Final = StepKind.CHAIN.value
AGENT: Final = StepKind.AGENT.value
LLM: Final = StepKind.LLM.value
TOOL: Final = StepKind.TOOL.value
RETRIEVAL: Final = StepKind.RETRIEVAL.value
GUARDRAIL: Final = StepKind.GUARDRAIL.value
EVALUATOR: Final = StepKind.EVALUATOR.value
HANDOFF: Final = StepKind.HANDOFF.value
SETUP: Final = StepKind.SETUP.value
PROTOCOL: Final = StepKind.PROTOCOL.value
TRANSPORT: Final = StepKind.TRANSPORT.value

NO_WORK: Final = frozenset({SETUP, PROTOCOL, TRANSPORT})
"""Kinds that do no work for the user: a trace of nothing else holds no run."""


class Spans(NamedTuple):
    """Columns of `store.span` that settling needs; position i of every list is one span.

    Spans are sorted by start, end, trace and span id, so an index is also a place in time and the order in which
    spans arrived has no say in anything that follows.
    """

    trace_id: list[str]
    span_id: list[str]
    parent_span_id: list[str | None]
    flags: list[int]
    kind: list[int]
    start_ns: list[int]
    end_ns: list[int]
    status_code: list[int]
    resource_id: list[int]
    scope_id: list[int]
    dialect: list[str]
    framework: list[str | None]
    step_kind: list[str]
    step_name: list[str]
    workflow: list[str | None]
    workflow_version: list[str | None]
    agent: list[str | None]
    model: list[str | None]
    provider: list[str | None]
    tool: list[str | None]
    tools_offered: list[int | None]
    session_id: list[str | None]
    environment: list[str | None]
    service: list[str | None]
    input_hash: list[int | None]
    output_hash: list[int | None]
    output_kind: list[str | None]
    tokens_input: list[int | None]
    tokens_output: list[int | None]
    tokens_are_sum: list[bool]
    cost_usd: list[float | None]
    response_id: list[str | None]
    finish_reason: list[str | None]
    failed: list[bool]
    interrupted: list[bool]
    error_type: list[str | None]
    error_message: list[str | None]
    in_band_error: list[str | None]
    collateral: list[bool]
    resend_count: list[int | None]
    attempt: list[int | None]
    visit_key: list[str | None]
    run_key: list[str | None]
    gaps: list[int]
    """How many gaps, not which."""
    evaluations: list[str | None]
    received_ns: list[int]
    asked: list[list[str | None]]
    """Values of the attributes that rules ask for, in the order of `Rules.asked`; empty lists where none do."""
    input_text: list[str | None]
    """The beginning of the input, of the spans for which `texts_wanted` asks; None of all others."""
    output_text: list[str | None]
    """The end of the output, likewise."""
    stop_text: list[str | None]
    """The texts that end a model's answer and are not part of it, likewise; one JSON text."""


ASKED: Final = "asked"
TEXTS: Final = ("input_text", "output_text", "stop_text")
"""What a batch may hold beside what it must."""

SPAN_COLUMNS: Final = Spans._fields[: -1 - len(TEXTS)]
"""What a batch must hold."""


def read(batch: pa.Table) -> Spans:
    """The batch in canonical order.

    Args:
        batch: whole runs, each span once, in any order; SPAN_COLUMNS, ASKED where rules ask for attributes, and TEXTS.
    """
    start, end, trace, span = (batch.column(name).to_pylist() for name in ("start_ns", "end_ns", "trace_id", "span_id"))
    keys = [(s, e or NEVER_NS, t, i) for s, e, t, i in zip(start, end, trace, span, strict=True)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    there = {name: place for place, name in enumerate(batch.column_names)}
    columns = {name: _column(batch.column(there[name]), order, name) for name in SPAN_COLUMNS}
    asked = _column(batch.column(there[ASKED]), order, ASKED) if ASKED in there else [[]] * len(keys)
    texts: dict[str, list[Any]] = {
        name: _column(batch.column(there[name]), order, name) if name in there else [None] * len(keys) for name in TEXTS
    }
    return Spans(**columns, asked=asked, **texts)


def _column(column: pa.ChunkedArray, order: Sequence[int], name: str) -> list[Any]:
    if name == "gaps":
        if column.null_count == len(column):
            return [0] * len(column)
        column = pc.fill_null(pc.list_value_length(column), 0)
    elif column.null_count == len(column):
        return [None] * len(column)
    values: list[Any] = column.to_pylist()
    return list(map(values.__getitem__, order))
