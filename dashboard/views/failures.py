"""Failures: what fails, in which layer and step, whether anyone notices, and what no rule knows yet."""

import time
from collections import Counter
from typing import Any

import streamlit as st

from dashboard import store, words
from dashboard.analytics import findings
from dashboard.analytics.backlog import rules_for
from dashboard.components import filters, pulse
from dashboard.components.badges import layer_mark
from dashboard.components.figures import Figure, figures
from dashboard.components.filters import Filters
from dashboard.components.heat import HeatRow, heat
from dashboard.components.link_table import Column, link_table
from dashboard.components.run_filter import CERTAINTIES, FATES
from dashboard.components.states import guarded, is_empty, no_match, nothing_yet
from dashboard.components.text import clip, safe
from dashboard.components.timeline import timeline
from dashboard.looks import LENSES, layer_of
from schemas.rules import known_codes

Row = dict[str, Any]

HEAT_STEPS = 10
TOP_STEPS = 10
NEWEST = 8
RULES = 5  # of the backlog, ready to paste; more would not be read
EVIDENCE_CHARS = 300

CODE_COLUMNS: list[Column] = [
    {"name": "code", "label": "Code", "look": "strong"},
    {"name": "layer", "label": "Layer", "look": "layer", "width": "120px"},
    {"name": "certainty", "label": "Certainty", "width": "82px", "optional": 1},
    {"name": "severity", "label": "Severity", "width": "72px", "optional": 2},
    {"name": "failures", "label": "Failures", "align": "right", "width": "72px"},
    {"name": "runs", "label": "Runs", "align": "right", "width": "70px", "optional": 2},
    {"name": "recovered", "label": "Recovered", "look": "share", "align": "right", "width": "100px", "optional": 3},
    {"name": "silent", "label": "Silent", "look": "share", "align": "right", "width": "100px", "optional": 3},
    {
        "name": "wasted",
        "label": "Time in them",
        "align": "right",
        "width": "94px",
        "optional": 2,
        "help": "How long the steps ran that failed so",
    },
    {"name": "newest", "label": "Newest", "look": "link", "width": "92px"},
]
STEP_COLUMNS: list[Column] = [
    {"name": "step", "label": "Step", "look": "strong"},
    {"name": "code", "label": "Mostly", "width": "34%", "optional": 3},
    {"name": "failures", "label": "Failures", "align": "right", "width": "82px"},
    {"name": "silent", "label": "Silent", "look": "share", "align": "right", "width": "124px", "optional": 3},
]
NEWEST_COLUMNS: list[Column] = [
    {"name": "layer", "label": "Layer", "look": "layer", "width": "136px", "optional": 3},
    {"name": "code", "label": "Code", "look": "strong"},
    {"name": "step", "label": "Step", "width": "40%"},
    {"name": "at", "label": "When", "look": "ago", "width": "96px"},
]
BACKLOG_COLUMNS: list[Column] = [
    {"name": "error", "label": "Exception class", "look": "strong"},
    {"name": "scope", "label": "Instrumentation scope", "width": "30%", "optional": 3},
    {"name": "failures", "label": "Failures", "align": "right", "width": "82px"},
    {"name": "runs", "label": "Runs", "align": "right", "width": "70px"},
    {"name": "newest", "label": "Newest", "look": "link", "width": "92px"},
]


def totals(conf: Filters, window: filters.Window) -> dict[str, Row]:
    """How many failures there were, by certainty."""
    ask = store.ask if window == conf.window else store.ask_steady
    return {row["certainty"]: row for row in ask("failure_totals", **conf.scope(window)).to_pylist()}


def headline(conf: Filters, certainty: str, now: dict[str, Row], before: dict[str, Row], spots: list[Row]) -> bool:
    """The finding in words; whether there was any run to look at."""
    runs = store.ask("run_totals", **conf.scope()).to_pylist()[0]["runs"]
    runs_before = store.ask_steady("run_totals", **conf.scope(conf.window.before())).to_pylist()[0]["runs"]
    last = None
    if certainty not in now:
        params = {name: value for name, value in conf.scope().items() if name != "until_ns"}
        last = next(iter(store.ask_steady("failure_before", certainty=certainty, **params).to_pylist()), None)
    finding = findings.failures(
        now.get(certainty),
        before.get(certainty),
        (runs, runs_before),
        next(iter(findings.spots(spots, conf.lens)), None),
        last,
        certainty,
        conf.lens,
        (conf.window.since_ns, conf.window.until_ns),
        conf.window.said,
        time.time_ns(),
        filters.zone(),
    )
    said = "".join(piece if index % 2 == 0 else f"**{safe(piece, 60)}**" for index, piece in enumerate(finding.pieces))
    st.subheader(said, anchor=False)
    return bool(runs)


