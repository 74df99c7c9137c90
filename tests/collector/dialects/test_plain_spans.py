"""Spans of no framework that is known, and names that any framework may use."""

import pytest

from collector.dialects import normalise
from tests.collector.dialects.spans import make_span


def test_a_root_of_no_dialect_is_a_workflow() -> None:
    said = normalise(make_span(name="nightly", parent=None, resource={"service.name": "svc"}))
    assert (said.dialect, said.step_kind, said.step_name, said.workflow) == (
        "generic",
        "workflow",
        "nightly",
        "nightly",
    )
    assert said.gaps == ("dialect",)


def test_a_span_of_no_dialect_below_another_is_a_step() -> None:
    said = normalise(make_span(name="collect"))
    assert (said.step_kind, said.step_name, said.workflow) == ("chain", "collect", None)


def test_conventions_are_read_without_a_known_scope() -> None:
    said = normalise(make_span(attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}))
    assert (said.dialect, said.step_kind, said.step_name, said.agent) == ("genai", "agent", "writer", "writer")
    said = normalise(make_span(attributes={"openinference.span.kind": "TOOL", "tool.name": "search"}))
    assert (said.dialect, said.step_kind, said.step_name) == ("openinference", "tool", "search")


@pytest.mark.parametrize("key", ["http.request.method", "http.method", "rpc.system", "messaging.system"])
def test_transport_is_no_step(key: str) -> None:
    assert normalise(make_span(name="GET /", attributes={key: "x"}, parent=None)).step_kind == "transport"


def test_a_client_request_with_an_error_status_failed() -> None:
    said = normalise(make_span(attributes={"http.request.method": "POST", "http.response.status_code": 429}, kind=3))
    assert (said.dialect, said.failed, said.error_type) == ("http", True, "429")


def test_old_names_are_read() -> None:
    said = normalise(
        make_span(
            attributes={
                "gen_ai.system": "vertex_ai", "gen_ai.request.model": "gemini-2.0-flash",
                "gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": 2,
                "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi",
                "gen_ai.completion.0.content": "ho", "gen_ai.completion.0.finish_reason": "MAX_TOKENS",
            }
        )
    )  # fmt: skip
    assert (said.step_kind, said.provider, said.tokens_input, said.tokens_output) == ("llm", "gcp.vertex_ai", 5, 2)
    assert (said.input_key, said.output_key, said.finish_reason) == (
        "gen_ai.prompt.",
        "gen_ai.completion.",
        "length",
    )
    assert said.input_hash is not None


def test_a_framework_is_no_provider() -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "langgraph", "gen_ai.system": "openai"}
    assert normalise(make_span(attributes=attributes)).provider == "openai"


def test_the_resource_names_service_environment_and_framework() -> None:
    resource = {
        "service.name": "desk", "service.version": "1.4", "deployment.environment": "prod",
        "seamscope.framework": "ours",
    }  # fmt: skip
    said = normalise(make_span(resource=resource))
    assert (said.service, said.workflow_version, said.environment, said.framework) == (
        "desk",
        "1.4",
        "prod",
        "ours",
    )


def test_benchmark_traffic_reads_like_the_real_thing() -> None:
    scope = "openinference.instrumentation.langgraph"
    step = {
        "openinference.span.kind": "AGENT", "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "intake_agent", "agent.step.name": "intake", "langgraph_node": "intake",
    }  # fmt: skip
    said = normalise(make_span(scope, step, name="step intake"))
    assert (said.step_kind, said.step_name, said.agent, said.framework) == (
        "agent",
        "intake",
        "intake_agent",
        "langgraph",
    )
    leaf = {
        "openinference.span.kind": "LLM",
        "gen_ai.operation.name": "chat",
        "retry.attempt": 2,
        "gen_ai.usage.cost": 0.1,
    }
    said = normalise(make_span(scope, leaf, name="chat gpt-4o"))
    assert (said.step_kind, said.step_name, said.attempt, said.cost_usd) == ("llm", "chat", 2, 0.1)


def test_hidden_resends_are_told() -> None:
    attributes = {"gen_ai.operation.name": "chat", "http.request.resend_count": 2}
    assert normalise(make_span("com.anthropic.sdk.python", attributes)).resend_count == 2
