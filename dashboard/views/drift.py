"""Drift: since when a workflow delivers less, which step or route did it, and what changed at that time."""

import json
import math
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from dashboard import changes, store, words
from dashboard.analytics import drift, wording
from dashboard.analytics.attribution import Attribution
from dashboard.analytics.drift import ChangePoint, Examined, Shares
from dashboard.analytics.proportions import wilson
from dashboard.analytics.reliability import Estimate, chain_of, compounded
from dashboard.changes import Tested
from dashboard.components import filters
from dashboard.components.days import Day, Deploy, Stretch, Turn, days
from dashboard.components.drift_change import attributed, scope_of, show_change, until, version_params
from dashboard.components.drift_words import SAID, STATUS, band, dated, figure, moved, probability, said, status
from dashboard.components.estimates import FINISHED
from dashboard.components.filters import Filters
from dashboard.components.link_table import Column, link_table
from dashboard.components.states import guarded, is_empty, no_match, nothing_yet
from dashboard.components.text import safe, sentence
from dashboard.reports.weeks import midnight_ns

A_FALL: Final = 0.05
SOON: Final = 28  # days within which a fall is to be seen


@st.cache_data(ttl=60.0, max_entries=32, show_spinner=False)
def tested_of(until_ns: int, **scope: Any) -> list[Tested]:
    """Every series of a workflow; tested once a minute."""
    return changes.tested(store.ask_steady, until_ns, store.day_zone(), changes.KINDS, **scope)


# ---- all workflows ---------------------------------------------------------------------------------------------------


def ranking(conf: Filters) -> None:
    """Which workflows changed and by how much, the strongest fall first."""
    found = changes.successes(store.ask_steady, until(conf), store.day_zone(), **scope_of(conf, ""))
    if not found:
        no_match("No workflow has finished runs here.")
        return
    st.subheader(overview(found), anchor=False)
    rows = []
    for name, one in found.items():
        change = one.examined.main
        level = one.examined.level
        days_seen = len(one.series.kept().days)
        rows.append(
            {
                "page": "drift",
                "params": {"workflow": name},
                "workflow": name,
                "now": [figure("success", level.value), band("success", level)] if level else None,
                "change": moved("success", change) if change else None,
                "date": dated(change) if change else None,
                "p": probability(one.examined.p_value),
                "status": status(one.examined),
                "versions": ", ".join(f"{v.kind} {v.name}" for v in change.versions) if change else None,
                "days": [f"{days_seen} d", f"{one.examined.trials_a_day:.0f} runs/d"],
                "order": change.change if change else 1.0,
            }
        )
    rows.sort(key=lambda row: (row["order"], row["workflow"]))
    columns: list[Column] = [
        {"name": "workflow", "label": "Workflow", "look": "strong"},
        {"name": "now", "label": "E, now", "align": "right", "width": "150px", "optional": 3},
        {"name": "change", "label": "Change", "align": "right", "width": "84px"},
        {"name": "date", "label": "Since", "width": "160px", "optional": 2},
        {"name": "p", "label": "p", "align": "right", "width": "72px", "optional": 1},
        {"name": "status", "label": "Status", "width": "140px"},
        {"name": "versions", "label": "Changed nearby", "optional": 2},
        {"name": "days", "label": "Seen", "align": "right", "width": "130px", "optional": 1},
    ]
    link_table(rows, columns, key="drift_workflows", label="Workflows, the strongest fall first")
    st.caption(
        f"Up to {drift.MOST_DAYS} days in {store.day_zone()}, ending with the window. A workflow opens its own series."
    )


