"""Overview: is it worse than usual, where, since when, how many runs it hit, and what to open next."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import streamlit as st

from dashboard import alarms, store, words
from dashboard.analytics import findings, wording
from dashboard.analytics.reliability import Estimate, losses, share
from dashboard.analytics.storms import Episode
from dashboard.chains import Asked
from dashboard.components import drift_words, filters, pulse, quality
from dashboard.components.curves import Curve, Sign, curves
from dashboard.components.estimates import (
    FINISHED,
    LOST,
    amplification_figure,
    estimated,
    figure,
    moved,
    p95_figure,
    standing,
    where_runs_went,
)
from dashboard.components.figures import figures
from dashboard.components.filters import Filters, Window
from dashboard.components.link_table import Column, link_table, number_column
from dashboard.components.run_list import run_list, trouble_list
from dashboard.components.states import guarded, is_empty, no_match, nothing_yet
from dashboard.components.text import sentence
from dashboard.components.timeline import STATES, timeline
from dashboard.glance import Delivered, Glance, Story, asked_at_a_glance, asked_by_story, glance, story
from dashboard.reports.weeks import day_of
from dashboard.store import Param

NEWEST_RUNS: Final = 8
MOST_TROUBLES: Final = 6
MOST_STORMS: Final = 3
SHADED: Final = 7 * filters.DAY  # a longer window has storms too thin to see, and they are dear to find
MOST_WORKFLOWS: Final = 12
MOST_STRETCHES: Final = 31
STRETCHES: Final = tuple(n * filters.MINUTE for n in (5, 15, 30, 120, 720, 1440, 4320, 10080))


@st.cache_data(ttl=15.0, max_entries=32, show_spinner=False)
def glance_of(step_ns: int, before: dict[str, Param], _next: Sequence[Asked], **scope: Any) -> Glance:
    """How a window went; counted at most every 15 s, as roll-ups are asked. `_next`: what the page asks after that."""
    store.ahead(store.ask_steady, [*asked_at_a_glance(step_ns, before, **scope), *_next])
    return glance(store.ask_steady, step_ns, before, **scope)


@st.cache_data(ttl=60.0, max_entries=32, show_spinner=False)
def story_of(until_ns: int, **scope: Any) -> Story:
    """What changed lately; found once a minute."""
    return story(store.ask_steady, until_ns, store.day_zone(), **scope)


@st.cache_data(ttl=60.0, max_entries=32, show_spinner=False)
def storms_of(**scope: Any) -> list[Episode]:
    """The storms of which some part lies in a window; found once a minute."""
    return [
        one
        for one in alarms.storms_found(store.ask_once, store.storm_limits(), **scope).episodes
        if one.status == "storm"
    ]


@st.cache_data(ttl=15.0, max_entries=32, show_spinner=False)
def active_storms(until_ns: int, **scope: Any) -> list[Episode]:
    """The storms that go on; looked for again every 15 s."""
    return alarms.active_storms(store.ask_steady, store.storm_limits(), until_ns, **scope)


# ---- in words --------------------------------------------------------------------------------------------------------


def headline(
    conf: Filters, seen: Glance, told: Story, finding: findings.Finding, going: Sequence[Episode], now_ns: int
) -> None:
    """What is worse than usual and since when, how many runs it hit here, and what to open next.

    A storm that goes on comes first: it is what to act on, whatever else has changed in the last weeks.
    """
    days = store.day_zone()
    if going:
        finding = findings.going_on(finding, going, filters.zone(), now_ns)
    if told.fall is not None:
        workflow, change = told.fall
        said = wording.changed(workflow, change, days, now_ns)
    else:
        lowest = worst(seen)
        if lowest is None:
            st.subheader(sentence(finding.pieces), anchor=False)
            return
        workflow = lowest
        steady_ns = told.steady.get(workflow)
        now, before = seen.workflows[workflow]
        of_before = before.r if before else None
        said = wording.delivers(workflow, now.r, days, now_ns, steady_ns=steady_ns, before=of_before)
    first, then = (finding, said) if going else (said, finding)
    words_of, ways = st.columns([7, 2], vertical_alignment="center")
    with words_of:
        st.subheader(sentence(first.pieces), anchor=False)
        st.caption(sentence(then.pieces))
    with ways, st.container(horizontal=True, horizontal_alignment="right"):
        why = ("views/drift.py", "Why") if said.alarming else ("views/steps.py", "Steps")
        of_it = filters.carried(workflow=workflow)
        if going:
            storm = filters.carried(**where(going[0]))
            st.page_link("views/retries.py", label="Storm", icon=":material/cyclone:", query_params=storm)
        st.page_link(why[0], label=why[1], icon=":material/troubleshoot:", query_params=of_it)
        bad = {**of_it, "state": LOST} if finding.alarming else of_it
        st.page_link("views/runs.py", label="Runs", icon=":material/arrow_forward:", query_params=bad)


def worst(seen: Glance) -> str | None:
    """The workflow that lost most runs against the window before, where one fell by more than chance explains.

    Else the one that delivers least, of those with enough runs for a figure; else the busiest with any.
    """
    fell = {
        name: ((before.r.value or 0.0) - (now.r.value or 0.0)) * now.r.n
        for name, (now, before) in seen.workflows.items()
        if before is not None and wording.other(now.r, before.r)
    }
    if fell and max(fell.values()) > 0:
        return max(fell, key=lambda name: (fell[name], name))
    known = {name: now.r for name, (now, _) in seen.workflows.items() if now.r.value is not None}
    enough = {name: r for name, r in known.items() if r.shown == "value and band"}
    if enough:
        return min(enough, key=lambda name: (enough[name].value or 0.0, name))
    return next(iter(known), None)


# ---- in figures ------------------------------------------------------------------------------------------------------


def show_figures(seen: Glance, window: Window, step_ns: int) -> None:
    """R, E, F, silent, amplification, p95: each with band, change, n and its course; each opens its page."""
    steps = range(window.since_ns // step_ns * step_ns, window.until_ns, step_ns)
    course, now, before, of_it = seen.course, seen.total, seen.before, window.address()

    def line(value: Callable[[Delivered], float | None]) -> list[float | None]:
        return [value(course[at]) if at in course and course[at].outcomes.finished else None for at in steps]

    judged = now.outcomes.verdict_pass + now.outcomes.verdict_fail
    e = figure(
        "e",
        "E observed, claimed",
        now.e,
        before.e,
        "Runs clean or recovered, of those finished: claimed, as no failure was seen in them",
        line=line(lambda each: each.e.value),
        page="runs",
        opens={"state": FINISHED, **of_it},
    )
    verdicts = f"{words.count(judged)} with a verdict" + (
        f": {words.share(now.outcomes.verdict_pass, judged)} pass" if judged else ""
    )
    silent = share(now.outcomes.silent, now.outcomes.finished, "no run finished")
    silent_before = share(before.outcomes.silent, before.outcomes.finished, "no run finished")
    figures(
        [
            figure(
                "r",
                "R compounded",
                now.r,
                before.r,
                "The chance of reaching the end without a failed step",
                line=line(lambda each: each.r.value),
                page="steps",
                opens={},
            ),
            replace(e, note=f"{e.note}; {verdicts}"),
            figure(
                "f",
                "F first try",
                now.f,
                before.f,
                "As R, had nothing been tried again",
                line=line(lambda each: each.f.value),
                page="steps",
                opens={},
            ),
            replace(
                figure(
                    "silent",
                    "Silent",
                    silent,
                    silent_before,
                    "Share of finished runs with an unhandled failure inside while nothing at the top says so",
                    more_good=False,
                    line=line(lambda each: each.outcomes.silent / each.outcomes.finished),
                    page="runs",
                    opens={"state": ["silent"], **of_it},
                ),
                mark="silent",
            ),
            amplification_figure(
                *seen.tries, line=[seen.tries_course.get(at) for at in steps], page="retries", opens={}
            ),
            p95_figure(*seen.p95, line=[seen.p95_course.get(at) for at in steps], opens={"state": FINISHED, **of_it}),
        ],
        key="overview_figures",
    )


def show_where(conf: Filters, seen: Glance, scope: dict[str, Param]) -> None:
    """Where 100 runs went."""
    rows = store.ask_steady("chain_losses", **scope).to_pylist()
    parts = losses(seen.total.outcomes, rows, lens="a" if conf.lens == "A" else "b")
    if parts:
        of = f"Where 100 runs went, of {words.count(seen.total.outcomes.finished)}"
        with st.container(border=True):
            where_runs_went(parts, key="overview_losses", title=of, params=conf.window.widened().address())


# ---- over time, and now ----------------------------------------------------------------------------------------------


def show_course(seen: Glance, told: Story, storms: Sequence[Episode], window: Window, step_ns: int) -> None:
    """R, E and F over time, with what happened meanwhile."""
    course = {at: one for at, one in seen.course.items() if one.outcomes.finished}

    def curve(name: str, label: str, value: Callable[[Delivered], Estimate]) -> Curve:
        found = [(at, value(one)) for at, one in course.items()]
        return Curve(name, label, [(at, e.value, e.low, e.high, e.n) for at, e in found if e.value is not None])

    lines = [
        curve("R", "R compounded", lambda one: one.r),
        curve("E", "E observed", lambda one: one.e),
        curve("F", "F first try", lambda one: one.f),
    ]
    here, days = filters.zone(), store.day_zone()
    signs = [
        Sign(
            "change",
            turn.at_ns,
            turn.at_ns,
            f"{turn.workflow} {words.signed(100 * turn.ratio)} points, {drift_words.said(day_of(turn.at_ns, days))}",
            "drift",
            {"workflow": turn.workflow},
        )
        for turn in told.turns
    ]
    signs += [
        Sign(
            "deploy",
            at_ns,
            at_ns,
            f"{name} {what}, {words.moment(at_ns, here)}",
            "drift",
            {"workflow": name} if name else {},
        )
        for at_ns, name, what in told.marks
    ]
    signs += [
        Sign(
            "storm",
            one.onset_ns,
            one.end_ns or window.until_ns,
            f"storm: {one.key.name} × {one.peak_amplification:.1f}",
            "retries",
            where(one),
        )
        for one in storms
    ]
    within = [sign for sign in signs if sign.until_ns >= window.since_ns and sign.at_ns < window.until_ns]
    curves(lines, within, key="overview_course", title="R, E and F over time", window=window, step_ns=step_ns)


def where(one: Episode) -> dict[str, str]:
    """Parameters of the Retries page that show a storm."""
    return {"by": one.key.dimension} | ({"workflow": one.key.workflow} if one.key.workflow else {})


def show_storms(going: Sequence[Episode]) -> None:
    """The storms that go on, the strongest first."""
    if not going:
        return
    here = filters.zone()
    rows = [
        {
            "page": "retries",
            "params": where(one),
            "what": [one.key.name, " of ".join(filter(None, (one.key.dimension, one.key.workflow)))],
            "times": f"×{one.peak_amplification:.1f}",
            "since": words.lately(one.onset_ns, here, time.time_ns()),
        }
        for one in going[:MOST_STORMS]
    ]
    columns: list[Column] = [
        {"name": "what", "label": "Storm", "look": "strong"},
        {"name": "times", "label": "Peak", "align": "right", "width": "64px"},
        {"name": "since", "label": "Since", "align": "right", "width": "110px"},
    ]
    link_table(rows, columns, key="overview_storms", label="Storms that go on")


WORKFLOWS: Final[list[Column]] = [
    {"name": "workflow", "label": "Workflow", "look": "strong"},
    number_column("r", "R, compounded", 154, "The chance that every step goes well"),
    number_column("change", "Change", 84, "Against the window before"),
    number_column("e", "E, observed", 170, "Clean or recovered runs", 2),
    number_column("lost", "Lost", 62, "Failed or silent runs") | {"look": "link"},
    number_column("runs", "Finished", 84, leaves=3),
    {"name": "course", "label": "R over time", "look": "course", "width": "180px", "optional": 1},
]


def show_workflows(seen: Glance, window: Window, step_ns: int) -> None:
    """Every workflow, the worst first."""
    steps = range(window.since_ns // step_ns * step_ns, window.until_ns, step_ns)
    order = sorted(seen.workflows.items(), key=lambda item: (standing(item[1][0].r), item[0]))
    rows: list[dict[str, Any]] = []
    for name, (now, before) in order[:MOST_WORKFLOWS]:
        course = seen.courses.get(name, {})
        rows.append(
            {
                "page": "steps",
                "params": {"workflow": name},
                "workflow": name,
                "r": estimated(now.r),
                "change": moved(now.r, before.r) if before else None,
                "e": estimated(now.e),
                "lost": {
                    "page": "runs",
                    "params": {"workflow": name, "state": LOST, **window.address()},
                    "text": words.count(now.outcomes.failed + now.outcomes.silent),
                    "title": "open the failed and silent runs",
                },
                "runs": words.count(now.outcomes.finished),
                "course": [course.get(at) for at in steps],
            }
        )
    if not rows:
        return
    st.markdown("**Workflows, the worst first**")
    link_table(rows, WORKFLOWS, key="overview_workflows", label="Workflows, the worst first")
    if len(order) > MOST_WORKFLOWS:
        st.caption(f"The {MOST_WORKFLOWS} worst of {len(order)} workflows.")


@guarded
def overview() -> None:
    """Everything on the page that moves."""
    conf = filters.current()
    window, now_ns = conf.window, time.time_ns()
    length = window.until_ns - window.since_ns
    store.ahead(store.ask, [("worst_spot", conf.scope())])
    totals = store.ask("run_totals", **conf.scope()).to_pylist()[0]
    if totals["newest_ns"] is None and is_empty():
        nothing_yet()
        return
    step_ns, wide = stretch(window), window.widened()
    scope, before = conf.scope(wide), conf.scope(window.before().widened())
    of_all: dict[str, Param] = {key: value for key, value in scope.items() if not key.endswith("_ns")}
    story_until_ns = min(wide.until_ns, -(-now_ns // filters.GRAIN) * filters.GRAIN)
    storms = [] if window.exact else alarms.asked_of_active(store.storm_limits(), story_until_ns, **of_all)
    story = asked_by_story(story_until_ns, store.day_zone(), **of_all)
    steady = [("run_totals", conf.scope(window.before())), *story, *storms]
    seen = glance_of(step_ns, before, [*steady, ("chain_losses", scope)], **scope)
    told = story_of(story_until_ns, **of_all)
    earlier = store.ask_steady("run_totals", **conf.scope(window.before())).to_pylist()[0]
    worst_spot = next(iter(store.ask("worst_spot", **conf.scope()).to_pylist()), None)
    finding = findings.overview(
        totals, earlier, worst_spot, (window.since_ns, window.until_ns), window.said, now_ns, filters.zone()
    )
    going = [] if window.exact else active_storms(story_until_ns, **of_all)
    if totals["runs"] or told.fall is not None:
        headline(conf, seen, told, finding, going, now_ns)
    if not totals["runs"]:
        no_match(f"No run began {window.said}.")
        with st.container(border=True):
            show_spans_over_time(window)
        quality.panel(window)
        return
    runs = runs_asked(conf, now_ns)
    store.ahead(store.ask, [("troubles", runs.bad), ("runs_page", runs.newest), ("runs_over_time", runs.over_time)])
    store.ahead(store.ask_steady, quality.asked(window))
    show_figures(seen, wide, step_ns)
    show_where(conf, seen, scope)

    halves = st.grid(2, min_column_width=400)
    with halves.cell(), st.container(border=True, height="stretch"):
        if length >= filters.DAY:
            shaded = storms_of(**scope) if length <= SHADED else []
            show_course(seen, told, shaded, wide, step_ns)
        else:
            show_runs_over_time(runs.over_time, window)
    with halves.cell(), st.container(border=True, height="stretch"):
        show_now(going, runs.bad, window)
    show_workflows(seen, wide, step_ns)
    st.markdown("**Newest runs**")
    run_list(store.ask("runs_page", **runs.newest).to_pylist(), key="overview_newest", label="Newest runs", live=True)
    with st.container(border=True):
        if length >= filters.DAY:
            show_runs_over_time(runs.over_time, window)
        show_spans_over_time(window)
    quality.panel(window)


def stretch(window: Window) -> int:
    """How long a stretch of the courses is: about 12 to 30 in a window, whole hours from a day on."""
    length = window.until_ns - window.since_ns
    return next((step for step in STRETCHES if length <= MOST_STRETCHES * step), STRETCHES[-1])


class RunsAsked(NamedTuple):
    """Parameters of what the page asks about runs one by one."""

    bad: dict[str, Param]
    newest: dict[str, Param]
    over_time: dict[str, Param]


def runs_asked(conf: Filters, now_ns: int) -> RunsAsked:
    """What happened to failed and silent runs, the newest of all runs, and how many began when."""
    abandoned_ns = (now_ns - int(store.settings().abandoned_after_s * 1e9)) // filters.MINUTE * filters.MINUTE
    found: dict[str, Param] = {**conf.scope(), "states": (), "abandoned_ns": abandoned_ns}
    page: dict[str, Param] = {**found, "at_ns": conf.window.until_ns, "at_run_id": ""}
    return RunsAsked(
        {**conf.scope(), "limit": MOST_TROUBLES},
        {**page, "limit": NEWEST_RUNS},
        {**found, "bucket_ns": conf.window.bucket_ns},
    )


def show_now(going: Sequence[Episode], bad: dict[str, Param], window: Window) -> None:
    """The storms that go on, and what happened to failed and silent runs, each kind once."""
    st.markdown("**Now**: failed and silent, newest first")
    show_storms(going)
    rows = store.ask("troubles", **bad).to_pylist()
    if rows:
        trouble_list(rows, window.address(), key="overview_bad_runs", label="Failed and silent runs, the newest first")
    else:
        st.caption(f":material/check_circle: none {window.said}")


def show_runs_over_time(asked: dict[str, Param], window: Window) -> None:
    """How many runs began when, and how they ended."""
    timeline(
        store.ask("runs_over_time", **asked).to_pylist(),
        value="runs",
        names=STATES,
        key="overview_runs",
        title="Runs",
        outcomes=True,
        window=window,
        bucket_ns=window.bucket_ns,
    )


def show_spans_over_time(window: Window) -> None:
    """What became of the spans that arrived."""
    bucket_ns = max(window.bucket_ns, filters.MINUTE)
    asked = {"since_ns": window.since_ns, "until_ns": window.until_ns, "bucket_ns": bucket_ns}
    arrived = store.ask("ingest_over_time", **asked).to_pylist()
    kinds = ("stored", "duplicate", "rejected")
    timeline(
        [{"bucket_ns": row["bucket_ns"], "state": kind, "spans": row[kind]} for row in arrived for kind in kinds],
        value="spans",
        names=kinds,
        key="overview_spans",
        title="Spans",
        window=window,
        bucket_ns=bucket_ns,
    )


st.fragment(overview, run_every=pulse.tick_s(filters.current()))()
