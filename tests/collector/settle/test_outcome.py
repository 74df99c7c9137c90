"""How runs end, and which failure says so."""

from typing import Any

from tests.collector.settle.batches import made, settled

RUN = made("run", None, 0, 99, step_kind="workflow", workflow="w")
FAILED_RUN = made("run", None, 0, 99, step_kind="workflow", workflow="w", failed=True)
TOOL: dict[str, Any] = {"step_kind": "tool", "tool": "pay", "step_name": "pay"}
BAD: dict[str, Any] = {"failed": True, "error_type": "Boom"}


def ending(*rows: tuple[object, ...]) -> tuple[str, str | None, str | None]:
    run = settled(*rows).run[0]
    return run.outcome, run.failing_step, run.origin_span_id


def hiding(*rows: tuple[object, ...]) -> list[str]:
    return [f.span_id for f in settled(*rows).failure if f.code == "recovery.silent_failure"]


def roles(*rows: tuple[object, ...]) -> dict[str, tuple[str, bool, bool]]:
    return {f.span_id: (f.role, f.recovered, f.silent) for f in settled(*rows).failure}


def test_run_without_a_failure_is_clean() -> None:
    assert ending(RUN, made("a", "run", 1, 2)) == ("clean", None, None)


def test_failure_that_reaches_the_root_fails_the_run_and_its_deepest_span_is_the_origin() -> None:
    rows = [FAILED_RUN, made("node", "run", 1, 9, **BAD), made("call", "node", 2, 3, step_kind="llm", **BAD)]
    assert ending(*rows) == ("failed", "node", "call")
    assert roles(*rows) == {
        "run": ("propagated", False, False),
        "node": ("propagated", False, False),
        "call": ("root", False, False),
    }


def test_failure_below_a_step_that_ended_well_is_silent() -> None:
    rows = [RUN, made("node", "run", 1, 9), made("call", "node", 2, 3, **TOOL, **BAD)]
    assert ending(*rows) == ("silent", "node", "call")
    assert roles(*rows) == {"call": ("root", False, True), "node": ("propagated", False, True)}


def test_error_inside_an_output_is_a_failure() -> None:
    rows = [RUN, made("node", "run", 1, 9), made("call", "node", 2, 3, in_band_error="no such order", **TOOL)]
    assert ending(*rows) == ("silent", "node", "call")
    assert settled(*rows).failure[0].evidence == "no such order"


def test_answer_that_was_cut_short_is_a_failure() -> None:
    rows = [RUN, made("node", "run", 1, 9), made("call", "node", 2, 3, step_kind="llm", finish_reason="length")]
    assert ending(*rows) == ("silent", "node", "call")


def test_retry_that_worked_recovers_what_failed_below_the_first_try() -> None:
    rows = [
        RUN,
        made(1, "run", 1, 4, step_name="node", **BAD),
        made("call", 1, 2, 3, step_kind="llm", **BAD),
        made(2, "run", 5, 8, step_name="node"),
    ]
    assert ending(*rows) == ("recovered", "node", "call")
    assert roles(*rows) == {"1": ("propagated", True, False), "call": ("root", True, False)}


def test_same_tool_called_well_later_handles_the_failure() -> None:
    rows = [RUN, made(1, "run", 1, 2, input_hash=1, **TOOL, **BAD), made(2, "run", 5, 6, input_hash=2, **TOOL)]
    assert ending(*rows)[0] == "recovered"


def test_step_that_passes_on_the_error_of_a_tool_is_no_second_failure() -> None:
    """Although the tool itself is made good later, within the next try of the step."""
    bad = {"failed": True, "error_message": "no pool"}
    rows = [
        RUN,
        made(1, "run", 1, 4, step_name="node", failed=True, error_message="tool pay: no pool"),
        made("call", 1, 2, 3, **TOOL, **bad),
        made(2, "run", 5, 8, step_name="node"),
        made("again", 2, 6, 7, **TOOL),
    ]
    assert ending(*rows) == ("recovered", "node", "call")
    assert roles(*rows) == {"1": ("propagated", True, False), "call": ("root", True, False)}


