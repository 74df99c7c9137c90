"""The desk as OpenLLMetry's LangChain instrumentation writes a LangGraph graph (0.62.4)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

from demo_data.desk.genai import rendered
from demo_data.desk.writer import NAME, Documents, MaybeOpen, Message, Open, Writer
from demo_data.dialects.openinference import exception_event
from demo_data.errors import Sdk
from demo_data.models import Reply, ToolCall
from demo_data.plan import PlannedSpan, Raised, Scope


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with the bare message, one exception event; all but the outer root also say class and failure."""
    span.status = StatusCode.ERROR
    span.status_message = error.message
    span.events.append(exception_event(error.error_class, error.message, error.stacktrace(), now_ns))
    if "traceloop.workflow.name" in span.attributes:
        span.attributes["error.type"] = error.short_class
        span.attributes["gen_ai.task.status"] = "failure"


SCOPE = Scope("opentelemetry.instrumentation.langchain", "0.62.4", StatusCode.UNSET, _fail)
PROPERTIES = "traceloop.association.properties."
MODEL = "gpt-4o-mini"


class OpenLlmetry(Writer):
    """LangGraph, OpenLLMetry."""

    dialect = "openllmetry"
    sdk = Sdk.LANGCHAIN

    def _attributes(self, *, inside: bool = True) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "traceloop.workflow.name": NAME,
            "traceloop.entity.path": self.node if inside else "",
            PROPERTIES + "session_id": self.session,
            PROPERTIES + "thread_id": self.thread,
            PROPERTIES + "ls_integration": "langgraph",
        }
        if inside:
            attributes[PROPERTIES + "langgraph_step"] = self.visits
            attributes[PROPERTIES + "langgraph_node"] = self.node
            attributes[PROPERTIES + "langgraph_checkpoint_ns"] = self.checkpoint
        return attributes

    @contextmanager
    def run(self, question: str) -> Iterator[PlannedSpan]:
        outer = {
            "gen_ai.provider.name": "langgraph",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": NAME,
            "gen_ai.conversation.id": self.thread,
            "gen_ai.workflow.nodes": ["triage", "search", "work", "draft", "send"],
        }
        given = json.dumps({"inputs": {"question": question}, "tags": [], "metadata": {}})
        inner = {
            **self._attributes(inside=False),
            "traceloop.span.kind": "workflow",
            "traceloop.entity.name": NAME,
            "gen_ai.provider.name": "langgraph",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": NAME,
            "traceloop.entity.input": given,
            "gen_ai.task.input": given,
        }
        with (
            self.script.span(f"invoke_agent {NAME}", SCOPE, outer),
            self.script.span(f"{NAME}.workflow", SCOPE, inner) as span,
        ):
            yield span

    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        self._finish(root, {"outputs": {"answer": answer}})

    def _finish(self, span: PlannedSpan, result: Any) -> None:
        text = json.dumps(result)
        span.attributes |= {
            "gen_ai.task.status": "success",
            "traceloop.entity.output": text,
            "gen_ai.task.output": text,
        }

    def step(self, given: str) -> MaybeOpen:
        return self.inner(self.node, given)

    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        if span is not None:
            self._finish(span, {"outputs": {"result": result}})

    def inner(self, name: str, given: str) -> Open:
        text = json.dumps({"inputs": {"given": given}, "tags": [], "metadata": {"langgraph_step": self.visits}})
        attributes = {
            **self._attributes(),
            "traceloop.span.kind": "task",
            "traceloop.entity.name": name,
            "gen_ai.provider.name": "langgraph",
            "gen_ai.operation.name": "execute_task",
            "gen_ai.task.name": name,
            "traceloop.entity.input": text,
            "gen_ai.task.input": text,
        }
        return self.script.span(f"execute_task {name}", SCOPE, attributes)

    def agent(self, name: str, given: str) -> MaybeOpen:
        self.visit(name)
        return self.step(given)

    def model(self, messages: Sequence[Message]) -> Open:
        attributes = {
            **self._attributes(),
            PROPERTIES + "ls_provider": "openai",
            PROPERTIES + "ls_model_name": MODEL,
            "gen_ai.provider.name": "openai",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": MODEL,
            "gen_ai.input.messages": rendered(messages),
        }
        return self.script.span("ChatOpenAI.chat", SCOPE, attributes, kind=SpanKind.CLIENT)

    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        reason = "tool_calls" if answer.tool_call else answer.finish_reason
        span.attributes |= {
            "gen_ai.response.model": answer.model,
            "gen_ai.response.id": answer.response_id,
            "gen_ai.usage.input_tokens": answer.tokens_input,
            "gen_ai.usage.output_tokens": answer.tokens_output,
            "gen_ai.usage.total_tokens": answer.tokens_input + answer.tokens_output,
            "gen_ai.output.messages": rendered([Message("assistant", answer.text, answer.tool_call)]),
            "gen_ai.response.finish_reasons": [reason],
        }

    def tool(self, call: ToolCall) -> Open:
        arguments = json.loads(call.arguments)
        given = {"input_str": str(arguments), "tags": ["seq:step:1"], "metadata": {"langgraph_step": self.visits}}
        text = json.dumps({**given, "inputs": arguments, "kwargs": {"tool_call_id": call.call_id}})
        attributes = {
            **self._attributes(),
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": call.name,
            "gen_ai.provider.name": "langgraph",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": "A tool of the desk",
            "traceloop.entity.input": text,
            "gen_ai.tool.call.arguments": text,
        }
        return self.script.span(f"execute_tool {call.name}", SCOPE, attributes)

    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        result = json.dumps({"output": self._message(call, text, failed=failed), "kwargs": {"name": call.name}})
        span.attributes |= {
            "gen_ai.task.status": "success",
            "traceloop.entity.output": result,
            "gen_ai.tool.call.result": result,
        }

    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        with self.inner("tools", call.arguments) as span:
            self.script.wait(1)
            self._finish(span, {"outputs": {"messages": [self._message(call, text, failed=True)]}, "kwargs": {}})
        return span

    def _message(self, call: ToolCall, text: str, *, failed: bool) -> dict[str, Any]:
        about = {"type": "tool", "name": call.name, "tool_call_id": call.call_id}
        if failed:
            about["status"] = "error"
        kind = ["langchain", "schema", "messages", "ToolMessage"]
        return {"lc": 1, "type": "constructor", "id": kind, "kwargs": {"content": text, **about}}

    def retriever(self, query: str) -> Open:
        text = json.dumps({"query": query, "tags": ["seq:step:1"], "metadata": {"langgraph_step": self.visits}})
        attributes = {
            **self._attributes(),
            "traceloop.span.kind": "task",
            "traceloop.entity.name": "PolicyRetriever",
            "gen_ai.operation.name": "vector_db_retrieve",
            "gen_ai.provider.name": "langgraph",
            "traceloop.entity.input": text,
            "gen_ai.task.input": text,
        }
        return self.script.span("vector_db_retrieve PolicyRetriever", SCOPE, attributes, kind=SpanKind.CLIENT)

    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        documents = [
            {"page_content": text, "metadata": {"source": name, "score": score}} for name, text, score in found
        ]
        self._finish(span, {"documents": documents, "count": len(documents)})

    def pause_for_human(self, question: str) -> None:
        message = f"(Interrupt(value={question!r}, id={self.script.hex(32)!r}, response_schema=None),)"
        with self.inner("approval", question) as span:
            self.script.wait(4)
            span.status = StatusCode.ERROR
            span.status_message = message
            event = exception_event("langgraph.errors.GraphInterrupt", message, message, self.script.now_ns)
            span.events.append(event)
