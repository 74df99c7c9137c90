"""Spans settled outside a collector: the same decoder, dialects and settling, without a store."""

from collections.abc import Callable, Iterable
from functools import cache

import duckdb
import pyarrow as pa

from collector.database import arrow_schema
from collector.dialects import normalise
from collector.rows import SPAN_FIELDS, Row, span_row, to_json, to_table
from collector.settle import SPAN_COLUMNS, TEXTS, Rules, Settled, settle, texts_wanted
from collector.settle.rules import OUR_RULES
from schemas import ddl
from schemas.records import Normalised, Span

QUIET_NS = 2**63
"""Later than every receipt: nothing more is to come."""

_PLACES = [SPAN_FIELDS.index(name) for name in SPAN_COLUMNS]


@cache
def schema() -> pa.Schema:
    """The Arrow schema of the columns that settling reads, as the store has them."""
    with duckdb.connect() as connection:
        connection.execute("create schema store")
        for statement in ddl.tables():
            connection.execute(statement.sql)
        whole = arrow_schema(connection, "span")
    return pa.schema([whole.field(name) for name in SPAN_COLUMNS])


def rows_of(spans: Iterable[Span], read: Callable[[Span], Normalised] = normalise) -> list[Row]:
    """Rows of the columns that settling reads; each span once."""
    rows = {}
    for n, span in enumerate(spans):
        row = (*span_row(span, read(span)), 1_000 + n)
        rows[span.trace_id, span.span_id] = tuple(row[place] for place in _PLACES)
    return list(rows.values())


def batch_of(spans: Iterable[Span], read: Callable[[Span], Normalised] = normalise) -> pa.Table:
    """Spans as a batch, by what `read` makes of each."""
    return to_table(rows_of(spans, read), schema())


def settle_spans(spans: Iterable[Span]) -> Settled:
    """Everything derived from spans of whole runs."""
    spans = list(spans)
    return settle(with_texts(batch_of(spans), spans, OUR_RULES), QUIET_NS)


def with_texts(batch: pa.Table, spans: Iterable[Span], rules: Rules) -> pa.Table:
    """The batch with the words it wants, as the collector reads them from the store."""
    wanted = {*texts_wanted(batch, rules)}
    if not wanted:
        return batch
    texts: dict[tuple[str, str], tuple[str | None, ...]] = {}
    for span in spans:
        if (span.trace_id, span.span_id) in wanted:
            said = normalise(span)
            keys = (said.input_key, said.output_key)
            texts[span.trace_id, span.span_id] = (*(_text(span, key) for key in keys), None)
    ids = zip(batch.column("trace_id").to_pylist(), batch.column("span_id").to_pylist(), strict=True)
    rows = [texts.get(pair, (None, None, None)) for pair in ids]
    for name, column in zip(TEXTS, zip(*rows, strict=True), strict=True):
        batch = batch.append_column(name, pa.array(column, pa.string()))
    return batch


def _text(span: Span, key: str | None) -> str | None:
    value = span.attributes.get(key or "")
    return None if value is None else value if isinstance(value, str) else to_json(value)
