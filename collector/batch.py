"""What the queue of requests and the store give each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from collector.evidence import LOG, Evidence
from collector.rows import RESOURCE_ID, SCOPE_ID, TRACE_ID, Row
from schemas.taxonomy import RejectReason


class Marker(NamedTuple):
    """Something that happened outside the agents and may explain a change."""

    at_ns: int
    workflow: str | None
    """None: all workflows."""
    kind: str
    label: str
    again_ns: int
    """The same marker at most this much earlier is this one, sent again."""


class Batch(NamedTuple):
    """What one commit stores: the decoded requests that were waiting."""

    rows: Sequence[Row]
    resources: Mapping[int, Row]
    scopes: Mapping[int, Row]
    rejected: Counter[str]
    refused: Counter[str]
    requests: int
    body_bytes: int
    evidence: Sequence[Evidence] = ()
    markers: Sequence[Marker] = ()
    logs_rejected: Mapping[str, int] = MappingProxyType({})
    redacted: Mapping[str, int] = MappingProxyType({})


class Written(NamedTuple):
    """What one commit did."""

    received_ns: int
    stored: int
    duplicate: int
    conflict: int
    late: int
    trace_ids: frozenset[str]
    """Traces whose spans changed: to be settled."""
    removed: frozenset[str] = frozenset()
    """Traces whose runs had been removed: nothing of the batch was stored for them, it counts as rejected."""


def without(batch: Batch, removed: frozenset[str]) -> Batch:
    """The batch without what came too late for runs that were removed: it counts as rejected."""
    rows = [row for row in batch.rows if row[TRACE_ID] not in removed]
    evidence = [one for one in batch.evidence if one.trace_id not in removed]
    records = sum(one.source == LOG for one in batch.evidence) - sum(one.source == LOG for one in evidence)
    return batch._replace(
        rows=rows,
        resources=_named(batch.resources, {row[RESOURCE_ID] for row in rows} | {one.resource_id for one in evidence}),
        scopes=_named(batch.scopes, {row[SCOPE_ID] for row in rows} | {one.scope_id for one in evidence}),
        rejected=batch.rejected + Counter({str(RejectReason.REMOVED): len(batch.rows) - len(rows)}),
        evidence=evidence,
        logs_rejected=Counter(batch.logs_rejected) + Counter({str(RejectReason.REMOVED): records}),
    )


def _named(rows: Mapping[int, Row], ids: set[Any]) -> dict[int, Row]:
    return {key: row for key, row in rows.items() if key in ids}
