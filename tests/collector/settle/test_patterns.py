"""Patterns over the steps of a run: what fires, and what only looks like it."""

import json
from typing import Any

import pyarrow as pa
import pytest

from collector.settle import FailureRow, RunRow, rules_with, settle
from collector.settle.rules import RULES, Rules
from schemas.rules import UserContract, UserRules
from tests.collector.settle.batches import QUIET_NS, made, table

AGENT = made("agent", None, 0, 99, step_kind="agent", agent="payer")
RUN = made("run", None, 0, 99, step_kind="workflow", workflow="w")
PAY: dict[str, Any] = {"step_kind": "tool", "tool": "pay", "step_name": "pay", "input_hash": 7}
BAD: dict[str, Any] = {"failed": True, "error_type": "Boom"}


def found(*rows: tuple[object, ...], effects: tuple[str, ...] = ()) -> tuple[RunRow, dict[str, FailureRow]]:
    result = settle(table(rows), QUIET_NS, Rules(RULES, effects=effects))
    return result.run[0], {f.span_id: f for f in result.failure if f.role == "root"}


def calls(*said: dict[str, Any], parent: str = "agent") -> list[tuple[object, ...]]:
    return [made(n, parent, n * 2, n * 2 + 1, **{**PAY, **one}) for n, one in enumerate(said, 1)]


def test_identical_calls_that_all_fail_are_a_blind_retry_marked_at_the_last() -> None:
    _, failures = found(AGENT, *calls(BAD, BAD, BAD))
    assert "recovery.blind_retry" in failures["3"].contributing
    assert not any("recovery.blind_retry" in failures[i].contributing for i in ("1", "2"))
    assert failures["3"].code == "tool.error"


@pytest.mark.parametrize(
    "said",
    [
        (BAD, {}),
        (BAD, {**BAD, "input_hash": 8}),
        ({**BAD, "input_hash": None}, {**BAD, "input_hash": None}),
        (BAD, {**BAD, "tool": "refund"}),
    ],
    ids=["in the end good", "other arguments", "arguments unknown", "another tool"],
)
def test_these_are_no_blind_retry(said: tuple[dict[str, Any], ...]) -> None:
    _, failures = found(AGENT, *calls(*said))
    assert not any("recovery.blind_retry" in row.contributing for row in failures.values())


def test_a_known_answer_asked_for_again_is_redundant_and_decides_nothing() -> None:
    run, failures = found(AGENT, *calls({"output_hash": 1}, {"output_hash": 1}))
    assert (run.outcome, run.code) == ("clean", None)
    assert (failures["2"].code, failures["2"].certainty, failures["2"].severity) == (
        "state.redundant_step",
        "inferred",
        "low",
    )


@pytest.mark.parametrize(
    "said",
    [
        ({"output_hash": 1}, {"output_hash": 1}, {"output_hash": 2}),
        ({"output_hash": 1}, {"output_hash": 1, "input_hash": 8}),
        ({"output_hash": None}, {"output_hash": None}),
    ],
    ids=["polling", "pagination", "answers unknown"],
)
def test_these_are_not_redundant(said: tuple[dict[str, Any], ...]) -> None:
    assert not found(AGENT, *calls(*said))[1]


def test_parallel_calls_are_not_redundant() -> None:
    same = {**PAY, "output_hash": 1}
    assert not found(AGENT, made(1, "agent", 1, 5, **same), made(2, "agent", 2, 6, **same))[1]


def test_two_agents_that_ask_the_same_are_not_redundant() -> None:
    rows = [made(name, "run", start, start + 8, step_kind="agent") for name, start in (("a", 0), ("b", 10))]
    rows += [made(f"{name}1", name, start, start + 1, **PAY, output_hash=1) for name, start in (("a", 1), ("b", 11))]
    assert not found(RUN, *rows)[1]


def test_effect_that_was_made_twice_turns_the_run_silent() -> None:
    rows = calls({"output_hash": 1}, {"output_hash": 2})
    run, failures = found(AGENT, *rows, effects=("pay",))
    assert (run.outcome, run.code) == ("silent", "recovery.duplicate_effect")
    assert set(failures) == {"2"}
    assert found(AGENT, *rows)[0].outcome == "clean"