def test_step_that_was_not_tried_again_is_not_made_good_by_a_later_visit() -> None:
    bad = {"failed": True, "error_message": "no pool"}
    rows = [
        RUN,
        made(1, "run", 1, 4, step_name="node", visit_key="1", input_hash=1, failed=True, error_message="no pool"),
        made("call", 1, 2, 3, **TOOL, **bad),
        made(2, "run", 5, 8, step_name="node", visit_key="2", input_hash=2),
        made("again", 2, 6, 7, **TOOL),
    ]
    assert ending(*rows) == ("silent", "node", "call")


def test_fallback_model_in_the_same_node_handles_the_failure() -> None:
    rows = [
        RUN,
        made("node", "run", 1, 9),
        made("large", "node", 2, 3, step_kind="llm", **BAD),
        made("small", "node", 4, 5, step_kind="llm"),
    ]
    assert ending(*rows) == ("recovered", "node", "large")


def test_model_call_of_another_step_handles_nothing() -> None:
    rows = [
        RUN,
        made("one", "run", 1, 2, step_kind="llm", finish_reason="length"),
        made("two", "run", 3, 4, step_kind="llm"),
    ]
    assert ending(*rows) == ("silent", "one", "one")


def test_error_text_that_a_model_merely_read_is_not_handled() -> None:
    agent = made("agent", None, 0, 9, step_kind="agent", agent="payer")
    assert ending(agent, made(1, "agent", 1, 2, **TOOL, **BAD), made(2, "agent", 3, 4, step_kind="llm"))[0] == "silent"


def test_exhausted_retries_fail_the_run_at_the_last_attempt() -> None:
    tries = [made(n, "run", n, n + 0.5, step_name="node", **BAD) for n in (1, 2, 3)]
    assert ending(FAILED_RUN, *tries) == ("failed", "node", "3")
    assert settled(FAILED_RUN, *tries).operation[0].outcome == "failed"


def test_earlier_failure_of_another_step_does_not_explain_the_end() -> None:
    rows = [
        FAILED_RUN,
        made("lookup", "run", 1, 3),
        made("call", "lookup", 2, 3, **TOOL, **BAD),
        made("parse", "run", 4, 5, **BAD),
    ]
    assert ending(*rows) == ("failed", "parse", "parse")
    assert roles(*rows)["call"] == ("root", False, True)


def test_cancelled_siblings_are_collateral() -> None:
    rows = [FAILED_RUN, made("a", "run", 1, 2, **BAD), made("b", "run", 1, 3, failed=True, collateral=True)]
    assert ending(*rows) == ("failed", "a", "a")
    assert roles(*rows)["b"] == ("collateral", False, False)


CANCELLED: dict[str, Any] = {"failed": True, "collateral": True, "error_type": "CancelledError"}


def test_run_that_was_cancelled_has_failed_where_it_stood() -> None:
    """Its caller's deadline is in no span. What was cancelled beside the deepest span is collateral."""
    rows = [
        made("run", None, 0, 99, step_kind="workflow", workflow="w", **CANCELLED),
        made("a", "run", 1, 9, **CANCELLED),
        made("call", "a", 2, 9, **TOOL, **CANCELLED),
        made("b", "run", 1, 9, **CANCELLED),
    ]
    assert ending(*rows) == ("failed", "a", "call")
    assert settled(*rows).run[0].code == "recovery.deadline"
    assert {i: role for i, (role, _, _) in roles(*rows).items()} == {
        "run": "propagated", "a": "propagated", "call": "root", "b": "collateral",
    }  # fmt: skip


def test_run_that_goes_on_after_a_cancelled_step_is_not_cancelled() -> None:
    assert ending(RUN, made("a", "run", 1, 9, **CANCELLED)) == ("clean", None, None)


def test_turn_fails_on_the_cut_answer_in_it_whatever_follows() -> None:
    """smolagents: the answer of a turn was cut short, and what could not be parsed is its echo."""
    turn = made("Step 1", "agent", 1, 4, step_kind="transport", failed=True, error_type="AgentParsingError")
    rows = [
        made("agent", None, 0, 9, step_kind="agent"),
        turn,
        made("generate", "Step 1", 2, 3, step_kind="llm", finish_reason="length"),
        made("Step 2", "agent", 5, 7, step_kind="transport"),
        made("answer", "Step 2", 6, 7, step_kind="llm"),
    ]
    assert (ending(*rows)[2], settled(*rows).run[0].code) == ("generate", "handoff.truncated")


