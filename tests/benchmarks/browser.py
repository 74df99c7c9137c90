"""How soon a page shows its data in Chromium, at a million spans: beside a bare Streamlit page and others, in one run.

    python -m tests.benchmarks.browser [--runs 100000] [--rounds 5] [--keep FOLDER] [--only first filters live ten]
                                       [--peer NAME URL SELECTOR]… [--write]

*First data* is the first mark of the page's data that can be seen, from the navigation on; `SELECTOR` says which that
is on a peer's page. Fresh: a browser without a cache; warm: the same page again in the same browser. All take turns in
each round. *Ack to screen* is from the answer to a run's spans until its row is on the open page, live, under a load.
For *ten dashboards* the browser has the lowest priority, as it would run on other machines; the server has not.
"""

import itertools
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import psutil
from playwright.sync_api import Browser, Error, Page

from schemas.paths import store_path
from tests.benchmarks import frozen, harness
from tests.benchmarks.harness import Collector, percentile, shown
from tests.benchmarks.queries import WORKFLOW, make_store
from tests.benchmarks.senders import HttpClient, send_all, timetable
from tests.benchmarks.spans import make_bodies, stamp, stamped
from tests.chromium import PATIENCE_MS, chromium, free_port, served, settle

STEADY_S: Final = 16.0  # answers are kept for 15 s
PARTS: Final = ("first", "filters", "live", "ten")
PROBES: Final = 20
LIVE_LOAD: Final = 20  # spans/s beside the probes: with more, newer runs take the probes' places on the Overview
RATE: Final = 2_000  # spans/s beside ten dashboards
PHASE_S: Final = 30.0
FIRST_ROUND: Final = int(time.time())  # a store that was kept holds the rounds of other runs
FIRST_OF_TEN, FIRST_PROBE = FIRST_ROUND + (1 << 20), FIRST_ROUND + (1 << 24)  # numbers far from those of other loads
SHOWS_SOMETHING: Final = (
    "document.querySelectorAll('[data-testid=stMainBlockContainer] [data-testid=stElementContainer]').length > 0"
)
BARE: Final = """
import json
import urllib.request

import pandas as pd
import plotly.express as px
import streamlit as st

SQL = "select start_ns // 86400000000000 as day, outcome, count(*) as runs from run group by all order by day, outcome"
body = json.dumps({{"sql": SQL}}).encode()
asked = urllib.request.Request("http://127.0.0.1:{port}/api/sql", body, {{"Content-Type": "application/json"}})
rows = pd.DataFrame(json.load(urllib.request.urlopen(asked)))
st.dataframe(rows)
st.plotly_chart(px.bar(rows, x="day", y="runs", color="outcome"))
"""
"""One table and one chart of the same store."""


class Target(NamedTuple):
    """A page, and what shows that its data is there."""

    name: str
    url: str
    selector: str


class Took(NamedTuple):
    """Seconds."""

    first: float
    whole: float


@contextmanager
def bare(port: int) -> Iterator[str]:
    """A Streamlit page with no more than a table and a chart, of what the collector on that port holds; its address."""
    with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE.format(port=port), "utf-8")
        own = free_port()
        argv = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(own), "--server.headless"]
        argv += ["true", "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"]
        process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            answers(f"http://127.0.0.1:{own}/_stcore/health")
            yield f"http://127.0.0.1:{own}"
        finally:
            process.terminate()
            process.wait(15)


