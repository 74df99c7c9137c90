"""Messages of every dialect, read from what real frameworks sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dashboard.analytics.conversation import Message, Part, conversation

CAPTURES = Path(__file__).parents[1] / "fixtures" / "otlp"


def spans(capture: str) -> Iterator[dict[str, Any]]:
    """The attributes of a capture's spans that are text."""
    for file in sorted((CAPTURES / capture).glob("*.pb")):
        request = ExportTraceServiceRequest.FromString(file.read_bytes())
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    yield {a.key: a.value.string_value for a in span.attributes if a.value.string_value}


def told(capture: str) -> list[Message]:
    """The conversation of the span of a capture that holds most tool calls and messages."""
    return max(
        (conversation(attributes) for attributes in spans(capture)), key=lambda said: (len(calls(said)), len(said))
    )


def calls(said: list[Message]) -> list[Part]:
    return [part for message in said for part in message.parts if part.kind == "call"]


@pytest.mark.parametrize(
    "capture",
    [
        "pydantic_ai-default-tool-model-retry",  # OpenTelemetry GenAI
        "openai_agents-openinference-bad-args",  # OpenInference, numbered attributes
        "langgraph-openinference-agent",  # OpenInference, several pieces a message
        "client-anthropic-openinference-rate-limit",  # pieces that are tool calls
        "langgraph-openllmetry-agent-unknown-tool",  # OpenLLMetry
    ],
)
def test_a_tool_call_and_its_result_stand_in_the_conversation(capture: str) -> None:
    """The call names its tool, holds the arguments, and is the model's word."""
    said = told(capture)
    assert calls(said), said
    assert all(call.name and call.text for call in calls(said))
    assert {message.role for message in said} <= {"system", "user", "assistant", "tool"}
    assert all(message.role == "assistant" for message in said if any(part.kind == "call" for part in message.parts))


def test_langsmith_prompts_are_messages() -> None:
    """LangChain's serialised objects are read by their class."""
    said = [each for attributes in spans("langgraph-langsmith-handoff-error") for each in conversation(attributes)]
    assert "classify [[json:refund]]" in [each.parts[0].text for each in said if each.role == "system"]
    assert {each.role for each in said if each.side == "output"} <= {"assistant", "tool"}


def test_every_capture_can_be_read() -> None:
    """Whatever a framework records gives messages or none; nothing of a message is empty of role."""
    read = 0
    for folder in sorted(CAPTURES.iterdir()):
        if folder.is_dir():
            for attributes in spans(folder.name):
                said = conversation(attributes)
                read += bool(said)
                assert all(message.role for message in said)
    assert read > 500


HI = Message("user", (Part("text", "hi"),), "input")
IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {
                "gen_ai.system_instructions": '[{"type":"text","content":"be brief"}]',
                "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
            },
            [Message("system", (Part("text", "be brief"),), "input"), HI],
        ),
        (
            {
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "hi",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.tool_calls.0.name": "look",
                "gen_ai.completion.0.tool_calls.0.arguments": '{"a":1}',
                "gen_ai.completion.0.tool_calls.0.id": "c1",
            },
            [HI, Message("assistant", (Part("call", '{"a":1}', "look", "c1"),), "output")],
        ),
        (
            {
                "input.value": json.dumps(
                    {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, IMAGE]}]}
                )
            },
            [Message("user", (Part("text", "see"), Part("other", json.dumps(IMAGE), "image_url")), "input")],
        ),
        ({"input.value": '{"order": 7, "fields": ["a"]}', "output.value": "paid"}, []),
        ({"input.value": "[1, 2]", "gen_ai.input.messages": "{broken"}, []),
    ],
)
def test_dialects_say_the_same(attributes: dict[str, Any], expected: list[Message]) -> None:
    """Roles, pieces and calls come out alike; what holds no messages gives none."""
    assert conversation(attributes) == expected


def test_messages_in_events_are_read() -> None:
    """Older instrumentations record an event for each message."""
    events = [
        {"name": "gen_ai.user.message", "attributes": {"content": "hi"}},
        {"name": "exception", "attributes": {"exception.type": "E"}},
        {"name": "gen_ai.choice", "attributes": {"message": '{"role": "assistant", "content": "ho"}', "index": 0}},
    ]
    assert [(message.role, message.parts[0].text) for message in conversation({}, events)] == [
        ("user", "hi"),
        ("assistant", "ho"),
    ]


KEYS = ["role", "content", "parts", "messages", "kwargs", "id", "type", "tool_calls", "function", "text", "message"]
PLACES = [
    "input.value",
    "gen_ai.input.messages",
    "llm.input_messages.0.message.content",
    "llm.input_messages.0.message.tool_calls.0",
    "gen_ai.prompt.0",
    "gen_ai.completion",
    "gen_ai.system_instructions",
]
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.dictionaries(some.sampled_from(PLACES), JSON, max_size=4))
def test_nothing_that_a_span_records_breaks_it(attributes: dict[str, Any]) -> None:
    """Span text is hostile: any value in any place gives messages of text or none."""
    for message in conversation(attributes):
        assert isinstance(message.role, str)
        assert all(isinstance(each, str | None) for part in message.parts for each in part)
