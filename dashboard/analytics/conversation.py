"""What a model was told and what it answered, as messages, whatever dialect recorded it. Attributes in, values out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple

Attributes = Mapping[str, Any]
Side = Literal["input", "output"]

ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "developer": "system"}
"""Other names of roles, and of LangChain's message types."""
NESTED: Final = 6
"""How deep messages may be wrapped."""
LONE: Final = {
    "function_call": "assistant",
    "tool_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
    "tool_result": "tool",
}
"""Pieces that stand where messages do, and who speaks in them."""
EVENTS: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}


class Part(NamedTuple):
    """A piece of a message: `text`, `call` of a tool, `result` of one, `thought`, or `other`, such as an image."""

    kind: str
    text: str
    name: str | None = None
    """Of the tool, or what kind of other piece it is."""
    id: str | None = None


class Message(NamedTuple):
    """One message."""

    role: str
    parts: tuple[Part, ...]
    side: Side


def conversation(attributes: Attributes, events: Sequence[Mapping[str, Any]] = ()) -> list[Message]:
    """The messages of a span, those it got before those it gave; none where it recorded none.

    Args:
        events: of the span, for dialects that record messages there.
    """
    told = [*_instructions(attributes), *_side(attributes, "input")]
    answered = _side(attributes, "output")
    if not told and not answered:
        for event in events:
            told += _event(event)
    return told + [message for message in answered if message[:2] not in [each[:2] for each in told[-1:]]]


def _instructions(attributes: Attributes) -> list[Message]:
    found = _value(attributes.get("gen_ai.system_instructions"))
    return [Message("system", _parts(found), "input")] if found else []


def _side(attributes: Attributes, side: Side) -> list[Message]:
    """The first of the ways to record messages that holds some."""
    word = {"input": "prompt", "output": "completion"}[side]
    keys = (
        f"gen_ai.{side}.messages",
        *(("pydantic_ai.all_messages", "all_messages_events") if side == "input" else ()),
    )
    for key in keys:
        if found := _messages(_value(attributes.get(key)), side):
            return found
    for prefix in (f"llm.{side}_messages.", f"gen_ai.{word}."):
        numbered = [_numbered(each, side) for each in _gathered(attributes, prefix)]
        if any(message.parts for message in numbered):
            return numbered
    for key in (f"gen_ai.{word}", f"{side}.value"):
        if found := _messages(_value(attributes.get(key)), side):
            return found
    return []


def _value(recorded: Any) -> Any:
    """What stands in a JSON text, else the text."""
    if isinstance(recorded, str) and recorded.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            return json.loads(recorded)
    return recorded


def _messages(value: Any, side: Side, depth: int = 0) -> list[Message]:
    """The messages in a value; none where it holds something else."""
    if isinstance(value, list) and depth <= NESTED:
        found = [each for item in value for each in _messages(item, side, depth + 1)]
        return found if len(found) >= len(value) else []
    if not isinstance(value, dict) or depth > NESTED:
        return []
    inner = _unwrapped(value)
    if inner is not None:
        return _messages(inner, side, depth + 1)
    kind, role = str(value.get("type")), value.get("role")
    if role is None and kind in LONE:
        return [Message(LONE[kind], tuple(_part(value)), side)]
    if role is None and kind in (*ROLES, *ROLES.values()):
        role = kind
    if not isinstance(role, str) or not {"content", "parts", "tool_calls"} & value.keys():
        return []
    return [_message(role, value, side)]


def _unwrapped(value: Mapping[str, Any]) -> Any:
    """What a request, an answer or a serialised object holds its messages in; None where it is no such wrapper."""
    for key in ("messages", "generations", "choices", "message", "output"):
        if value.get(key) and not isinstance(value[key], str):
            return value[key]
    for key in ("kwargs", "data"):
        if isinstance(value.get(key), dict):
            name = str(value["id"][-1]) if isinstance(value.get("id"), list) and value["id"] else ""
            return {"type": name.removesuffix("Message").lower() or value.get("type"), **value[key]}
    return None


def _message(role: str, value: Mapping[str, Any], side: Side) -> Message:
    role = ROLES.get(role.lower(), role.lower())
    parts = _parts(value.get("parts") or value.get("content"))
    if role == "tool" and not any(part.kind == "result" for part in parts):
        text = "\n".join(part.text for part in parts)
        parts = (Part("result", text, _word(value, "name"), _word(value, "tool_call_id", "id")),)
    if parts and all(part.kind == "result" for part in parts):
        role = "tool"  # some providers send results as the user's words
    calls = value.get("tool_calls") or ()
    known = {part.id for part in parts if part.kind == "call"}
    made = [_call(call) for call in calls if isinstance(call, Mapping)]
    return Message(role, (*parts, *(call for call in made if call.id is None or call.id not in known)), side)


