"""OpenLLMetry's CrewAI instrumentation as recorded (0.36.0): crew, task and agent spans, no model calls, no tokens."""

from typing import Any

from opentelemetry.trace import StatusCode

from demo_data.dialects.openinference import exception_event
from demo_data.plan import PlannedSpan, Raised, Scope


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR with `Class: message`, one exception event."""
    span.status = StatusCode.ERROR
    span.status_message = f"{error.short_class}: {error.message}"
    span.events.append(exception_event(error.error_class, error.message, error.stacktrace(), now_ns))


SCOPE = Scope("opentelemetry.instrumentation.crewai.instrumentation", "0.36.0", StatusCode.OK, _fail)

_INVOKE = {"gen_ai.provider.name": "crewai", "gen_ai.operation.name": "invoke_agent"}


def crew(name: str, crew_id: str, tasks: str, agents: str) -> dict[str, Any]:
    """Attributes of the crew's span at its start; tasks and agents are JSON."""
    return {
        **_INVOKE,
        "crewai.crew.tasks": tasks,
        "crewai.crew.agents": agents,
        "crewai.crew.id": crew_id,
        "crewai.crew.name": name,
        "crewai.crew.process": "Process.sequential",
        "crewai.crew.verbose": "False",
        "crewai.crew.memory": "False",
        "crewai.crew.cache": "False",
        "crewai.crew.planning": "False",
        "crewai.crew.share_crew": "False",
    }


def finish_crew(span: PlannedSpan, result: str, tokens_input: int, tokens_output: int, requests: int) -> None:
    """Add the result and the usage, which CrewAI writes as Python reprs, not JSON."""
    total = tokens_input + tokens_output
    usage = {
        "total_tokens": total,
        "prompt_tokens": tokens_input,
        "cached_prompt_tokens": 0,
        "completion_tokens": tokens_output,
        "reasoning_tokens": 0,
        "cache_creation_tokens": 0,
        "successful_requests": requests,
    }
    span.attributes["crewai.crew.result"] = result
    span.attributes["crewai.crew.token_usage"] = " ".join(f"{name}={count}" for name, count in usage.items())
    span.attributes["crewai.crew.usage_metrics"] = repr(usage)


def task(task_id: str, role: str, description: str, expected: str) -> dict[str, Any]:
    """Attributes of a task's span at its start."""
    return {
        "traceloop.span.kind": "task",
        **_INVOKE,
        "crewai.task.id": task_id,
        "crewai.task.agent": role,
        "crewai.task.description": description,
        "crewai.task.async_execution": "False",
        "crewai.task.expected_output": expected,
        "crewai.task.human_input": "False",
        "crewai.task.tools": "[]",
    }


def agent(agent_id: str, role: str, goal: str, backstory: str, model: str, *, delegates: bool) -> dict[str, Any]:
    """Attributes of an agent's span at its start."""
    return {
        "traceloop.span.kind": "agent",
        **_INVOKE,
        "crewai.agent.id": agent_id,
        "crewai.agent.role": role,
        "crewai.agent.goal": goal,
        "crewai.agent.backstory": backstory,
        "crewai.agent.cache": "True",
        "crewai.agent.verbose": "False",
        "crewai.agent.allow_delegation": str(delegates),
        "crewai.agent.tools": "[]",
        "crewai.agent.max_iter": "4",
        "crewai.agent.llm": model,
        "gen_ai.agent.name": role,
        "gen_ai.agent.id": agent_id,
    }


def finish_agent(span: PlannedSpan, model: str) -> None:
    """Add what is known only after a good end."""
    span.attributes["gen_ai.request.model"] = model
    span.attributes["gen_ai.response.model"] = model
