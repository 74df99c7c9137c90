"""What counts as another attempt, and what does not."""

from typing import Any

from tests.collector.settle.batches import made, settled

RUN = made("run", None, 0, 99, step_kind="workflow", workflow="w")
BAD: dict[str, Any] = {"failed": True}
LOOKUP: dict[str, Any] = {"step_kind": "tool", "tool": "lookup", "step_name": "lookup"}


def operations(*rows: tuple[object, ...]) -> list[tuple[str, int, str, str]]:
    return [(op.name, op.attempts, op.evidence, op.outcome) for op in settled(*rows).operation]


def test_sibling_after_a_failed_one_is_its_retry() -> None:
    assert operations(
        RUN, made(1, "run", 1, 2, **LOOKUP, **BAD), made(2, "run", 3, 4, **LOOKUP), made(3, "run", 5, 6, **LOOKUP)
    ) == [("lookup", 2, "siblings", "recovered"), ("lookup", 1, "single", "ok")]


def test_attempts_of_one_operation_are_numbered() -> None:
    got = settled(RUN, made(1, "run", 1, 2, **LOOKUP, **BAD), made(2, "run", 3, 4, **LOOKUP))
    assert [(s.attempt, s.operation_id) for s in got.step] == [(1, "1"), (2, "1")]
    assert got.run[0].chain == ["lookup"]


def test_other_input_is_another_operation() -> None:
    rows = [made(1, "run", 1, 2, input_hash=1, **LOOKUP, **BAD), made(2, "run", 3, 4, input_hash=2, **LOOKUP)]
    assert [attempts for _, attempts, _, _ in operations(RUN, *rows)] == [1, 1]


def test_overlapping_fan_out_is_no_retry() -> None:
    rows = [made(1, "run", 1, 5, **LOOKUP, **BAD), made(2, "run", 3, 6, **LOOKUP)]
    assert [attempts for _, attempts, _, _ in operations(RUN, *rows)] == [1, 1]


def test_polling_is_no_retry() -> None:
    rows = [made(n, "run", n, n + 0.5, input_hash=1, **LOOKUP) for n in (1, 2, 3)]
    assert [attempts for _, attempts, _, _ in operations(RUN, *rows)] == [1, 1, 1]


def test_step_in_between_makes_a_redo() -> None:
    rows = [
        made(1, "run", 1, 2, step_name="write", **BAD),
        made(2, "run", 3, 4),
        made(3, "run", 5, 6, step_name="write"),
    ]
    assert [attempts for _, attempts, _, _ in operations(RUN, *rows)] == [1, 1, 1]


def test_other_visit_of_a_node_is_no_retry_and_the_same_visit_is() -> None:
    def node(name: int, visit: str, **said: Any) -> tuple[object, ...]:
        return made(name, "run", name, name + 0.5, step_name="node", visit_key=visit, **said)

    other = made("other", "run", 1.6, 1.7)
    assert [attempts for _, attempts, _, _ in operations(RUN, node(1, "a", **BAD), node(2, "b"))] == [1, 1]
    assert operations(RUN, node(1, "a", **BAD), other, node(2, "a"))[0] == ("node", 2, "siblings", "recovered")


def test_attempt_that_the_span_itself_tells_wins() -> None:
    rows = [made(1, "run", 1, 2, attempt=1, **LOOKUP), made(2, "run", 3, 4, attempt=2, **LOOKUP)]
    assert operations(RUN, *rows) == [("lookup", 2, "event", "recovered")]


def test_agent_nested_in_itself_is_a_retry_of_its_framework() -> None:
    agents = [made(n, n - 1 if n else "run", n, 50 - n, step_kind="agent", step_name="writer") for n in range(3)]
    assert operations(RUN, *agents) == [("writer", 3, "nested", "recovered")]


def test_resends_hidden_in_a_call_are_tries_of_it() -> None:
    call = made("call", "run", 1, 9, step_kind="llm", resend_count=2)
    assert operations(RUN, call) == [("call", 3, "resend_count", "recovered")]
    got = settled(RUN, call)
    assert (got.run[0].outcome, got.run[0].failing_step, got.run[0].attempts) == ("recovered", "call", 3)


def test_failed_http_requests_below_a_call_are_tries_of_it() -> None:
    post: dict[str, Any] = {"step_kind": "transport", "dialect": "http", "kind": 3}
    call = made("call", "run", 1, 9, step_kind="llm")
    refused = [made(n, "call", n + 2, n + 3, **post, **BAD) for n in (0, 1)]
    assert operations(RUN, call, *refused, made("ok", "call", 5, 6, **post)) == [("call", 3, "http", "recovered")]
    failed_call = made("call", "run", 1, 9, step_kind="llm", **BAD)
    assert operations(RUN, failed_call, *refused) == [("call", 2, "http", "failed")]


