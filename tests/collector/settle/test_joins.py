"""Which spans are one run."""

from collector.settle import Stray, strays
from tests.collector.settle.batches import SECOND_NS, made, settled, table

TEAM = {"run_key": "autogen:team", "dialect": "autogen"}


def chat(prefix: str, start: float) -> list[tuple[object, ...]]:
    """One AutoGen group chat: announced, started, one agent, one acknowledgement; each in a trace of its own."""
    return [
        made("create", None, start, start + 3, trace=f"{prefix}0", step_kind="transport", kind=4, **TEAM),
        made(
            "send",
            None,
            start + 0.1,
            start + 1,
            trace=f"{prefix}1",
            step_kind="workflow",
            workflow="Team",
            kind=4,
            **TEAM,
        ),
        made("publish", None, start + 2, start + 4, trace=f"{prefix}2", step_kind="transport", kind=4, **TEAM),
        made("writer", "publish", start + 2, start + 3, trace=f"{prefix}2", step_kind="agent", dialect="autogen"),
        made("ack", None, start + 4, start + 5, trace=f"{prefix}3", step_kind="transport", kind=5, **TEAM),
    ]


def test_team_that_runs_twice_is_two_runs() -> None:
    got = settled(*chat("a", 10), *chat("b", 20))
    assert [(run.run_id, run.root_span_id, run.workflow, run.chain) for run in got.run] == [
        ("a1", None, "Team", ["writer"]),
        ("b1", None, "Team", ["writer"]),
    ]
    assert [run.trace_ids for run in got.run] == [["a0", "a1", "a2", "a3"], ["b0", "b1", "b2", "b3"]]


def test_span_that_started_a_shattered_run_is_its_root() -> None:
    """AutoGen with an instrumentor around the team: the last messages outlive the call."""
    _, _, *others = chat("a", 10)
    inside = made("send", "team", 10.1, 11, trace="a1", step_kind="workflow", workflow="Team", kind=4, **TEAM)
    team = made(
        "team", None, 10, 14.5, trace="a1", step_kind="workflow", workflow="Crew of one", dialect="openinference"
    )
    run = settled(team, inside, *others).run[0]
    assert (run.root_span_id, run.workflow, run.chain, len(run.trace_ids)) == ("team", "Crew of one", ["writer"], 3)


def test_set_up_is_no_run() -> None:
    got = settled(
        made("create_agent", None, 0, 1, step_kind="setup"), made("get", None, 1, 2, trace="h", step_kind="transport")
    )
    assert got.run == []
    assert [(trace.trace_id, trace.run_id) for trace in got.trace] == [("h", None), ("t", None)]


def ambient(**said: object) -> list[tuple[object, ...]]:
    return [
        made("outer", None, 0, 9, dialect="generic", **said),
        made("load", "outer", 0, 1, dialect="generic"),
        made("first", "outer", 1, 4, step_kind="workflow", workflow="refund"),
        made("a", "first", 1, 2),
    ]


def test_workflow_under_an_ambient_span_is_that_run() -> None:
    got = settled(*ambient(step_kind="workflow", workflow="outer"))
    assert [(run.run_id, run.root_span_id, run.workflow, run.chain) for run in got.run] == [
        ("t", "outer", "outer", ["load", "a"])
    ]


def test_workflow_under_a_server_span_gives_the_run_its_name() -> None:
    got = settled(*ambient(step_kind="transport", kind=2))
    assert [(run.root_span_id, run.workflow) for run in got.run] == [("outer", "refund")]


def test_several_workflows_under_an_ambient_span_are_runs_of_their_own() -> None:
    second = [made("second", "outer", 5, 8, step_kind="workflow", workflow="refund"), made("b", "second", 5, 6)]
    got = settled(*ambient(step_kind="transport", kind=2), *second)
    assert [(run.run_id, run.root_span_id, run.chain) for run in got.run] == [
        ("t", "first", ["a"]),
        ("t-second", "second", ["b"]),
    ]
    assert [trace.run_id for trace in got.trace] == ["t"]


