"""What goes wrong in the demo's workflows, one fault a row, with the truth that accuracy is measured against.

To add a fault: add a row with a `shows` the workflow already plays at that step. `ERROR_TEXTS` in `errors.py` holds
what each dialect writes for each code. A run carries at most one fault, so its label is unambiguous.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import NamedTuple

from schemas.codes import BY_NAME, CODES, Severity
from schemas.taxonomy import LayerA, LayerB, Outcome


class Variant(StrEnum):
    """What became of a fault."""

    LOUD = "loud"
    """It ended the run and the root says so."""
    RECOVERED = "recovered"
    """A later try or a fallback made it good."""
    SILENT = "silent"
    """The run went on and nothing at the top says so."""
    LOOKALIKE = "lookalike"
    """Not a fault: it only looks like one, and must not be reported."""
    NONE = "none"
    """Nothing was injected."""


class Shows(StrEnum):
    """How a fault shows at its step; a workflow's script plays it."""

    NOTHING = "nothing"
    MODEL_RAISES = "model_raises"
    TOOL_RAISES = "tool_raises"
    RETRIEVER_RAISES = "retriever_raises"
    STEP_RAISES = "step_raises"
    """The step's own code fails on what it was handed, after its model call went well."""
    TOOL_ANSWERS_ERROR = "tool_answers_error"
    """The tool reports the error inside an answer whose span claims success."""
    FINISH_LENGTH = "finish_length"
    FINISH_FILTER = "finish_filter"
    EMPTY_RESULT = "empty_result"
    WRONG_ROUTE = "wrong_route"
    UNKNOWN_TOOL = "unknown_tool"
    LOOP_LIMIT = "loop_limit"
    VALIDATION_RETRIES = "validation_retries"
    """The framework asks again until its retries are used up."""
    FALLBACK_MODEL = "fallback_model"
    SLOW_RETRY = "slow_retry"
    """The client retries inside one span; only the duration shows it."""
    BLIND_RETRY = "blind_retry"
    """The agent makes the same failing call again."""
    REDUNDANT_STEP = "redundant_step"
    DUPLICATE_EFFECT = "duplicate_effect"
    PING_PONG = "ping_pong"
    TOOLS_BYPASSED = "tools_bypassed"
    FAIL_OPEN = "fail_open"
    """A check rejects, and the work goes out."""
    CONTRACT_MISSING = "contract_missing"
    """An answer lacks what the user's own rule asks for."""
    UNDELIVERED = "undelivered"
    JUDGED = "judged"
    """Only an evaluator says that it was wrong."""
    VERIFY_LOOP = "verify_loop"
    POLLING = "polling"
    PAGINATION = "pagination"
    HUMAN_INTERRUPT = "human_interrupt"
    HANDLED_FALLBACK = "handled_fallback"
    """The workflow's own path for an expected miss; no error anywhere."""
    EMPTY_BUT_FINE = "empty_but_fine"
    OTHER_ARGUMENTS = "other_arguments"
    MAP_OVER = "map_over"
    FAN_OUT = "fan_out"
    CANCELLED_SIBLINGS = "cancelled_siblings"
    """The first of several answers wins and the others are called off."""
    ERROR_LOG = "error_log"
    """A tool whose answers are about errors."""
    TALKS_OF_ERRORS = "talks_of_errors"
    USER_SAYS_ERROR = "user_says_error"
    SLOW_CALL = "slow_call"
    STREAMING = "streaming"
    NO_TOOL_NEEDED = "no_tool_needed"


LAYERS: dict[str, tuple[LayerA, LayerB]] = {code.code: (code.layer_a, code.layer_b) for code in CODES}
"""Code to its layer through each lens."""

LOW_SEVERITY = frozenset(code.code for code in CODES if code.severity is Severity.LOW)
"""Codes that never decide a run's outcome."""

BY_PATTERN = frozenset(
    {Shows.REDUNDANT_STEP, Shows.DUPLICATE_EFFECT, Shows.PING_PONG, Shows.TOOLS_BYPASSED, Shows.JUDGED}
)
"""What no span says has failed, so that no span above it hides anything."""


class Fault(NamedTuple):
    """One kind of fault at one step of one workflow."""

    name: str
    workflow: str
    step: str
    """Empty: the run itself fails, no step does."""
    code: str | None
    """None: a look-alike."""
    shows: Shows
    variant: Variant
    share: float
    """Of the workflow's runs, while `since` holds."""
    since: str = ""
    """The workflow version that brought it; empty: always there."""
    way: int = 0
    """Which of the ways its show can go, where there are several."""
    beside: tuple[str, ...] = ()
    """Codes to be told beside its own, apart from those that follow from how the run went."""


