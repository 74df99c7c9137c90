"""What a reader asks of our browser components: each thing once, in order, and none is lost.

Streamlit's triggers are: one that comes while another page is about to be drawn reaches its callback empty. Here a
component keeps what it asked for as state, numbered, and the session remembers how far it came.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

Do = Callable[[Any], None]


def mount_asking(mount: "ComponentRenderer", *, key: str, data: object, does: Mapping[str, Do]) -> None:
    """Mounts a component that may ask.

    What it asks for (`ask` of `shared.js`) is done before the page is drawn, so that the page shows what came of it.

    Args:
        does: what to do by the name of what is asked, with the value that comes with it. Other names are ignored.
    """

    def answer() -> None:
        _do_new(key, (st.session_state.get(key) or {}).get("asked"), does)

    result = mount(key=key, data=data, on_asked_change=answer)
    if _do_new(key, result.get("asked"), does):  # it was asked of a page that went before its callback was known
        st.rerun()


def _do_new(key: str, asked: object, does: Mapping[str, Do]) -> bool:
    """Does what was not done yet. -> Whether there was such."""
    reached = f"{key}.reached"
    asks = (
        sorted((each for each in asked if _is_ask(each)), key=lambda each: each["at"])
        if isinstance(asked, list)
        else []
    )
    last = asks[-1]["at"] if asks else 0
    if reached not in st.session_state:  # of a session before this one, on a server before this one
        st.session_state[reached] = last
    new = [each for each in asks if each["at"] > st.session_state[reached]]
    st.session_state[reached] = max(last, st.session_state[reached])
    for each in new:
        if act := does.get(each["name"]):
            act(each["value"])
    return bool(new)


def _is_ask(each: object) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("at"), int | float)
        and isinstance(each.get("name"), str)
        and "value" in each
    )