def answers(url: str, patience_s: float = 60.0) -> None:
    """Waits until something is served there."""
    until = time.monotonic() + patience_s
    while True:
        try:
            httpx.get(url, timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@contextmanager
def fresh(browser: Browser) -> Iterator[Page]:
    """A page of a browser that has seen nothing."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def opened(page: Page, target: Target, *, whole: bool) -> Took:
    """To the first data, infinite where it does not come; and to the whole page, where we can tell."""
    since = time.perf_counter()
    page.goto(target.url, wait_until="commit")
    try:
        page.wait_for_selector(target.selector)
    except Error:
        return Took(math.inf, math.inf)
    first = time.perf_counter() - since
    if whole:
        settle(page)
    return Took(first, time.perf_counter() - since)


def first_data(browser: Browser, ours: Sequence[Target], others: Sequence[Target], rounds: int) -> str:
    """Everybody's pages in turn, fresh and again."""
    seen: dict[tuple[str, str], list[Took]] = {}
    for target in [*others, *ours]:  # servers and files have been used before
        with fresh(browser) as page:
            opened(page, target, whole=False)
    for _ in range(rounds):
        time.sleep(STEADY_S)
        for target in [*others, *ours]:
            with fresh(browser) as page:
                for kind in ("fresh", "warm"):
                    took = opened(page, target, whole=target in ours)
                    seen.setdefault((target.name, kind), []).append(took)
    base = statistics.median(took.first for took in seen[others[0].name, "fresh"])
    rows: list[list[object]] = []
    for target in [*others, *ours]:
        firsts = {kind: [took.first for took in seen[target.name, kind]] for kind in ("fresh", "warm")}
        beyond = statistics.median(firsts["fresh"]) - base
        rows.append(
            [
                target.name,
                statistics.median(firsts["fresh"]),
                " / ".join(f"{value:.2f}" for value in firsts["fresh"]),
                f"{beyond:+.2f}" if target != others[0] else "",
                statistics.median(firsts["warm"]),
                statistics.median(took.whole for took in seen[target.name, "warm"]) if target in ours else "",
            ]
        )
    heads = ["page", "fresh: first data, s", "each round", "after the bare page, s", "warm: first data, s"]
    return harness.table([*heads, "warm: whole page, s"], rows)


def changed(page: Page, change: Callable[[], None], differs: str) -> Took:
    """From a change of a filter to the first new data and to a page that stands still.

    Args:
        differs: a selector; its first text is other than before as soon as new data is there.
    """
    before = page.locator(differs).first.inner_text()
    since = time.perf_counter()
    change()
    page.wait_for_function(
        """([selector, before]) => {
            const find = (root) => root.querySelector(selector) ??
                [...root.querySelectorAll('*')].map((e) => e.shadowRoot && find(e.shadowRoot)).find(Boolean)
            const now = find(document)?.innerText
            return now !== undefined && now !== before
        }""",
        arg=[differs, before],
        polling=20,
    )
    first = time.perf_counter() - since
    settle(page)
    return Took(first, time.perf_counter() - since)


def filters(browser: Browser, origin: str, rounds: int) -> str:
    """The workflow, chosen and taken back, and the window: on the Overview and on Runs."""
    seen: dict[str, list[Took]] = {}
    for name, path, differs in (
        ("Overview", "/?window=28d&live=false", ".figures .value"),
        ("Runs", "/runs?window=28d&live=false", ".run-list tbody"),
    ):
        for nth in range(rounds):
            time.sleep(STEADY_S)
            with fresh(browser) as page:
                page.goto(origin + path)
                settle(page)
                box = page.get_by_role("combobox", name="Workflow")
                box.click()
                option = page.get_by_role("option", name=f"workflow_{3 + nth}", exact=True)
                option.wait_for()
                seen.setdefault(f"{name}: a workflow", []).append(changed(page, option.click, differs))
                week = page.get_by_role("radio", name="7d").or_(page.get_by_role("button", name="7d", exact=True)).first
                if name == "Overview":
                    seen.setdefault(f"{name}: the window", []).append(changed(page, week.click, differs))
    heads = ["change", "click to new data, median s", "each", "page stands still, median s", "aim, s"]
    rows = [
        [
            name,
            statistics.median(took.first for took in all_took),
            " / ".join(f"{took.first:.2f}" for took in all_took),
            statistics.median(took.whole for took in all_took),
            "at most 0.5",
        ]
        for name, all_took in seen.items()
    ]
    return harness.table(heads, rows)


def live(browser: Browser, running: Collector, origin: str) -> str:
    """From the answer to a run's spans until its row is on the open page."""
    stop = threading.Event()
    load = timetable(stamped(make_bodies(2_000, spans_per_request=10), FIRST_ROUND), LIVE_LOAD, 3_600)
    beside = itertools.takewhile(lambda _: not stop.is_set(), load)
    sender = threading.Thread(target=send_all, args=(running.grpc_port, "grpc", beside, 1), daemon=True)
    sender.start()
    client = HttpClient(running.http_port)
    body, number, rows = make_bodies(1, seed=11)[0], itertools.count(FIRST_PROBE), []
    for name, path in (("Overview, newest runs", "/?window=1h"), ("Runs", "/runs?window=1h")):
        with fresh(browser) as page:
            page.goto(origin + path)
            settle(page)
            took = []
            for _ in range(PROBES):
                one = stamp(body, next(number))
                trace_id = one[int(body.ids[0]) : int(body.ids[0]) + 16].hex()
                answer = client.send(one)
                since = time.perf_counter()
                if answer != "ok":
                    raise RuntimeError(answer)
                page.wait_for_selector(f'.run-list a[data-id="{trace_id}"]')
                took.append(time.perf_counter() - since)
                time.sleep(0.7)
        rows.append([name, *(percentile(took, ratio) for ratio in (0.5, 0.95, 1)), "p95 at most 2"])
    stop.set()
    sender.join(30)
    text = f"{PROBES} runs each, {LIVE_LOAD} spans/s beside them.\n\n"
    return text + harness.table(["page", "p50, s", "p95, s", "longest, s", "aim"], rows)


def stand_back(policy: int, group_nice: int) -> None:
    """Under SCHED_IDLE the browser has the cores only while nobody else wants them: people bring their own.

    Linux may share the cores out among sessions first (autogroups): that of the browser steps back, too.
    """
    for child in psutil.Process().children(recursive=True):
        if "chrom" in child.name():
            with suppress(OSError):
                Path(f"/proc/{child.pid}/autogroup").write_text(str(group_nice))
            for thread in child.threads():
                os.sched_setscheduler(thread.id, policy, os.sched_param(0))


@contextmanager
def dashboards(browser: Browser, origin: str, paths: Sequence[str]) -> Iterator[None]:
    """So many pages open at once."""
    with ExitStack() as stack:
        pages = [stack.enter_context(fresh(browser)) for _ in paths]
        for page, path in zip(pages, paths, strict=True):
            page.goto(origin + path)
            page.wait_for_function(SHOWS_SOMETHING)
        stand_back(os.SCHED_IDLE, 19)
        yield
        stand_back(os.SCHED_OTHER, 0)


def ten(browser: Browser, running: Collector, origin: str, rate: float) -> str:
    """How long senders wait with ten dashboards open and without, in turn."""
    paths = [f"/?window={window}&workflow=workflow_{nth}" for nth, window in enumerate(("1h", "24h", "7d", "28d"))]
    paths += ["/?window=1h", "/", "/runs", "/failures", f"/steps?workflow={WORKFLOW}", "/retries"]
    bodies = stamped(make_bodies(6_000), FIRST_OF_TEN)
    acks: dict[bool, list[float]] = {False: [], True: []}
    for with_pages in (False, True, True, False):  # the store grows meanwhile: what came last would look worse
        with dashboards(browser, origin, paths) if with_pages else nullcontext():
            sent = send_all(running.grpc_port, "grpc", timetable(bodies, rate, PHASE_S), 8)
            if set(sent.answers) - {"ok"}:
                raise RuntimeError(str(sent.answers))
            acks[with_pages] += sent.ack_s
        running.wait_settled()
    rows = [
        [name, *(1000 * percentile(acks[key], ratio) for ratio in (0.5, 0.99, 1))]
        for key, name in ((False, "no dashboard"), (True, "ten dashboards"))
    ]
    ratio = percentile(acks[True], 0.99) / percentile(acks[False], 0.99)
    text = f"{rate:,.0f} spans/s over gRPC, {2 * PHASE_S:g} s each way in turns of {PHASE_S:g}.\n\n"
    text += harness.table(["", "ack p50, ms", "p99, ms", "longest, ms"], rows)
    return text + f"\n\np99 with ten dashboards: {shown(ratio)} times that without (aim: at most 1.5)."


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="of ten spans each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=RATE, help="spans a second beside ten dashboards")
    parser.add_argument("--keep", type=Path, help="where the store is left, and taken from the next time")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--peer", nargs=3, action="append", default=[], metavar=("NAME", "URL", "SELECTOR"))
    args = parser.parse_args()
    busy = harness.other_cores_used()
    made = make_bodies(2_000)
    references = [  # the first one pays for what Python imports late
        frozen.cost_us_per_span([body for _, body in itertools.islice(stamped(made, at), len(made))], 2_000)
        for at in (0, len(made))
    ]
    given = f"{args.runs:,} runs of 10 spans over 90 days; the reference takes {shown(references[-1])} µs a span here."
    texts: list[str] = []
    with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as made_in:
        folder = args.keep or Path(made_in)
        data = folder / "data"
        if not store_path(data).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            make_store(data, args.runs, 10)
        running = Collector(data)
        with ExitStack() as stack:
            stack.callback(running.stop)
            running.wait_settled()
            (run,) = running.sql(
                "select run_id from run where outcome = 'failed' order by start_ns desc limit 1 offset 99"
            )
            origin = stack.enter_context(served(data))
            browser = stack.enter_context(chromium())
            if "first" in args.only:
                plain = Target(
                    "a bare Streamlit page",
                    stack.enter_context(bare(running.http_port)),
                    "[data-testid=stDataFrame] canvas, .js-plotly-plot",
                )
                peers = [Target(*peer) for peer in args.peer]
                ours = [
                    Target("Seamscope: Overview, 28 days", f"{origin}/?window=28d", ".figures .value"),
                    Target("Seamscope: Runs, 28 days", f"{origin}/runs?window=28d", ".run-list tbody tr"),
                    Target("Seamscope: a run", f"{origin}/run?run={run['run_id']}", ".waterfall .row.step"),
                ]
                texts.append(first_data(browser, ours, [plain, *peers], args.rounds))
            if "filters" in args.only:
                texts.append(filters(browser, origin, args.rounds))
            if "live" in args.only:
                texts.append("Ack to screen. " + live(browser, running, origin))
            if texts:
                harness.report("browser", "\n\n".join([given, *texts]), write=args.write, busy_cores=busy)
            if "ten" in args.only:
                text = f"{given}\n\n{ten(browser, running, origin, args.rate)}"
                harness.report("ten dashboards", text, write=args.write, busy_cores=busy)


if __name__ == "__main__":
    main()
