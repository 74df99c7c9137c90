"""refund_triage: a LangGraph graph with a verify loop, seen by OpenInference's LangChain instrumentation.

intake → (fraud.score ‖ retrieval) → ledger.query → synthesis → verification → delivery; verification may send the
draft back to synthesis. Nodes have a retry policy; `ledger.query` swallows a failed look-up, and the draft is then
written without the ledger.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from demo_data import words
from demo_data.dialects import openinference as oi
from demo_data.errors import Sdk, raised
from demo_data.faults import NO_FAULT, Shows, Variant
from demo_data.models import Reply, ToolCall, reply
from demo_data.plan import Case, PlannedSpan, Raised, RunPlan, Script, Service
from demo_data.verdicts import evaluate

NAME = "refund_triage"
SMALL_MODEL = "gpt-4o-mini-2024-07-18"
LARGE_MODEL = "gpt-4o-2024-08-06"
LEDGER_MODELS = {"2.3.0": "gpt-4o-2024-08-06", "2.4.0": "gpt-4.1-2025-04-14"}
"""Which model writes the ledger query in which version: the upgrade that made the step worse."""
MAX_TRIES = 5
APPROVED_SHARE = 0.85
APPROVAL_MINUTES = 25
LAST_STEP = 11
"""LangGraph's recursion limit of 12 strikes after this step."""

Update = dict[str, Any]


def plan(case: Case) -> RunPlan:
    """One refund ticket from intake to delivery."""
    return _Graph(case).run()


