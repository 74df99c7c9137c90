"""Steps: what the chain delivers, which step loses it, what fixing one would buy, and where the time goes."""

from dataclasses import replace
from typing import Any, Final

import streamlit as st

from dashboard import chains, store, words
from dashboard.analytics import findings
from dashboard.analytics.reliability import (
    Chain,
    Fix,
    Parting,
    compounded,
    first_try,
    fix_first,
    in_percent,
    losses,
    node_figures,
    observed,
    parting,
    retries_buy,
    share,
    staircase,
    verified,
    what_if,
)
from dashboard.charts.time_spent import FAILED, SHADES
from dashboard.components import filters
from dashboard.components.estimates import (
    FINISHED,
    KNOWN,
    LOST,
    estimated,
    figure,
    in_short,
    moved,
    standing,
    where_runs_went,
)
from dashboard.components.figures import figures
from dashboard.components.filters import Filters, Window
from dashboard.components.link_table import Column, link_table, number_column
from dashboard.components.stairs import Level, Step, stairs
from dashboard.components.states import guarded, is_empty, no_match, nothing_yet
from dashboard.components.step_graph import step_graph
from dashboard.components.text import safe, sentence
from dashboard.components.whole import Part, whole
from dashboard.store import Param

MOST_WORKFLOWS = 12
MOST_SLIDERS = 6


def chain_in(conf: Filters, window: Window, workflow: str, scope: str = "") -> Chain:
    """The chain of a workflow, or of one opened step of it."""
    return chains.chain(store.ask_steady, scope, **asked(conf, workflow, window))


def asked(conf: Filters, workflow: str, window: Window | None = None) -> dict[str, Param]:
    """The parameters of the roll-ups' queries, which count in whole 5 minutes."""
    return {**conf.scope((window or conf.window).widened()), "workflow": workflow}


def runs_of(conf: Filters, workflow: str) -> dict[str, Any]:
    """Parameters of the Runs page for the runs that are counted here."""
    return {"workflow": workflow, **conf.window.widened().address()}


def ahead(conf: Filters, workflow: str, scope: str) -> None:
    """Begins to ask what is shown of a workflow, in the order in which it is."""
    now, before = asked(conf, workflow), asked(conf, workflow, conf.window.before())
    table = [("step_table", {"scope": scope, **window}) for window in (now, before)]
    ends = [("chain_losses", now), *table, ("time_spent", now)]
    store.ahead(store.ask_steady, [*chains.asked(scope, **now), *chains.asked(scope, **before), *ends])


# ---- all workflows ---------------------------------------------------------------------------------------------------


def ranking(conf: Filters) -> None:
    """Every workflow with what it delivers, the worst first."""
    now = chains.chains(store.ask_steady, **asked(conf, ""))
    earlier = chains.chains(store.ask_steady, **asked(conf, "", conf.window.before()))
    rows: list[dict[str, Any]] = []
    for name, chain in list(now.items())[:MOST_WORKFLOWS]:
        if chain.outcomes is None or not chain.runs:
            continue
        r, e = compounded(chain), observed(chain.outcomes)
        best = next(iter(fix_first(chain)), None)
        rows.append(
            {
                "page": "steps",
                "params": {"workflow": name},
                "workflow": name,
                "runs": words.count(chain.runs),
                "r": estimated(r),
                "change": moved(r, compounded(earlier[name])) if name in earlier else None,
                "e": estimated(e),
                "f": estimated(first_try(chain)),
                "fix": [best.step, f"+{100 * best.gain_half:.1f} pts"] if best else None,
                "order": standing(r),
            }
        )
    st.subheader("What each workflow delivers, the worst first", anchor=False)
    if not rows:
        no_match("No workflow has runs here.")
        return
    columns: list[Column] = [
        {"name": "workflow", "label": "Workflow", "look": "strong"},
        number_column("runs", "Runs", 74, leaves=3),
        number_column("r", "R, compounded", 158, "The chance that every step goes well"),
        number_column("change", "Change", 90, "Against the window before"),
        number_column("e", "E, observed", 158, "Clean or recovered runs", 2),
        number_column("f", "F, first try", 158, "As R, without any retry", 2),
        {
            "name": "fix",
            "label": "Fix first",
            "optional": 3,
            "width": "20%",
            "help": "Halving this step's failures gains most",
        },
    ]
    rows.sort(key=lambda row: row["order"])
    link_table(rows, columns, key="steps_workflows", label="Workflows")
    if len(now) > MOST_WORKFLOWS:
        st.caption(f"The {MOST_WORKFLOWS} busiest of {len(now)} workflows; choose any other in the sidebar.")


