"""What each dialect says about real recordings, reviewed by eye: one line per span, only the fields that are set."""

import json
from pathlib import Path

import pytest

from collector.dialects import normalise
from schemas.records import Normalised
from tests.otlp import recorded_spans

GOLDEN = Path(__file__).parent / "golden"

RECORDINGS = {
    "openinference-langchain": (
        "langgraph-openinference-good",
        "langgraph-openinference-tool-error",
        "langgraph-openinference-agent-unknown-tool",
        "langgraph-openinference-routing-error",
    ),
    "openinference-crewai": (
        "crewai-openinference-delegation",
        "crewai-openinference-flow-error",
        "crewai-openinference-tool-error",
    ),
    "openinference-openai_agents": (
        "openai_agents-openinference-good",
        "openai_agents-openinference-handoff-error",
        "openai_agents-openinference-mcp-tool-error",
    ),
    "openinference-clients": (
        "client-openai-openinference-rate-limit",
        "client-openai-openinference-responses-embeddings",
        "client-anthropic-openinference-filter",
    ),
    "openllmetry-langchain": (
        "langgraph-openllmetry-tool-error",
        "langgraph-openllmetry-parallel",
        "langgraph-openllmetry-interrupt",
        "langgraph-openllmetry-handoff",
    ),
    "openllmetry-crewai": (
        "crewai-openllmetry-delegation",
        "crewai-openllmetry-guardrail-error",
        "crewai-openllmetry-tool-error",
    ),
    "langsmith": (
        "langgraph-langsmith-tool-error",
        "langgraph-langsmith-handoff-error",
        "langgraph-langsmith-interrupt",
        "langgraph-langsmith-agent",
    ),
    "genai": (
        "langgraph-genai-tool-error",
        "langgraph-genai-parallel",
        "openai_agents-genai-rate-limit",
        "client-openai-v2-stream",
        "client-openai-v2-latest-responses-embeddings",
        "client-anthropic-genai-client-retry",
        "grpc-manual-good",
    ),
    "anthropic": ("client-anthropic-none-timeout", "client-anthropic-none-client-retry"),
    "autogen": ("autogen-builtin-mcp-tool-error", "autogen-builtin-rate-limit", "autogen-builtin-handoff-error"),
    "pydantic_ai": (
        "pydantic_ai-default-mcp-tool-error",
        "pydantic_ai-v2-fallback-model",
        "pydantic_ai-v2-unknown-tool",
        "pydantic_ai-v2-usage-limit",
    ),
    "mcp": ("mcp2-native-good", "mcp2-native-timeout", "mcp2-openinference-bad-resource", "mcp1-openinference-timeout"),
    "n8n": ("n8n-builtin-rate-limit", "n8n-builtin-subworkflow"),
    "database": ("pinecone-openllmetry-good", "pinecone-openllmetry-error"),
}

UNSET = (None, False, ())
OMITTED = frozenset({
    "step_kind", "step_name",                     # said first
    "service", "environment", "workflow_version", # of the resource: the same everywhere
    "input_hash", "output_hash",                  # rules of their own
    "cost_usd",                                   # depends on the price library's data
})  # fmt: skip


def line_of(name: str, said: Normalised) -> str:
    """One span as a line of JSON."""
    fields = {key: value for key, value in said._asdict().items() if key not in OMITTED and value not in UNSET}
    return json.dumps({"span": name, said.step_kind: said.step_name, **fields}, ensure_ascii=False)


def lines_of(folder: str) -> list[str]:
    """A recording as lines, in order of start."""
    spans = sorted(recorded_spans(folder), key=lambda span: (span.start_ns, span.span_id))
    return [f"# {folder}", *(line_of(span.name, normalise(span)) for span in spans)]


@pytest.mark.parametrize("dialect", RECORDINGS)
def test_recordings_normalise_as_reviewed(dialect: str, update_golden: bool) -> None:
    text = "\n".join(line for folder in RECORDINGS[dialect] for line in lines_of(folder)) + "\n"
    golden = GOLDEN / f"{dialect}.jsonl"
    if update_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), "read the diff; if it is right, run again with --update-golden"
