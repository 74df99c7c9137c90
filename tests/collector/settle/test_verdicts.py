"""Verdicts: who is heard, what passes, what a run's verdict is made of, and what never changes by it."""

import itertools
import json
from typing import Any

import pytest

from collector.settle import Settled, rules_with, settle
from collector.settle.verdicts import judged_code, verdict_of
from schemas.records import Evaluation
from schemas.rules import UserRules
from tests.collector.settle.batches import QUIET_NS, made, recorded_rows, settled, table

WORK: dict[str, Any] = {"step_kind": "workflow"}
TIMEOUT: dict[str, Any] = {"failed": True, "status_code": 2, "error_type": "ReadTimeout", "step_kind": "llm"}


def said(name: str = "task_success", about: str = "span", source: str = "event", **more: Any) -> Evaluation:
    return Evaluation(about, source, name, more.get("score"), more.get("label"), more.get("why"), more.get("at", 5))


def told(*evaluations: Evaluation) -> dict[str, str]:
    return {"evaluations": json.dumps([evaluation._asdict() for evaluation in evaluations])}


def run_with(*on_root: Evaluation, steps: dict[str, Any] | None = None) -> Settled:
    return settled(made("run", None, 0, 9, **WORK, **told(*on_root)), made("answer", "run", 1, 8, **(steps or {})))


@pytest.mark.parametrize(
    ("name", "score", "label", "verdict"),
    [
        ("relevance", None, "pass", "pass"),
        ("relevance", 0.1, "Relevant", "pass"),
        ("relevance", 0.9, "not_relevant", "fail"),
        ("correctness", None, "INCORRECT", "fail"),
        ("correctness", None, "partially correct", None),
        ("correctness", 0.5, None, "pass"),
        ("correctness", 0.49, "neutral", "fail"),
        ("correctness", 4.0, None, None),
        ("hallucination", 0.9, None, None),
        ("hallucination", None, "hallucinated", "fail"),
        ("hallucination", None, "factual", "pass"),
        ("toxicity", None, "true", "fail"),
        ("toxicity", None, "No", "pass"),
        ("answered", None, "true", "pass"),
        ("mood", None, "cheerful", None),
    ],
)
def test_a_label_tells_before_a_score_and_what_tells_nothing_is_no_verdict(
    name: str, score: float | None, label: str | None, verdict: str | None
) -> None:
    assert verdict_of(said(name, score=score, label=label), UserRules()) == verdict


def test_the_user_says_from_which_score_on_a_verdict_passes() -> None:
    own = UserRules(pass_score=0.8, pass_scores={"fluency": 3.5})
    assert verdict_of(said(score=0.79), own) == "fail"
    assert verdict_of(said("fluency", score=3.5), own) == "pass"
    assert verdict_of(said("fluency", score=3.4), own) == "fail"


def test_thresholds_are_rules_and_so_go_through_history() -> None:
    row = made("run", None, 0, 9, **WORK, **told(said(score=0.7)))
    assert settle(table([row]), QUIET_NS).run[0].verdict == "pass"
    assert settle(table([row]), QUIET_NS, rules_with(UserRules(pass_score=0.8))).run[0].verdict == "fail"


@pytest.mark.parametrize(
    ("labels", "verdict"), [(("pass", "pass"), "pass"), (("pass", "fail"), "fail"), (("neutral", "neutral"), None)]
)
def test_one_that_fails_a_run_fails_it(labels: tuple[str, str], verdict: str | None) -> None:
    run = run_with(said("a", label=labels[0]), said("b", label=labels[1]))
    assert run.run[0].verdict == verdict
    assert [row.decides for row in run.verdict] == [True, True]


def test_a_run_that_nobody_judged_has_no_verdict() -> None:
    assert run_with().run[0].verdict is None
    assert run_with().verdict == []


def test_the_last_word_of_a_judge_counts() -> None:
    """Each judge on each thing; the earlier word is kept and neither decides nor fails."""
    run = run_with(said(label="fail", at=1), said(label="pass", at=2), said(label="pass", source="log", at=0))
    assert run.run[0].verdict == "pass"
    assert [(row.source, row.verdict, row.decides) for row in run.verdict] == [
        ("log", "pass", True),
        ("event", "fail", False),
        ("event", "pass", True),
    ]
    assert run.failure == []


def test_a_verdict_on_a_step_decides_nothing_about_the_run() -> None:
    run = run_with(steps=told(said("relevance", label="fail")))
    assert run.run[0].verdict is None
    assert [(row.span_id, row.verdict, row.decides) for row in run.verdict] == [("answer", "fail", False)]


def test_a_verdict_about_the_run_may_be_carried_by_any_span() -> None:
    run = run_with(steps=told(said(about="run", label="fail")))
    assert run.run[0].verdict == "fail"
    assert run.verdict[0].span_id is None
    assert [(row.span_id, row.certainty) for row in run.failure] == [("run", "judged")]


def test_an_evaluator_judges_the_span_it_lies_in() -> None:
    judge = {"step_kind": "evaluator", **told(said("groundedness", "parent", "evaluator", label="fail"))}
    rows = made("run", None, 0, 9, **WORK), made("agent", "run", 1, 8), made("judge", "agent", 6, 7, **judge)
    run = settled(*rows)
    assert [(row.span_id, row.judge_span_id) for row in run.verdict] == [("agent", "judge")]
    assert [(row.span_id, row.step, row.code) for row in run.failure] == [
        ("agent", "agent", "component.judged_quality")
    ]
    below_root = settled(rows[0], made("judge", "run", 6, 7, **judge))
    assert below_root.run[0].verdict == "fail"