def _call(call: Mapping[str, Any]) -> Part:
    inner = call.get("function") or call.get("tool_call") or call
    if isinstance(inner, Mapping) and isinstance(inner.get("function"), Mapping):
        call, inner = inner, inner["function"]
    if not isinstance(inner, Mapping):
        return Part("call", _text(call))
    arguments = next((inner[key] for key in ("arguments", "args", "input") if key in inner), "")
    return Part(
        "call", _text(arguments), _word(inner, "name", "tool_name"), _word(call, "id", "call_id") or _word(inner, "id")
    )


def _parts(content: Any) -> tuple[Part, ...]:
    if not content and content != 0:
        return ()
    return tuple(part for item in (content if isinstance(content, list) else [content]) for part in _part(item))


def _part(item: Any) -> Iterable[Part]:
    if not isinstance(item, Mapping):
        return [Part("text", _text(item))]
    kind = str(item.get("type") or item.get("kind") or "")
    if kind in ("tool_call", "tool_use", "function_call", "tool-call") or isinstance(item.get("tool_call"), Mapping):
        return [_call(item)]
    wrapped = next((item[key] for key in ("message_content", "message") if isinstance(item.get(key), Mapping)), None)
    if wrapped is not None:
        return _part({"type": kind, **wrapped})
    if kind in ("tool_call_response", "tool_result", "function_call_output", "tool-return"):
        return [_result(item)]
    text = next((item[key] for key in ("text", "content", "thinking") if isinstance(item.get(key), str)), None)
    if kind in ("thinking", "reasoning"):
        return [Part("thought", text if text is not None else _text(item))]
    is_plain = text is not None and kind in ("", "text", "input_text", "output_text")
    return [Part("text", text or "") if is_plain else Part("other", _text(item), kind or None)]


def _result(item: Mapping[str, Any]) -> Part:
    held = next((item[key] for key in ("result", "response", "content", "output") if key in item), "")
    inner = _parts(held) if isinstance(held, list) else ()
    text = "\n".join(part.text for part in inner) if inner else _text(held)
    return Part("result", text, _word(item, "name"), _word(item, "id", "tool_use_id", "call_id"))


def _word(holder: Mapping[str, Any], *keys: str) -> str | None:
    """The first of some values that is text and not empty."""
    return next((holder[key] for key in keys if isinstance(holder.get(key), str) and holder[key]), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _gathered(attributes: Attributes, prefix: str) -> list[dict[str, Any]]:
    """Messages that are spread over numbered attributes, in order, each as a tree of its parts."""
    tree: dict[str, Any] = {}
    for name, value in attributes.items():
        if not name.startswith(prefix):
            continue
        *way, last = name.removeprefix(prefix).split(".")
        if not way or not way[0].isdecimal():
            continue
        at = tree
        for step in way:
            inner = at.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = at[step] = {"": inner}
            at = inner
        at[last] = value
    return [tree[key] for key in sorted(tree, key=int) if isinstance(tree[key], dict)]


def _numbered(gathered: Mapping[str, Any], side: Side) -> Message:
    """A message of OpenInference or of OpenLLMetry's older names."""
    held = gathered.get("message") if isinstance(gathered.get("message"), dict) else gathered
    assert isinstance(held, Mapping)
    pieces = _listed(held.get("contents"))
    plain = _value(held.get("content"))
    content: Any = pieces or (plain if isinstance(plain, list) else held.get("content"))
    role = held.get("role") or ("assistant" if side == "output" else "user")
    return _message(str(role), {**held, "content": content, "tool_calls": _listed(held.get("tool_calls"))}, side)


def _listed(numbered: Any) -> list[Any]:
    if not isinstance(numbered, Mapping):
        return []
    return [numbered[key] for key in sorted((key for key in numbered if key.isdecimal()), key=int)]


def _event(event: Mapping[str, Any]) -> list[Message]:
    held = event["attributes"]
    if any(f"gen_ai.{side}.messages" in held for side in ("input", "output")):
        return conversation(held)
    role = EVENTS.get(event["name"])
    if role is None:
        return []
    side: Side = "output" if event["name"] == "gen_ai.choice" else "input"
    body = _value(held.get("message") or held.get("gen_ai.event.content"))
    inner = body if isinstance(body, dict) else held
    return [_message(str(inner.get("role") or role), {**inner, "tool_calls": _value(inner.get("tool_calls"))}, side)]
