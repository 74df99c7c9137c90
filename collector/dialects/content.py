"""Inputs and outputs: which attribute holds them, whether two are equal, whether an output is an error in disguise."""

import hashlib
import re
from typing import Any

import orjson

from collector.dialects.draft import ERROR_LIMIT, IN_BAND_LIMIT, NAME_LIMIT, Draft
from collector.dialects.kinds import AGENT, CHAIN, HANDOFF, LLM, RETRIEVAL, TOOL
from schemas.records import Attributes

PARSE_LIMIT = 16_384  # characters of JSON worth parsing on the acknowledgement path
HASH_WHOLE = 16_384  # longer texts are told apart by length, head and tail
HASH_END = 8_192
BLOCK_LIMIT = 20  # content blocks of one result that are looked at
NEST_LIMIT = 5  # wrappers around a tool's own result

TOOLISH = frozenset({TOOL, HANDOFF, RETRIEVAL})
"""Kinds whose output is the tool's own word, so an error text in it is an error."""

FOUND = ("documents", "matches", "results", "nodes")
"""Where a look-up puts what it found."""

HASHED_INPUT = frozenset(
    {
        LLM,
        TOOL,
        HANDOFF,
        RETRIEVAL,
        AGENT,
        CHAIN,
    }
)
HASHED_OUTPUT = frozenset({TOOL, HANDOFF, RETRIEVAL, AGENT, CHAIN})

PROBES = {
    "llm.input_messages.": ("llm.input_messages.0.message.role", "llm.input_messages.0.message.content"),
    "llm.output_messages.": ("llm.output_messages.0.message.role", "llm.output_messages.0.message.content"),
    "retrieval.documents.": ("retrieval.documents.0.document.content", "retrieval.documents.0.document.id"),
    "gen_ai.prompt.": ("gen_ai.prompt.0.role", "gen_ai.prompt.0.content"),
    "gen_ai.completion.": ("gen_ai.completion.0.role", "gen_ai.completion.0.content"),
}
"""One content spread over numbered attributes, and what tells that it is there."""

