"""ops_assistant: a Pydantic AI agent whose tools live on an MCP server, seen by Pydantic AI's and the MCP SDK's spans.

Model and tool calls alternate; a tool's error goes back to the model as text.
"""

import json
from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind

from demo_data import words
from demo_data.dialects import pydantic_ai as pai
from demo_data.errors import Sdk, raised
from demo_data.faults import Shows, Variant
from demo_data.models import Reply, ToolCall, reply
from demo_data.plan import SECOND, Case, Raised, RunPlan, Script, Service

NAME = "ops_assistant"
MODEL = "gpt-4o-mini"
DATED_MODEL = "gpt-4o-mini-2024-07-18"
FALLBACK_MODEL = "gpt-4o-2024-08-06"
REQUEST_LIMIT = 6
BLIND_TRIES = 3
NO_SUCH_TOOL = "get_metrics"
TOOL_TIMEOUT_S = 20.0
TOOLS = json.dumps(
    [
        {"type": "function", "name": name, "parameters": {"type": "object"}}
        for name in ("list_incidents", "query_metrics", "deploy_status", "restart_service")
    ]
)
REFUSAL = (
    f"Unknown tool name: {NO_SUCH_TOOL!r}. Available tools: 'list_incidents', 'query_metrics', 'deploy_status', "
    "'restart_service'"
)
INSTRUCTIONS = "You help on-call engineers. Look before you act. Never restart twice."


class Work(NamedTuple):
    """One tool call the agent is going to make."""

    tool: str
    arguments: dict[str, Any]
    result: Any
    pause_s: float = 0.0
    """How long the agent waits before it."""


def plan(case: Case) -> RunPlan:
    """One question of an on-call engineer."""
    return _Agent(case).run()


