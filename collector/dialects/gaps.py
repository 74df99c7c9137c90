"""What a span of its kind should say and did not; counted on the data-quality panel."""

from collector.dialects.draft import Draft
from collector.dialects.kinds import LLM, TOOL


def note_gaps(draft: Draft) -> None:
    """Add a gap for each field that a complete span of this kind carries."""
    kind = draft.step_kind
    if draft.dialect == "generic":
        draft.gap("dialect")
    if kind == LLM:
        _note_llm(draft)
    elif kind == TOOL:
        _note_tool(draft)
    if draft.failed and draft.error_type is None:
        draft.gap("error_type")


def _note_llm(draft: Draft) -> None:
    if draft.model is None:
        draft.gap("model")
    if draft.failed:
        return
    if draft.tokens_input is None:
        draft.gap("tokens_input")
    if draft.step_name == "embeddings":
        return
    if draft.tokens_output is None:
        draft.gap("tokens_output")
    if draft.finish_reason is None:
        draft.gap("finish_reason")


def _note_tool(draft: Draft) -> None:
    if draft.tool is None:
        draft.gap("tool")
    if draft.input_key is None:
        draft.gap("input")
    if draft.output_key is None and not draft.failed:
        draft.gap("output")
