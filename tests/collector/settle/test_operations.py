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
