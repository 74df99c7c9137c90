"""How long every question of `dashboard/queries` takes on a large store, and how long those of a page take together.

    python -m tests.benchmarks.queries [--runs 1000000] [--spans-per-run 10] [--keep FOLDER] [--write]

The store is made by SQL, in some minutes: as many runs over 90 days, each with its spans, without text, and what
settling and folding would have made of them (`fill_rollups.sql`, `fill_steps.sql`). Every page is then opened on it,
for two windows, for one workflow and for all; what it asks is noted and asked again, alone, through the read API.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from collector.opening import attach
from collector.rollup import MEASURES
from collector.rollup_store import LEVELS
from dashboard import reader
from dashboard.components import filters
from dashboard.components.one_run import of_steps, run_of
from dashboard.questions import Questions, parameters, sql
from dashboard.reports import build
from dashboard.reports.weeks import last_complete
from schemas.paths import store_path
from schemas.settings import Settings
from schemas.version import RULE_VERSION
from tests.benchmarks import harness
from tests.benchmarks.harness import Collector, shown
from tests.dashboard.pages import PAGES, data_dir, open_page

DAY_NS = 86_400_000_000_000
DAYS = 90
REPEATS = 5
WINDOWS = ("28d", "90d")
WORKFLOW = "workflow_3"
ZONE = "UTC"
AIM_MS = 50
CHAIN = "'classify', 'lookup', 'search', 'draft', 'check', 'send'"
CODES = "'state.lost', 'control.skip', 'tool.timeout', 'tool.http', 'unclassified'"
LAYERS_A = "'state', 'control', 'error', 'tool', 'unclassified'"
LAYERS_B = "'handoff', 'state', 'routing', 'recovery', 'unclassified'"
COUNTED = """
insert into store.ingest_source
select received_ns // 60000000000 * 60000000000, service, '', '', dialect, framework, count(*), count(gaps),
       max(received_ns)
