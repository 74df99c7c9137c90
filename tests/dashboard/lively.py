"""Rows of a lively store: runs of three workflows that end in every way, and what was received with them."""

import json
from dataclasses import dataclass

from tests.dashboard.filling import MINUTE, Filling, Ids, Row, S


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


def lively_runs(now_ns: int, runs: int = 240, seed: int = 7, text: str = "") -> Filling:
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
        operations=len({row["operation_id"] for row in steps}),
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