def test_effect_that_was_made_twice_with_one_answer_is_more_than_a_redundant_step() -> None:
    """A tool that answers both calls alike has still acted twice: the run is silent, not clean."""
    run, failures = found(AGENT, *calls({"output_hash": 1}, {"output_hash": 1}), effects=("pay",))
    assert (run.outcome, run.code) == ("silent", "recovery.duplicate_effect")
    assert "state.redundant_step" in failures["2"].contributing


def test_effect_whose_first_try_failed_is_made_once() -> None:
    assert "recovery.duplicate_effect" not in {
        f.code for f in found(AGENT, *calls(BAD, {}), effects=("pay",))[1].values()
    }


def handoffs(count: int, *, work_after: int = 0, new: bool = False) -> list[tuple[object, ...]]:
    rows = []
    for n in range(count):
        name = "ab"[n % 2]
        rows.append(made(f"h{n}", "run", n * 10, n * 10 + 1, step_kind="handoff", step_name=f"to {name}"))
        rows.append(
            made(f"t{n}", "run", n * 10 + 2, n * 10 + 5, step_kind="agent", step_name=name, output_hash=n * new)
        )
        if n + 1 == work_after:
            rows.append(made("work", f"t{n}", n * 10 + 3, n * 10 + 4, step_kind="tool", tool="look"))
    return rows


def test_two_agents_that_hand_over_three_times_each_play_ping_pong() -> None:
    run, failures = found(made("run", None, 0, 999, step_kind="workflow"), *handoffs(6))
    assert (run.outcome, run.code, run.origin_span_id) == ("silent", "routing.ping_pong", "h5")
    assert failures["h5"].certainty == "inferred"


@pytest.mark.parametrize("rows", [handoffs(5), handoffs(6, work_after=3), handoffs(6, new=True)])
def test_these_are_no_ping_pong(rows: list[tuple[object, ...]]) -> None:
    assert found(made("run", None, 0, 999, step_kind="workflow"), *rows)[0].outcome == "clean"


CHECK: dict[str, Any] = {"step_kind": "guardrail", "step_name": "policy"}
REJECTED = {**CHECK, "failed": True, "error_message": "Guardrail tripwire triggered"}


def test_delivery_after_a_rejected_check_fails_open() -> None:
    """The check's own error is part of it: by saying no a check has not failed."""
    rows = [RUN, made("check", "run", 1, 2, **REJECTED), made("deliver", "run", 3, 4)]
    run, failures = found(*rows)
    assert run.outcome == "silent"
    assert {*failures} == {"deliver"}
    assert ("check", "propagated", "deliver") in [
        (f.span_id, f.role, f.root_span_id) for f in settle(table(rows), QUIET_NS).failure
    ]
    assert (run.code, failures["deliver"].contributing) == ("recovery.fail_open", ["component.refused"])


def test_check_that_passed_in_the_end_lets_through() -> None:
    rows = [made("check", "run", 1, 2, **REJECTED), made("again", "run", 3, 4, **CHECK), made("deliver", "run", 5, 6)]
    assert "deliver" not in found(RUN, *rows)[1]


def test_check_that_stopped_the_run_is_no_fail_open() -> None:
    rows = [made("draft", "run", 1, 2), made("check", "run", 3, 4, **REJECTED)]
    assert set(found(RUN, *rows)[1]) == {"check"}


def test_a_series_with_varied_arguments_is_one_blind_retry() -> None:
    _, failures = found(AGENT, *calls(BAD, BAD, {**BAD, "input_hash": 8}))
    assert [i for i, row in failures.items() if "recovery.blind_retry" in row.contributing] == ["3"]


