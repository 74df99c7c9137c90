"""What frameworks say in ways of their own: kinds and names of steps and more, from the instrumentors' sources."""

from typing import Any

import pytest

from collector.dialects import normalise
from tests.collector.dialects.spans import EXECUTE, LANGCHAIN, make_span


@pytest.mark.parametrize(
    ("scope", "name", "attributes", "expected"),
    [
        ("agent_framework", "workflow.build", {"workflow_builder.name": "W"}, ("setup", "W")),
        ("agent_framework", "workflow.run", {"workflow.name": "refunds"}, ("workflow", "refunds")),
        ("agent_framework", "executor.process intake", {"executor.id": "intake"}, ("chain", "intake")),
        ("agent_framework", "edge_group.process SingleEdgeGroup", {"edge_group.type": "S"},
         ("transport", "edge_group.process SingleEdgeGroup")),
        ("agent_framework", "message.send", {"message.type": "standard"}, ("transport", "message.send")),
        ("gcp.vertex.agent", "invoke_node triage", {"gen_ai.operation.name": "invoke_node"}, ("chain", "triage")),
        ("gcp.vertex.agent", "invocation", {}, ("workflow", "invocation")),
        ("gcp.vertex.agent", "execute_tool transfer_to_agent",
         {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "transfer_to_agent"},
         ("handoff", "transfer_to_agent")),
        ("gcp.vertex.agent", "execute_tool (merged tools)",
         {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"},
         ("transport", "(merged tools)")),
        ("openinference.instrumentation.smolagents", "CodeAgent.run", {"openinference.span.kind": "AGENT"},
         ("agent", "CodeAgent")),
        ("openinference.instrumentation.smolagents", "Step 2", {"openinference.span.kind": "CHAIN"},
         ("transport", "Step 2")),
        ("openinference.instrumentation.haystack", "Pipeline.run", {"openinference.span.kind": "CHAIN"},
         ("workflow", "Pipeline")),
        ("openinference.instrumentation.haystack", "InMemoryBM25Retriever.run",
         {"openinference.span.kind": "RETRIEVER"}, ("retrieval", "InMemoryBM25Retriever")),
        ("openinference.instrumentation.llama_index", "RefundFlow.run", {"openinference.span.kind": "CHAIN"},
         ("workflow", "RefundFlow")),
        ("openinference.instrumentation.llama_index", "RefundFlow.run_checks", {"openinference.span.kind": "CHAIN"},
         ("chain", "run_checks")),
        ("openinference.instrumentation.llama_index", "RefundFlow.synthesis", {"openinference.span.kind": "CHAIN"},
         ("chain", "synthesis")),
        ("openinference.instrumentation.llama_index", "main.<locals>.RefundFlow.synthesis",
         {"openinference.span.kind": "CHAIN"}, ("chain", "synthesis")),
        ("openinference.instrumentation.llama_index", "RetrieverQueryEngine._aquery",
         {"openinference.span.kind": "CHAIN"}, ("transport", "RetrieverQueryEngine")),
        ("openinference.instrumentation.llama_index", "OpenAILike._prepare_chat_with_tools",
         {"openinference.span.kind": "LLM"}, ("transport", "_prepare_chat_with_tools")),
        ("openinference.instrumentation.llama_index", "OpenAIEmbedding._get_query_embedding",
         {"openinference.span.kind": "EMBEDDING"}, ("llm", "OpenAIEmbedding._get_query_embedding")),
        ("openinference.instrumentation.haystack", "OpenAIChatGenerator.run",
         {"openinference.span.kind": "LLM"}, ("llm", "OpenAIChatGenerator")),
        ("openinference.instrumentation.autogen_agentchat", "RoundRobinGroupChat.run_stream",
         {"openinference.span.kind": "CHAIN"}, ("workflow", "RoundRobinGroupChat")),
        ("openinference.instrumentation.autogen_agentchat", "writer.on_messages_stream",
         {"openinference.span.kind": "AGENT"}, ("agent", "writer")),
        ("openinference.instrumentation.openai_agents", "handoff to billing", {"openinference.span.kind": "TOOL"},
         ("handoff", "handoff to billing")),
        (LANGCHAIN, "transfer_to_billing", {"openinference.span.kind": "TOOL", "tool.name": "transfer_to_billing"},
         ("handoff", "transfer_to_billing")),
        ("opentelemetry.instrumentation.openai_agents", "a → b.handoff",
         {"traceloop.span.kind": "handoff", "gen_ai.operation.name": "handoff"}, ("handoff", "a → b")),
        ("opentelemetry.instrumentation.openai_agents", "openai.response",
         {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, ("llm", "chat")),
        ("opentelemetry.instrumentation.mcp", "initialize.mcp", {}, ("protocol", "initialize")),
        ("opentelemetry.instrumentation.mcp", "search.tool", {"traceloop.span.kind": "tool"}, ("tool", "search")),
        ("opentelemetry.instrumentation.mcp", "ResponseStreamWriter", {}, ("transport", "ResponseStreamWriter")),
        ("autogen SingleThreadedAgentRuntime",
         "autogen send GraphManager_6ba7b810-9dad-11d1-80b4-00c04fd430c8.(6ba7b810-9dad-11d1-80b4-00c04fd430c8)-A",
         {"messaging.operation": "publish"}, ("workflow", "GraphFlow")),
        ("n8n-workflow", "node.execute",
         {"n8n.node.name": "Chat", "n8n.node.type": "@n8n/n8n-nodes-langchain.lmChatOpenAi"}, ("llm", "Chat")),
        ("n8n-workflow", "node.execute",
         {"n8n.node.name": "Store", "n8n.node.type": "@n8n/n8n-nodes-langchain.vectorStorePinecone"},
         ("retrieval", "Store")),
        ("n8n-workflow", "node.execute",
         {"n8n.node.name": "Agent", "n8n.node.type": "@n8n/n8n-nodes-langchain.agent"}, ("agent", "Agent")),
        ("opentelemetry.instrumentation.chromadb", "chroma.query", {"db.system": "chroma"}, ("retrieval", "query")),
        ("my.app", "SELECT orders", {"db.system.name": "postgresql"}, ("transport", "SELECT orders")),
    ],
)  # fmt: skip
def test_a_span_has_kind_and_name_of_its_step(
    scope: str, name: str, attributes: dict[str, Any], expected: tuple[str, str]
) -> None:
    said = normalise(make_span(scope, attributes, name=name))
    assert (said.step_kind, said.step_name) == expected


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("invoke_graph", "workflow"), ("invoke_swarm", "workflow"), ("execute_event_loop_cycle", "transport")],
)
def test_kinds_of_strands(operation: str, kind: str) -> None:
    said = {"gen_ai.operation.name": operation}
    resource = {"service.name": "shop"}
    got = normalise(make_span("strands.telemetry.tracer", said, name=operation, parent=None, resource=resource))
    assert (got.step_kind, got.framework, got.gaps) == (kind, "strands", ())
    assert got.workflow == ("shop" if kind == "workflow" else None)


