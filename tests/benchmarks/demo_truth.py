"""The demo's faults and look-alikes, whose labels are made with them: found, named and placed rightly or not."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from collector.decode import decode_protobuf
from collector.settle import Settled, settle
from collector.settle.own_rules import rules_with
from demo_data.desk import DESKS, WRITERS
from demo_data.faults import FAULTS, LOW_SEVERITY, NO_FAULT, STORM_FAULTS, Fault, Label, Shows, Variant
from demo_data.plan import Case, RunPlan
from demo_data.probes import LOOKALIKES, PROBES
from demo_data.telemetry import Player
from demo_data.workflows import WORKFLOWS
from schemas.codes import CODES
from schemas.rules import UserRules
from schemas.settings import Settings
from tests.benchmarks import harness
from tests.benchmarks.tally import Tally, wrong_ones
from tests.settling import QUIET_NS, batch_of, with_texts

START_NS = 1_790_000_000_000_000_000
SEEDS = 12
PLAIN_RUNS = 60
ALWAYS_FAILS = 9
"""More failing tries than any workflow makes."""
HOUR_NS = 3_600 * 10**9
NONE = "none"
QUIET = "quiet on look-alikes and plain runs"

DIALECTS = {
    "refund_triage": "openinference",
    "rag_answers": "openinference",
    "market_brief": "crewai",
    "ops_assistant": "pydantic_ai",
    "lead_enrichment": "n8n",
    "claims_panel": "autogen",
    **{f"desk-{dialect}": dialect for dialect in WRITERS},
}

OWN_RULES = UserRules.model_validate(
    {
        "side_effects": ["send_reply"],
        "contracts": [
            {"name": "a draft cites the policy", "input": "Cite the policy in square brackets", "output": r"\[policy/"}
        ],
    }
)
"""What the desk's owner would write into seamscope.toml."""

RULES = rules_with(OWN_RULES)

TOLD_BESIDE = ("recovery.silent_failure", "recovery.no_retry", "recovery.retry_exhausted", "recovery.blind_retry")
"""Codes of how a run dealt with its fault: told beside the fault's own."""

WHY_NOT = (
    "An empty cell says that the code cannot be seen there: "
    "`n8n` writes no contents, so no answer inside a good node, no arguments, no finish reason; "
    "`crewai` (OpenLLMetry) has neither model nor tool spans; `autogen` has no model spans and names no tool's error; "
    "`genai` (OpenTelemetry's own LangChain instrumentation) has no spans of graph nodes, so what a node catches or "
    "retries is unseen; `openai_agents` prints errors without their class, so a missing key or a deadline of its own "
    "cannot be told from anything else, a tool's answer is any text, and its root never fails: what ended the run is "
    "silent there. `state.concurrent_update` and `state.checkpoint` are LangGraph's own, `handoff.undelivered` is "
    "AutoGen's runtime's. `routing.tools_bypassed` needs an agent span that lists its tools, `routing.ping_pong` "
    "spans of hand-overs, `recovery.duplicate_effect` and `handoff.contract_missing` rules of the user's own. "
    "Codes by pattern and by judgement come in three ways instead: no span fails, so nothing is loud or recovered."
)


class Played(NamedTuple):
    """One run of the demo: the truth about it and what was found."""

    label: Label
    fault: Fault
    code: str | None
    layer_a: str
    layer_b: str
    origin: str | None
    outcome: str
    beside: frozenset[str]


def demo() -> str:
    """Every fault and look-alike of the demo, and plain runs."""
    played = list(demo_runs())
    decidable = [p for p in played if p.fault.shows is not Shows.SLOW_RETRY]
    ways = len(FAULTS) + len(STORM_FAULTS)
    text = (
        f"{ways} faults and look-alikes of the demo, {SEEDS} runs each; {len(PROBES):,} more of codes, ways and "
        f"dialects, with one and two failing tries and with nothing but failing ones where a retry may help; "
        f"{len(LOOKALIKES)} more look-alikes; {PLAIN_RUNS} plain runs of each workflow: {len(played):,} runs. "
        f"In {len(played) - len(decidable)} of them a client retried within one span, which nothing but its duration "
        "shows: not decidable, left out.\n\n"
    )
    text += _layers(decidable)
    tallies = {"outcome": Tally(), "code": Tally(), "origin": Tally(), QUIET: Tally()}
    by_code: dict[str, Tally] = defaultdict(Tally)
    for p in decidable:
        name = f"{p.label.workflow}/{p.label.fault}"
        tallies["outcome"].add(p.outcome == p.label.outcome, f"{name}: {p.outcome}, not {p.label.outcome}")
        if p.label.code:
            tallies["code"].add(p.code == p.label.code, f"{name}: {p.code}, not {p.label.code}")
            by_code[p.label.code].add(p.code == p.label.code, name)
            if p.label.origin_span_id:
                right = p.origin in (p.label.origin_span_id, *p.label.origin_also)
                tallies["origin"].add(right, name)
        else:
            tallies[QUIET].add(p.code is None and not p.beside, f"{name}: {p.code or sorted(p.beside)}")
    text += "\n\n" + harness.table(["measure", "right"], [[name, str(t)] for name, t in tallies.items()])
    text += "\n\nWhat a run did about its fault is told beside it:\n\n" + _beside(decidable)
    text += "\n\nRuns of each code by dialect (L loud, R recovered, S silent) and how many were named rightly. "
    text += WHY_NOT + "\n\n" + _coverage(decidable, by_code)
    return text + wrong_ones(tallies)