def test_agent_that_delivers_without_any_of_its_tools_is_suspected_and_no_more() -> None:
    agent = made("agent", None, 0, 99, step_kind="agent", agent="payer", tools_offered=2)
    final = made("end", "agent", 3, 4, step_kind="tool", tool="final_answer", step_name="final_answer")
    run, failures = found(agent, made("ask", "agent", 1, 2, step_kind="llm"), final)
    assert (run.outcome, run.code) == ("clean", None)
    assert (failures["agent"].code, failures["agent"].issuer_span_id) == ("routing.tools_bypassed", "ask")


@pytest.mark.parametrize("kind", ["tool", "agent", "retrieval", "handoff"])
def test_agent_that_did_something_bypassed_nothing(kind: str) -> None:
    agent = made("agent", None, 0, 99, step_kind="agent", agent="payer", tools_offered=2)
    assert not found(agent, made("node", "agent", 1, 9), made("work", "node", 2, 3, step_kind=kind))[1]


@pytest.mark.parametrize(
    "row",
    [
        made("turn", "agent", 1, 9, step_kind="transport", failed=True, error_type="AgentToolCallError",
             error_message="Argument order_id is required"),
        made("ask", "agent", 1, 9, step_kind="llm", in_band_error="Unknown tool: pay"),
    ],
)  # fmt: skip
def test_agent_in_which_a_call_came_to_nothing_bypassed_nothing(row: tuple[object, ...]) -> None:
    agent = made("agent", None, 0, 99, step_kind="agent", agent="payer", tools_offered=2)
    result = settle(table([agent, row]), QUIET_NS, Rules(RULES))
    codes = [failure.code for failure in result.failure if failure.span_id == "agent"]
    assert codes == ["recovery.silent_failure"]


def test_agent_whose_answer_could_not_be_read_has_called_nothing() -> None:
    """Both stand there: the suspicion does not take the place of the row that it hid the failure."""
    agent = made("agent", None, 0, 99, step_kind="agent", agent="payer", tools_offered=2)
    turn = made("turn", "agent", 1, 9, step_kind="transport", failed=True, error_type="AgentParsingError")
    result = settle(table([agent, turn]), QUIET_NS, Rules(RULES))
    codes = {failure.code for failure in result.failure if failure.span_id == "agent"}
    assert codes == {"routing.tools_bypassed", "recovery.silent_failure"}


def test_agent_without_tools_bypassed_nothing() -> None:
    assert not found(AGENT, made("ask", "agent", 1, 2, step_kind="llm"))[1]


def test_delivery_after_a_check_that_said_no_under_a_good_status_fails_open() -> None:
    """A verdict in the check's answer counts like an error; an evaluator's too."""
    for kind in ("guardrail", "evaluator"):
        check = made("check", "run", 1, 2, step_kind=kind, step_name="policy", output_kind="rejection")
        run, failures = found(RUN, check, made("deliver", "run", 3, 4))
        assert (run.outcome, run.code, run.origin_span_id) == ("silent", "recovery.fail_open", "deliver")
        assert set(failures) == {"deliver"}


@pytest.mark.parametrize("name", ["refuse", "escalate_to_human", "fallback_answer", "revise draft"])
def test_workflow_that_answers_a_rejection_does_not_fail_open(name: str) -> None:
    check = made("check", "run", 1, 2, step_kind="guardrail", output_kind="rejection")
    assert not found(RUN, check, made("next", "run", 3, 4, step_name=name))[1]


def turns(*said: dict[str, Any]) -> list[tuple[object, ...]]:
    return [made(f"t{n}", "run", n * 2, n * 2 + 1, **{"step_kind": "agent", **one}) for n, one in enumerate(said, 1)]


A: dict[str, Any] = {"step_name": "a", "output_hash": 1}
B: dict[str, Any] = {"step_name": "b", "output_hash": 2}


def test_two_steps_in_turn_that_say_nothing_new_play_ping_pong() -> None:
    run, failures = found(RUN, *turns(A, B, A, B, A, B, A))
    assert (run.code, run.origin_span_id, set(failures)) == ("routing.ping_pong", "t6", {"t6"})


