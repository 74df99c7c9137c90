"""The desk as LangSmith's OpenTelemetry export writes a LangGraph graph (0.15.0)."""

import json
from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import StatusCode

from demo_data.desk.writer import NAME, Documents, MaybeOpen, Message, Open, Writer
from demo_data.dialects.openinference import exception_event
from demo_data.errors import Sdk
from demo_data.models import Reply, ToolCall
from demo_data.plan import SECOND, PlannedSpan, Raised, Scope

BATCH_NS = SECOND
"""A span that is open for longer than this stays OK although it failed."""


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """No words in the status, and often not even ERROR; the exception is always an `Exception`."""
    if now_ns - span.start_ns < BATCH_NS:
        span.status = StatusCode.ERROR
    span.attributes["gen_ai.completion"] = "{}"
    text = f"{error.short_class}({error.message!r}){error.stacktrace()}"
    span.events.append(exception_event("Exception", text, f"Exception: {text}", now_ns))


SCOPE = Scope("langsmith", None, StatusCode.OK, _fail)
METADATA = "langsmith.metadata."


class LangSmith(Writer):
    """LangGraph, LangSmith's export."""

    dialect = "langsmith"
    sdk = Sdk.LANGCHAIN

    def _attributes(self, kind: str, operation: str, name: str, given: Any, *, inside: bool = True) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "langsmith.span.kind": kind,
            "langsmith.trace.name": name,
            "langsmith.trace.session_name": "service-desk",
            "gen_ai.operation.name": operation,
            "gen_ai.system": "langchain",
            METADATA + "session_id": self.session,
            METADATA + "thread_id": self.thread,
            METADATA + "ls_integration": "langgraph",
            "gen_ai.prompt": json.dumps(given),
        }
        if inside:
            attributes[METADATA + "langgraph_step"] = self.visits
            attributes[METADATA + "langgraph_node"] = self.node
            attributes[METADATA + "langgraph_checkpoint_ns"] = self.checkpoint
        return attributes

    def run(self, question: str) -> Open:
        return self.script.span(
            NAME, SCOPE, self._attributes("chain", "chain", NAME, {"question": question}, inside=False)
        )

    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        root.attributes["gen_ai.completion"] = json.dumps({"answer": answer})

    def step(self, given: str) -> MaybeOpen:
        return self.inner(self.node, given)

    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        if span is not None:
            span.attributes["gen_ai.completion"] = json.dumps({"result": result})

    def inner(self, name: str, given: str) -> MaybeOpen:
        return self.script.span(name, SCOPE, self._attributes("chain", "chain", name, {"given": given}))

    def agent(self, name: str, given: str) -> MaybeOpen:
        self.visit(name)
        return self.step(given)

    def model(self, messages: Sequence[Message]) -> Open:
        given = {"messages": [[{"lc": 1, "kwargs": {"content": m.text, "type": m.role}} for m in messages]]}
        attributes = self._attributes("llm", "chat", "ChatOpenAI", given) | {
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            METADATA + "ls_integration": "langchain_chat_model",
            METADATA + "ls_provider": "openai",
            METADATA + "ls_model_name": "gpt-4o-mini",
        }
        return self.script.span("ChatOpenAI", SCOPE, attributes)

    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        reason = "tool_calls" if answer.tool_call else answer.finish_reason
        about = {"model_name": answer.model, "id": answer.response_id, "finish_reason": reason}
        calls = [{"name": answer.tool_call.name, "id": answer.tool_call.call_id}] if answer.tool_call else []
        message = {"kwargs": {"content": answer.text, "response_metadata": about, "type": "ai", "tool_calls": calls}}
        generation = {"text": answer.text, "generation_info": {"finish_reason": reason}, "type": "ChatGeneration"}
        span.attributes |= {
            "gen_ai.completion": json.dumps({"generations": [[{**generation, "message": message}]], "run": None}),
            "gen_ai.usage.input_tokens": answer.tokens_input,
            "gen_ai.usage.output_tokens": answer.tokens_output,
        }

    def tool(self, call: ToolCall) -> Open:
        given = json.loads(call.arguments)
        attributes = self._attributes("tool", "execute_tool", call.name, given) | {
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.call.id": call.call_id,
        }
        return self.script.span(call.name, SCOPE, attributes)

    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        span.attributes["gen_ai.completion"] = json.dumps({"output": self._message(call, text, failed=failed)})

    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        given = {"input": [{"name": call.name, "args": json.loads(call.arguments), "id": call.call_id}]}
        with self.script.span("tools", SCOPE, self._attributes("chain", "chain", "tools", given)) as span:
            self.script.wait(1)
            span.attributes["gen_ai.completion"] = json.dumps({"messages": [self._message(call, text, failed=True)]})
        return span

    def _message(self, call: ToolCall, text: str, *, failed: bool) -> dict[str, Any]:
        block = {"type": "text", "text": text, "id": f"lc_{self.script.uuid()}"}
        status = {"status": "error"} if failed else {}
        return {"content": [block], "type": "tool", "name": call.name, "tool_call_id": call.call_id, **status}

    def retriever(self, query: str) -> Open:
        attributes = self._attributes("retriever", "embeddings", "PolicyRetriever", {"query": query})
        return self.script.span("PolicyRetriever", SCOPE, attributes)

    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        documents = [
            {"metadata": {"source": name, "score": score}, "page_content": text} for name, text, score in found
        ]
        span.attributes["gen_ai.completion"] = json.dumps({"documents": documents})

    def pause_for_human(self, question: str) -> None:
        text = f"GraphInterrupt((Interrupt(value={question!r}, id={self.script.hex(32)!r}),))"
        with self.script.span("approval", SCOPE, self._attributes("chain", "chain", "approval", {})) as span:
            self.script.wait(4)
            span.status = StatusCode.ERROR
            span.events.append(exception_event("Exception", text, f"Exception: {text}", self.script.now_ns))
