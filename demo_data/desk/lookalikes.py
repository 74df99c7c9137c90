"""What only looks like a failure, and must not be told as one."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

from demo_data.desk.script import CITED, Desk, Play
from demo_data.desk.writer import Message
from demo_data.faults import Shows
from demo_data.plan import PlannedEvent, Raised

Exchange = tuple[Mapping[str, object], object]
"""Arguments and answer."""

CHUNKS = ("First Token Stream Event", "llm.content.completion.chunk")
"""What OpenInference and OpenLLMetry note while an answer streams."""


def _series(desk: Desk, tools: str | Sequence[str], exchanges: Sequence[Exchange], pause_s: float = 0.0) -> str:
    """One tool several times, or several: each with its arguments and answer."""
    messages = [Message("user", desk.question)]
    for number, (given, answer) in enumerate(exchanges):
        tool = tools if isinstance(tools, str) else tools[number]
        call = desk.call(tool, **given)
        desk.ask_for(messages, call)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        desk.use(call, text)
        messages.append(Message("tool", text, call))
        desk.script.pause(pause_s)
    return desk.ask("work", "You look into orders.", messages, "The order was delivered.")


def polling(desk: Desk) -> str:
    """The same question until the answer changes."""
    states = (["queued", "queued", "done"], ["20 %", "70 %", "done"], ["running"] * 4 + ["done"])[desk.fault.way]
    return _series(desk, "refund_status", [({"order_id": desk.order}, {"state": state}) for state in states], 5.0)


def pagination(desk: Desk) -> str:
    """One page after the other."""
    pages = [({"cursor": f"p{n}"}, {"orders": [desk.order], "next": f"p{n + 1}"}) for n in range(1, 5)]
    return _series(desk, "list_orders", pages)


def handled_fallback(desk: Desk) -> str:
    """The desk's own second source for an expected miss."""
    given: dict[str, object] = {"order_id": desk.order}
    miss = {"order": None, "hint": "older than a year"}
    return _series(desk, ("lookup_order", "search_archive"), [(given, miss), (given, desk.order_found())])


def empty_but_fine(desk: Desk) -> str:
    """There are none, and that is the answer."""
    nothing: object = ([], {"refunds": []}, {"count": 0})[desk.fault.way]
    return _series(desk, "list_refunds", [({"order_id": desk.order}, nothing)])


def other_arguments(desk: Desk) -> str:
    """The same tool twice, asked for something else."""
    return _series(
        desk, "lookup_order", [({"order_id": desk.order}, {"state": 1}), ({"order_id": "B-7"}, {"state": 1})]
    )


def map_over(desk: Desk) -> str:
    """One call for each of several inputs, some of which are equal in what they answer."""
    items = [({"item": n, "order_id": desk.order}, {"refundable": True}) for n in range(4)]
    return _series(desk, "check_item", items)


def fan_out(desk: Desk) -> str:
    """Several calls at once, of a width that varies."""
    calls = [desk.call("check_item", item=n) for n in range(2 + desk.fault.way)]
    messages = [Message("user", desk.question)]
    desk.ask_for(messages, calls[0])
    desk.script.together([partial(desk.use, call, json.dumps({"refundable": True})) for call in calls])
    return desk.ask("work", "You look into orders.", messages, "All items can be sent back.")


def cancelled_siblings(desk: Desk) -> str:
    """Three ask at once, the first answer wins, and the others are called off."""

    def called_off() -> None:
        try:
            with desk.writer.tool(desk.call(mirror=desk.script.hex(2))):
                desk.script.wait(60)
                raise Raised("asyncio.exceptions.CancelledError", "", "  File desk.py")
        except Raised:
            pass

    def wins() -> None:
        desk.use(desk.call(mirror="first"), desk.order_found(), slow_ms=50)

    desk.script.together([wins, called_off, called_off])
    return desk.ask("work", "You look into orders.", desk.question, "The order was delivered.")


def error_log(desk: Desk) -> str:
    """A tool whose answers are about errors."""
    texts = (
        "2026-11-02 10:14:07 ERROR payments: request timed out\n2026-11-02 10:14:09 INFO payments: recovered",
        {"entries": [{"level": "error", "text": "TimeoutError: charge timed out"}], "total": 1},
        {"errors": [], "warnings": ["429 Too Many Requests seen twice"], "last_error": None},
    )
    return _series(desk, "error_log", [({"service": "payments"}, texts[desk.fault.way])])


def slow_call(desk: Desk) -> str:
    """Slow, once, and good."""
    call = desk.call()
    messages = [Message("user", desk.question)]
    desk.ask_for(messages, call)
    desk.use(call, desk.order_found(), slow_ms=95_000)
    return desk.ask("work", "You look into orders.", messages, "The order was delivered.")


def streaming(desk: Desk) -> str:
    """An answer in chunks, each an event."""
    answer = desk.ask("work", "You look into orders.", desk.question, "The order was delivered.")
    span = desk.last_model
    length = desk.script.now_ns - span.start_ns
    span.events += [PlannedEvent(CHUNKS[desk.fault.way % 2], span.start_ns + length * n // 9, {}) for n in range(1, 9)]
    return answer


def no_tool_needed(desk: Desk) -> str:
    """A question that the agent can answer as it is."""
    return desk.ask("work", "You look into orders.", "What are your hours?", "We are open from 9 to 5.")


def verify_loop(desk: Desk) -> str:
    """A check sends the draft back once; the second one passes."""
    for ok in (False, True):
        verdict = json.dumps({"ok": ok, "score": 0.4 + 0.5 * ok})
        desk.step("check", partial(desk.ask, "check", "Check the draft. Answer as JSON.", desk.question, verdict))
        if not ok:
            draft = f"Dear customer, once more and better {CITED}."
            desk.step(
                "draft", partial(desk.ask, "draft", "Draft the reply again.", f"{desk.question}\n{verdict}", draft)
            )
    return "passed"


LOOKALIKES: dict[Shows, Play] = {
    Shows.POLLING: polling,
    Shows.PAGINATION: pagination,
    Shows.HANDLED_FALLBACK: handled_fallback,
    Shows.EMPTY_BUT_FINE: empty_but_fine,
    Shows.OTHER_ARGUMENTS: other_arguments,
    Shows.MAP_OVER: map_over,
    Shows.FAN_OUT: fan_out,
    Shows.CANCELLED_SIBLINGS: cancelled_siblings,
    Shows.ERROR_LOG: error_log,
    Shows.SLOW_CALL: slow_call,
    Shows.STREAMING: streaming,
    Shows.NO_TOOL_NEEDED: no_tool_needed,
    Shows.VERIFY_LOOP: verify_loop,
}
