"""OTLP protobuf to OTLP/JSON, written from the specification and independent of `collector.decode`."""

import base64
import json
import math
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

HEX_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
LONG_TYPES = frozenset({FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64})


def to_json(request: Message) -> bytes:
    """The body of an OTLP/JSON request that says what `request` says."""
    return json.dumps(to_object(request)).encode()


def to_object(message: Message) -> dict[str, Any]:
    """A message as a JSON object: lowerCamelCase names, hexadecimal ids, enums as numbers, 64-bit numbers as text."""
    return {
        field.json_name: [_value(field, item) for item in value] if field.is_repeated else _value(field, value)
        for field, value in message.ListFields()
    }


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return to_object(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return value.hex() if field.name in HEX_FIELDS else base64.b64encode(value).decode()
    if field.type in LONG_TYPES:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