# ---- one workflow ----------------------------------------------------------------------------------------------------


def headline(conf: Filters, workflow: str, scope: str, chain: Chain, fixes: tuple[Fix, ...]) -> None:
    """What the chain delivers and what to fix first, in words."""
    finding = findings.steps(workflow, scope, compounded(chain), chain.runs, fixes, conf.window.said)
    st.subheader(sentence(finding.pieces), anchor=False)


def show_figures(chain: Chain, before: Chain, opens: dict[str, Any]) -> None:
    """R, F, E and what lies between them, each with its band."""
    row = [
        figure(
            "r",
            "R compounded",
            compounded(chain),
            compounded(before),
            "The chance of reaching the end without a failed step",
        ),
        figure("f", "F first try", first_try(chain), first_try(before), "The same, had nothing been tried again"),
        figure("bought", "Retries buy", retries_buy(chain), retries_buy(before), "R minus F", unit="pts"),
    ]
    if chain.outcomes is not None and before.outcomes is not None:
        now, then = chain.outcomes, before.outcomes
        claimed = figure(
            "e", "E observed, claimed", observed(now), observed(then), "Runs clean or recovered, of those finished"
        )
        judged = figure("v", "E verified", verified(now), verified(then), "Verdict pass, of runs with a verdict")
        row += [replace(claimed, opens={"state": FINISHED}), judged]
    figures([replace(each, opens={**opens, "state": KNOWN, **(each.opens or {})}) for each in row], key="steps_figures")


def show_losses(chain: Chain, conf: Filters, workflow: str) -> None:
    """Where the runs went: a bar that adds up to 100 %."""
    if chain.outcomes is None or not chain.outcomes.finished:
        return
    rows = store.ask_steady("chain_losses", **asked(conf, workflow)).to_pylist()
    parts = losses(chain.outcomes, rows, lens="a" if conf.lens == "A" else "b")
    title = f"Where {words.count(chain.outcomes.finished)} runs went"
    where_runs_went(parts, key="steps_losses", title=title, params=runs_of(conf, workflow))


def show_stairs(chain: Chain, fixes: tuple[Fix, ...], opens: dict[str, Any]) -> None:
    """The compounding, step by step, with what users got at its end."""
    firsts = staircase(chain, first_try=True)
    best = {m.step for n in chain.nodes for m in n.members} & {fix.step for fix in fixes[:1]}
    by_name = {node.name: [member.step for member in node.members] for node in chain.nodes}
    steps = [
        Step(
            stair.node,
            stair.top,
            stair.bottom,
            first.bottom,
            f"−{100 * stair.drop:.1f} pts" if stair.drop >= 0.0005 else "± 0",
            bool(best.intersection(by_name[stair.node])),
            {**opens, "step": by_name[stair.node], "state": LOST},
        )
        for stair, first in zip(staircase(chain), firsts, strict=True)
    ]
    r = compounded(chain)
    ends = [("R", r, "What the chain delivers by its steps", {**opens, "state": KNOWN})]
    if chain.outcomes is not None:
        finished = {**opens, "state": FINISHED}
        ends.append(("E", observed(chain.outcomes), "What users got: runs clean or recovered", finished))
    levels = [
        Level(
            name,
            each.value,
            each.low,
            each.high,
            in_short(each),
            f"{meaning}; 95 % band [{100 * each.low:.1f}, {100 * each.high:.1f}]",
            runs,
        )
        for name, each, meaning, runs in ends
        if each.value is not None
    ]
    label = f"Staircase from 100 % to {100 * (r.value or 0):.1f} %: " + ", ".join(f"{s.name} {s.said}" for s in steps)
    stairs(steps, levels, key="steps_stairs", label=label)
    st.caption(
        "Marked: the share of runs whose first failed step is there. Dashed: where the chain would be without retries. "
        "A step opens the runs it lost."
    )


