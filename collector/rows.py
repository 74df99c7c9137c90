"""Spans as table rows: the last pure step before the store."""

import base64
import math
from collections.abc import Sequence
from typing import Any, Final

import orjson
import pyarrow as pa

from schemas.records import Attributes, Normalised, Resource, Scope, Span, SpanEvent, SpanLink

SPAN_FIELDS: Final = (*Span._fields[:-2], "resource_id", "scope_id", *Normalised._fields, "received_ns")
"""What a row of store.span holds, in order. In the table, columns of later schema versions stand after received_ns."""

OTLP_FIELDS: Final = SPAN_FIELDS.index("scope_id") + 1
"""How many leading columns hold what the sender sent."""

TRACE_ID: Final = SPAN_FIELDS.index("trace_id")
SPAN_ID: Final = SPAN_FIELDS.index("span_id")
START_NS: Final = SPAN_FIELDS.index("start_ns")
END_NS: Final = SPAN_FIELDS.index("end_ns")
STATUS_CODE: Final = SPAN_FIELDS.index("status_code")
ATTRIBUTES: Final = SPAN_FIELDS.index("attributes")
TRUNCATED: Final = SPAN_FIELDS.index("truncated")
RESOURCE_ID: Final = SPAN_FIELDS.index("resource_id")
SCOPE_ID: Final = SPAN_FIELDS.index("scope_id")
RUN_KEY: Final = SPAN_FIELDS.index("run_key")

Row = tuple[Any, ...]
"""One row of store.span without `received_ns`, which the writer adds for a whole batch."""


def span_row(span: Span, normalised: Normalised) -> Row:
    """The row of one span, in the order of SPAN_FIELDS, without `received_ns`."""
    *plain, resource, scope = span
    plain[_ATTRIBUTES] = to_json(span.attributes)
    plain[_EVENTS] = to_json([_event(e) for e in span.events]) if span.events else None
    plain[_LINKS] = to_json([_link(link) for link in span.links]) if span.links else None
    *meaning, gaps, evaluations = normalised
    return (*plain, resource.resource_id, scope.scope_id, *meaning, list(gaps) if gaps else None, evaluations)


_ATTRIBUTES: Final = Span._fields.index("attributes")
_EVENTS: Final = Span._fields.index("events")
_LINKS: Final = Span._fields.index("links")


def span_of(row: Row, resource: Row, scope: Row) -> Span:
    """The span again, from its stored row and those of its resource and scope: what `span_row` was given."""
    plain = list(row[: len(Span._fields) - 2])
    plain[_ATTRIBUTES] = from_json(plain[_ATTRIBUTES])
    plain[_EVENTS] = [SpanEvent(**event) for event in from_json(plain[_EVENTS] or "[]")]
    plain[_LINKS] = [SpanLink(**link) for link in from_json(plain[_LINKS] or "[]")]
    resource_id, attributes, dropped, schema_url, entity_refs = resource
    sent_by = Resource(resource_id, from_json(attributes), dropped, schema_url, from_json(entity_refs))
    scope_id, name, version, scope_attributes, *rest = scope
    return Span._make((*plain, sent_by, Scope(scope_id, name, version, from_json(scope_attributes), *rest)))


def resource_row(resource: Resource) -> Row:
    """The row of one resource, in the order of store.resource."""
    return (
        resource.resource_id,
        to_json(resource.attributes),
        resource.dropped_attributes_count,
        resource.schema_url,
        to_json(resource.entity_refs),
    )


def scope_row(scope: Scope) -> Row:
    """The row of one scope, in the order of store.scope."""
    return (
        scope.scope_id,
        scope.name,
        scope.version,
        to_json(scope.attributes),
        scope.dropped_attributes_count,
        scope.schema_url,
    )


def version_key(row: Row) -> tuple[Any, ...]:
    """Orders two versions of one span; the greater one is kept, whichever came first.

    An ended span beats an unended one and a later end an earlier one; then the higher status (error, ok, unset);
    then the longer attributes; then the content itself, so that any order of arrival keeps the same version.
    """
    content = row[:OTLP_FIELDS]
    return row[END_NS], row[STATUS_CODE], len(row[ATTRIBUTES]), repr(content)


def to_table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as one Arrow table of `schema`."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    return pa.Table.from_arrays(
        [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def to_json(value: Attributes | list[dict[str, Any]]) -> str:
    """Attributes as JSON text; what JSON cannot say stays as OTLP/JSON says it.

    Bytes become `{"bytesValue": base64}`; NaN and infinities become `{"doubleValue": "NaN"}`.
    """
    text = orjson.dumps(value, default=_bytes_value).decode()
    if "null" in text:  # orjson writes NaN as null: look again only where one may hide
        text = orjson.dumps(_spell_out_floats(value), default=_bytes_value).decode()
    return text


def from_json(text: str) -> Any:
    """What `to_json` was given."""
    value = orjson.loads(text)
    return _spell_in(value) if 'Value":' in text else value


def _spell_in(value: Any) -> Any:
    if isinstance(value, list):
        return [_spell_in(item) for item in value]
    if not isinstance(value, dict):
        return value
    match list(value.items()):
        case [("bytesValue", str(text))]:
            return base64.b64decode(text)
        case [("doubleValue", "NaN" | "Infinity" | "-Infinity" as text)]:
            return float(text)
    return {key: _spell_in(item) for key, item in value.items()}


def _bytes_value(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    raise TypeError(f"attribute value of type {type(value).__name__} has no JSON form")


def _spell_out_floats(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, dict):
        return {k: _spell_out_floats(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_spell_out_floats(v) for v in value]
    return value


def _event(event: SpanEvent) -> dict[str, Any]:
    return event._asdict()


def _link(link: SpanLink) -> dict[str, Any]:
    return link._asdict()
