"""What the runs of the Runs page must hold: what marks of other pages lead to, in the URL, shown as chips."""

import re
from collections.abc import Callable
from typing import Final

import streamlit as st

from dashboard import store
from dashboard.analytics.reliability.parting import UNCLASSIFIED
from dashboard.components import filters
from dashboard.components.text import clip, safe
from dashboard.components.way_back import way_back
from dashboard.looks import LENSES
from dashboard.store import Param
from schemas.codes import Certainty
from schemas.rules import known_codes

CERTAINTIES: Final = tuple(map(str, Certainty))
FATES: Final = {
    "loud": "neither handled nor hidden",
    "silent": "hidden",
    "recovered": "made good",
    "dragged": "dragged along by another: passed on, or cut off",
}
"""What became of a failure."""
CALLED_BY: Final = ("step", "operation", "tool", "model", "provider")
CALLED: Final = re.compile(rf"({'|'.join(CALLED_BY)}):(.+)", re.DOTALL)
READ_LIKE: Final = {
    "code": (re.compile(r"unclassified|[a-z][a-z0-9_]*\.[a-z0-9_]+"), "codes read like tool.timeout"),
    "called": (CALLED, f"it reads like tool:search, with {', '.join(CALLED_BY)}"),
    "tried": (re.compile(r"[1-9]\d{0,3}"), "it is a number from 1 on"),
}
"""What the values of some parameters look like, and what is said of others."""
VALUE_CHARS: Final = 500
GROUPS: Final = {
    "with a failure:": {
        "code": "code",
        "lost": "lost to layer",
        "layer": "layer",
        "step": "failed at",
        "known": "certainty",
        "error": "error class",
        "fate": "what became of it",
    },
    "with an operation:": {"called": "called", "tried": "tries, at least"},
    "with spans of:": {"service": "service", "instrumentation": "instrumentation scope"},
}
"""The parameters of the URL by what a run must hold, and what their chips say."""
LABELS: Final = {name: label for group in GROUPS.values() for name, label in group.items()}
MAY_BE_EMPTY: Final = {"step": "no step", "service": "not told", "instrumentation": "not told"}
"""What an empty value stands for."""
NAMED: Final = {
    **{name: f"a {name}" for name in ("step", "tool", "model", "provider", "service")},
    "operation": "an operation",
    "error": "an error of class",
    "instrumentation": "spans of the instrumentation scope",
}
"""What a name that no run bears is said to be of."""
OF_LENS: Final = ("layer", "lost")
"""What the queries take for each lens apart."""


def problem(name: str, value: str) -> str | None:
    """What is wrong with a value of the URL; None: nothing."""
    lens = filters.current().lens
    lists = {"known": CERTAINTIES, "fate": tuple(FATES), **dict.fromkeys(OF_LENS, LENSES[lens])}
    if name in lists and value not in lists[name]:
        return f"{f'lens {lens} has' if name in OF_LENS else 'there are'} {', '.join(lists[name])}"
    pattern, said = READ_LIKE.get(name, (None, ""))
    if pattern is not None and not pattern.fullmatch(value):
        return said
    return "it is too long" if len(value) > VALUE_CHARS else None


def asked() -> dict[str, tuple[str, ...]]:
    """The values in force, by parameter; those that cannot be are left out."""
    found = {}
    for name in LABELS:
        given = [value for value in st.query_params.get_all(name) if value or name in MAY_BE_EMPTY]
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

    called = CALLED.fullmatch(one("called"))
    failing, calling, sending = (found.keys() & group for group in GROUPS.values())
    return {
        "failing": bool(failing - {"lost"}),
        "steps": found.get("step", ()),
        "certainty": one("known"),  # not by that name: it is the Failures page's own widget, and goes with it
        **{name: one(name) for name in ("code", "error", "fate")},
        **{f"{name}_{each.lower()}": one(name, each) for name in OF_LENS for each in LENSES},
        "calling": bool(calling),
        "called_by": called[1] if called else "",
        "called": called[2] if called else "",
        "tries": int(one("tried") or 1),
        "sending": bool(sending),
        "services": found.get("service", ()),
        "instrumentations": found.get("instrumentation", ()),
    }


NOTHING: Final[dict[str, Param]] = {
    "failing": False,
    "steps": (),
    **dict.fromkeys(("code", "layer_a", "layer_b", "lost_a", "lost_b", "certainty", "error", "fate"), ""),
    "calling": False,
    "called_by": "",
    "called": "",
    "tries": 1,
    "sending": False,
    "services": (),
    "instrumentations": (),
}
"""What the queries take where a run need hold nothing."""


def complain() -> None:
    """Names the values of the URL that cannot be."""
    for name in LABELS:
        value = st.query_params.get(name)
        wrong = problem(name, value) if value else None
        if value and wrong:
            st.warning(f"The link's {name} “{safe(value, 40)}” cannot be: {wrong}. It is left out.")
    code = st.query_params.get("code")
    if code and not problem("code", code) and code not in (UNCLASSIFIED, *known_codes(store.settings().rules)):
        st.warning(f"No rule gives the code “{safe(code, 40)}”, not any more. Take it away here, or mend the link.")


def complain_of_names() -> None:
    """Where no run was found: names the values of the URL that no run has ever borne."""
    found, held = asked(), params()
    called = CALLED.fullmatch(found.get("called", ("",))[-1])
    named = [
        *((name, value) for name in ("step", "error", "service", "instrumentation") for value in found.get(name, ())),
        *([(called[1], called[2])] if called else []),
    ]
    if not any(value for _, value in named):
        return
    by = ("steps", "error", "called_by", "called", "services", "instrumentations")
    rows = store.ask_steady("names_seen", **{name: held[name] for name in by}).to_pylist()
    seen = {(row["what"], row["name"]) for row in rows}
    for what, name in named:
        if name and (what, name) not in seen:
            st.warning(f"No run has {NAMED[what]} “{safe(name, 60)}”. Take it away here, or mend the link.")


def chips(on_change: Callable[[], None]) -> None:
    """Shows the values in force, each of which can be taken away, and the way back to what led here."""
    found = asked()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        way_back(key="runs_way_back")
        for title, group in GROUPS.items():
            if found.keys() & group:
                st.caption(title, width="content")
            for name in group:
                if name in found:
                    _chip(name, found[name], on_change)


def _chip(name: str, values: tuple[str, ...], on_change: Callable[[], None]) -> None:
    said = " or ".join(
        value.replace(":", " ", 1) if name == "called" else value or MAY_BE_EMPTY[name] for value in values
    )
    if st.button(
        f"{LABELS[name]} **{safe(clip(said, 60))}**",
        icon=":material/close:",
        icon_position="right",
        key=f"runs_without_{name}",
        help="Take this filter away",
    ):
        st.query_params.pop(name, None)
        on_change()
        st.rerun()