class Label(NamedTuple):
    """The truth about one run, as written to the labels file."""

    trace_id: str
    workflow: str
    environment: str
    start_ns: int
    outcome: Outcome
    variant: Variant
    fault: str | None
    step: str | None
    code: str | None
    layer_a: LayerA | None
    layer_b: LayerB | None
    origin_span_id: str | None
    """Deepest span that shows the fault; None where no span does."""
    origin_also: tuple[str, ...]
    """Spans above it that show the same error, and its other failed tries: an honest judge may name one of these."""
    beside: tuple[str, ...] = ()
    """Codes that belong beside the run's own: what it did about the fault, or failed to do."""

    def as_json(self) -> str:
        """One line of the labels file."""
        return json.dumps(self._asdict())


NO_FAULT = Fault("", "", "", None, Shows.NOTHING, Variant.NONE, 0.0)

_LOUD, _RECOVERED, _SILENT, _LOOKALIKE = Variant.LOUD, Variant.RECOVERED, Variant.SILENT, Variant.LOOKALIKE

FAULTS: Sequence[Fault] = (
    # refund_triage: LangGraph, OpenInference. Version 2.4.0 upgrades the model of ledger.query, whose queries then
    # often run without a date range and time out; nothing retries them and the answer is written without the ledger.
    Fault("intake-429", "refund_triage", "intake", "component.rate_limited", Shows.MODEL_RAISES, _LOUD, 0.010),
    Fault("intake-500", "refund_triage", "intake", "component.unavailable", Shows.MODEL_RAISES, _RECOVERED, 0.012),
    Fault("index-down", "refund_triage", "retrieval", "tool.unavailable", Shows.RETRIEVER_RAISES, _LOUD, 0.008),
    Fault("no-policy", "refund_triage", "retrieval", "tool.empty_result", Shows.EMPTY_RESULT, _SILENT, 0.006),
    Fault("ledger-slow", "refund_triage", "ledger.query", "tool.timeout", Shows.TOOL_RAISES, _SILENT, 0.022),
    Fault("open-query", "refund_triage", "ledger.query", "tool.timeout", Shows.TOOL_RAISES, _SILENT, 0.062, "2.4.0"),
    Fault("ledger-refused", "refund_triage", "ledger.query", "tool.error", Shows.TOOL_ANSWERS_ERROR, _SILENT, 0.011),
    Fault("ledger-403", "refund_triage", "ledger.query", "tool.auth", Shows.TOOL_ANSWERS_ERROR, _SILENT, 0.005),
    Fault("ledger-pool", "refund_triage", "ledger.query", "tool.unavailable", Shows.TOOL_RAISES, _RECOVERED, 0.020),
    Fault("bad-args", "refund_triage", "ledger.query", "handoff.tool_args_invalid", Shows.TOOL_RAISES, _LOUD, 0.006),
    Fault("overflow", "refund_triage", "synthesis", "state.context_overflow", Shows.MODEL_RAISES, _LOUD, 0.007),
    Fault("draft-cut", "refund_triage", "synthesis", "handoff.truncated", Shows.FINISH_LENGTH, _SILENT, 0.006),
    Fault("draft-slow", "refund_triage", "synthesis", "component.timeout", Shows.MODEL_RAISES, _LOUD, 0.010),
    Fault("draft-500", "refund_triage", "synthesis", "component.unavailable", Shows.MODEL_RAISES, _RECOVERED, 0.010),
    Fault("verdict-json", "refund_triage", "verification", "handoff.schema_invalid", Shows.STEP_RAISES, _LOUD, 0.014),
    Fault("no-such-desk", "refund_triage", "verification", "routing.unknown_agent", Shows.WRONG_ROUTE, _LOUD, 0.006),
    Fault("never-happy", "refund_triage", "", "routing.loop_limit", Shows.LOOP_LIMIT, _LOUD, 0.004),
    Fault("no-ticket-id", "refund_triage", "delivery", "state.missing", Shows.STEP_RAISES, _LOUD, 0.010),
    Fault("ungrounded", "refund_triage", "", "component.judged_quality", Shows.JUDGED, _SILENT, 0.012),
    Fault("redraft", "refund_triage", "synthesis", None, Shows.VERIFY_LOOP, _LOOKALIKE, 0.080),
    Fault("ledger-polling", "refund_triage", "ledger.query", None, Shows.POLLING, _LOOKALIKE, 0.020),
    Fault("approval", "refund_triage", "delivery", None, Shows.HUMAN_INTERRUPT, _LOOKALIKE, 0.015),
    # rag_answers: a straight LangChain chain, OpenInference.
    Fault("condense-429", "rag_answers", "condense", "component.rate_limited", Shows.MODEL_RAISES, _LOUD, 0.012),
    Fault("store-timeout", "rag_answers", "retrieve", "tool.timeout", Shows.RETRIEVER_RAISES, _LOUD, 0.012),
    Fault("nothing-found", "rag_answers", "retrieve", "tool.empty_result", Shows.EMPTY_RESULT, _SILENT, 0.020),
    Fault("filtered", "rag_answers", "answer", "component.refused", Shows.FINISH_FILTER, _SILENT, 0.010),
    Fault("answer-cut", "rag_answers", "answer", "handoff.truncated", Shows.FINISH_LENGTH, _SILENT, 0.012),
    Fault("too-many-docs", "rag_answers", "answer", "state.context_overflow", Shows.MODEL_RAISES, _LOUD, 0.010),
    Fault("answer-500", "rag_answers", "answer", "component.unavailable", Shows.MODEL_RAISES, _RECOVERED, 0.015),
    Fault("key-expired", "rag_answers", "answer", "component.auth", Shows.MODEL_RAISES, _LOUD, 0.004),
    Fault("bad-citations", "rag_answers", "cite", "handoff.schema_invalid", Shows.STEP_RAISES, _LOUD, 0.015),
    Fault("made-up", "rag_answers", "", "component.judged_quality", Shows.JUDGED, _SILENT, 0.015),
    Fault("archive", "rag_answers", "retrieve", None, Shows.HANDLED_FALLBACK, _LOOKALIKE, 0.030),
    # market_brief: a crew with delegation, OpenLLMetry.
    Fault("search-429", "market_brief", "researcher", "component.rate_limited", Shows.MODEL_RAISES, _LOUD, 0.015),
    Fault("retry-hidden", "market_brief", "analyst", "component.rate_limited", Shows.SLOW_RETRY, _RECOVERED, 0.020),
    Fault("figures-json", "market_brief", "analyst", "handoff.schema_invalid", Shows.STEP_RAISES, _LOUD, 0.030),
    Fault("long-sources", "market_brief", "analyst", "state.context_overflow", Shows.MODEL_RAISES, _LOUD, 0.012),
    Fault("writer-slow", "market_brief", "editor", "component.timeout", Shows.MODEL_RAISES, _LOUD, 0.015),
    Fault("no-source", "market_brief", "editor", "recovery.retry_exhausted", Shows.VALIDATION_RETRIES, _LOUD, 0.020),
    # ops_assistant: a Pydantic AI agent with tools over MCP.
    Fault("restart-denied", "ops_assistant", "restart_service", "tool.error", Shows.TOOL_RAISES, _SILENT, 0.030),
    Fault(
        "metrics-503", "ops_assistant", "query_metrics", "tool.unavailable", Shows.TOOL_ANSWERS_ERROR, _SILENT, 0.015
    ),
    Fault("metrics-429", "ops_assistant", "query_metrics", "tool.rate_limited", Shows.TOOL_RAISES, _RECOVERED, 0.025),
    Fault("metrics-slow", "ops_assistant", "query_metrics", "tool.timeout", Shows.TOOL_RAISES, _LOUD, 0.012),
    Fault(
        "bad-window", "ops_assistant", "query_metrics", "handoff.tool_args_invalid", Shows.TOOL_RAISES, _RECOVERED, 0.02
    ),
    Fault("model-429", "ops_assistant", "model", "component.rate_limited", Shows.MODEL_RAISES, _LOUD, 0.012),
    Fault("model-500", "ops_assistant", "model", "component.unavailable", Shows.FALLBACK_MODEL, _RECOVERED, 0.020),
    Fault("reply-cut", "ops_assistant", "model", "handoff.truncated", Shows.FINISH_LENGTH, _SILENT, 0.008),
    Fault("too-many-turns", "ops_assistant", "model", "routing.loop_limit", Shows.LOOP_LIMIT, _LOUD, 0.008),
    Fault("no-such-tool", "ops_assistant", "query_metrics", "routing.unknown_tool", Shows.UNKNOWN_TOOL, _SILENT, 0.012),
    Fault("asked-again", "ops_assistant", "query_metrics", "state.redundant_step", Shows.REDUNDANT_STEP, _SILENT, 0.02),
    Fault(
        "same-again",
        "ops_assistant",
        "restart_service",
        "tool.error",
        Shows.BLIND_RETRY,
        _SILENT,
        0.012,
        beside=("recovery.blind_retry",),
    ),
    Fault("incident-pages", "ops_assistant", "list_incidents", None, Shows.PAGINATION, _LOOKALIKE, 0.060),
    Fault("deploy-polling", "ops_assistant", "deploy_status", None, Shows.POLLING, _LOOKALIKE, 0.050),
    Fault("all-quiet", "ops_assistant", "list_incidents", None, Shows.EMPTY_BUT_FINE, _LOOKALIKE, 0.080),
    # lead_enrichment: n8n.
    Fault("crm-429", "lead_enrichment", "Find company", "tool.rate_limited", Shows.TOOL_RAISES, _LOUD, 0.015),
    Fault("score-down", "lead_enrichment", "Score lead", "component.unavailable", Shows.MODEL_RAISES, _LOUD, 0.012),
    Fault("score-slow", "lead_enrichment", "Score lead", "component.timeout", Shows.MODEL_RAISES, _LOUD, 0.008),
    Fault("retry-on-fail", "lead_enrichment", "Find company", "tool.unavailable", Shows.SLOW_RETRY, _RECOVERED, 0.030),
    Fault("score-json", "lead_enrichment", "Route lead", "handoff.schema_invalid", Shows.STEP_RAISES, _LOUD, 0.020),
    Fault("crm-auth", "lead_enrichment", "Update CRM", "tool.auth", Shows.TOOL_RAISES, _LOUD, 0.006),
    # claims_panel: AutoGen group chat.
    Fault("assessor-429", "claims_panel", "assessor", "component.rate_limited", Shows.MODEL_RAISES, _LOUD, 0.030),
    Fault("approver-slow", "claims_panel", "approver", "component.timeout", Shows.MODEL_RAISES, _LOUD, 0.020),
    Fault("no-handler", "claims_panel", "assessor", "handoff.undelivered", Shows.UNDELIVERED, _LOUD, 0.02),
    Fault("photo-lost", "claims_panel", "assessor", "tool.error", Shows.TOOL_RAISES, _SILENT, 0.040),
)