def test_workflows_one_after_another_in_one_trace_are_two_runs() -> None:
    """A resumed n8n execution has a second root in the trace of the first."""
    got = settled(
        made("run", None, 0, 4, step_kind="workflow", run_key="n8n:1/7"),
        made("ask", "run", 1, 2, interrupted=True),
        made("resume", None, 50, 54, step_kind="workflow", run_key="n8n:1/7"),
        made("send", "resume", 51, 52),
    )
    assert [(run.run_id, run.outcome, run.chain) for run in got.run] == [
        ("t", "pending", ["ask"]),
        ("t-resume", "clean", ["send"]),
    ]


def test_sub_workflow_beside_its_caller_lies_below_it() -> None:
    got = settled(
        made("run", None, 0, 9, step_kind="workflow", dialect="n8n"),
        made("call", "run", 1, 8),
        made("child", "run", 2, 7, step_kind="workflow", dialect="n8n"),
        made("node", "child", 3, 4),
    )
    assert got.run[0].chain == ["call"]
    assert [(step.name, step.depth) for step in got.step] == [("call", 1), ("child", 2), ("node", 3)]


def graph_and_strays(response_id: str | None) -> list[tuple[object, ...]]:
    """Double instrumentation under async LangGraph: the client library's spans are roots of traces of their own."""
    llm = {"step_kind": "llm", "tokens_input": 7, "tokens_output": 2}
    return [
        made("graph", None, 0, 9, trace="g", step_kind="workflow", workflow="graph"),
        made("node", "graph", 1, 8, trace="g"),
        made("ChatOpenAI", "node", 2, 4, trace="g", response_id=response_id, **llm),
        made(
            "ChatOpenAI2", "node", 2, 5, trace="g", step_name="ChatOpenAI", response_id=response_id and "other", **llm
        ),
        made("call", None, 2.5, 3.5, trace="s1", response_id=response_id, dialect="openinference", **llm),
        made("call", None, 6, 7, trace="s2", response_id="elsewhere", dialect="openinference", **llm),
    ]


def test_stray_model_call_joins_the_run_of_its_response() -> None:
    got = settled(*graph_and_strays("resp-1"))
    assert [(run.run_id, run.trace_ids, run.tokens_input) for run in got.run] == [
        ("g", ["g", "s1"], 14),
        ("s2", ["s2"], 7),
    ]
    assert [step.name for step in got.step if step.run_id == "g"] == ["node", "ChatOpenAI", "ChatOpenAI"]


def test_stray_without_a_response_id_joins_the_call_around_it() -> None:
    got = settled(*graph_and_strays(None))
    assert [(run.run_id, run.tokens_input) for run in got.run] == [("g", 14), ("s2", 7)]


def test_stray_of_another_resource_is_left_alone() -> None:
    graph = graph_and_strays(None)[:4]
    elsewhere = made("call", None, 2.5, 3.5, trace="s1", step_kind="llm", resource_id=2)
    assert [run.run_id for run in settled(*graph, elsewhere).run] == ["g", "s1"]


def test_strays_say_what_finds_their_run() -> None:
    assert strays(table(graph_and_strays("resp-1")))[0] == Stray(
        "s1", 1, "resp-1", int(2.5 * SECOND_NS), int(3.5 * SECOND_NS)
    )


def test_bare_model_call_is_a_run_named_by_its_service() -> None:
    got = settled(made("embeddings", None, 0, 1, step_kind="llm"))
    assert [(run.workflow, run.chain, run.outcome) for run in got.run] == [("shop", ["embeddings"], "clean")]


def test_values_only_the_root_says_are_those_of_the_run() -> None:
    got = settled(
        made("run", None, 0, 9, step_kind="workflow", workflow="w", session_id="s", workflow_version="3"),
        made("a", "run", 1, 2, environment="prod", service="shop"),
    )
    run = got.run[0]
    assert (run.session_id, run.workflow_version, run.environment, run.service) == ("s", "3", "prod", "shop")


def test_client_call_beside_the_framework_under_an_ambient_span_is_a_copy() -> None:
    llm = {"step_kind": "llm", "tokens_input": 7, "response_id": "r"}
    got = settled(
        made("request", None, 0, 9, dialect="generic", step_kind="workflow"),
        made("graph", "request", 1, 8, step_kind="workflow", framework="langgraph"),
        made("node", "graph", 1, 8, framework="langgraph"),
        made("ChatOpenAI", "node", 2, 5, framework="langgraph", **llm),
        made("chat", "request", 3, 4, scope_id=2, **llm),
    )
    assert [(run.chain, run.tokens_input, run.operations) for run in got.run] == [(["node"], 7, 2)]


