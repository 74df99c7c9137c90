"""A provider's answer, where a dialect stores it whole: id, finish reason and model are only in there."""

import re
from typing import Any

import orjson

from collector.dialects.common import finish_of, provider_id
from collector.dialects.draft import NAME_LIMIT, Draft, count_of, name_of

RESPONSE_LIMIT = 65_536  # characters of a response worth parsing for its id

_PRINTED = (
    re.compile(
        r"(?:ChatCompletion|ModelResponse)\(id='(?P<id>[^']{1,200})'.{0,300}?"
        r"Choices?\(finish_reason='(?P<reason>\w{1,40})'"
    ),
    re.compile(r"_meta=\{(?:'\w{1,40}': [^,{}]{1,200}, ){0,4}'finish_reason': '(?P<reason>\w{1,40})'"),
)
"""An answer of a client library as smolagents prints it, and a chat message of Haystack."""


def object_of(text: str) -> dict[str, Any] | None:
    """The JSON object behind the text; None where it is none."""
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if value.__class__ is dict else None


def read_text_response(draft: Draft, output: object) -> None:
    """Fill in what an answer, stored as JSON text, says and no attribute did."""
    if output.__class__ is not str:
        return
    text: str = output
    if draft.response_id is None and text.startswith('{"id":"'):
        end = text.find('"', 7)
        if 7 < end < NAME_LIMIT:
            draft.response_id = text[7:end]
    if draft.response_id is not None and draft.finish_reason is not None and draft.tokens_cached is not None:
        return
    if text.startswith("{") and len(text) <= RESPONSE_LIMIT:
        response = object_of(text)
        if response:
            read_response(draft, response)
    if draft.finish_reason is None:
        _read_printed(draft, text[:RESPONSE_LIMIT])


def _read_printed(draft: Draft, text: str) -> None:
    """Finish reason and id out of a Python repr; the last one, for what a model wrote comes before it."""
    for pattern in _PRINTED:
        for found in pattern.finditer(text):
            said = found.groupdict()
            draft.finish_reason = finish_of(said["reason"])
            draft.response_id = draft.response_id or said.get("id")


def read_response(draft: Draft, response: dict[str, Any]) -> None:
    """Id, finish reason and model of a provider's answer, plain or as LangChain's LLMResult."""
    generations = response.get("generations")
    choices = response.get("choices")
    if generations.__class__ is list and generations and generations[0].__class__ is list and generations[0]:
        first = generations[0][0]
        message = first.get("message") if first.__class__ is dict else None
        inner = message.get("kwargs") if message.__class__ is dict else None
        said = inner.get("response_metadata") if inner.__class__ is dict else None
        if said.__class__ is not dict:
            said = {}
        draft.response_id = draft.response_id or name_of(said.get("id"))
        details = first.get("generation_info") if first.__class__ is dict else None
        reason = said.get("finish_reason") or said.get("stop_reason")
        if not reason and details.__class__ is dict:
            reason = details.get("finish_reason")
        draft.finish_reason = draft.finish_reason or finish_of(reason)
        model = name_of(said.get("model_name"))
        if model:
            draft.model = model
        if inner.__class__ is dict:
            draft.response_id = draft.response_id or provider_id(name_of(inner.get("id")))
            _read_usage(draft, inner.get("usage_metadata"))
        return
    draft.response_id = draft.response_id or name_of(response.get("id")) or name_of(response.get("response_id"))
    if draft.finish_reason is None:
        first = choices[0] if choices.__class__ is list and choices else None
        reason = first.get("finish_reason") if first.__class__ is dict else None
        draft.finish_reason = finish_of(reason or response.get("stop_reason") or response.get("finish_reason"))


def _read_usage(draft: Draft, usage: object) -> None:
    """LangChain's own token counts, where the span has none or fewer."""
    if usage.__class__ is not dict:
        return
    said: dict[str, Any] = usage
    taken = said.get("input_token_details")
    given = said.get("output_token_details")
    if draft.tokens_input is None:
        draft.tokens_input = count_of(said.get("input_tokens"))
        draft.tokens_output = count_of(said.get("output_tokens"))
    if draft.tokens_cached is None and taken.__class__ is dict:
        draft.tokens_cached = count_of(taken.get("cache_read"))
    if draft.tokens_reasoning is None and given.__class__ is dict:
        draft.tokens_reasoning = count_of(given.get("reasoning"))
