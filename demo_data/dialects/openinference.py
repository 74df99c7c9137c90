"""OpenInference's LangChain instrumentation, with LangGraph's metadata where a graph runs (as recorded, 0.1.80)."""

import json
from typing import Any

from opentelemetry.trace import StatusCode

from demo_data.errors import Sdk, raised
from demo_data.faults import Shows
from demo_data.models import Reply
from demo_data.plan import PlannedEvent, PlannedSpan, Raised, Scope, Script

JSON_TYPE = "application/json"


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR, the repr and the traceback as status message, one exception event."""
    stacktrace = error.stacktrace()
    span.status = StatusCode.ERROR
    span.status_message = f"{error.short_class}({error.message!r}){stacktrace}"
    span.events.append(exception_event(error.error_class, error.message, stacktrace, now_ns))


SCOPE = Scope("openinference.instrumentation.langchain", "0.1.80", StatusCode.OK, _fail)


def exception_event(error_class: str, message: str, stacktrace: str, now_ns: int) -> PlannedEvent:
    """An exception event as the SDK's `record_exception` writes it."""
    attributes = {
        "exception.type": error_class,
        "exception.message": message,
        "exception.stacktrace": stacktrace,
        "exception.escaped": "False",
    }
    return PlannedEvent("exception", now_ns, attributes)


def interrupt_event(value: str, interrupt_id: str, now_ns: int) -> PlannedEvent:
    """LangGraph's way to wait for a human: an exception that is no failure."""
    message = f"(Interrupt(value={value!r}, id={interrupt_id!r}, response_schema=None),)"
    return exception_event("langgraph.errors.GraphInterrupt", message, f"GraphInterrupt: {message}", now_ns)


