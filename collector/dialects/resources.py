"""What a resource says about all of its spans; read once per resource."""

from typing import NamedTuple

from collector.dialects.draft import name_of
from schemas.records import Resource

CACHED_RESOURCES = 10_000  # resources of hostile senders must not fill the memory


class Facts(NamedTuple):
    """Service, its version and environment, and the framework where the user names it."""

    service: str | None
    version: str | None
    environment: str | None
    framework: str | None


_facts: dict[int, Facts] = {}


def facts_of(resource: Resource) -> Facts:
    """The facts, from the cache where possible."""
    try:
        return _facts[resource.resource_id]
    except KeyError:
        if len(_facts) >= CACHED_RESOURCES:
            _facts.clear()
        found = _facts[resource.resource_id] = read_facts(resource)
        return found


def read_facts(resource: Resource) -> Facts:
    """The facts, from the attributes; `seamscope.framework` is the user's own word."""
    attributes = resource.attributes
    return Facts(
        name_of(attributes.get("service.name")),
        name_of(attributes.get("service.version")),
        name_of(attributes.get("deployment.environment.name")) or name_of(attributes.get("deployment.environment")),
        name_of(attributes.get("seamscope.framework")),
    )
