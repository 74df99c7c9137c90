"""What the demo writes looks like what the real instrumentations were recorded writing."""

import re
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import StatusCode

from demo_data.desk import DESKS
from demo_data.faults import NO_FAULT, Shows, faults_of
from demo_data.plan import Case, PlannedSpan
from demo_data.probes import LOOKALIKES, PROBES
from demo_data.workflows import WORKFLOWS
from tests.otlp import RECORDINGS

FAMILIES = {
    "refund_triage": ("langgraph-openinference",),
    "rag_answers": ("langgraph-openinference",),
    "market_brief": ("crewai-openllmetry",),
    "ops_assistant": ("pydantic_ai-default", "mcp2-native"),
    "lead_enrichment": ("n8n-builtin",),
    "claims_panel": ("autogen-builtin",),
    "desk-openinference": ("langgraph-openinference",),
    "desk-openllmetry": ("langgraph-openllmetry",),
    "desk-langsmith": ("langgraph-langsmith",),
    "desk-genai": ("langgraph-genai",),
    "desk-openai_agents": ("openai_agents-openinference",),
    "desk-pydantic_ai": ("pydantic_ai-default",),
}

Shape = tuple[str, str, int]
"""Scope name, kind of span (see `kind_of`), OTLP span kind."""


def numberless(key: str) -> str:
    """An attribute name with its indices taken out."""
    return re.sub(r"\.\d+\.", ".N.", key)


def kind_of(name: str, attributes: dict[str, object]) -> str:
    """What sort of span this is within its dialect."""
    for key in ("openinference.span.kind", "traceloop.span.kind", "messaging.operation", "mcp.method.name"):
        if key in attributes:
            return str(attributes[key])
    return str(attributes.get("gen_ai.operation.name", name))


@cache
def recorded(workflow: str) -> tuple[dict[Shape, set[str]], dict[str, str], dict[str, set[int]]]:
    """Attribute names by shape, version and statuses by scope, over a family's recordings."""
    keys: dict[Shape, set[str]] = {}
    versions: dict[str, str] = {}
    statuses: dict[str, set[int]] = {}
    for scope, span in recorded_spans(workflow):
        attributes = {pair.key: pair.value.string_value for pair in span.attributes}
        shape = (scope.name, kind_of(span.name, attributes), span.kind)
        keys.setdefault(shape, set()).update(numberless(key) for key in attributes)
        statuses.setdefault(scope.name, set()).add(span.status.code)
        versions[scope.name] = scope.version
    return keys, versions, statuses


def recorded_spans(workflow: str) -> Iterator[tuple]:
    """Scope and span of every recording of the workflow's families."""
    for family in FAMILIES[workflow]:
        for path in sorted(RECORDINGS.glob(f"{family}-*/*.pb")):
            request = ExportTraceServiceRequest.FromString(path.read_bytes())
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    yield from ((scope.scope, span) for span in scope.spans)


@cache
def written(workflow: str) -> tuple[PlannedSpan, ...]:
    """Spans of one clean run and of one run with each fault."""
    entry = (WORKFLOWS | DESKS)[workflow]
    version = entry.releases[-1][1]
    spans: list[PlannedSpan] = []
    probes = [fault for fault in (*PROBES, *LOOKALIKES) if fault.workflow == workflow and fault.shows not in BEYOND]
    for number, fault in enumerate((NO_FAULT, NO_FAULT, NO_FAULT, *faults_of(workflow, version), *probes)):
        spans += entry.plan(Case(Random(number), 1_790_000_000_000_000_000, "production", version, fault, 1)).spans
    return tuple(spans)


BEYOND = {Shows.FAIL_OPEN, Shows.PING_PONG, Shows.TOOLS_BYPASSED, Shows.JUDGED}
"""Played with spans that were not recorded: checks of the user's own, evaluators, agents that hand over."""


def shape_of(span: PlannedSpan) -> Shape:
    """The shape of a planned span; OTLP counts span kinds from 1."""
    return span.scope.name, kind_of(span.name, span.attributes), span.kind.value + 1


@pytest.mark.parametrize("workflow", FAMILIES)
def test_scopes_and_versions_are_the_recorded_ones(workflow: str) -> None:
    """The scope is what a dialect is recognised by."""
    _, versions, _ = recorded(workflow)
    for span in written(workflow):
        assert versions[span.scope.name] == (span.scope.version or "")


@pytest.mark.parametrize("workflow", FAMILIES)
def test_every_kind_of_span_was_recorded(workflow: str) -> None:
    """No kind attribute, operation or span kind is made up."""
    keys, _, _ = recorded(workflow)
    assert {shape_of(span) for span in written(workflow)} <= set(keys)


@pytest.mark.parametrize("workflow", FAMILIES)
def test_every_attribute_was_recorded_on_that_kind_of_span(workflow: str) -> None:
    """A dialect reads nothing in the demo that it would not find in the wild."""
    keys, _, _ = recorded(workflow)
    errors = {key for names in keys.values() for key in names} & {"error.type"}  # on whatever span that fails
    for span in written(workflow):
        unknown = {numberless(key) for key in span.attributes} - keys[shape_of(span)] - errors
        assert not unknown, (span.name, unknown)


@pytest.mark.parametrize("workflow", FAMILIES)
def test_good_spans_have_the_recorded_status(workflow: str) -> None:
    """Some dialects say OK, some leave it unset."""
    _, _, statuses = recorded(workflow)
    for span in written(workflow):
        if span.status is not StatusCode.ERROR:
            assert span.status.value in statuses[span.scope.name], span.name


@pytest.mark.parametrize(
    ("workflow", "root"),
    [
        ("refund_triage", "refund_triage"),
        ("rag_answers", "rag_answers"),
        ("market_brief", "crewai.workflow"),
        ("ops_assistant", "invoke_agent ops_assistant"),
        ("lead_enrichment", "workflow.execute"),
    ],
)
def test_roots_are_named_as_the_framework_names_them(workflow: str, root: str) -> None:
    """One root a run."""
    assert {span.name for span in written(workflow) if span.parent_id is None} == {root}


def test_a_group_chat_is_shattered_over_traces_that_link_back() -> None:
    """Every trace but those of set-up holds the team's id or links to one that does."""
    spans = WORKFLOWS["claims_panel"].plan(Case(Random(1), 1_790_000_000_000_000_000, "production", "0.3.0")).spans
    traces = {span.trace_id for span in spans}
    assert len(traces) > 15
    ids = {(span.trace_id, span.span_id) for span in spans}
    links = [link for span in spans for link in span.links]
    assert links
    assert all(tuple(link) in ids for link in links)


def test_children_lie_within_their_parents_except_a_late_mcp_server() -> None:
    """Only the server that answers after the client gave up outlives its parent."""
    for workflow in FAMILIES:
        spans = written(workflow)
        by_id = {(span.trace_id, span.span_id): span for span in spans}
        for span in spans:
            parent = by_id.get((span.trace_id, span.parent_id or 0))
            if parent is not None and span.end_ns > parent.end_ns:
                assert span.name == "tools/call query_metrics"