def overview(found: dict[str, Tested]) -> str:
    """Which workflow fell most, in words, ready for Markdown."""
    falls = [
        (one.examined.main, name)
        for name, one in found.items()
        if one.examined.main and one.examined.main.change < 0 and one.examined.main.verdict == "change point"
    ]
    if falls:
        change, name = min(falls, key=lambda each: each[0].change)
        more = f"; {words.plural(len(falls) - 1, 'other')} fell, too." if len(falls) > 1 else "."
        return f"**{safe(name, 60)}** fell by {-100 * change.change:.1f} points around {said(change.at)}{more}"
    untold = sum(one.examined.reason != "tested" for one in found.values())
    if untold == len(found):
        return f"No verdict yet: each workflow needs {drift.LEAST_DAYS} days with runs, and failures to compare."
    return f"No workflow fell, as far as this traffic shows; {untold} of {len(found)} cannot be judged yet."


# ---- one workflow ----------------------------------------------------------------------------------------------------


def headline(workflow: str, success: Tested, split: Attribution | None) -> None:
    """How many of its runs get through since when, and what changed it, in words."""
    days, examined = store.day_zone(), success.examined
    change, level, now_ns = examined.main, examined.level, time.time_ns()
    if change and change.verdict != "one day":
        finding = wording.changed(workflow, changes.told(success, change, split, days), days, now_ns)
    elif level:
        steady = examined.reason == "tested" and not change
        since = midnight_ns(success.series.kept().days[0], days) if steady else None
        now = Estimate(level.value, level.low, level.high, level.trials)
        finding = wording.delivers(workflow, now, days, now_ns, measure=wording.E, steady_ns=since)
    else:
        return
    st.subheader(sentence(finding.pieces), anchor=False)


def show_days(conf: Filters, workflow: str, one: Tested, chosen: ChangePoint | None) -> None:
    """The series over its days, with what changed and when."""
    here, series = store.day_zone(), one.series.kept()
    first, last = series.days[0], series.days[-1]
    at = {first + timedelta(days=n): n for n in range((last - first).days + 1)}
    window = changes.days_before(until(conf), here)
    beside = daily_r(conf, workflow, window) if one.kind == "success" else {}
    points = []
    for number, day in enumerate(series.days):
        low = high = second = None
        if isinstance(series, Shares):
            share = wilson(series.good[number], series.trials[number])
            value, low, high = series.good[number] / series.trials[number], share.low, share.high
            told = f"{figure(one.kind, value)} [{100 * low:.1f}, {100 * high:.1f}] of {series.trials[number]}"
            second = beside.get(day)
        else:
            value = series.values[number]
            told = figure(one.kind, value)
        told += f", R {100 * second:.1f} %" if second is not None else ""
        params = {
            "workflow": workflow,
            "state": FINISHED,
            "from": words.iso(midnight_ns(day, here)),
            "to": words.iso(midnight_ns(day + timedelta(days=1), here)),
        }
        points.append(Day(at[day], value, low, high, second, f"{said(day)}: {told}", params))
    turns = [
        Turn(
            at[change.at],
            at[change.earliest],
            at[change.latest],
            change is chosen,
            f"{STATUS[change.verdict]} on {said(change.at)}: {moved(one.kind, change)}",
            {"series": one.key, "change": change.at.isoformat()},
        )
        for change in one.examined.changes
    ]
    found = changes.marks(store.ask_steady, workflow, here, window)
    deploys = [
        Deploy(
            at[mark.version.day],
            f"{said(mark.version.day)}: {mark.version.kind} {mark.version.name}",
            version_params(mark.version, workflow, window["until_ns"]),
        )
        for seen in found.values()
        for mark in seen
        if mark.version.day in at
    ]
    days(
        points,
        key="drift_days",
        labels=[said(day) for day in at],
        turns=turns,
        stretches=stretches(one, at),
        deploys=deploys,
        ticks=axis(one.kind, points),
        names=(
            f"{SAID[one.kind]}, a day" + (", with its 95 % band" if isinstance(series, Shares) else ""),
            "R a day, by its steps" if beside else None,
        ),
        label=f"{SAID[one.kind]} over {len(points)} days, {words.plural(len(turns), 'change point')}",
    )
    if not any(mark.posted for seen in found.values() for mark in seen):
        post_hint(workflow)


