"""Search inside one run: what matches, and the ways from one match to the next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.components.one_run import of_steps, received

MOST: Final = 2_000  # matches that are marked and walked; all are counted
IN_WORDS: Final = {"attributes": "inputs, outputs and attributes"}


@dataclass(frozen=True)
class Found:
    """What a text was found in."""

    total: int = 0
    hits: Sequence[Mapping[str, Any]] = ()
    """Rows of `queries/run_find.sql` that the view can show, in its order."""

    def places(self, *, everything: bool) -> list[int]:
        """Where they stand among steps, or among all spans."""
        return [hit["span_place" if everything else "place"] for hit in self.hits]


def find(run: Mapping[str, Any], *, everything: bool) -> Found:
    """The box, and what it finds in the run; nothing where it is empty."""
    text = st.text_input(
        "Find in this run",
        placeholder="find in this run: names, tools, errors, inputs, outputs",
        key="find",
        bind="query-params",
        max_chars=200,
        icon=":material/search:",
        label_visibility="collapsed",
    )
    text = (text or "").strip().lower()
    if not text:
        return Found()
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    rows = ask("run_find", text=text, escaped=escaped, limit=MOST, **of_steps(run), **received(run)).to_pylist()
    hits = [row for row in rows if everything or row["place"] is not None]
    if everything:
        hits.sort(key=lambda row: row["span_place"])
    found = Found(rows[0]["found"] if rows else 0, hits)
    if hits:
        _ways(found, rows, everything=everything)
    elif rows:
        st.caption(words.plural(found.total, "match", "matches") + _beyond(found, rows, everything=everything))
    else:
        st.caption("Nothing in this run holds that text.")
    return found


def _ways(found: Found, rows: Sequence[Mapping[str, Any]], *, everything: bool) -> None:
    """How many there are, which one is shown, and the buttons that go on."""
    ids = [hit["span_id"] for hit in found.hits]
    selected = st.query_params.get("span")
    at = ids.index(selected) if selected in ids else None
    before, after = (ids[-1], ids[0]) if at is None else (ids[at - 1], ids[(at + 1) % len(ids)])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for name, icon, told, target in (
            ("before", "keyboard_arrow_up", "The match before", before),
            ("next", "keyboard_arrow_down", "The next match", after),
        ):
            st.button(
                name,
                icon=f":material/{icon}:",
                key=f"find_{name}",
                type="tertiary",
                help=told,
                on_click=_select,
                args=(target,),
            )
        where = "" if at is None else f"{at + 1:,} of "
        said = f"{where}{words.plural(found.total, 'match', 'matches')}"
        if at is not None:
            seen_in = found.hits[at]["seen_in"]
            said += f", here in its {IN_WORDS.get(seen_in, seen_in)}"
        st.caption(said + _beyond(found, rows, everything=everything))


def _select(span_id: str) -> None:
    st.query_params["span"] = span_id


def _beyond(found: Found, rows: Sequence[Mapping[str, Any]], *, everything: bool) -> str:
    """What was found and is not marked here."""
    said = ""
    if not everything and rows[0]["no_steps"]:
        said += f"; {rows[0]['no_steps']:,} in spans that are no steps, see All spans"
    if found.total > MOST:
        said += f"; the first {MOST:,} are marked"
    return said
