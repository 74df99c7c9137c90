"""n8n's built-in spans: `workflow.execute` and its nodes; identity is in attributes, names are generic."""

from collector.dialects.draft import NAME_LIMIT, Draft, name_of, pick
from collector.dialects.errors import STATUS_ERROR, read_failure
from collector.dialects.kinds import AGENT, CHAIN, LLM, RETRIEVAL, TOOL, TRANSPORT, WORKFLOW
from schemas.records import Attributes, Span

LANGCHAIN = "@n8n/n8n-nodes-langchain."
FAILED = frozenset({"error", "crashed"})
CANCELLED = ("canceled", "cancelled")


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One n8n span."""
    name = span.name
    if attributes.get("n8n.test") is True or name == "n8n.test_trace":
        draft.step_kind = TRANSPORT
        draft.step_name = name
        return
    if name == "workflow.execute" or "n8n.workflow.id" in attributes:
        _read_workflow(span, attributes, draft)
    else:
        _read_node(attributes, draft)
    read_failure(span, attributes, draft)
    if draft.failed and draft.error_type is None:
        draft.error_type = name_of(attributes.get("n8n.execution.error_type"))
    if draft.failed and draft.error_type is None and _was_cancelled(attributes):
        draft.collateral, draft.error_type = True, "Cancelled"


def _was_cancelled(attributes: Attributes) -> bool:
    """A workflow that was stopped, or a node that was still at work when its workflow ended."""
    if attributes.get("n8n.node.termination_reason") == "workflow_cancelled":
        return True
    return attributes.get("n8n.execution.status") in CANCELLED


def _read_workflow(span: Span, attributes: Attributes, draft: Draft) -> None:
    draft.step_kind = WORKFLOW
    draft.workflow = pick(draft, "workflow", attributes, ("n8n.workflow.name", "n8n.workflow.id"))
    draft.workflow_version = pick(draft, "workflow_version", attributes, ("n8n.workflow.version_id",))
    draft.step_name = draft.workflow or "workflow"
    execution = pick(draft, "run_key", attributes, ("n8n.execution.id",))
    if execution is not None:
        instance = name_of(span.resource.attributes.get("n8n.instance.id")) or ""
        draft.run_key = f"n8n:{instance}/{execution}"
    status = attributes.get("n8n.execution.status")
    draft.interrupted = status == "waiting"
    if status in FAILED and span.status_code != STATUS_ERROR:
        draft.failed = True
        draft.error_type = name_of(attributes.get("n8n.execution.error_type"))


def _read_node(attributes: Attributes, draft: Draft) -> None:
    kind = attributes.get("n8n.node.type")
    draft.step_kind = kind_of_node(kind) if kind.__class__ is str else CHAIN
    draft.step_name = pick(draft, "step_name", attributes, ("n8n.node.name", "n8n.node.id")) or "node"
    if draft.step_kind == TOOL:
        draft.tool = draft.step_name
    elif draft.step_kind == AGENT:
        draft.agent = draft.step_name
    if kind is None:
        draft.gap("step_kind")


def kind_of_node(node_type: str) -> str:
    """The kind of a node by its type: `n8n-nodes-base.httpRequest`, `@n8n/n8n-nodes-langchain.lmChatOpenAi`."""
    short = node_type.rpartition(".")[2][:NAME_LIMIT]
    if node_type.startswith(LANGCHAIN):
        if short.startswith(("lm", "openAi", "anthropic", "googleGemini", "embeddings")):
            return LLM
        if short.startswith(("vectorStore", "retriever", "reranker")):
            return RETRIEVAL
        if short == "agent" or short.startswith("agent"):
            return AGENT if short != "agentTool" else TOOL
        return TOOL if short.startswith(("tool", "mcpClient")) else CHAIN
    if short.startswith(("httpRequest", "graphql", "mcp")) or short.endswith("Tool"):
        return TOOL
    return CHAIN
