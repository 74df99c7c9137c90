"""Rules that hold whatever the framework, and those of frameworks of which no recording is at hand."""

import json
from typing import Any

import pytest

from collector.dialects import normalise
from schemas.records import Normalised, SpanEvent
from tests.collector.dialects.spans import exception, make_span

ERROR = 2
OK = 1
EXECUTE = {"gen_ai.operation.name": "execute_tool"}
CHAT = {"gen_ai.operation.name": "chat"}
LANGCHAIN = "openinference.instrumentation.langchain"
TRACEBACK = 'Traceback (most recent call last):\n  File "/app/x.py", line 1, in f\n'


def tool(output: Any, scope: str = "my.app") -> Normalised:
    """A tool span that claims success with this output."""
    text = output if isinstance(output, str) else json.dumps(output)
    return normalise(
        make_span(
            scope,
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": text},
        )
    )


class TestNeverAFailure:
    @pytest.mark.parametrize(
        "name",
        ["langgraph.errors.GraphInterrupt", "NodeInterrupt", "pydantic_ai.exceptions.ApprovalRequired", "CallDeferred",
         "crewai.flow.HumanFeedbackPending", "agent_framework.exceptions.UserInputRequiredException"],
    )  # fmt: skip
    @pytest.mark.parametrize("status", [0, OK, ERROR])
    @pytest.mark.parametrize("scope", ["langsmith", LANGCHAIN])
    def test_waiting_for_a_human_is_an_interrupt(self, name: str, status: int, scope: str) -> None:
        said = normalise(make_span(scope, {}, status=status, events=(exception(name, "approve?"),)))
        assert (said.failed, said.interrupted, said.error_type) == (False, True, None)

    @pytest.mark.parametrize(
        "name",
        ["langgraph.errors.ParentCommand", "GraphBubbleUp", "GraphDrained", "GeneratorExit", "StopAsyncIteration",
         "smolagents.FinalAnswerException"],
    )  # fmt: skip
    @pytest.mark.parametrize("status", [0, OK, ERROR])
    def test_control_flow_is_nothing(self, name: str, status: int) -> None:
        said = normalise(make_span("langsmith", {}, status=status, events=(exception(name, ""),)))
        assert (said.failed, said.interrupted, said.error_type) == (False, False, None)

    def test_an_interrupt_told_only_by_message(self) -> None:
        event = exception("Exception", f"GraphInterrupt((Interrupt(value='ok?', id='1'),)){TRACEBACK}")
        said = normalise(make_span("langsmith", {}, status=ERROR, events=(event,)))
        assert said.interrupted
        assert not said.failed

    def test_a_cancelled_generator_of_a_span_that_is_ok(self) -> None:
        event = exception("asyncio.exceptions.CancelledError", "")
        said = normalise(make_span("openinference.instrumentation.autogen_agentchat", {}, status=OK, events=(event,)))
        assert not said.failed

    def test_a_cancelled_sibling_is_collateral(self) -> None:
        event = exception("asyncio.exceptions.CancelledError", "<object object at 0x7f>")
        said = normalise(make_span(LANGCHAIN, {}, status=ERROR, events=(event,)))
        assert said.failed
        assert said.collateral

    def test_a_handled_exception_of_a_span_that_says_ok(self) -> None:
        assert not normalise(make_span(status=OK, events=(exception("ValueError", "x"),))).failed


class TestErrorWords:
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
    def test_one_form(
        self, status: str, attributes: dict[str, Any], events: tuple[SpanEvent, ...], expected: tuple[Any, Any]
    ) -> None:
        said = normalise(make_span("my.app", attributes, status=ERROR, message=status, events=events))
        assert said.failed
        assert (said.error_type, said.error_message) == expected

    def test_a_group_names_the_exception_inside(self) -> None:
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

    def test_the_last_of_several_exceptions_counts(self) -> None:
        said = normalise(make_span(status=ERROR, events=(exception("ValueError", "1"), exception("KeyError", "2"))))
        assert (said.error_type, said.error_message) == ("KeyError", "2")


