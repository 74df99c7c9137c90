"""The desk as OpenTelemetry's own LangChain instrumentation writes it (1.3b0): no graph nodes, no exception events."""

import json
from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

from demo_data.desk.writer import NAME, Documents, MaybeOpen, Message, Open, Writer, no_span
from demo_data.errors import Sdk
from demo_data.models import Reply, ToolCall
from demo_data.plan import PlannedSpan, Raised, Scope

MODEL = "gpt-4o-mini"


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with the bare message; the class is an attribute."""
    span.status = StatusCode.ERROR
    span.status_message = error.message
    span.attributes["error.type"] = error.error_class


SCOPE = Scope("opentelemetry.instrumentation.genai.langchain", "1.3b0", StatusCode.UNSET, _fail)


def rendered(messages: Sequence[Message]) -> str:
    """Messages as JSON by the semantic conventions."""
    return json.dumps([_message(message) for message in messages], separators=(",", ":"))


def _message(message: Message) -> dict[str, Any]:
    part: dict[str, Any] = {"content": message.text, "type": "text"}
    if message.call is not None and message.role == "tool":
        part = {"response": message.text, "id": message.call.call_id, "type": "tool_call_response"}
    elif message.call is not None:
        arguments = json.loads(message.call.arguments)
        part = {"arguments": arguments, "name": message.call.name, "id": message.call.call_id, "type": "tool_call"}
    return {"role": message.role, "parts": [part], "name": None}


class GenAi(Writer):
    """LangGraph, OpenTelemetry GenAI."""

    dialect = "genai"
    sdk = Sdk.LANGCHAIN
    has_steps = False
    inner_tells = False
    retries_steps = False

    def run(self, question: str) -> Open:
        attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.input.messages": rendered([Message("user", question)]),
            "gen_ai.conversation.id": self.thread,
            "gen_ai.workflow.name": NAME,
        }
        return self.script.span(f"invoke_workflow {NAME}", SCOPE, attributes)

    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        """This instrumentation keeps no output of a workflow."""

    def step(self, given: str) -> MaybeOpen:
        return no_span()

    def inner(self, name: str, given: str) -> MaybeOpen:
        return no_span()

    def agent(self, name: str, given: str) -> MaybeOpen:
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": name,
            "gen_ai.conversation.id": self.thread,
            "gen_ai.input.messages": rendered([Message("user", given)]),
        }
        return self.script.span(f"invoke_agent {name}", SCOPE, attributes)

    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        if span is not None:
            span.attributes["gen_ai.output.messages"] = rendered([Message("assistant", result)])

    def model(self, messages: Sequence[Message]) -> Open:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": MODEL,
            "gen_ai.conversation.id": self.thread,
            "gen_ai.request.temperature": 0.0,
            "gen_ai.input.messages": rendered(messages),
        }
        return self.script.span(f"chat {MODEL}", SCOPE, attributes, kind=SpanKind.CLIENT)

    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        reason = "tool_calls" if answer.tool_call else answer.finish_reason
        said = _message(Message("assistant", answer.text, answer.tool_call))
        span.attributes |= {
            "gen_ai.response.finish_reasons": [reason],
            "gen_ai.response.model": answer.model,
            "gen_ai.response.id": answer.response_id,
            "gen_ai.usage.input_tokens": answer.tokens_input,
            "gen_ai.usage.output_tokens": answer.tokens_output,
            "gen_ai.usage.cache_read.input_tokens": answer.tokens_cached,
            "gen_ai.output.messages": json.dumps([{**said, "finish_reason": reason}], separators=(",", ":")),
        }

    def tool(self, call: ToolCall) -> Open:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call.call_id,
            "gen_ai.tool.description": "A tool of the desk",
            "gen_ai.tool.call.arguments": call.arguments,
        }
        return self.script.span(f"execute_tool {call.name}", SCOPE, attributes)

    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        block = {"type": "text", "text": text, "id": f"lc_{self.script.uuid()}"}
        span.attributes["gen_ai.tool.call.result"] = json.dumps([block])

    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        return None

    def retriever(self, query: str) -> Open:
        attributes = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": query}
        return self.script.span("retrieval", SCOPE, attributes, kind=SpanKind.CLIENT)

    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        documents = [{"id": None, "score": score} for _, _, score in found]
        span.attributes["gen_ai.retrieval.documents"] = json.dumps(documents)
