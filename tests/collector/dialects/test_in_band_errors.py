"""Errors that are told in an output, of a span that claims success."""

import json
from typing import Any

import pytest

from collector.dialects import normalise
from schemas.records import SpanEvent
from tests.collector.dialects.spans import ERROR, EXECUTE, LANGCHAIN, OK, make_span, tool_span


@pytest.mark.parametrize(
    ("output", "text", "kind"),
    [
        ({"isError": True, "content": [{"type": "text", "text": "no such order"}]}, "no such order", None),
        ({"status": "error", "content": "ValueError: x", "tool_call_id": "1"}, "ValueError: x", "ValueError"),
        ({"error": "quota"}, "quota", None),
        ({"error": {"code": -32602, "message": "bad params"}}, "bad params", "-32602"),
        ({"success": False, "message": "card declined"}, "card declined", None),
        ([{"type": "text", "text": "Error executing tool issue_refund: refused"}],
         "Error executing tool issue_refund: refused", None),
        ([{"type": "text", "text": '{"error": {"code": 404, "message": "no order"}}'}], "no order", "404"),
        ("No results found for A-1.", "No results found for A-1.", None),
        ("Error: payment refused", "Error: payment refused", None),
        ("Error 403: Forbidden", "Error 403: Forbidden", None),
        ("ValueError: bad amount", "ValueError: bad amount", "ValueError"),
        ("An error occurred while running the tool.", "An error occurred while running the tool.", None),
        ("x is not a valid tool, try one of [a].", "x is not a valid tool, try one of [a].", None),
    ],
)  # fmt: skip
def test_an_error_in_a_tool_s_output_is_one_in_band(output: Any, text: str, kind: str | None) -> None:
    said = normalise(tool_span(output))
    assert (said.in_band_error, said.error_type, said.output_kind) == (text, kind, "error")
    assert not said.failed


@pytest.mark.parametrize(
    "output",
    [
        {"error": None, "rows": 3}, {"error": "", "ok": True}, {"error": False}, {"error": 0},
        {"status": "failed", "order": 7},  # an order's status, not the call's
        {"errors": 0}, "errors: none", "The error rate is 3 %", "No error", "Erroneous", "4040 found",
        {"isError": False, "content": [{"type": "text", "text": "done"}]}, {"success": False},
        "", "[]", "a text about a ValueError",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_error_is_none(output: Any) -> None:
    assert normalise(tool_span(output)).in_band_error is None


def test_a_failed_span_needs_no_second_error() -> None:
    said = normalise(
        make_span(
            attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": "Error: x"},
            status=ERROR, message="ValueError: x",
        )
    )  # fmt: skip
    assert said.failed
    assert said.in_band_error is None


def test_a_model_may_speak_of_errors() -> None:
    attributes = {"openinference.span.kind": "LLM", "output.value": "Error: I cannot do that"}
    assert normalise(make_span(LANGCHAIN, attributes)).in_band_error is None


def test_a_state_that_went_on_after_a_tool_error_is_none() -> None:
    failed = {"type": "tool", "data": {"type": "tool", "content": "Error: x", "status": "error"}}
    answer = {"type": "ai", "data": {"content": "sorry"}}
    for messages, expected in (([failed], "Error: x"), ([failed, answer], None)):
        output = json.dumps({"messages": messages})
        said = normalise(make_span(LANGCHAIN, {"openinference.span.kind": "CHAIN", "output.value": output}))
        assert said.in_band_error == expected


def test_the_text_of_an_error_is_capped() -> None:
    assert normalise(tool_span("Error: " + "x" * 9_000)).in_band_error == "Error: " + "x" * 493


@pytest.mark.parametrize(("status", "said"), [("error", "Error: ConnectionError"), ("success", None)])
def test_a_tool_status_of_error_is_one_though_the_span_is_ok(status: str, said: str | None) -> None:
    """Strands Agents ends the span of a tool that failed with OK, and says so in gen_ai.tool.status."""
    event = SpanEvent(5, "gen_ai.choice", {"message": "Error: ConnectionError", "id": "c"}, 0)
    attributes = {**EXECUTE, "gen_ai.tool.name": "lookup", "gen_ai.tool.status": status}
    found = normalise(make_span("strands.telemetry.tracer", attributes, status=OK, events=(event,)))
    assert (found.failed, found.in_band_error) == (False, said)


def test_that_smolagents_ran_out_of_steps_is_told_by_the_next_model_call() -> None:
    said = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.contents.0.message_content.text": (
            "An agent tried to answer a user query but it got stuck and failed to do so. You are tasked with"
        ),
    }
    scope = "openinference.instrumentation.smolagents"
    got = normalise(make_span(scope, said, status=OK))
    assert (got.in_band_error, got.error_type) == ("Reached max steps.", "AgentMaxStepsError")
    other = {**said, "llm.input_messages.0.message.contents.0.message_content.text": "You are an expert"}
    assert normalise(make_span(scope, other, status=OK)).in_band_error is None


def test_blocks_of_llama_index_are_unwrapped() -> None:
    scope = "openinference.instrumentation.llama_index"
    for text, error in (("Error: no such order", "Error: no such order"), ('{"error": "closed"}', "closed")):
        result = json.dumps({"blocks": [{"text": text}], "tool_name": "find", "is_error": False})
        said = {"openinference.span.kind": "TOOL", "tool.name": "find", "output.value": result}
        assert normalise(make_span(scope, said, status=OK)).in_band_error == error
    flagged = json.dumps({"blocks": [{"text": "closed"}], "tool_name": "find", "is_error": True})
    said = {"openinference.span.kind": "TOOL", "tool.name": "find", "output.value": flagged}
    assert normalise(make_span(scope, said, status=OK)).in_band_error == "closed"


def test_a_call_of_an_unknown_tool_is_in_the_result_that_llama_index_prints() -> None:
    output = (
        "ToolCallResult(tool_name='nope', tool_output=ToolOutput(blocks=[TextBlock("
        "text='Tool nope not found. Please select a to..."
    )
    attributes = {"openinference.span.kind": "CHAIN", "output.value": output}
    said = normalise(make_span("openinference.instrumentation.llama_index", attributes, name="A.call_tool"))
    assert said.in_band_error == "Tool nope not found. Please select a to..."


def test_a_call_that_the_agent_framework_refused_is_told_by_the_next_model_call() -> None:
    refused = 'Error: Requested function "nope" not found.'
    messages = [
        {"role": "user", "parts": [{"type": "text", "content": "x"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": refused}]},
    ]
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(messages)}
    assert normalise(make_span("agent_framework", attributes)).in_band_error == refused
