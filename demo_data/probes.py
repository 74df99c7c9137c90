"""Every way that a code can go, in every dialect where it can: accuracy is measured with these.

They never strike the demo. A row of `_PROBED` says where, how, in which variants, and for which codes; `ways` counts
the ways that a fault goes which cannot be loud, recovered or silent at will.
"""

from collections.abc import Sequence
from typing import NamedTuple

from demo_data.faults import Fault, Shows, Variant

_LOUD, _RECOVERED, _SILENT, _LOOKALIKE = Variant.LOUD, Variant.RECOVERED, Variant.SILENT, Variant.LOOKALIKE
_ALL = (_LOUD, _RECOVERED, _SILENT)

GRAPHS = ("openinference", "openllmetry", "langsmith")
"""LangGraph with a span for each node."""
CHAINS = (*GRAPHS, "genai")
"""LangGraph in all its dialects."""
DESK = (*CHAINS, "openai_agents", "pydantic_ai")

MODEL = (
    "component.rate_limited", "component.unavailable", "component.timeout", "component.auth", "component.bad_request",
)  # fmt: skip
TOOL = ("tool.rate_limited", "tool.timeout", "tool.unavailable", "tool.auth", "tool.not_found", "tool.error")
ANSWERED = (*TOOL, "tool.input_unsupported", "handoff.tool_args_invalid", "routing.capability_denied")


class Probed(NamedTuple):
    """Codes that are played in the same way."""

    dialects: Sequence[str]
    """Dialects of the desk, or one workflow of the demo."""
    step: str
    shows: Shows
    variants: Sequence[Variant]
    codes: Sequence[str]
    ways: int = 1
    beside: tuple[str, ...] = ()


_PROBED: Sequence[Probed] = (
    # the desk, in every dialect that can
    Probed(
        DESK, "draft", Shows.MODEL_RAISES, _ALL,
        (*MODEL, "component.refused", "state.context_overflow", "state.invalid_history"),
    ),
    Probed(DESK, "draft", Shows.FINISH_LENGTH, _ALL, ("handoff.truncated",)),
    Probed(DESK, "draft", Shows.FINISH_FILTER, (_RECOVERED, _SILENT), ("component.refused",)),
    Probed(DESK, "work", Shows.TOOL_RAISES, _ALL, ANSWERED),
    Probed(DESK, "work", Shows.TOOL_ANSWERS_ERROR, (_RECOVERED, _SILENT), ANSWERED),
    Probed(DESK, "work", Shows.TOOL_ANSWERS_ERROR, (_SILENT,), ("tool.empty_result",)),
    Probed(CHAINS, "search", Shows.RETRIEVER_RAISES, (_LOUD,), ("tool.timeout", "tool.unavailable")),
    Probed(DESK, "search", Shows.EMPTY_RESULT, (_RECOVERED, _SILENT), ("tool.empty_result",)),
    Probed(
        GRAPHS, "send", Shows.STEP_RAISES, _ALL,
        ("state.missing", "state.concurrent_update", "state.checkpoint", "handoff.schema_invalid",
         "handoff.action_unparseable", "recovery.deadline", "recovery.retry_exhausted", "routing.loop_limit",
         "unclassified"),
    ),
    Probed(
        ("genai",), "send", Shows.STEP_RAISES, (_LOUD,),
        ("state.missing", "state.concurrent_update", "state.checkpoint", "handoff.schema_invalid",
         "handoff.action_unparseable", "recovery.deadline", "recovery.retry_exhausted", "routing.loop_limit",
         "unclassified"),
    ),
    Probed(
        ("openai_agents",), "send", Shows.STEP_RAISES, _ALL,
        ("handoff.action_unparseable", "recovery.retry_exhausted", "routing.loop_limit", "unclassified"),
    ),
    Probed(
        ("pydantic_ai",), "send", Shows.STEP_RAISES, _ALL,
        ("state.missing", "handoff.schema_invalid", "recovery.deadline", "recovery.retry_exhausted",
         "routing.loop_limit", "unclassified"),
    ),
    Probed((*CHAINS, "pydantic_ai"), "work", Shows.UNKNOWN_TOOL, (_SILENT,), ("routing.unknown_tool",), 2),
    Probed(DESK, "work", Shows.UNKNOWN_TOOL, (_LOUD,), ("routing.unknown_tool",)),
    Probed(GRAPHS, "draft", Shows.WRONG_ROUTE, (_LOUD,), ("routing.unknown_agent",)),
    Probed(DESK, "work", Shows.TOOL_ANSWERS_ERROR, (_RECOVERED, _SILENT), ("routing.unknown_agent",)),
    Probed(DESK, "work", Shows.BLIND_RETRY, (_SILENT,), ("tool.error", "tool.timeout"), 3, ("recovery.blind_retry",)),
    Probed(DESK, "work", Shows.REDUNDANT_STEP, (_SILENT,), ("state.redundant_step",), 3),
    Probed(DESK, "send", Shows.DUPLICATE_EFFECT, (_SILENT,), ("recovery.duplicate_effect",), 3),
    Probed((*CHAINS, "openai_agents"), "work", Shows.PING_PONG, (_SILENT,), ("routing.ping_pong",), 3),
    Probed(("genai",), "work", Shows.TOOLS_BYPASSED, (_SILENT,), ("routing.tools_bypassed",), 3),
    Probed(DESK, "check", Shows.FAIL_OPEN, (_SILENT,), ("recovery.fail_open",), 3),
    Probed(DESK, "draft", Shows.CONTRACT_MISSING, (_SILENT,), ("handoff.contract_missing",), 3),
    Probed(
        DESK, "", Shows.JUDGED, (_SILENT,),
        ("component.judged_quality", "judged.goal", "judged.route", "judged.state", "judged.handoff"), 3,
    ),
    # the demo's own workflows, in the dialects that only they write, and in theirs once more
    Probed(("refund_triage",), "ledger.query", Shows.TOOL_RAISES, _ALL, (*TOOL, *ANSWERED[-3:-1])),
    Probed(("refund_triage",), "synthesis", Shows.MODEL_RAISES, (_LOUD, _RECOVERED), (*MODEL, "state.invalid_history")),
    Probed(
        ("refund_triage",), "verification", Shows.STEP_RAISES, (_LOUD, _RECOVERED),
        ("handoff.schema_invalid", "handoff.action_unparseable"),
    ),
    Probed(
        ("refund_triage",), "delivery", Shows.STEP_RAISES, (_LOUD, _RECOVERED),
        ("state.missing", "state.concurrent_update", "state.checkpoint", "recovery.deadline"),
    ),
    Probed(("rag_answers",), "answer", Shows.MODEL_RAISES, (_LOUD, _RECOVERED), MODEL),
    Probed(("market_brief",), "researcher", Shows.MODEL_RAISES, (_LOUD,), (*MODEL, "state.context_overflow")),
    Probed(("ops_assistant",), "model", Shows.MODEL_RAISES, (_LOUD,), (*MODEL, "state.context_overflow")),
    Probed(
        ("ops_assistant",), "query_metrics", Shows.TOOL_RAISES, _ALL,
        ("tool.error", "tool.rate_limited", "tool.timeout", "handoff.tool_args_invalid"),
    ),
    Probed(("lead_enrichment",), "Find company", Shows.TOOL_RAISES, (_LOUD,), TOOL),
    Probed(("lead_enrichment",), "Score lead", Shows.MODEL_RAISES, (_LOUD,), MODEL[:4]),
    Probed(("claims_panel",), "assessor", Shows.MODEL_RAISES, (_LOUD,), MODEL),
    Probed(("claims_panel",), "assessor", Shows.UNDELIVERED, (_LOUD,), ("handoff.undelivered",), 3),
)  # fmt: skip