def show_figures(certainty: str, now: Row, before: Row | None) -> None:
    """How the failures ended; loud, silent and recovered add up to all of them."""
    whole = now["failures"]

    def of_all(name: str, label: str) -> Figure:
        return Figure(
            name,
            label,
            words.count(now[name]),
            note=f"{words.share(now[name], whole)} of {words.count(whole)}",
            mark={"loud": "failed"}.get(name, name),
            help=f"Root occurrences that were {FATES[name]}",
            opens={"known": certainty, "fate": name},
        )

    change = f"{words.count(before['failures'])} in the window before" if before else "none in the window before"
    dragged = now["propagated"] + now["collateral"]
    figures(
        [
            Figure(
                "failures",
                f"Failures, {certainty}",
                words.count(whole),
                note=change,
                help="Root occurrences: what explains the others",
                opens={"known": certainty},
            ),
            of_all("loud", "Not handled"),
            of_all("silent", "Silent"),
            of_all("recovered", "Recovered"),
            Figure(
                "dragged",
                "Dragged along",
                words.count(dragged),
                note=f"{words.count(now['propagated'])} passed on, {words.count(now['collateral'])} cut off",
                help="Spans that failed because of them: above a failure, or beside it. They are counted nowhere else",
                opens={"known": certainty, "fate": "dragged"},
            ),
        ],
        key="failures_figures",
    )


def steps_of(spots: list[Row]) -> dict[tuple[str, str | None], list[Row]]:
    """The rows of each step, steps with most failures first."""
    found: dict[tuple[str, str | None], list[Row]] = {}
    for row in spots:
        found.setdefault((row["workflow"], row["step"]), []).append(row)
    return found


def way_to(workflow: str, step: str | None, certainty: str) -> dict[str, str]:
    """Parameters of the Runs page for the failures of a step."""
    return {"workflow": workflow, "known": certainty} | {"step": step or ""}


def show_heat(conf: Filters, certainty: str, spots: list[Row]) -> None:
    """Which layer fails at which step."""
    layers = LENSES[conf.lens]
    rows = []
    for (workflow, step), parts in list(steps_of(spots).items())[:HEAT_STEPS]:
        counts = Counter[str | None]()
        for row in parts:
            counts[layer_of(row, conf.lens)] += row["failures"]
        name, beside = clip(step or "no step told", 60), "" if conf.workflow else clip(workflow, 40)
        rows.append(HeatRow(name, beside, way_to(workflow, step, certainty), [counts[layer] for layer in layers]))
    heat(
        rows,
        layers,
        key="failures_heat",
        corner="Layer by step",
        what=f"{certainty} failures",
        label="How many failures of each layer each step had",
    )


def show_codes(conf: Filters, certainty: str, now_ns: int) -> None:
    """Every code with its share made good and hidden, an example, and what usually fixes it."""
    codes = store.ask("failures_by_code", certainty=certainty, **conf.scope()).to_pylist()
    cost = store.ask_steady("failure_cost", certainty=certainty, **conf.scope()).to_pylist()
    wasted = {row["code"]: row["wasted_ns"] for row in cost}
    known = known_codes(store.settings().rules)
    rows = []
    for row in codes:
        code = known.get(row["code"])
        rows.append(
            {
                "page": "runs",
                "params": {"code": row["code"], "known": certainty},
                "title": "open the runs",
                "code": row["code"],
                "layer": layer_mark(layer_of(row, conf.lens)),
                "certainty": certainty,
                "severity": row["severity"],
                "failures": words.count(row["failures"]),
                "runs": words.count(row["runs"]),
                "recovered": _share(row["recovered"], row["failures"]),
                "silent": _share(row["silent"], row["failures"]),
                "wasted": words.duration(wasted.get(row["code"])),
                "newest": _newest(row, now_ns),
                "below": " ".join(part for part in (code.meaning, code.remedy) if part) if code else None,
            }
        )
    link_table(rows, CODE_COLUMNS, key="failures_codes", label=f"Failure codes, {certainty}")


def _share(part: int, whole: int) -> list[float | str]:
    return [part / whole, words.share(part, whole)]


def _newest(row: Row, now_ns: int) -> dict[str, Any]:
    run_id, span_id = row.get("newest_run_id") or row["run_id"], row.get("newest_span_id") or row["span_id"]
    return {
        "page": "run",
        "params": {"run": run_id, "span": span_id},
        "text": words.ago(row["newest_ns"], now_ns),
        "title": "open the newest one",
    }


def show_steps(conf: Filters, certainty: str, spots: list[Row]) -> None:
    """The steps with most failures."""
    rows = []
    for (workflow, step), parts in list(steps_of(spots).items())[:TOP_STEPS]:
        failures = sum(row["failures"] for row in parts)
        codes = sum((Counter(dict(row["codes"])) for row in parts), Counter[str]())
        rows.append(
            {
                "page": "runs",
                "params": way_to(workflow, step, certainty),
                "title": "open the runs",
                "step": [clip(step or "no step told", 60), "" if conf.workflow else clip(workflow, 40)],
                "code": min(codes, key=lambda code: (-codes[code], code)),
                "failures": words.count(failures),
                "silent": _share(sum(row["silent"] for row in parts), failures),
            }
        )
    st.markdown("**Steps that fail most**")
    link_table(rows, STEP_COLUMNS, key="failures_steps", label="Steps with most failures")


def _fate(row: Row) -> str:
    return "recovered" if row["recovered"] else "silent" if row["silent"] else "not handled"


