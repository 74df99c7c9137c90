"""How often a span was tried, in its own words.

No convention has an attempt number; these are what applications, proxies and retry libraries write. A number or a
count is the last word: where none is said, retry events are counted.
"""

from typing import Final

from collector.dialects.draft import ATTEMPT_LIMIT, Draft, attempt_of, count_of
from collector.dialects.errors import STATUS_ERROR, tell_retried
from schemas.records import Attributes, Span

NUMBERS: Final = ("retry.attempt", "gen_ai.retry.attempt", "llm.retry.attempt", "retry.attempt_number")
"""The attempt this span is, or ended with; from 1."""

COUNTS: Final = ("retry.count", "gen_ai.retry.count", "gen_ai.request.retry_count", "llm.retry.count", "retry_count")
"""How often it was tried again."""

EVENTS: Final = frozenset(
    {"retry", "gen_ai.retry", "gen_ai.request.retry", "llm.retry", "retry_attempt", "retry.attempt", "retrying"}
)
"""Names of events that each tell of one more try."""


def read_attempt(span: Span, attributes: Attributes, draft: Draft) -> None:
    """Set the attempt that the span ended with."""
    for key in NUMBERS:
        if key in attributes:
            draft.attempt = attempt_of(attributes[key])
            return
    for key in COUNTS:
        if key in attributes:
            again = count_of(attributes[key])
            draft.attempt = None if again is None else attempt_of(again + 1)
            return
    if span.events:
        _read_events(span, draft)


def _read_events(span: Span, draft: Draft) -> None:
    """Count retry events. An exception before the last of them was tried again: it alone fails no span."""
    again = [at for at, event in enumerate(span.events) if event.name.lower() in EVENTS]
    if not again:
        return
    draft.attempt = min(len(again) + 1, ATTEMPT_LIMIT)
    if draft.failed and span.status_code != STATUS_ERROR:
        draft.failed = any(event.name == "exception" for event in span.events[again[-1] + 1 :])
    elif not draft.failed and draft.in_band_error is None:
        tell_retried(draft, span.events[again[-1]].attributes)
