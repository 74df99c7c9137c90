"""Which spans are steps, and what is counted on them."""

from tests.collector.settle.batches import made, settled

RUN = made("run", None, 0, 99, step_kind="workflow", workflow="w")


def shape(*rows: tuple[object, ...]) -> list[tuple[str, int]]:
    return [(step.name, step.depth) for step in settled(*rows).step]


def test_wrappers_are_stripped_and_what_lies_in_them_moves_up() -> None:
    assert shape(
        RUN,
        made("inner", "run", 0, 99, step_kind="workflow"),
        made("send", "inner", 1, 9, step_kind="transport"),
        made("agent", "send", 2, 8, step_kind="agent"),
        made("turn", "agent", 3, 7, step_kind="transport"),
        made("model", "turn", 4, 6, step_kind="llm"),
    ) == [("agent", 1), ("model", 2)]


def test_steps_of_a_bare_agent_are_its_calls() -> None:
    agent = made("agent", None, 0, 9, step_kind="agent", agent="writer")
    got = settled(agent, made("model", "agent", 1, 2, step_kind="llm"), made("search", "agent", 3, 4, step_kind="tool"))
    assert (got.run[0].workflow, got.run[0].chain) == ("writer", ["model", "search"])


def test_agent_below_a_server_span_is_bare_too() -> None:
    server = made("POST /chat", None, 0, 9, step_kind="transport", dialect="http", kind=2)
    agent = made("agent", "POST /chat", 1, 8, step_kind="agent", agent="writer")
    got = settled(server, agent, made("model", "agent", 2, 3, step_kind="llm"))
    assert (got.run[0].workflow, got.run[0].chain) == ("writer", ["model"])


def test_protocol_requests_are_steps_only_where_nothing_else_encloses_them() -> None:
    plain = made("root", None, 0, 9, step_kind="workflow", dialect="generic")
    request = made("tools/list", "root", 1, 4, step_kind="protocol", dialect="mcp")
    served = made("tools/list-server", "tools/list", 2, 3, step_kind="protocol", dialect="mcp")
    assert shape(plain, request, served) == [("tools/list", 1)]
    assert shape(made("root", None, 0, 9, step_kind="agent"), request, served) == []


def test_twins_of_one_call_are_one_step_that_knows_what_either_knows() -> None:
    """MCP: the client span stays unset when the server says isError."""
    got = settled(
        RUN,
        made("client", "run", 1, 4, step_kind="tool", tool="refund", step_name="refund", dialect="mcp"),
        made(
            "server",
            "client",
            2,
            3,
            step_kind="tool",
            tool="refund",
            failed=True,
            error_type="tool_error",
            dialect="mcp",
        ),
    )
    assert [(s.span_id, s.status, s.error_type) for s in got.step] == [("client", "failed", "tool_error")]
    assert (got.run[0].outcome, got.run[0].origin_span_id) == ("silent", "server")


def test_crew_task_is_known_by_the_role_of_its_agent() -> None:
    crew = {"framework": "crewai"}
    got = settled(
        RUN,
        made("t1", "run", 1, 9, step_name="Write a very long text", **crew),
        made("a1", "t1", 2, 3, step_kind="agent", step_name="writer", **crew),
        made("a2", "t1", 4, 5, step_kind="agent", step_name="writer", **crew),
    )
    assert got.run[0].chain == ["writer"]
    assert [(op.name, op.depth, op.attempts) for op in got.operation] == [("writer", 1, 1), ("writer", 2, 2)]


def test_siblings_are_read_in_order_of_start_and_parents_before_children() -> None:
    got = settled(RUN, made("late", "run", 5, 6), made("early", "run", 1, 4), made("inside", "early", 2, 3))
    assert [(s.position, s.name, s.chain_step) for s in got.step] == [
        (0, "early", "early"),
        (1, "inside", "early"),
        (2, "late", "late"),
    ]


def test_loop_visits_are_numbered_and_repeat_in_the_chain() -> None:
    names = ["write", "check", "write"]
    got = settled(RUN, *(made(n, "run", n + 1, n + 2, step_name=name) for n, name in enumerate(names)))
    assert got.run[0].chain == names
    assert [(s.name, s.visit) for s in got.step] == [("write", 1), ("check", 1), ("write", 2)]


def test_sums_count_only_where_nothing_below_carries_counts() -> None:
    sums = {"step_kind": "agent", "tokens_input": 10, "tokens_output": 4, "tokens_are_sum": True}
    call = made("call", "one", 2, 3, step_kind="llm", tokens_input=9, tokens_output=3)
    got = settled(RUN, made("one", "run", 1, 4, **sums), call, made("two", "run", 5, 6, **sums))
    assert (got.run[0].tokens_input, got.run[0].tokens_output) == (19, 7)
    assert [(s.name, s.tokens_input) for s in got.step] == [("one", None), ("call", 9), ("two", 10)]


def test_copies_of_one_response_are_counted_once() -> None:
    copies = [made(n, "run", n, n + 1, step_kind="transport", tokens_input=5, response_id="m") for n in (1, 2, 3)]
    assert settled(RUN, *copies).run[0].tokens_input == 5


def test_tokens_that_nobody_says_are_not_zero() -> None:
    run = settled(RUN, made("call", "run", 1, 2, step_kind="llm")).run[0]
    assert (run.tokens_input, run.tokens_output, run.cost_usd) == (None, None, None)


def test_agent_that_only_puts_others_to_work_under_its_own_name_is_no_step() -> None:
    """ADK: a sequence is a workflow span, an agent span of the same name, and its agents."""
    spans = [
        made("flow", None, 0, 9, step_kind="workflow"),
        made("sequence", "flow", 0, 9, step_kind="agent", step_name="flow"),
        made("intake", "sequence", 1, 2, step_kind="agent"),
        made("delivery", "sequence", 3, 4, step_kind="agent"),
    ]
    assert settled(*spans).run[0].chain == ["intake", "delivery"]
    assert settled(*spans, made("chat", "sequence", 5, 6, step_kind="llm")).run[0].chain == ["flow"]


def test_bare_agent_that_two_instrumentations_saw_is_bare() -> None:
    agent = {"step_kind": "agent", "step_name": "solo"}
    got = settled(
        made("outer", None, 0, 9, **agent),
        made("inner", "outer", 1, 8, scope_id=2, **agent),
        made("chat", "inner", 2, 3, step_kind="llm"),
        made("search", "inner", 4, 5, step_kind="tool"),
    )
    assert got.run[0].chain == ["chat", "search"]
