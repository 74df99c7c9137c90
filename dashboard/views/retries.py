"""Retries: are they saving runs or hurting them, since when, what set it off, and what it costs."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from dashboard import alarms, store, words
from dashboard.analytics import findings
from dashboard.analytics.amplification import (
    FEWEST_OPERATIONS,
    Amplified,
    amplified,
    budget_used,
    paths,
    tries_of,
)
from dashboard.analytics.storms import MINUTE_NS, Episode, Found, Key, in_run_storms
from dashboard.components import filters
from dashboard.components.estimates import amplification_figure
from dashboard.components.figures import Figure, figures
from dashboard.components.filters import Filters, Window
from dashboard.components.lanes import Block, Lane, lanes
from dashboard.components.lanes import Column as Beat
from dashboard.components.link_table import Column, link_table
from dashboard.components.parameters import BY
from dashboard.components.states import guarded, is_empty, no_match, nothing_yet
from dashboard.components.text import safe, sentence
from dashboard.store import Param

LIMITS: Final = store.storm_limits()
BUDGET: Final = store.settings().storms.retry_budget
MOST_LANES: Final = 8
MOST_ROWS: Final = 12
NEWEST_RUNS: Final = 500
STUBBORN: Final = 200
MOST_TRIES: Final = 5  # columns of the histogram
IN_RUN_CODES: Final = ("recovery.blind_retry", "routing.ping_pong", "state.redundant_step")
EVIDENCE: Final = {
    "siblings": "each attempt is a span of its own",
    "nested": "attempts are spans inside the operation's",
    "event": "events of the span tell of retries",
    "http": "HTTP requests inside the call are its attempts",
    "resend_count": "an attribute counts what was sent again",
    "single": "one attempt, and its client shows them all",
    "unseen": "one is seen; a client of this kind may hide more",
}

Row = Mapping[str, Any]


@st.cache_data(ttl=60.0, max_entries=32, show_spinner=False)
def storms_of(**scope: Any) -> Found:
    """The storms of a window; found once a minute."""
    return alarms.storms_found(store.ask_once, LIMITS, **scope)


def runs_behind(dimension: str, name: str, tries: int = 2) -> dict[str, str]:
    """Parameters of the Runs page for what was called so and tried so often or more."""
    return {"called": f"{dimension}:{name}", "tried": str(tries)}


def between(since_ns: int, until_ns: int) -> dict[str, str]:
    """Parameters for an exact range."""
    return {"from": words.iso(since_ns), "to": words.iso(until_ns)}


def runs_in(one: Episode, window: Window) -> dict[str, str]:
    """Parameters of the Runs page for the runs of an episode."""
    of = {"workflow": one.key.workflow} if one.key.workflow else {}
    return of | runs_behind(one.key.dimension, one.key.name) | between(one.onset_ns, one.end_ns or window.until_ns)


# ---- what it comes to ------------------------------------------------------------------------------------------------


def headline(found: Found, by: str, total: Amplified, said: str) -> None:
    """What retries do right now, in words; a storm that this cut does not show is told all the same."""
    mine = [one for one in found.episodes if one.key.dimension == by] or list(found.episodes)
    enough = any(ratio > 0 for ratio in found.judged.values())
    finding = findings.retries(mine, total.value, said, filters.zone(), time.time_ns(), judged=enough)
    st.subheader(sentence(finding.pieces), anchor=False)


def show_figures(now: Amplified, before: Amplified | None, calls: Sequence[Row], opens: dict[str, str]) -> None:
    """Amplification and its budget, and what the tries that failed have cost."""
    used = budget_used(now.attempts, now.operations, BUDGET) or 0.0
    enough = before is not None and before.operations >= FEWEST_OPERATIONS
    old = budget_used(before.attempts, before.operations, BUDGET) if before and enough else None
    steps = [row for row in calls if row["dimension"] == "step"]

    def wasted(name: str) -> Any:
        known = [row[name] for row in steps if row[name] is not None]
        return sum(known) if known else None

    figures(
        [
            amplification_figure(now, before, opens=opens | {"tried": "2"}),
            Figure(
                "budget",
                "Retry budget used",
                f"{100 * used:.0f} %",
                f"{words.signed(100 * (used - old), 0)} pts" if old is not None else None,
                "worse" if used > 1 else "same",
                note=f"of retries on {100 * BUDGET:.0f} % of operations",
                help="Above 100 % retries are more than a fifth of what was asked for",
                opens=opens | {"tried": "2"},
            ),
            Figure(
                "operations",
                "Operations",
                words.count(now.operations),
                note=f"{words.count(now.attempts - now.operations)} retries",
                help="What was asked for, however often it was tried",
                opens=opens,
            ),
            Figure(
                "time", "Wasted time", words.duration(wasted("wasted_ns")), note="in tries that failed", opens=opens
            ),
            Figure("tokens", "Wasted tokens", words.count(wasted("wasted_tokens")), note="where known", opens=opens),
            Figure("usd", "Wasted money", words.money(wasted("wasted_usd")), note="where known", opens=opens),
        ],
        key="retries_figures",
    )


# ---- over time -------------------------------------------------------------------------------------------------------


def show_lanes(calls: Sequence[Row], found: Found, by: str, window: Window, tries: Mapping[str, int]) -> list[str]:
    """Amplification over time of what retries most; the names shown, the worst first."""
    bucket_ns = max(window.bucket_ns, LIMITS.bucket_ns)
    total: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    over_time: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in calls:
        if row["dimension"] == by:
            at = (row["bucket_ns"] - window.since_ns) // bucket_ns * bucket_ns + window.since_ns
            for count in (total[row["name"]], over_time[row["name"]][at]):
                count[0] += row["operations"]
                count[1] += row["attempts"]
    blocks, ranks, left_out = drawn([one for one in found.episodes if one.key.dimension == by], bucket_ns, window)
    names = [name for name, (asked, made) in total.items() if made > asked]
    names.sort(key=lambda name: (ranks.get(name, 2), total[name][0] - total[name][1], name))
    rows = []
    for name in names[:MOST_LANES]:
        asked, made = total[name]
        threshold = LIMITS.storm_at(tries.get(name, 1))
        rows.append(
            Lane(
                name,
                f"×{made / asked:.2f}",
                threshold if threshold < 100 else None,
                [
                    Beat(at, some[1] / some[0], some[0], some[0] >= LIMITS.least_operations)
                    for at, some in sorted(over_time[name].items())
                ],
                blocks[name],
                runs_behind(by, name),
            )
        )
    if rows:
        lanes(rows, key="retries_lanes", window=window, bucket_ns=bucket_ns, budget=BUDGET, look=LIMITS.look)
    else:
        st.caption(f":material/check_circle: nothing was tried twice, of {words.plural(len(total), by)} seen.")
    if len(names) > MOST_LANES:
        st.caption(f"The {MOST_LANES} that retry most of {len(names)}.")
    short = sum(left_out[name] for name in names[:MOST_LANES])
    if short:
        told = words.plural(short, "stretch that is", "stretches that are")
        st.caption(f"Not drawn: {told} worth a look, and too short to be seen at this width.")
    return names


def drawn(
    episodes: Iterable[Episode], bucket_ns: int, window: Window
) -> tuple[dict[str, list[Block]], dict[str, int], Counter[str]]:
    """By name the blocks of its lane, whether it had a storm (0) or a look (1), and how many looks are too short to be
    drawn: they would fill the lanes of a month."""
    blocks: dict[str, list[Block]] = defaultdict(list)
    ranks: dict[str, int] = {}
    left_out = Counter[str]()
    for one in episodes:
        is_storm = one.status == "storm"
        ranks[one.key.name] = min(ranks.get(one.key.name, 2), 0 if is_storm else 1)
        if is_storm or 2 * ((one.end_ns or window.until_ns) - one.onset_ns) >= bucket_ns:
            blocks[one.key.name].append(block(one, window))
        else:
            left_out[one.key.name] += 1
    return blocks, ranks, left_out


def most_tries(calls: Sequence[Row], scope: Mapping[str, Param], by: str) -> dict[str, int]:
    """How often each was tried at most, in the window or the days before it that storms are judged by, too."""
    since_ns = int(str(scope["since_ns"]))
    before = {**scope, "since_ns": max(0, since_ns - LIMITS.tries_ns), "until_ns": since_ns}
    most: dict[str, int] = {}
    for row in (*calls, *store.ask_steady("most_tries", **before).to_pylist()):
        if row["dimension"] == by:
            most[row["name"]] = max(most.get(row["name"], 1), row["most_tries"])
    return most


def block(one: Episode, window: Window) -> Block:
    """An episode as a block in its lane."""
    end_ns = one.end_ns or window.until_ns
    what = "storm" if one.status == "storm" else "worth a look"
    when = words.moment(one.onset_ns, filters.zone())
    said = f"{what} since {when}: × {one.peak_amplification:.2f} at its peak, {one.trigger or 'trigger not known'}"
    params = runs_in(one, window)
    return Block(one.onset_ns, end_ns, one.peak_amplification, one.status == "storm", said, params)


EPISODES: Final[list[Column]] = [
    {"name": "name", "label": "What", "look": "strong"},
    {"name": "onset", "label": "Onset", "width": "112px"},
    {"name": "length", "label": "Length", "align": "right", "width": "76px"},
    {"name": "trigger", "label": "Trigger", "width": "148px", "blank": "not known", "optional": 3},
    {"name": "times", "label": "× peak, overall", "align": "right", "width": "118px"},
    {
        "name": "recovered",
        "label": "Recovered",
        "align": "right",
        "width": "80px",
        "optional": 2,
        "help": "Of those in trouble",
    },
    {"name": "wasted", "label": "Wasted", "align": "right", "width": "84px", "optional": 2, "help": "Time lost"},
    {"name": "tokens", "label": "Tokens", "align": "right", "width": "72px", "optional": 1},
    {"name": "usd", "label": "Cost", "align": "right", "width": "80px", "optional": 1},
]


def show_episodes(episodes: Sequence[Episode], by: str, window: Window) -> None:
    """Storms, then what is worth a look, the newest first; each leads to its runs."""
    st.markdown("**Storms and what is worth a look**")
    if not episodes:
        st.caption(f":material/check_circle: none by {by} {window.said}.")
        return
    here, rows = filters.zone(), []
    in_order = sorted(episodes, key=lambda each: (each.status == "look", -each.onset_ns, each.key))
    for one in in_order[:MOST_ROWS]:
        end_ns = one.end_ns or window.until_ns
        ratio = one.recovered_ratio
        rows.append(
            {
                "page": "runs",
                "params": runs_in(one, window),
                "name": [one.key.name, "storm" if one.status == "storm" else "look"],
                "onset": words.moment(one.onset_ns, here)[:-3],
                "length": words.duration(end_ns - one.onset_ns) if one.end_ns else "still on",
                "trigger": one.trigger,
                "times": [f"×{one.peak_amplification:.2f}", f"×{one.amplification:.2f}"],
                "recovered": None if ratio is None else f"{100 * ratio:.0f} %",
                "wasted": words.duration(one.wasted_ns),
                "tokens": words.count(one.wasted_tokens) if one.wasted_tokens else None,
                "usd": words.money(one.wasted_usd) if one.wasted_usd else None,
                "below": spread(one),
            }
        )
    link_table(rows, EPISODES, key="retries_episodes", label="Storms, newest first")
    if len(in_order) > MOST_ROWS:
        storms = sum(one.status == "storm" for one in in_order)
        looks = words.plural(len(in_order) - storms, "stretch", "stretches")
        told = f"{words.plural(storms, 'storm')} and {looks} worth a look"
        st.caption(f"{MOST_ROWS} of {told}: storms first, the newest of each first.")


def spread(one: Episode) -> str:
    """Whom a storm hit, and what else was tried again more than usual meanwhile."""
    others = dict.fromkeys(key.name for key in one.spread if key.dimension == one.key.dimension) or dict.fromkeys(
        f"{key.dimension} {key.name}" for key in one.spread
    )
    hit = f"hit {', '.join(one.workflows)}" if one.workflows else "hit nothing that is known"
    return f"{hit}; many retries meanwhile: {', '.join(others)}" if others else hit


def show_judged(judged: Mapping[Key, float], by: str, names: Iterable[str]) -> None:
    """How much of the time there was enough traffic to tell a storm."""
    ratios: dict[str, float] = {}
    for key, ratio in judged.items():
        if key.dimension == by:  # of steps of one name the one with most traffic
            ratios[key.name] = max(ratio, ratios.get(key.name, 0.0))
    told = [f"{safe(name, 40)} {words.share(round(1000 * ratios[name]), 1000)}" for name in names if name in ratios]
    few = sum(ratio == 0 for ratio in ratios.values())
    said = f"{LIMITS.least_operations} operations within {LIMITS.reach_ns // MINUTE_NS} minutes make a verdict. "
    said += f"Time with calls that could be judged: {', '.join(told[:MOST_LANES])}. " if told else ""
    said += f"Too few to tell at any time: {few} of {words.plural(len(ratios), by)}. " if few else ""
    said += "Below 3 operations a minute most storms stay unseen."
    st.caption(said)


# ---- how often, in what, inside of what ------------------------------------------------------------------------------


def show_histogram(rows: Sequence[Row], opens: dict[str, str]) -> None:
    """How often operations are tried, by name."""
    st.markdown("**How often operations are tried**")
    tries: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for row in rows:
        tries[row["name"], row["kind"]][row["tries"]] += row["operations"]
    found = []
    for (name, kind), counts in tries.items():
        times = amplified(counts)
        if times is None or times.attempts == times.operations:
            continue
        again = times.operations - counts[1]
        cells: dict[str, Any] = {}
        for number in range(2, MOST_TRIES + 1):
            count = sum(v for t, v in counts.items() if (t >= number if number == MOST_TRIES else t == number))
            cells[str(number)] = [count / times.operations, words.count(count)] if count else None
        band = f"[{times.low:.2f}, {times.high:.2f}]"
        found.append(
            {
                "page": "runs",
                "params": opens | runs_behind("operation", name),
                "title": "open the runs that tried it again",
                "name": [name, kind],
                "operations": words.count(times.operations),
                "again": words.count(again),
                "times": [f"×{times.value:.2f}", band],
                **cells,
                "order": times.operations - times.attempts,
            }
        )
    if not found:
        st.caption("Every operation took one try.")
        return
    found.sort(key=lambda row: (row["order"], row["name"]))
    columns: list[Column] = [
        {"name": "name", "label": "Operation", "look": "strong"},
        {"name": "operations", "label": "Operations", "align": "right", "width": "92px"},
        {"name": "again", "label": "Tried again", "align": "right", "width": "92px"},
        {"name": "times", "label": "Amplification", "align": "right", "width": "150px"},
        *(
            {
                "name": str(n),
                "label": f"{n} or more" if n == MOST_TRIES else f"{n} tries",
                "look": "share",
                "align": "right",
                "width": "112px",
                "optional": 2,
            }
            for n in range(2, MOST_TRIES + 1)
        ),
    ]
    link_table(found[:MOST_ROWS], columns, key="retries_histogram", label="Tries of operations")


def show_paths(rows: Sequence[Row], opens: dict[str, str]) -> None:
    """Where a layer that retries lies inside another: their retries multiply."""
    st.markdown("**Layers multiply**")
    inside = {row["parent_span_id"]: row["inside"] for row in rows if row["inside"]}
    found = [path for path in paths(rows, inside) if path.product > 1.005]
    if not found:
        st.caption(f"No operation that retries lies inside another in the newest {NEWEST_RUNS:,} runs.")
        return
    columns: list[Column] = [
        {"name": "path", "label": "Path, outermost first", "look": "strong"},
        {"name": "layers", "label": "Layer by layer", "align": "right", "width": "120px"},
        {"name": "product", "label": "Together", "align": "right", "width": "80px"},
        {"name": "operations", "label": "Innermost", "align": "right", "width": "90px"},
    ]
    shown = [
        {
            "page": "runs",
            "params": opens | runs_behind("operation", max(zip(path.amplifications, path.names, strict=True))[1]),
            "path": " › ".join(path.names),
            "layers": " × ".join(f"{each:.2f}" for each in path.amplifications),
            "product": f"×{path.product:.2f}",
            "operations": words.count(path.operations),
        }
        for path in found[:MOST_ROWS]
    ]
    link_table(shown, columns, key="retries_paths", label="Layers that retry inside one another")
    st.caption(f"From the newest {NEWEST_RUNS:,} runs: innermost attempts for one outermost operation.")


def show_in_run(scope: Mapping[str, Param], opens: dict[str, str]) -> None:
    """Storms and loops within one run."""
    st.markdown("**Within one run**")
    stubborn = store.ask_steady(
        "stubborn_operations", least=LIMITS.in_run_attempts, limit=STUBBORN, **scope
    ).to_pylist()
    starts = {row["operation_id"]: row["starts_ns"] for row in stubborn}
    by_name: dict[tuple[str, str], list[Any]] = defaultdict(list)
    workflow = {row["run_id"]: row["workflow"] or "" for row in stubborn}
    for one in in_run_storms(stubborn, starts, LIMITS):
        by_name[one.name, workflow[one.run_id]].append(one)
    shown: list[dict[str, Any]] = []
    for (name, of), storms in by_name.items():
        newest = storms[-1]
        shown.append(
            _in_run(
                f"≥ {LIMITS.in_run_attempts} tries within {LIMITS.in_run_ns // words.NS} s",
                name,
                len({one.run_id for one in storms}),
                newest.start_ns,
                newest.run_id,
                opens | runs_behind("operation", name, LIMITS.in_run_attempts) | ({"workflow": of} if of else {}),
            )
        )
    for row in store.ask_steady("code_runs", codes=IN_RUN_CODES, **scope).to_pylist():
        params = opens | {"code": row["code"], "step": row["step"] or ""}
        params |= {"workflow": row["workflow"]} if row["workflow"] else {}
        what = row["step"] or "between steps"
        shown.append(_in_run(row["code"], what, row["runs"], row["newest_ns"], row["newest_run"], params))
    if not shown:
        st.caption(":material/check_circle: no operation was hammered and no run went in circles.")
        return
    columns: list[Column] = [
        {"name": "what", "label": "What", "look": "strong"},
        {"name": "seen", "label": "Seen", "width": "46%"},
        {"name": "runs", "label": "Runs", "align": "right", "width": "56px"},
        {"name": "run", "label": "Newest", "look": "link", "width": "84px"},
    ]
    shown.sort(key=lambda row: (-row["order"], row["what"]))
    link_table(shown[:MOST_ROWS], columns, key="retries_in_run", label="Storms and loops within a run")
    if by_name:
        least = f"{LIMITS.in_run_attempts} tries or more"
        newest = f"Storms within a run: of the newest {STUBBORN} operations with {least}. "
        st.caption(f"{newest if len(stubborn) == STUBBORN else ''}A row leads to all runs with {least}, however slow.")


def _in_run(seen: str, what: str, runs: int, at_ns: int, run_id: str, params: dict[str, str]) -> dict[str, Any]:
    return {
        "page": "runs",
        "params": params,
        "what": what,
        "seen": seen,
        "runs": words.count(runs),
        "run": {
            "page": "run",
            "params": {"run": run_id},
            "text": words.ago(at_ns, time.time_ns()),
            "title": "open the newest one",
        },
        "order": runs,
    }


def show_evidence(rows: Sequence[Row]) -> None:
    """How attempts are known, and where they may be hidden."""
    counts = Counter(row["evidence"] for row in rows)
    unseen = Counter(f"{row['name']}" for row in rows if row["evidence"] == "unseen" and row["kind"] in ("llm", "tool"))
    with st.expander("How attempts are known, and where retries may be hidden"):
        for name, count in counts.most_common():
            st.caption(f"**{words.share(count, len(rows))}** {safe(name, 30)}: {EVIDENCE.get(name, '')}")
        if unseen:
            hidden = ", ".join(f"{safe(name, 40)} ({words.count(count)})" for name, count in unseen.most_common(8))
            st.caption(f"Calls that may hide retries: {hidden}. What they waste is in no figure of this page.")
        st.caption(f"From the newest {NEWEST_RUNS:,} runs of the window.")


# ---- the page --------------------------------------------------------------------------------------------------------


def chosen() -> str:
    """What the page is cut by, before its switch is drawn."""
    wanted = st.session_state.get("by") or st.query_params.get("by")
    return wanted if wanted in BY else BY[0]


@guarded
def body() -> None:
    """The page."""
    conf: Filters = filters.current()
    if is_empty():
        nothing_yet()
        return
    window = conf.window.widened(LIMITS.bucket_ns)
    scope, before = conf.scope(window), conf.scope(conf.window.before().widened(LIMITS.bucket_ns))
    step_ns = max(window.bucket_ns, LIMITS.bucket_ns)
    over_time: dict[str, Param] = {"step_ns": step_ns, **scope}
    store.ahead(store.ask_steady, [("attempts_histogram", before), ("calls_over_time", over_time)])
    histogram = store.ask_steady("attempts_histogram", **scope).to_pylist()
    total = amplified(tries_of(histogram))
    if total is None:
        no_match(f"No operation {window.said}.")
        return
    earlier = amplified(tries_of(store.ask_steady("attempts_histogram", **before).to_pylist()))
    newest: dict[str, Param] = {"limit": NEWEST_RUNS, **scope}
    store.ahead(store.ask_steady, [("newest_operations", newest), ("code_runs", {"codes": IN_RUN_CODES, **scope})])
    calls = store.ask_steady("calls_over_time", **over_time).to_pylist()
    found, by = storms_of(**scope), chosen()
    headline(found, by, total, window.said)
    opens = window.address()
    show_figures(total, earlier, calls, opens)
    with st.container(border=True):
        top = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        top.markdown("**Amplification over time**")
        by = top.segmented_control(
            "By", BY, default=BY[0], required=True, key="by", bind="query-params", label_visibility="collapsed"
        )
        names = show_lanes(calls, found, by, window, most_tries(calls, scope, by))
        show_judged(found.judged, by, names)
        st.caption(
            "This page counts operations. A mark or a row leads to the runs in which some of them were tried more than "
            "once, and Runs says how many operations those are."
        )
    show_episodes([one for one in found.episodes if one.key.dimension == by], by, window)
    show_histogram(histogram, opens)
    operations = store.ask_steady("newest_operations", **newest).to_pylist()
    halves = st.grid(2, min_column_width=420)
    with halves.cell():
        show_paths(operations, opens)
    with halves.cell():
        show_in_run(scope, opens)
    show_evidence(operations)


body()