class TestInBandErrors:
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
    def test_an_error_in_a_tool_s_output(self, output: Any, text: str, kind: str | None) -> None:
        said = tool(output)
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
    def test_what_only_looks_like_one(self, output: Any) -> None:
        assert tool(output).in_band_error is None

    @pytest.mark.parametrize(
        ("output", "kind"),
        [('{"documents": []}', "empty"), ("[]", "empty"), ('{"matches": [], "usage": 5}', "empty"),
         ('{"documents": [{"id": 1}]}', "json"), ('{"deleted": []}', "json")],
    )  # fmt: skip
    def test_a_look_up_that_found_nothing_has_an_empty_output(self, output: str, kind: str) -> None:
        attributes = {"openinference.span.kind": "RETRIEVER", "output.value": output}
        assert normalise(make_span(LANGCHAIN, attributes)).output_kind == kind

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
    def test_an_agent_says_how_many_tools_it_has(self, said: dict[str, Any], offered: int | None) -> None:
        assert normalise(make_span(LANGCHAIN, {"openinference.span.kind": "AGENT", **said})).tools_offered == offered

    def test_a_failed_span_needs_no_second_error(self) -> None:
        said = normalise(
            make_span(
                attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": "Error: x"},
                status=ERROR, message="ValueError: x",
            )
        )  # fmt: skip
        assert said.failed
        assert said.in_band_error is None

    def test_a_model_may_speak_of_errors(self) -> None:
        attributes = {"openinference.span.kind": "LLM", "output.value": "Error: I cannot do that"}
        assert normalise(make_span(LANGCHAIN, attributes)).in_band_error is None

    def test_a_state_that_went_on_after_a_tool_error_is_none(self) -> None:
        failed = {"type": "tool", "data": {"type": "tool", "content": "Error: x", "status": "error"}}
        answer = {"type": "ai", "data": {"content": "sorry"}}
        for messages, expected in (([failed], "Error: x"), ([failed, answer], None)):
            output = json.dumps({"messages": messages})
            said = normalise(make_span(LANGCHAIN, {"openinference.span.kind": "CHAIN", "output.value": output}))
            assert said.in_band_error == expected

    def test_the_text_is_capped(self) -> None:
        assert tool("Error: " + "x" * 9_000).in_band_error == "Error: " + "x" * 493


class TestHashes:
    def test_arguments_in_another_order_are_equal(self) -> None:
        one, two, other = (
            normalise(make_span(attributes={**EXECUTE, "gen_ai.tool.call.arguments": text}))
            for text in ('{"a":1,"b":[2]}', ' { "b": [2], "a": 1 } ', '{"a":1,"b":[3]}')
        )  # fmt: skip
        assert one.input_hash == two.input_hash != other.input_hash

    def test_structured_and_textual_arguments_are_equal(self) -> None:
        one, two = (
            normalise(make_span(attributes={**EXECUTE, "gen_ai.tool.call.arguments": value}))
            for value in ('{"a":1}', {"a": 1})
        )  # fmt: skip
        assert one.input_hash == two.input_hash

    def test_a_result_is_the_same_whatever_its_call_id(self) -> None:
        one, two = (
            tool({"output": {"content": "42", "tool_call_id": call, "status": "success"}}) for call in ("c1", "c2")
        )
        assert one.output_hash == two.output_hash

    def test_a_node_s_input_is_equal_at_another_step(self) -> None:
        def task(step: int) -> Normalised:
            wrapped = {"inputs": {"q": "x"}, "tags": [f"graph:step:{step}"], "metadata": {"langgraph_step": step}}
            attributes = {"traceloop.span.kind": "task", "gen_ai.task.input": json.dumps(wrapped)}
            return normalise(make_span("opentelemetry.instrumentation.langchain", attributes))

        assert task(1).input_hash == task(7).input_hash is not None

    def test_long_inputs_differ_by_their_end(self) -> None:
        one, two = (
            normalise(make_span(attributes={**CHAT, "gen_ai.input.messages": "x" * 50_000 + end}))
            for end in "ab"
        )  # fmt: skip
        assert one.input_hash != two.input_hash


