"""The desk as OpenInference's LangChain instrumentation writes a LangGraph graph."""

import json
from collections.abc import Sequence
from typing import Any

from demo_data.desk.writer import NAME, Documents, MaybeOpen, Message, Open, Writer
from demo_data.dialects import openinference as oi
from demo_data.errors import Sdk
from demo_data.models import Reply, ToolCall
from demo_data.plan import PlannedSpan


class OpenInference(Writer):
    """LangGraph, OpenInference."""

    dialect = "openinference"
    sdk = Sdk.LANGCHAIN

    @property
    def _session(self) -> dict[str, Any]:
        return {"session_id": self.session, "thread_id": self.thread, "ls_integration": "langgraph"}

    @property
    def _metadata(self) -> dict[str, Any]:
        return oi.langgraph_metadata(self.node, self.visits, self.checkpoint.partition(":")[2])

    def run(self, question: str) -> Open:
        return self.script.span(NAME, oi.SCOPE, oi.chain(self._session, question))

    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        oi.finish_chain(root, answer)

    def step(self, given: str) -> MaybeOpen:
        return self.script.span(self.node, oi.SCOPE, oi.chain(self._session, given, metadata=self._metadata))

    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        if span is not None:
            oi.finish_chain(span, {"result": result})

    def inner(self, name: str, given: str) -> MaybeOpen:
        return self.script.span(name, oi.SCOPE, oi.chain(self._session, given, metadata=self._metadata))

    def agent(self, name: str, given: str) -> MaybeOpen:
        self.visit(name)
        return self.step(given)

    def model(self, messages: Sequence[Message]) -> Open:
        system, prompt = messages[0].text, "\n".join(message.text for message in messages[1:])
        attributes = oi.model_call(self._session, system, prompt, "gpt-4o-mini", metadata=self._metadata)
        return self.script.span("ChatOpenAI", oi.SCOPE, attributes)

    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        oi.finish_model_call(span, answer)

    def tool(self, call: ToolCall) -> Open:
        about = "A tool of the desk"
        attributes = oi.tool_call(self._session, call.name, about, call.arguments, metadata=self._metadata)
        return self.script.span(call.name, oi.SCOPE, attributes)

    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        oi.finish_tool_call(span, text, call.call_id, status="error" if failed else "success")

    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        given = json.dumps([{"name": call.name, "args": json.loads(call.arguments), "id": call.call_id}])
        said = {"content": text, "type": "tool", "name": call.name, "tool_call_id": call.call_id, "status": "error"}
        with self.script.span("tools", oi.SCOPE, oi.chain(self._session, given, metadata=self._metadata)) as span:
            self.script.wait(1)
            oi.finish_chain(span, {"messages": [{"type": "tool", "data": said}]})
        return span

    def retriever(self, query: str) -> Open:
        attributes = oi.retriever(self._session, query, "policy", metadata=self._metadata)
        return self.script.span("PolicyRetriever", oi.SCOPE, attributes)

    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        oi.finish_retriever(span, list(found))

    def check(self, name: str) -> dict[str, Any]:
        return {"openinference.span.kind": "GUARDRAIL", "input.value": self.node}

    def pause_for_human(self, question: str) -> None:
        with self.script.span("approval", oi.SCOPE, oi.chain(self._session, question, metadata=self._metadata)) as node:
            self.script.wait(4)
            node.events.append(oi.interrupt_event(question, self.script.hex(32), self.script.now_ns))
