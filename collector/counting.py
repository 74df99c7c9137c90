"""Counts of what was received: by minute, by reason of loss, by who sent it. They stay when the spans are removed."""

from collections.abc import Iterable
from typing import Final

import duckdb

from collector.batch import Batch
from collector.database import scalar, transaction
from collector.evidence import Kept
from collector.rows import TRUNCATED, Row

MINUTE_NS: Final = 60_000_000_000


def count_received(
    tx: duckdb.DuckDBPyConnection,
    batch: Batch,
    minute_ns: int,
    stored: int,
    duplicate: int,
    conflict: int,
    late: int,
    rows: Iterable[Row],
) -> None:
    """Counts a commit, beside its spans and in the same transaction.

    Args:
        rows: what is stored of it.
    """
    rejected = batch.rejected.total()
    truncated = sum(row[TRUNCATED] for row in rows)
    received = stored + duplicate + rejected
    tx.execute(
        "insert into store.ingest_minute values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [minute_ns, received, stored, duplicate, conflict, rejected, truncated, late, batch.requests, batch.body_bytes],
    )
    for table, column, counts in (
        ("ingest_rejection", "spans", batch.rejected),
        ("ingest_refusal", "requests", batch.refused),
        ("ingest_redaction", "texts", batch.redacted),
    ):
        if counts:
            tx.executemany(
                _UPSERT_REASON[table, column], [(minute_ns, reason, n) for reason, n in sorted(counts.items())]
            )


def count_records(tx: duckdb.DuckDBPyConnection, batch: Batch, minute_ns: int, told: Kept) -> None:
    """Counts what became of the log records of a commit."""
    fates = {"stored": told.stored, "duplicate": told.duplicate, **batch.logs_rejected}
    counts = [(minute_ns, fate, records) for fate, records in sorted(fates.items()) if records]
    if counts:
        tx.executemany(_UPSERT_FATE, counts)


class Folds:
    """Sums up each minute once it is over, at the first commit after it. Belongs to the thread that writes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._until_ns: int = scalar(connection, _FOLDED_UNTIL)
        """Spans that were received before are counted by who sent them."""

    def fold(self, connection: duckdb.DuckDBPyConnection, before_ns: int) -> None:
        """Sums up the minutes before this one: an upsert with each commit would cost it 3 ms."""
        with transaction(connection) as tx:
            folded = tx.execute(
                "select * exclude (balance) from ingest_minute where minute_ns < $before and minute_ns in "
                "(select minute_ns from store.ingest_minute group by 1 having count(*) > 1)",
                {"before": before_ns},
            ).fetchall()
            for row in folded:
                tx.execute("delete from store.ingest_minute where minute_ns = ?", [row[0]])
                tx.execute("insert into store.ingest_minute values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            tx.execute(_FOLD_SOURCES, {"since": self._until_ns, "before": before_ns})
        self._until_ns = max(self._until_ns, before_ns)


_FOLDED_UNTIL: Final = "select coalesce(max(minute_ns) + 60000000000, 0) from store.ingest_source"

_FOLD_SOURCES: Final = """
insert into store.ingest_source
select s.received_ns // 60000000000 * 60000000000, s.service, c.name, c.version, s.dialect, s.framework,
       count(*), count(s.gaps), max(s.received_ns)
from store.span s left join store.scope c using (scope_id)
where s.received_ns >= $since and s.received_ns < $before
group by all
"""

_UPSERT_FATE: Final = (
    "insert into store.ingest_log values (?, ?, ?) on conflict do update set records = records + excluded.records"
)

_UPSERT_REASON: Final = {
    ("ingest_rejection", "spans"): (
        "insert into store.ingest_rejection values (?, ?, ?) on conflict do update set spans = spans + excluded.spans"
    ),
    ("ingest_refusal", "requests"): (
        "insert into store.ingest_refusal values (?, ?, ?) "
        "on conflict do update set requests = requests + excluded.requests"
    ),
    ("ingest_redaction", "texts"): (
        "insert into store.ingest_redaction values (?, ?, ?) on conflict do update set texts = texts + excluded.texts"
    ),
}
