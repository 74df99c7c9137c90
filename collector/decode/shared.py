"""Resources and scopes: what many spans share, under an id that is the same in every process."""

from hashlib import blake2b
from typing import Any

from collector.decode.limits import UINT32_MAX, Limits, cut_attributes, cut_text, cut_value
from schemas.records import Attributes, Resource, Scope


def make_entity_ref(schema_url: str, kind: str, id_keys: list[str], description_keys: list[str]) -> dict[str, Any]:
    """One entity reference of a resource, under the names of OTLP."""
    return {"schema_url": schema_url, "type": kind, "id_keys": id_keys, "description_keys": description_keys}


def make_resource(
    attributes: Attributes,
    dropped: int,
    over: int,
    schema_url: str,
    entity_refs: list[dict[str, Any]],
    limits: Limits,
) -> tuple[Resource, bool]:
    """The resource, and whether it was cut to the limits. The order of attributes makes no difference.

    Args:
        dropped: attributes that the sender says it dropped.
        over: what was already left out to stay within our limits.
    """
    size = limits.value_bytes
    whole = attributes, schema_url, entity_refs
    kept = cut_attributes(attributes, size), cut_text(schema_url, size), [cut_value(ref, size) for ref in entity_refs]
    dropped = min(dropped + over, UINT32_MAX)
    return Resource(content_id(kept, dropped), kept[0], dropped, kept[1], kept[2]), over > 0 or kept != whole


def make_scope(
    name: str, version: str, attributes: Attributes, dropped: int, over: int, schema_url: str, limits: Limits
) -> tuple[Scope, bool]:
    """The instrumentation scope, and whether it was cut to the limits; arguments as for `make_resource`."""
    size = limits.value_bytes
    whole = name, version, attributes, schema_url
    kept = cut_text(name, size), cut_text(version, size), cut_attributes(attributes, size), cut_text(schema_url, size)
    dropped = min(dropped + over, UINT32_MAX)
    return Scope(content_id(kept, dropped), kept[0], kept[1], kept[2], dropped, kept[3]), over > 0 or kept != whole


def content_id(*content: Any) -> int:
    """Unsigned 64-bit digest of values; maps count as equal in any order."""
    return int.from_bytes(blake2b(ascii(_canonical(content)).encode(), digest_size=8).digest())


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value
