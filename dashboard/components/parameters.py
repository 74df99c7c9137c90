"""Every parameter of every page's URL, and what is said of values that cannot be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard.components.filters import DEFAULT_LENS, DEFAULT_SPAN, SPANS
from dashboard.components.inspector import TABS
from dashboard.components.recipes import RECIPES
from dashboard.components.text import safe
from dashboard.components.timeline import STATES
from dashboard.looks import LENSES
from schemas.codes import Certainty

SWITCH: Final = ("true", "false")
BY: Final = ("step", "tool", "model", "provider")
MOST_TOLD: Final = 10  # more names than that nobody reads
CERTAINTIES: Final = tuple(map(str, Certainty))


@dataclass(frozen=True)
class Parameter:
    """One name of the URL's query."""

    name: str
    page: str
    """Path of the page that reads it; '' for all."""
    means: str
    values: tuple[str, ...] = ()
    """All that there are; empty: what it takes is not a short list, and its page says what is wrong with a value."""
    default: str = ""
    """What holds without it; empty: nothing is chosen."""
    takes: str = ""
    """What it takes, where that is not a short list."""
    pattern: str = ".*"
    """What every value must match."""
    most_chars: int = 0
    """How much of it its field takes, which cuts off the rest; 0: it is no text of a field."""


PARAMETERS: Final = (
    Parameter("workflow", "", "only runs of this workflow", takes="name of a workflow", default="all"),
    Parameter("version", "", "only runs of this version", takes="version of a workflow", default="all"),
    Parameter(
        "environment", "", "only runs of this environment", takes="name of one, or `all`", default="all but development"
    ),
    Parameter("window", "", "a length of time that ends now", tuple(SPANS), DEFAULT_SPAN),
    Parameter("from", "", "an exact range instead of a window, with `to`", takes="moment, as in 2026-11-16T09:00:00Z"),
    Parameter("to", "", "the end of the exact range, itself left out", takes="moment, after `from`"),
    Parameter("lens", "", "which of the two layerings", tuple(LENSES), DEFAULT_LENS),
    Parameter("live", "", "whether the page refreshes by itself", SWITCH, "true"),
    Parameter("scope", "steps", "the step whose own steps are shown", takes="name of a step", default="whole chain"),
    Parameter("certainty", "failures", "how the failures are known", CERTAINTIES, CERTAINTIES[0]),
    Parameter("by", "retries", "what retries are cut by", BY, BY[0]),
    Parameter("series", "drift", "the series that is shown", takes="key of a series, from the table", default="E"),
    Parameter(
        "change",
        "drift",
        "the change point that is explained",
        takes="day in `time_zone`, as in 2026-11-16",
        default="newest",
    ),
    Parameter("state", "runs", "only runs of these outcomes; may stand more than once", STATES, ""),
    Parameter(
        "text",
        "runs",
        "only runs that hold this text",
        takes="up to 100 characters of a run id, session, step or error",
        pattern=".{0,100}",
        most_chars=100,
    ),
    Parameter("code", "runs", "only runs with a failure of this code", takes="code, as in tool.timeout"),
    Parameter("layer", "runs", "only runs with a failure of this layer", takes="layer of the lens"),
    Parameter("lost", "runs", "only failed and silent runs that this layer decided", takes="layer of the lens"),
    Parameter(
        "step",
        "runs",
        "only runs with a failure at these steps; may stand more than once",
        takes="name; empty: none told",
    ),
    Parameter("known", "runs", "only runs with a failure known so", takes="observed, inferred or judged"),
    Parameter("error", "runs", "only runs with a failure of this class", takes="name of an exception class"),
    Parameter("fate", "runs", "only runs with a failure that ended so", takes="loud, silent, recovered or dragged"),
    Parameter(
        "called",
        "runs",
        "only runs with an operation so called",
        takes="`step`, `operation`, `tool`, `model` or `provider`, a colon and its name",
    ),
    Parameter("tried", "runs", "only runs that tried that operation, or any, so often or more", takes="number from 1"),
    Parameter("service", "runs", "only runs with spans of this service", takes="name; empty: none told"),
    Parameter(
        "instrumentation",
        "runs",
        "only runs with spans of this instrumentation scope",
        takes="name; empty: none told",
    ),
    Parameter("page", "runs", "where the list stands", takes="`older` or `newer`, moment and run id", default="newest"),
    Parameter("run", "run", "the run that is shown", takes="run or trace id, 32 of 0–9 and a–f"),
    Parameter("span", "run", "the span that is inspected", takes="span id, 16 of 0–9 and a–f", default="what failed"),
    Parameter("view", "run", "what is shown of the run", takes="name of a view", default="the first"),
    Parameter("spans", "run", "whether all spans are shown, or steps alone", SWITCH, "false"),
    Parameter("critical", "run", "whether the critical path is marked", SWITCH, "false"),
    Parameter("tab", "run", "what is shown of the span", TABS, TABS[0]),
    Parameter(
        "open",
        "run",
        "which folds are open; may stand more than once",
        takes="span id or `top`, and a number, as in `top.200`",
        pattern=r"([0-9a-f]{16}|top)\.\d{1,6}",
    ),
    Parameter(
        "tries",
        "run",
        "which operations show their tries; may stand more than once",
        takes="span id, 16 of 0–9 and a–f",
        pattern="[0-9a-f]{16}",
    ),
    Parameter(
        "find",
        "run",
        "what is searched for in the run",
        takes="up to 200 characters",
        pattern=".{0,200}",
        most_chars=200,
    ),
    Parameter(
        "zoom",
        "run",
        "the step that the flame is zoomed into",
        takes="span id, 16 of 0–9 and a–f",
        default="the whole run",
        pattern="[0-9a-f]{16}",
    ),
    Parameter("against", "run", "the run that it is compared with", takes="run id", default="nearest good one"),
    Parameter("week", "reports", "the week of the report", takes="ISO week, as in 2026-W46", default="last complete"),
    Parameter(
        "framework",
        "connect",
        "what sends the spans",
        tuple(recipe.name for recipe in RECIPES),
        RECIPES[0].name,
    ),
)


