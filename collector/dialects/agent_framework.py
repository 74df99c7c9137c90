"""Microsoft Agent Framework: GenAI names for agents, models and tools; its own for workflows and their executors."""

from collector.dialects.common import (
    GENAI,
    read_content,
    without_uuid,
)
from collector.dialects.draft import NAME_LIMIT, Draft, name_of, pick
from collector.dialects.errors import read_failure
from collector.dialects.genai import read as read_genai
from collector.dialects.kinds import CHAIN, SETUP, TRANSPORT, WORKFLOW
from schemas.records import Attributes, Span


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One Agent Framework span."""
    if "gen_ai.operation.name" in attributes:
        read_genai(span, attributes, draft)
        return
    name = span.name
    executor = name_of(attributes.get("executor.id"))
    if name.startswith("workflow.build"):
        draft.step_kind = SETUP
    elif name.startswith("workflow.") or "workflow.run" in name:
        draft.step_kind = WORKFLOW
    elif name.startswith("executor.process") or executor:
        draft.step_kind = CHAIN
    else:
        draft.step_kind = TRANSPORT
    if draft.step_kind in (WORKFLOW, SETUP):
        said = pick(draft, "workflow", attributes, ("workflow.name", "workflow_builder.name", "workflow.id"))
        draft.workflow = without_uuid(said) if said else None
        draft.step_name = draft.workflow or "workflow"
    else:
        draft.step_name = (
            executor or without_uuid(name.removeprefix("executor.process "))[:NAME_LIMIT] or name[:NAME_LIMIT]
        )
    read_failure(span, attributes, draft)
    read_content(attributes, draft, GENAI)