def test_an_ambient_span_around_several_runs_speaks_of_the_first() -> None:
    http = made("http", None, 0, 20, dialect="http", step_kind="transport", **told(said(about="run", label="fail")))
    first, second = made("one", "http", 1, 5, **WORK), made("two", "http", 6, 9, **WORK)
    run = settled(http, first, second)
    assert [row.verdict for row in sorted(run.run, key=lambda row: row.start_ns)] == ["fail", None]


class TestJudgedFailures:
    def test_a_failing_verdict_is_a_failure_that_only_a_judge_saw(self) -> None:
        """With what the judge said as evidence; the run's own figures stay what its spans claim."""
        run = run_with(said(label="fail", score=0.2, why="refunded twice"))
        (row,) = run.failure
        assert (row.code, row.layer_a, row.layer_b) == ("judged.goal", "control", "routing")
        assert (row.certainty, row.role, row.evidence) == ("judged", "root", "task_success: fail, 0.2, refunded twice")
        assert (row.silent, row.recovered, row.rule_id) == (True, False, "judged.goal/event")
        assert (run.run[0].outcome, run.run[0].code, run.run[0].origin_span_id) == ("clean", "judged.goal", "run")
        assert [operation.outcome for operation in run.operation] == ["ok"]

    def test_it_never_outranks_one_that_was_observed(self) -> None:
        """On the same span it contributes; elsewhere it stands beside, and the run keeps its own cause and outcome."""
        before = run_with(steps=TIMEOUT)
        run = run_with(said(label="fail"), steps={**TIMEOUT, **told(said("relevance", label="fail"))})
        assert (run.run[0].outcome, run.run[0].code) == (before.run[0].outcome, before.run[0].code)
        assert run.run[0].code == "component.timeout"
        assert run.run[0].verdict == "fail"
        timeout = next(row for row in run.failure if row.span_id == "answer")
        assert "component.judged_quality" in timeout.contributing
        assert timeout.certainty == "observed"

    def test_where_all_that_was_observed_is_recovered_it_is_the_cause(self) -> None:
        root = made("run", None, 0, 9, **WORK, **told(said(label="fail")))
        tries = made("a", "run", 1, 2, **TIMEOUT, input_hash=1), made("b", "run", 3, 4, step_kind="llm", input_hash=1)
        again = [row[:7] + row[7:] for row in tries]
        run = settled(root, *(_named("call", row) for row in again))
        assert (run.run[0].outcome, run.run[0].code) == ("recovered", "judged.goal")

    def test_a_pass_hides_nothing(self) -> None:
        run = run_with(said(label="pass"), steps=TIMEOUT)
        assert (run.run[0].verdict, run.run[0].code) == ("pass", "component.timeout")

    def test_a_guardrail_that_rejects_stays_what_it_is(self) -> None:
        """The check did its work; what follows it is judged by its own rules."""
        run = run_with(steps={"step_kind": "guardrail", **told(said("policy", label="reject"))})
        assert run.failure == []
        assert run.verdict[0].verdict == "fail"

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("task_completion", "judged.goal"),
            ("Intent Resolution", "judged.goal"),
            ("tool_call_accuracy", "judged.route"),
            ("routing", "judged.route"),
            ("plan_quality", "judged.route"),
            ("conversation_memory", "judged.state"),
            ("handoff_quality", "judged.handoff"),
            ("context_precision", "judged.handoff"),
            ("retrieval", "judged.handoff"),
            ("groundedness", "component.judged_quality"),
            ("explanation quality", "component.judged_quality"),
            ("hallucination", "component.judged_quality"),
        ],
    )
    def test_the_layer_comes_from_what_was_judged(self, name: str, code: str) -> None:
        assert judged_code(said(name, label="fail")) == code


def _named(name: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    from collector.settle import SPAN_COLUMNS

    at = SPAN_COLUMNS.index("step_name")
    return (*row[:at], name, *row[at + 1 :])


def test_any_order_of_spans_gives_the_same_verdicts() -> None:
    rows = [
        made("run", None, 0, 9, **WORK, **told(said(label="fail", at=3), said(label="pass", at=4))),
        made("a", "run", 1, 4, **told(said("x", label="fail", at=4), said("x", label="fail", at=4))),
        made("b", "run", 5, 8, step_kind="evaluator", **told(said("y", "parent", "evaluator", score=0.4))),
    ]
    results = [settle(table(list(order)), QUIET_NS) for order in itertools.permutations(rows)]
    assert all(result == results[0] for result in results)


def test_the_recorded_evaluation_event_is_a_verdict() -> None:
    """LangGraph's own instrumentation emitted it (recorded)."""
    found = [row for folder in _evaluated_folders() for row in settle(table(recorded_rows(folder)), QUIET_NS).verdict]
    assert ("Groundedness", "pass", 0.93) in {(row.name, row.verdict, row.score) for row in found}


def _evaluated_folders() -> list[str]:
    from tests.otlp import recorded_folders

    return [folder for folder in recorded_folders() if any("Groundedness" in str(row) for row in recorded_rows(folder))]