class TestPlainSpans:
    def test_a_root_of_no_dialect_is_a_workflow(self) -> None:
        said = normalise(make_span(name="nightly", parent=None, resource={"service.name": "svc"}))
        assert (said.dialect, said.step_kind, said.step_name, said.workflow) == (
            "generic",
            "workflow",
            "nightly",
            "nightly",
        )
        assert said.gaps == ("dialect",)

    def test_below_it_is_a_step(self) -> None:
        said = normalise(make_span(name="collect"))
        assert (said.step_kind, said.step_name, said.workflow) == ("chain", "collect", None)

    def test_conventions_without_a_known_scope(self) -> None:
        said = normalise(make_span(attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}))
        assert (said.dialect, said.step_kind, said.step_name, said.agent) == ("genai", "agent", "writer", "writer")
        said = normalise(make_span(attributes={"openinference.span.kind": "TOOL", "tool.name": "search"}))
        assert (said.dialect, said.step_kind, said.step_name) == ("openinference", "tool", "search")

    @pytest.mark.parametrize("key", ["http.request.method", "http.method", "rpc.system", "messaging.system"])
    def test_transport_is_no_step(self, key: str) -> None:
        assert normalise(make_span(name="GET /", attributes={key: "x"}, parent=None)).step_kind == "transport"

    def test_a_client_request_with_an_error_status_failed(self) -> None:
        said = normalise(
            make_span(attributes={"http.request.method": "POST", "http.response.status_code": 429}, kind=3)
        )
        assert (said.dialect, said.failed, said.error_type) == ("http", True, "429")

    def test_old_names_are_read(self) -> None:
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

    def test_a_framework_is_no_provider(self) -> None:
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "langgraph", "gen_ai.system": "openai"}
        assert normalise(make_span(attributes=attributes)).provider == "openai"

    def test_the_resource_names_service_environment_and_framework(self) -> None:
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

    def test_benchmark_traffic_reads_like_the_real_thing(self) -> None:
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