def explain(parted: Parting | None) -> None:
    """Why R and E are not the same, in one line each."""
    if parted is None or abs(parted.total) < 0.0005:
        return
    rescued = parted.rescued.value or 0.0
    lines = [f"R − E = {words.signed(100 * parted.total)} pts ="]
    lines.append(f"{100 * parted.outside:.1f} lost outside a step")
    lines.append(f"− {100 * rescued:.1f} rescued although a step failed")
    depends = parted.dependence
    if depends.value is not None:
        of, low, high = (words.signed(100 * each) for each in (depends.value, depends.low, depends.high))
        lines.append(f"{of} dependence [{low}, {high}]")
    st.caption(" ".join(lines))
    if parted.gathers:
        st.caption("Failures gather in the same runs: E predicts the next run, R says what to fix.")


@st.fragment
def show_what_if(chain: Chain, fixes: tuple[Fix, ...]) -> None:
    """Sliders that move R: what it would be if some steps failed less often."""
    st.markdown("**What if**")
    r = compounded(chain)
    if r.shown == "band":
        st.caption(f"{words.plural(r.n, 'run')}: too few for one figure, and so for what others would make of it.")
        return
    if not fixes:
        st.caption("No step has failed here: there is nothing to gain.")
        return
    now = r.value or 0.0
    reliabilities = {m.step: m for node in chain.nodes for m in node.members}
    wanted = {}
    grid = st.grid(3, min_column_width=260)
    for number, fix in enumerate(fixes[:MOST_SLIDERS]):
        members = [m for node in chain.nodes for m in node.members if m.step == fix.step]
        operations, good = sum(m.operations for m in members), sum(m.good for m in members)
        is_now = round(100 * good / operations, 1)
        with grid.cell():
            target = st.slider(
                f"{safe(fix.step, 40)} · halve its failures: +{100 * fix.gain_half:.1f} pts",
                0.0,
                100.0,
                is_now,
                0.1,
                format="%.1f %%",
                key=f"steps_if_{number}_{fix.step}_{is_now}",
                disabled=fix.step not in reliabilities,
            )
        if target != is_now:
            wanted[fix.step] = target / 100
    would = what_if(chain, wanted)
    if would is not None:
        st.markdown(
            f"R would be **{100 * would:.1f} %**, {words.signed(100 * (would - now))} points"
            if wanted
            else f"R is **{100 * now:.1f} %**; move a slider to see what another reliability would make of it"
        )


