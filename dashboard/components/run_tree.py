"""The step tree of one run, cut to what a screen can hold: its shape first, then what is shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from dashboard import store
from dashboard.analytics.fold import OPEN_MORE, Folded, fold
from dashboard.analytics.outline import TOP, read_outline
from dashboard.components.one_run import Run, of_steps, received

Step = Mapping[str, Any]

OPENED: Final = re.compile(r"([0-9a-f]{16}|top)\.(\d{1,6})")
SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Tree:
    """Lines of a folded tree and what they speak of."""

    folded: Folded
    steps: Mapping[int, Step]
    """Rows of `queries/run_lines.sql` or `run_span_lines.sql` by their place."""
    folds: Mapping[int, Step]
    """Rows of `queries/run_folds.sql` or `run_span_folds.sql` by the place of their parent."""
    stands_for: Mapping[str, str]
    """Of each wanted span the one that shows in its place."""


def tree(
    run: Run,
    *,
    everything: bool,
    wanted: Sequence[str] = (),
    beside: Sequence[str] = (),
    matches: Sequence[int] = (),
) -> Tree:
    """The tree as the URL opens it.

    Args:
        everything: all spans rather than steps.
        wanted: span ids that must be seen, the most wanted first.
        beside: span ids that are worth a line, but for which nothing opens.
        matches: places of what a search found.
    """
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    kind = "run_span" if everything else "run"
    scope = {"run_id": run["run_id"], **received(run)} if everything else of_steps(run)
    opened, tries = opened_folds(), opened_tries()
    named = tuple(sorted({*wanted, *beside, *opened, *tries} - {"top"}))
    store.ahead(ask, [(f"{kind}_outline", scope)])
    at = (
        {row["span_id"]: row["place"] for row in ask(f"{kind}_places", span_ids=named, **scope).to_pylist()}
        if named
        else {}
    )
    at["top"] = TOP
    folded = fold(
        read_outline(ask(f"{kind}_outline", **scope)),
        {at[span_id]: count for span_id, count in opened.items() if span_id in at},
        [at[span_id] for span_id in wanted if span_id in at],
        {at[span_id] for span_id in tries if span_id in at},
        [at[span_id] for span_id in beside if span_id in at],
        matches,
    )
    shown = tuple(sorted(set(folded.drawn()) | {parent for parent in folded.folds() if parent != TOP}))
    steps = {row["place"]: row for row in ask(f"{kind}_lines", places=shown, **scope).to_pylist()} if shown else {}
    folds: dict[int, Step] = {}
    if folded.folds():
        ids = {
            parent: steps[parent]["span_id"] if parent != TOP else ""
            for parent in folded.folds()
            if parent in steps or parent == TOP
        }
        place = {span_id: parent for parent, span_id in ids.items()}
        seen = (
            tuple(steps[index]["span_id"] for index in folded.drawn() if index in steps)
            if everything
            else tuple(folded.drawn())
        )
        found = ask(f"{kind}_folds", parents=tuple(sorted(place)), shown=seen, **scope).to_pylist()
        folds = {place[row["parent"]]: row for row in found}
    stands_for = {
        span_id: steps[folded.stands_for[at[span_id]]]["span_id"]
        for span_id in (*wanted, *beside)
        if span_id in at and folded.stands_for.get(at[span_id]) in steps
    }
    return Tree(folded, steps, folds, stands_for)


def opened_folds() -> dict[str, int]:
    """Which folds the URL opens, and by how many lines."""
    found = (OPENED.fullmatch(text) for text in st.query_params.get_all("open"))
    return {match[1]: int(match[2]) for match in found if match}


def select_span(span_id: str) -> None:
    """Puts the span that a reader chose in a picture of the run into the URL."""
    if SPAN_ID.fullmatch(span_id):
        st.query_params["span"] = span_id


def open_fold(parent: str) -> None:
    """Opens a fold further, in the URL."""
    opened = opened_folds()
    opened[parent] = opened.get(parent, 0) + OPEN_MORE
    st.query_params["open"] = [f"{span_id}.{count}" for span_id, count in opened.items()]


def opened_tries() -> list[str]:
    """The operations whose tries the URL shows, by the span id of any try."""
    return [text for text in st.query_params.get_all("tries") if SPAN_ID.fullmatch(text)]


def turn_tries(operation: str) -> None:
    """Opens the tries of an operation, or closes them, in the URL."""
    opened = opened_tries()
    st.query_params["tries"] = [each for each in opened if each != operation] + [operation] * (operation not in opened)
