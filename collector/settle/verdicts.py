"""Verdicts: what outside judges said of a run and its steps, and the failures that only they see (TAXONOMY §4).

A verdict stands beside the outcome and never changes it: the outcome is what the spans claim. A judgement is of the
span that carries it, of the span that an evaluator's own span lies in, or of the run. Of several by one judge on one
thing the last counts. A run's verdict is made of those on the run and on what covers it whole (its root, a wrapper):
one that fails it fails it, else one that passes it passes it, else there is none. Those on steps decide nothing about
it.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from collector.settle.failures import JUDGED, Failures
from collector.settle.joins import Run
from collector.settle.naming import EVIDENCE_CHARS, Finding
from collector.settle.rows import VerdictRow
from collector.settle.rules import Named, Rules
from collector.settle.spans import GUARDRAIL, NO_WORK, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest
from schemas.codes import Certainty
from schemas.records import Evaluation
from schemas.rules import UserRules
from schemas.version import RULE_VERSION

PASS: Final = "pass"  # noqa: S105 - no password
FAIL: Final = "fail"

GOOD_LABELS: Final = frozenset({
    "pass", "passed", "ok", "good", "success", "succeeded", "successful", "accept", "accepted", "approve",
    "approved", "complete", "completed", "resolved", "satisfied", "correct", "true", "yes", "valid", "relevant",
    "helpful", "factual", "grounded", "faithful", "supported", "safe", "adherent", "compliant",
})  # fmt: skip
BAD_LABELS: Final = frozenset({
    "fail", "failed", "bad", "failure", "reject", "rejected", "deny", "denied", "block", "blocked", "incomplete",
    "unresolved", "unsatisfied", "incorrect", "false", "no", "wrong", "invalid", "irrelevant", "unhelpful",
    "unrelated", "hallucinated", "hallucination", "ungrounded", "unfaithful", "unsupported", "unsafe", "toxic",
    "biased", "harmful", "nonadherent", "noncompliant", "unsuccessful",
})  # fmt: skip
PLAIN_ANSWERS: Final = frozenset({"true", "yes", "false", "no"})
"""Labels that answer a question: of a fault, `true` is bad."""

ASKS_FOR_FAULT: Final = re.compile(
    r"hallucinat|toxic|bias|harm|unsafe|violat|profan|jailbreak|injection|refus|error|fail|frustrat|leak|irrelevan",
    re.I,
)
"""Names of evaluations that look for something bad: a high score says nothing good, and which way it runs differs."""

CODES_BY_NAME: Final = tuple(
    (code, re.compile(pattern, re.I))
    for code, pattern in (
        (
            "judged.handoff",
            r"hand.?off|tool.?(?:output|result|response)|misread|misinterpret|retriev|context.?(?:rel|prec|rec)",
        ),
        (
            "judged.route",
            r"rout|tool.?(?:choice|select|call|use|usage|input|correct)|agent.?(?:choice|select)|trajector|\bplan",
        ),
        ("judged.state", r"context|memor|histor|retention|consisten|\bstate"),
        ("judged.goal", r"goal|task|intent|complet|success|resol|adheren|derail|instruction.?drift"),
    )
)
"""What an evaluation is about, from its name or label, strongest first; anything else judges the answer itself."""

OF_THE_ANSWER: Final = "component.judged_quality"


class Judgement(NamedTuple):
    """One evaluation with its place in a run."""

    said: Evaluation
    judged: int
    """Span; NONE: the run as a whole."""
    carrier: int
    """The span that carries it."""
    verdict: str | None
    counts: bool
    """The last of its judge on this."""
    decides: bool


def evaluations_of_runs(spans: Spans, runs: Sequence[Run]) -> dict[str, list[tuple[int, Evaluation]]]:
    """For each run the evaluations that its spans carry.

    A span that belongs to no run (an ambient root around several) speaks of the first run of its trace.
    """
    carriers = [i for i, told in enumerate(spans.evaluations) if told]
    if not carriers:
        return {}
    run_of: dict[int, str] = {}
    first: dict[str, str] = {}
    for run in runs:
        for i in run.members:
            run_of[i] = run.run_id
            first.setdefault(spans.trace_id[i], run.run_id)
    found: dict[str, list[tuple[int, Evaluation]]] = {}
    for i in carriers:
        home = run_of.get(i) or first.get(spans.trace_id[i])
        if home is not None:
            told = json.loads(spans.evaluations[i] or "[]")
            found.setdefault(home, []).extend((i, Evaluation(**one)) for one in told)
    return found


def judge(
    spans: Spans,
    forest: Forest,
    run: Run,
    steps: Steps,
    evaluations: Iterable[tuple[int, Evaluation]],
    passing: UserRules,
) -> list[Judgement]:
    """The evaluations of a run, each with what it judges and how it ends, in order of time."""
    members = {*run.members}
    placed = sorted(
        ((said, _judged(spans, forest, members, i, said), i) for i, said in evaluations),
        key=lambda one: (one[0].at_ns, one[1], one[2], *map(str, one[0])),
    )
    last = {(said.source, said.name, judged): n for n, (said, judged, _) in enumerate(placed)}
    counting = {*last.values()}
    return [
        Judgement(
            said,
            judged,
            i,
            verdict_of(said, passing),
            n in counting,
            n in counting and (judged in (NONE, run.root) or _covers_run(spans, steps, judged)),
        )
        for n, (said, judged, i) in enumerate(placed)
    ]


def _judged(spans: Spans, forest: Forest, members: Iterable[int], i: int, said: Evaluation) -> int:
    if said.about == "run" or i not in members:
        return NONE
    if said.about == "parent":
        i = forest.parent[i]
        while i != NONE and spans.step_kind[i] in NO_WORK:
            i = forest.parent[i]
    return i if i in members else NONE


def _covers_run(spans: Spans, steps: Steps, i: int) -> bool:
    """Whether a span lies in no step and is none: it wraps the chain."""
    return steps.owner(i) == NONE and spans.step_kind[i] not in NO_WORK


def verdict_of(said: Evaluation, passing: UserRules) -> str | None:
    """Pass or fail: by the label where that tells, else by the score; None where neither does.

    A score tells where the user set the least that passes for that name, and from 0 to 1 by the general one, unless the
    evaluation looks for something bad.
    """
    asks_for_fault = ASKS_FOR_FAULT.search(said.name) is not None
    told = _label_tells(said.label or "", asks_for_fault)
    if told is not None:
        return PASS if told else FAIL
    if said.score is None:
        return None
    least = passing.pass_scores.get(said.name)
    if least is None:
        if asks_for_fault or not 0 <= said.score <= 1:
            return None
        least = passing.pass_score
    return PASS if said.score >= least else FAIL


def _label_tells(label: str, asks_for_fault: bool) -> bool | None:
    word = re.sub(r"[\s_-]+", "", label.casefold())
    if asks_for_fault and word in PLAIN_ANSWERS:
        return word in BAD_LABELS
    for prefix, is_kept in (("", True), ("not", False), ("non", False)):
        rest = word.removeprefix(prefix)
        if word.startswith(prefix) and rest in GOOD_LABELS | BAD_LABELS:
            return (rest in GOOD_LABELS) == is_kept
    return None


def verdict_of_run(judgements: Iterable[Judgement]) -> str | None:
    """Fail where one that decides fails it, else pass where one passes it; None: nobody judged it."""
    found = {judgement.verdict for judgement in judgements if judgement.decides}
    return FAIL if FAIL in found else PASS if PASS in found else None


def add_judged(
    spans: Spans,
    run: Run,
    judgements: Iterable[Judgement],
    failures: Failures,
    findings: dict[int, Finding],
    rules: Rules,
) -> int:
    """Adds what only judges saw; -> the occurrence that matters most, or NONE.

    Where a failure is known already the judgement contributes to it. A guardrail that rejects has done its work.
    """
    failed = [j for j in judgements if j.counts and j.verdict == FAIL]
    most = NONE
    for judgement in sorted(failed, key=lambda j: not j.decides):
        at = judgement.judged if judgement.judged != NONE else run.root if run.root != NONE else run.base
        if spans.step_kind[at] == GUARDRAIL:
            continue
        code = judged_code(judgement.said)
        root = failures.cause.get(at)
        if root is not None:
            findings[root].add(code)
            continue
        failures.faults[at] = JUDGED
        failures.cause[at] = at
        named = Named(rules.code(code), f"{code}/{judgement.said.source}")
        findings[at] = Finding(named, Certainty.JUDGED, _evidence(judgement.said))
        most = at if most == NONE else most
    return most


def judged_code(said: Evaluation) -> str:
    """The code of a failing verdict, from what was judged."""
    text = re.sub(r"[_-]", " ", f"{said.name} {said.label or ''}")
    return next((code for code, pattern in CODES_BY_NAME if pattern.search(text)), OF_THE_ANSWER)


def _evidence(said: Evaluation) -> str:
    """What the judge said, shortened; hostile like all span text."""
    score = None if said.score is None else f"{said.score:g}"
    return f"{said.name}: {', '.join(filter(None, (said.label, score, said.explanation)))}"[:EVIDENCE_CHARS]


def verdict_rows(spans: Spans, run: Run, judgements: Iterable[Judgement]) -> list[VerdictRow]:
    """The rows of `store.verdict`."""
    return [
        VerdictRow(
            run.run_id,
            spans.trace_id[carrier],
            spans.span_id[judged] if judged != NONE else None,
            spans.span_id[carrier] if said.source == "evaluator" else None,
            said.name,
            verdict,
            said.score,
            said.label,
            said.explanation,
            said.source,
            decides,
            said.at_ns,
            RULE_VERSION,
        )
        for said, judged, carrier, verdict, _, decides in judgements
    ]
