"""Arrival order has no say: any permutation of a batch gives equal rows."""

from itertools import chain

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.settle import settle, strays
from tests.collector.settle.batches import QUIET_NS, made, recorded_rows, table
from tests.otlp import recorded_folders

FAMILIES = [
    "autogen-builtin-rate-limit",
    "autogen-builtin-good-in-user-span",
    "client-anthropic-genai-client-retry",
    "crewai-openllmetry-guardrail-error",
    "langgraph-genai-node-retry",
    "langgraph-langsmith-parallel",
    "langgraph-openinference-recursion",
    "langgraph-openllmetry-interrupt",
    "mcp2-native-tool-error",
    "n8n-builtin-subworkflow",
    "openai_agents-openinference-mcp-tool-error",
    "pydantic_ai-default-fallback-model",
]


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FAMILIES), st.randoms(use_true_random=False))
def test_any_order_of_a_recording_gives_equal_rows(folder, random):  # type: ignore[no-untyped-def]
    rows = list(recorded_rows(folder))
    in_order = settle(table(rows), QUIET_NS)
    random.shuffle(rows)
    assert settle(table(rows), QUIET_NS) == in_order
    assert strays(table(rows)) == strays(table(list(recorded_rows(folder))))


def test_recordings_settle_alike_alone_and_together() -> None:
    """What else is in the batch changes no run: recordings share neither traces nor keys."""
    folders = recorded_folders()
    together = settle(table(list(chain.from_iterable(recorded_rows(folder) for folder in folders))), QUIET_NS)
    alone = [run for folder in folders for run in settle(table(recorded_rows(folder)), QUIET_NS).run]
    assert sorted(together.run) == sorted(alone)


kinds = st.sampled_from(["workflow", "chain", "agent", "llm", "tool", "transport", "protocol", "setup"])
small_spans = st.lists(
    st.tuples(kinds, st.integers(0, 6), st.integers(0, 5), st.integers(0, 6), st.booleans(), st.sampled_from("xy")),
    max_size=7,
)


@settings(max_examples=500, deadline=None)
@given(small_spans, st.randoms(use_true_random=False))
def test_any_order_of_nonsense_gives_equal_rows(spans, random):  # type: ignore[no-untyped-def]
    """Cycles, self-parents, orphans, several roots, skewed clocks: rows come out, and the same ones."""
    rows = [
        made(n, parent, start, end, trace=trace, step_kind=kind, failed=failed, step_name=kind, tokens_input=1)
        for n, (kind, parent, start, end, failed, trace) in enumerate(spans)
    ]
    in_order = settle(table(rows), QUIET_NS)
    random.shuffle(rows)
    assert settle(table(rows), QUIET_NS) == in_order
    assert all(step.self_ns >= 0 for step in in_order.step)
    assert sum(trace.spans for trace in in_order.trace) == len(rows)