STORM_FAULTS: dict[str, Fault] = {
    "refund_triage": Fault(
        "ledger-storm", "refund_triage", "ledger.query", "tool.unavailable", Shows.TOOL_RAISES, _RECOVERED, 0.0
    )
}
"""What a retry storm does to a workflow; whether a run survives it depends on how many of its tries fail."""


def faults_of(workflow: str, version: str) -> list[Fault]:
    """The faults that can strike this version of a workflow."""
    return [fault for fault in FAULTS if fault.workflow == workflow and fault.since <= version]


def draw(rng: Random, faults: Sequence[Fault]) -> Fault:
    """One fault by its share, or none."""
    point = rng.random()
    for fault in faults:
        point -= fault.share
        if point < 0.0:
            return fault
    return NO_FAULT


def outcome_of(fault: Fault, variant: Variant) -> Outcome:
    """How a run with this fault ends when the fault took this turn."""
    if fault.shows is Shows.HUMAN_INTERRUPT:
        return Outcome.PENDING
    if fault.code in LOW_SEVERITY or fault.shows is Shows.JUDGED:
        return Outcome.CLEAN
    by_variant = {Variant.LOUD: Outcome.FAILED, Variant.RECOVERED: Outcome.RECOVERED, Variant.SILENT: Outcome.SILENT}
    return by_variant.get(variant, Outcome.CLEAN)