def _layers(played: Sequence[Played]) -> str:
    rows: list[list[object]] = []
    for lens, truth, found in (
        ("A", [p.label.layer_a or NONE for p in played], [p.layer_a for p in played]),
        ("B", [p.label.layer_b or NONE for p in played], [p.layer_b for p in played]),
    ):
        classes = per_class(truth, found)
        for layer, precision, recall, f1, count in classes:
            rows.append([lens, layer, f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}", count])
        mean = sum(f1 for _, _, _, f1, _ in classes) / len(classes)
        rows.append([lens, "**macro-F1**", "", "", f"**{mean:.3f}**", len(truth)])
    return harness.table(["lens", "layer", "precision", "recall", "F1", "runs"], rows)


def _beside(played: Sequence[Played]) -> str:
    rows = []
    for code in TOLD_BESIDE:
        due = [p for p in played if code in p.label.beside]
        told = sum(code in p.beside for p in due)
        rows.append([code, f"{told}/{len(due)}"])
    return harness.table(["code", "told of the runs that it holds for"], rows)


def _coverage(played: Sequence[Played], by_code: dict[str, Tally]) -> str:
    counts: dict[tuple[str, str], Counter[Variant]] = defaultdict(Counter)
    for p in played:
        if p.label.code:
            counts[p.label.code, DIALECTS[p.fault.workflow]][p.label.variant] += 1
    dialects = list(dict.fromkeys(DIALECTS.values()))
    rows = []
    for code in (code.code for code in CODES):
        if code not in by_code:
            continue
        cells = [
            " ".join(f"{variant.value[0].upper()}{n}" for variant, n in sorted(counts[code, dialect].items()))
            for dialect in dialects
        ]
        rows.append([code, *cells, str(by_code[code])])
    return harness.table(["code injected", *dialects, "named rightly"], rows)


def demo_runs() -> Iterator[Played]:
    """Runs through the real SDK and encoder, decoded and settled."""
    cases: list[tuple[Fault, int, int]] = [
        (fault, seed, 1 + seed % 2) for fault in (*FAULTS, *STORM_FAULTS.values()) for seed in range(SEEDS)
    ]
    for fault in PROBES:
        tries = (1, 2, ALWAYS_FAILS) if fault.variant is Variant.RECOVERED else (1, 1)
        cases += [(fault, seed, failing) for seed, failing in enumerate(tries)]
    cases += [(fault, seed, 1) for fault in LOOKALIKES for seed in range(2)]
    plain = [NO_FAULT._replace(workflow=name) for name in (*WORKFLOWS, *DESKS)]
    cases += [(fault, 1_000 + n, 0) for fault in plain for n in range(PLAIN_RUNS)]
    for number, (fault, seed, tries) in enumerate(cases):
        workflow = (WORKFLOWS | DESKS)[fault.workflow]
        version = workflow.releases[-1][1]
        start_ns = START_NS + number * HOUR_NS
        case = Case(Random(f"{fault.name}/{seed}"), start_ns, "production", version, fault, tries)
        yield found_in(workflow.plan(case), fault)


def settled_plan(plan: RunPlan) -> Settled:
    """What settling makes of one planned run that went through the real SDK and encoder."""
    ended: list[ReadableSpan] = []
    Player(ended.append).play(plan.spans)
    spans = decode_protobuf(encode_spans(ended).SerializeToString(), Settings()).spans
    return settle(with_texts(batch_of(spans), spans, RULES), QUIET_NS, RULES)


def found_in(plan: RunPlan, fault: Fault) -> Played:
    """What was found in one planned run."""
    settled = settled_plan(plan)
    run = next(run for run in settled.run if plan.label.trace_id in run.trace_ids)
    roots = [failure for failure in settled.failure if failure.role == "root"]
    notes = [failure for failure in roots if failure.code in LOW_SEVERITY]
    told = run if run.code or not notes else notes[0]
    origin = run.origin_span_id or (notes[0].span_id if notes else None)
    hidden = [failure.code for failure in settled.failure if failure.role == "propagated"]
    codes = {*hidden, *(code for failure in roots for code in (failure.code, *failure.contributing))}
    beside = frozenset(codes & {*TOLD_BESIDE}) - {told.code}
    layers = told.layer_a or NONE, told.layer_b or NONE
    return Played(plan.label, fault, told.code, *layers, origin, run.outcome, beside)


def per_class(truth: Sequence[str], found: Sequence[str]) -> list[tuple[str, float, float, float, int]]:
    """Precision, recall, F1 and count of each class of the truth."""
    pairs = Counter(zip(truth, found, strict=True))
    rows = []
    for name in sorted({*truth}):
        hit = pairs[name, name]
        said, there = sum(n for (_, f), n in pairs.items() if f == name), truth.count(name)
        rows.append((name, hit / said if said else 0.0, hit / there, 2 * hit / (said + there), there))
    return rows
