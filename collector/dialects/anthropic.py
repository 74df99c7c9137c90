"""Spans that Anthropic's own SDK makes: one per request, retries hidden inside and counted."""

from collector.dialects.common import finish_of
from collector.dialects.draft import Draft
from collector.dialects.genai import read as read_genai
from schemas.records import Attributes, Span


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One request of the SDK."""
    read_genai(span, attributes, draft)
    if draft.finish_reason is None:
        draft.finish_reason = finish_of(attributes.get("anthropic.message.stop_reason"))
