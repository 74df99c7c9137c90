"""Rows of one huge run."""

from tests.dashboard.filling import MINUTE, Filling, Ids, Row


def big_run(now_ns: int, steps: int = 50_000, seed: int = 11) -> tuple[Filling, str]:
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
