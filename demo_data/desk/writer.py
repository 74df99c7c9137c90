"""What every dialect can write of the desk: one method for each thing an agent workflow does."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, NamedTuple

from opentelemetry.trace import StatusCode

from demo_data.errors import Sdk
from demo_data.models import Reply, ToolCall
from demo_data.plan import PlannedEvent, PlannedSpan, Raised, Scope, Script

Open = AbstractContextManager[PlannedSpan]
MaybeOpen = AbstractContextManager[PlannedSpan | None]
Documents = Sequence[tuple[str, str, float]]

NAME = "service_desk"


class Message(NamedTuple):
    """One message of a conversation."""

    role: str
    """system, user, assistant or tool."""
    text: str
    call: ToolCall | None = None
    """What an assistant asks for, or what a tool answers to."""


class Writer(ABC):
    """Writes one run in the words of one dialect."""

    dialect: ClassVar[str]
    sdk: ClassVar[Sdk]
    has_steps: ClassVar[bool] = True
    """A step of the workflow has a span of its own, so that its own code can fail where one can see it."""
    root_tells: ClassVar[bool] = True
    """An error that ends the run shows on its root."""
    inner_tells: ClassVar[bool] = True
    """An error inside a step that its own code catches shows on a span."""
    retries_steps: ClassVar[bool] = True
    """What runs the steps retries them, and not a model that asks again."""
    is_graph: ClassVar[bool] = True
    """LangGraph runs it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.visits = 0
        self.node = ""
        self.checkpoint = ""
        self.thread = f"th-{script.hex(10)}"
        self.session = f"s-{script.hex(8)}"

    def visit(self, node: str) -> None:
        """A step is begun: its tries share what identifies the visit."""
        self.visits += 1
        self.node = node
        self.checkpoint = f"{node}:{self.script.uuid()}"

    @abstractmethod
    def run(self, question: str) -> Open:
        """The whole run."""

    @abstractmethod
    def finish_run(self, root: PlannedSpan, answer: str) -> None:
        """What the run gave back."""

    @abstractmethod
    def step(self, given: str) -> MaybeOpen:
        """One try of the step that was begun; None where the dialect has no span for it."""

    @abstractmethod
    def finish_step(self, span: PlannedSpan | None, result: str) -> None:
        """What the step gave back."""

    def stands_for(self, span: PlannedSpan | None) -> PlannedSpan | None:
        """The span by which the step is known beside others; None where it has none."""
        return span

    @abstractmethod
    def inner(self, name: str, given: str) -> MaybeOpen:
        """Something that a step runs inside itself."""

    @abstractmethod
    def agent(self, name: str, given: str) -> MaybeOpen:
        """The turn of one of several agents."""

    @abstractmethod
    def model(self, messages: Sequence[Message]) -> Open:
        """One model call."""

    @abstractmethod
    def finish_model(self, span: PlannedSpan, answer: Reply) -> None:
        """What the model answered."""

    @abstractmethod
    def tool(self, call: ToolCall) -> Open:
        """One tool call."""

    @abstractmethod
    def finish_tool(self, span: PlannedSpan, call: ToolCall, text: str, *, failed: bool = False) -> None:
        """What the tool answered; `failed`: the framework marks it as an error, and the span ends well."""

    @abstractmethod
    def refuse(self, call: ToolCall, text: str) -> PlannedSpan | None:
        """The framework answers a call of a tool it does not have; None where only the next model call shows it."""

    @abstractmethod
    def retriever(self, query: str) -> Open:
        """One look-up."""

    @abstractmethod
    def finish_retriever(self, span: PlannedSpan, found: Documents) -> None:
        """What was found."""

    def handoff(self, target: str) -> PlannedSpan:
        """One agent hands over to another: mostly by a tool."""
        call = ToolCall(f"call_{self.script.hex(10)}", f"transfer_to_{target}", "{}")
        with self.tool(call) as span:
            self.script.wait(2)
            self.finish_tool(span, call, f"Successfully transferred to {target}")
        return span

    def check(self, name: str) -> dict[str, Any]:
        """Attributes of a check of the desk's own, by the conventions that go with the dialect."""
        return {"gen_ai.operation.name": "apply_guardrail", "gen_ai.guardrail.name": name}

    def pause_for_human(self, question: str) -> None:
        """The run stops and waits."""
        raise NotImplementedError(f"{self.dialect} cannot wait for a human")

    def refusal(self, tool: str) -> str:
        """The framework's words for a tool it does not have."""
        return f"Error: {tool} is not a valid tool, try one of [lookup_order, send_reply]."


@contextmanager
def no_span() -> Iterator[None]:
    """Where a dialect writes nothing."""
    yield None


def fail_check(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR and an exception event, as the SDK's own context manager writes it."""
    span.status = StatusCode.ERROR
    span.status_message = f"{error.short_class}: {error.message}"
    attributes = {"exception.type": error.error_class, "exception.message": error.message}
    span.events.append(PlannedEvent("exception", now_ns, attributes))


CHECKS = Scope("service_desk.checks", None, StatusCode.UNSET, fail_check)
"""The desk's own checks, which whoever built it instruments by hand."""
