"""How long a huge run takes to open: 50 thousand steps and a million beside 200, in the browser and by the question.

python -m tests.benchmarks.big_run [--steps 200 50000 1000000] [--rounds 3] [--write]

One run in a store of its own, read through a running collector; the dashboard as `seamscope` starts it. Chromium
opens the Run page with a fresh cache (from the navigation to the first row of the waterfall that can be seen), and by a
click on the run in the list of Runs, where people come from. Answers are kept for 15 s, so each round waits until
nothing is left of the round before.
"""

import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
from playwright.sync_api import Browser, Page

from collector.opening import attach
from dashboard import reader
from dashboard.analytics.fold import fold
from dashboard.analytics.outline import read_outline
from dashboard.components.one_run import of_steps, received
from dashboard.questions import sql
from schemas.paths import store_path
from schemas.settings import Settings
from schemas.version import RULE_VERSION
from tests.benchmarks import harness
from tests.benchmarks.harness import Collector
from tests.chromium import chromium, served, settle

SECOND = 1_000_000_000
STEADY_S = 16  # answers are kept for 15 s
PATIENCE_MS = 60_000
SMALL = 200  # a run that is no burden: what the page itself takes
LIMITS_S = {50_000: 2.0, 1_000_000: 5.0}
Row = list[object]


def build(data: Path, steps: int) -> str:
    """A store that holds one run of so many steps, written as settling would have; its id."""
    run_id = f"{steps:032x}"
    Collector(data).stop()  # makes the store
    con = duckdb.connect()
    attach(con, store_path(data))
    given = {
        "steps": steps,
        "run_id": run_id,
        "start_ns": time.time_ns() - 4_000 * SECOND,
        "rule_version": RULE_VERSION,
    }
    text = re.sub("(?m)^--.*$", "", Path(__file__).with_suffix(".sql").read_text("utf-8"))
    for statement in filter(str.strip, text.split(";\n")):
        con.execute(statement, {name: given[name] for name in set(re.findall(r"\$(\w+)", statement))})
    con.execute("update store.meta set value = ? where key = 'settled_until_ns'", [str(time.time_ns())])
    con.execute("checkpoint")
    con.close()
    return run_id


def asked(data: Path, run_id: str) -> list[Row]:
    """What the page asks and works out, through the collector: milliseconds each."""
    connection = reader.connect(Settings(data_dir=data))
    rows: list[Row] = []

    def ask(question: str, **params: Any) -> Any:
        since = time.perf_counter()
        answer = connection.query(sql(question), params)
        rows.append([question, 1000 * (time.perf_counter() - since)])
        return answer

    run = ask("run_by_id", id=run_id).to_pylist()[0]
    steps, came = of_steps(run), received(run)
    ask("run_aftermath", **steps, **came)
    ask("run_diagnosis", **steps, **came)
    ask("run_time", **steps)
    shape = ask("run_outline", **steps)
    since = time.perf_counter()
    folded = fold(read_outline(shape))
    rows.append(["folding, in Python", 1000 * (time.perf_counter() - since)])
    shown = sorted({*folded.drawn(), *(place for place in folded.folds() if place >= 0)})
    lines = ask("run_lines", places=shown, **steps).to_pylist()
    parents = {line["place"]: line["span_id"] for line in lines}
    ask("run_folds", parents=[parents.get(place, "") for place in folded.folds()], shown=folded.drawn(), **steps)
    ask(
        "run_flame",
        begin_ns=run["start_ns"],
        end_ns=run["end_ns"],
        columns=400,
        first=0,
        last=2**31 - 1,
        limit=1500,
        **steps,
    )
    ask("run_find", text="order 777", escaped="order 777", limit=2000, **steps, **came)
    return rows


def opened(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds to the first row of the waterfall in a fresh browser, and from a click on a fold to more rows."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    since = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".waterfall .row.step")
    first = time.perf_counter() - since
    page.wait_for_timeout(1_500)
    unfolded = _unfold(page) if page.locator(".waterfall .row.fold").count() else float("nan")
    context.close()
    return first, unfolded


def clicked(browser: Browser, origin: str, run_id: str) -> float:
    """Seconds from a click on the run in a list to the first row of its waterfall."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{origin}/runs?window=24h")
    settle(page)
    time.sleep(STEADY_S)
    since = time.perf_counter()
    page.locator(f'.run-list a[data-id="{run_id}"]').first.click()
    page.wait_for_selector(".waterfall .row.step")
    took = time.perf_counter() - since
    context.close()
    return took


def _unfold(page: Page) -> float:
    rows = page.locator(".waterfall .row.step")
    before = rows.count()
    since = time.perf_counter()
    page.locator(".waterfall .row.fold").first.click()
    page.wait_for_function(
        "([selector, before]) => { const find = (root) => [...root.querySelectorAll('*')].reduce((n, e) => "
        "n + (e.matches(selector) ? 1 : 0) + (e.shadowRoot ? find(e.shadowRoot) : 0), 0); "
        "return find(document) > before }",
        arg=[".waterfall .row.step", before],
        polling=20,
    )
    return time.perf_counter() - since


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[SMALL, *LIMITS_S])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    busy = harness.other_cores_used()
    seen: list[Row] = []
    parts: dict[str, Row] = {}
    for steps in args.steps:
        with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder:
            data = Path(folder) / "data"
            run_id = build(data, steps)
            collector = Collector(data)
            with served(data) as address, chromium() as browser:
                times, clicks = [], []
                for _ in range(args.rounds):
                    time.sleep(STEADY_S)
                    times.append(opened(browser, f"{address}/run?run={run_id}"))
                    clicks.append(clicked(browser, address, run_id))
            for name, milliseconds in asked(data, run_id):
                parts.setdefault(str(name), [name]).append(milliseconds)
            collector.stop()
        firsts, unfolds = zip(*times, strict=True)
        limit = LIMITS_S.get(steps)
        seen.append(
            [
                steps,
                statistics.median(firsts),
                " / ".join(f"{first:.2f}" for first in firsts),
                statistics.median(clicks),
                f"under {limit:g}" if limit else "",
                statistics.median(unfolds),
            ]
        )
    heads = [
        "steps",
        "first row, median s",
        "each round, s",
        "by a click, median s",
        "promised, s",
        "a fold opens, median s",
    ]
    text = harness.table(heads, seen) + "\n\nWhat the page asks, ms, once each, with the time on the wire:\n\n"
    text += harness.table(["question", *(f"{steps:,} steps" for steps in args.steps)], list(parts.values()))
    harness.report("big_run", text, write=args.write, busy_cores=busy)


if __name__ == "__main__":
    main()
