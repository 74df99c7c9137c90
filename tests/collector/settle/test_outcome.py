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
