"""How long questions take on a large store: the read API itself, what the Runs page asks, and what roll-ups answer.

    python -m tests.benchmarks.queries [--runs 1000000] [--spans-per-run 10] [--write]

The store is made by SQL, in a few minutes: as many runs over 90 days, each with its spans, without text. Its roll-ups
are filled by `fill_rollups.sql` in 5-minute sums and folded by the collector's own fold. Questions over roll-ups are
asked as pages ask them: through the read API, as Arrow.
"""

import re
import tempfile
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import duckdb

from collector.rollup import MEASURES
from collector.rollup_store import Rollups
from dashboard import reader
from schemas.paths import store_path
from schemas.settings import Settings
from schemas.version import RULE_VERSION
from tests.benchmarks import harness
from tests.benchmarks.harness import Collector, percentile, shown

DAY_NS = 86_400_000_000_000
DAYS = 90
REPEATS = 50
ROLLUP_REPEATS = 15
WINDOWS_DAYS = (7, 28, 90)
FIVE_MINUTES_NS = 300_000_000_000
FILLED = {
    "store.run": {
        "run_id": "md5(i::varchar)",
        "root_trace_id": "md5(i::varchar)",
        "root_span_id": "substr(md5(i::varchar), 1, 16)",
        "trace_ids": "[md5(i::varchar)]",
        "workflow": "'workflow_' || (i % 12)",
        "workflow_version": "'1.' || (i * 6 // $runs)",
        "service": "'agents'",
        "environment": "'production'",
        "framework": "'langgraph'",
        "session_id": "'session-' || (i % 20000)",
        "start_ns": "at_ns",
        "end_ns": "at_ns + 4000000000",
        "outcome": "['clean', 'clean', 'clean', 'recovered', 'silent', 'failed'][(hash(i) % 6)::integer + 1]",
        "chain": "['classify', 'lookup', 'search', 'draft', 'check', 'send']",
        "spans": "$spans",
        "steps": "$spans",
        "tokens_input": "i % 4000",
        "tokens_output": "i % 700",
        "last_received_ns": "at_ns + 5000000000",
    },
    "store.span": {
        "trace_id": "md5(i::varchar)",
        "span_id": "substr(md5(i || '/' || n), 1, 16)",
        "parent_span_id": "case when n > 0 then substr(md5(i || '/0'), 1, 16) end",
        "name": "'step ' || n",
        "start_ns": "at_ns + n * 300000000",
        "end_ns": "at_ns + n * 300000000 + 250000000",
        "attributes": '\'{"langgraph_node": "step", "langgraph_step": \' || n || \'}\'',
        "step_name": "'step ' || n",
        "received_ns": "at_ns + 5000000000",
    },
}
"""Table to the expressions of its columns, over run number i, span number n and the run's start at_ns."""
ZERO = {"VARCHAR": "''", "BOOLEAN": "false", "JSON": "'{}'", "VARCHAR[]": "[]"}
"""What fills a column that may not be NULL and that nobody asks for."""


def make_store(data: Path, runs: int, spans_per_run: int) -> None:
    """A store that a collector made, filled straight from SQL and marked as settled."""
    Collector(data).stop()
    with duckdb.connect(store_path(data)) as connection:
        numbers = {
            "store.run": "range($runs) r(i), (select 0 as n)",
            "store.span": "range($runs) r(i), range($spans) s(n)",
        }
        for table, given in FILLED.items():
            columns = connection.execute(f"describe {table}").fetchall()
            values = {name: given.get(name, _default(name, kind, null)) for name, kind, null, *_ in columns}
            source = f"select *, ($now_ns - $days_ns + i * ($days_ns // $runs))::ubigint as at_ns from {numbers[table]}"
            connection.execute(
                f"insert into {table} ({', '.join(f'{name!s}' for name in values)}) "
                f"select {', '.join(values.values())} from ({source}) order by i",
                _used(
                    {"now_ns": time.time_ns(), "days_ns": DAYS * DAY_NS, "runs": runs, "spans": spans_per_run},
                    f"{source} {values}",
                ),
            )
        connection.execute(
            "insert into store.trace select run_id, run_id, spans, last_received_ns, last_received_ns from store.run"
        )
        connection.execute("update store.meta set value = $1 where key = 'settled_until_ns'", [str(time.time_ns())])
        connection.execute((Path(__file__).parent / "fill_rollups.sql").read_text("utf-8"))
        Rollups(connection).fold(connection)
        connection.execute("checkpoint")


def _used(params: Mapping[str, object], text: str) -> dict[str, object]:
    return {name: value for name, value in params.items() if f"${name}" in text}


