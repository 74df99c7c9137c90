"""Weekly summaries made by hand, to look at every part of their renderings.

`python -m tests.dashboard.summaries FOLDER` writes the renderings of a lively one.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dashboard.analytics.proportions import wilson
from dashboard.reports import words
from schemas.reports import (
    Attribution,
    Before,
    Change,
    ChangePoint,
    DataQuality,
    Day,
    Estimate,
    FixFirst,
    Latency,
    LatencyMoved,
    Lost,
    Note,
    Parting,
    Ratio,
    SilentFailure,
    Source,
    Stair,
    Step,
    Storm,
    Verdicts,
    WeeklySummary,
    WorkflowSummary,
)
from schemas.taxonomy import LayerA, LayerB

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
STEPS = ("intake", "retrieval", "tool_call", "synthesis", "verification", "delivery")


def estimate(good: int, n: int) -> Estimate:
    """A share with its Wilson band."""
    band = wilson(good, n)
    return Estimate(value=good / n if n else None, low=band.low, high=band.high, n=n)


def at(days: float) -> datetime:
    """A moment of the week."""
    return MONDAY + timedelta(days=days)


def workflow(
    name: str = "refund_triage", *, text: str = "", runs: int = 3_210, steps: int = 6, **more: Any
) -> WorkflowSummary:
    """A workflow with something in every part.

    Args:
        text: goes into every text that comes from spans.
        more: fields to replace.
    """
    finished = runs - runs // 100
    silent, failed, recovered = finished // 40, finished // 6, finished // 5
    clean = finished - silent - failed - recovered
    names = [STEPS[index % 6] + (f" {index // 6}" if index >= 6 else "") + text for index in range(steps)]
    loss = (failed + silent) / finished
    shares = [0.05, 0.05, 0.6, 0.15, 0.1, 0.05]
    lost_at = [loss * shares[index % 6] * 6 / steps for index in range(steps)]
    week_before = Before(
        finished=finished + 90,
        compounded=estimate(int(0.86 * finished), finished),
        observed=estimate(int(0.85 * finished), finished),
        silent=estimate(finished // 80, finished),
        amplification=Ratio(value=1.08, low=1.06, high=1.1, attempts=20_000, operations=18_500),
        p95=Latency(value_ms=11_800, low_ms=11_000, high_ms=12_400, n=finished),
    )
    values: dict[str, Any] = {
        "name": name + text,
        "finding": "",
        "notes": (),
        "versions": ("2.3.9" + text, "2.4.0"),
        "environments": ("production",),
        "runs": runs,
        "finished": finished,
        "clean": clean,
        "recovered": recovered,
        "silent_runs": silent,
        "failed": failed,
        "pending": runs - finished,
        "unfinished": 0,
        "verdicts": Verdicts(passed=40, failed=9),
        "compounded": estimate(int((1 - loss) * finished), finished),
        "first_try": estimate(int(0.61 * finished), finished),
        "observed": estimate(clean + recovered, finished),
        "verified": estimate(40, 49),
        "retries_buy": Change(value=0.198, low=0.17, high=0.22),
        "silent": estimate(silent, finished),
        "amplification": Ratio(value=1.31, low=1.27, high=1.35, attempts=25_200, operations=19_237),
        "p95": Latency(value_ms=14_210, low_ms=13_600, high_ms=14_900, n=finished),
        "enough_runs": finished >= 30,
        "more_runs_needed": 0,
        "parting": Parting(
            outside=0.004, rescued=0.011, dependence=-0.018, dependence_low=-0.025, dependence_high=-0.009
        ),
        "before": week_before,
        "compounded_change": Change(value=-0.041, low=-0.059, high=-0.022),
        "observed_change": Change(value=-0.044, low=-0.063, high=-0.026),
        "silent_change": Change(value=0.012, low=0.006, high=0.018),
        "lost": (
            lost(LayerA.TOOL, LayerB.RECOVERY, failed // 2, 0, finished),
            lost(LayerA.STATE, LayerB.HANDOFF, failed // 4, silent // 2, finished),
            lost(LayerA.CONTROL, LayerB.ROUTING, failed // 8, silent - silent // 2, finished),
            lost(LayerA.ERROR, LayerB.RECOVERY, failed // 16, 0, finished),
            lost(LayerA.COMPONENT, LayerB.COMPONENT, failed // 20, 0, finished),
            lost(
                LayerA.UNCLASSIFIED,
                LayerB.UNCLASSIFIED,
                failed - failed // 2 - failed // 4 - failed // 8 - failed // 16 - failed // 20,
                0,
                finished,
            ),
        ),
        "stairs": tuple(
            Stair(node=step, lost=lost_at[index], lost_first_try=lost_at[index] * 1.9)
            for index, step in enumerate(names)
        ),
        "fall_seen": 0.031,
        "steps": tuple(
            Step(
                name=step,
                kind="chain",
                operations=finished,
                first_try=estimate(int(finished * (1 - 2 * lost_at[index])), finished),
                reliability=estimate(int(finished * (1 - lost_at[index])), finished),
                p50_ms=812.5 + 100 * index,
                p95_ms=2_930 + 700 * index,
                attempts=int(finished * (1 + lost_at[index])),
                change=Change(value=-lost_at[index] / 2, low=-lost_at[index], high=-0.001),
            )
            for index, step in enumerate(names)
        ),
        "fix_first": tuple(
            FixFirst(step=names[index], gain=lost_at[index] / 2, gain_perfect=lost_at[index])
            for index in sorted(range(steps), key=lambda index: -lost_at[index])
        ),
        "change_points": (
            ChangePoint(
                metric="observed",
                step=None,
                at=at(1),
                at_range=(at(0), at(2)),
                before=0.853,
                after=0.806,
                p_value=0.0004,
                certainty="change point",
                compounded_before=0.858,
                compounded_after=0.812,
                attribution=(
                    Attribution(step="tool_call" + text, kind="reliability", label="tool_call" + text, points=-3.8),
                    Attribution(
                        step="verification" + text, kind="routing", label="after verification" + text, points=-1.2
                    ),
                    Attribution(step="synthesis" + text, kind="reliability", label="synthesis" + text, points=0.4),
                ),
                versions=("workflow 2.4.0" + text,),
            ),
        ),
        "storms": (
            Storm(
                step="ledger.query" + text,
                dimension="tool",
                start=at(2.4),
                end=at(2.43),
                trigger="tool.timeout",
                amplification=2.7,
                peak=3.2,
                attempts=812,
                operations=301,
                recovered=0.61,
                wasted_ms=1_920_000,
                wasted_tokens=120_000,
                wasted_usd=1.92,
                spread=("orders.lookup" + text,),
            ),
        ),
        "silent_failures": (
            SilentFailure(
                step="retrieval" + text,
                code="state.empty_result",
                layer_a=LayerA.STATE,
                layer_b=LayerB.HANDOFF,
                failures=silent // 2,
            ),
        ),
        "latency_moved": (
            LatencyMoved(
                step="synthesis" + text,
                before=Latency(value_ms=2_010, low_ms=1_900, high_ms=2_150, n=3_000),
                after=Latency(value_ms=3_020, low_ms=2_880, high_ms=3_200, n=3_100),
            ),
        ),
        "days": tuple(
            Day(
                day=at(index).date().isoformat(),
                finished=finished // 7,
                good=int(finished // 7 * (0.86 if index < 1 else 0.79)),
            )
            for index in range(7)
        ),
    }
    made = WorkflowSummary(**(values | more))
    return made.model_copy(update={"finding": words.plain(words.sentence(made))})


def lost(layer_a: LayerA, layer_b: LayerB, failed: int, silent: int, finished: int) -> Lost:
    """What one layer took."""
    return Lost(
        layer_a=layer_a, layer_b=layer_b, share=(failed + silent) / finished, runs=failed + silent, silent_runs=silent
    )


def few() -> WorkflowSummary:
    """A workflow under the sample gate."""
    return workflow(
        "nightly_digest",
        runs=12,
        before=None,
        compounded_change=None,
        observed_change=None,
        silent_change=None,
        more_runs_needed=1_400,
        change_points=(),
        storms=(),
        silent_failures=(),
        latency_moved=(),
        amplification=Ratio(value=1.25, low=1.0, high=1.51, attempts=30, operations=24),
        verdicts=Verdicts(passed=7, failed=2),
        verified=estimate(7, 9),
        notes=(Note(code="few_runs", text="Only 12 finished runs: bands are shown without values."),),
    )


def summary(*workflows: WorkflowSummary, notes: tuple[Note, ...] = (), **more: Any) -> WeeklySummary:
    """A summary of these workflows."""
    values: dict[str, Any] = {
        "week": "2026-W46",
        "time_zone": "UTC",
        "start": MONDAY,
        "end": at(7),
        "hours": 168,
        "environment": None,
        "generated_from": Source(seamscope="0.1.0", store_schema=2, rules=7, first_run=at(-20), last_run=at(7.2)),
        "notes": notes,
        "workflows": workflows,
        "data_quality": DataQuality(
            spans_received=91_204,
            spans_stored=91_180,
            spans_duplicate=20,
            spans_rejected=4,
            spans=91_000,
            orphan_spans=12,
            dialect_gaps=340,
            runs_removed=0,
            failures=910,
            failures_observed=700,
            failures_inferred=200,
            failures_judged=10,
            failures_unclassified=41,
        ),
    }
    return WeeklySummary(**(values | more))


def lively(text: str = "") -> WeeklySummary:
    """Three workflows with something in every part, one of them with few runs."""
    return summary(workflow(text=text), workflow("lead_enrichment", text=text, runs=900, steps=14), few())


def thinned() -> WeeklySummary:
    """A week of which runs were removed."""
    note = Note(code="removed", text="25 runs that began on the days (UTC) of this week went since.")
    whole = lively()
    quality = whole.data_quality.model_copy(update={"runs_removed": 25})
    return whole.model_copy(update={"notes": (note,), "data_quality": quality})


if __name__ == "__main__":
    from dashboard.reports import csv, html, markdown

    folder = Path(sys.argv[1])
    made = lively()
    (folder / "weekly.html").write_text(html.render(made), "utf-8")
    (folder / "weekly.md").write_text(markdown.render(made), "utf-8")
    (folder / "weekly.csv").write_bytes(csv.render(made))