def test_a_call_of_one_run_is_never_taken_for_one_that_another_run_makes_meanwhile() -> None:
    """Two requests served by one process at once: each keeps its model call, settled together or apart."""

    def served(trace: str, start: float, end: float, **said: object) -> list[tuple[object, ...]]:
        call = {"trace": trace, "step_kind": "llm", "dialect": "genai", **said}
        return [
            made(f"{trace}-http", None, start, end, trace=trace, dialect="generic"),
            made(f"{trace}-chat", f"{trace}-http", start + 1, end - 1, **call),
        ]

    one, other = served("a", 0, 20, framework="semantic_kernel"), served("b", 4, 10)
    together = settled(*one, *other)
    apart = [*settled(*one).run, *settled(*other).run]
    assert [(run.run_id, run.steps, run.chain) for run in together.run] == [
        (run.run_id, run.steps, run.chain) for run in apart
    ]
    assert [run.steps for run in together.run] == [2, 2]


def test_cancelled_stray_belongs_to_the_cancelled_step_around_it() -> None:
    cancelled = {"failed": True, "collateral": True, "error_type": "CancelledError", "status_code": 2}
    got = settled(
        made("graph", None, 0, 9, trace="g", step_kind="workflow"),
        made("legal", "graph", 1, 5, trace="g", **cancelled),
        made("tone", "graph", 1.5, 5, trace="g", **cancelled),
        made("chat", None, 2, 4, trace="s1", step_kind="llm", **cancelled),
        made("chat", None, 2, 4, trace="s2", step_kind="llm", **cancelled),
        made("chat", None, 2, 4, trace="s3", step_kind="llm"),
    )
    assert [(run.run_id, run.trace_ids) for run in got.run] == [("g", ["g", "s1", "s2"]), ("s3", ["s3"])]


def test_call_that_two_client_libraries_saw_is_one_run() -> None:
    outer = made("chat", None, 0, 5, trace="a", step_kind="llm", model="m", tokens_input=7)
    inner = made("create", None, 1, 4, trace="b", step_kind="llm", model="m", tokens_input=7, scope_id=2)
    other = made("create", None, 1, 4, trace="c", step_kind="llm", model="n", tokens_input=7, scope_id=2)
    assert [(r.trace_ids, r.tokens_input) for r in settled(outer, inner, other).run] == [(["a", "b"], 7), (["c"], 7)]


def test_strays_of_parallel_calls_find_one_call_each() -> None:
    llm = {"step_kind": "llm", "tokens_input": 7}
    got = settled(
        made("graph", None, 0, 9, trace="g", step_kind="workflow"),
        made("one", "graph", 1, 6, trace="g", **llm),
        made("two", "graph", 1.5, 7, trace="g", **llm),
        made("chat", None, 2, 5, trace="s1", response_id="r1", **llm),
        made("chat", None, 3, 5.5, trace="s2", response_id="r2", **llm),
    )
    assert [(run.trace_ids, run.tokens_input) for run in got.run] == [(["g", "s1", "s2"], 14)]


def test_messages_count_only_where_no_model_call_does() -> None:
    message = made("process", "team", 1, 2, step_kind="transport", tokens_input=7, response_id="autogen:1")
    call = made("create", "team", 1, 2, step_kind="llm", tokens_input=7)
    team = made("team", None, 0, 9, step_kind="workflow")
    assert settled(team, message).run[0].tokens_input == 7
    assert settled(team, message, call).run[0].tokens_input == 7


def test_counts_below_a_wrapper_are_those_of_the_agent_above() -> None:
    agent = made("agent", None, 0, 9, step_kind="agent", tokens_input=7, tokens_are_sum=True)
    turn = made("turn", "agent", 1, 8, step_kind="transport")
    call = made("create", "turn", 2, 3, step_kind="llm", tokens_input=7)
    assert settled(agent, turn, call).run[0].tokens_input == 7