from store.span
group by all
order by 1
"""
NTH = "(case when hash(i, 'code') % 20 = 0 then 4 else hash(i, 'code') % 4 end)::integer"
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
        "outcome": "['failed', 'silent', 'recovered', 'clean'][least(hash(i) % 12, 3)::integer + 1]",
        "verdict": "case when i % 9 = 0 then case when hash(i) % 12 > 1 then 'pass' else 'fail' end end",
        "code": f"case when hash(i) % 12 < 2 then [{CODES}][{NTH} + 1] end",
        "layer_a": f"case when hash(i) % 12 < 2 then [{LAYERS_A}][{NTH} + 1] end",
        "layer_b": f"case when hash(i) % 12 < 2 then [{LAYERS_B}][{NTH} + 1] end",
        "failing_step": f"case when hash(i) % 12 < 2 then [{CHAIN}][(hash(md5(i::varchar)) % 6)::integer + 1] end",
        "chain": f"[{CHAIN}]",
        "spans": "$spans",
        "steps": "$spans",
        "tokens_input": "i % 4000",
        "tokens_output": "i % 700",
        "last_received_ns": "at_ns + 5000000000",
    },
    "store.span": {
        "trace_id": "md5(i::varchar)",
        "span_id": "substr(md5(md5(i::varchar) || '/' || n), 1, 16)",
        "parent_span_id": "case when n > 0 then substr(md5(md5(i::varchar) || '/0'), 1, 16) end",
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
    with duckdb.connect() as connection:
        attach(connection, store_path(data))
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
        connection.execute(COUNTED)
        connection.execute("update store.meta set value = $1 where key = 'settled_until_ns'", [str(time.time_ns())])
        connection.execute("set variable rule_version = $1", [RULE_VERSION])
        for part in ("fill_rollups.sql", "fill_steps.sql", "fill_words.sql"):
            connection.execute((Path(__file__).parent / part).read_text("utf-8"))
        for table, sums in MEASURES.items():
            _fold(connection, f"store.{table}", sums)
        connection.execute("checkpoint")


def _fold(connection: duckdb.DuckDBPyConnection, table: str, sums: int) -> None:
    """Adds hours and days to rows of 5 minutes, and leaves all as folding does: in the order of their buckets."""
    columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
    keys, summed = ", ".join(columns[2:-sums]), ", ".join(f"sum({name})::bigint as {name}" for name in columns[-sums:])
    connection.execute(f"create temp table filled as from {table}")
    connection.execute(f"truncate {table}")
    connection.execute(f"insert into {table} from filled order by bucket_ns")
    connection.execute("drop table filled")
    for (finer, _), (level, width) in pairwise(LEVELS):
        connection.execute(
            f"insert into {table}{level} by name select bucket_ns // {width} * {width} as bucket_ns, {keys}, {summed} "
            f"from {table}{finer} group by all order by bucket_ns"
        )


def _used(params: Mapping[str, object], text: str) -> dict[str, object]:
    return {name: value for name, value in params.items() if f"${name}" in text}


def _default(name: str, kind: str, null: str) -> str:
    if name == "rule_version":
        return str(RULE_VERSION)
    return "null" if null == "YES" else ZERO.get(kind, "0")


class Asked(NamedTuple):
    """One question with what it was given."""

    question: str
    params: tuple[tuple[str, object], ...]


class Noting:
    """A reader that notes what it is asked, and how long each took when it was asked first."""

    def __init__(self, inner: reader.Reader) -> None:
        self._inner = inner
        self._names = {sql(name): name for name in QUESTIONS}
        self.live, self.where = inner.live, inner.where
        self.first_s: dict[Asked, float] = {}
        self.met: list[Asked] = []
        """Since the last time it was emptied."""

    def query(self, text: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """See `Reader.query`."""
        since = time.perf_counter()
        answer = self._inner.query(text, params)
        took = time.perf_counter() - since
        if text in self._names:
            given = {k: tuple(v) if isinstance(v, list) else v for k, v in (params or {}).items()}
            asked = Asked(self._names[text], tuple(sorted(given.items())))
            self.first_s.setdefault(asked, took)
            self.met.append(asked)
        return answer

    def again(self, asked: Asked) -> tuple[list[float], int]:
        """Seconds of several askings, and how many rows the answer has."""
        given = {k: list(v) if isinstance(v, tuple) else v for k, v in asked.params}
        seconds, rows = [], 0
        for _ in range(REPEATS):
            since = time.perf_counter()
            rows = self._inner.query(sql(asked.question), given).num_rows
            seconds.append(time.perf_counter() - since)
        return seconds, rows


QUESTIONS = sorted(path.name.removesuffix(".sql") for path in (files("dashboard") / "queries").iterdir())
Places = dict[tuple[str, str, str], list[Asked]]
"""By page, window and workflow: what is asked."""


def pages_asked(noting: Noting, run_id: str) -> Places:
    """Opens every page, and what leads to more questions on it."""
    found: Places = {}
    for window in WINDOWS:
        for workflow in (WORKFLOW, ""):
            shared = {"window": window} | ({"workflow": workflow} if workflow else {})
            pages = [page for page in PAGES if workflow or page != "reports"]  # for all: as much again for each
            opened: list[tuple[str, str, dict[str, str]]] = [(page, page, shared) for page in pages]
            opened.append(("run", "run", {**shared, "run": run_id}))
            opened.append(("runs, by failure", "runs", {**shared, "code": "tool.http"}))
            opened.append(("runs, by text", "runs", {**shared, "text": "orders.get"}))
            for name, page, params in opened:
                noting.met.clear()
                shown_page = open_page(page, **params)
                if shown_page.exception or shown_page.error:
                    raise RuntimeError(f"{page} {params}: {[*shown_page.exception, *shown_page.error]}")
                found[name, window, workflow] = list(dict.fromkeys(noting.met))
    return found


def samples(run: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
    """A value for each parameter of the questions that no page asks by itself, beside window and filters."""
    return {
        **of_steps(run),
        "id": run["run_id"],
        "prefix": run["run_id"][:8],
        "trace_id": run["run_id"],
        "span_id": run["root_span_id"],
        "session_id": run["session_id"],
        "first_received_ns": run["start_ns"],
        "last_received_ns": run["last_received_ns"],
        "steps": ["lookup"],
        "services": ["agents"],
        "instrumentations": [],
        "error": "",
        "heard_ns": run["last_received_ns"],
        "after_ns": run["start_ns"],
        "after_trace": "",
        "after_id": "",
        "at_ns": run["start_ns"],
        "at_run_id": "",
        "limit": 50,
        "states": [],
        "abandoned_ns": now_ns - DAY_NS,
        "certainty": "observed",
        "codes": [],
        "trace_ids": [run["run_id"]],
        "span_ids": [run["root_span_id"]],
        "text": "orders",
        "escaped": "orders",
        "parents": [""],
        "shown": [],
        "places": [0, 1],
        "depth": 1,
        "begin_ns": run["start_ns"],
        "end_ns": run["end_ns"],
        "columns": 200,
        "first": 0,
        "last": 100,
        "called": "orders.get",
        "called_by": "step",
        "tries": 2,
        "step_ns": DAY_NS,
        "bucket_ns": DAY_NS,
        "day_ns": now_ns - DAY_NS,
        "minute_ns": now_ns - DAY_NS,
        "least": 1,
        "zone": ZONE,
        "newer": False,
        **dict.fromkeys(("scope", "code", "layer_a", "layer_b", "lost_a", "lost_b", "fate"), ""),
        **dict.fromkeys(("calling", "failing", "sending"), False),
    }


def others_asked(noting: Noting, now_ns: int, run: Mapping[str, Any]) -> Places:
    """What reports ask, and the questions that neither they nor any page asks by itself."""
    found: Places = {}
    noting.met.clear()
    week = last_complete(now_ns, ZoneInfo(ZONE))
    build.weekly(noting, week, now_ns=now_ns, zone_name=ZONE, workflows=[WORKFLOW])
    found["report", "a week", WORKFLOW] = list(dict.fromkeys(noting.met))
    noting.met.clear()
    known = {asked.question for asked in noting.first_s}
    questions = Questions(noting)
    for question in QUESTIONS:
        if question not in known:
            more = {name: value for name, value in samples(run, now_ns).items() if name in parameters(question)}
            questions.ask(question, now_ns - 28 * DAY_NS, now_ns, "", **more)
    found["elsewhere", "28d", ""] = list(dict.fromkeys(noting.met))
    return found


@contextmanager
def noted(data: Path) -> Iterator[Noting]:
    """Pages read this store, and what they ask is noted."""
    with data_dir(data), pytest.MonkeyPatch.context() as patch:
        noting = Noting(reader.connect(Settings(data_dir=data)))
        patch.setattr(reader, "connect", lambda settings: noting)
        patch.setattr(filters, "zone", lambda: ZoneInfo(ZONE))
        yield noting


def question_table(noting: Noting, places: Places, took: Mapping[Asked, tuple[list[float], int]]) -> str:
    """A row for each question, for one workflow and for all, with its slowest asking of each window."""
    cells: dict[tuple[str, str], dict[str, Asked]] = defaultdict(dict)
    for (_, window, _), asked_here in places.items():
        for asked in asked_here:
            params = dict(asked.params)
            of = str(params["workflow"] or "all") if "workflow" in params else ""
            slowest = cells[asked.question, of].get(window)
            if slowest is None or median(took[slowest][0]) < median(took[asked][0]):
                cells[asked.question, of][window] = asked
    rows = []
    for (question, of), by_window in sorted(cells.items()):
        first = max(noting.first_s[asked] for asked in by_window.values())
        many = max(took[asked][1] for asked in by_window.values())
        times = [
            f"{_ms(median(took[asked][0]))} ({_ms(max(took[asked][0]))})" if asked else ""
            for asked in (by_window.get(window) for window in (*WINDOWS, "a week"))
        ]
        rows.append([f"`{question}`", of, _ms(first), *times, f"{many:,}"])
    heads = ["question", "of", "first", *(f"{window.removesuffix('d')} days" for window in WINDOWS), "a week", "rows"]
    return harness.table(heads, rows)


def page_table(places: Places, took: Mapping[Asked, tuple[list[float], int]]) -> str:
    """A row for each page: how many questions it asks and the sum of their medians."""
    cells: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for (page, window, workflow), asked in places.items():
        total = sum(median(took[one][0]) for one in asked)
        slowest = max(asked, key=lambda one: median(took[one][0]), default=None)
        worst = f", `{slowest.question}` {_ms(median(took[slowest][0]))}" if slowest else ""
        cells[page, workflow or "all"][window] = f"{len(asked)}: {_ms(total)}{worst}"
    rows = [
        [page, of, *(by_window.get(window, "") for window in (*WINDOWS, "a week"))]
        for (page, of), by_window in cells.items()
    ]
    heads = ["page", "of", *(f"{window.removesuffix('d')} days" for window in WINDOWS), "a week"]
    return harness.table(heads, rows)


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--spans-per-run", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="where the store is left, and taken from the next time")
    args = parser.parse_args()
    busy = harness.other_cores_used()
    with (
        tempfile.TemporaryDirectory(prefix="seamscope-bench-")
        if args.keep is None
        else nullcontext(args.keep) as folder
    ):
        data = Path(folder) / "data"
        if not store_path(data).is_file():
            Path(folder).mkdir(parents=True, exist_ok=True)
            make_store(data, args.runs, args.spans_per_run)
        running = Collector(data)
        try:
            running.wait_settled()
            (run,) = running.sql("from run where outcome = 'failed' order by start_ns desc limit 1 offset 1000")
            with noted(data) as noting:
                known = run_of(run["run_id"])
                assert known is not None, "a run of the store is found by its id"
                places = pages_asked(noting, run["run_id"]) | others_asked(noting, time.time_ns(), known)
                took = {asked: noting.again(asked) for asked in noting.first_s}
            sizes = {table: running.sql(f"select count(*) as n from {table}")[0]["n"] for table in MEASURES}
            counted = running.sql("select (select count(*) from run) as runs, (select count(*) from span) as spans")[0]
            size_mib = running.store_bytes() / 2**20
        finally:
            running.stop()
    slow = {asked.question for asked, (seconds, _) in took.items() if median(seconds) * 1000 > AIM_MS}
    text = f"{counted['runs']:,} runs, {counted['spans']:,} spans without text over {DAYS} days ({size_mib:,.0f} MiB), "
    text += f"read through the API of a running collector with its default settings, in the days of {ZONE}. Roll-ups: "
    text += ", ".join(f"{name.removeprefix('rollup_')} {n:,}" for name, n in sizes.items()) + " rows of 5 minutes.\n\n"
    text += (
        f"Median (slowest) of {REPEATS} askings in ms; *first*: by a page on a collector just started. The aim is at "
    )
    text += f"most {AIM_MS}; {len(slow)} of {len(QUESTIONS)} questions miss it somewhere.\n\n"
    text += question_table(noting, places, took)
    text += "\n\nPages: how many questions, the sum of their medians in ms, the slowest of them.\n\n"
    text += page_table(places, took)
    harness.report("queries", text, write=args.write, busy_cores=busy)


def _ms(seconds: float) -> str:
    return shown(seconds * 1000)


if __name__ == "__main__":
    main()