def stretches(one: Tested, at: dict[date, int]) -> list[Stretch]:
    """The levels between the change points."""
    points = [change for change in one.examined.changes if change.verdict != "one day"]
    level = one.examined.level
    if level is None:
        return []
    bounds = [min(at.values()), *(at[change.at] for change in points), max(at.values()) + 1]
    levels = [*(change.before.value for change in points), points[-1].after.value if points else level.value]
    return [Stretch(begin, end - 1, value) for begin, end, value in zip(bounds, bounds[1:], levels, strict=False)]


def axis(kind: str, points: Sequence[Day]) -> list[tuple[float, str]]:
    """Three to six round values that hold all points and their bands."""
    lows = [point.value if point.low is None else point.low for point in points]
    highs = [point.value if point.high is None else point.high for point in points]
    seconds = [point.beside for point in points if point.beside is not None]
    low, high = min([*lows, *seconds]), max([*highs, *seconds])
    unit = 10 ** math.floor(math.log10(max(high - low, 1e-9 * max(abs(high), 1.0))))
    step = next(size * unit for size in (0.5, 1, 2, 5, 10) if (high - low) / (size * unit) <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    whole = kind in ("success", "reliability") and step >= 0.01
    return [
        (at, f"{100 * at:.0f} %" if whole else figure(kind, at) if at else "0")
        for at in (number * step for number in range(first, max(last, first + 1) + 1))
    ]


def daily_r(conf: Filters, workflow: str, window: dict[str, Any]) -> dict[date, float]:
    """R of each day."""
    given = {**window, **scope_of(conf, workflow), "scope": "", "zone": str(store.day_zone())}
    nodes, edges = (store.ask_steady(f"chain_daily_{what}", **given).to_pylist() for what in ("nodes", "edges"))
    found = {}
    for day in sorted({row["day"] for row in edges}):
        chain = chain_of([row for row in nodes if row["day"] == day], [row for row in edges if row["day"] == day])
        value = compounded(chain).value if chain.runs else None
        if value is not None:
            found[day] = value
    return found


def post_hint(workflow: str) -> None:
    """How to post a marker, where nobody has yet."""
    running, conf = store.collector(), store.settings()
    host, port = (running["host"], running["http_port"]) if running else ("127.0.0.1", conf.http_port)
    with st.expander("No deploy was posted here: how to mark one"):
        st.code(
            f"curl http://{host}:{port}/api/marker -H 'Content-Type: application/json' \\\n"
            f"  -d '{json.dumps({'kind': 'deploy', 'label': 'v2.4.0', 'workflow': workflow}).replace(chr(39), '’')}'",
            language="bash",
        )
        st.caption("From a pipeline, after each deploy. Versions that spans carry are marked by themselves.")


# ---- what a change is made of ----------------------------------------------------------------------------------------


# ---- everything that was tested --------------------------------------------------------------------------------------

SERIES: Final[list[Column]] = [
    {"name": "name", "label": "Series", "look": "strong"},
    {"name": "levels", "label": "Before → after", "align": "right", "width": "150px", "optional": 3},
    {"name": "change", "label": "Change", "align": "right", "width": "84px"},
    {"name": "band", "label": "Band, after", "align": "right", "width": "130px", "optional": 1},
    {"name": "p", "label": "p", "align": "right", "width": "72px", "optional": 2},
    {"name": "date", "label": "Since", "width": "160px", "optional": 2},
    {"name": "status", "label": "Status", "width": "150px"},
]


def show_series(found: Sequence[Tested], chosen: Tested) -> None:
    """Every series with what it showed; a row selects it."""
    st.markdown("**Everything that was tested**")
    rows = []
    for one in sorted(found, key=lambda each: (each.kind != "success", each.examined.main is None)):
        change, level, kind = one.examined.main, one.examined.level, one.kind
        now = change.after if change else level
        levels = f"{figure(kind, change.before.value)} → {figure(kind, change.after.value)}" if change else None
        rows.append(
            {
                "page": "drift",
                "params": {"series": one.key},
                "name": [
                    ("▸ " if one is chosen else "") + (one.name or SAID[kind]),
                    kind if one.name else "",
                ],
                "levels": levels or (figure(kind, level.value) if level else None),
                "change": moved(kind, change) if change else None,
                "band": band(kind, now) if now else None,
                "p": probability(one.examined.p_value),
                "date": dated(change) if change else None,
                "status": status(one.examined),
            }
        )
    link_table(rows, SERIES, key="drift_series", label="Series that were tested")
    st.caption(
        f"E: change point at p ≤ {drift.CERTAIN}, possible at p ≤ {drift.POSSIBLE}. Series of a kind: "
        f"at most {100 * drift.FALSE_DISCOVERIES:.0f} % of those named are false (Benjamini–Hochberg); what it leaves "
        f"out at p ≤ {drift.POSSIBLE} is not certain. A series needs {drift.LEAST_DAYS} days, and 30 trials "
        "with 5 failures on each side of a change."
    )


def sight(examined: Examined) -> str:
    """What this traffic could detect, in words."""
    if examined.level is None:
        return "There is no day to judge by."
    if examined.reason == "too few days":
        return f"No verdict before {drift.LEAST_DAYS} days with runs: weekdays are compared with weekdays."
    if examined.level.value in (0.0, 1.0):
        return "Every run ended alike, so nothing can be said of how large a fall would be seen."
    wait = examined.days_to_see(min(A_FALL, examined.level.value))
    told = f"At {examined.trials_a_day:.0f} runs a day a fall by {100 * A_FALL:.0f} points is "
    if wait <= drift.MOST_DAYS:
        told += f"found within {math.ceil(wait)} days in four of five cases"
    else:
        told += f"not found within {drift.MOST_DAYS} days"
    least = examined.fall_seen(SOON)
    if least is None:
        return told + f"; within {SOON} days none is: not enough traffic."
    return told + f"; within {SOON} days the smallest to be found is one by {100 * least:.1f} points."


def pick(found: Sequence[Tested]) -> tuple[Tested, ChangePoint | None]:
    """The series and the change point that the URL asks for; by default success and its main one."""
    wanted = st.query_params.get("series", found[0].key)
    one = next((each for each in found if each.key == wanted), None)
    if one is None or not one.series.kept().days:
        st.warning(f"There is no series “{safe(wanted, 60)}” here; this is E, the runs that got through.")
        one = found[0]
    day = st.query_params.get("change")
    if day is None:
        return one, one.examined.main
    change = next((each for each in one.examined.changes if each.at.isoformat() == day), None)
    if change is None:
        st.warning(f"No change point of this series lies on “{safe(day, 30)}”; this is the last certain one.")
    return one, change or one.examined.main


def one_workflow(conf: Filters, workflow: str) -> None:
    """Everything about one workflow."""
    found = tested_of(until(conf), **scope_of(conf, workflow))
    success = found[0]
    if not success.series.kept().days:
        no_match(f"{safe(workflow, 60)} has no finished run in the {drift.MOST_DAYS} days up to the window's end.")
        return
    split = None
    if success.examined.main and success.examined.main.verdict != "one day":
        split = attributed(conf, workflow, success, success.examined.main)[2]
    headline(workflow, success, split)
    one, change = pick(found)
    with st.container(border=True):
        title = f"{SAID[one.kind]} of {safe(one.name, 60)}" if one.name else SAID[one.kind]
        st.markdown(f"**{title}, day by day** in {store.day_zone()}")
        show_days(conf, workflow, one, change)
    st.caption(sight(success.examined))
    if change is not None:
        with st.container(border=True):
            show_change(conf, workflow, one, change)
    show_series(found, one)


@guarded
def body() -> None:
    """The page."""
    conf = filters.current()
    if is_empty():
        nothing_yet()
        return
    names: list[str] = store.ask_steady("workflow_names").column("workflow").to_pylist()
    if conf.workflow or len(names) == 1:
        one_workflow(conf, conf.workflow or names[0])
    else:
        ranking(conf)


body()
