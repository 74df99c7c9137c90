"""Senders lie about types: nothing raises, nothing of a wrong type comes out, and what was wrong is a gap."""

import math
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.dialects import normalise
from collector.dialects.draft import ATTEMPT_LIMIT, COUNT_LIMIT, Draft
from collector.dialects.scopes import EXACT, MARKS
from schemas.records import Normalised, Span, SpanEvent
from schemas.taxonomy import StepKind
from tests.collector.dialects.spans import make_span
from tests.otlp import recorded_folders, recorded_spans

SCOPES = [
    *EXACT,
    "my.app",
    "openinference.instrumentation.langchain",
    "openinference.instrumentation.crewai",
    "openinference.instrumentation.openai_agents",
    "openinference.instrumentation.smolagents",
    "openinference.instrumentation.llama_index",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.crewai.instrumentation",
    "opentelemetry.instrumentation.pinecone",
    "opentelemetry.instrumentation.genai.openai",
    "autogen-core",
    "autogen SingleThreadedAgentRuntime",
    "com.anthropic.sdk.python",
]


def seen_attributes() -> dict[str, list[Any]]:
    """Every attribute name of the recordings with some of its values."""
    seen: dict[str, list[Any]] = {key: [] for key, _ in MARKS}
    seen["retry.attempt"] = [1, 10**11, -1, "3"]
    for folder in recorded_folders():
        for span in recorded_spans(folder):
            for key, value in span.attributes.items():
                values = seen.setdefault(key, [])
                if len(values) < 3:
                    values.append(value)
    return seen


SEEN = seen_attributes()

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=8)
    | st.sampled_from(
        ["", "{", "[", '{"a":', "[]", "{}", "null", "-1", "1e308", "٣", "\ud800", "Traceback", "9" * 400]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def attributes() -> st.SearchStrategy[dict[str, Any]]:
    """Real names with real values or anything else."""
    pair = st.sampled_from(sorted(SEEN)).flatmap(
        lambda key: st.tuples(st.just(key), (st.sampled_from(SEEN[key]) | anything) if SEEN[key] else anything)
    )
    return st.lists(pair, max_size=14).map(dict)


def events() -> st.SearchStrategy[tuple[SpanEvent, ...]]:
    names = st.sampled_from(["exception", "db.query.result", "gen_ai.choice"]) | st.text(max_size=5)
    keys = st.sampled_from(["exception.type", "exception.message", "exception.stacktrace", "other"])
    event = st.builds(SpanEvent, st.just(1), names, st.dictionaries(keys, anything, max_size=3), st.just(0))
    return st.lists(event, max_size=2).map(tuple)


def assert_sound(said: Normalised) -> None:
    """Each field has the type that its column wants."""
    for field, hint in get_type_hints(Normalised).items():
        value = getattr(said, field)
        if field == "gaps":
            assert all(type(gap) is str for gap in value)
        elif value is None:
            assert "None" in str(hint)
        else:
            assert type(value).__name__ in str(hint), field
    assert said.step_kind in set(StepKind)
    assert said.step_name
    for field in ("tokens_input", "tokens_output", "tokens_cached", "tokens_reasoning"):
        count = getattr(said, field)
        assert count is None or 0 <= count <= COUNT_LIMIT
    for field in ("attempt", "resend_count"):
        assert 0 <= (getattr(said, field) or 0) <= ATTEMPT_LIMIT
    assert said.cost_usd is None or math.isfinite(said.cost_usd)
    for field, limit in (("error_message", 2_000), ("in_band_error", 500)):
        assert len(getattr(said, field) or "") <= limit
    for field in ("step_name", "workflow", "agent", "model", "tool", "session_id", "error_type", "response_id"):
        assert len(getattr(said, field) or "") <= 210


@settings(max_examples=600, deadline=None)
@given(
    scope=st.sampled_from(SCOPES),
    attributes=attributes(),
    events=events(),
    name=st.text(max_size=30)
    | st.sampled_from(["autogen process x", "MCP send tools/call", "Step 1", "a.kickoff", ""]),
    status=st.integers(0, 3),
    message=st.text(max_size=40) | st.sampled_from(["TimeoutError: ", "Error code: 429", "KeyError('x')Traceback"]),
    root=st.booleans(),
    resource=attributes(),
)
def test_nothing_raises_and_nothing_wrong_comes_out(
    scope: str, attributes: Any, events: Any, name: str, status: int, message: str, root: bool, resource: Any
) -> None:
    span = make_span(
        scope, attributes, name=name, parent=None if root else "0" * 15 + "1", status=status, message=message,
        events=events, resource=resource,
    )  # fmt: skip
    said = normalise(span)
    assert_sound(said)
    assert "dialect_error" not in said.gaps


def test_recordings_come_out_sound() -> None:
    for folder in recorded_folders():
        for span in recorded_spans(folder):
            assert_sound(normalise(span))


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}


@pytest.mark.parametrize(
    ("value", "taken"),
    [(12, 12), ("12", 12), (12.0, 12), (0, 0), (-1, None), ("-1", None), ("1e3", None), (1.5, None), (math.nan, None),
     (math.inf, None), (1e308, None), (True, None), ([12], None), ({"a": 1}, None), (b"12", None), ("", None),
     ("9" * 40, None), (2**63 - 1, None)],
)  # fmt: skip
def test_a_token_count_is_a_plain_whole_number(value: object, taken: int | None) -> None:
    said = normalise(make_span(attributes={**CHAT, "gen_ai.usage.input_tokens": value}))
    assert said.tokens_input == taken
    assert ("tokens_input:type" in said.gaps) == (taken is None)


def test_a_kind_that_is_no_text_gives_a_generic_step_and_says_so() -> None:
    said = normalise(make_span("openinference.instrumentation.langchain", {"openinference.span.kind": 17}))
    assert (said.step_kind, said.step_name) == ("chain", "work")
    assert "step_kind:type" in said.gaps


def test_a_model_that_is_a_list_is_passed_over_for_the_next_name() -> None:
    said = normalise(
        make_span(attributes={**CHAT, "gen_ai.response.model": ["a", "b"], "gen_ai.conversation.id": {"x": 1}})
    )
    assert said.model == "m"
    assert said.session_id is None
    assert {"model:type", "session_id:type"} <= set(said.gaps)


def test_a_dialect_that_breaks_leaves_a_generic_step(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(span: Span, attributes: Any, draft: Draft) -> None:
        raise RuntimeError("no")

    span = make_span("n8n-workflow", {"n8n.node.name": "A"}, name="node.execute")
    monkeypatch.setattr(
        "collector.dialects._scopes", {span.scope.scope_id: EXACT["n8n-workflow"]._replace(read=broken)}
    )
    said = [normalise(span), normalise(span)][0]
    assert (said.dialect, said.step_kind, said.step_name) == ("generic", "chain", "node.execute")
    assert "dialect_error" in said.gaps
    assert len([record for record in caplog.records if "n8n" in record.message]) == 1


def test_draft_has_the_fields_of_the_record() -> None:
    assert tuple(get_type_hints(Draft)) == Normalised._fields
    assert {k: str(v) for k, v in get_type_hints(Draft).items()} == {
        k: str(v) for k, v in get_type_hints(Normalised).items()
    }
