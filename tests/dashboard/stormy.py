"""Stores with a retry storm: steady traffic of one workflow, and forty minutes in which a tool is down."""

from tests.dashboard.filling import MINUTE, Filling, Ids, S

STORM_AT = 60 * MINUTE  # before now
STORM_FOR = 30 * MINUTE
EVERY = 10 * S


def stormy(
    now_ns: int,
    *,
    still_on: bool = False,
    calm: bool = False,
    workflow: str = "refunds",
    step: str = "ledger.query",
    every_ns: int = EVERY,
    seed: int = 5,
) -> Filling:
    """Three hours of runs, six a minute; a node that wraps a tool of its name is tried four times while it is down.

    Args:
        still_on: the tool has been down for the last half hour rather than for one that is over.
        calm: the tool was never down.
        step: what the node is called; may be hostile.
        seed: of the ids; of its own for each of several in one store.
    """
    fill, ids = Filling(), Ids(seed)
    fill.add("resource", resource_id=seed, attributes="{}")
    fill.add("scope", scope_id=seed, name="made", version="1", attributes="{}")
    since = now_ns - (STORM_FOR if still_on else STORM_AT)
    for number in range(180 * MINUTE // every_ns):
        start = now_ns - 180 * MINUTE + number * every_ns
        _run(fill, ids, workflow, step, start, scope_id=seed, down=not calm and since <= start < since + STORM_FOR)
    minute = now_ns // MINUTE * MINUTE
    fill.add("ingest_minute", minute_ns=minute, received=9, stored=9, truncated=0, requests=1, bytes=1)
    return fill


def _run(fill: Filling, ids: Ids, workflow: str, step: str, start: int, *, scope_id: int, down: bool) -> None:
    trace, root, first = ids.trace(), ids.span(), ids.span()
    tries = 4 if down else 1
    for attempt in range(1, tries + 1):
        node = first if attempt == 1 else ids.span()
        inside, begun = ids.span(), start + (attempt - 1) * S
        bad = down and (attempt < tries or ids.random.random() < 0.5)
        common = {
            "run_id": trace,
            "trace_id": trace,
            "name": step,
            "chain_step": step,
            "start_ns": begun,
            "end_ns": begun + S // 2,
            "self_ns": S // 4,
            "status": "failed" if bad else "ok",
        }
        fill.add(
            "step",
            span_id=node,
            operation_id=first,
            attempt=attempt,
            depth=1,
            kind="chain",
            position=2 * attempt - 2,
            **common,
        )
        fill.add(
            "step",
            span_id=inside,
            parent_span_id=node,
            operation_id=inside,
            depth=2,
            kind="tool",
            tool=step,
            position=2 * attempt - 1,
            **common,
        )
        if bad:
            fill.add(
                "failure",
                run_id=trace,
                trace_id=trace,
                span_id=node,
                step=step,
                code="tool.unavailable",
                layer_a="tool",
                layer_b="recovery",
                certainty="observed",
                severity="high",
                role="root",
                recovered=not down,
                silent=False,
                evidence="{}",
                at_ns=begun,
                scope_id=scope_id,
            )
    fill.add(
        "run",
        run_id=trace,
        root_trace_id=trace,
        root_span_id=root,
        trace_ids=[trace],
        workflow=workflow,
        start_ns=start,
        end_ns=start + tries * S,
        outcome="recovered" if down else "clean",
        chain=[step],
        spans=2 * tries,
        steps=2 * tries,
        operations=1 + tries,
        attempts=2 * tries,
        error_spans=0,
        last_received_ns=start + 10 * S,
        gaps=0,
    )
