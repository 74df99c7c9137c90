"""Which failures the runs of the Runs page must hold: what marks of other pages lead to, in the URL, shown as chips."""

import re
from collections.abc import Callable
from typing import Final

import streamlit as st

from dashboard.components import filters
from dashboard.components.text import clip, safe
from dashboard.components.way_back import way_back
from dashboard.looks import LENSES
from dashboard.store import Param
from schemas.codes import Certainty

CERTAINTIES: Final = tuple(map(str, Certainty))
FATES: Final = {"loud": "neither handled nor hidden", "silent": "hidden", "recovered": "made good"}
"""What became of a failure."""
CODE: Final = re.compile(r"unclassified|[a-z][a-z0-9_]*\.[a-z0-9_]+")
VALUE_CHARS: Final = 500
LABELS: Final = {
    "code": "code",
    "lost": "lost to layer",
    "layer": "layer",
    "step": "failed at",
    "known": "certainty",
    "error": "error class",
    "fate": "what became of it",
}
"""The parameters of the URL, and what their chips say."""


OF_LENS: Final = ("layer", "lost")
"""What the queries take for each lens apart."""


def problem(name: str, value: str) -> str | None:
    """What is wrong with a value of the URL; None: nothing."""
    lens = filters.current().lens
    match name:
        case "code" if not CODE.fullmatch(value):
            return "codes read like tool.timeout"
        case "layer" | "lost" if value not in LENSES[lens]:
            return f"lens {lens} has {', '.join(LENSES[lens])}"
        case "known" if value not in CERTAINTIES:
            return f"there are {', '.join(CERTAINTIES)}"
        case "fate" if value not in FATES:
            return f"there are {', '.join(FATES)}"
        case _:
            return "it is too long" if len(value) > VALUE_CHARS else None


def asked() -> dict[str, tuple[str, ...]]:
    """The values in force, by parameter; those that cannot be are left out. An empty step stands for none told."""
    found = {}
    for name in LABELS:
        given = [value for value in st.query_params.get_all(name) if value or name == "step"]
        values = tuple(value for value in given if problem(name, value) is None)
        if values:
            found[name] = values if name == "step" else values[-1:]
    return found


def params() -> dict[str, Param]:
    """The values as the queries take them; empty where the URL asks for none."""
    found = asked()
    if not found:
        return {}
    lens = filters.current().lens

    def one(name: str, only: str = lens) -> str:
        return found[name][-1] if name in found and only == lens else ""

    return {
        "failing": bool(found.keys() - {"lost"}),
        "steps": found.get("step", ()),
        "certainty": one("known"),  # not by that name: it is the Failures page's own widget, and goes with it
        **{name: one(name) for name in ("code", "error", "fate")},
        **{f"{name}_{each.lower()}": one(name, each) for name in OF_LENS for each in LENSES},
    }


def complain() -> None:
    """Names the values of the URL that cannot be."""
    for name in LABELS:
        value = st.query_params.get(name)
        wrong = problem(name, value) if value else None
        if value and wrong:
            st.warning(f"The link's {name} “{safe(value, 40)}” cannot be: {wrong}. It is left out.")


def chips(on_change: Callable[[], None]) -> None:
    """Shows the values in force, each of which can be taken away, and the way back to what led here."""
    found = asked()
    if not found and not filters.current().window.exact:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        way_back(key="runs_way_back")
        if found:
            st.caption("with a failure:", width="content")
        for name, values in found.items():
            label = f"{LABELS[name]} **{safe(clip(' or '.join(value or 'no step' for value in values), 60))}**"
            if st.button(
                label,
                icon=":material/close:",
                icon_position="right",
                key=f"runs_without_{name}",
                help="Take this filter away",
            ):
                st.query_params.pop(name, None)
                on_change()
                st.rerun()