def test_failed_tries_nested_in_a_call_are_tries_of_it() -> None:
    call = made("call", "run", 1, 9, step_kind="llm")
    first = made("try", "call", 2, 3, step_kind="llm", attempt=1, **BAD)
    assert operations(RUN, call, first) == [("call", 2, "nested", "recovered")]
    got = settled(RUN, call, first)
    assert [(f.span_id, f.role, f.recovered) for f in got.failure] == [("try", "root", True)]


def test_model_asked_again_by_its_agent_was_asked_to_do_better() -> None:
    """Pydantic AI asks again without a tool between only after it rejected the answer."""
    ask: dict[str, Any] = {"step_kind": "llm", "step_name": "chat", "framework": "pydantic_ai", "finish_reason": "stop"}
    agent = made("agent", None, 0, 9, step_kind="agent", agent="writer")
    assert operations(agent, made(1, "agent", 1, 2, **ask), made(2, "agent", 3, 4, **ask)) == [
        ("chat", 2, "siblings", "recovered")
    ]


def test_first_try_is_bad_if_anything_below_it_was_tried_again() -> None:
    got = settled(
        RUN, made("node", "run", 1, 9), made(1, "node", 2, 3, **LOOKUP, **BAD), made(2, "node", 4, 5, **LOOKUP)
    )
    assert [(op.name, op.outcome, op.first_try_ok) for op in got.operation] == [
        ("node", "ok", False),
        ("lookup", "recovered", False),
    ]


def test_span_that_tells_the_attempt_it_ended_with_holds_the_earlier_ones() -> None:
    call = made("call", "run", 1, 9, step_kind="llm", attempt=3, error_type="RateLimitError")
    assert operations(RUN, call) == [("call", 3, "event", "recovered")]
    (failure,) = settled(RUN, call).failure
    assert (failure.code, failure.certainty, failure.recovered) == ("component.rate_limited", "observed", True)


def test_call_that_retried_within_itself_is_no_retry_of_the_one_before() -> None:
    rows = [made(1, "run", 1, 2, **LOOKUP), made(2, "run", 3, 4, attempt=2, **LOOKUP)]
    assert operations(RUN, *rows) == [("lookup", 1, "single", "ok"), ("lookup", 2, "event", "recovered")]


def test_model_call_whose_requests_are_not_seen_may_hide_retries() -> None:
    """One try is what is seen; where HTTP requests are seen too, it is what was made."""
    call = made("call", "run", 1, 9, step_kind="llm")
    assert operations(RUN, call) == [("call", 1, "unseen", "ok")]
    post = made("post", "call", 2, 3, step_kind="transport", dialect="http", kind=3)
    assert operations(RUN, call, post) == [("call", 1, "single", "ok")]
    assert operations(RUN, made("call", "run", 1, 9, step_kind="llm", resend_count=0)) == [("call", 1, "single", "ok")]


def redone(*rows: tuple[object, ...]) -> list[tuple[str, bool, int]]:
    return [(op.operation_id, op.is_redo, op.attempts) for op in settled(RUN, *rows).operation if op.name == "write"]


def test_work_that_a_check_rejected_is_redone_and_not_retried() -> None:
    """A redo is an operation of its own: its first try may well be good."""
    write: dict[str, Any] = {"step_name": "write", "step_kind": "agent"}
    rows = [made(1, "run", 1, 2, **write), made(3, "run", 5, 6, **write)]
    for said in (
        {"step_kind": "guardrail", "output_kind": "rejection"},
        {"step_kind": "guardrail", **BAD},
        {"step_kind": "evaluator", "output_kind": "rejection"},
        {"step_name": "review", "visit_key": "graph/2"},
    ):
        check = made(2, "run", 3, 4, **{"step_name": "check", **said})
        assert redone(*rows, check) == [("1", False, 1), ("3", True, 1)]


def test_these_are_no_redo() -> None:
    """A check that passed, one that ran beside the work, and a step that another follows in a loop."""
    write: dict[str, Any] = {"step_name": "write", "step_kind": "agent"}
    rows = [made(1, "run", 1, 2, **write), made(3, "run", 5, 6, **write)]
    passed = made(2, "run", 3, 4, step_kind="guardrail")
    beside = made(2, "run", 1.5, 4, step_kind="guardrail", output_kind="rejection")
    tools = made(2, "run", 3, 4, step_name="tools", visit_key="graph/2")
    for other in (passed, beside, tools):
        assert [is_redo for _, is_redo, _ in redone(*rows, other)] == [False, False]


def test_step_that_failed_and_runs_again_after_others_is_a_redo() -> None:
    write: dict[str, Any] = {"step_name": "write"}
    rows = [made(1, "run", 1, 2, **write, **BAD), made(2, "run", 3, 4, step_name="fix"), made(3, "run", 5, 6, **write)]
    assert redone(*rows) == [("1", False, 1), ("3", True, 1)]
