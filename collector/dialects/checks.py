"""Whether a check rejected the work: a guardrail, an evaluator, or a step whose name says that it reviews."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from collector.dialects.content import parsed
from collector.dialects.draft import Draft
from collector.dialects.kinds import AGENT, CHAIN, EVALUATOR, GUARDRAIL
from schemas.records import Attributes, Span

CHECKS: Final = frozenset({GUARDRAIL, EVALUATOR})
REVIEWS: Final = frozenset({CHAIN, AGENT})
"""Kinds whose step may be a check by its name."""

REJECTION: Final = "rejection"
"""`output_kind` of a check that rejected the work."""

_CHECKING: Final = re.compile(
    r"verif|review|critic|critique|judge|(?<![a-z])grad(?:e|er|ing)(?![a-z])|validat|evaluat|reflect|approv|proofread|audit|moderat"
    r"|guardrail|(?:fact|quality|policy|safety)[ _-]?check",
    re.IGNORECASE,
)
_NO: Final = frozenset(
    {
        *("reject", "rejected", "rejection", "fail", "failed", "failure", "block", "blocked", "deny", "denied"),
        *("disapproved", "not approved", "not_approved", "unsafe", "invalid", "needs_revision", "needs revision"),
        *("revise", "tripped", "triggered"),
    }
)
_WORDS: Final = ("verdict", "decision", "label", "result", "status", "action", "outcome", "assessment")
"""Members of an answer whose text may be one of `_NO`."""
_GOOD: Final = (
    "passed",
    "pass",
    "approved",
    "is_approved",
    "accepted",
    "valid",
    "is_valid",
    "allowed",
    "safe",
    "is_safe",
)
"""Members that say false where the work is rejected."""
_BAD: Final = ("rejected", "blocked", "tripwire_triggered", "triggered", "flagged")
"""Members that say true where it is."""

_LABELS: Final = (
    "gen_ai.guardrail.result.value",
    "gen_ai.guardrail.result.type",
    "guardrail.result",
    "gen_ai.evaluation.score.label",
    "evaluation.score.label",
    "evaluation.label",
    "eval.label",
)
_FLAGS: Final = ("gen_ai.guardrail.triggered", "guardrail.triggered", "guardrail.tripwire_triggered")
_EVENTS: Final = frozenset({"gen_ai.guardrail.result", "gen_ai.evaluation.result"})
NEST_LIMIT: Final = 2
"""Answers within answers that are looked into: a node's update of the state holds its verdict under a key."""


@lru_cache(maxsize=4_096)
def is_checking(name: str) -> bool:
    """Whether a step's name says that it looks at what others did."""
    return _CHECKING.search(name) is not None


def read_check(span: Span, attributes: Attributes, draft: Draft) -> None:
    """Note a rejection, by attribute, by event, or by what the check answered."""
    said: Iterable[Attributes] = (attributes, *(e.attributes for e in span.events if e.name in _EVENTS))
    if any(_is_label(one) for one in said) or (
        draft.output_key is not None and rejects(parsed(attributes.get(draft.output_key)))
    ):
        draft.output_kind = REJECTION


def _is_label(attributes: Attributes) -> bool:
    return any(_is_no(attributes.get(key)) for key in _LABELS) or any(attributes.get(key) is True for key in _FLAGS)


def rejects(answer: Any, depth: int = 0) -> bool:
    """Whether an answer says no: one of the words for it, or a member of it that does."""
    if answer.__class__ is not dict:
        return _is_no(answer)
    return (
        any(answer.get(key) is False for key in _GOOD)
        or any(answer.get(key) is True for key in _BAD)
        or any(_is_no(answer.get(key)) for key in _WORDS)
        or (depth < NEST_LIMIT and any(rejects(parsed(v), depth + 1) for v in answer.values() if _is_inner(v)))
    )


def _is_inner(value: Any) -> bool:
    return value.__class__ is dict or (value.__class__ is str and value.startswith("{"))


def _is_no(value: Any) -> bool:
    return value.__class__ is str and len(value) <= 40 and value.strip().strip('".!').lower() in _NO