def _default(name: str, kind: str, null: str) -> str:
    if name == "rule_version":
        return str(RULE_VERSION)
    return "null" if null == "YES" else ZERO.get(kind, "0")


def timed(running: Collector, query: str, **params: object) -> list[float]:
    """Seconds of each of many askings, the first left out."""
    running.sql(query, **params)
    seconds = []
    for _ in range(REPEATS):
        since = time.perf_counter()
        running.sql(query, **params)
        seconds.append(time.perf_counter() - since)
    return seconds


def rolled_up(data: Path, now_ns: int) -> list[list[str]]:
    """For each question over roll-ups that pages ask: what it takes for one workflow and for all, by window."""
    asked = reader.connect(Settings(data_dir=data))
    until_ns = now_ns // FIVE_MINUTES_NS * FIVE_MINUTES_NS
    rows = []
    for question in sorted((files("dashboard") / "queries").iterdir(), key=lambda path: path.name):
        text = question.read_text("utf-8")
        if not re.search(r"\bfrom rollup_\w+_between", text):
            continue
        for workflow in ("workflow_3", ""):
            cells = []
            for days in WINDOWS_DAYS:
                given = {
                    "since_ns": until_ns - days * DAY_NS,
                    "until_ns": until_ns,
                    "workflow": workflow,
                    "version": "",
                    "environment": "",
                    "scope": "",
                    "zone": "Europe/Berlin",
                }
                seconds, answered = [], 0
                for _ in range(ROLLUP_REPEATS + 1):
                    since = time.perf_counter()
                    answered = len(asked.query(text, _used(given, text)))
                    seconds.append(time.perf_counter() - since)
                cells.append(f"{_ms(seconds[1:], 0.5)} ({_ms(seconds[1:], 0.95)})")
            rows.append([f"`{question.name.removesuffix('.sql')}`", workflow or "all", *cells, f"{answered:,}"])
    return rows


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--spans-per-run", type=int, default=10)
    args = parser.parse_args()
    busy = harness.other_cores_used()
    with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder:
        data = Path(folder) / "data"
        make_store(data, args.runs, args.spans_per_run)
        running = Collector(data)
        running.wait_settled()
        now_ns = time.time_ns()
        page = {
            "since_ns": now_ns - 28 * DAY_NS,
            "until_ns": now_ns + DAY_NS,
            "workflow": "",
            "version": "",
            "environment": "",
            "states": [],
            "abandoned_ns": now_ns - DAY_NS,
            "at_ns": now_ns + DAY_NS,
            "at_run_id": "",
            "limit": 50,
        }
        runs_page = (files("dashboard") / "queries" / "runs_page.sql").read_text("utf-8")
        middle = {**page, "at_ns": now_ns - 14 * DAY_NS}
        filtered = {**page, "workflow": "workflow_3", "states": ["failed"]}
        (some,) = running.sql("select run_id from run order by start_ns desc limit 1 offset 1000")
        asked = [
            ("select 1", timed(running, "select 1 as one"), "at most 5"),
            ("count of runs by outcome", timed(running, "select outcome, count(*) as n from run group by all"), ""),
            ("Runs page, newest", timed(running, runs_page, **page), "at most 50"),
            ("Runs page, in the middle", timed(running, runs_page, **middle), "at most 50"),
            ("Runs page, failed runs of one workflow", timed(running, runs_page, **filtered), "at most 50"),
            (
                "spans of one run, no time hint",
                timed(running, "select * from span where trace_id = $id", id=some["run_id"]),
                "",
            ),
        ]
        summed = rolled_up(data, now_ns)
        sizes = {table: running.sql(f"select count(*) as n from {table}")[0]["n"] for table in MEASURES}
        size_mib = running.store_bytes() / 2**20
        running.stop()
    rows = [[name, _ms(seconds, 0.5), _ms(seconds, 0.95), aim] for name, seconds, aim in asked]
    spans = args.runs * args.spans_per_run
    text = f"{args.runs:,} runs, {spans:,} spans without text ({size_mib:,.0f} MiB), over HTTP.\n\n"
    text += harness.table(["question", "p50 ms", "p95 ms", "aim"], rows)
    text += "\n\nRoll-ups: " + ", ".join(f"{name.removeprefix('rollup_')} {n:,}" for name, n in sizes.items())
    text += " rows of 5 minutes. Median ms (p95), as Arrow; the aim is at most 50.\n\n"
    text += harness.table(["question", "of", *(f"{days} days" for days in WINDOWS_DAYS), "rows of 90 days"], summed)
    harness.report("queries", text, write=args.write, busy_cores=busy)


def _ms(seconds: list[float], ratio: float) -> str:
    return shown(percentile(seconds, ratio) * 1000)


if __name__ == "__main__":
    main()
