"""Failed, interrupted, or neither, and the words for it.

A status alone is not trustworthy: LangSmith says OK on failures, control flow says ERROR.
NORMALISATION §2.2-2.5 holds what was seen; the names are those of the frameworks' own sources.
"""

import re

from collector.dialects.draft import ERROR_LIMIT, NAME_LIMIT, Draft
from schemas.records import Attributes, Span

STATUS_OK = 1
STATUS_ERROR = 2

INTERRUPTS = frozenset(
    {
        "GraphInterrupt",
        "NodeInterrupt",
        "Interrupt",
        "ApprovalRequired",
        "CallDeferred",
        "HumanFeedbackPending",
        "UserInputRequiredException",
    }
)
"""Exceptions by which a framework stops to wait for a human."""

CONTROL_FLOW = frozenset(
    {
        "ParentCommand",
        "GraphBubbleUp",
        "GraphDrained",
        "GeneratorExit",
        "StopAsyncIteration",
        "StopIteration",
        "FinalAnswerException",
    }
)
"""Exceptions by which a framework moves on; never failures."""

CANCELLED = frozenset({"CancelledError", "Cancelled"})
"""Somebody else failed or left: an echo where the span says ERROR, nothing where it does not."""

UNINFORMATIVE = frozenset({"Exception", "_OTHER", "BaseException", "object"})

AUTOGEN_ECHO = "Unhandled message in agent container"

READ_LIMIT = 20_000  # characters of a message or stack trace that patterns look at

_REPR = re.compile(r"([A-Za-z_][\w.]*)\((.*)\)\s*\Z", re.DOTALL)
_PREFIX = re.compile(r"([A-Z]\w*(?:\.\w+)*)(?:: |\()")
_CLASS = re.compile(r"(?:Error|Exception|Exceeded|Interrupt|Timeout|Failure|Triggered|Command|Retry|Exit|Refused)\Z")
_HTTP = re.compile(r"(?:Error code|status_code|HTTP(?:/\d(?:\.\d)?)?(?: status)?(?: code)?)[: ]+(\d{3})\b")
_NESTED = re.compile(r"^[ |+-]*((?:\w+\.)*[A-Z]\w*(?:Error|Exception|Timeout|Exceeded)): ?(.*)$", re.MULTILINE)


def short_class(name: str) -> str:
    """The class without its module, and without what Python prints around it."""
    return name.removeprefix("<class '").removesuffix("'>").rpartition(".")[2][:NAME_LIMIT]


def read_failure(span: Span, attributes: Attributes, draft: Draft, *, distrust_ok: bool = False) -> None:
    """Set failed, interrupted, collateral and the error's type and message.

    Args:
        span: the span.
        attributes: its attributes.
        draft: to be filled in.
        distrust_ok: the dialect says OK on failures too, so an exception event counts whatever the status.
    """
    if span.status_code != STATUS_ERROR and not span.events and "error.type" not in attributes:
        return
    kind, message = _exception(span)
    raised = kind is not None or message is not None
    declared = attributes.get("error.type")
    if declared.__class__ is int:
        declared = str(declared)
    elif declared.__class__ is not str:
        declared = None
    if span.status_code != STATUS_ERROR:
        if span.status_code == STATUS_OK and not distrust_ok:
            draft.interrupted = kind is not None and short_class(kind) in INTERRUPTS
            return
        if not raised and not declared:
            return
    record_failure(span, attributes, draft, declared, kind, message)


def record_failure(
    span: Span, attributes: Attributes, draft: Draft, declared: str | None, kind: str | None, message: str | None
) -> None:
    """The span does say that something went wrong: decide what it was.

    Args:
        span: the span.
        attributes: its attributes.
        draft: to be filled in.
        declared: the value of error.type.
        kind: the class of the last exception event.
        message: the message of the last exception event.
    """
    status_text = span.status_message
    name, text = _words(kind, message, status_text)
    if declared and short_class(declared) not in UNINFORMATIVE:
        name = short_class(declared)
    if name in INTERRUPTS:
        draft.interrupted = True
        return
    if name in CONTROL_FLOW or (name in CANCELLED and span.status_code != STATUS_ERROR):
        return
    draft.failed = True
    draft.collateral = name in CANCELLED or (text is not None and text.startswith(AUTOGEN_ECHO))
    code = attributes.get("http.response.status_code") or attributes.get("http.status_code")
    if code.__class__ is int and code >= 400:
        name = name or str(code)
        text = text or f"HTTP {code}"
    draft.error_type = name
    draft.error_message = text


def tell_retried(draft: Draft, event: Attributes) -> None:
    """Set the error's type and message from an event that tells of another try; the span itself has not failed."""
    kind = event.get("exception.type", event.get("error.type"))
    message = event.get("exception.message", event.get("error.message", event.get("error", event.get("reason"))))
    draft.error_type, draft.error_message = _words(
        kind if kind.__class__ is str else None, message if message.__class__ is str else None, ""
    )


def _exception(span: Span) -> tuple[str | None, str | None]:
    """Class and message of the last exception event; of a group, those of the last exception inside it."""
    for event in reversed(span.events):
        if event.name == "exception":
            kind = event.attributes.get("exception.type")
            message = event.attributes.get("exception.message")
            kind = kind if kind.__class__ is str else None
            message = message if message.__class__ is str else None
            if kind and kind.endswith("ExceptionGroup"):
                trace = event.attributes.get("exception.stacktrace")
                if trace.__class__ is str:
                    inner = [
                        found
                        for found in _NESTED.findall(trace[-READ_LIMIT:])
                        if not found[0].endswith("ExceptionGroup")
                    ]
                    if inner:
                        kind, message = inner[-1]
            return kind or "", message or ""
    return None, None


def _words(kind: str | None, message: str | None, status: str) -> tuple[str | None, str | None]:
    """Class and message in the same form for every dialect, whatever of them was said."""
    name = short_class(kind) if kind else None
    if name in UNINFORMATIVE:
        name = None
    text = (_without_trace(message or "") or _without_trace(status))[:READ_LIMIT]
    if name is None:
        name, text = _split(text)
    elif text.startswith(name) and text[len(name) : len(name) + 1] in ("", ":", "("):
        text = _split(text)[1].removeprefix(f"{name}:")
    if name is None and kind:
        name = short_class(kind)
    if (name is None or name in UNINFORMATIVE) and (found := _HTTP.search(text)):
        name = found.group(1)
    return name, _inner_error(text)[:ERROR_LIMIT] or None


def _inner_error(text: str) -> str:
    """OpenAI Agents wraps the error into a printed dict: `{'message': …, 'data': {'error': 'the error'}}`."""
    start = text.find("'error': ") + 9
    if start >= 9 and text.endswith("}") and text[start] in "'\"":
        end = text.rfind(text[start])
        if end > start + 1:
            return text[start + 1 : end]
    return text


def _without_trace(text: str) -> str:
    cut = text.find("Traceback (most recent call last)")
    return (text[:cut] if cut > 0 else text).strip()


def _split(text: str) -> tuple[str | None, str]:
    """`Name('message')` or `Name: message` taken apart; text without such a name is all message."""
    found = _PREFIX.match(text)
    if found is None or not _CLASS.search(found.group(1)):
        return None, text
    name = short_class(found.group(1))
    if text[found.end() - 1] == "(":
        whole = _REPR.match(text)
        inner = whole.group(2).strip() if whole else text[found.end() :]
        if name != "KeyError" and len(inner) >= 2 and inner[0] in "'\"" and inner[-1] == inner[0]:
            inner = inner[1:-1]
        return name, inner
    return name, text[found.end() :].strip()
