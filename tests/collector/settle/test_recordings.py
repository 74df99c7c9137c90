"""Recorded runs of real frameworks settle to the truth by construction."""

import re

import pytest

from collector.settle import RunRow, Settled, settle
from tests.collector.settle.batches import QUIET_NS, Expected, expected_runs, recorded_rows, table

EXPECTED = expected_runs()

IDS = [f"{expected.folder}-{expected.run_no}" for expected in EXPECTED]

LEFT_OUT = {
    "mcp1-native-good": "the MCP server is another process and mcp 1.x carries no context to it",
    "mcp1-openinference-good": "the MCP server is another process and mcp 1.x carries no context to it",
    "mcp2-native-timeout": "the cancelling notification is a trace of its own that names nothing of the run",
}
"""Recordings one of whose traces nothing in the spans joins to the run."""

UNNAMED = {"crewai-openinference-flow-error", "crewai-openllmetry-flow"}
"""The flow's class is in no span."""

UNREADABLE_CHAIN = {"pydantic_ai-v2-graph": "the graph leaves no span, so the agent is all there is of the run"}

NOT_IN_SPANS = {"autogen-builtin-selector", "autogen-builtin-selector-bad-route"}
"""Part of the tokens was used by calls that leave no span."""

each_run = pytest.mark.parametrize("expected", EXPECTED, ids=IDS)


def settled(folder: str) -> Settled:
    return settle(table(recorded_rows(folder)), QUIET_NS)


def run_of(expected: Expected) -> RunRow:
    return next(run for run in settled(expected.folder).run if run.root_trace_id == expected.root_trace_id)


def chain_pattern(chain: str) -> str:
    """A pattern for the chain: `model` is any one step, a name in brackets any number of steps or none."""
    parts = (
        "(?:[^>]+>)*" if p.startswith("(") else "[^>]+>" if p == "model" else re.escape(p) + ">"
        for p in chain.split(">")
    )
    return "".join(parts)


@each_run
def test_a_recorded_run_is_one_run_of_the_right_traces(expected: Expected) -> None:
    runs = settled(expected.folder).run
    assert len(runs) == sum(other.folder == expected.folder for other in EXPECTED)
    traces = frozenset(run_of(expected).trace_ids) - expected.setup_traces
    missing = (expected.trace_ids - expected.setup_traces) - traces
    assert traces <= expected.trace_ids
    assert len(missing) == (expected.folder in LEFT_OUT)


@each_run
def test_a_recorded_run_has_its_workflow_name(expected: Expected) -> None:
    if expected.folder not in UNNAMED:
        assert run_of(expected).workflow == expected.workflow


@each_run
def test_a_recorded_run_has_its_chain(expected: Expected) -> None:
    if expected.folder not in UNREADABLE_CHAIN:
        chain = "".join(f"{name}>" for name in run_of(expected).chain)
        assert re.fullmatch(chain_pattern(expected.chain), chain), chain


@each_run
def test_a_recorded_run_has_its_outcome(expected: Expected) -> None:
    assert run_of(expected).outcome in expected.outcomes


@each_run
def test_failure_of_a_recorded_run_has_its_code_and_its_origin(expected: Expected) -> None:
    run = run_of(expected)
    if expected.codes and expected.observable == "yes":
        assert run.code in expected.codes
        assert run.origin_span_id in expected.origins


@each_run
def test_tokens_of_a_recorded_run_are_counted_once(expected: Expected) -> None:
    run = run_of(expected)
    if run.tokens_input is not None and expected.folder not in NOT_IN_SPANS:
        assert run.tokens_input == pytest.approx(int(expected.tokens_in), abs=1)
        assert (run.tokens_output or 0) == pytest.approx(int(expected.tokens_out), abs=1)


@each_run
def test_a_clean_recorded_run_shows_no_failure_and_no_retry(expected: Expected) -> None:
    run = run_of(expected)
    if "clean" in expected.outcomes and len(expected.outcomes) == 1:
        rows = settled(expected.folder)
        assert not [failure for failure in rows.failure if failure.run_id == run.run_id]
        assert all(op.outcome == "ok" and op.first_try_ok for op in rows.operation if op.run_id == run.run_id)


@each_run
def test_a_prefix_of_a_recording_settles(expected: Expected) -> None:
    """Late spans leave rows of what is there: whole-run figures never count more than has arrived."""
    rows = recorded_rows(expected.folder)
    for share in (0.3, 0.7):
        arrived = rows[: int(len(rows) * share)]
        partial = settle(table(arrived), 0)
        assert sum(trace.spans for trace in partial.trace) == len(arrived)
        assert sum(run.spans for run in partial.run) <= len(arrived)
