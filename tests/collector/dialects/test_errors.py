"""Which spans failed, and the type and words of their errors, whatever the framework."""

from typing import Any

import pytest

from collector.dialects import normalise
from schemas.records import SpanEvent
from tests.collector.dialects.spans import CHAT, ERROR, EXECUTE, LANGCHAIN, OK, exception, make_span

TRACEBACK = 'Traceback (most recent call last):\n  File "/app/x.py", line 1, in f\n'


@pytest.mark.parametrize(
    "name",
    ["langgraph.errors.GraphInterrupt", "NodeInterrupt", "pydantic_ai.exceptions.ApprovalRequired", "CallDeferred",
     "crewai.flow.HumanFeedbackPending", "agent_framework.exceptions.UserInputRequiredException"],
)  # fmt: skip
@pytest.mark.parametrize("status", [0, OK, ERROR])
@pytest.mark.parametrize("scope", ["langsmith", LANGCHAIN])
def test_waiting_for_a_human_is_an_interrupt(name: str, status: int, scope: str) -> None:
    said = normalise(make_span(scope, {}, status=status, events=(exception(name, "approve?"),)))
    assert (said.failed, said.interrupted, said.error_type) == (False, True, None)


def test_an_interrupt_told_only_by_message() -> None:
    event = exception("Exception", f"GraphInterrupt((Interrupt(value='ok?', id='1'),)){TRACEBACK}")
    said = normalise(make_span("langsmith", {}, status=ERROR, events=(event,)))
    assert said.interrupted
    assert not said.failed


def test_a_deferred_tool_of_pydantic_ai_waits() -> None:
    said = {**EXECUTE, "pydantic_ai.tool.deferral.name": "ApprovalRequired"}
    assert normalise(make_span("pydantic-ai", said)).interrupted
    assert not normalise(make_span("pydantic-ai", {**EXECUTE})).interrupted


@pytest.mark.parametrize(
    "name",
    ["langgraph.errors.ParentCommand", "GraphBubbleUp", "GraphDrained", "GeneratorExit", "StopAsyncIteration",
     "smolagents.FinalAnswerException"],
)  # fmt: skip
@pytest.mark.parametrize("status", [0, OK, ERROR])
def test_control_flow_is_no_failure(name: str, status: int) -> None:
    said = normalise(make_span("langsmith", {}, status=status, events=(exception(name, ""),)))
    assert (said.failed, said.interrupted, said.error_type) == (False, False, None)


def test_a_cancelled_generator_of_a_span_that_is_ok_is_no_failure() -> None:
    event = exception("asyncio.exceptions.CancelledError", "")
    said = normalise(make_span("openinference.instrumentation.autogen_agentchat", {}, status=OK, events=(event,)))
    assert not said.failed


def test_a_cancelled_sibling_is_collateral() -> None:
    event = exception("asyncio.exceptions.CancelledError", "<object object at 0x7f>")
    said = normalise(make_span(LANGCHAIN, {}, status=ERROR, events=(event,)))
    assert said.failed
    assert said.collateral


@pytest.mark.parametrize(
    "said", [{"n8n.node.type": "a", "n8n.node.termination_reason": "workflow_cancelled"},
             {"n8n.workflow.id": "1", "n8n.execution.status": "canceled"}],
)  # fmt: skip
def test_what_n8n_cancelled_has_not_failed_by_itself(said: dict[str, Any]) -> None:
    got = normalise(make_span("n8n-workflow", said, name="node.execute", status=ERROR))
    assert (got.failed, got.collateral, got.error_type) == (True, True, "Cancelled")
    own = normalise(make_span("n8n-workflow", said, status=ERROR, events=(exception("NodeApiError", "slow"),)))
    assert (own.collateral, own.error_type) == (False, "NodeApiError")


def test_a_handled_exception_of_a_span_that_says_ok_is_no_failure() -> None:
    assert not normalise(make_span(status=OK, events=(exception("ValueError", "x"),))).failed


def test_a_stream_writer_of_mcp_has_not_failed() -> None:
    span = make_span("opentelemetry.instrumentation.mcp", name="ResponseStreamWriter", status=ERROR, message="no")
    assert not normalise(span).failed


