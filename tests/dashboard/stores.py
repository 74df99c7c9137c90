"""Stores for dashboard tests, written through the DDL: a lively one, a huge run, many runs, a hostile one.

Run it to get a file to look at: `python -m tests.dashboard.stores DIR [--hostile] [--many N] [--big N]`.
"""

import argparse
import json
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from collector.rollup_store import Rollups
from schemas import ddl
from schemas.paths import store_path
from schemas.version import RULE_VERSION, SCHEMA_VERSION

S = 1_000_000_000
MINUTE = 60 * S

Row = dict[str, Any]


def create(path: Path) -> duckdb.DuckDBPyConnection:
    """An empty store with every table and view of the contract."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(path))
    con.execute("create schema store")
    for statement in (*ddl.tables(), *ddl.views(), *ddl.macros()):
        con.execute(statement.sql)
    con.execute(
        "insert into store.meta values ('schema_version', ?), ('contract', ?)",
        [str(SCHEMA_VERSION), ddl.contract_digest()],
    )
    return con


WHOSE = """
update store.failure
set workflow = r.workflow, workflow_version = r.workflow_version, environment = r.environment, run_start_ns = r.start_ns
from store.run r
where r.run_id = failure.run_id;
update store.failure
set kind = s.kind, lost_ns = case when s.status = 'failed' or s.in_band_error is not null then s.duration_ns end
from step s
where s.run_id = failure.run_id and s.trace_id = failure.trace_id and s.span_id = failure.span_id
"""


@dataclass
class Filling:
    """Rows collected per table, written in one go."""

    tables: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, **values: Any) -> None:
        if table == "failure":  # `write` tells whose it is
            values = {"workflow": "", "run_start_ns": 0, "kind": None, **values}
        self.tables.setdefault(table, []).append(values)

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        for table, rows in self.tables.items():
            types = dict(
                con.execute(
                    "select column_name, data_type from duckdb_columns() where schema_name = 'store' and "
                    "table_name = ?",
                    [table],
                ).fetchall()
            )
            filled = [_with_defaults(row, types) for row in rows]
            batch = pa.table(
                {name: pa.array([row[name] for row in filled], _arrow(kind)) for name, kind in types.items()}
            )
            con.register("batch", batch)
            con.execute(f"insert into store.{table} by name select * from batch")
            con.unregister("batch")
        con.execute(WHOSE)


def _arrow(kind: str) -> pa.DataType:
    return {
        "UBIGINT": pa.uint64(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "UINTEGER": pa.uint32(),
        "BOOLEAN": pa.bool_(),
        "DOUBLE": pa.float64(),
        "VARCHAR[]": pa.list_(pa.string()),
    }.get(kind, pa.string())


REQUIRED: Row = {
    "trace_state": "",
    "flags": 256,
    "kind": 1,
    "status_code": 0,
    "status_message": "",
    "attributes": "{}",
    "dropped_attributes_count": 0,
    "dropped_events_count": 0,
    "dropped_links_count": 0,
    "truncated": False,
    "resource_id": 1,
    "scope_id": 1,
    "dialect": "openinference",
    "tokens_are_sum": False,
    "failed": False,
    "interrupted": False,
    "collateral": False,
    "schema_url": "",
    "entity_refs": "[]",
    "rule_version": RULE_VERSION,
    "orphans": 0,
    "visit": 1,
    "attempt": 1,
    "is_orphan": False,
    "critical_ns": 0,
    "conflict": 0,
    "rejected": 0,
    "duplicate": 0,
    "late": 0,
    "contributing": [],
    "key": 0,
    "severity_number": 13,
    "severity_text": "WARN",
    "observed_ns": 0,
    "received_ns": 0,
}


def _with_defaults(row: Row, types: dict[str, str]) -> Row:
    unknown = row.keys() - types.keys()
    if unknown:
        raise KeyError(f"no such columns: {sorted(unknown)}")
    return {name: row[name] if name in row else REQUIRED.get(name) for name in types}


@dataclass(frozen=True)
class Stage:
    """One depth-1 step of a made-up workflow, and what runs inside it."""

    name: str
    inner: tuple[tuple[str, str], ...] = ()
    """(kind, name) of the steps below."""


WORKFLOWS: dict[str, tuple[Stage, ...]] = {
    "refund_triage": (
        Stage("intake", (("llm", "gpt-4.1"),)),
        Stage("retrieval", (("retrieval", "policy_index"),)),
        Stage("tool_call", (("tool", "ledger.query"), ("tool", "orders.lookup"))),
        Stage("synthesis", (("llm", "gpt-4.1"),)),
        Stage("verification", (("llm", "gpt-4.1-mini"),)),
        Stage("delivery"),
    ),
    "lead_enrich": (
        Stage("Webhook"),
        Stage("Clearbit", (("tool", "http.request"),)),
        Stage("Score lead", (("llm", "claude-haiku-4-5"),)),
        Stage("Append row", (("tool", "sheets.append"),)),
    ),
    "incident_brief": (
        Stage("Researcher", (("llm", "gpt-4.1"), ("tool", "search_logs"))),
        Stage("Analyst", (("llm", "gpt-4.1"),)),
        Stage("Writer", (("llm", "gpt-4.1"), ("handoff", "Delegate work to coworker"))),
    ),
}


class Ids:
    """Reproducible ids."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def trace(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def span(self) -> str:
        return f"{self.random.getrandbits(64):016x}"


