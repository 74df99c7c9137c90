"""The desk as OpenInference writes OpenAI's Agents SDK (2.6.0): agents run by a program, errors as printed dicts."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import StatusCode

from demo_data.desk.writer import NAME, Documents, MaybeOpen, Message, Open, Writer
from demo_data.errors import Sdk
from demo_data.faults import Variant
from demo_data.models import Reply, ToolCall
from demo_data.plan import PlannedSpan, Raised, Scope

JSON_TYPE = "application/json"
NOT_FOUND = re.compile(r"Tool (\S+) not found in agent ")
WORDS = {"LLM": "Error getting response", "AGENT": "Error in agent run", "TOOL": "Error running tool"}


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with a printed dict, no class and no event, on the span that was open; the trace says nothing."""
    kind = span.attributes["openinference.span.kind"]
    is_of_model = error.short_class == "ModelBehaviorError"
    if (
        error.short_class == "CancelledError"
        or span.parent_id is None
        or (kind == "CHAIN") != is_of_model
        or (is_of_model and span.name != "turn")
    ):
        return
    span.status = StatusCode.ERROR
    span.status_message = _words(span, error)


def _words(span: PlannedSpan, error: Raised) -> str:
    """What the SDK notes, by what went wrong."""
    if error.short_class == "MaxTurnsExceeded":
        return "Max turns exceeded: {'max_turns': 10}"
    if error.short_class == "ModelBehaviorError":
        found = NOT_FOUND.match(error.message)
        return f"Tool not found: { {'tool_name': found[1]} }" if found else "Invalid JSON provided: {}"
    about = {"tool_name": span.attributes["tool.name"]} if "tool.name" in span.attributes else {}
    return f"{WORDS[span.attributes['openinference.span.kind']]}: { {**about, 'error': error.message} }"


SCOPE = Scope("openinference.instrumentation.openai_agents", "2.6.0", StatusCode.OK, _fail)


class OpenAiAgents(Writer):
    """OpenAI Agents SDK, OpenInference."""

    dialect = "openai_agents"
    sdk = Sdk.OPENAI_AGENTS
    root_tells = False
    is_graph = False
    inner_tells = False

    def _span(self, name: str, kind: str, attributes: dict[str, Any] | None = None) -> Open:
        return self.script.span(name, SCOPE, {**(attributes or {}), "openinference.span.kind": kind})

    def run(self, question: str) -> Open:
        return self._span(NAME, "AGENT")

    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        """A trace keeps no output."""

    @contextmanager
    def step(self, given: str) -> Iterator[PlannedSpan]:
        about = {"graph.node.id": self.node, "agent.name": self.node}
        with self._span("Agent workflow", "CHAIN"), self._span(self.node, "AGENT", about) as span:
            self.script.wait(1)
            with self._span("turn", "CHAIN"):
                yield span

    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        """An agent's span keeps no output."""

    def inner(self, name: str, given: str) -> MaybeOpen:
        return self._span(name, "CHAIN")

    def agent(self, name: str, given: str) -> MaybeOpen:
        return self._span(name, "AGENT", {"graph.node.id": name, "agent.name": name})

    def model(self, messages: Sequence[Message]) -> Open:
        given = [_item(message) for message in messages if message.role != "system"]
        attributes = {
            "llm.system": "openai",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": messages[0].text,
            "input.mime_type": JSON_TYPE,
            "input.value": json.dumps(given),
        }
        return self._span("response", "LLM", attributes)

    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        incomplete = {"length": {"reason": "max_output_tokens"}, "content_filter": {"reason": "content_filter"}}
        response = {
            "id": answer.response_id.replace("chatcmpl-", "resp_"),
            "error": None,
            "incomplete_details": incomplete.get(answer.finish_reason),
            "model": answer.model,
            "output": [_item(Message("assistant", answer.text, answer.tool_call))],
            "status": "incomplete" if answer.finish_reason in incomplete else "completed",
        }
        span.attributes |= {
            "output.mime_type": JSON_TYPE,
            "output.value": json.dumps(response),
            "llm.token_count.completion": answer.tokens_output,
            "llm.token_count.prompt": answer.tokens_input,
            "llm.token_count.total": answer.tokens_input + answer.tokens_output,
            "llm.model_name": answer.model,
            "llm.finish_reason": incomplete.get(answer.finish_reason, {"reason": "stop"})["reason"],
            "llm.output_messages.0.message.role": "assistant",
        }
        prefix = "llm.output_messages.0.message."
        if answer.tool_call is None:
            span.attributes[prefix + "content"] = answer.text
        else:
            prefix += "tool_calls.0.tool_call."
            span.attributes[prefix + "id"] = answer.tool_call.call_id
            span.attributes[prefix + "function.name"] = answer.tool_call.name
            span.attributes[prefix + "function.arguments"] = answer.tool_call.arguments

    @contextmanager
    def tool(self, call: ToolCall) -> Iterator[PlannedSpan]:
        about = {
            "tool.name": call.name,
            "input.value": call.arguments,
            "input.mime_type": JSON_TYPE,
            "tool.description": "A tool of the desk",
        }
        try:
            with self._span(call.name, "TOOL", about) as span:
                yield span
        except Raised as error:
            if error.short_class != "CancelledError" and self.script.case.fault.variant is not Variant.LOUD:
                span.status_message = (span.status_message or "").replace(":", " (non-fatal):", 1)
                span.attributes["output.value"] = "An error occurred while running the tool. Please try again."
            raise

    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        span.attributes["output.value"] = text

    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        raise NotImplementedError("the SDK raises for a tool it does not have")

    def retriever(self, query: str) -> Open:
        return self.tool(ToolCall(f"call_{self.script.hex(8)}", "search_policies", json.dumps({"query": query})))

    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        span.attributes["output.value"] = "\n".join(text for _, text, _ in found) or "No results found."

    def check(self, name: str) -> dict[str, Any]:
        return {"openinference.span.kind": "GUARDRAIL"}

    def handoff(self, target: str) -> PlannedSpan:
        source = {"tool.name": f"handoff to {target}", "input.value": self.node, "output.value": target}
        with self._span(f"handoff to {target}", "TOOL", source) as span:
            self.script.wait(2)
        return span


def _item(message: Message) -> dict[str, Any]:
    if message.call is None:
        return {"content": message.text, "role": message.role}
    if message.role == "tool":
        return {"call_id": message.call.call_id, "output": message.text, "type": "function_call_output"}
    call = message.call
    return {"arguments": call.arguments, "call_id": call.call_id, "name": call.name, "type": "function_call"}