def test_agent_whose_turn_failed_hides_nothing() -> None:
    """OpenAI Agents: the agent counts as failed by its turn, so it is the workflow that ended well."""
    rows = [
        RUN,
        made("agent", "run", 1, 9, step_kind="agent"),
        made("turn", "agent", 2, 8, step_kind="transport", framework="openai_agents", **BAD),
    ]
    assert hiding(*rows) == ["run"]


def test_suspicion_on_a_span_does_not_keep_it_from_hiding_a_failure() -> None:
    rows = [
        RUN,
        made("check", "run", 1, 2, step_kind="guardrail", output_kind="rejection"),
        made("deliver", "run", 3, 9),
        made("call", "deliver", 4, 5, in_band_error="no such order", **TOOL),
    ]
    assert {f.span_id: f.code for f in settled(*rows).failure if f.role == "root"}["deliver"] == "recovery.fail_open"
    assert hiding(*rows) == ["deliver"]


def test_tool_that_passes_on_the_error_of_the_agent_behind_it_is_no_failure_of_its_own() -> None:
    """OpenAI Agents: an agent used as a tool runs in a workflow of its own, which ends well whatever happens."""
    told = {"failed": True, "error_type": "429", "error_message": "Error code: 429 - slow down"}
    rows = [
        RUN,
        made("ask", "run", 1, 9, **{**TOOL, **told, "error_message": "Tool failed: Error code: 429 - slow down"}),
        made("inner", "ask", 2, 8, step_kind="workflow"),
        made("agent", "inner", 2, 8, step_kind="agent", **told),
        made("call", "agent", 3, 4, step_kind="llm", **told),
    ]
    assert ending(*rows)[2] == "call"
    assert settled(*rows).run[0].code == "component.rate_limited"
    assert hiding(*rows) == ["run"]
    other = {**told, "error_message": "no such order"}
    assert ending(RUN, made("ask", "run", 1, 9, **TOOL, **other), *rows[2:])[2] == "ask"


def test_failure_of_the_run_itself_has_no_step() -> None:
    assert ending(FAILED_RUN, made("a", "run", 1, 2)) == ("failed", None, "run")


def test_workflow_that_fails_under_an_ambient_span_has_failed() -> None:
    user = made("main", None, 0, 99, step_kind="workflow", dialect="generic")
    assert ending(user, made("flow", "main", 1, 9, step_kind="workflow", **BAD))[0] == "failed"


def test_interrupt_is_pending_until_its_step_ran_to_its_end() -> None:
    asked = made(1, "run", 1, 2, step_name="approval", interrupted=True)
    assert ending(RUN, asked) == ("pending", None, None)
    assert ending(RUN, asked, made(2, "run", 3, 4, step_name="approval"))[0] == "clean"


def test_root_that_has_not_ended_is_open() -> None:
    run = settled(made("run", None, 0, 0, step_kind="workflow"), made("a", "run", 1, 2, **BAD)).run[0]
    assert (run.outcome, run.end_ns, run.failing_step) == ("open", None, "a")


def test_run_without_a_root_is_open_until_it_is_quiet() -> None:
    rows = [made("a", "gone", 1, 2, received_ns=50), made("b", "gone", 3, 4, received_ns=60)]
    assert [settled(*rows, quiet_since_ns=ns).run[0].outcome for ns in (59, 60)] == ["open", "clean"]


def test_run_without_a_root_ends_as_its_last_step() -> None:
    rows = [made("a", "gone", 1, 2), made("b", "gone", 3, 4, **BAD)]
    run = settled(*rows).run[0]
    assert (run.root_span_id, run.outcome, run.failing_step) == (None, "failed", "b")


def test_late_parent_of_the_root_reopens_nothing_once_it_came() -> None:
    child = made("flow", "outer", 1, 5, step_kind="workflow", workflow="w")
    assert settled(child, quiet_since_ns=0).run[0].outcome == "open"
    assert settled(child, made("outer", None, 0, 9, dialect="generic"), quiet_since_ns=0).run[0].outcome == "clean"


def test_copy_of_a_call_that_was_cut_short_is_no_second_failure() -> None:
    cut = {"step_kind": "llm", "finish_reason": "length"}
    agent = made("agent", None, 0, 9, step_kind="agent")
    got = settled(agent, made("outer", "agent", 1, 5, **cut), made("inner", "outer", 2, 4, **cut))
    assert [failure.span_id for failure in got.failure if failure.role == "root"] == ["inner"]


