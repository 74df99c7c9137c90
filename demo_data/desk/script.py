"""What happens at the desk, whoever writes it down: triage, search, work, draft, send.

The fault of the case is played where it says; patterns over several steps (`patterns`) and look-alikes
(`lookalikes`) take the place of the step's own work.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from demo_data import words
from demo_data.desk.writer import NAME, Message, Writer
from demo_data.errors import ANSWERS, raised
from demo_data.faults import Shows, Variant
from demo_data.models import ToolCall, reply
from demo_data.plan import Case, PlannedSpan, Raised, RunPlan, Script, Service

MODEL = "gpt-4o-mini-2024-07-18"
MAX_TRIES = 3
CONTRACT = "Cite the policy in square brackets."
CITED = "[policy/returns.md]"
"""What a draft must hold by the desk's own contract."""

Body = Callable[[], str]
Play = Callable[["Desk"], str]


class Desk:
    """One run of the desk."""

    def __init__(self, case: Case, writer: type[Writer], plays: dict[Shows, Play]) -> None:
        self.fault = case.fault
        self.script = Script(case, NAME, Service("service-desk", case.version, case.environment))
        self.writer = writer(self.script)
        self.rng = self.script.rng
        self.plays = plays
        self.order = words.order_id(self.rng)
        self.question = words.ticket(self.rng, self.order)
        if self.fault.shows is Shows.USER_SAYS_ERROR:
            self.question = (
                f"Error: payment failed, it says, and: Traceback (most recent call last). Order {self.order}"
            )

    def run(self) -> RunPlan:
        """Play the desk; what leaves it has failed the run, whether its root says so or not."""
        ended = Variant.LOUD if self.writer.root_tells else Variant.SILENT
        try:
            with self.writer.run(self.question) as root:
                self.root = root
                answer = self._steps()
                if self.fault.shows is Shows.JUDGED:
                    self.plays[Shows.JUDGED](self)
                self.writer.finish_run(root, answer)
        except Raised as error:
            self.script.blame(error.origin, ended)
        return self.script.finish()

    def _steps(self) -> str:
        self.step("triage", lambda: self.ask("triage", "Name the intent in one word.", self.question, "refund"))
        self.step("search", self._search)
        self.step("work", self._work)
        if self.fault.shows is Shows.HUMAN_INTERRUPT:
            self.writer.visit("approval")
            self.writer.pause_for_human(f"approve refund for {self.order}?")
            return "waiting"
        draft = self.step("draft", self._draft)
        if self.fault.shows in (Shows.VERIFY_LOOP, Shows.FAIL_OPEN):
            self.plays[self.fault.shows](self)
        return self.step("send", lambda: self._send(draft))

    def step(self, name: str, body: Body) -> str:
        """One visit of a step, its retries, and whoever swallows its error."""
        self.writer.visit(name)
        self.at = name
        is_struck = self.fault.step == name
        retried = is_struck and self.fault.variant is Variant.RECOVERED
        swallowed = is_struck and self.fault.variant is Variant.SILENT and not self.writer.is_graph
        for tried in range(1, MAX_TRIES + 1):
            try:
                with self.writer.step(self.question) as span:
                    result = body()
                    self.script.wait(2)
                    self.writer.finish_step(span, result)
            except Raised as error:
                self.script.blame(error.origin)
                if swallowed:
                    return "went on without"
                if not retried or tried == MAX_TRIES:
                    self.script.ran_out = retried and self.writer.retries_steps
                    raise
                self.script.pause(0.5 * tried)
            else:
                if self.fault.shows is Shows.FAIL_OPEN and name == "send":
                    self.script.blame(self.writer.stands_for(span) or self.last_tool)
                return result
        raise AssertionError

    def ask(
        self,
        step: str,
        system: str,
        given: str | Sequence[Message],
        text: str,
        call: ToolCall | None = None,
        finish: str = "stop",
    ) -> str:
        """One model call with this answer, or the error that the fault says."""
        said = [Message("user", given)] if isinstance(given, str) else given
        self.script.wait(2)
        with self.writer.model([Message("system", system), *said]) as span:
            if self.script.strikes(step, Shows.MODEL_RAISES):
                self.script.pause(60.0 if self.fault.code == "component.timeout" else self.rng.uniform(0.2, 1.1))
                raise self.error()
            prompt = "".join(message.text for message in said)
            answer = reply(self.rng, MODEL, prompt, text, context_tokens=200, finish_reason=finish, tool_call=call)
            self.script.wait(answer.latency_ms)
            self.writer.finish_model(span, answer)
        self.last_model = span
        return text

    def error(self) -> Raised:
        """What is raised for the fault's code in this framework."""
        return raised(self.writer.sdk, self.fault.code or "", self.rng)

    def call(self, name: str = "lookup_order", **arguments: object) -> ToolCall:
        """A call that a model asks for."""
        return ToolCall(f"call_{self.script.hex(10)}", name, json.dumps(arguments or {"order_id": self.order}))

    def use(self, call: ToolCall, text: str, *, slow_ms: float = 180) -> PlannedSpan:
        """One tool call that is answered, well or with an error text."""
        self.script.wait(1)
        with self.writer.tool(call) as span:
            if self.script.strikes(self.at, Shows.TOOL_RAISES):
                self.script.pause(30.0 if self.fault.code == "tool.timeout" else self.rng.uniform(0.05, 0.6))
                raise self.error()
            self.script.wait(slow_ms)
            failed = self.script.strikes(self.at, Shows.TOOL_ANSWERS_ERROR)
            if failed:
                self.script.blame(span)
                text = ANSWERS[self.fault.code or ""].format(order=self.order, tool=call.name)
            self.writer.finish_tool(span, call, text, failed=failed)
        self.last_tool = span
        self.last_answer = text
        self.last_failed = failed
        return span

    def ask_for(self, messages: list[Message], call: ToolCall) -> None:
        """The model asks for a tool, given what was said so far."""
        self.ask("work", "You look into orders.", messages, "", call)
        messages.append(Message("assistant", "", call))

    def order_found(self) -> str:
        """What the order look-up answers."""
        return json.dumps({"order": self.order, "state": "delivered", "paid": words.amount(self.rng)})

    def _search(self) -> str:
        found = words.pick(self.rng, words.POLICIES, 3)
        for query in (self.question, self.order):
            self.script.wait(1)
            with self.writer.retriever(query) as span:
                self.script.wait(80)
                if self.script.strikes("search", Shows.RETRIEVER_RAISES):
                    raise self.error()
                empty = self.script.strikes("search", Shows.EMPTY_RESULT)
                if empty:
                    self.script.blame(span)
                self.writer.finish_retriever(span, [] if empty else found)
            if not empty or self.fault.variant is not Variant.RECOVERED:
                break
        return found[0][1]

    def _work(self) -> str:
        play = self.plays.get(self.fault.shows)
        if play is not None and self.fault.step == "work":
            return play(self)
        return self.look_up()

    def look_up(self) -> str:
        """The model asks for the order and answers from it; after an error that may pass it asks again."""
        messages = [Message("user", self.question)]
        for tried in range(1, MAX_TRIES + 1):
            call = self.call()
            self.ask_for(messages, call)
            try:
                self.use(call, self.order_found())
                answer, failed = self.last_answer, self.last_failed
            except Raised as error:
                self.script.blame(error.origin)
                if self.fault.variant is Variant.LOUD or tried == MAX_TRIES:
                    raise
                answer, failed = f"Error: {error.message}", True
            messages.append(Message("tool", answer, call))
            if not failed or self.fault.variant is not Variant.RECOVERED:
                break
        else:
            self.script.blame(None, Variant.SILENT)  # no try was good, and it goes on
        return self.ask("work", "You look into orders.", messages, "The order was delivered.")

    def _draft(self) -> str:
        text = f"Dear customer, damaged goods are refunded in full {CITED}."
        if self.fault.shows is Shows.TALKS_OF_ERRORS:
            text = (
                f"Error 504 means that our payment provider timed out (APITimeoutError); nothing was charged {CITED}."
            )
        if self.fault.shows is Shows.CONTRACT_MISSING:
            text = ("Dear customer, we refund you.", "Dear customer, see our policy.", "Dear customer, no refund.")[
                self.fault.way
            ]
        with swallowing(self.script, self.fault.variant is Variant.SILENT and self.writer.is_graph):
            self._write(text)
        if self.script.strikes("draft", Shows.WRONG_ROUTE):
            with self.writer.inner("route", text):
                self.script.wait(1)
            raise self.error()
        return text

    def _write(self, text: str) -> None:
        system, asked = "Draft the reply.", f"{self.question}\n{CONTRACT}"
        finish = ""
        if self.script.strikes("draft", Shows.FINISH_LENGTH):
            finish = "length"
        elif self.script.strikes("draft", Shows.FINISH_FILTER):
            finish = "content_filter"
        if not finish:
            self.ask("draft", system, asked, text)
            self.drafted = self.last_model
            if self.fault.shows is Shows.CONTRACT_MISSING:
                self.script.blame(self.last_model)
            return
        self.ask("draft", system, asked, text[:30] if finish == "length" else "", finish=finish)
        self.script.blame(self.last_model)
        if self.fault.variant is Variant.RECOVERED:
            self._write(text)
        elif self.fault.variant is Variant.LOUD:
            error = raised(self.writer.sdk, "handoff.schema_invalid", self.rng)
            error.origin = self.last_model
            raise error

    def _own_code_fails(self, name: str) -> None:
        """The step's own code fails; where that is to stay silent, inside something that the step runs."""
        is_inside = self.fault.variant is Variant.SILENT and self.writer.inner_tells
        with swallowing(self.script, is_inside):
            if is_inside:
                with self.writer.inner(f"parse_{name}", self.question):
                    self.script.wait(2)
                    raise self.error()
            self.script.wait(2)
            raise self.error()

    def _send(self, draft: str) -> str:
        play = self.plays.get(self.fault.shows)
        if play is not None and self.fault.step == "send" and self.fault.shows is not Shows.FAIL_OPEN:
            return play(self)
        if self.script.strikes("send", Shows.STEP_RAISES):
            self._own_code_fails("send")
        self.use(self.call("send_reply", order_id=self.order, text=draft), json.dumps({"sent": True}))
        return draft


@contextmanager
def swallowing(script: Script, really: bool) -> Iterator[None]:
    """Where the program goes on although something in it failed."""
    try:
        yield
    except Raised as error:
        script.blame(error.origin)
        if not really:
            raise
