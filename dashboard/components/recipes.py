"""How to make each framework send its spans here, ready to paste."""

from dataclasses import dataclass, field
from typing import Final, Literal

Language = Literal["bash", "python", "yaml"]

PYTHON_BASE: Final = ("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http")
PYTHON_RUN: Final = "opentelemetry-instrument python your_agent.py"
TOKEN: Final = "<write token>"  # noqa: S105  # a place holder: the token itself never reaches a page

# Queue and batch of the SDK's span processor: its own default of 2,048 spans overflows within ten seconds at 200 spans
# a second, however fast a collector is.
QUEUE: Final = {
    "OTEL_BSP_MAX_QUEUE_SIZE": "65536",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2048",
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
}
GENAI: Final = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}


@dataclass(frozen=True)
class Target:
    """Where spans go."""

    http: str
    """Base address of OTLP/HTTP, such as http://127.0.0.1:4318."""
    grpc: str
    """Address of OTLP/gRPC, host and port."""
    token: bool
    """The collector wants a write token."""


@dataclass(frozen=True)
class Block:
    """One thing to paste."""

    title: str
    text: str
    language: Language


@dataclass(frozen=True)
class Recipe:
    """One way of one framework."""

    name: str
    packages: tuple[str, ...] = ()
    """On top of `PYTHON_BASE`; empty where nothing is to be installed beside the framework."""
    environment: dict[str, str] = field(default_factory=dict)
    code: str = ""
    """Python that must run once, before the first agent."""
    note: str = ""
    special: Literal["python", "n8n", "node", "sdk", "collector", "grpc"] = "python"


