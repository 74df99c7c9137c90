"""Stores with weeks of runs of one workflow, in which a step gets worse from one day on."""

from tests.dashboard.filling import MINUTE, Filling, Ids, S

DAY = 24 * 60 * MINUTE
CHAIN = ("intake", "ledger.query", "answer")


def drifting(
    now_ns: int,
    *,
    days: int = 42,
    worse_for: int = 14,
    runs_a_day: int = 60,
    bad: float = 0.35,
    step: str = "ledger.query",
    workflow: str = "refunds",
    seed: int = 3,
) -> Filling:
    """Runs at the same times each day, the last one an hour ago; a step fails in 5 % of them, later in more.

    Args:
        worse_for: how many of the last days are worse; 0: none.
        bad: share of runs that fail there then.
        step: what the step is called; may be hostile.
    """
    fill, ids = Filling(), Ids(seed)
    for day in range(days):
        worse = day >= days - worse_for
        for number in range(runs_a_day):
            start = now_ns - (days - day - 1) * DAY - 60 * MINUTE - number * 2 * MINUTE
            fails = ids.random.random() < (bad if worse else 0.05)
            _run(fill, ids, workflow, step, start, fails=fails, version="2" if worse else "1")
    minute = now_ns // MINUTE * MINUTE
    fill.add("ingest_minute", minute_ns=minute - seed * MINUTE, received=9, stored=9, truncated=0, requests=1, bytes=1)
    return fill


def _run(fill: Filling, ids: Ids, workflow: str, step: str, start: int, *, fails: bool, version: str) -> None:
    trace, root = ids.trace(), ids.span()
    names = [step if name == "ledger.query" else name for name in CHAIN][: 2 if fails else 3]
    for position, name in enumerate(names):
        span = ids.span()
        fill.add(
            "step",
            run_id=trace,
            trace_id=trace,
            span_id=span,
            operation_id=span,
            depth=1,
            kind="chain",
            name=name,
            chain_step=name,
            position=position,
            start_ns=start + position * S,
            end_ns=start + position * S + S // 2 + ids.random.randrange(S // 4),
            self_ns=S // 2,
            status="failed" if fails and name == step else "ok",
        )
    fill.add(
        "run",
        run_id=trace,
        root_trace_id=trace,
        root_span_id=root,
        trace_ids=[trace],
        workflow=workflow,
        workflow_version=version,
        start_ns=start,
        end_ns=start + 3 * S,
        outcome="failed" if fails else "clean",
        failing_step=step if fails else None,
        chain=names,
        spans=len(names),
        steps=len(names),
        operations=len(names),
        attempts=len(names),
        error_spans=int(fails),
        last_received_ns=start + 10 * S,
        gaps=0,
    )
