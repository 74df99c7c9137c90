"""What is told of inputs and outputs without keeping them: which are equal, and which are empty."""

import json

import pytest

from collector.dialects import normalise
from schemas.records import Normalised
from tests.collector.dialects.spans import CHAT, EXECUTE, LANGCHAIN, make_span, tool_span


def test_arguments_in_another_order_are_equal() -> None:
    one, two, other = (
        normalise(make_span(attributes={**EXECUTE, "gen_ai.tool.call.arguments": text}))
        for text in ('{"a":1,"b":[2]}', ' { "b": [2], "a": 1 } ', '{"a":1,"b":[3]}')
    )  # fmt: skip
    assert one.input_hash == two.input_hash != other.input_hash


def test_structured_and_textual_arguments_are_equal() -> None:
    one, two = (
        normalise(make_span(attributes={**EXECUTE, "gen_ai.tool.call.arguments": value}))
        for value in ('{"a":1}', {"a": 1})
    )  # fmt: skip
    assert one.input_hash == two.input_hash


def test_a_result_is_the_same_whatever_its_call_id() -> None:
    one, two = (
        normalise(tool_span({"output": {"content": "42", "tool_call_id": call, "status": "success"}}))
        for call in ("c1", "c2")
    )
    assert one.output_hash == two.output_hash


def test_a_node_s_input_is_equal_at_another_step() -> None:
    def task(step: int) -> Normalised:
        wrapped = {"inputs": {"q": "x"}, "tags": [f"graph:step:{step}"], "metadata": {"langgraph_step": step}}
        attributes = {"traceloop.span.kind": "task", "gen_ai.task.input": json.dumps(wrapped)}
        return normalise(make_span("opentelemetry.instrumentation.langchain", attributes))

    assert task(1).input_hash == task(7).input_hash is not None


def test_long_inputs_differ_by_their_end() -> None:
    one, two = (
        normalise(make_span(attributes={**CHAT, "gen_ai.input.messages": "x" * 50_000 + end}))
        for end in "ab"
    )  # fmt: skip
    assert one.input_hash != two.input_hash


@pytest.mark.parametrize(
    ("output", "kind"),
    [('{"documents": []}', "empty"), ("[]", "empty"), ('{"matches": [], "usage": 5}', "empty"),
     ('{"documents": [{"id": 1}]}', "json"), ('{"deleted": []}', "json")],
)  # fmt: skip
def test_a_look_up_that_found_nothing_has_an_empty_output(output: str, kind: str) -> None:
    attributes = {"openinference.span.kind": "RETRIEVER", "output.value": output}
    assert normalise(make_span(LANGCHAIN, attributes)).output_kind == kind