RECIPES: Final = (
    Recipe(
        "LangGraph and LangChain, OpenInference",
        ("openinference-instrumentation-langchain",),
        note="Names graph nodes, models, tools and retrievers. Do not add the OpenAI instrumentor beside it: "
        "tokens would arrive twice.",
    ),
    Recipe(
        "LangGraph and LangChain, OpenLLMetry",
        ("opentelemetry-instrumentation-langchain",),
        note="OpenLLMetry's package, which says error types and the hand-overs of LangGraph commands.",
    ),
    Recipe(
        "LangGraph and LangChain, LangSmith",
        ("langsmith[otel]",),
        {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_OTEL_ENABLED": "true",
            "LANGSMITH_OTEL_ONLY": "true",
            "LANGSMITH_API_KEY": "unused",
        },
        note="Works without a LangSmith account: nothing is sent there. Any key will do.",
    ),
    Recipe(
        "LangGraph and LangChain, official OpenTelemetry",
        ("opentelemetry-instrumentation-genai-langchain",),
        GENAI,
        note="Emits workflow, agent, model and tool spans, but no graph nodes: a failure inside a node shows on "
        "the run only.",
    ),
    Recipe(
        "AutoGen",
        (),
        code="# nothing to add: autogen-core finds the tracer provider by itself",
        note="AutoGen spreads one team run over many traces; Seamscope puts them together. OpenInference "
        "(openinference-instrumentation-autogen-agentchat) may run beside it.",
    ),
    Recipe(
        "Microsoft Agent Framework",
        (),
        {"ENABLE_SENSITIVE_DATA": "true"},
        note="Instrumentation is built in and on. ENABLE_SENSITIVE_DATA records inputs and outputs; leave it "
        "out to keep them private.",
    ),
    Recipe(
        "CrewAI, OpenInference",
        ("openinference-instrumentation-crewai",),
        {"CREWAI_DISABLE_TELEMETRY": "true"},
        note="Steps bear the role of their agent. CREWAI_DISABLE_TELEMETRY stops CrewAI's own calls home.",
    ),
    Recipe(
        "CrewAI, OpenLLMetry",
        ("opentelemetry-instrumentation-crewai",),
        {"CREWAI_DISABLE_TELEMETRY": "true"},
        note="Shows no tool calls of agents; with OpenInference they appear.",
    ),
    Recipe(
        "OpenAI Agents, OpenInference",
        ("openinference-instrumentation-openai-agents",),
        note="The fullest of the three for this framework: model calls, tools, handoffs.",
    ),
    Recipe("OpenAI Agents, OpenLLMetry", ("opentelemetry-instrumentation-openai-agents",)),
    Recipe(
        "OpenAI Agents, official OpenTelemetry",
        ("opentelemetry-instrumentation-genai-openai-agents",),
        GENAI,
        note="Emits no model spans of its own; add opentelemetry-instrumentation-genai-openai for those.",
    ),
    Recipe(
        "Pydantic AI",
        (),
        code="from pydantic_ai import Agent\n\nAgent.instrument_all()",
        note="Instrumentation is built in and off until that line runs.",
    ),
    Recipe(
        "Anthropic SDK",
        (),
        {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"},
        note="The SDK emits spans by itself from version 2 on. The setting records messages; leave it out to "
        "keep them private. "
        "Of all client libraries only this one says how often it re-sent a request.",
    ),
    Recipe(
        "OpenAI SDK",
        ("opentelemetry-instrumentation-genai-openai",),
        GENAI,
        note="OpenInference (openinference-instrumentation-openai) and OpenLLMetry "
        "(opentelemetry-instrumentation-openai) are read as well. Choose one. "
        "Add opentelemetry-instrumentation-httpx to see the SDK's own retries.",
    ),
    Recipe(
        "MCP 2",
        (),
        code="# nothing to add: the mcp package emits spans from version 2 on, client and server",
        note="Run the server with the same variables, and both sides meet in one run.",
    ),
    Recipe(
        "MCP 1",
        ("opentelemetry-instrumentation-mcp",),
        note="OpenLLMetry's package, for mcp below 2 only. It turns a client time-out into an AttributeError.",
    ),
    Recipe(
        "n8n",
        special="n8n",
        note="n8n does not trace manual test runs unless TRACES_PRODUCTION_ONLY is false. In Docker, 127.0.0.1 "
        "is the container: "
        "use the host's address, and start the collector with --host and a write token.",
    ),
    Recipe(
        "Pinecone",
        ("opentelemetry-instrumentation-pinecone==0.60.0",),
        note="Reads the pinecone client 7; with 10 the package emits nothing.",
    ),
    Recipe("LlamaIndex", ("openinference-instrumentation-llama-index",)),
    Recipe("smolagents", ("openinference-instrumentation-smolagents",)),
    Recipe("Haystack", ("openinference-instrumentation-haystack",)),
    Recipe("Google ADK", (), code="# nothing to add: google-adk finds the tracer provider by itself"),
    Recipe(
        "Your own Python code",
        special="sdk",
        note="Attributes gen_ai.operation.name (invoke_workflow, invoke_agent, chat, execute_tool) tell steps "
        "apart; without them spans still "
        "become steps by their names.",
    ),
    Recipe(
        "JavaScript with Node",
        special="node",
        note="Not gRPC: the JavaScript gRPC exporter never sends again after a refusal, so a restart of the "
        "collector would lose spans.",
    ),
    Recipe(
        "OpenTelemetry Collector",
        special="collector",
        note="Put a batch processor before the exporter, and keep its retry on: nothing is lost while Seamscope "
        "restarts.",
    ),
    Recipe("Anything over OTLP/gRPC", special="grpc"),
)


def blocks(recipe: Recipe, target: Target) -> list[Block]:
    """What to paste, in order."""
    match recipe.special:
        case "n8n":
            return [Block("Start n8n with", _exports(_n8n(target)), "bash")]
        case "node":
            return [
                Block("Install", "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node", "bash"),
                Block("Set", _exports(_standard(target)), "bash"),
                Block("Run", "node --require @opentelemetry/auto-instrumentations-node/register your_agent.js", "bash"),
            ]
        case "sdk":
            return [
                Block("Install", _install("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"), "bash"),
                Block("Run once, before the first span", _sdk(target), "python"),
            ]
        case "collector":
            return [Block("Add to its configuration", _collector(target), "yaml")]
        case "grpc":
            return [
                Block(
                    "Set",
                    _exports(
                        {
                            **_standard(target),
                            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{target.grpc}",
                            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                        }
                    ),
                    "bash",
                )
            ]
        case "python":
            return [
                Block("Install beside your agent", _install(*PYTHON_BASE, *recipe.packages), "bash"),
                Block("Set", _exports(_standard(target) | QUEUE | recipe.environment), "bash"),
                *([Block("In your code, before the first agent", recipe.code, "python")] if recipe.code else []),
                Block("Run", PYTHON_RUN, "bash"),
            ]


def _install(*packages: str) -> str:
    return "pip install " + " ".join(f'"{name}"' if "[" in name else name for name in packages)


def _exports(variables: dict[str, str]) -> str:
    return "\n".join(f"export {name}={_quoted(value)}" for name, value in variables.items())


def _quoted(value: str) -> str:
    return f'"{value}"' if any(sign in value for sign in " <>,") else value


def _standard(target: Target) -> dict[str, str]:
    found = {
        "OTEL_SERVICE_NAME": "my-agents",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=production,service.version=1.0.0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": target.http,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    # Values of this variable are URL-encoded by its specification: a bare space would end the token.
    return found | ({"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{TOKEN}"} if target.token else {})


def _n8n(target: Target) -> dict[str, str]:
    found = {
        "N8N_OTEL_ENABLED": "true",
        "N8N_OTEL_EXPORTER_OTLP_ENDPOINT": target.http,
        "N8N_OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "N8N_OTEL_EXPORTER_SERVICE_NAME": "n8n",
        "N8N_OTEL_TRACES_INCLUDE_NODE_SPANS": "true",
        "N8N_OTEL_TRACES_PRODUCTION_ONLY": "false",
    }
    return found | ({"N8N_OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {TOKEN}"} if target.token else {})


def _sdk(target: Target) -> str:
    headers = f', headers={{"authorization": "Bearer {TOKEN}"}}' if target.token else ""
    return f'''from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({{
    "service.name": "my-agents",
    "deployment.environment.name": "production",
}}))
exporter = OTLPSpanExporter(endpoint="{target.http}/v1/traces"{headers})
provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=65_536, max_export_batch_size=2_048))
trace.set_tracer_provider(provider)

tracer = trace.get_tracer("my-agents")
with tracer.start_as_current_span("refund_triage", attributes={{"gen_ai.operation.name": "invoke_workflow"}}):
    with tracer.start_as_current_span("ledger.query", attributes={{"gen_ai.operation.name": "execute_tool"}}):
        ...
'''


def _collector(target: Target) -> str:
    headers = f"\n    headers:\n      authorization: Bearer {TOKEN}" if target.token else ""
    return f"""exporters:
  otlp_http/seamscope:
    endpoint: {target.http}{headers}

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp_http/seamscope]
"""
