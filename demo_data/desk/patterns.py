"""Faults that no single span tells of: what the desk does instead of its own work."""

import json

from demo_data.desk.genai import GenAi
from demo_data.desk.script import Desk, Play
from demo_data.desk.writer import CHECKS, Message
from demo_data.faults import Shows, Variant
from demo_data.plan import Raised
from demo_data.verdicts import verdict

SAME = "That is for the other desk."
AGENTS = ("billing", "shipping")
THREE_ROUNDS = 5
"""The handoff, counted from 0, with which the third round is over."""


def blind_retry(desk: Desk) -> str:
    """The same failing call again and again; the third way varies the arguments in between."""
    arguments = [{"order_id": desk.order}] * 3
    if desk.fault.way == 1:
        arguments = [{"order_id": desk.order}] * 5
    if desk.fault.way == 2:
        arguments = [{"order_id": desk.order}, {"order_id": desk.order.lower()}, {"order_id": desk.order}]
    messages = [Message("user", desk.question)]
    for given in arguments:
        call = desk.call(**given)
        desk.ask_for(messages, call)
        try:
            with desk.writer.tool(call):
                desk.script.wait(90)
                raise desk.error()
        except Raised as error:
            desk.script.blame(error.origin)
            messages.append(Message("tool", f"Error: {error.message}", call))
            if desk.fault.variant is Variant.LOUD and given is arguments[-1] and len(messages) > 2 * len(arguments):
                raise
    return desk.ask("work", "You look into orders.", messages, "I could not find the order.")


def redundant_step(desk: Desk) -> str:
    """A call whose answer is known already: again, again after something else, and twice again."""
    messages = [Message("user", desk.question)]
    answer = desk.order_found()
    plan = (["lookup_order"] * 2, ["lookup_order", "list_refunds", "lookup_order"], ["lookup_order"] * 3)
    for tool in plan[desk.fault.way]:
        call = desk.call(tool, order_id=desk.order)
        desk.ask_for(messages, call)
        text = answer if tool == "lookup_order" else json.dumps({"refunds": 1})
        span = desk.use(call, text)
        messages.append(Message("tool", text, call))
    desk.script.blame(span)
    return desk.ask("work", "You look into orders.", messages, "The order was delivered.")


def duplicate_effect(desk: Desk) -> str:
    """The reply is sent twice: in a row, after another look, and by two agents of the desk."""
    given = {"order_id": desk.order, "text": "We refund you."}
    messages = [Message("user", desk.question)]
    for again in (False, True):
        if again and desk.fault.way == 1:
            desk.use(desk.call(), desk.order_found())
        call = desk.call("send_reply", **given)
        if desk.fault.way != 2:
            desk.ask_for(messages, call)
        span = desk.use(call, json.dumps({"sent": True, "message": desk.script.hex(6)}))
        messages.append(Message("tool", "sent", call))
    desk.script.blame(span)
    return "sent"


def ping_pong(desk: Desk) -> str:
    """Two agents hand the work to each other: with turns that say the same, without any, and for longer."""
    handoffs = 8 if desk.fault.way == 2 else 6
    for turn in range(handoffs):
        target = AGENTS[(turn + 1) % 2]
        if desk.fault.way == 1:
            handoff = desk.writer.handoff(target)
        else:
            with desk.writer.agent(AGENTS[turn % 2], desk.question) as span:
                desk.ask("work", "Solve it or hand it over.", desk.question, SAME)
                handoff = desk.writer.handoff(target)
                desk.writer.finish_step(span, SAME)
                desk.script.blame(span)
        if turn >= THREE_ROUNDS:
            desk.script.blame(handoff)
    return desk.ask("work", "Solve it or hand it over.", desk.question, "We will get back to you.")


