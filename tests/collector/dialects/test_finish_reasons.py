"""Why a model stopped, wherever that is told."""

import json
from typing import Any

import pytest

from collector.dialects import normalise
from schemas.records import SpanEvent
from tests.collector.dialects.spans import CHAT, make_span


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"gen_ai.response.finish_reasons": ["incomplete"]}, "length"),
        ({"gen_ai.response.finish_reasons": ["max_completion_tokens"]}, "length"),
        ({"gen_ai.response.finish_reasons": ["stop", "length"]}, "length"),
        ({"gen_ai.response.finish_reasons": '["stop", "content_filter"]'}, "content_filter"),
        ({"gen_ai.response.finish_reasons": ["stop", "tool_calls"]}, "stop"),
        ({"gen_ai.response.finish_reason": "FinishReason.LENGTH"}, "length"),
        ({"gen_ai.output.messages": '[{"role": "assistant", "parts": [], "finish_reason": "length"}]'}, "length"),
        ({"gen_ai.output.messages": '[{"parts": [{"content": "\\"finish_reason\\": \\"length\\""}]}]'}, None),
    ],
)
def test_a_reason_has_one_word_in_whichever_attribute_it_is_told(said: dict[str, Any], reason: str | None) -> None:
    assert normalise(make_span("my.app", {**CHAT, **said})).finish_reason == reason


def test_a_reason_is_read_from_the_event_of_a_choice() -> None:
    events = (SpanEvent(5, "gen_ai.choice", {"finish_reason": "max_tokens", "message": "cut"}, 0),)
    assert normalise(make_span("strands.telemetry.tracer", {**CHAT}, events=events)).finish_reason == "length"


@pytest.mark.parametrize(
    ("scope", "output"),
    [
        ("smolagents", json.dumps({"raw": "ChatCompletion(id='c1', choices=[Choice(finish_reason='length'"})),
        ("haystack", json.dumps({"replies": ["ChatMessage(_meta={'model': 'm', 'finish_reason': 'length'})"]})),
        ("autogen_agentchat", '{"finish_reason": "length", "content": "x"}'),
    ],
)
def test_a_reason_is_read_from_what_is_printed(scope: str, output: str) -> None:
    attributes = {"openinference.span.kind": "LLM", "output.value": output}
    assert normalise(make_span(f"openinference.instrumentation.{scope}", attributes)).finish_reason == "length"


def test_reasons_written_as_json_are_read() -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": '["content_filter"]'}
    assert normalise(make_span("agent_framework", attributes)).finish_reason == "content_filter"