def chain(session: dict[str, Any], given: Any, *, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """Attributes of a chain span at its start; `finish_chain` adds the output."""
    attributes = _with_input(given)
    attributes |= _common(session, metadata, "CHAIN")
    return attributes


def finish_chain(span: PlannedSpan, output: Any) -> None:
    """Add what a chain returned."""
    if isinstance(output, str):
        span.attributes["output.value"] = output
    else:
        span.attributes["output.value"] = json.dumps(output)
        span.attributes["output.mime_type"] = JSON_TYPE


def model_call(
    session: dict[str, Any], system: str, prompt: str, model: str, *, metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Attributes of a ChatOpenAI span at its start."""
    messages = [
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "SystemMessage"],
         "kwargs": {"content": system, "type": "system"}},
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"],
         "kwargs": {"content": prompt, "type": "human"}},
    ]  # fmt: skip
    parameters = {"model": model, "model_name": model, "stream": False, "temperature": 0.0, "_type": "openai-chat"}
    extra = {"ls_provider": "openai", "ls_model_name": model, "ls_model_type": "chat", "ls_temperature": 0.0}
    return {
        "input.value": json.dumps({"messages": [messages]}),
        "input.mime_type": JSON_TYPE,
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": system,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": prompt,
        "llm.invocation_parameters": json.dumps(parameters),
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.model_name": model,
        **_common(session, {**(metadata or {}), **extra}, "LLM"),
    }


def finish_model_call(span: PlannedSpan, reply: Reply) -> None:
    """Add what the model answered, with its token counts."""
    message = {
        "content": reply.text,
        "response_metadata": {
            "token_usage": {
                "completion_tokens": reply.tokens_output,
                "prompt_tokens": reply.tokens_input,
                "total_tokens": reply.tokens_input + reply.tokens_output,
            },
            "model_name": reply.model,
            "id": reply.response_id,
            "finish_reason": reply.finish_reason,
        },
        "type": "ai",
    }
    generation = {"text": reply.text, "type": "ChatGeneration", "message": {"kwargs": message}}
    span.attributes |= {
        "output.value": json.dumps({"generations": [[generation]], "type": "LLMResult"}),
        "output.mime_type": JSON_TYPE,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": reply.text,
        "llm.model_name": reply.model,
        "llm.token_count.prompt": reply.tokens_input,
        "llm.token_count.completion": reply.tokens_output,
        "llm.token_count.total": reply.tokens_input + reply.tokens_output,
        "llm.token_count.prompt_details.cache_read": reply.tokens_cached,
        "llm.finish_reason": reply.finish_reason,
    }
    if reply.tool_call:
        prefix = "llm.output_messages.0.message.tool_calls.0.tool_call."
        span.attributes[prefix + "id"] = reply.tool_call.call_id
        span.attributes[prefix + "function.name"] = reply.tool_call.name
        span.attributes[prefix + "function.arguments"] = reply.tool_call.arguments


def call_model(
    script: Script,
    step: str,
    session: dict[str, Any],
    system: str,
    prompt: str,
    answer: Reply,
    *,
    metadata: dict[str, Any] | None = None,
) -> PlannedSpan:
    """One ChatOpenAI call of a step that gives this answer, or raises where the injected fault says so."""
    script.wait(1.5)
    attributes = model_call(session, system, prompt, answer.model, metadata=metadata)
    with script.span("ChatOpenAI", SCOPE, attributes) as span:
        if script.strikes(step, Shows.MODEL_RAISES):
            code = script.case.fault.code or ""
            script.pause(60.0 if code == "component.timeout" else script.rng.uniform(0.2, 1.1))
            raise raised(Sdk.LANGCHAIN, code, script.rng)
        script.wait(answer.latency_ms)
        finish_model_call(span, answer)
    return span


def tool_call(
    session: dict[str, Any], name: str, description: str, given: str, *, metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Attributes of a tool span at its start."""
    attributes = {"input.value": given, "tool.name": name, "tool.description": description}
    attributes |= _common(session, metadata, "TOOL")
    return attributes


def finish_tool_call(span: PlannedSpan, text: str, call_id: str, status: str = "success") -> None:
    """Add the tool message; status `error` is how LangChain reports a tool's error under an OK span."""
    message = {
        "content": text,
        "type": "tool",
        "name": span.attributes["tool.name"],
        "id": None,
        "tool_call_id": call_id,
        "artifact": None,
        "status": status,
    }
    span.attributes["output.value"] = json.dumps({"type": "tool", "data": message})
    span.attributes["output.mime_type"] = JSON_TYPE


def retriever(
    session: dict[str, Any], query: str, name: str, *, metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Attributes of a retriever span at its start."""
    attributes = {"input.value": query}
    attributes |= _common(session, {**(metadata or {}), "ls_retriever_name": name}, "RETRIEVER")
    return attributes


def finish_retriever(span: PlannedSpan, documents: list[tuple[str, str, float]]) -> None:
    """Add the documents found, as (source, text, score)."""
    found = []
    for rank, (source, text, score) in enumerate(documents):
        about = {"source": source, "score": score}
        found.append({"id": None, "metadata": about, "page_content": text, "type": "Document"})
        span.attributes[f"retrieval.documents.{rank}.document.content"] = text
        span.attributes[f"retrieval.documents.{rank}.document.metadata"] = json.dumps(about)
    span.attributes["output.value"] = json.dumps({"documents": found})
    span.attributes["output.mime_type"] = JSON_TYPE


def langgraph_metadata(node: str, step: int, checkpoint: str) -> dict[str, Any]:
    """What LangGraph adds inside a node: the attempts of one visit share step and checkpoint namespace."""
    return {
        "langgraph_step": step,
        "langgraph_node": node,
        "langgraph_triggers": [f"branch:to:{node}"],
        "langgraph_path": ["__pregel_pull", node],
        "langgraph_checkpoint_ns": f"{node}:{checkpoint}",
    }


def _with_input(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        return {"input.value": given}
    return {"input.value": json.dumps(given), "input.mime_type": JSON_TYPE}


def _common(session: dict[str, Any], metadata: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    return {
        "session.id": session["session_id"],
        "metadata": json.dumps({**session, **(metadata or {})}),
        "openinference.span.kind": kind,
    }