class _Agent:
    """One run of the agent: the conversation so far and the model's replies."""

    def __init__(self, case: Case) -> None:
        self.fault = case.fault
        self.script = Script(case, NAME, Service("ops-assistant", case.version, case.environment))
        self.server = Service("ops-mcp", "1.12.0", case.environment)
        self.rng = self.script.rng
        self.target = self.rng.choice(words.SERVICES)
        self.question = f"{self.target}: {self.rng.choice(words.SYMPTOMS)}. What is going on?"
        self.who = pai.identity(NAME, self.script.uuid(), self.script.uuid())
        self.messages = [pai.said("user", self.question)]
        self.replies: list[Reply] = []
        self.requests = 0
        self.refused = False

    def run(self) -> RunPlan:
        """Play the conversation; what leaves it has failed the run."""
        attributes = pai.agent_run(self.who, MODEL, INSTRUCTIONS)
        try:
            with self.script.span(f"invoke_agent {NAME}", pai.SCOPE, attributes) as root:
                if self.rng.random() < 0.2:
                    self._open_session()
                for work in self._work():
                    self.script.pause(work.pause_s)
                    self._turn(work)
                self._answer()
                pai.finish_agent_run(root, self.messages, self.replies)
        except Raised as error:
            self.script.blame(error.origin, Variant.LOUD)
        return self.script.finish()

    def _work(self) -> list[Work]:
        """The tool calls of this run; the fault's step is always among them."""
        incidents = [{"id": f"INC-{self.rng.randrange(2_000, 9_000)}", "service": self.target, "severity": 2}]
        listing = Work("list_incidents", {"service": self.target}, incidents)
        metrics = Work("query_metrics", {"service": self.target, "window_minutes": 60}, self._series())
        restart = Work("restart_service", {"service": self.target}, {"restarted": True})
        pages = [{"incidents": incidents, "next": f"p{page + 1}" if page < 3 else None} for page in range(1, 4)]
        states = ("rolling out 20 %", "rolling out 70 %", "done")
        windows = (5, 15, 30, 60, 120, 240) if self.fault.shows is Shows.LOOP_LIMIT else ()
        special = {
            Shows.EMPTY_BUT_FINE: [listing._replace(result=[]), metrics],
            Shows.PAGINATION: [Work("list_incidents", {"cursor": f"p{n}"}, page) for n, page in enumerate(pages, 1)],
            Shows.POLLING: [
                Work("deploy_status", {"service": self.target}, {"state": state}, 15.0) for state in states
            ],
            Shows.LOOP_LIMIT: [
                metrics._replace(arguments={"service": self.target, "window_minutes": minutes}, result=self._series())
                for minutes in windows
            ],
            Shows.REDUNDANT_STEP: [listing, metrics, metrics],
            Shows.UNKNOWN_TOOL: [listing, metrics._replace(tool=NO_SUCH_TOOL)],
            Shows.BLIND_RETRY: [listing, *[restart] * BLIND_TRIES],
        }
        if self.fault.shows in special:
            return special[self.fault.shows]
        if self.fault.step == "restart_service" or self.rng.random() < 0.15:
            return [listing, metrics, restart]
        return [listing, metrics] if self.fault.step or self.rng.random() < 0.7 else [metrics]

    def _series(self) -> dict[str, Any]:
        return {"p99_ms": [self.rng.randrange(180, 4_200) for _ in range(6)], "errors": self.rng.randrange(0, 90)}

    def _open_session(self) -> None:
        """The MCP handshake of a fresh connection."""
        for number, method in enumerate(("initialize", "tools/list"), 1):
            attributes = pai.mcp_request(method, number)
            with self.script.span(f"MCP send {method}", pai.MCP_SCOPE, attributes, kind=SpanKind.CLIENT):
                self.script.wait(2)
                served = {**attributes, "mcp.protocol.version": pai.PROTOCOL_VERSION}
                with self.script.span(method, pai.MCP_SCOPE, served, kind=SpanKind.SERVER, service=self.server):
                    self.script.wait(6)
                self.script.wait(1)

    def _turn(self, work: Work) -> None:
        """The model asks for a tool and gets its answer; after a recoverable error it asks again."""
        while True:
            bad_arguments = self._strikes(work, Shows.TOOL_RAISES, code="handoff.tool_args_invalid")
            arguments = {**work.arguments, "window_minutes": "last hour"} if bad_arguments else work.arguments
            call = ToolCall(f"call_{self.script.hex(10)}", work.tool, json.dumps(arguments))
            self._model("", call)
            if work.tool == NO_SUCH_TOOL:
                self.refused = True
                self.messages.append(pai.answered(call.call_id, call.name, REFUSAL))
                return
            try:
                result = self._tool(call, work, bad_arguments=bad_arguments)
            except Raised as error:
                self.script.blame(error.origin)
                self.messages.append(pai.answered(call.call_id, call.name, error.message))
                if self.fault.variant is Variant.LOUD:
                    raise
                if self.fault.variant is Variant.SILENT:
                    return
            else:
                self.messages.append(pai.answered(call.call_id, call.name, result))
                return

    def _strikes(self, work: Work, shows: Shows, *, code: str) -> bool:
        return self.fault.code == code and self.script.strikes(work.tool, shows)

    def _answer(self) -> None:
        if self.script.strikes("model", Shows.FINISH_LENGTH):
            self._model(f"Looking at {self.target}, the most likely cause is that", None, "length")
        else:
            verdict = self.rng.choice(("the last deploy", "a slow index", "one noisy tenant", "nothing unusual"))
            self._model(f"{self.target}: most likely {verdict}. I would watch p99 for ten minutes.", None)

    def _model(self, text: str, call: ToolCall | None, finish_reason: str = "") -> None:
        """One chat span; the fallback model steps in below it where the first one fails."""
        self.requests += 1
        if self.requests > REQUEST_LIMIT and self.fault.shows is Shows.LOOP_LIMIT:
            raise raised(Sdk.PYDANTIC_AI, "routing.loop_limit", self.rng)
        attributes = pai.model_call(self.who, MODEL, self.messages, TOOLS)
        fallback = self.requests == 1 and self.script.strikes("model", Shows.FALLBACK_MODEL)
        self.script.wait(2)
        with self.script.span(f"chat {MODEL}", pai.SCOPE, attributes, kind=SpanKind.CLIENT) as span:
            if self.script.strikes("model", Shows.MODEL_RAISES):
                self.script.wait(900)
                raise raised(Sdk.PYDANTIC_AI, self.fault.code or "", self.rng)
            if fallback:
                self._failed_attempt()
            answer = reply(
                self.rng,
                FALLBACK_MODEL if fallback else DATED_MODEL,
                json.dumps(self.messages),
                text,
                context_tokens=420,
                finish_reason=finish_reason or ("tool_call" if call else "stop"),
                tool_call=call,
            )
            self.script.wait(answer.latency_ms)
            pai.finish_model_call(span, answer)
        if finish_reason or self.refused:  # only what the next model call is given tells of the refusal
            self.script.blame(span)
            self.refused = False
        self.replies.append(answer)
        self.messages.append(pai.called(answer))

    def _failed_attempt(self) -> None:
        attributes = pai.model_attempt(self.who, MODEL)
        try:
            with self.script.span(f"model request attempt {MODEL}", pai.SCOPE, attributes, kind=SpanKind.CLIENT):
                self.script.wait(700)
                raise raised(Sdk.PYDANTIC_AI, "component.unavailable", self.rng)
        except Raised as error:
            self.script.blame(error.origin)

    def _tool(self, call: ToolCall, work: Work, *, bad_arguments: bool) -> str:
        attributes = pai.tool_run(self.who, call.name, call.call_id, call.arguments)
        self.script.wait(1)
        with self.script.span(f"execute_tool {call.name}", pai.SCOPE, attributes) as span:
            if bad_arguments:
                self.script.wait(2)
                raise raised(Sdk.PYDANTIC_AI, "handoff.tool_args_invalid", self.rng)
            result = self._call_server(work)
            span.attributes["gen_ai.tool.call.result"] = result
            if self.fault.shows is Shows.REDUNDANT_STEP and call.name == self.fault.step:
                self.script.blame(span)
            if self.script.strikes(work.tool, Shows.TOOL_ANSWERS_ERROR):
                result = json.dumps({"error": "upstream prometheus-eu answered 503 Service Unavailable"})
                span.attributes["gen_ai.tool.call.result"] = result
                self.script.blame(span)
        return result

    def _call_server(self, work: Work) -> str:
        """FastMCP's client span, the SDK's request and, in the server's process, the call itself."""
        request_id = self.requests + 2
        attributes = pai.fastmcp_call(work.tool)
        name = f"tools/call {work.tool}"
        with self.script.span(name, pai.FASTMCP_SCOPE, attributes, kind=SpanKind.CLIENT):
            request = pai.mcp_request("tools/call", request_id)
            with self.script.span(f"MCP send {name}", pai.MCP_SCOPE, request, kind=SpanKind.CLIENT):
                self.script.wait(2)
                served = pai.mcp_served_call(work.tool, request_id)
                with self.script.span(
                    name, pai.MCP_SCOPE, served, kind=SpanKind.SERVER, service=self.server
                ) as server_span:
                    self.script.wait(210, spread=0.7)
                    self._fail_in_server(work)
                if self._strikes(work, Shows.TOOL_RAISES, code="tool.timeout"):
                    self.script.pause(TOOL_TIMEOUT_S)
                    # The server notices late that nobody waits any more: its span outlives the client's.
                    server_span.end_ns = self.script.now_ns + SECOND
                    raise raised(Sdk.PYDANTIC_AI, "tool.timeout", self.rng)
                self.script.wait(1)
        return json.dumps(work.result)

    def _fail_in_server(self, work: Work) -> None:
        if self.script.strikes(work.tool, Shows.BLIND_RETRY):
            raise raised(Sdk.PYDANTIC_AI, "tool.error", self.rng)
        for code in ("tool.error", "tool.rate_limited"):
            if self._strikes(work, Shows.TOOL_RAISES, code=code):
                raise raised(Sdk.PYDANTIC_AI, code, self.rng)