def complain(page: str) -> None:
    """Names the values of the URL that are none of those there are; widgets show their default instead.

    Args:
        page: its path in the URL.
    """
    for one in PARAMETERS:
        if one.page in ("", page):
            for value in st.query_params.get_all(one.name):
                if not _can_be(one, value):
                    say(one.name, value, one.values, one.takes, _instead(one))
    read = {one.name for one in PARAMETERS if one.page in ("", page)}
    for one in PARAMETERS:
        if one.name in st.query_params and one.name not in read:
            value = safe(st.query_params[one.name], 40)
            st.warning(f"The link's {one.name} “{value}” is for the page {one.page.capitalize()}; here it is left out.")


def say(name: str, value: str, values: Sequence[str], takes: str = "", default: str = "") -> None:
    """Names a value that cannot be, what there is instead, and what is shown."""
    there = f"there are {', '.join(values)}" if values else f"it takes {takes}"
    if len(values) > MOST_TOLD:
        there = f"it is none of the {len(values)} that there are"
    instead = f"Shown is {default}: choose another, or mend the link." if default else "It is left out."
    st.warning(f"The link says {name} is “{safe(value, 40)}”; {there}. {instead}")


def _instead(one: Parameter) -> str:
    """What is shown in place of a value that cannot be; empty: nothing is."""
    return f"how it begins, {one.most_chars} characters" if one.most_chars else one.default


def _can_be(one: Parameter, value: str) -> bool:
    if one.values:
        return (value.lower() if one.values is SWITCH else value) in one.values
    return re.fullmatch(one.pattern, value, re.DOTALL) is not None
