"""Takes out of spans and log records what must not be stored, before anything is written.

Keys and patterns are applied to what was received, so that nothing derived of it holds what they take out. Content goes
after a span's dialect has read it: hashes, kinds of output, token counts and found errors stay, the words go.

Patterns are RE2's, by way of Arrow: no pattern takes more than linear time. One of Python's can take hours.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from collector.decode.shared import content_id
from collector.settle import Rules
from schemas.records import Attributes, LogRecord, Normalised, Resource, Scope, Span
from schemas.redaction import CONTENT, KEYS, RedactionSettings
from schemas.settings import SettingsError

REDACTED: Final = "[redacted]"

BUILT_IN: Final = {
    "api_key": r"\b(?:(?:sk|pk|rk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|A(?:KI|SI)A[0-9A-Z]{16}"
    r"|AIza[0-9A-Za-z_-]{30,}|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,})",
    "bearer": r"(?i)\b(?:bearer|basic)\s+[a-z0-9._~+/=-]{16,}",
    "jwt": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "card": r"\b(?:(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6(?:011|5\d{2}))[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}"
    r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})\b",
}

CONTENT_KEYS: Final = (
    *("*.input", "*.output", "*.inputs", "*.outputs", "*.arguments", "*.args", "*.result", "*.results", "*.content"),
    *("*.text", "*.body", "*.messages", "*.prompt", "*.prompts", "*.completion", "*.response", "*.query", "*.question"),
    *("*.answer", "*.explanation", "*.goal", "*.backstory", "*.description", "*.expected_output", "*.object"),
    *("input", "output", "inputs", "outputs", "arguments", "args", "result", "content", "text", "body", "message"),
    *("messages", "prompt", "prompts", "response", "query", "question", "answer", "events", "final_result"),
    *("gen_ai.prompt.[0-9]*", "gen_ai.completion.[0-9]*", "gen_ai.system_instructions", "gen_ai.retrieval.documents*"),
    *("gen_ai.retrieval.query*", "gen_ai.guardrail.result.value", "input.value", "output.value", "*.input.value"),
    *("*.output.value", "llm.input_messages.*", "llm.output_messages.*", "llm.prompts.*", "llm.completions.*"),
    *("llm.prompt_template.template", "llm.prompt_template.variables", "llm.function_call", "tool.parameters"),
    *("retrieval.documents.*", "reranker.*documents.*", "reranker.query", "embedding.embeddings.*", "document.*"),
    *("db.statement", "db.query.parameter.*", "db.operation.parameter.*", "pinecone.query.*", "traceloop.entity.input"),
    *("traceloop.entity.output", "crewai.crew.tasks_output", "crewai.crew.inputs", "langsmith.metadata.*input*"),
    *("pydantic_ai.all_messages", "all_messages_events", "model_request_parameters", "tool_arguments", "tool_response"),
    *("logfire.msg", "request_data", "response_data", "ai.prompt.*", "ai.response.text", "ai.response.toolcalls"),
    *("ai.toolcall.args", "ai.toolcall.result", "ai.value", "ai.values", "exception.stacktrace"),
)
"""Where dialects, known ones and their like, put what people and models said; a long text is content anywhere."""

CONTENT_EVENTS: Final = ("gen_ai.*.message", "gen_ai.choice", "gen_ai.content.*", "db.query.*", "*.delta")
"""Events all of whose texts are content."""

ERROR_KEYS: Final = frozenset({"exception.message", "error.message"})

LONGEST_LABEL: Final = 200
"""Characters of a text that is no content by its name; a longer one is taken for content."""

MOST_LABELS: Final = 20
"""Of a list that is no content by its name."""

CACHED_KEYS: Final = 10_000
"""Attribute names of hostile senders must not fill the memory."""

OWNERS: Final = (Resource, Scope)
IDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
"""Never looked at: sixteen digits can look like a card."""


class _Rule(NamedTuple):
    name: str
    pattern: str


class _Names:
    """Whether a name fits one of some globs; remembered, since names come again and again."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._pattern = re.compile("|".join(translate(glob) for glob in globs) or r"(?!)", re.IGNORECASE)
        self._known: dict[str, bool] = {}

    def __contains__(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= CACHED_KEYS:
                self._known.clear()
            known = self._known[name] = self._pattern.match(name) is not None
        return known


class Redactor:
    """Everything the settings want taken out. Pure but for its memory of names."""

    def __init__(self, settings: RedactionSettings, rules: Rules) -> None:
        """
        Raises:
            SettingsError: a pattern is none.
        """
        self._dropped = _Names(settings.drop_keys)
        self._masked = _Names(settings.mask_keys)
        self._has_keys = bool(settings.drop_keys or settings.mask_keys)
        self._patterns = [_Rule(name, BUILT_IN[name]) for name in settings.built_in]
        self._patterns += [_Rule(name, _checked(name, text)) for name, text in settings.patterns.items()]
        self._any = "|".join(f"(?:{rule.pattern})" for rule in self._patterns)
        self._drops_content = settings.drop_content
        self._content = _Names(CONTENT_KEYS)
        self._content_events = _Names(CONTENT_EVENTS)
        self._rules = rules

    @classmethod
    def of(cls, settings: RedactionSettings, rules: Rules) -> "Redactor | None":
        """None where nothing is to be taken out: it costs nothing then."""
        return None if settings == RedactionSettings() else cls(settings, rules)

    def spans(self, spans: Sequence[Span]) -> tuple[list[Span], Counter[str]]:
        """The spans without what keys and patterns take out, and how often each rule did."""
        count: Counter[str] = Counter()
        clean = self._cleaner(spans, count)
        if clean is None:
            return list(spans), count
        return [clean.value(span) for span in spans], count

    def records(self, records: Sequence[LogRecord]) -> tuple[list[LogRecord], Counter[str]]:
        """Log records without what keys, patterns and the wish for no content take out, and how often each rule did."""
        count: Counter[str] = Counter()
        clean = self._cleaner(records, count)
        found = list(records) if clean is None else [clean.value(record) for record in records]
        if self._drops_content:
            found = [
                record._replace(
                    attributes=self._without_content(record.attributes, count, all_texts=False),
                    body=None if record.body is None else self._hidden(record.body, count),
                )
                for record in found
            ]
        return found, count

    def texts(
        self, texts: Mapping[str, str | None], *, content: str = ""
    ) -> tuple[dict[str, str | None], Counter[str]]:
        """Named texts that were posted, and how often each rule took something out; the one named `content` is that."""
        count: Counter[str] = Counter()
        clean = self._cleaner(list(texts.values()), count)
        found = dict(texts) if clean is None else {name: clean.value(text) for name, text in texts.items()}
        if self._drops_content and found.get(content) is not None:
            found[content] = self._hidden(found[content], count)
        return found, count

    def content(self, span: Span, meaning: Normalised, count: Counter[str]) -> tuple[Span, Normalised]:
        """A span and what its dialect read of it, without the words of inputs and outputs where they are not wanted."""
        if not self._drops_content:
            return span, meaning
        named = [key for key in (meaning.input_key, meaning.output_key) if key]
        span = span._replace(
            attributes=self._without_content(span.attributes, count, named),
            events=[
                event._replace(
                    attributes=self._without_content(
                        event.attributes,
                        count,
                        all_texts=f"event:{event.name}" in named or event.name in self._content_events,
                    )
                )
                for event in span.events
            ],
            links=[link._replace(attributes=self._without_content(link.attributes, count)) for link in span.links],
        )
        told = meaning.in_band_error
        return span, meaning._replace(
            input_key=None,
            output_key=None,
            in_band_error=None if told is None else self._rules.known_words(told) or REDACTED,
            evaluations=_unexplained(meaning.evaluations),
        )

    def _without_content(
        self, attributes: Attributes, count: Counter[str], named: Sequence[str] = (), *, all_texts: bool = False
    ) -> Attributes:
        prefixes = tuple(key for key in named if key.endswith("."))
        found = {}
        for key, value in attributes.items():
            is_text = value.__class__ not in (bool, int, float) and value is not None
            if is_text and (
                all_texts
                or key in named
                or key in self._content
                or (prefixes and key.startswith(prefixes))
                or (_is_long(value) and key not in ERROR_KEYS)
            ):
                found[key] = self._hidden(value, count)
            else:
                found[key] = value
        return found

    def _hidden(self, value: Any, count: Counter[str]) -> str:
        count[CONTENT] += 1
        return f"[not kept: {_size(value)} bytes]"

    def _cleaner(self, values: Any, count: Counter[str]) -> "_Cleaner | None":
        """What takes out what keys and patterns find in these values; None where that is nothing."""
        if not self._patterns:
            return _Cleaner(self._dropped, self._masked, {}, count, {}) if self._has_keys else None
        texts: set[str] = set()
        _gather(values, texts, set())
        found = self._replacements(sorted(texts))
        if not found and not self._has_keys:
            return None
        return _Cleaner(self._dropped, self._masked, found, count, {})

    def _replacements(self, texts: list[str]) -> dict[str, tuple[str, list[str]]]:
        """For each text in which a pattern finds something: the text without it, and the names of those patterns."""
        found: dict[str, tuple[str, list[str]]] = {}
        whole = pa.array(texts, pa.large_string())
        hit = whole.filter(pc.match_substring_regex(whole, pattern=self._any))
        if not len(hit):
            return found
        left = hit
        rules: list[list[str]] = [[] for _ in range(len(hit))]
        for rule in self._patterns:
            for i, fits in enumerate(pc.match_substring_regex(left, pattern=rule.pattern).to_pylist()):
                if fits:
                    rules[i].append(rule.name)
            left = pc.replace_substring_regex(left, pattern=rule.pattern, replacement=REDACTED)
        return dict(zip(hit.to_pylist(), zip(left.to_pylist(), rules, strict=True), strict=True))


class _Cleaner(NamedTuple):
    """Applies to values what was found."""

    dropped: _Names
    masked: _Names
    replaced: Mapping[str, tuple[str, list[str]]]
    counted: Counter[str]
    owners: dict[int, Any]
    """Resources and scopes that were done, by identity: many spans share one."""

    def value(self, value: Any) -> Any:
        """A value of any depth."""
        if value.__class__ is str:
            return self._text(value)
        if value.__class__ is dict:
            return self._attributes(value)
        if value.__class__ is list:
            return [self.value(item) for item in value]
        if isinstance(value, tuple):
            return self._owner(value) if value.__class__ in OWNERS else self._record(value)
        return value

    def _text(self, text: str) -> str:
        found = self.replaced.get(text)
        if found is None:
            return text
        self.counted.update(found[1])
        return found[0]

    def _record(self, record: Any) -> Any:
        pairs = zip(record._fields, record, strict=True)
        return record._make(item if name in IDS else self.value(item) for name, item in pairs)

    def _owner(self, owner: Any) -> Any:
        """A resource or scope, under the id of what is left of it."""
        done = self.owners.get(id(owner))
        if done is None:
            done = self._record(owner)
            if done != owner:
                done = done._replace(**{owner._fields[0]: content_id(*done[1:])})
            self.owners[id(owner)] = done
        return done

    def _attributes(self, attributes: Attributes) -> Attributes:
        found: Attributes = {}
        for key, value in attributes.items():
            if key in self.dropped:
                self.counted[KEYS] += 1
            elif key in self.masked:
                self.counted[KEYS] += 1
                found[self._text(key)] = REDACTED
            else:
                found[self._text(key)] = self.value(value)
        return found


def _checked(name: str, pattern: str) -> str:
    """The pattern, once it is one.

    Raises:
        SettingsError: it is none, or finds something in an empty text: it would find it everywhere.
    """
    try:
        finds_nothing = pc.match_substring_regex(pa.array([""]), pattern=pattern).to_pylist()[0]
    except pa.ArrowInvalid as exc:
        reason = str(exc).removeprefix("Invalid regular expression: ")
        raise SettingsError(f"redaction.patterns.{name}: not a regular expression of RE2: {reason}") from exc
    if finds_nothing:
        raise SettingsError(f"redaction.patterns.{name}: {pattern!r} fits the empty text, so it would fit everywhere")
    return pattern


def _gather(value: Any, texts: set[str], owners: set[int]) -> None:
    """All texts in a value, attribute names too; each resource and scope once."""
    if value.__class__ is str:
        texts.add(value)
    elif value.__class__ is dict:
        for key, item in value.items():
            texts.add(key)
            _gather(item, texts, owners)
    elif value.__class__ is list:
        for item in value:
            _gather(item, texts, owners)
    elif isinstance(value, tuple) and id(value) not in owners:
        if value.__class__ in OWNERS:
            owners.add(id(value))
        for name, item in zip(value._fields, value, strict=True):  # type: ignore[attr-defined]
            if name not in IDS:
                _gather(item, texts, owners)


def _is_long(value: Any) -> bool:
    """Whether a value is longer than names are, or is no text and no list of short ones."""
    if value.__class__ is list:
        return len(value) > MOST_LABELS or any(item.__class__ is list or _is_long(item) for item in value)
    return len(value) > LONGEST_LABEL if value.__class__ is str else value.__class__ not in (bool, int, float)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    return len(value) if isinstance(value, bytes) else len(json.dumps(value, default=repr, ensure_ascii=False))


def _unexplained(evaluations: str | None) -> str | None:
    if evaluations is None:
        return None
    return json.dumps([one | {"explanation": None} for one in json.loads(evaluations)])
