"""One change point: what it is made of, what changed near it, and the runs on both sides."""

import time
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from dashboard import chains, changes, store, words
from dashboard.analytics import drift, wording
from dashboard.analytics.attribution import Attribution, Part, attribute
from dashboard.analytics.drift import ChangePoint
from dashboard.analytics.reliability import Chain, compounded, observed
from dashboard.changes import Tested
from dashboard.components import filters
from dashboard.components.bridge import Pier, bridge
from dashboard.components.drift_words import SHORT, STATUS, moved, said
from dashboard.components.estimates import FINISHED
from dashboard.components.filters import Filters
from dashboard.components.link_table import Column, link_table
from dashboard.components.text import safe
from dashboard.reports.weeks import midnight_ns
from dashboard.store import Param

MOST_PARTS: Final = 8


def scope_of(conf: Filters, workflow: str) -> dict[str, Param]:
    """The filters of a question, without its window."""
    return {"workflow": workflow, "version": conf.version, "environment": conf.environment}


def until(conf: Filters) -> int:
    """The end of the window in whole 5 minutes, and not beyond now."""
    return min(conf.window.widened().until_ns, -(-time.time_ns() // filters.GRAIN) * filters.GRAIN)


def chain_between(conf: Filters, workflow: str, since_ns: int, until_ns: int) -> Chain:
    """The chain of a stretch of days."""
    given: dict[str, Any] = {**scope_of(conf, workflow), "since_ns": since_ns, "until_ns": until_ns}
    return chains.chain(store.ask_steady, **given)


def attributed(
    conf: Filters, workflow: str, one: Tested, change: ChangePoint
) -> tuple[Chain, Chain, Attribution | None]:
    """The chains before and after a change, and the split of what lies between them."""
    (begins, turn), (_, ends) = changes.around(one, change, until(conf), store.day_zone())
    before, after = chain_between(conf, workflow, begins, turn), chain_between(conf, workflow, turn, ends)
    return before, after, attribute(before, after, version_changed=bool(change.versions))


def show_change(conf: Filters, workflow: str, one: Tested, change: ChangePoint) -> None:
    """One change point: what it is made of, what changed near it, and the runs on both sides."""
    before, after, found = attributed(conf, workflow, one, change)
    sides = changes.around(one, change, until(conf), store.day_zone())
    when = f"{said(change.at)}, between {said(change.earliest)} and {said(change.latest)}"
    when = said(change.at) if change.earliest == change.latest else when
    st.markdown(
        f"**{STATUS[change.verdict].capitalize()}, {when}: {SHORT.get(one.kind, '')}{moved(one.kind, change)}**"
    )
    halves = st.grid(2, min_column_width=330, gap="medium")
    with halves.cell():
        if found is None:
            st.caption("One side has no runs with a known chain, so there is nothing to split.")
        else:
            steps = {node.name: node.members[0].step for chain in (before, after) for node in chain.nodes}
            show_bridge(found, steps, *(side_params(workflow, *side) for side in sides))
    with halves.cell():
        st.markdown("What changed near it")
        if change.versions:
            rows: list[dict[str, Any]] = [
                {
                    "what": [v.name, v.kind],
                    "day": said(v.day),
                    "page": "runs",
                    "params": version_params(v, workflow, until(conf)),
                    "title": "open the runs since then",
                }
                for v in change.versions
            ]
            columns: list[Column] = [
                {"name": "what", "label": "First seen or posted", "look": "strong"},
                {"name": "day", "label": "Day", "align": "right", "width": "72px"},
            ]
            link_table(rows, columns, key="drift_versions", label="What changed near it")
            st.caption("Near is not the cause: see whether the split names a step that it touched.")
        else:
            st.caption("No version was first seen and no deploy posted in that range.")
        show_sides(workflow, sides, before, after)


def version_params(version: drift.Version, workflow: str, until_ns: int) -> dict[str, str]:
    """The runs of a version, or of a workflow with a model, since its first day; after a posted mark all runs since."""
    since = {
        "workflow": workflow,
        "from": words.iso(midnight_ns(version.day, store.day_zone())),
        "to": words.iso(until_ns),
    }
    if version.kind == "workflow":
        return {**since, "version": version.name}
    return {**since, "called": f"model:{version.name}"} if version.kind == "model" else since


def side_params(workflow: str, since_ns: int, until_ns: int) -> dict[str, Any]:
    """The finished runs on one side of a change."""
    return {"workflow": workflow, "state": FINISHED, "from": words.iso(since_ns), "to": words.iso(until_ns)}


def show_bridge(found: Attribution, steps: Mapping[str, str], before: dict[str, Any], after: dict[str, Any]) -> None:
    """The split of ΔR, row by row; it adds up as it is read.

    A part leads to runs after the change: those that failed at its step; of routing, those that came by it.

    Args:
        steps: a step of each node of the chains.
        before, after: the runs of both sides, as parameters.
    """
    shown = list(found.parts[:MOST_PARTS])
    rest = found.parts[MOST_PARTS:]
    labels = [f"{part.label}" if part.kind != "reliability" else f"reliability of {part.label}" for part in shown] + (
        [f"{len(rest)} smaller parts"] if rest else []
    )
    ways = [part_params(part, steps, after) for part in shown] + ([after] if rest else [])
    points = [part.points for part in shown] + ([sum(part.points for part in rest)] if rest else [])
    first, last, tenths = wording.in_tenths(found.before, found.after, points)
    piers, at = [Pier("R before", 0, first, f"{first:.1f} %", level=True, params=before)], first
    for label, moved_by, way in zip(labels, tenths, ways, strict=True):
        if moved_by or len(tenths) <= 2:
            piers.append(Pier(label, at, at + moved_by, f"{words.signed(moved_by)} pts", level=False, params=way))
            at += moved_by
    piers.append(Pier("R after", 0, last, f"{last:.1f} %", level=True, params=after))
    bridge(piers, key="drift_bridge", label=", ".join(f"{pier.name} {pier.said}" for pier in piers))
    for old, new in found.renamed.items():
        st.caption(f"Taken as renamed: {safe(old, 40)} → {safe(new, 40)}.")


def part_params(part: Part, steps: Mapping[str, str], after: dict[str, Any]) -> dict[str, Any]:
    """The runs behind a part of a change."""
    if part.kind == "reliability":
        return {**{name: value for name, value in after.items() if name != "state"}, "step": part.step}
    return {**after, "called": f"step:{steps[part.step]}"} if part.step in steps else after


def show_sides(workflow: str, sides: tuple[tuple[int, int], ...], before: Chain, after: Chain) -> None:
    """Runs before and after, side by side."""
    rows = []
    for name, chain, side in zip(("Before", "After"), (before, after), sides, strict=True):
        r = compounded(chain)
        e = observed(chain.outcomes) if chain.outcomes else None
        rows.append(
            {
                "page": "runs",
                "params": side_params(workflow, *side),
                "side": name,
                "runs": words.count(chain.outcomes.finished if chain.outcomes else chain.runs),
                "r": f"{100 * r.value:.1f} %" if r.value is not None else None,
                "e": f"{100 * e.value:.1f} %" if e and e.value is not None else None,
            }
        )
    columns: list[Column] = [
        {"name": "side", "label": "Runs", "look": "strong"},
        {"name": "runs", "label": "Finished", "align": "right"},
        {"name": "r", "label": "R", "align": "right"},
        {"name": "e", "label": "E", "align": "right"},
    ]
    link_table(rows, columns, key="drift_sides", label="Runs before and after")