class TestFrameworks:
    """From the instrumentors' sources: (scope, span name, attributes, root) -> (kind, step name)."""

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
    def test_kind_and_name(self, scope: str, name: str, attributes: dict[str, Any], expected: tuple[str, str]) -> None:
        said = normalise(make_span(scope, attributes, name=name))
        assert (said.step_kind, said.step_name) == expected

    def test_a_waiting_n8n_run_is_pending_and_keyed_by_its_instance(self) -> None:
        attributes = {"n8n.workflow.name": "w", "n8n.execution.id": "7", "n8n.execution.status": "waiting"}
        said = normalise(
            make_span("n8n-workflow", attributes, name="workflow.execute", resource={"n8n.instance.id": "abc"})
        )
        assert (said.interrupted, said.failed, said.run_key, said.workflow) == (True, False, "n8n:abc/7", "w")

    def test_google_s_placeholder_is_no_call_id(self) -> None:
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "<not specified>"}
        assert normalise(make_span("gcp.vertex.agent", attributes)).tool_call_id is None

    def test_the_agent_s_totals_are_sums(self) -> None:
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 9}
        said = normalise(make_span("agent_framework", attributes))
        assert (said.tokens_input, said.tokens_are_sum) == (9, True)

    def test_hidden_resends_are_told(self) -> None:
        attributes = {"gen_ai.operation.name": "chat", "http.request.resend_count": 2}
        assert normalise(make_span("com.anthropic.sdk.python", attributes)).resend_count == 2

    def test_a_query_engine_at_the_top_is_a_workflow_named_after_its_class(self) -> None:
        span = make_span(
            "openinference.instrumentation.llama_index",
            {"openinference.span.kind": "CHAIN"},
            name="RetrieverQueryEngine.query",
            parent=None,
        )
        said = normalise(span)
        assert (said.step_kind, said.workflow) == ("workflow", "RetrieverQueryEngine")

    @pytest.mark.parametrize(
        ("scope", "output"),
        [
            ("smolagents", json.dumps({"raw": "ChatCompletion(id='c1', choices=[Choice(finish_reason='length'"})),
            ("haystack", json.dumps({"replies": ["ChatMessage(_meta={'model': 'm', 'finish_reason': 'length'})"]})),
            ("autogen_agentchat", '{"finish_reason": "length", "content": "x"}'),
        ],
    )
    def test_why_a_model_stopped_is_read_from_what_is_printed(self, scope: str, output: str) -> None:
        attributes = {"openinference.span.kind": "LLM", "output.value": output}
        assert normalise(make_span(f"openinference.instrumentation.{scope}", attributes)).finish_reason == "length"

    def test_finish_reasons_written_as_json_are_read(self) -> None:
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": '["content_filter"]'}
        assert normalise(make_span("agent_framework", attributes)).finish_reason == "content_filter"

    def test_an_id_that_langchain_made_up_is_no_response_id(self) -> None:
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.id": "lc_run--01a204bd"}
        assert normalise(make_span("agent_framework", attributes)).response_id is None

    def test_a_call_that_the_agent_framework_refused_is_told_by_the_next_model_call(self) -> None:
        refused = 'Error: Requested function "nope" not found.'
        messages = [
            {"role": "user", "parts": [{"type": "text", "content": "x"}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": refused}]},
        ]
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(messages)}
        assert normalise(make_span("agent_framework", attributes)).in_band_error == refused

    def test_a_call_of_an_unknown_tool_is_in_the_result_that_llama_index_prints(self) -> None:
        output = (
            "ToolCallResult(tool_name='nope', tool_output=ToolOutput(blocks=[TextBlock("
            "text='Tool nope not found. Please select a to..."
        )
        attributes = {"openinference.span.kind": "CHAIN", "output.value": output}
        said = normalise(make_span("openinference.instrumentation.llama_index", attributes, name="A.call_tool"))
        assert said.in_band_error == "Tool nope not found. Please select a to..."

    def test_a_stream_writer_of_mcp_has_not_failed(self) -> None:
        span = make_span("opentelemetry.instrumentation.mcp", name="ResponseStreamWriter", status=ERROR, message="no")
        assert not normalise(span).failed


@pytest.mark.parametrize(("status", "said"), [("error", "Error: ConnectionError"), ("success", None)])
def test_a_tool_status_of_error_fails_a_tool_whose_span_is_ok(status: str, said: str | None) -> None:
    """Strands Agents ends the span of a tool that failed with OK, and says so in gen_ai.tool.status."""
    event = SpanEvent(5, "gen_ai.choice", {"message": "Error: ConnectionError", "id": "c"}, 0)
    attributes = {**EXECUTE, "gen_ai.tool.name": "lookup", "gen_ai.tool.status": status}
    found = normalise(make_span("strands.telemetry.tracer", attributes, status=OK, events=(event,)))
    assert (found.failed, found.in_band_error) == (False, said)


class TestWhatAFrameworkSaysElsewhere:
    """Words that stand neither in the status nor in the usual attribute."""

    def test_smolagents_ran_out_of_steps(self) -> None:
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

    @pytest.mark.parametrize("message", ["", "tool_error"])
    def test_a_failed_tool_says_in_its_result_what_was_wrong(self, message: str) -> None:
        result = '{"isError": true, "content": [{"type": "text", "text": "Unknown tool: pay"}]}'
        said = {**EXECUTE, "gen_ai.tool.name": "pay", "error.type": "tool_error", "gen_ai.tool.call.result": result}
        got = normalise(make_span("opentelemetry.util.genai.handler", said, status=ERROR, message=message))
        assert (got.failed, got.error_type, got.error_message) == (True, "tool_error", "Unknown tool: pay")
        assert got.in_band_error is None

    def test_what_a_status_says_of_a_failed_tool_comes_first(self) -> None:
        said = {**EXECUTE, "gen_ai.tool.call.result": '{"error": "no such order"}'}
        got = normalise(make_span("my.app", said, status=ERROR, message="ValueError: wrong id"))
        assert got.error_message == "wrong id"

    def test_adk_describes_a_tool_that_does_not_exist(self) -> None:
        said = {**EXECUTE, "gen_ai.tool.name": "pay", "gen_ai.tool.description": "Tool not found"}
        said["error.type"] = "ValueError"
        got = normalise(make_span("gcp.vertex.agent", said, status=ERROR, message="ValueError"))
        assert (got.error_type, got.error_message) == ("ValueError", "Tool not found")

    def test_a_deferred_tool_of_pydantic_ai_waits(self) -> None:
        said = {**EXECUTE, "pydantic_ai.tool.deferral.name": "ApprovalRequired"}
        assert normalise(make_span("pydantic-ai", said)).interrupted
        assert not normalise(make_span("pydantic-ai", {**EXECUTE})).interrupted

    def test_blocks_of_llama_index_are_unwrapped(self) -> None:
        scope = "openinference.instrumentation.llama_index"
        for text, error in (("Error: no such order", "Error: no such order"), ('{"error": "closed"}', "closed")):
            result = json.dumps({"blocks": [{"text": text}], "tool_name": "find", "is_error": False})
            said = {"openinference.span.kind": "TOOL", "tool.name": "find", "output.value": result}
            assert normalise(make_span(scope, said, status=OK)).in_band_error == error
        flagged = json.dumps({"blocks": [{"text": "closed"}], "tool_name": "find", "is_error": True})
        said = {"openinference.span.kind": "TOOL", "tool.name": "find", "output.value": flagged}
        assert normalise(make_span(scope, said, status=OK)).in_band_error == "closed"

    def test_a_class_as_python_prints_it(self) -> None:
        said = {**CHAT, "error.type": "<class 'kernel.exceptions.ServiceResponseException'>"}
        assert normalise(make_span("my.app", said, status=ERROR)).error_type == "ServiceResponseException"


class TestWhyAModelStopped:
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
    def test_wherever_it_is_told(self, said: dict[str, Any], reason: str | None) -> None:
        assert normalise(make_span("my.app", {**CHAT, **said})).finish_reason == reason

    def test_in_the_event_of_a_choice(self) -> None:
        events = (SpanEvent(5, "gen_ai.choice", {"finish_reason": "max_tokens", "message": "cut"}, 0),)
        assert normalise(make_span("strands.telemetry.tracer", {**CHAT}, events=events)).finish_reason == "length"


class TestHandoffs:
    @pytest.mark.parametrize(
        ("scope", "name", "tool"),
        [
            ("openinference.instrumentation.autogen_agentchat", "triage.transfer_to_billing", "transfer_to_billing"),
            ("openinference.instrumentation.llama_index", "FunctionTool.acall", "handoff"),
        ],
    )
    def test_of_openinference_go_by_the_tool(self, scope: str, name: str, tool: str) -> None:
        said = {"openinference.span.kind": "TOOL", "tool.name": tool}
        assert normalise(make_span(scope, said, name=name)).step_kind == "handoff"

    def test_handoff_is_a_word_of_llama_index_alone(self) -> None:
        said = {"openinference.span.kind": "TOOL", "tool.name": "handoff"}
        assert normalise(make_span(LANGCHAIN, said, name="handoff")).step_kind == "tool"

    def test_of_strands(self) -> None:
        said = {**EXECUTE, "gen_ai.tool.name": "handoff_to_agent"}
        assert normalise(make_span("strands.telemetry.tracer", said)).step_kind == "handoff"


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
    "said", [{"n8n.node.type": "a", "n8n.node.termination_reason": "workflow_cancelled"},
             {"n8n.workflow.id": "1", "n8n.execution.status": "canceled"}],
)  # fmt: skip
def test_what_n8n_cancelled_has_not_failed_by_itself(said: dict[str, Any]) -> None:
    got = normalise(make_span("n8n-workflow", said, name="node.execute", status=ERROR))
    assert (got.failed, got.collateral, got.error_type) == (True, True, "Cancelled")
    own = normalise(make_span("n8n-workflow", said, status=ERROR, events=(exception("NodeApiError", "slow"),)))
    assert (own.collateral, own.error_type) == (False, "NodeApiError")