@pytest.mark.parametrize(
    "said",
    [
        (A, B, A, B, A),
        (A, B, A, B, A, {**B, "output_hash": 3}),
        (A, B, A, B, {**A, "output_hash": None}, B),
        (A, B, {"step_name": "c", "output_hash": 3}, A, B, A, B),
        (A, A, A, B, B, B),
    ],
    ids=["two and a half times", "something new", "not known", "another between", "no turns"],
)
def test_these_turns_are_no_ping_pong(said: tuple[dict[str, Any], ...]) -> None:
    assert not found(RUN, *turns(*said))[1]


def test_a_step_that_runs_a_third_time_with_nothing_new_loops() -> None:
    """From the third time on, and only where input and output are known to be the same."""
    same = {**A, "input_hash": 5}
    assert not found(RUN, *turns(same, same))[1]
    run, failures = found(RUN, *turns(same, same, same))
    assert (run.outcome, failures["t3"].code, failures["t3"].rule_id) == (
        "clean",
        "state.redundant_step",
        "state.redundant_step/loop",
    )
    assert not found(RUN, *turns(same, same, {**same, "output_hash": 9}))[1]


SEARCH: dict[str, Any] = {"step_kind": "tool", "tool": "search", "step_name": "search"}


def searches(*queries: str) -> tuple[RunRow, dict[str, FailureRow]]:
    rows = [made(n, "agent", n * 2, n * 2 + 1, **SEARCH, input_hash=n, output_hash=n) for n, _ in enumerate(queries, 1)]
    arguments = [None, *(json.dumps({"query": query, "limit": 5}) for query in queries)]
    batch = table([AGENT, *rows]).append_column("input_text", pa.array(arguments, pa.string()))
    result = settle(batch, QUIET_NS)
    return result.run[0], {f.span_id: f for f in result.failure if f.role == "root"}


def test_one_question_in_other_words_three_times_is_redundant() -> None:
    run, failures = searches(
        "dragon article joke removed leap day 2008",
        "leap day 2008 joke removed from the dragon article",
        "when was the joke on leap day removed, dragon article",
    )
    assert (run.outcome, set(failures)) == ("clean", {"3"})
    assert failures["3"].rule_id == "state.redundant_step/similar-arguments"


@pytest.mark.parametrize(
    "queries",
    [
        ("red shoes for men page 1", "red shoes for men page 2", "red shoes for men page 3"),
        ("weather in Paris tomorrow", "weather in New York tomorrow", "weather in Rome tomorrow"),
        ("Paris", "Rome", "Paris France"),
        ("who wrote the book of sand", "height of the tallest tower in Asia", "population of Peru in a census"),
        ("the joke on leap day", "leap day joke removed"),
    ],
    ids=["pagination", "a map over cities", "names", "other questions", "twice"],
)
def test_these_searches_are_not_redundant(queries: tuple[str, ...]) -> None:
    assert not searches(*queries)[1]


PLAN = UserContract(name="plan ends", step="plan.*", input="end with <done>", output="<done>")


def contract(asked: str, answered: str, stops: str | None = None, name: str = "planner") -> set[str]:
    batch = table([RUN, made("step", "run", 1, 2, step_name=name)])
    for column, value in (("input_text", asked), ("output_text", answered), ("stop_text", stops)):
        batch = batch.append_column(column, pa.array([None, value], pa.string()))
    run = settle(batch, QUIET_NS, rules_with(UserRules(contracts=(PLAN,))))
    assert run.run[0].outcome == "clean"
    return {f.code for f in run.failure}


def test_an_output_that_lacks_what_its_input_promised_breaks_the_contract() -> None:
    """A note of low severity: it decides no run."""
    assert contract("Please end with <done>", "1. look") == {"handoff.contract_missing"}


def test_these_contracts_are_kept() -> None:
    """The output has it; nobody asked; another step; or it is a stop sequence, which never is in the answer."""
    assert not contract("Please end with <done>", "1. look <done>")
    assert not contract("Please plan", "1. look")
    assert not contract("Please end with <done>", "1. look", name="writer")
    assert not contract("Please end with <done>", "1. look", '["<done>"]')
    assert not contract("Please end with <done>", "1. look", '{"temperature": 0, "stop": ["<done>"]}')
