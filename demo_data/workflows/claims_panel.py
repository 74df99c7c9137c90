"""claims_panel: an AutoGen round-robin team (intake, assessor, approver), its run shattered over many traces."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind

from demo_data import words
from demo_data.dialects import autogen
from demo_data.errors import FRAMES, Sdk, raised
from demo_data.faults import Shows, Variant
from demo_data.plan import Case, PlannedLink, Raised, RunPlan, Script, Service

NAME = "claims_panel"
TEAM = ("intake", "assessor", "approver")


EXCEPTIONS = "autogen_core.exceptions"
DROPPED = 1
"""The way in which an intervention handler drops the message; in the others nobody takes it."""
UNHANDLED_BY = {
    0: "Message type <class 'claims.messages.PhotoRequest'> not in target types [<class 'claims.messages.Claim'>]",
    2: "TopicId does not match the subscription",
}


class Message(NamedTuple):
    """A created message: where it goes and the span to link back to."""

    destination: str
    link: PlannedLink


class Said(NamedTuple):
    """What an agent's turn sends out."""

    output: Message
    group: Message
    content: str


Handle = Callable[[], Any] | None
Recipient = tuple[str, str, Handle]
"""Who gets a message, its JSON, and what the recipient does with it."""


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
        """Play the group chat. The runtime survives an agent's error, so nothing at the top says that it failed."""
        for agent in TEAM:
            self._construct(agent)
        start = self._create(autogen.agent_address(autogen.MANAGER, self.team), "GroupChatStart", new_trace=True)
        task = autogen.text_message(self.script.uuid(), "user", self.claim, None)
        started = json.dumps({"messages": [task], "output_task_messages": True})
        opened: list[Message] = []
        self._deliver(start, None, [(autogen.MANAGER, started, lambda: opened.extend(self._open_chat()))], verb="send")
        output, group, request = opened
        self._deliver(output, autogen.MANAGER, [])
        self._deliver(group, autogen.MANAGER, [(agent, started, None) for agent in TEAM])
        self._acknowledge(start)
        self._chat(request)
        return self.script.finish()

    def _chat(self, request: Message | None) -> None:
        for agent, successor in zip(TEAM, (*TEAM[1:], None), strict=True):
            if request is None:
                return
            request = self._turn(agent, request, successor)

    def _construct(self, agent: str) -> None:
        attributes = autogen.create_agent(agent)
        name = f"create_agent {agent}"
        with self.script.span(name, autogen.CORE, attributes, kind=SpanKind.CLIENT, new_trace=True):
            self.script.wait(0.1)

    def _open_chat(self) -> list[Message]:
        """What the manager sends when the chat starts: to the outside, to all, and to the first speaker."""
        return [
            self._create(autogen.topic_address("output_topic", self.team), "GroupChatStart"),
            self._create(autogen.topic_address("group_topic", self.team), "GroupChatStart"),
            self._ask(TEAM[0]),
        ]

    def _ask(self, agent: str) -> Message:
        return self._create(autogen.topic_address(agent, self.team), "GroupChatRequestPublish")

    def _create(self, destination: str, message_type: str, *, new_trace: bool = False) -> Message:
        attributes = autogen.create(destination, message_type)
        name = f"autogen create {destination}"
        with self.script.span(name, autogen.RUNTIME, attributes, kind=SpanKind.PRODUCER, new_trace=new_trace) as span:
            self.script.wait(0.1)
        return Message(destination, PlannedLink(span.trace_id, span.span_id))

    def _acknowledge(self, start: Message) -> None:
        with self.script.span(
            "autogen ack",
            autogen.RUNTIME,
            autogen.ack(),
            kind=SpanKind.CONSUMER,
            new_trace=True,
            links=[start.link],
        ):
            self.script.wait(0.1)

    def _deliver(
        self, message: Message, sender: str | None, recipients: Sequence[Recipient], *, verb: str = "publish"
    ) -> Raised | None:
        """Carry a message in a trace of its own, where each recipient handles it.

        Gives back what a recipient raised: the runtime logs it on that recipient's span and carries on.
        """
        raised_by_one: Raised | None = None
        with self.script.span(
            f"autogen {verb} {message.destination}",
            autogen.RUNTIME,
            autogen.publish(message.destination),
            kind=SpanKind.PRODUCER,
            new_trace=True,
            links=[message.link],
        ) as span:
            if verb == "send":
                self.script.root_trace_id = span.trace_id
            for recipient, content, handle in recipients:
                try:
                    self._process(message, sender, recipient, content, handle)
                except Raised as error:
                    raised_by_one = error
        return raised_by_one

    def _process(self, message: Message, sender: str | None, recipient: str, content: str, handle: Handle) -> None:
        name = f"autogen process {autogen.agent_address(recipient, self.team)}"
        attributes = autogen.process(recipient, sender, self.team, content, self.script.uuid())
        self.script.wait(0.3)
        with self.script.span(name, autogen.RUNTIME, attributes, kind=SpanKind.CONSUMER, links=[message.link]):
            self.script.wait(0.2)
            if handle is not None:
                handle()

    def _turn(self, agent: str, request: Message, successor: str | None) -> Message | None:
        """One agent speaks to all; gives back the manager's request to the next speaker, None at the end."""
        said: list[Said] = []
        failed: list[Message] = []

        def speak() -> None:
            if self.fault.way != DROPPED and self.script.strikes(agent, Shows.UNDELIVERED):
                failed.append(self._create(autogen.topic_address("group_topic", self.team), "GroupChatError"))
                raise Raised(f"{EXCEPTIONS}.CantHandleException", UNHANDLED_BY[self.fault.way], FRAMES[Sdk.AUTOGEN])
            said.append(self._invoke(agent, failed))

        error = self._deliver(request, autogen.MANAGER, [(agent, "{}", speak)])
        if error is not None:
            self.script.blame(error.origin, Variant.LOUD)
            self._collateral(agent, failed[0])
            return None
        asked: list[Message] = []

        def choose_next() -> None:
            if successor is not None:
                asked.append(self._ask(successor))

        self._deliver(said[0].output, agent, [(autogen.MANAGER, said[0].content, None)])
        others: list[Recipient] = [(name, said[0].content, None) for name in TEAM if name != agent]
        self._deliver(said[0].group, agent, [*others, (autogen.MANAGER, said[0].content, choose_next)])
        return asked[0] if asked else None

    def _invoke(self, agent: str, failed: list[Message]) -> Said:
        attributes = autogen.invoke_agent(agent, self.team)
        with self.script.span(f"invoke_agent {agent}", autogen.CORE, attributes, kind=SpanKind.CLIENT):
            if self.script.strikes(agent, Shows.MODEL_RAISES):
                self.script.pause(60.0 if self.fault.code == "component.timeout" else self.rng.uniform(0.3, 1.2))
                failed.append(self._create(autogen.topic_address("group_topic", self.team), "GroupChatError"))
                raise raised(Sdk.OPENAI, self.fault.code or "", self.rng)
            if agent == "assessor":
                self._photos()
            self.script.wait(2_600)
            if self.script.strikes(agent, Shows.UNDELIVERED):
                failed.append(self._create(autogen.topic_address("group_topic", self.team), "GroupChatError"))
                raise Raised(f"{EXCEPTIONS}.MessageDroppedException", "", FRAMES[Sdk.AUTOGEN])
            return self._say(agent)

    def _say(self, agent: str) -> Said:
        text = {
            "intake": f"{self.claim}. Policy is active.",
            "assessor": f"Damage looks plausible, estimate {words.amount(self.rng)}.",
            "approver": "Approved. TERMINATE",
        }[agent]
        usage = (self.rng.randrange(240, 900), self.rng.randrange(18, 90))
        message = autogen.text_message(self.script.uuid(), agent, text, usage)
        return Said(
            output=self._create(autogen.topic_address("output_topic", self.team), "GroupChatMessage"),
            group=self._create(autogen.topic_address("group_topic", self.team), "GroupChatAgentResponse"),
            content=json.dumps({"response": {"chat_message": message, "inner_messages": []}, "name": agent}),
        )

    def _photos(self) -> None:
        """The assessor's tool; its error goes back to the model as text and nothing above notices."""
        attributes = autogen.execute_tool("read_photos", "Read the photos of a claim", f"call_{self.script.hex(8)}")
        try:
            with self.script.span("execute_tool read_photos", autogen.CORE, attributes):
                self.script.wait(480)
                if self.script.strikes("assessor", Shows.TOOL_RAISES):
                    raise raised(Sdk.OPENAI, "tool.error", self.rng)
        except Raised as error:
            self.script.blame(error.origin)

    def _collateral(self, agent: str, message: Message) -> None:
        """What the runtime logs on every other agent after one has failed: echoes, not causes."""
        others: list[Recipient] = [(name, "{}", self._refuse) for name in TEAM if name != agent]
        self._deliver(message, agent, [*others, (autogen.MANAGER, "{}", None)])

    def _refuse(self) -> None:
        raise Raised("ValueError", autogen.UNHANDLED, '  File "/app/site-packages/autogen_core/_single_threaded.py"')