def tools_bypassed(desk: Desk) -> str:
    """An agent with tools answers without them: alone, beside one that uses its own, and after a look-up."""
    if desk.fault.way == 2:
        desk.look_up()
    tools = json.dumps([{"type": "function", "name": name} for name in ("lookup_order", "send_reply")])
    for name in ("clerk", "checker")[: 2 if desk.fault.way == 1 else 1]:
        with desk.writer.agent(name, desk.question) as span:
            assert span is not None, GenAi.dialect
            span.attributes["gen_ai.tool.definitions"] = tools
            if name == "checker":
                desk.use(desk.call(), desk.order_found())
            desk.ask("work", "You look into orders.", desk.question, "It was surely delivered.")
            desk.writer.finish_step(span, "It was surely delivered.")
        if name == "clerk":
            desk.script.blame(span)
    return "done"


def unknown_tool(desk: Desk) -> str:
    """The model asks for a tool that there is not, and then answers without it, or (second way) asks for another."""
    messages = [Message("user", desk.question)]
    call = desk.call("find_order", order_id=desk.order)
    desk.ask_for(messages, call)
    if desk.fault.variant is Variant.LOUD:
        raise desk.error()
    text = desk.writer.refusal("find_order")
    messages.append(Message("tool", text, call))
    shown = desk.writer.refuse(call, text)
    desk.script.blame(shown)
    if desk.fault.way == 1:
        right = desk.call()
        desk.ask_for(messages, right)
        if shown is None:
            desk.script.blame(desk.last_model)
        desk.use(right, desk.order_found())
        messages.append(Message("tool", desk.last_answer, right))
        return desk.ask("work", "You look into orders.", messages, "The order was delivered.")
    answer = desk.ask("work", "You look into orders.", messages, "I cannot look that up.")
    if shown is None:
        desk.script.blame(desk.last_model)
    return answer


def fail_open(desk: Desk) -> str:
    """A check rejects the draft, and it is sent: at once, although another check passes, and after a second no."""
    plan = (("cites_policy",), ("cites_policy", "polite"), ("cites_policy", "cites_policy"))[desk.fault.way]
    for name in plan:
        try:
            with desk.script.span(name, CHECKS, desk.writer.check(name)):
                desk.script.wait(40)
                if name == "cites_policy":
                    raise Raised("service_desk.checks.DraftRejected", "the draft cites no policy", "  File desk.py")
        except Raised as error:
            desk.script.blame(error.origin)
    return "sent all the same"


JUDGES = {
    "component.judged_quality": ("faithfulness", "correctness", "hallucination-free"),
    "judged.goal": ("task_completion", "AgentGoalAccuracy", "Topic Adherence"),
    "judged.route": ("tool_selection", "tool_call_accuracy", "Tool Correctness"),
    "judged.state": ("Knowledge Retention", "context_retention", "memory_consistency"),
    "judged.handoff": ("tool_output_interpretation", "handoff_quality", "context_relevance"),
}
"""What evaluators call their checks; each way is another one."""


def judged(desk: Desk) -> str:
    """An evaluator fails the run: by an event on the draft's model call, by one on the root, by a span of its own."""
    name = JUDGES[desk.fault.code or ""][desk.fault.way]
    now_ns = desk.script.now_ns
    if desk.fault.way == 2:
        attributes = {"openinference.span.kind": "EVALUATOR", "evaluation.name": name, "evaluation.label": "fail"}
        with desk.script.span(name, CHECKS, attributes):
            desk.script.wait(900)
        desk.script.blame(desk.root)
        return "judged"
    span = desk.root if desk.fault.way else desk.drafted
    span.events.append(verdict(desk.rng, name, good=False, now_ns=now_ns))
    desk.script.blame(span)
    return "judged"


PATTERNS: dict[Shows, Play] = {
    Shows.JUDGED: judged,
    Shows.BLIND_RETRY: blind_retry,
    Shows.REDUNDANT_STEP: redundant_step,
    Shows.DUPLICATE_EFFECT: duplicate_effect,
    Shows.PING_PONG: ping_pong,
    Shows.TOOLS_BYPASSED: tools_bypassed,
    Shows.UNKNOWN_TOOL: unknown_tool,
    Shows.FAIL_OPEN: fail_open,
}
