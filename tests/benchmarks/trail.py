"""Failures found in TRAIL's traces (arXiv 2505.08638, MIT) against what humans marked in them.

Humans marked spans with categories that are not our layers; TAXONOMY §6 says which category a code speaks for. They
marked the model call that wrote a bad call as often as the call itself, so a code also has a place: at the span with
the evidence, or at its issuer.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from collector.decode import decode_json
from collector.settle import FailureRow, Settled
from schemas.settings import Settings
from tests.settling import settle_spans

TRAIL = Path(__file__).parents[3] / "shared" / "labelled" / "trail"
DATASETS = {"GAIA": "GAIA", "SWE Bench": "SWE_Bench"}

AT_ISSUER = True
AT_SPAN = False

MEANS: dict[str, tuple[str, bool]] = {
    "handoff.tool_args_invalid": ("Formatting Errors", AT_ISSUER),
    "handoff.action_unparseable": ("Formatting Errors", AT_ISSUER),
    "handoff.schema_invalid": ("Formatting Errors", AT_ISSUER),
    "handoff.truncated": ("Formatting Errors", AT_ISSUER),
    "tool.empty_result": ("Poor Information Retrieval", AT_ISSUER),
    "routing.capability_denied": ("Tool Selection Errors", AT_ISSUER),
    "routing.unknown_tool": ("Tool Selection Errors", AT_ISSUER),
    "tool.input_unsupported": ("Tool Selection Errors", AT_ISSUER),
    "recovery.blind_retry": ("Resource Abuse", AT_SPAN),
    "state.redundant_step": ("Resource Abuse", AT_SPAN),
    "state.context_overflow": ("Context Handling Failures", AT_ISSUER),
    "routing.tools_bypassed": ("Goal Deviation", AT_ISSUER),
    "routing.loop_limit": ("Resource Exhaustion", AT_SPAN),
    "component.rate_limited": ("Rate Limiting", AT_SPAN),
    "component.unavailable": ("Service Errors", AT_SPAN),
    "component.timeout": ("Timeout Issues", AT_SPAN),
    "component.auth": ("Authentication Errors", AT_SPAN),
    "tool.rate_limited": ("Rate Limiting", AT_SPAN),
    "tool.unavailable": ("Service Errors", AT_SPAN),
    "tool.timeout": ("Timeout Issues", AT_SPAN),
    "tool.auth": ("Authentication Errors", AT_SPAN),
    "tool.not_found": ("Resource Not Found", AT_SPAN),
}
"""Code to the category it speaks for and where humans mark that."""

Mark = tuple[str, str, str]
"""Trace, span, category."""


class Score(NamedTuple):
    """One data set."""

    traces: int
    labels: int
    predicted: int
    exact: int
    """Predictions with a label of that category on that span."""
    exact_found: int
    """Labels that were predicted so."""
    near: int
    """Predictions with a label of that category in the same step (`steps_of`)."""
    near_found: int
    located: float
    """TRAIL's location accuracy: share of a trace's marked spans that were predicted, averaged over traces."""
    joint: float
    """TRAIL's joint accuracy: the same for pairs of span and category."""


def is_there() -> bool:
    """Whether the labelled traces lie beside the project."""
    return (TRAIL / "labels.jsonl").is_file()


def scores() -> Iterator[tuple[str, Score]]:
    """Each data set with its score."""
    labels: dict[str, set[Mark]] = defaultdict(set)
    with (TRAIL / "labels.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            labels[row["dataset"]].add((row["trace_id"], row["span_id"], row["category"]))
    for name, folder in DATASETS.items():
        predicted: set[Mark] = set()
        step_of: dict[tuple[str, str], tuple[int, ...]] = {}
        traces = sorted((TRAIL / folder).glob("*.json.gz"))
        for path in traces:
            trace = path.name.removesuffix(".json.gz")
            settled = settle_spans(decode_json(gzip.decompress(path.read_bytes()), Settings()).spans)
            predicted |= {(trace, span, category) for span, category in predictions(settled.failure)}
            step_of |= {(trace, span): step for span, step in steps_of(settled).items()}
        yield name, score(labels[name], predicted, step_of, len(traces))


def predictions(failures: Iterable[FailureRow]) -> Iterator[tuple[str, str]]:
    """Span and category of every root occurrence, and of the codes about recovery that contribute to it."""
    for row in failures:
        if row.role != "root":
            continue
        for code in (row.code, *(c for c in row.contributing if c in ("recovery.blind_retry",))):
            if code in MEANS:
                category, at_issuer = MEANS[code]
                yield (row.issuer_span_id if at_issuer and row.issuer_span_id else row.span_id), category


def steps_of(settled: Settled) -> dict[str, tuple[int, ...]]:
    """The step each span lies in, as humans see it: a model call, what it called, and the model call after that.

    So a model call lies in two: the one it begins and the one it ends.
    """
    number, numbers = 0, {}
    for row in sorted(settled.step, key=lambda row: (row.start_ns, row.depth)):
        is_model = row.kind == "llm"
        number += is_model
        numbers[row.span_id] = (number, number - 1) if is_model else (number,)
    return numbers


def score(
    labels: set[Mark], predicted: set[Mark], step_of: Mapping[tuple[str, str], tuple[int, ...]], traces: int
) -> Score:
    """Predictions against labels."""

    def steps(marks: Iterable[Mark]) -> dict[Mark, set[tuple[str, int, str]]]:
        return {(t, s, c): {(t, step, c) for step in step_of.get((t, s), ())} for t, s, c in marks}

    marked, said = steps(labels), steps(predicted)
    near = [p for p in predicted if p in labels or any(said[p] & there for there in marked.values())]
    found = [m for m in labels if m in predicted or any(marked[m] & there for there in said.values())]
    located, joint = [], []
    for trace in {mark[0] for mark in labels}:
        places = {s for t, s, _ in labels if t == trace}
        pairs = {(s, c) for t, s, c in labels if t == trace}
        located.append(len(places & {s for t, s, _ in predicted if t == trace}) / len(places))
        joint.append(len(pairs & {(s, c) for t, s, c in predicted if t == trace}) / len(pairs))
    exact = labels & predicted
    return Score(
        traces, len(labels), len(predicted), len(exact), len(exact), len(near), len(found),
        sum(located) / len(located), sum(joint) / len(joint),
    )  # fmt: skip
