"""The desk as Pydantic AI writes it: an agent that has its steps done by other agents, each behind a tool."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import SpanKind

from demo_data.desk.writer import NAME, Documents, MaybeOpen, Message, Open, Writer, no_span
from demo_data.dialects import pydantic_ai as pai
from demo_data.errors import Sdk
from demo_data.models import Reply, ToolCall, reply
from demo_data.plan import PlannedSpan

MODEL = "gpt-4o-mini"
TOOLS = json.dumps([{"type": "function", "name": name} for name in ("lookup_order", "send_reply")])


class PydanticAi(Writer):
    """Pydantic AI, its own spans."""

    dialect = "pydantic_ai"
    sdk = Sdk.PYDANTIC_AI
    is_graph = False
    inner_tells = False
    retries_steps = False

    def _identity(self, agent: str) -> dict[str, Any]:
        return pai.identity(agent, self.script.uuid(), self.thread)

    @contextmanager
    def run(self, question: str) -> Iterator[PlannedSpan]:
        self.asked = [Message("system", "You run a service desk."), Message("user", question)]
        self.who = self._identity(NAME)
        self.desk = self.who
        attributes = pai.agent_run(self.who, MODEL, "You run a service desk.")
        with self.script.span(f"invoke_agent {NAME}", pai.SCOPE, attributes) as span:
            yield span

    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        root.attributes["final_result"] = answer

    @contextmanager
    def step(self, given: str) -> Iterator[PlannedSpan]:
        """The model asks for the step's tool, and the tool runs an agent."""
        call = ToolCall(f"call_{self.script.hex(10)}", f"do_{self.node}", json.dumps({"given": given}))
        with self.model(self.asked) as span:
            answer = reply(self.script.rng, "gpt-4o-mini-2024-07-18", given, "", tool_call=call)
            self.script.wait(answer.latency_ms)
            self.finish_model(span, answer)
        self.asked.append(Message("assistant", "", call))
        self.script.wait(1)
        with self.script.span(
            f"execute_tool {call.name}", pai.SCOPE, pai.tool_run(self.who, call.name, call.call_id, call.arguments)
        ) as tool:
            self.behind = tool
            self.who = self._identity(self.node)
            attributes = pai.agent_run(self.who, MODEL, f"You do {self.node}.")
            try:
                with self.script.span(f"invoke_agent {self.node}", pai.SCOPE, attributes) as span:
                    yield span
            finally:
                self.who = self.desk
                self.asked.append(Message("tool", "done", call))
            tool.attributes["gen_ai.tool.call.result"] = span.attributes["final_result"]

    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        if span is not None:
            span.attributes["final_result"] = result

    def stands_for(self, span: PlannedSpan | None) -> PlannedSpan | None:
        return self.behind

    def inner(self, name: str, given: str) -> MaybeOpen:
        return no_span()

    @contextmanager
    def agent(self, name: str, given: str) -> Iterator[PlannedSpan]:
        before, self.who = self.who, self._identity(name)
        attributes = pai.agent_run(self.who, MODEL, f"You are {name}.")
        with self.script.span(f"invoke_agent {name}", pai.SCOPE, attributes) as span:
            yield span
        self.who = before

    def model(self, messages: Sequence[Message]) -> Open:
        said = [_message(message) for message in messages if message.role != "system"]
        attributes = pai.model_call(self.who, MODEL, said, TOOLS)
        return self.script.span(f"chat {MODEL}", pai.SCOPE, attributes, kind=SpanKind.CLIENT)

    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        reason = "tool_call" if answer.tool_call else answer.finish_reason
        pai.finish_model_call(span, answer._replace(finish_reason=reason))

    def tool(self, call: ToolCall) -> Open:
        attributes = pai.tool_run(self.who, call.name, call.call_id, call.arguments)
        return self.script.span(f"execute_tool {call.name}", pai.SCOPE, attributes)

    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        span.attributes["gen_ai.tool.call.result"] = text

    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        return None

    def refusal(self, tool: str) -> str:
        return f"Unknown tool name: {tool!r}. Available tools: 'lookup_order', 'send_reply'"

    def retriever(self, query: str) -> Open:
        return self.tool(ToolCall(f"call_{self.script.hex(10)}", "search_policies", json.dumps({"query": query})))

    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        span.attributes["gen_ai.tool.call.result"] = "\n".join(text for _, text, _ in found) or "No results found."


def _message(message: Message) -> pai.Message:
    if message.call is None:
        return pai.said(message.role, message.text)
    if message.role == "tool":
        return pai.answered(message.call.call_id, message.call.name, message.text)
    part = {
        "type": "tool_call",
        "id": message.call.call_id,
        "name": message.call.name,
        "arguments": message.call.arguments,
    }
    return {"role": "assistant", "parts": [part], "finish_reason": "tool_call"}
