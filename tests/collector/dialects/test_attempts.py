"""What a span says of its own tries and of the work it checked."""

from typing import Any

import pytest

from collector.dialects import normalise
from collector.dialects.checks import is_checking, rejects
from schemas.records import Normalised, Scope, Span, SpanEvent
from tests.otlp import recorded_spans


def said(attributes: dict[str, Any], *events: tuple[str, dict[str, Any]], **span: Any) -> Normalised:
    """What is read from a span of the GenAI conventions."""
    base: Span = next(iter(recorded_spans("langgraph-genai-good")))
    return normalise(
        base._replace(
            scope=Scope(7, "opentelemetry.util.genai.handler", "1", {}, 0, ""),
            parent_span_id="a" * 16,
            attributes={"gen_ai.operation.name": "chat", **attributes},
            events=[SpanEvent(n, name, about, 0) for n, (name, about) in enumerate(events)],
            status_code=0,
            **span,
        )
    )


@pytest.mark.parametrize(
    ("attributes", "attempt"),
    [
        ({"retry.attempt": 2}, 2),
        ({"retry.count": 2}, 3),
        ({"gen_ai.request.retry_count": "1"}, 2),
        ({"retry.count": 0}, 1),
        ({"retry.count": -3}, None),
        ({"retry.attempt": "many"}, None),
        ({}, None),
    ],
)
def test_attempts_are_read_from_a_number_or_a_count(attributes: dict[str, Any], attempt: int | None) -> None:
    assert said(attributes).attempt == attempt


def test_retry_events_are_counted_and_name_what_was_retried() -> None:
    event = ("retry", {"attempt": 1, "error.type": "openai.RateLimitError", "reason": "slow down"})
    got = said({}, event, event)
    assert (got.attempt, got.failed, got.error_type, got.error_message) == (3, False, "RateLimitError", "slow down")


def test_an_exception_that_was_tried_again_fails_no_span() -> None:
    """A retry after the exception took it back; an exception after the last retry is the end."""
    boom = ("exception", {"exception.type": "APITimeoutError", "exception.message": "Request timed out."})
    retried = said({}, boom, ("gen_ai.retry", {}))
    assert (retried.failed, retried.attempt, retried.error_type) == (False, 2, "APITimeoutError")
    assert said({}, boom, ("gen_ai.retry", {}), boom).failed


@pytest.mark.parametrize(
    "answer",
    [
        "REJECTED",
        {"approved": False},
        {"tripwire_triggered": True},
        {"verdict": "fail", "reason": "no source"},
        {"review": {"decision": "Reject."}},
        {"messages": [], "review": '{"passed": false}'},
    ],
)
def test_a_check_says_no_in_many_ways(answer: object) -> None:
    assert rejects(answer)


@pytest.mark.parametrize(
    "answer", ["approved", {"approved": True}, {"flagged": False}, {"verdict": "pass"}, "It may fail", None, 3, []]
)
def test_these_answers_reject_nothing(answer: object) -> None:
    assert not rejects(answer)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.guardrail.result.value": "deny"},
        {"gen_ai.evaluation.score.label": "fail"},
        {"guardrail.triggered": True},
        {"gen_ai.output.messages": '{"passed": false}'},
    ],
)
def test_a_guardrail_that_rejects_under_a_good_status_is_known(attributes: dict[str, Any]) -> None:
    assert said({"gen_ai.operation.name": "apply_guardrail", **attributes}).output_kind == "rejection"


def test_a_step_that_reviews_is_known_by_its_name() -> None:
    assert all(map(is_checking, ("verification", "Code Reviewer", "fact_check", "grade_documents", "critic")))
    assert not any(map(is_checking, ("draft", "check_status", "tools", "agent", "upgrade", "checkout")))
