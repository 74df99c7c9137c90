"""claims_panel: an AutoGen round-robin team (intake, assessor, approver), its run shattered over many traces."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind

from demo_data import words
from demo_data.dialects import autogen
from demo_data.errors import Sdk, raised
from demo_data.faults import Shows, Variant
from demo_data.plan import Case, PlannedLink, Raised, RunPlan, Script, Service

NAME = "claims_panel"
TEAM = ("intake", "assessor", "approver")


class Message(NamedTuple):
    """A created message: where it goes and the span to link back to."""

    destination: str
    link: PlannedLink


def plan(case: Case) -> RunPlan:
    """One claim before the panel."""
    return _Team(case).run()


class _Team:
    """One run of the team."""

    def __init__(self, case: Case) -> None:
        self.fault = case.fault
        self.script = Script(case, NAME, Service(NAME, case.version, case.environment))
        self.rng = self.script.rng
        self.team = self.script.uuid()
        self.claim = f"Claim {self.rng.randrange(10_000, 99_999)}: {self.rng.choice(words.CLAIMS)}"

    def run(self) -> RunPlan:
        """Play the group chat. The runtime survives an agent's error; nothing at the top says that it failed."""
        for agent in TEAM:
            with self.script.span(
                f"create_agent {agent}", autogen.CORE, autogen.create_agent(agent), kind=SpanKind.CLIENT, new_trace=True
            ):
                self.script.wait(0.1)
        start = self._create(autogen.agent_address(autogen.MANAGER, self.team), "GroupChatStart", new_trace=True)
        task = autogen.text_message(self.script.uuid(), "user", self.claim, None)
        started = json.dumps({"messages": [task], "output_task_messages": True})
        self._deliver(start, None, [(autogen.MANAGER, started, self._open_chat)], verb="send")
        with self.script.span(
            "autogen ack",
            autogen.RUNTIME,
            autogen.ack(),
            kind=SpanKind.CONSUMER,
            new_trace=True,
            links=[start.link],
        ):
            self.script.wait(0.1)
        try:
            said = json.dumps({"message": task})
            for number, agent in enumerate(TEAM):
                said = self._turn(agent, said, last=number == len(TEAM) - 1)
        except Raised as error:
            self.script.blame(error.origin, Variant.LOUD)
            self._collateral()
        return self.script.finish()

    def _open_chat(self) -> None:
        for topic in ("output_topic", "group_topic"):
            self._create(autogen.topic_address(topic, self.team), "GroupChatStart")

    def _create(self, destination: str, message_type: str, *, new_trace: bool = False) -> Message:
        with self.script.span(
            f"autogen create {destination}",
            autogen.RUNTIME,
            autogen.create(destination, message_type),
            kind=SpanKind.PRODUCER,
            new_trace=new_trace,
        ) as span:
            self.script.wait(0.1)
        return Message(destination, PlannedLink(span.trace_id, span.span_id))

    def _deliver(
        self,
        message: Message,
        sender: str | None,
        recipients: list[tuple[str, str, Callable[[], Any] | None]],
        *,
        verb: str = "publish",
    ) -> None:
        """Carry a message in a trace of its own; each recipient (who, what, then) handles it there."""
        with self.script.span(
            f"autogen {verb} {message.destination}",
            autogen.RUNTIME,
            autogen.publish(message.destination),
            kind=SpanKind.PRODUCER,
            new_trace=True,
            links=[message.link],
        ):
            for recipient, content, handle in recipients:
                self._process(message, sender, recipient, content, handle)

    def _process(
        self, message: Message, sender: str | None, recipient: str, content: str, handle: Callable[[], Any] | None
    ) -> None:
        name = f"autogen process {autogen.agent_address(recipient, self.team)}"
        attributes = autogen.process(recipient, sender, self.team, content, self.script.uuid())
        self.script.wait(0.3)
        with self.script.span(name, autogen.RUNTIME, attributes, kind=SpanKind.CONSUMER, links=[message.link]):
            if handle is not None:
                handle()

    def _turn(self, agent: str, heard: str, *, last: bool) -> str:
        """One agent's turn: the manager asks it to speak, it speaks to all."""
        spoken: list[tuple[Message, str]] = []

        def speak() -> None:
            spoken.append(self._invoke(agent))

        request = self._create(autogen.agent_address(agent, self.team), "GroupChatRequestPublish", new_trace=True)
        self._deliver(request, autogen.MANAGER, [(agent, heard if agent == TEAM[0] else "{}", speak)])
        answer, content = spoken[0]
        others = [] if last else [(name, content, None) for name in TEAM if name != agent]
        self._deliver(answer, agent, [*others, (autogen.MANAGER, content, None)])
        return content

    def _invoke(self, agent: str) -> tuple[Message, str]:
        attributes = autogen.invoke_agent(agent, self.team)
        with self.script.span(f"invoke_agent {agent}", autogen.CORE, attributes, kind=SpanKind.CLIENT):
            if self.script.strikes(agent, Shows.MODEL_RAISES):
                self.script.pause(60.0 if self.fault.code == "component.timeout" else self.rng.uniform(0.3, 1.2))
                raise raised(Sdk.OPENAI, self.fault.code or "", self.rng)
            if agent == "assessor":
                self._photos()
            self.script.wait(2_600)
            return self._say(agent)

    def _say(self, agent: str) -> tuple[Message, str]:
        text = {
            "intake": f"{self.claim}. Policy is active.",
            "assessor": f"Damage looks plausible, estimate {words.amount(self.rng)}.",
            "approver": "Approved. TERMINATE",
        }[agent]
        usage = (self.rng.randrange(240, 900), self.rng.randrange(18, 90))
        said = {"chat_message": autogen.text_message(self.script.uuid(), agent, text, usage)}
        message = self._create(autogen.topic_address("group_topic", self.team), "GroupChatAgentResponse")
        return message, json.dumps({"response": said, "name": agent})

    def _photos(self) -> None:
        """The assessor's tool; its error goes back to the model as text and nothing above notices."""
        attributes = autogen.execute_tool("read_photos", "Read the photos of a claim", f"call_{self.script.hex(8)}")
        try:
            with self.script.span("execute_tool read_photos", autogen.CORE, attributes) as span:
                self.script.wait(480)
                if self.script.strikes("assessor", Shows.TOOL_RAISES):
                    raise raised(Sdk.OPENAI, "tool.error", self.rng)
        except Raised as error:
            self.script.blame(error.origin)

    def _collateral(self) -> None:
        """What the runtime logs on every other agent after one has failed: an echo, not a cause."""
        message = self._create(autogen.topic_address("group_topic", self.team), "GroupChatError", new_trace=True)
        for agent in TEAM:
            try:
                self._deliver(message, autogen.MANAGER, [(agent, "{}", self._refuse)])
            except Raised:
                continue

    def _refuse(self) -> None:
        raise Raised("ValueError", autogen.UNHANDLED, '  File "/app/site-packages/autogen_agentchat/teams/"')
