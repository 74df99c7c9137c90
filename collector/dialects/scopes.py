"""Which dialect reads a span: by the name of its instrumentation scope, else by the attributes it carries."""

from typing import NamedTuple

from collector.dialects import (
    adk,
    agent_framework,
    anthropic,
    autogen,
    database,
    genai,
    generic,
    langsmith,
    mcp,
    n8n,
    openinference,
    openllmetry,
    pydantic_ai,
)
from collector.dialects.draft import Reader
from schemas.records import Attributes


class Dialect(NamedTuple):
    """A way of reading spans, and the framework that its scope names."""

    name: str
    read: Reader
    framework: str | None = None


GENERIC = Dialect("generic", generic.read)

EXACT = {
    "langsmith": Dialect("langsmith", langsmith.read, "langchain"),
    "agent_framework": Dialect("agent_framework", agent_framework.read, "agent_framework"),
    "pydantic-ai": Dialect("pydantic_ai", pydantic_ai.read, "pydantic_ai"),
    "pydantic_ai": Dialect("pydantic_ai", pydantic_ai.read, "pydantic_ai"),
    "pydantic-graph": Dialect("pydantic_ai", pydantic_ai.read, "pydantic_ai"),
    "mcp-python-sdk": Dialect("mcp", mcp.read),
    "fastmcp": Dialect("mcp", mcp.read),
    "n8n-workflow": Dialect("n8n", n8n.read, "n8n"),
    "strands.telemetry.tracer": Dialect("genai", genai.read, "strands"),
    "gcp.vertex.agent": Dialect("adk", adk.read, "adk"),
    "opentelemetry.util.genai.handler": Dialect("genai", genai.read),
    "opentelemetry.instrumentation.openai_v2": Dialect("genai", genai.read),
    "opentelemetry.instrumentation.google_genai": Dialect("genai", genai.read),
    "opentelemetry.instrumentation.openai_agents_v2": Dialect("genai", genai.read, "openai_agents"),
}

TRACELOOP_NAMES = frozenset(
    {
        "langchain",
        "crewai",
        "openai_agents",
        "openai",
        "anthropic",
        "mcp",
        "llamaindex",
        "haystack",
        "cohere",
        "bedrock",
        "groq",
        "mistralai",
        "ollama",
        "replicate",
        "together",
        "transformers",
        "vertexai",
        "google_generativeai",
        "watsonx",
        "sagemaker",
        "alephalpha",
        "agno",
        "writer",
        "voyageai",
    }
)
"""OpenLLMetry's instrumentations; they share their prefix with OpenTelemetry's own."""

STORES = frozenset({"pinecone", "chromadb", "weaviate", "qdrant", "milvus", "lancedb", "marqo"})

FRAMEWORKS = {
    "langchain": "langchain",
    "langgraph": "langgraph",
    "crewai": "crewai",
    "autogen": "autogen",
    "autogen_agentchat": "autogen",
    "openai_agents": "openai_agents",
    "llama_index": "llama_index",
    "llamaindex": "llama_index",
    "smolagents": "smolagents",
    "haystack": "haystack",
    "agno": "agno",
    "dspy": "dspy",
    "pydantic_ai": "pydantic_ai",
    "google_adk": "adk",
    "agent_framework": "agent_framework",
    "strands_agents": "strands",
    "beeai": "beeai",
    "n8n": "n8n",
    "claude_agent_sdk": "claude_agent_sdk",
}
"""Last part of an instrumentation's name -> framework; clients of one provider are none."""


PREFIXES: tuple[tuple[str, str, Reader], ...] = (
    ("openinference.instrumentation.", "openinference", openinference.read),
    ("@arizeai/openinference-instrumentation-", "openinference", openinference.read),
    ("opentelemetry.instrumentation.genai.", "genai", genai.read),
    ("@traceloop/instrumentation-", "openllmetry", openllmetry.read),
    ("traceloop.", "openllmetry", openllmetry.read),
    ("com.anthropic.sdk.", "anthropic", anthropic.read),
)
"""Families of scopes; what follows the prefix names the framework or the client library."""

CLASSIC = "opentelemetry.instrumentation."


def dialect_of_scope(name: str) -> Dialect | None:
    """The dialect that the scope's name tells; None where only attributes can tell."""
    known = EXACT.get(name)
    if known is not None:
        return known
    if name.startswith("autogen"):
        return Dialect("autogen", autogen.read, "autogen")
    for prefix, dialect, read in PREFIXES:
        if name.startswith(prefix):
            return Dialect(dialect, read, _framework(name[len(prefix) :]))
    if name.startswith(CLASSIC):
        part = name[len(CLASSIC) :].partition(".")[0]
        if part in TRACELOOP_NAMES:
            return Dialect("openllmetry", openllmetry.read, _framework(part))
        if part in STORES:
            return Dialect("database", database.read)
    return None


def _framework(part: str) -> str | None:
    return FRAMEWORKS.get(part.partition(".")[0].replace("-", "_"))


MARKS = (
    ("openinference.span.kind", Dialect("openinference", openinference.read)),
    ("traceloop.span.kind", Dialect("openllmetry", openllmetry.read)),
    ("langsmith.span.kind", EXACT["langsmith"]),
    ("gen_ai.operation.name", Dialect("genai", genai.read)),
    ("mcp.method.name", Dialect("mcp", mcp.read)),
    ("n8n.node.type", EXACT["n8n-workflow"]),
    ("n8n.workflow.id", EXACT["n8n-workflow"]),
    ("gen_ai.request.model", Dialect("genai", genai.read)),
    ("gen_ai.tool.name", Dialect("genai", genai.read)),
    ("gen_ai.system", Dialect("genai", genai.read)),
    ("http.request.method", Dialect("http", generic.read_http)),
    ("http.method", Dialect("http", generic.read_http)),
    ("db.system.name", Dialect("database", database.read)),
    ("db.system", Dialect("database", database.read)),
)
"""Attributes by which a span tells its dialect, most telling first."""


def dialect_of_attributes(attributes: Attributes) -> Dialect:
    """The dialect that the attributes tell; generic where none does."""
    for key, dialect in MARKS:
        if key in attributes:
            return dialect
    return GENERIC
