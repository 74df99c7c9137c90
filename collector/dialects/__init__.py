"""Dialects: what a span means in our words, whichever framework and instrumentation wrote it.

`normalise` is a pure function of one span. Each dialect is one module with a `read`; `scopes` finds it.
"""

import logging
import traceback
from pathlib import Path

from collector.dialects.attempts import read_attempt
from collector.dialects.checks import CHECKS, REVIEWS, is_checking, read_check
from collector.dialects.draft import Draft
from collector.dialects.evaluations import TELLING, read_evaluations
from collector.dialects.gaps import note_gaps
from collector.dialects.kinds import EVALUATOR
from collector.dialects.resources import facts_of
from collector.dialects.scopes import GENERIC, Dialect, dialect_of_attributes, dialect_of_scope
from schemas.records import Normalised, Scope, Span

__all__ = ["normalise"]

logger = logging.getLogger(__name__)

UNNAMED = "(unnamed)"
CACHED_SCOPES = 10_000  # scopes of hostile senders must not fill the memory
LOGGED_ERRORS = 100  # distinct ones; a broken dialect must not fill the disk either

_scopes: dict[int, Dialect | None] = {}
_logged: set[tuple[str, str]] = set()


def normalise(span: Span) -> Normalised:
    """What the span's dialect says about it. Never raises: what cannot be read is a gap."""
    dialect = _dialect_of(span.scope) or dialect_of_attributes(span.attributes)
    try:
        return _read(span, dialect)
    except Exception as error:
        _log_once(dialect.name, error)
    try:
        return _read(span, GENERIC, "dialect_error")
    except Exception as error:
        _log_once(GENERIC.name, error)
    draft = Draft()
    draft.step_name = UNNAMED
    draft.gap("dialect_error")
    return draft.finished()


def _read(span: Span, dialect: Dialect, gap: str | None = None) -> Normalised:
    draft = Draft()
    draft.dialect = dialect.name
    draft.framework = dialect.framework
    if gap is not None:
        draft.gap(gap)
    facts = facts_of(span.resource)
    draft.service = facts.service
    draft.environment = facts.environment
    draft.workflow_version = facts.version
    attributes = span.attributes
    dialect.read(span, attributes, draft)
    if draft.attempt is None:
        read_attempt(span, attributes, draft)
    if draft.step_kind in CHECKS or (draft.step_kind in REVIEWS and is_checking(draft.step_name)):
        read_check(span, attributes, draft)
    if facts.framework is not None:
        draft.framework = facts.framework
    if not draft.step_name.strip():
        draft.step_name = UNNAMED
    if span.events or draft.step_kind == EVALUATOR or not attributes.keys().isdisjoint(TELLING):
        read_evaluations(span, attributes, draft)
    note_gaps(draft)
    return draft.finished()


def _dialect_of(scope: Scope) -> Dialect | None:
    """The scope's dialect; worked out once per scope."""
    try:
        return _scopes[scope.scope_id]
    except KeyError:
        if len(_scopes) >= CACHED_SCOPES:
            _scopes.clear()
        found = _scopes[scope.scope_id] = dialect_of_scope(scope.name)
        return found


def _log_once(dialect: str, error: Exception) -> None:
    what = (dialect, repr(error)[:200])
    if what not in _logged and len(_logged) < LOGGED_ERRORS:
        _logged.add(what)
        at = traceback.extract_tb(error.__traceback__)[-1]  # not what it says: that may quote the span
        place = f"{Path(at.filename).name}:{at.lineno}"
        logger.error("dialect %s cannot read a span (%s in %s); it is generic", dialect, type(error).__name__, place)