def test_copy_that_alone_knows_that_a_call_was_cut_short_is_believed() -> None:
    agent = made("agent", None, 0, 9, step_kind="agent")
    inner = made("inner", "outer", 2, 4, step_kind="llm", finish_reason="length")
    got = settled(agent, made("outer", "agent", 1, 5, step_kind="llm"), inner)
    assert (got.run[0].outcome, got.operation[0].outcome) == ("silent", "failed")


def test_message_that_a_tool_failed_is_no_second_failure() -> None:
    got = settled(
        made("team", None, 0, 9, step_kind="workflow"),
        made("search", "team", 1, 2, step_kind="tool", tool="search", failed=True, error_type="ValueError"),
        made("process", "team", 3, 4, step_kind="transport", tool="search", in_band_error="no"),
    )
    assert [failure.span_id for failure in got.failure if failure.role == "root"] == ["search"]


def test_earlier_tries_of_what_failed_for_good_are_not_silent() -> None:
    bad = {"failed": True, "status_code": 2, "error_type": "APIError"}
    got = settled(
        made("graph", None, 0, 9, step_kind="workflow", **bad),
        made("one", "graph", 1, 2, step_name="node", **bad),
        made("chat1", "one", 1, 2, step_kind="llm", **bad),
        made("two", "graph", 3, 4, step_name="node", **bad),
        made("chat2", "two", 3, 4, step_kind="llm", **bad),
    )
    assert got.run[0].outcome == "failed"
    assert not any(failure.silent for failure in got.failure)


def test_failure_on_a_turn_is_that_of_the_last_step_in_it() -> None:
    """smolagents: what went wrong after the model's answer is told by the turn around it."""
    got = settled(
        made("agent", None, 0, 9, step_kind="agent"),
        made("Step 1", "agent", 1, 4, step_kind="transport", failed=True, error_type="AgentParsingError"),
        made("generate", "Step 1", 2, 3, step_kind="llm"),
        made("Step 2", "agent", 5, 7, step_kind="transport"),
        made("answer", "Step 2", 6, 7, step_kind="llm"),
    )
    assert (got.run[0].outcome, got.run[0].failing_step) == ("silent", "generate")


def test_run_that_fails_on_a_cut_answer_failed_of_the_cut_also_without_nodes() -> None:
    """The last step of the run was the call that was cut short; what could not be parsed is its echo."""
    rows = [
        FAILED_RUN,
        made("one", "run", 1, 2, step_kind="llm", finish_reason="stop"),
        made("two", "run", 3, 4, step_kind="llm", finish_reason="length"),
    ]
    assert ending(*rows) == ("failed", "two", "two")


def test_turn_that_failed_is_a_failed_try_of_its_agent() -> None:
    """OpenAI Agents notes an answer it cannot parse on the turn; the agent span ends well, and the next run of the
    agent makes it good."""
    rows = [
        RUN,
        made("a1", "run", 1, 4, step_name="writer", step_kind="agent"),
        made("turn", "a1", 2, 3, step_kind="transport", framework="openai_agents", **BAD),
        made("a2", "run", 5, 8, step_name="writer", step_kind="agent"),
    ]
    assert ending(*rows)[0] == "recovered"


def test_answer_of_an_agent_behind_a_tool_is_no_error_whatever_it_begins_with() -> None:
    rows = [
        RUN,
        made("ask", "run", 1, 4, in_band_error="Error 504 means that a gateway gave up", **TOOL),
        made("expert", "ask", 2, 3, step_kind="agent"),
    ]
    assert ending(*rows)[0] == "clean"


def test_way_out_that_the_workflow_took_handles_the_failure() -> None:
    """A step that is there for failures, by its name, ran well after one beside it failed."""
    bad = made("risky", "run", 1, 2, failed=True, error_type="Boom")
    for name in ("fallback_answer", "escalate to human", "on_error", "human_handoff"):
        assert settled(RUN, bad, made("next", "run", 3, 4, step_name=name)).run[0].outcome == "recovered"
    for other in (
        made("next", "run", 3, 4, step_name="human_review"),
        made("next", "run", 0.1, 0.2, step_name="fallback"),
        made("next", "run", 3, 4, step_name="fallback", failed=True),
    ):
        assert settled(RUN, bad, other).run[0].outcome == "silent"