@pytest.mark.parametrize(
    ("status", "attributes", "events", "expected"),
    [
        ("", {"error.type": "openai.RateLimitError"}, (), ("RateLimitError", None)),
        ("Error code: 429 - slow down", {"error.type": "_OTHER"}, (), ("429", "Error code: 429 - slow down")),
        ("", {"http.response.status_code": 503}, (), ("503", "HTTP 503")),
        ("", {"error.type": 429}, (), ("429", None)),
        ("KeyError('a')" + TRACEBACK, {}, (), ("KeyError", "'a'")),  # as str(KeyError('a')) has it
        ("TimeoutError: ", {}, (exception("TimeoutError", ""),), ("TimeoutError", None)),
        ("", {}, (exception("Exception", "Task failed"),), ("Exception", "Task failed")),
        ("", {}, (exception("Exception", f"JSONDecodeError('bad'){TRACEBACK}"),), ("JSONDecodeError", "bad")),
        ("a plain sentence: no class", {}, (), (None, "a plain sentence: no class")),
        ("{'message': 'x', 'data': {'error': 'Error code: 500 - oh'}}", {}, (), ("500", "Error code: 500 - oh")),
    ],
)  # fmt: skip
def test_type_and_words_of_an_error_have_one_form(
    status: str, attributes: dict[str, Any], events: tuple[SpanEvent, ...], expected: tuple[Any, Any]
) -> None:
    said = normalise(make_span("my.app", attributes, status=ERROR, message=status, events=events))
    assert said.failed
    assert (said.error_type, said.error_message) == expected


def test_a_group_names_the_exception_inside() -> None:
    trace = (
        "  + Exception Group Traceback (most recent call last):\n"
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        "    | mcp.shared.exceptions.McpError: Timed out while waiting\n"
    )
    event = exception("ExceptionGroup", "unhandled errors in a TaskGroup (1 sub-exception)", stacktrace=trace)
    said = normalise(make_span(status=ERROR, events=(event,)))
    assert (said.error_type, said.error_message) == ("McpError", "Timed out while waiting")


def test_the_last_of_several_exceptions_counts() -> None:
    said = normalise(make_span(status=ERROR, events=(exception("ValueError", "1"), exception("KeyError", "2"))))
    assert (said.error_type, said.error_message) == ("KeyError", "2")


def test_a_class_as_python_prints_it_is_read_as_its_name() -> None:
    said = {**CHAT, "error.type": "<class 'kernel.exceptions.ServiceResponseException'>"}
    assert normalise(make_span("my.app", said, status=ERROR)).error_type == "ServiceResponseException"


@pytest.mark.parametrize("message", ["", "tool_error"])
def test_a_failed_tool_says_in_its_result_what_was_wrong(message: str) -> None:
    result = '{"isError": true, "content": [{"type": "text", "text": "Unknown tool: pay"}]}'
    said = {**EXECUTE, "gen_ai.tool.name": "pay", "error.type": "tool_error", "gen_ai.tool.call.result": result}
    got = normalise(make_span("opentelemetry.util.genai.handler", said, status=ERROR, message=message))
    assert (got.failed, got.error_type, got.error_message) == (True, "tool_error", "Unknown tool: pay")
    assert got.in_band_error is None


def test_what_a_status_says_of_a_failed_tool_comes_first() -> None:
    said = {**EXECUTE, "gen_ai.tool.call.result": '{"error": "no such order"}'}
    got = normalise(make_span("my.app", said, status=ERROR, message="ValueError: wrong id"))
    assert got.error_message == "wrong id"


def test_adk_describes_a_tool_that_does_not_exist() -> None:
    said = {**EXECUTE, "gen_ai.tool.name": "pay", "gen_ai.tool.description": "Tool not found"}
    said["error.type"] = "ValueError"
    got = normalise(make_span("gcp.vertex.agent", said, status=ERROR, message="ValueError"))
    assert (got.error_type, got.error_message) == ("ValueError", "Tool not found")
