"""Registers our browser components: a script and a style sheet each, after what all of them share."""

from importlib.resources import files
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def component(name: str, html: str, *, looks: str | None = None) -> "ComponentRenderer":
    """The component `name`, made of `name.js` and `name.css` of this folder around fixed `html`; `looks` names a style
    sheet that it shares with others."""
    folder = files("dashboard") / "components"

    def text(file: str) -> str:
        return (folder / file).read_text("utf-8")

    return st.components.v2.component(
        f"seamscope.{name}",
        html=html,
        css=text("shared.css") + (text(f"{looks}.css") if looks else "") + text(f"{name}.css"),
        js=text("shared.js") + text(f"{name}.js"),
    )