def lively(now_ns: int, runs: int = 240, seed: int = 7, text: str = "") -> Filling:
    """Runs of three workflows over the last two hours, with failures, a silent one, retries, pending and open ones.

    Args:
        text: hostile text that goes into every free-text field.
    """
    fill, ids = Filling(), Ids(seed)
    for key, (service, dialect) in enumerate(
        (("billing-agents", "openinference"), ("n8n", "n8n"), ("crew", "openllmetry")), 1
    ):
        fill.add("resource", resource_id=key, attributes=json.dumps({"service.name": service + text, "note": text}))
        fill.add("scope", scope_id=key, name=f"{dialect}.instrumentation{text}", version="0.1.80", attributes="{}")
    for number in range(runs):
        start = now_ns - int((runs - number) / runs * 115 * MINUTE) - 20 * S
        workflow = list(WORKFLOWS)[number % 3]
        _run(fill, ids, workflow, start, number, now_ns, text)
    for minute in range(120):
        at = (now_ns - minute * MINUTE) // MINUTE * MINUTE
        stored, duplicate = 18 + ids.random.randrange(9), int(minute % 40 == 3) * 3
        rejected = int(minute % 55 == 7) * 2
        fill.add(
            "ingest_minute",
            minute_ns=at,
            received=stored + duplicate + rejected,
            stored=stored,
            duplicate=duplicate,
            rejected=rejected,
            truncated=int(minute == 12),
            late=int(minute == 30),
            requests=4,
            bytes=stored * 1500,
        )
        if rejected:
            fill.add("ingest_rejection", minute_ns=at, reason="invalid_span_id", spans=rejected)
    for fate, records in (("stored", 4), ("no_evidence", 7)):
        fill.add("ingest_log", minute_ns=now_ns // MINUTE * MINUTE, fate=fate, records=records)
    fill.add("ingest_refusal", minute_ns=now_ns // MINUTE * MINUTE, reason="malformed", requests=1)
    return fill


def _outcome(number: int, now_ns: int, start: int) -> str:
    if number % 41 == 40 and start > now_ns - 600 * S:
        return "open"
    return {7: "failed", 13: "silent", 4: "recovered", 19: "pending"}.get(number % 20, "clean")


def _run(fill: Filling, ids: Ids, workflow: str, start: int, number: int, now_ns: int, text: str) -> None:
    outcome = _outcome(number, now_ns, start)
    trace, root = ids.trace(), ids.span()
    key = list(WORKFLOWS).index(workflow) + 1
    clock, position, spans, errors = start, 0, 1, 0
    chain: list[str] = []
    failing = origin = None
    steps: list[Row] = []
    stages = WORKFLOWS[workflow]
    bad = number % len(stages)
    tokens_in = tokens_out = 0
    for index, stage in enumerate(stages):
        stage_id, stage_start = ids.span(), clock
        is_bad = index == bad and outcome in ("failed", "silent", "recovered")
        stage_row: Row = {
            "span_id": stage_id,
            "parent_span_id": None,
            "depth": 1,
            "kind": "chain",
            "name": stage.name + text,
            "position": position,
            "chain_step": stage.name + text,
            "operation_id": stage_id,
            "status": "ok",
        }
        position += 1
        inner_rows, covered = [], 0
        for kind, name in stage.inner or (("chain", "format"),):
            tries = 3 if is_bad and kind in ("tool", "llm") else 1
            operation = None
            for attempt in range(1, tries + 1):
                sid = ids.span()
                operation = operation or sid
                length = int(ids.random.lognormvariate(0, 0.8) * (900_000_000 if kind == "llm" else 180_000_000))
                fails = is_bad and (attempt < tries or outcome == "failed")
                row: Row = {
                    "span_id": sid,
                    "parent_span_id": stage_id,
                    "depth": 2,
                    "kind": kind,
                    "name": name + text,
                    "position": position,
                    "chain_step": stage.name + text,
                    "operation_id": operation,
                    "attempt": attempt,
                    "start_ns": clock + 2_000_000,
                    "end_ns": clock + 2_000_000 + length,
                    "self_ns": length,
                    "status": "failed" if fails and outcome != "silent" else "ok",
                    "tool": name if kind == "tool" else None,
                    "model": name if kind == "llm" else None,
                }
                if kind == "llm":
                    row |= {
                        "tokens_input": 400 + ids.random.randrange(2500),
                        "tokens_output": 40 + ids.random.randrange(300),
                        "cost_usd": 0.002,
                        "provider": "openai",
                    }
                    tokens_in, tokens_out = tokens_in + row["tokens_input"], tokens_out + row["tokens_output"]
                if row["status"] == "failed":
                    row |= {
                        "error_type": "RateLimitError" if kind == "llm" else "TimeoutError",
                        "error_message": f"{name}: no answer within 30 s{text}",
                    }
                    errors += 1
                if fails and outcome == "silent" and attempt == tries - 1:
                    row["in_band_error"] = '{"status": "error", "message": "ledger is locked"}' + text
                if fails:
                    origin, failing = sid, stage.name + text
                clock += length + 6_000_000
                covered += length
                position += 1
                spans += 1
                inner_rows.append(row)
        clock += 4_000_000
        stage_row |= {"start_ns": stage_start, "end_ns": clock, "self_ns": max(0, clock - stage_start - covered)}
        if is_bad and outcome == "failed":
            stage_row |= {"status": "failed", "error_type": "TimeoutError", "error_message": f"step failed{text}"}
            errors += 1
        steps += [stage_row, *inner_rows]
        spans += 1
        chain.append(stage.name + text)
        if is_bad and outcome == "failed":
            break
        if outcome in ("open", "pending") and index == bad:
            stage_row |= {"status": outcome, "end_ns": None if outcome == "open" else clock}
            break
    ended = None if outcome == "open" else clock
    for row in steps:
        fill.add("step", run_id=trace, trace_id=trace, agent=None, **row)
        _span(fill, trace, row, root, key, workflow, text)
    failed_root = (
        {"status": "failed", "error_type": "WorkflowError", "error_message": f"workflow failed{text}"}
        if outcome == "failed"
        else {"status": "ok"}
    )
    _span(
        fill,
        trace,
        {
            "span_id": root,
            "parent_span_id": None,
            "kind": "workflow",
            "name": workflow + text,
            "start_ns": start,
            "end_ns": ended,
            **failed_root,
        },
        None,
        key,
        workflow,
        text,
    )
    fill.add(
        "run",
        run_id=trace,
        root_trace_id=trace,
        root_span_id=root,
        trace_ids=[trace],
        workflow=workflow + text,
        workflow_version=("2.4.0" if number % 2 else "2.3.1") + text,
        service=("billing-agents", "n8n", "crew")[key - 1] + text,
        environment="production" if number % 5 else "staging",
        framework="langgraph",
        session_id=f"s-{number // 4}{text}",
        start_ns=start,
        end_ns=ended,
        outcome=outcome,
        verdict="pass" if number % 6 == 0 else None,
        failing_step=failing,
        origin_span_id=origin,
        chain=chain,
        spans=spans,
        steps=len(steps),
        operations=len(steps),
        attempts=len(steps),
        error_spans=errors,
        orphans=int(number % 60 == 9),
        gaps=int(number % 30 == 2),
        tokens_input=tokens_in or None,
        tokens_output=tokens_out or None,
        cost_usd=0.03 if tokens_in else None,
        last_received_ns=(ended or clock) + S,
    )
    fill.add(
        "trace",
        trace_id=trace,
        run_id=trace,
        spans=spans,
        first_received_ns=start,
        last_received_ns=(ended or clock) + S,
    )
    if number % 6 == 0:
        for name, span_id, verdict, decides in (("accepted", None, "pass", True), ("relevance", origin, "fail", False)):
            fill.add(
                "verdict",
                run_id=trace,
                trace_id=trace,
                span_id=span_id,
                name=name + text,
                verdict=verdict,
                score=0.25,
                label=verdict + text,
                explanation=f"read by a person{text}",
                source=f"support desk{text}",
                decides=decides,
                at_ns=clock,
            )
    if origin:
        fill.add(
            "evidence",
            source="log",
            trace_id=trace,
            span_id=origin,
            time_ns=clock,
            name=f"app.exception{text}",
            attributes=json.dumps({"exception.message": f"gave up{text}"}),
            body=json.dumps(f"a log line{text}"),
        )
        fill.add(
            "failure",
            run_id=trace,
            trace_id=trace,
            span_id=origin,
            step=failing,
            code="tool.timeout",
            layer_a="tool",
            layer_b="recovery",
            certainty="observed",
            severity="high",
            role="root",
            recovered=outcome == "recovered",
            silent=outcome == "silent",
            evidence=f"status ERROR, TimeoutError{text}",
            at_ns=clock,
        )


def _span(fill: Filling, trace: str, row: Row, root: str | None, key: int, workflow: str, text: str) -> None:
    bad = row["status"] == "failed"
    attributes = {
        "openinference.span.kind": row["kind"].upper(),
        "input.value": json.dumps({"question": f"Where is my refund?{text}"}),
        "output.value": f"It was paid on Tuesday.{text}",
        "llm.input_messages.0.message.role": "user",
        f"key{text}": text,
        "gen_ai.usage.input_tokens": row.get("tokens_input"),
        "nested": {"list": [1, 2, text]},
    }
    events = [
        {
            "time_ns": row["start_ns"] + 10_000_000,
            "name": f"exception{text}",
            "dropped_attributes_count": 0,
            "attributes": {
                "exception.type": "TimeoutError",
                "exception.message": f"no answer{text}",
                "exception.stacktrace": f"Traceback …\n{text}",
            },
        }
    ]
    links = [
        {
            "trace_id": "ab" * 16,
            "span_id": "cd" * 8,
            "trace_state": text,
            "attributes": {"why": text},
            "dropped_attributes_count": 0,
            "flags": 0,
        }
    ]
    fill.add(
        "span",
        trace_id=trace,
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"] or root,
        name=row["name"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"] or 0,
        status_code=2 if bad else 0,
        trace_state=text,
        status_message=row.get("error_message", ""),
        attributes=json.dumps(attributes),
        events=json.dumps(events) if bad or text else None,
        links=json.dumps(links) if bad or text else None,
        resource_id=key,
        scope_id=key,
        dialect=("openinference", "n8n", "openllmetry")[key - 1],
        framework="langgraph",
        step_kind=row["kind"],
        step_name=row["name"],
        workflow=workflow + text,
        service="billing-agents" + text,
        input_key="input.value",
        output_key="output.value",
        failed=bad,
        error_type=row.get("error_type"),
        error_message=row.get("error_message"),
        gaps=["tokens"] if row["kind"] == "llm" and key == 2 else None,
        received_ns=row["start_ns"] + S,
    )


def big(now_ns: int, steps: int = 50_000, seed: int = 11) -> tuple[Filling, str]:
    """One run of many steps: 20 chain steps, each with a wide fan-out of tools, some of them failed. And its id."""
    fill, ids = Filling(), Ids(seed)
    trace, root = ids.trace(), ids.span()
    start = now_ns - 30 * MINUTE
    per_stage = max(1, steps // 20 - 1)
    row: Row
    position = clock = 0
    fill.add("resource", resource_id=9, attributes='{"service.name": "fan"}')
    fill.add("scope", scope_id=9, name="fan", version="1", attributes="{}")
    for stage in range(20):
        stage_id, first = ids.span(), clock
        rows = []
        for child in range(per_stage):
            sid = ids.span()
            status = "failed" if child % 997 == 13 else "ok"
            row = {
                "span_id": sid,
                "parent_span_id": stage_id,
                "depth": 2,
                "kind": "tool",
                "name": f"fetch_{child % 3}",
                "position": position + 1 + child,
                "chain_step": f"batch {stage}",
                "operation_id": sid,
                "status": status,
                "start_ns": start + clock,
                "end_ns": start + clock + 900_000,
                "self_ns": 900_000,
                "error_type": "TimeoutError" if status == "failed" else None,
            }
            rows.append(row)
            clock += 1_000_000
        head: Row = {
            "span_id": stage_id,
            "parent_span_id": None,
            "depth": 1,
            "kind": "chain",
            "name": f"batch {stage}",
            "position": position,
            "chain_step": f"batch {stage}",
            "operation_id": stage_id,
            "status": "ok",
            "start_ns": start + first,
            "end_ns": start + clock,
            "self_ns": 0,
        }
        position += 1 + per_stage
        for row in (head, *rows):
            fill.add("step", run_id=trace, trace_id=trace, **row)
            fill.add(
                "span",
                trace_id=trace,
                span_id=row["span_id"],
                parent_span_id=row["parent_span_id"] or root,
                name=row["name"],
                start_ns=row["start_ns"],
                end_ns=row["end_ns"],
                resource_id=9,
                scope_id=9,
                step_kind=row["kind"],
                step_name=row["name"],
                received_ns=now_ns - MINUTE,
            )
    fill.add(
        "run",
        run_id=trace,
        root_trace_id=trace,
        root_span_id=root,
        trace_ids=[trace],
        workflow="wide_fan_out",
        start_ns=start,
        end_ns=start + clock,
        outcome="recovered",
        chain=[f"batch {n}" for n in range(20)],
        spans=position + 1,
        steps=position,
        operations=position,
        attempts=position,
        error_spans=20,
        last_received_ns=now_ns - MINUTE,
        gaps=0,
    )
    fill.add(
        "trace",
        trace_id=trace,
        run_id=trace,
        spans=position,
        first_received_ns=now_ns - MINUTE,
        last_received_ns=now_ns - MINUTE,
    )
    return fill, trace


def many_runs(con: duckdb.DuckDBPyConnection, now_ns: int, runs: int) -> None:
    """Plain runs over the last 28 days, without steps or spans."""
    con.execute(
        """
        insert into store.run by name
        select md5(i::varchar) as run_id, run_id as root_trace_id, [run_id] as trace_ids, 'workflow_' || i % 12 as
        workflow,
               'production' as environment, ($now - (i * (28 * 86400.0 / $runs) * 1e9)::bigint)::ubigint as start_ns,
               start_ns + 1_000_000_000 + (i % 977) * 20_000_000 as end_ns,
               case when i % 13 = 0 then 'failed' when i % 31 = 0 then 'silent' else 'clean' end as outcome,
               case when i % 13 = 0 then 'tool_call' end as failing_step, ['intake', 'tool_call', 'delivery'] as chain,
               's-' || i // 5 as session_id, 9 as spans, 7 as steps, 7 as operations, 7 as attempts, 0 as error_spans,
               0 as orphans, 0 as gaps, 1200 as tokens_input, 80 as tokens_output, 0.004 as cost_usd,
               end_ns as last_received_ns, 1 as rule_version
        from range($runs) t(i) order by i desc""",
        {"now": now_ns, "runs": runs},
    )


HOSTILE_PAYLOADS = (
    "![i]({url}/md) [l]({url}/link) {url}/auto <img src={url}/img> <script>window.__xss=1</script>",
    '<style>*{{display:none}}</style> <a href="{url}/a">a</a> javascript:window.__xss=1 $\\href{{{url}/tex}}{{x}}$',
    ":red[x] :material/delete: `code` | a | b |\n# head\n- item <b>bold</b> &lt;b&gt; =1+1 www.example.com "
    "a@example.com",
)


def hostile_text(url: str) -> str:
    """Text that beacons, links, breaks mark-up or runs where a page is careless; `url` is where a beacon would show."""
    return " " + " ".join(payload.format(url=url) for payload in HOSTILE_PAYLOADS)


def write(path: Path, fillings: Iterable[Filling], *, runs: int = 0, now_ns: int | None = None) -> Path:
    """A closed store file that holds the given rows."""
    con = create(path)
    for filling in fillings:
        filling.write(con)
    if runs:
        many_runs(con, now_ns or time.time_ns(), runs)
    roll_up(con)
    con.execute("checkpoint")
    con.close()
    return path


OPERATIONS = """
insert into store.operation by name
select run_id, any_value(trace_id) as trace_id, operation_id, any_value(parent_span_id) as parent_span_id,
       any_value(depth) as depth, any_value(kind) as kind, any_value(name) as name,
       any_value(chain_step) as chain_step, any_value(tool) as tool, any_value(model) as model,
       min(start_ns) as start_ns, max(end_ns) as end_ns, case when arg_max(status, attempt) = 'failed' then 'failed'
       when count(*) > 1 then 'recovered' else 'ok' end as outcome, bool_and(status = 'ok') as first_try_ok,
       count(*)::integer as attempts, case when count(*) > 1 then 'siblings' else 'single' end as evidence,
       any_value(rule_version) as rule_version, false as is_redo
from store.step
where run_id not in (select run_id from store.operation)
group by run_id, operation_id
"""


def roll_up(con: duckdb.DuckDBPyConnection) -> None:
    """Makes operations of the steps and fills the roll-ups from the runs, as the collector does."""
    con.execute(OPERATIONS)
    con.execute("update store.step set critical_ns = self_ns where critical_ns = 0")  # no two steps at once here
    rollups = Rollups(con)
    while rollups.rebuild_some(con):
        pass
    rollups.fold(con)


def main() -> None:
    """Write a store to look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hostile", metavar="URL")
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--big", type=int, default=0)
    args = parser.parse_args()
    now = time.time_ns()

    def fillings() -> Iterator[Filling]:
        yield lively(now, text=hostile_text(args.hostile) if args.hostile else "")
        if args.big:
            filling, run_id = big(now, args.big)
            print(run_id)  # noqa: T201  # to open it by
            yield filling

    path = store_path(args.folder)
    path.unlink(missing_ok=True)
    write(path, fillings(), runs=args.many, now_ns=now)


if __name__ == "__main__":
    main()
