"""What the store must hold for a span, from an independent reading of the request."""

import base64
import math
from typing import Any

from schemas.records import Span

_NOT_COLUMNS = ("resource", "scope")


def columns_of(span: Span) -> dict[str, Any]:
    """Column to value of the view `span`, for every column that holds what the sender sent; JSON columns are read."""
    columns = {name: value for name, value in span._asdict().items() if name not in _NOT_COLUMNS}
    columns["attributes"] = json_form(span.attributes)
    columns["events"] = [json_form(event._asdict()) for event in span.events] or None
    columns["links"] = [json_form(link._asdict()) for link in span.links] or None
    columns["scope_name"] = span.scope.name
    columns["scope_version"] = span.scope.version
    columns["scope_attributes"] = json_form(span.scope.attributes)
    columns["scope_schema_url"] = span.scope.schema_url
    columns["resource_attributes"] = json_form(span.resource.attributes)
    columns["resource_schema_url"] = span.resource.schema_url
    columns["resource_dropped_attributes_count"] = span.resource.dropped_attributes_count
    return columns


def json_form(value: Any) -> Any:
    """The value as plain JSON; bytes and floats that JSON lacks as OTLP/JSON writes them."""
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, dict):
        return {key: json_form(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_form(item) for item in value]
    return value