def show_newest(conf: Filters, certainty: str) -> None:
    """The newest examples, with their evidence."""
    rows = [
        {
            "page": "run",
            "params": {"run": row["run_id"], "span": row["span_id"]},
            "title": "open the run at this span",
            "layer": layer_mark(layer_of(row, conf.lens)),
            "code": row["code"],
            "step": [clip(row["step"] or "no step told", 60), "" if conf.workflow else clip(row["workflow"], 40)],
            "at": row["at_ns"] // 1_000_000,
            "below": clip(f"{_fate(row)}: {row['evidence']}", EVIDENCE_CHARS),
        }
        for row in store.ask("failure_newest", certainty=certainty, limit=NEWEST, **conf.scope()).to_pylist()
    ]
    st.markdown("**Newest**")
    link_table(rows, NEWEST_COLUMNS, key="failures_newest", label="Newest failures")


def show_backlog(conf: Filters, now_ns: int) -> None:
    """What no rule knows yet, and rules for it to start from."""
    found = store.ask_steady("failure_backlog", **conf.scope()).to_pylist()
    st.markdown("**Unclassified: errors that no rule knows**")
    if not found:
        st.caption(f":material/check_circle: none {conf.window.said}")
        return
    rows = [
        {
            "page": "runs",
            "params": {"code": "unclassified"} | ({"error": row["error_type"]} if row["error_type"] else {}),
            "title": "open the runs",
            "error": clip(row["error_type"] or "no class told", 80),
            "scope": clip(row["scope_name"], 80) if row["scope_name"] else None,
            "failures": words.count(row["failures"]),
            "runs": words.count(row["runs"]),
            "newest": _newest(row, now_ns),
            "below": clip(row["evidence"], EVIDENCE_CHARS),
        }
        for row in found
    ]
    link_table(rows, BACKLOG_COLUMNS, key="failures_backlog", label="Errors that no rule knows")
    rules = rules_for(found[:RULES])
    if rules:
        with st.expander("Rules to start from, for seamscope.toml", icon=":material/rule:"):
            st.caption(
                "Give each code its name, layers and remedy; new rules settle history anew. See docs/failures.md."
            )
            st.code(rules, language="toml")


def choice() -> str:
    """Which failures the page is about; the three are never added up."""
    return (
        st.segmented_control(
            "Known from",
            CERTAINTIES,
            default=CERTAINTIES[0],
            required=True,
            key="certainty",
            bind="query-params",
            label_visibility="collapsed",
            help="Observed: the spans say so. Inferred: a pattern over spans. Judged: only an evaluator says so.",
        )
        or CERTAINTIES[0]
    )


@guarded
def failures() -> None:
    """Everything on the page that moves."""
    first = st.container()
    certainty = choice()
    conf, now_ns = filters.current(), time.time_ns()
    scope, before_scope = conf.scope(), conf.scope(conf.window.before())
    known: dict[str, store.Param] = {"certainty": certainty, **scope}
    store.ahead(store.ask, [("failure_steps", known), ("run_totals", scope)])
    store.ahead(store.ask_steady, [("failure_totals", before_scope), ("run_totals", before_scope)])
    now = totals(conf, conf.window)
    if not now and is_empty():
        nothing_yet()
        return
    spots = store.ask("failure_steps", certainty=certainty, **conf.scope()).to_pylist()
    before = totals(conf, conf.window.before())
    with first:
        if not headline(conf, certainty, now, before, spots):
            no_match("Nothing ran, so nothing failed.")
            return
    others = [
        f"{words.count(row['failures'])} {name}" for name, row in now.items() if name != certainty and row["failures"]
    ]
    if others:
        st.caption(f"Counted apart, never added up: {' and '.join(others)}.")
    if certainty in now and now[certainty]["failures"]:
        store.ahead(store.ask, [("failures_by_code", known), ("failure_newest", {"limit": NEWEST, **known})])
        store.ahead(store.ask_steady, [("failure_cost", known), ("failure_backlog", scope)])
        show_figures(certainty, now[certainty], before.get(certainty))
        over_time = store.ask(
            "failures_over_time", certainty=certainty, bucket_ns=conf.window.bucket_ns, **conf.scope()
        ).to_pylist()
        halves = st.grid(2, min_column_width=430)
        with halves.cell(), st.container(border=True):
            timeline(
                [row | {"state": layer_of(row, conf.lens)} for row in over_time],
                value="failures",
                names=LENSES[conf.lens],
                key="failures_time",
                title="Failures",
                layers=True,
                opens={"known": certainty},
                window=conf.window,
                bucket_ns=conf.window.bucket_ns,
            )
        with halves.cell(), st.container(border=True):
            show_heat(conf, certainty, spots)
        show_codes(conf, certainty, now_ns)
        halves = st.grid(2, min_column_width=430)
        with halves.cell():
            show_steps(conf, certainty, spots)
        with halves.cell():
            show_newest(conf, certainty)
    show_backlog(conf, now_ns)


st.fragment(failures, run_every=pulse.tick_s(filters.current()))()
