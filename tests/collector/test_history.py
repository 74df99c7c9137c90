"""New rules go through history in the background: all of it, newest first, beside ingest, across restarts."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

import collector.history
from collector.history import History
from collector.service import Collector
from collector.settle import rules_id
from collector.settling import Settler
from collector.store import Store
from schemas.records import Span
from schemas.rules import UserRules
from schemas.settings import Settings
from schemas.version import RULE_VERSION
from tests.collector.test_settling import batch, running, settings, tables, wait_until_settled
from tests.otlp import recorded_spans

__all__ = ["settings"]

RUNS = 2_000
FOLDER = "langgraph-openllmetry-state-error"
OWN = UserRules.model_validate({"match": [{"code": "judged.route", "exception": "KeyError"}]})


def copies(count: int, first: int = 0) -> Iterator[list[Span]]:
    """Runs like a recorded one, each with trace ids of its own."""
    spans = list(recorded_spans(FOLDER))
    for n in range(first, first + count):
        yield [span._replace(trace_id=f"{n:08x}{span.trace_id[8:]}") for span in spans]


def fill(settings: Settings, runs: int) -> None:
    """A store in which `runs` runs were settled by the rules of the day."""
    with running(settings) as (store, settler):
        settler.touch(store.write(batch([span for run in copies(runs) for span in run])))
        wait_until_settled(settler, 240)


def age(settings: Settings) -> None:
    """Makes the store look as if earlier rules had settled it."""
    store = Store.open(settings)
    with store.cursor() as cursor:
        cursor.execute("update store.meta set value = '0' where key = 'rule_version'")
        for table in ("run", "step", "operation", "failure"):
            cursor.execute(f"update store.{table} set rule_version = 0")
    store.close()


def ask(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def wait_for(condition: Any, at_most_s: float = 240.0) -> None:
    deadline = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_new_rules_go_through_thousands_of_runs_while_spans_come_and_across_a_restart(settings: Settings) -> None:
    """Every run ends with the rows the present rules give it, once; spans that come meanwhile wait for nothing."""
    fill(settings, RUNS)
    with running(settings) as (store, _):
        before = tables(store)
    age(settings)
    with running(settings) as (store, settler):
        wait_for(lambda: settler.resettling is not None and settler.resettling.done >= RUNS // 5)
        slowest = 0.0
        for fresh in copies(20, first=RUNS):
            started = time.monotonic()
            settler.touch(store.write(batch(fresh)))
            slowest = max(slowest, time.monotonic() - started)
        assert slowest < 2.0
        assert ask(store, "select count(*) > 0 from run where rule_version = 0") == [(True,)]
    with running(settings) as (store, settler):
        assert settler.resettling is not None
        assert RUNS // 5 <= settler.resettling.done < RUNS
        ((version, done, total),) = ask(store, "select * from resettling")
        assert (version, total) == (RULE_VERSION, settler.resettling.total)
        assert RUNS // 5 <= done <= total
        wait_for(lambda: settler.resettling is None)
        wait_until_settled(settler)
        after = tables(store)
        assert ask(store, "select distinct rule_version from run") == [(RULE_VERSION,)]
        assert ask(store, "select * from resettling") == []
        assert ask(store, "select count(*) from run") == [(len(before["run"]) // RUNS * (RUNS + 20),)]
    for name, rows in before.items():
        assert {*map(repr, rows)} <= {*map(repr, after[name])}
        assert len(after[name]) == len(rows) // RUNS * (RUNS + 20)
    with running(settings) as (_, settler):
        assert settler.resettling is None


def test_rules_of_the_users_own_that_changed_go_through_history_too(settings: Settings) -> None:
    """Added, they name what they name; taken away again, history is as it was."""
    fill(settings, 3)
    own = settings.model_copy(update={"rules": OWN})
    for now, code in ((own, "judged.route"), (settings, "state.missing")):
        with running(now) as (store, settler):
            wait_for(lambda settler=settler: settler.resettling is None)
            assert ask(store, "select distinct code from failure where role = 'root'") == [(code,)]


def test_rules_that_changed_back_in_the_middle_begin_anew(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a history by other rules is no history by ours, though ours had settled all of it before."""
    fill(settings, 3)
    monkeypatch.setattr(collector.history, "CHUNK_SPANS", 1)
    store = Store.open(settings)
    with store.cursor() as cursor:
        half = History(cursor, rules_id(OWN))
        half.chunk_done(cursor, len(half.next_chunk(cursor)))
        total = half.progress.total if half.progress else 0
        anew = History(cursor, rules_id(None))
        assert anew.progress == (0, total)
        assert History(cursor, rules_id(OWN)).progress == (0, total)
    store.close()


def test_history_goes_newest_first_and_misses_nothing_among_equals(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many traces of one batch were received at one moment: a chunk may end between them."""
    with running(settings) as (store, settler):
        for run in copies(4):
            settler.touch(store.write(batch(run)))
        settler.touch(store.write(batch([span for run in copies(5, first=4) for span in run])))
        wait_until_settled(settler)
        monkeypatch.setattr(collector.history, "CHUNK_TRACES", 2)
        with store.cursor() as cursor:
            history = History(cursor, "other rules")
            seen: list[str] = []
            while chunk := history.next_chunk(cursor):
                seen += chunk
                history.chunk_done(cursor, len(chunk))
            received = dict(cursor.execute("select trace_id, last_received_ns from store.trace").fetchall())
            assert history.progress is None
    assert sorted(seen) == sorted(received)
    assert [received[t] for t in seen] == sorted(received.values(), reverse=True)


def test_health_says_how_far_new_rules_have_got(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(settings, 3)
    age(settings)
    monkeypatch.setattr(Settler, "_settle_history", lambda settler: None)
    running_one = Collector(settings.model_copy(update={"grpc_port": 0, "http_port": 0}))
    try:
        said = running_one.health()["resettling"]
        assert said["total"] >= 3
        assert said == {"done": 0, "total": said["total"], "rule_version": RULE_VERSION}
    finally:
        running_one.stop()
    monkeypatch.undo()
    with running(settings) as (_, settler):
        wait_for(lambda: settler.resettling is None)
