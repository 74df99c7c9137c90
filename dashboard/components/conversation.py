"""Messages as a conversation: who said what, tool calls with their arguments, long ones folded, each to be copied."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import streamlit as st

from dashboard.analytics.conversation import Message, Part
from dashboard.components.assets import component
from dashboard.components.text import clip

_mount = component("conversation", '<div class="seam conversation"></div>')

SHOWN_CHARS: Final = 20_000  # of one message: the tabs Input and Output hold all
SHOWN: Final = 60  # messages, the last ones: an agent's whole history would hang the browser


def show_conversation(messages: Sequence[Message], key: str) -> None:
    """Shows messages, oldest first; of many the last ones until all are asked for."""
    shown = list(messages)
    if len(shown) > SHOWN and not st.toggle(
        f"Show all {len(shown):,} messages, not the last {SHOWN}", key=f"{key}_all"
    ):
        shown = shown[-SHOWN:]
    _mount(key=key, data={"messages": [_message(message) for message in shown]})


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "side": message.side, "parts": [_part(part) for part in message.parts]}


def _part(part: Part) -> dict[str, Any]:
    text = _laid_out(part.text) if part.kind in ("call", "result", "other") else part.text
    return {
        "kind": part.kind,
        "name": clip(str(part.name), 120) if part.name else None,
        "id": clip(str(part.id), 60) if part.id else None,
        "text": clip(text, SHOWN_CHARS),
        "chars": len(text),
    }


def _laid_out(text: str) -> str:
    """JSON with its lines broken, anything else as it is."""
    if text[:1] in ("{", "[") and len(text) <= SHOWN_CHARS:
        with suppress(ValueError, RecursionError):
            return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return text
