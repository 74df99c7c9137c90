"""What was received is counted by the minute: each span once, whether its minute is over or not."""

import time
from itertools import count
from pathlib import Path

import pytest

from collector import counting
from collector.store import Store
from schemas.settings import Settings
from tests.collector.stored import batch_of
from tests.otlp import recorded_spans

MINUTE_NS = 60_000_000_000
NOON_NS = 1_795_608_000 * 10**9

SOURCES = """
select service, dialect, sum(spans), sum(spans_with_gaps), max(last_ns) from ingest_source group by all order by all
"""
DIRECT = """
select service, dialect, count(*), count(gaps), max(received_ns) from span group by all order by all
"""


def test_spans_are_counted_by_who_sent_them_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the minute they came, after it was summed up, after a restart, and in the minute of the restart."""
    spans = list(recorded_spans("langgraph-openinference-good"))
    settings = Settings(data_dir=tmp_path / "data", min_free_disk_mib=0)
    now_ns, steps = NOON_NS, count()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)
    store = Store.open(settings)
    for minute in (0, 0, 1, 1, 3, 3):
        now_ns = NOON_NS + minute * MINUTE_NS + next(steps)
        trace = f"{next(steps):032x}"
        sender = {"service": f"desk-{minute % 2}", "gaps": ("model",) if minute else ()}
        store.write(batch_of([span._replace(trace_id=trace) for span in spans], **sender))
        store.fold_minutes()
        if minute == 1:
            store.close()
            store = Store.open(settings)
        with store.cursor() as cursor:
            assert cursor.execute(SOURCES).fetchall() == cursor.execute(DIRECT).fetchall()
    with store.cursor() as cursor:
        folded = cursor.execute("select distinct (minute_ns - $1) // $2 from store.ingest_source", [NOON_NS, MINUTE_NS])
        assert sorted(folded.fetchall()) == [(0,), (1,)]
    store.close()


def test_senders_are_not_told_that_a_batch_failed_when_only_the_sums_of_a_minute_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = list(recorded_spans("langgraph-openinference-good"))
    now_ns = NOON_NS
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)
    store = Store.open(Settings(data_dir=tmp_path / "data", min_free_disk_mib=0))
    whole = counting._FOLD_SOURCES
    monkeypatch.setattr(counting, "_FOLD_SOURCES", "insert into store.nowhere values ($since, $before)")
    for minute in range(4):
        now_ns = NOON_NS + minute * MINUTE_NS
        if minute == 3:
            monkeypatch.setattr(counting, "_FOLD_SOURCES", whole)
        assert store.write(batch_of([span._replace(trace_id=f"{minute:032x}") for span in spans])).stored == len(spans)
        store.fold_minutes()
    with store.cursor() as cursor:
        assert cursor.execute(SOURCES).fetchall() == cursor.execute(DIRECT).fetchall()
        folded = cursor.execute("select distinct (minute_ns - $1) // $2 from store.ingest_source", [NOON_NS, MINUTE_NS])
        assert sorted(folded.fetchall()) == [(0,), (1,), (2,)]
    store.close()