@pytest.mark.parametrize(
    ("scope", "name", "tool"),
    [
        ("openinference.instrumentation.autogen_agentchat", "triage.transfer_to_billing", "transfer_to_billing"),
        ("openinference.instrumentation.llama_index", "FunctionTool.acall", "handoff"),
    ],
)
def test_handoffs_of_openinference_go_by_the_tool(scope: str, name: str, tool: str) -> None:
    said = {"openinference.span.kind": "TOOL", "tool.name": tool}
    assert normalise(make_span(scope, said, name=name)).step_kind == "handoff"


def test_handoff_is_a_word_of_llama_index_alone() -> None:
    said = {"openinference.span.kind": "TOOL", "tool.name": "handoff"}
    assert normalise(make_span(LANGCHAIN, said, name="handoff")).step_kind == "tool"


def test_handoffs_of_strands_go_by_the_tool() -> None:
    said = {**EXECUTE, "gen_ai.tool.name": "handoff_to_agent"}
    assert normalise(make_span("strands.telemetry.tracer", said)).step_kind == "handoff"


def test_a_query_engine_at_the_top_is_a_workflow_named_after_its_class() -> None:
    span = make_span(
        "openinference.instrumentation.llama_index",
        {"openinference.span.kind": "CHAIN"},
        name="RetrieverQueryEngine.query",
        parent=None,
    )
    said = normalise(span)
    assert (said.step_kind, said.workflow) == ("workflow", "RetrieverQueryEngine")


def test_a_waiting_n8n_run_is_pending_and_keyed_by_its_instance() -> None:
    attributes = {"n8n.workflow.name": "w", "n8n.execution.id": "7", "n8n.execution.status": "waiting"}
    said = normalise(
        make_span("n8n-workflow", attributes, name="workflow.execute", resource={"n8n.instance.id": "abc"})
    )
    assert (said.interrupted, said.failed, said.run_key, said.workflow) == (True, False, "n8n:abc/7", "w")


def test_google_s_placeholder_is_no_call_id() -> None:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "<not specified>"}
    assert normalise(make_span("gcp.vertex.agent", attributes)).tool_call_id is None


def test_an_id_that_langchain_made_up_is_no_response_id() -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.id": "lc_run--01a204bd"}
    assert normalise(make_span("agent_framework", attributes)).response_id is None


def test_the_agent_s_totals_are_sums() -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 9}
    said = normalise(make_span("agent_framework", attributes))
    assert (said.tokens_input, said.tokens_are_sum) == (9, True)


@pytest.mark.parametrize(
    ("said", "offered"),
    [
        ({"smolagents.tools_names": '["search","final_answer"]', "smolagents.managed_agents.0.name": "helper"}, 2),
        ({"smolagents.tools_names": ["final_answer"]}, 0),
        ({"gen_ai.tool.definitions": '[{"name": "pay"}, {"name": "look"}]'}, 2),
        ({"gen_ai.tool.definitions": "pay, look"}, None),
        ({"gen_ai.tool.definitions": 7}, None),
        ({}, None),
    ],
)
def test_an_agent_says_how_many_tools_it_has(said: dict[str, Any], offered: int | None) -> None:
    assert normalise(make_span(LANGCHAIN, {"openinference.span.kind": "AGENT", **said})).tools_offered == offered
