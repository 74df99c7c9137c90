"""What a reader asks of our browser components: each thing once, in order, and none is lost.

Streamlit's triggers are: one that comes while another page is about to be drawn reaches its callback empty. Here a
component keeps what it asked for as state, numbered, and the session remembers how far it came.

Nor is it done in a callback: that runs with whichever fragment's timer first brings the state along, and the fragment
that was asked is then drawn from the URL that the browser had before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

Do = Callable[[Any], None]


@dataclass(frozen=True)
class Asking:
    """A component that may ask (`ask` of `shared.js`)."""

    key: str
    does: Mapping[str, Do]
    """What to do by the name of what is asked, with the value that comes with it. Other names are ignored."""

    @property
    def _reached(self) -> str:
        """Where the session keeps how far it came."""
        return f"{self.key}.reached"

    def answer(self) -> bool:
        """Does what was asked since the last time; to be called before anything is drawn that it changes.

        Returns:
            Whether there was such.
        """
        if self._reached not in st.session_state:  # not mounted yet: what a browser holds is of a session before
            return False
        return self._do_new((st.session_state.get(self.key) or {}).get("asked"))

    def mount(self, mount: "ComponentRenderer", data: object) -> None:
        """Mounts the component."""
        result = mount(key=self.key, data=data, on_asked_change=lambda: None)  # a state is one that has a callback
        if self._do_new(result.get("asked")):  # it was asked of a page that went before it could answer
            st.rerun()

    def _do_new(self, asked: object) -> bool:
        asks = (
            sorted((each for each in asked if _is_ask(each)), key=lambda each: each["at"])
            if isinstance(asked, list)
            else []
        )
        if self._reached not in st.session_state:  # of a session before this one, on a server before this one
            st.session_state[self._reached] = asks[-1]["at"] if asks else 0
        new = [each for each in asks if each["at"] > st.session_state[self._reached]]
        for each in new:
            if act := self.does.get(each["name"]):
                act(each["value"])  # a newer request may break it off, and brings it along
            st.session_state[self._reached] = each["at"]
        return bool(new)


def _is_ask(each: object) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("at"), int | float)
        and isinstance(each.get("name"), str)
        and "value" in each
    )