class _Graph:
    """One run of the graph: its state, its session and the step it is at."""

    def __init__(self, case: Case) -> None:
        self.fault = case.fault
        self.version = case.version
        self.script = Script(case, NAME, Service("refund-desk", case.version, case.environment))
        self.rng = self.script.rng
        self.order = words.order_id(self.rng)
        self.amount = words.amount(self.rng)
        self.ticket = words.ticket(self.rng, self.order)
        self.state: Update = {"question": self.ticket}
        self.session: dict[str, Any] = {
            "session_id": f"s-{self.script.hex(8)}",
            "user_id": f"u-{self.rng.randrange(1, 2_500)}",
            "tenant": self.rng.choice(("acme", "globex", "initech")),
            "thread_id": f"th-{self.script.hex(10)}",
            "ls_integration": "langgraph",
        }
        self.metadata: dict[str, Any] = {}
        self.step = 0
        self.drafts = 0

    def run(self) -> RunPlan:
        """Play the graph; what leaves it has failed the run."""
        try:
            with self.script.span(NAME, oi.SCOPE, oi.chain(self.session, self.ticket)) as root:
                self._visit_all()
                oi.finish_chain(root, self.state)
                if self.fault.shows is not Shows.HUMAN_INTERRUPT:
                    evaluate(self.script, root, "answer_quality")
        except Raised as error:
            self.script.blame(error.origin, Variant.LOUD)
        run = self.script.finish()
        if self.fault.shows is Shows.HUMAN_INTERRUPT and self.rng.random() < APPROVED_SHARE:
            return run._replace(then=self._resume())
        return run

    def _resume(self) -> RunPlan:
        """The approved rest of the graph: a run of its own in the same session, begun at the node that waited."""
        self.script.wait(APPROVAL_MINUTES * 60_000, spread=0.8)
        self.fault = NO_FAULT
        case = self.script.case._replace(start_ns=self.script.now_ns, fault=NO_FAULT)
        self.script = Script(case, NAME, self.script.service)
        self.step -= 1
        del self.state["__interrupt__"]
        command: dict[str, Any] = {"graph": None, "update": None, "resume": "yes", "goto": []}
        with self.script.span(NAME, oi.SCOPE, oi.chain(self.session, command)) as root:
            self._node("delivery", self._delivery)
            oi.finish_chain(root, self.state)
        return self.script.finish()

    def _visit_all(self) -> None:
        self._node("intake", self._intake)
        self._at_once(("fraud.score", self._fraud_score), ("retrieval", self._retrieval))
        self._node("ledger.query", self._ledger)
        while True:
            self._node("synthesis", self._synthesis)
            self._node("verification", self._verification)
            if self.state["verdict"]["ok"]:
                break
            if self.step >= LAST_STEP:
                raise raised(Sdk.LANGCHAIN, "routing.loop_limit", self.rng)
        if self._waits_for_approval():
            return
        self._node("delivery", self._delivery)

    def _at_once(self, *nodes: tuple[str, Callable[[], Update]]) -> None:
        """Nodes of one superstep: they run side by side, share its number, and see the state as it was before."""
        self.step += 1
        before, after = self.state, {}

        def play(name: str, body: Callable[[], Update]) -> None:
            self.state = dict(before)
            self._node(name, body, begins_step=False)
            after.update(self.state)

        self.script.together([partial(play, name, body) for name, body in nodes])
        self.state = after

    def _node(self, name: str, body: Callable[[], Update], *, begins_step: bool = True) -> None:
        """One visit of a node under the graph's retry policy: its attempts share step and checkpoint."""
        self.step += begins_step
        self.metadata = oi.langgraph_metadata(name, self.step, self.script.uuid())
        retried = self.fault.step == name and self.fault.variant is Variant.RECOVERED
        for tried in range(1, MAX_TRIES + 1):
            try:
                self._attempt(name, body)
            except Raised as error:
                self.script.blame(error.origin)
                if not retried or tried == MAX_TRIES:
                    self.script.ran_out = retried
                    raise
                self.script.pause(0.5 * 2 ** (tried - 1) * self.rng.uniform(0.8, 1.2))
            else:
                return

    def _attempt(self, name: str, body: Callable[[], Update]) -> None:
        self.script.wait(3)
        with self._chain(name, self.state) as node:
            update = body()
            self.script.wait(1.5)
            self.state |= update
            oi.finish_chain(node, update)

    def _chain(self, name: str, given: Any) -> Any:
        return self.script.span(name, oi.SCOPE, oi.chain(self.session, given, metadata=self.metadata))

    def _model(self, step: str, system: str, prompt: str, answer: Reply) -> PlannedSpan:
        return oi.call_model(self.script, step, self.session, system, prompt, answer, metadata=self.metadata)

    def _intake(self) -> Update:
        intent = self.rng.choice(words.INTENTS)
        answer = reply(self.rng, SMALL_MODEL, self.ticket, intent, context_tokens=220)
        self._model("intake", "Name the intent of this ticket in one word.", self.ticket, answer)
        return {"intent": intent, "order": self.order}

    def _fraud_score(self) -> Update:
        self.script.wait(45)
        return {"fraud": round(self.rng.betavariate(1.2, 14.0), 3)}

    def _retrieval(self) -> Update:
        found = words.pick(self.rng, words.POLICIES, 3)
        attributes = oi.retriever(self.session, self.ticket, "policy", metadata=self.metadata)
        with self.script.span("PolicyRetriever", oi.SCOPE, attributes) as span:
            self.script.wait(85)
            if self.script.strikes("retrieval", Shows.RETRIEVER_RAISES):
                raise raised(Sdk.LANGCHAIN, "tool.unavailable", self.rng)
            if self.script.strikes("retrieval", Shows.EMPTY_RESULT):
                found = []
                self.script.blame(span)
            oi.finish_retriever(span, found)
        return {"docs": [text for _, text, _ in found]}

    def _ledger(self) -> Update:
        """The model writes a query, the tool runs it; a look-up that fails for good leaves the ledger unknown."""
        arguments = json.dumps({"order_id": self.order, "fields": ["paid", "refunded", "method"]})
        call = ToolCall(f"call_{self.script.hex(12)}", "ledger.query", arguments)
        model = LEDGER_MODELS[self.version]
        answer = reply(self.rng, model, self.ticket, "", context_tokens=640, finish_reason="tool_calls", tool_call=call)
        self._model("ledger.query", "Query the payment ledger for this order.", self.ticket, answer)
        if self.fault.shows is Shows.POLLING:
            self._poll_ledger(call)
        try:
            return {"ledger": self._look_up(call)}
        except Raised as error:
            if self.fault.variant is not Variant.SILENT:
                raise
            self.script.blame(error.origin)
            return {"ledger": None}

    def _tool(self, call: ToolCall) -> Any:
        attributes = oi.tool_call(
            self.session, call.name, "Read-only query on the payment ledger", call.arguments, metadata=self.metadata
        )
        return self.script.span(call.name, oi.SCOPE, attributes)

    def _look_up(self, call: ToolCall) -> str:
        self.script.wait(2)
        with self._tool(call) as span:
            if self.script.strikes("ledger.query", Shows.TOOL_RAISES):
                self.script.pause(30.0 if self.fault.code == "tool.timeout" else self.rng.uniform(0.05, 0.9))
                raise raised(Sdk.LANGCHAIN, self.fault.code or "", self.rng)
            self.script.wait(420, spread=0.6)
            if self.script.strikes("ledger.query", Shows.TOOL_ANSWERS_ERROR):
                self.script.blame(span)
                text = LEDGER_ANSWERS[self.fault.code or ""].format(order=self.order)
                oi.finish_tool_call(span, text, call.call_id, status="error")
                return text
            text = json.dumps({"order": self.order, "paid": self.amount, "refunded": "€0.00", "method": "card"})
            oi.finish_tool_call(span, text, call.call_id)
            return text

    def _poll_ledger(self, call: ToolCall) -> None:
        """The ledger's job queue: the same call again until its answer changes, which is no retry."""
        for done in (20, 55, 90):
            with self._tool(call) as span:
                self.script.wait(180)
                oi.finish_tool_call(span, json.dumps({"status": "running", "percent": done}), call.call_id)
            self.script.pause(2.0)

    def _synthesis(self) -> Update:
        self.drafts += 1
        draft = self.rng.choice(words.DECISIONS).format(amount=self.amount)
        cut = self.script.strikes("synthesis", Shows.FINISH_LENGTH)
        prompt = f"{self.ticket}\n\nPolicies:\n" + "\n".join(self.state["docs"]) + f"\n\nLedger: {self.state['ledger']}"
        answer = reply(
            self.rng,
            LARGE_MODEL,
            prompt,
            draft[: len(draft) * 2 // 3] if cut else draft,
            context_tokens=900,
            finish_reason="length" if cut else "stop",
        )
        span = self._model("synthesis", "Draft the decision. Cite the policy.", prompt, answer)
        if cut:
            self.script.blame(span)
        return {"draft": answer.text}

    def _verification(self) -> Update:
        verdict = {"ok": not self._rejects(), "score": round(self.rng.uniform(0.71, 0.98), 2)}
        text = json.dumps(verdict)
        broken = self.script.strikes("verification", Shows.STEP_RAISES)
        answer = reply(
            self.rng, SMALL_MODEL, self.state["draft"], text[:-12] + ', "score"' if broken else text, context_tokens=310
        )
        self._model("verification", "Check the draft against the policies. Answer as JSON.", answer.text, answer)
        if broken:
            raise raised(Sdk.LANGCHAIN, self.fault.code or "", self.rng)
        lost = self.script.strikes("verification", Shows.WRONG_ROUTE)
        route = "refunds_emea" if lost else "delivery" if verdict["ok"] else "synthesis"
        with self._chain("route", self.state) as span:
            self.script.wait(0.6)
            oi.finish_chain(span, route)
        if lost:
            raise raised(Sdk.LANGCHAIN, "routing.unknown_agent", self.rng)
        return {"verdict": verdict}

    def _rejects(self) -> bool:
        if self.fault.shows is Shows.LOOP_LIMIT:
            return True
        return self.fault.shows is Shows.VERIFY_LOOP and self.drafts == 1

    def _waits_for_approval(self) -> bool:
        """A large refund stops before delivery until a human says yes."""
        if self.fault.shows is not Shows.HUMAN_INTERRUPT:
            return False
        self.step += 1
        self.metadata = oi.langgraph_metadata("delivery", self.step, self.script.uuid())
        with self._chain("delivery", self.state) as node:
            self.script.wait(4)
            question = f"approve refund of {self.amount} for {self.order}?"
            interrupt_id = self.script.hex(32)
            node.events.append(oi.interrupt_event(question, interrupt_id, self.script.now_ns))
        self.state["__interrupt__"] = [{"value": question, "id": interrupt_id}]
        return True

    def _delivery(self) -> Update:
        self.script.wait(140)
        if self.script.strikes("delivery", Shows.STEP_RAISES):
            raise raised(Sdk.LANGCHAIN, self.fault.code or "", self.rng)
        return {"sent": True, "ticket_id": f"T-{self.rng.randrange(100_000, 999_999)}"}


LEDGER_ANSWERS = {
    "tool.error": "Error executing tool ledger.query: order {order} is locked by a running settlement",
    "tool.auth": "Error: 403 Forbidden - token lacks scope ledger:read for order {order}",
}
"""What the tool answers under a good status when it failed."""