def show_table(conf: Filters, workflow: str, scope: str, chain: Chain, can_open: list[str]) -> None:
    """Every step with its figures; a row opens the runs that failed there."""
    rows = store.ask_steady("step_table", scope=scope, **asked(conf, workflow)).to_pylist()
    earlier = store.ask_steady("step_table", scope=scope, **asked(conf, workflow, conf.window.before())).to_pylist()
    old = {(row["step"], row["kind"]): row for row in earlier}
    order = {step: place for place, step in enumerate(chain.steps)}
    shown = []
    for row in sorted(rows, key=lambda r: (order.get(r["step"], len(order)), r["step"])):
        good, n = row["good"], row["operations"]
        after = share(good, n, "no operation")
        before = old.get((row["step"], row["kind"]))
        deeper = chains.JOINT.join(part for part in (scope, row["step"]) if part)
        then = share(before["good"], before["operations"], "no operation") if before else None
        shown.append(
            {
                "page": "runs",
                "params": {**runs_of(conf, workflow), "step": row["step"]},
                "step": row["step"],
                "title": row["kind"],
                "runs": [words.count(row["runs"]), f"×{n / row['runs']:.2f}" if n > row["runs"] > 0 else ""],
                "first": f"{100 * row['first_good'] / n:.1f} %" if after.shown == "value and band" else None,
                "after": estimated(after),
                "change": moved(after, then, unit="") if then else None,
                "p50": words.duration(row["p50_ns"]),
                "p95": words.duration(row["p95_ns"]),
                "p99": words.duration(row["p99_ns"]),
                "self": words.duration(row["self_ns"] // n),
                "critical": words.share(row["critical_ns"], row["run_ns"]),
                "tokens": words.count((row["tokens_input"] or 0) + (row["tokens_output"] or 0))
                if row["tokens_input"]
                else None,
                "cost": words.money(row["cost_usd"]) if row["cost_usd"] is not None else None,
                "open": {"page": "steps", "params": {"workflow": workflow, "scope": deeper}, "text": "open"}
                if deeper in can_open
                else "",
            }
        )
    link_table(shown, COLUMNS, key="steps_table", label="Steps")


COLUMNS: Final[list[Column]] = [
    {"name": "step", "label": "Step", "look": "strong"},
    number_column("runs", "Runs, visits", 98, "Runs that hold the step, and how often one of them visits it", 2),
    number_column("first", "First try", 66, "Operations whose first try was good", 2),
    number_column("after", "After recovery", 158, "Operations ok or recovered, with their 95 % band"),
    number_column("change", "Δ pts", 56, "Against the window before"),
    number_column("p50", "p50", 68, leaves=2),
    number_column("p95", "p95", 68),
    number_column("p99", "p99", 68, "The maximum, below 100 operations", leaves=1),
    number_column("self", "Self", 68, "Own time of one operation, what runs below it apart", leaves=1),
    number_column("critical", "Critical", 66, "Share of all run time on the critical path here", leaves=2),
    number_column("tokens", "Tokens", 66, leaves=1),
    number_column("cost", "Cost", 62, leaves=1),
    {"name": "open", "label": "", "look": "link", "width": "54px", "blank": ""},
]


def show_time(conf: Filters, workflow: str) -> None:
    """Where the time of the runs went, along their critical paths: adds up to 100 %."""
    found = store.ask_steady("time_spent", **asked(conf, workflow)).to_pylist()
    row = found[0] if found else None
    if not row or not row["run_ns"]:
        return
    total = row["run_ns"]
    kinds = ("model", "tool", "retrieval", "wasted")
    spent = {kind: min(max(row[f"{kind}_ns"], 0), total) for kind in kinds}
    spent["orchestration"] = max(total - sum(spent.values()), 0)
    names = ("model", "tool", "retrieval", "orchestration", "wasted")
    said = in_percent([spent[name] / total for name in names])
    parts = [
        Part(
            "wasted on failed tries" if name == "wasted" else name,
            spent[name] / total,
            f"{percent:.1f} %",
            SHADES.get(name, FAILED),
            hatched=1.0 if name == "wasted" else 0.0,
            params={**runs_of(conf, workflow), **({"tried": "2"} if name == "wasted" else {})},
        )
        for name, percent in zip(names, said, strict=True)
    ]
    label = ", ".join(f"{part.name} {part.said}" for part in parts)
    whole(parts, key="steps_time", title="Where the time of runs goes", label=label)


def one_workflow(conf: Filters, workflow: str) -> None:
    """Everything about one workflow, or about one step of it that was opened."""
    scope = st.query_params.get("scope", "")
    ahead(conf, workflow, scope)
    scopes = store.ask_steady("chain_scopes", **asked(conf, workflow)).to_pylist()
    known = {row["scope"] for row in scopes}
    if scope and scope not in known:
        st.warning(f"No step “{safe(scope, 80)}” has steps of its own here; this is the whole chain.")
        scope = ""
    chain = chain_in(conf, conf.window, workflow, scope)
    if not chain.runs:
        no_match(f"{safe(workflow, 60)} has no finished step {conf.window.said}.")
        return
    before = chain_in(conf, conf.window.before(), workflow, scope)
    fixes = fix_first(chain)
    if scope:
        with st.container(horizontal=True, gap="xsmall"):
            st.page_link(
                "views/steps.py",
                label="Whole chain",
                icon=":material/arrow_back:",
                query_params=filters.carried(workflow=workflow),
            )
            st.caption(f"opened: {safe(scope, 120)}")
    headline(conf, workflow, scope, chain, fixes)
    opens = runs_of(conf, workflow)
    show_figures(chain, before, opens)
    with st.container(border=True):
        show_losses(chain, conf, workflow)
        show_stairs(chain, fixes, opens)
        if compounded(chain).shown == "value and band":
            explain(parting(chain))
    with st.container(border=True):
        st.markdown("**The chain**")
        by_name = {each.node.name: each for each in node_figures(chain)}
        inside = scope.split(chains.JOINT, maxsplit=1)[0]
        left_out = step_graph(chain, by_name, compounded(chain), key="steps_graph", opens=opens, inside=inside)
        if left_out:
            st.caption(f"{words.plural(left_out, 'transition')} rarer than 1 in 200 not drawn.")
        if chain.unknown:
            st.caption(f"Left out for lack of data: {safe(', '.join(chain.unknown), 200)}")
    show_table(conf, workflow, scope, chain, chains.opened(scopes, scope))
    with st.container(border=True):
        show_time(conf, workflow)
    with st.container(border=True):
        show_what_if(chain, fixes)


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
        if scope := st.query_params.get("scope"):
            st.warning(f"The link opens the step “{safe(scope, 80)}”, but no workflow; these are all of them.")
        ranking(conf)


body()