_LOOKING_ALIKE: Sequence[tuple[Sequence[str], str, Shows, int]] = (
    (DESK, "work", Shows.POLLING, 3),
    (DESK, "work", Shows.PAGINATION, 1),
    (GRAPHS, "work", Shows.HUMAN_INTERRUPT, 1),
    (DESK, "work", Shows.HANDLED_FALLBACK, 1),
    (DESK, "work", Shows.EMPTY_BUT_FINE, 3),
    (DESK, "draft", Shows.VERIFY_LOOP, 1),
    (DESK, "work", Shows.FAN_OUT, 3),
    (DESK, "work", Shows.MAP_OVER, 1),
    (DESK, "work", Shows.CANCELLED_SIBLINGS, 1),
    (DESK, "work", Shows.ERROR_LOG, 3),
    (DESK, "draft", Shows.TALKS_OF_ERRORS, 1),
    (DESK, "triage", Shows.USER_SAYS_ERROR, 1),
    (DESK, "work", Shows.SLOW_CALL, 1),
    (DESK, "work", Shows.STREAMING, 2),
    (DESK, "work", Shows.NO_TOOL_NEEDED, 1),
    (DESK, "work", Shows.OTHER_ARGUMENTS, 1),
)


def _workflow(dialect: str) -> str:
    return f"desk-{dialect}" if dialect in DESK else dialect


def _probe(workflow: str, row: Probed, code: str, variant: Variant, way: int) -> Fault:
    name = f"probe-{workflow}-{row.step}-{row.shows}-{code}-{variant}-{way}"
    return Fault(name, workflow, row.step, code, row.shows, variant, 0.0, way=way, beside=row.beside)


PROBES: Sequence[Fault] = tuple(
    _probe(_workflow(dialect), row, code, variant, way)
    for row in _PROBED
    for dialect in row.dialects
    for code in row.codes
    for variant in row.variants
    for way in range(row.ways)
)

LOOKALIKES: Sequence[Fault] = tuple(
    Fault(f"like-{shows}-{dialect}-{way}", _workflow(dialect), step, None, shows, _LOOKALIKE, 0.0, way=way)
    for dialects, step, shows, ways in _LOOKING_ALIKE
    for dialect in dialects
    for way in range(ways)
)
