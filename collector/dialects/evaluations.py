"""Outside judgements that a span carries: evaluation events, evaluation attributes, evaluator spans.

OpenTelemetry's GenAI conventions give an event `gen_ai.evaluation.result`. OpenInference gives numbered attributes
(`evaluations.0.evaluation.score`, also as annotations and of the whole trace) and spans of kind EVALUATOR, of which
Phoenix's own say the result in their metadata or output. An evaluator's span judges the span it lies in.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from collector.dialects.draft import ERROR_LIMIT, Draft, name_of
from collector.dialects.kinds import CHAIN, EVALUATOR
from schemas.records import Attributes, Evaluation, Span

EVALUATION_EVENT: Final = "gen_ai.evaluation.result"

NUMBERED: Final = {
    "evaluations.{}.evaluation.": "span",
    "annotations.{}.annotation.": "span",
    "trace.evaluations.{}.evaluation.": "run",
    "trace.annotations.{}.annotation.": "run",
}
"""Prefixes of OpenInference, numbered from 0 without a gap, and what they are about."""

GENAI: Final = "gen_ai.evaluation."
PLAIN: Final = "evaluation."

TELLING: Final = frozenset({*(prefix.format(0) + "name" for prefix in NUMBERED), GENAI + "name", PLAIN + "name"})
"""One of these is there wherever attributes hold a judgement."""

MAX_EVALUATIONS: Final = 100
"""Of one span, the latest."""

Said = Mapping[str, Any]


def read_evaluations(span: Span, attributes: Attributes, draft: Draft) -> None:
    """Notes the judgements that the span carries: for spans with events or a name of TELLING, and evaluators."""
    told = not attributes.keys().isdisjoint(TELLING)
    if told and draft.step_kind == CHAIN and GENAI + "name" in attributes:
        draft.step_kind = EVALUATOR  # an evaluation event in the form of a span, parented to what was judged
    found = [*_of_attributes(span, attributes, draft)] if told else []
    if span.events:
        found += _of_events(span)
    if not found and draft.step_kind == EVALUATOR:
        found += _of_evaluator(span, attributes, draft)
    if found:
        draft.evaluations = evaluations_json(found)


def evaluations_json(evaluations: Sequence[Evaluation]) -> str | None:
    """How evaluations are stored; None for none."""
    return json.dumps([e._asdict() for e in evaluations[-MAX_EVALUATIONS:]]) if evaluations else None


def evaluation_of(about: str, source: str, name: object, said: Said, at_ns: int) -> Evaluation | None:
    """The judgement that score, label and explanation make; None where it has no name or says nothing.

    Args:
        about: span, parent or run.
        source: who says so.
        name: of what was judged; anything but text is none.
        said: `score`, `label` and `explanation`, of any type.
        at_ns: when.
    """
    named = name_of(name)
    score, label, explanation = _number(said.get("score")), _label(said.get("label")), said.get("explanation")
    told = explanation[:ERROR_LIMIT] if isinstance(explanation, str) and explanation else None
    if named is None or (score is None and label is None and told is None):
        return None
    return Evaluation(about, source, named, score, label, told, at_ns)


def genai_evaluation(about: str, source: str, attributes: Attributes, at_ns: int) -> Evaluation | None:
    """The judgement in attributes named as OpenTelemetry does, on an event, a log record or a span."""
    said = {
        "score": attributes.get(GENAI + "score.value"),
        "label": attributes.get(GENAI + "score.label"),
        "explanation": attributes.get(GENAI + "explanation"),
    }
    return evaluation_of(about, source, attributes.get(GENAI + "name"), said, at_ns)


def _of_events(span: Span) -> list[Evaluation]:
    told = [event for event in span.events if event.name == EVALUATION_EVENT]
    read = [genai_evaluation("span", "event", event.attributes, event.time_ns or span.end_ns) for event in told]
    return [evaluation for evaluation in read if evaluation is not None]


def _of_attributes(span: Span, attributes: Attributes, draft: Draft) -> Iterator[Evaluation]:
    source, own = ("evaluator", "parent") if draft.step_kind == EVALUATOR else ("attribute", "span")
    found = [genai_evaluation(own, source, attributes, span.end_ns), _at(PLAIN, own, source, span, attributes)]
    for prefix, about in NUMBERED.items():
        for number in range(MAX_EVALUATIONS):
            start = prefix.format(number)
            if start + "name" not in attributes:
                break
            found.append(_at(start, own if about == "span" else about, source, span, attributes))
    return (evaluation for evaluation in found if evaluation is not None)


def _at(prefix: str, about: str, source: str, span: Span, attributes: Attributes) -> Evaluation | None:
    said = {field: attributes.get(prefix + field) for field in ("score", "label", "explanation")}
    return evaluation_of(about, source, attributes.get(prefix + "name"), said, span.end_ns)


def _of_evaluator(span: Span, attributes: Attributes, draft: Draft) -> Iterator[Evaluation]:
    """What an evaluator's span says in its metadata or its output: an object, a number or a word."""
    metadata, output = _object(attributes.get("metadata")), _object(attributes.get("output.value"))
    name = metadata.get("evaluator_name") or metadata.get("name") or output.get("name") or draft.step_name
    for said in (metadata, output):
        found = evaluation_of("parent", "evaluator", name, said, span.end_ns)
        if found is not None and (found.score is not None or found.label is not None):
            yield found
            return


def _object(value: object) -> Said:
    """A JSON object as it is; a lone number as a score, a short text as a label."""
    if isinstance(value, str):
        try:
            read = json.loads(value) if len(value) <= ERROR_LIMIT * 10 else None
        except (ValueError, RecursionError):
            return {"label": value} if len(value) <= 40 else {}
        value = read
    if isinstance(value, dict):
        return value
    if isinstance(value, bool | str):
        return {"label": value}
    return {"score": value} if isinstance(value, int | float) else {}


def _number(value: object) -> float | None:
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value):
        return float(value)
    return None


def _label(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return name_of(value)
