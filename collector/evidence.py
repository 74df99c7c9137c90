"""What is said of a span outside of it: log records and posted verdicts, stored beside spans and read when they settle.

Evidence counts as an event of its span whichever of the two comes first. An exception is read by the span's dialect
together with the span, a judgement is added to those that the span carries itself.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from collector.decode.logs import EVALUATION
from collector.decode.shared import content_id
from collector.dialects import normalise
from collector.dialects.errors import STATUS_ERROR
from collector.dialects.evaluations import evaluations_json, genai_evaluation
from collector.rows import from_json, span_of, to_json, to_table
from schemas.records import Attributes, Evaluation, LogRecord, Span, SpanEvent

LOG: Final = "log"
POST: Final = "post"

POSTED_BY: Final = "seamscope.verdict.source"
"""Attribute of a posted verdict: who judged."""


MOST_A_SPAN: Final = 1_000
"""Evidence on one span that settling looks at, the latest: bounds the work a sender can cause."""


class Evidence(NamedTuple):
    """A row of `store.evidence` without `received_ns`."""

    key: int
    source: str
    trace_id: str
    span_id: str | None
    time_ns: int
    name: str
    attributes: str
    dropped_attributes_count: int
    body: str | None
    severity_number: int
    severity_text: str
    observed_ns: int
    flags: int
    truncated: bool
    resource_id: int | None
    scope_id: int | None


class Kept(NamedTuple):
    """What became of some evidence."""

    stored: int
    duplicate: int
    trace_ids: frozenset[str]
    """Traces that something new was said of."""


NOTHING: Final = Kept(0, 0, frozenset())


def of_log(record: LogRecord) -> Evidence:
    """A log record as evidence; the same record sent again has the same key."""
    said = record.trace_id, record.span_id, record.time_ns, record.name, record.attributes, record.body
    return Evidence(
        content_id(*said),
        LOG,
        record.trace_id,
        record.span_id,
        record.time_ns,
        record.name,
        to_json(record.attributes),
        record.dropped_attributes_count,
        None if record.body is None else to_json(record.body),
        record.severity_number,
        record.severity_text,
        record.observed_ns,
        record.flags,
        record.truncated,
        record.resource.resource_id,
        record.scope.scope_id,
    )


def of_verdict(trace_id: str, span_id: str | None, said: Evaluation) -> Evidence:
    """A posted verdict as evidence; the same judge on the same thing has the same key, so its last word stays."""
    attributes: Attributes = {
        "gen_ai.evaluation.name": said.name,
        "gen_ai.evaluation.score.value": said.score,
        "gen_ai.evaluation.score.label": said.label,
        "gen_ai.evaluation.explanation": said.explanation,
        POSTED_BY: said.source,
    }
    told = to_json({name: value for name, value in attributes.items() if value is not None})
    key = content_id(POST, trace_id, span_id, said.name, said.source)
    rest = 0, None, 0, "", said.at_ns, 0, False, None, None
    return Evidence(key, POST, trace_id, span_id, said.at_ns, EVALUATION, told, *rest)


def write_evidence(
    tx: duckdb.DuckDBPyConnection, evidence: Sequence[Evidence], received_ns: int, schema: pa.Schema
) -> Kept:
    """Stores evidence once: a log record that is there stays, a posted verdict takes the place of the one before.

    Args:
        tx: in a transaction.
        evidence: what was said, oldest first.
        received_ns: when it was received.
        schema: of store.evidence.
    """
    latest = {one.key: one for one in evidence}
    known = {
        key
        for (key,) in tx.execute(
            "select key from store.evidence where key in (select unnest($keys))", {"keys": list(latest)}
        ).fetchall()
    }
    fresh = [one for key, one in latest.items() if key not in known or one.source == POST]
    replaced = [one.key for one in fresh if one.key in known]
    if replaced:
        tx.execute("delete from store.evidence where key in (select unnest($keys))", {"keys": replaced})
    if fresh:
        tx.from_arrow(to_table([(*one, received_ns) for one in fresh], schema)).insert_into("store.evidence")
    logs = sum(one.source == LOG for one in evidence)
    stored = sum(one.source == LOG for one in fresh)
    return Kept(stored, logs - stored, frozenset(one.trace_id for one in fresh))


# --- settling ------------------------------------------------------------------------------------------------------


class _Said(NamedTuple):
    source: str
    name: str
    time_ns: int
    attributes: Attributes


def with_evidence(cursor: duckdb.DuckDBPyConnection, batch: pa.Table, traces: list[str]) -> pa.Table:
    """The batch with everything that was said of its spans from outside.

    Args:
        cursor: on the store.
        batch: what settling loads (SPAN_COLUMNS).
        traces: all traces of the batch.
    """
    said = _evidence_of(cursor, batch, traces)
    if not said:
        return batch
    changed: dict[int, dict[str, Any]] = {}
    raised = {i: found for i, all_of_it in said.items() if (found := [one for one in all_of_it if not _judges(one)])}
    for i, span in _spans_of(cursor, batch, raised):
        changed[i] = _read_again(span, raised[i], batch.column_names)
    for i, all_of_it in said.items():
        judged = [told for one in all_of_it if _judges(one) and (told := _evaluation(one)) is not None]
        if judged:
            carried = changed.get(i, {}).get("evaluations") or batch.column("evaluations")[i].as_py() or "[]"
            own = [Evaluation(**one) for one in json.loads(carried)]
            changed.setdefault(i, {})["evaluations"] = evaluations_json([*own, *judged])
    rows = [batch.slice(i, 1).to_pylist()[0] | change for i, change in changed.items()]
    untouched = pc.invert(pc.is_in(pa.array(range(len(batch))), pa.array(list(changed), pa.int64())))
    return pa.concat_tables([batch.filter(untouched), pa.Table.from_pylist(rows, schema=batch.schema)])


def _evidence_of(cursor: duckdb.DuckDBPyConnection, batch: pa.Table, traces: list[str]) -> dict[int, list[_Said]]:
    """What was said, by the row it is about; what is about a run goes to the earliest span of its trace."""
    rows = cursor.execute(_SAID, {"traces": traces, "most": MOST_A_SPAN}).fetchall()
    if not rows:
        return {}
    ids = zip(*(batch.column(name).to_pylist() for name in ("trace_id", "span_id", "start_ns")), strict=True)
    row_of: dict[tuple[str, str | None], int] = {}
    earliest: dict[str, tuple[int, str]] = {}
    for i, (trace_id, span_id, start_ns) in enumerate(ids):
        row_of[trace_id, span_id] = i
        if (start_ns, span_id) < earliest.get(trace_id, (2**64, "")):
            earliest[trace_id] = start_ns, span_id
            row_of[trace_id, None] = i
    said: dict[int, list[_Said]] = {}
    for trace_id, span_id, source, name, time_ns, attributes in rows:
        at = row_of.get((trace_id, span_id))
        if at is not None:
            told = _Said(f"{source}:run" if span_id is None else source, name, time_ns, from_json(attributes))
            said.setdefault(at, []).append(told)
    return said


def _judges(one: _Said) -> bool:
    return one.name == EVALUATION


def _evaluation(one: _Said) -> Evaluation | None:
    source, _, of_run = one.source.partition(":")
    by = one.attributes.get(POSTED_BY) if source == POST else None
    return genai_evaluation("run" if of_run else "span", str(by or source), one.attributes, one.time_ns)


def _read_again(span: Span, raised: Iterable[_Said], columns: Iterable[str]) -> dict[str, Any]:
    """What the span's dialect says with these exceptions as events of it."""
    extra = [
        SpanEvent(one.time_ns, "exception", one.attributes, 0)
        for one in raised
        # A plain log line explains a failed span; only an event of that name says that the span failed.
        if one.name.rpartition(".")[2] == "exception" or span.status_code == STATUS_ERROR
    ]
    if not extra:
        return {}
    before = normalise(span)
    meaning = normalise(span._replace(events=sorted([*span.events, *extra], key=lambda event: event.time_ns)))
    read = meaning._asdict() | {"gaps": list(meaning.gaps) or None}
    # The rest stands as it was read at receipt: what redaction took out since cannot be read again.
    changed = {name for name, old, new in zip(meaning._fields, before, meaning, strict=True) if old != new}
    return {name: read[name] for name in columns if name in changed}