ERROR_TEXT = re.compile(
    r"""\s*(?:
      (?:tool\ |mcp\ |http\ |execution\ )?error\b\ ?(?::|\d|(?:executing|invoking|calling|running|while|occurred|in)\ )
    | an\ error\ occurred | i\ encountered\ an\ error | failed\ to\ (?:call|execute|invoke)\b
    | tool\ (?:execution|call|invocation)\ (?:failed|error)
    | unknown\ tool\b | tool\ not\ found | tool\ (?:with\ name\ )?'?\w+'?\ (?:is\ )?not\ found
    | agent\ '?\w+'?\ not\ found\.\ please\ select | action\ '.{1,80}'\ don't\ exist | invoking\ `.{1,80}`\ failed\b
    | \[error\] | ❌\ ?error\b | encountered\ error: | exception\ occurred\b
    | traceback\ \(most\ recent | (?:\w+\.)*\w+(?:error|exception)(?::|\() | exception:
    | (?-i:(?:\w+\.)*[A-Z]\w*Timeout)(?::|\()
    | http(?:/\d(?:\.\d)?)?\ [45]\d\d\b | request\ failed\ with\ status\ code\ [45]\d\d
    | (?:connection\ refused|rate\ limit\ exceeded|max\ retries\ exceeded|timed\ out\ after)\b
    | [45]\d\d\ (?:bad\ request|unauthorized|forbidden|not\ found|too\ many|internal\ server)
    | [45]\d\d\ (?:bad\ gateway|service\ unavailable|gateway\ time)
    | no\ (?:results|matching\ documents)\ (?:were\ )?found\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a tool's own text begins when it is an error; looked for at the start only."""
_ERROR_PAGE = re.compile(
    r"\s*<(?:!doctype|html|head)\b.{0,1500}?<(?:title|h1)>\s*(?:http\s+)?(?:error\s+)?[45]\d\d\b",
    re.IGNORECASE | re.DOTALL,
)
"""A web page that a server gives in the place of the one asked for."""
_ERROR_TITLE = re.compile(
    r"^(?:title:[ ]*|\#{1,3}[ ]*)(?:(?:http[ ]+)?error(?:[ :]+[45]\d\d\b[^\n]{0,60})?"
    r"|[45]\d\d[ :-]+(?:bad request|unauthorized|forbidden|not found|too many requests|internal server error"
    r"|bad gateway|service unavailable|gateway time-?out)[^\n]{0,40})[ ]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Title or first heading of a page that a tool read and printed as text."""
TITLE_LIMIT = 600  # characters of a printed page in which its title stands
PAGE_LIMIT = 2_000  # characters of a page in which its title begins
_PRINTED = re.compile(r"(?:_?meta=|content=).{0,16000}(?:\bisError=True|\bstatus='error')", re.DOTALL)
"""A result of MCP, or a tool message of LangChain, printed as Python prints it."""
_PRINTED_TEXT = re.compile(r"\b(?:text|content)=(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", re.DOTALL)
NOT_A_TOOL = "is not a valid tool, try one of"
_REFUSAL = re.compile(
    rf'"((?:[^"\\]|\\.)*(?:{NOT_A_TOOL}|Unknown tool name|Error: Requested function'
    r'|Error: Argument parsing failed)(?:[^"\\]|\\.)*)"'
)
"""The JSON text by which LangChain, Pydantic AI and Agent Framework refuse a tool call."""
TAIL = 2_000  # characters at the end of a model's input in which its last message begins
_LEADING_CLASS = re.compile(r"\s*(?:Error: )?(?:\w+\.)*([A-Z]\w*(?:Error|Exception|Timeout))\b")


def digest(text: str) -> int:
    """Unsigned 64-bit digest; a very long text is told apart by length, head and tail."""
    if len(text) > HASH_WHOLE:
        text = f"{len(text)}\0{text[:HASH_END]}\0{text[-HASH_END:]}"
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, usedforsecurity=False).digest()
    return int.from_bytes(raw, "big")


def canonical(value: Any) -> str:
    """One text for equal values: keys sorted, no white space; text itself only stripped."""
    if value.__class__ is str:
        return value.strip()
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return repr(value)


def parsed(value: Any) -> Any:
    """The value behind a JSON text, where it is one and short enough; else the value itself."""
    if value.__class__ is str:
        text = value.strip()
        if text.startswith(("{", "[")) and len(text) <= PARSE_LIMIT:
            try:
                return orjson.loads(text)
            except ValueError:
                return value
    return value


def find_content(attributes: Attributes, keys: tuple[str, ...]) -> tuple[str | None, Any]:
    """The first key that holds something, and what it holds; for numbered attributes the prefix, and all of them."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return key, value
        probes = PROBES.get(key)
        if probes is not None and (probes[0] in attributes or probes[1] in attributes):
            return key, {name: part for name, part in attributes.items() if name.startswith(key)}
    return None, None


def read_input(draft: Draft, attributes: Attributes, keys: tuple[str, ...]) -> None:
    """Set input_key and input_hash."""
    key, value = find_content(attributes, keys)
    if key is None:
        return
    draft.input_key = key
    set_input_hash(draft, value)


def set_input_hash(draft: Draft, value: Any) -> None:
    """The digest of the input. A tool's arguments are written by a model, so equal ones may differ in spaces and order;
    other inputs are written by one serialiser and are taken as they are."""
    if draft.step_kind in HASHED_INPUT:
        if value.__class__ is str and draft.step_kind not in TOOLISH:
            draft.input_hash = digest(value.strip())
        else:
            draft.input_hash = digest(canonical(parsed(value)))


def read_output(draft: Draft, attributes: Attributes, keys: tuple[str, ...]) -> None:
    """Set output_key, output_hash, output_kind and, where the span claims success, in_band_error."""
    key, value = find_content(attributes, keys)
    if key is None:
        return
    draft.output_key = key
    set_output(draft, value)


def set_output(draft: Draft, value: Any) -> None:
    """What the output is, from its value."""
    kind = draft.step_kind
    if kind == LLM:
        return
    if kind in TOOLISH:
        content = parsed(value)
        if not draft.failed or is_wordless(draft):
            _read_error(draft, content)
        result = essence(content)
        draft.output_kind = "error" if draft.in_band_error else shape_of(result)
        if kind == RETRIEVAL and result.__class__ is dict and any(result.get(key) == [] for key in FOUND):
            draft.output_kind = "empty"
        draft.output_hash = digest(canonical(result))
        return
    if value.__class__ is not str:
        draft.output_kind = shape_of(value)
        return
    text = value.strip()
    draft.output_kind = shape_of(text)
    if kind in HASHED_OUTPUT:
        draft.output_hash = digest(text)
    if kind == CHAIN and not draft.failed and '"status"' in text:
        found = last_tool_error(parsed(text))
        if found is not None:
            draft.in_band_error, draft.error_type, draft.output_kind = found[0][:IN_BAND_LIMIT], found[1], "error"


def _read_error(draft: Draft, content: Any) -> None:
    """The error that a tool gave back: its own word for a failure, or a failure that its status does not tell."""
    found = find_error(content)
    if found is not None and draft.failed:
        draft.error_message = found[0][:ERROR_LIMIT]
    elif found is not None:
        draft.in_band_error = found[0][:IN_BAND_LIMIT]
        draft.error_type = found[1]


def is_wordless(draft: Draft) -> bool:
    """Whether a failed span says nothing of its failure but the class."""
    return draft.failed and draft.error_message in (None, draft.error_type)


def shape_of(value: Any) -> str:
    """empty, json or text."""
    if value is None:
        return "empty"
    if value.__class__ is str:
        text = value.strip()
        if text in ("", "[]", "{}", "null", '""', "None"):
            return "empty"
        return "json" if text[0] in "{[" and text[-1] in "}]" else "text"
    if value.__class__ is list or value.__class__ is dict:
        return "json" if value else "empty"
    return "text"


def essence(value: Any) -> Any:
    """What a tool said, without the envelope (ids, call ids) that a framework or MCP puts around it."""
    for _ in range(NEST_LIMIT):
        if value.__class__ is dict:
            inner = _inside(value)
            if inner is None:
                return value
            value = inner
        elif value.__class__ is list and value and all(_is_text_block(block) for block in value):
            return "\n".join(block["text"] for block in value)
        else:
            return value
    return value


def _is_text_block(block: Any) -> bool:
    return block.__class__ is dict and block.get("type") == "text" and block.get("text").__class__ is str


def _inside(value: dict[Any, Any]) -> Any:
    """What an envelope holds; None where the dict is no envelope."""
    if "lc" in value and value.get("kwargs").__class__ is dict:
        return value["kwargs"]
    if value.get("type") == "tool" and value.get("data").__class__ is dict:
        return value["data"]
    if "content" in value and ("tool_call_id" in value or "isError" in value or "is_error" in value):
        return value["content"]
    if "output" in value and set(value) <= {"output", "kwargs"}:
        return value["output"]
    if "tool_name" in value and value.get("blocks").__class__ is list:
        return _text_of_blocks(value["blocks"])
    return value["text"] if _is_text_block(value) else None


def _text_of_blocks(blocks: list[Any]) -> Any:
    """What LlamaIndex's tools gave back, where it is all text; else the blocks."""
    told: list[Any] = [block.get("text") for block in blocks[:BLOCK_LIMIT] if block.__class__ is dict]
    return "\n".join(told) if told and all(text.__class__ is str for text in told) else blocks


def find_error(value: Any, depth: int = 0) -> tuple[str, str | None] | None:
    """The error text, and its type where told, in what a tool returned; None where it returned no error."""
    if value.__class__ is str:
        said = parsed(value) if depth else value
        return find_error(said, depth) if said.__class__ is dict else _error_text(value)
    if depth < NEST_LIMIT and value.__class__ is list:
        blocks = (
            item for item in value[:BLOCK_LIMIT] if item.__class__ is dict and ("text" in item or "content" in item)
        )
        return next((found for block in blocks if (found := find_error(block, depth + 1))), None)
    if depth < NEST_LIMIT and value.__class__ is dict:
        if _declares_error(value):
            return _error_words(value)
        inner = _inside(value)
        return None if inner is None else find_error(inner, depth + 1)
    return None


def _error_text(text: str) -> tuple[str, str | None] | None:
    if text.startswith(("content=", "meta=", "_meta=")):
        printed = _PRINTED_TEXT.search(text) if _PRINTED.match(text, 0, PARSE_LIMIT) else None
        return None if printed is None else ((printed.group(1) or printed.group(2) or "").strip() or text, None)
    if (
        ERROR_TEXT.match(text, 0, NAME_LIMIT)
        or NOT_A_TOOL in text[:NAME_LIMIT]
        or (text.lstrip()[:1] == "<" and _ERROR_PAGE.match(text, 0, PAGE_LIMIT))
        or _has_error_title(text[:TITLE_LIMIT])
    ):
        leading = _LEADING_CLASS.match(text, 0, NAME_LIMIT)
        return text.strip(), leading.group(1) if leading else None
    return None


def _has_error_title(head: str) -> bool:
    return ("itle:" in head or "#" in head or "ITLE:" in head) and _ERROR_TITLE.search(head) is not None


def _declares_error(value: dict[Any, Any]) -> bool:
    """A flag, a status or an error member says that the result is one."""
    if value.get("isError") is True or value.get("is_error") is True or value.get("status") == "error":
        return True
    error = value.get("error")
    if error.__class__ is str or error.__class__ is dict:
        return bool(error)
    if _is_status(value.get("statusCode")) or value.get("error_message").__class__ is str:
        return True
    errors = value.get("errors")
    if errors.__class__ is list and errors and value.get("data") is None and errors[0].__class__ is dict:
        return _said(errors[0].get("message")) is not None
    if (_is_status(value.get("code")) or _is_status(value.get("status"))) and PROBLEM.issuperset(value):
        return True
    refused = value.get("success") is False or value.get("ok") is False
    return refused and _said(value.get("message") or value.get("reason")) is not None


def _is_status(value: Any) -> bool:
    """An HTTP status of a failure."""
    return value.__class__ is int and 400 <= value <= 599


PROBLEM = frozenset(
    {
        *("code", "status", "message", "detail", "details", "title", "type", "instance", "path", "timestamp"),
        *("requestId", "request_id", "traceId"),
    }
)
"""Members of an answer that is nothing but a problem (RFC 9457 and its like)."""


def _error_words(value: dict[Any, Any]) -> tuple[str, str | None]:
    """Text and type of what is known to be an error."""
    error = value.get("error")
    holder = error if error.__class__ is dict else value
    text = _said(error) or _said(holder.get("message")) or _said(value.get("content")) or _said(value.get("text"))
    text = text or _said(value.get("output")) or _said(value.get("reason")) or _said(value.get("error_message"))
    errors = value.get("errors")
    if text is None and errors.__class__ is list and errors and errors[0].__class__ is dict:
        text = _said(errors[0].get("message"))
    text = text or _said(value.get("detail")) or _said(value.get("title")) or _said(_inside(value)) or canonical(value)
    if error.__class__ is dict:
        kind = holder.get("code", holder.get("type"))
    else:
        kind = next((value[key] for key in ("code", "statusCode", "status") if value.get(key).__class__ is int), None)
        kind = value.get("code") if kind is None else kind
    kind = str(kind)[:NAME_LIMIT] if kind.__class__ is str or kind.__class__ is int else None
    leading = _LEADING_CLASS.match(text, 0, NAME_LIMIT)
    return text, kind or (leading.group(1) if leading else None)


def _said(value: Any) -> str | None:
    """The text of a message, a block or a list of blocks."""
    value = essence(value)
    if value.__class__ is str and value.strip():
        return value.strip()
    return None


def last_tool_error(value: Any) -> tuple[str, str | None] | None:
    """The error of the last message, where a node's output ends in a failed tool message.

    A call of a tool that does not exist has no span of its own in LangGraph; the node's output is its only trace.
    """
    if value.__class__ is dict and value.get("outputs").__class__ is dict:
        value = value["outputs"]
    messages = value.get("messages") if value.__class__ is dict else None
    if messages.__class__ is not list or not messages:
        return None
    last = messages[-1]
    for _ in range(NEST_LIMIT):
        if last.__class__ is not dict:
            return None
        if last.get("status") == "error" and last.get("type") == "tool":
            return _error_words(last)
        last = last.get("kwargs") or last.get("data")
    return None


def refused_call(attributes: Attributes) -> str | None:
    """The framework's refusal to call a tool that does not exist, where the model's last input message is that.

    Such a call has no span of its own in dialects without node spans: the next model call is its only trace.
    """
    messages = attributes.get("gen_ai.input.messages")
    if messages.__class__ is not str:
        return None
    tail: str = messages[-TAIL:]
    start = max(tail.rfind('"role"'), 0)
    found = _REFUSAL.search(tail, start) if '"tool_call_response"' in tail else None
    return None if found is None else str(orjson.loads(found.group()))[:IN_BAND_LIMIT]