def label_for(
    fault: Fault,
    *,
    variant: Variant,
    trace_id: str,
    workflow: str,
    environment: str,
    start_ns: int,
    origin_span_id: str | None,
    origin_also: tuple[str, ...],
    tries: int,
    ran_out: bool,
) -> Label:
    """The label of a run that carried this fault.

    Args:
        fault: what was injected.
        variant: what became of it.
        trace_id: the run's root trace.
        workflow: the workflow's name.
        environment: where it ran.
        start_ns: when it began.
        origin_span_id: the span that is to blame.
        origin_also: other spans that show the same.
        tries: how many tries failed.
        ran_out: a framework tried as often as it may.
    """
    layers = LAYERS[fault.code] if fault.code else (None, None)
    return Label(
        trace_id=trace_id,
        workflow=workflow,
        environment=environment,
        start_ns=start_ns,
        outcome=outcome_of(fault, variant),
        variant=variant,
        fault=fault.name or None,
        step=fault.step or None,
        code=fault.code,
        layer_a=layers[0],
        layer_b=layers[1],
        origin_span_id=origin_span_id,
        origin_also=origin_also,
        beside=(*fault.beside, *_what_was_done(fault, variant, tries, ran_out)),
    )


def _what_was_done(fault: Fault, variant: Variant, tries: int, ran_out: bool) -> tuple[str, ...]:
    """The codes of how a run dealt with its fault."""
    if fault.code is None or fault.code in LOW_SEVERITY or fault.shows in BY_PATTERN:
        return ()
    codes = []
    if variant is Variant.SILENT:
        codes.append("recovery.silent_failure")
    if variant is Variant.LOUD and ran_out:
        codes.append("recovery.retry_exhausted")
    elif variant is Variant.LOUD and tries == 1 and BY_NAME[fault.code].retryable:
        codes.append("recovery.no_retry")
    return tuple(code for code in codes if code != fault.code)