def _spans_of(cursor: duckdb.DuckDBPyConnection, batch: pa.Table, rows: Iterable[int]) -> Iterator[tuple[int, Span]]:
    """The whole spans of some rows of the batch."""
    wanted = {(batch.column("trace_id")[i].as_py(), batch.column("span_id")[i].as_py()): i for i in rows}
    if not wanted:
        return
    params = {"traces": list({trace for trace, _ in wanted}), "spans": [span for _, span in wanted]}
    found = [row for row in cursor.execute(_SPANS, params).fetchall() if (row[0], row[1]) in wanted]
    at = {"resource": Span._fields.index("resource"), "scope": Span._fields.index("scope")}
    shared = {}
    for table, place in at.items():
        ids = list({row[place] for row in found})
        shared[table] = {row[0]: row for row in cursor.execute(_SHARED[table], {"ids": ids}).fetchall()}
    for row in found:
        yield (
            wanted[row[0], row[1]],
            span_of(row, shared["resource"][row[at["resource"]]], shared["scope"][row[at["scope"]]]),
        )


_SAID: Final = """
select trace_id, span_id, source, name, time_ns, attributes
from store.evidence
where trace_id in (select unnest($traces))
qualify row_number() over (partition by trace_id, span_id order by time_ns desc, key) <= $most
order by time_ns, key
"""

_SPANS: Final = (
    "select " + ", ".join((*Span._fields[:-2], "resource_id", "scope_id")) + " from store.span "  # noqa: S608 - ours
    "where trace_id in (select unnest($traces)) and span_id in (select unnest($spans))"
)

_SHARED: Final = {
    "resource": "from store.resource where resource_id in (select unnest($ids))",
    "scope": "from store.scope where scope_id in (select unnest($ids))",
}
