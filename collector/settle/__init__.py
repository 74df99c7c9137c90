"""Settling: from the stored spans of whole runs to everything derived from them.

Pure: no database, no clock. The same rows come out for any order of the batch, in the collector for what just changed,
in a test on a permutation, and on a distributed engine over a year of runs.
"""

import pyarrow as pa

from collector.settle.derive import derive
from collector.settle.joins import adopters, find_runs, stray_rows, stray_tops, trace_rows
from collector.settle.own_rules import rules_id, rules_with
from collector.settle.rows import FailureRow, OperationRow, RunRow, Settled, StepRow, Stray, TraceRow, VerdictRow
from collector.settle.rules import OUR_RULES, Rules
from collector.settle.spans import ASKED, SPAN_COLUMNS, TEXTS, read
from collector.settle.texts import texts_wanted
from collector.settle.tree import grow, parents
from collector.settle.verdicts import evaluations_of_runs

__all__ = [
    "ASKED",
    "SPAN_COLUMNS",
    "TEXTS",
    "FailureRow",
    "OperationRow",
    "Rules",
    "RunRow",
    "Settled",
    "StepRow",
    "Stray",
    "TraceRow",
    "VerdictRow",
    "rules_id",
    "rules_with",
    "settle",
    "strays",
    "texts_wanted",
]


def settle(batch: pa.Table, quiet_since_ns: int, rules: Rules = OUR_RULES) -> Settled:
    """Runs, steps, operations, failures, verdicts and traces of the batch.

    Args:
        batch: whole runs: all spans of all traces that may join, each once, in any order; the columns SPAN_COLUMNS.
        quiet_since_ns: a run without a root is finished if nothing of it was received after this moment.
        rules: what names failures.
    """
    spans = read(batch)
    parent, orphans = parents(spans)
    strays_here = stray_tops(spans, parent)
    for stray, call in adopters(spans, parent, strays_here).items():
        parent[stray] = call
    forest = grow(spans, parent, orphans)
    runs = find_runs(spans, forest)
    settled = Settled([], [], [], [], [], trace_rows(spans, runs))
    evaluations = evaluations_of_runs(spans, runs)
    for run in runs:
        derive(spans, forest, run, quiet_since_ns, rules, evaluations.get(run.run_id, ()), settled)
    return settled


def strays(batch: pa.Table) -> list[Stray]:
    """The traces of the batch that are only a client library's model call: the run they belong to may be elsewhere."""
    spans = read(batch)
    parent, _ = parents(spans)
    return stray_rows(spans, stray_tops(spans, parent))
