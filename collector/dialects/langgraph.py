"""LangChain and LangGraph in whatever dialect: metadata tells a graph, a node of it, and one visit of the node."""

from typing import Any

from collector.dialects.draft import NAME_LIMIT, Draft, name_of
from collector.dialects.kinds import AGENT, CHAIN, LLM, WORKFLOW

AGENT_GRAPH = "langchain_create_agent"


def place_graph(name: str, draft: Draft, integration: object, node: object) -> None:
    """LangChain and LangGraph in any dialect: a chain span that is no node is a graph of its own."""
    if draft.framework == "langchain" and (node is not None or integration in ("langgraph", AGENT_GRAPH)):
        draft.framework = "langgraph"
    if draft.step_kind == CHAIN and node != name:
        if integration == AGENT_GRAPH and (node is None or name != "LangGraph") and is_graph_name(name):
            draft.step_kind = AGENT
            draft.agent = name[:NAME_LIMIT]
        elif node is None and integration == "langgraph":
            draft.step_kind = WORKFLOW


def is_graph_name(name: str) -> bool:
    """Not one of the runnables that LangChain puts around a user's own."""
    return not name.startswith(("Runnable", "ChannelWrite", "ChannelRead", "__"))


def read_metadata(draft: Draft, metadata: dict[str, Any]) -> None:
    """What LangChain's metadata says: session and the visit of a graph node."""
    if draft.session_id is None:
        for key in ("session_id", "thread_id", "conversation_id"):
            draft.session_id = name_of(metadata.get(key))
            if draft.session_id:
                break
    if draft.step_kind == LLM:
        if draft.model is None:
            draft.model = name_of(metadata.get("ls_model_name"))
        if draft.provider is None:
            draft.provider = name_of(metadata.get("ls_provider"))
    set_visit(draft, metadata.get("langgraph_checkpoint_ns"), metadata.get("langgraph_step"))


def set_visit(draft: Draft, namespace: object, step: object) -> None:
    """One visit of a graph node: its checkpoint namespace and the graph's step. Attempts share both."""
    if step.__class__ is int and namespace.__class__ is str and namespace:
        draft.visit_key = f"{namespace[:NAME_LIMIT]}|{step}"
