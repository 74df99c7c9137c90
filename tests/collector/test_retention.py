"""Runs go whole, with everything that was derived of them; figures stay; what comes too late is told so."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

import collector.retention
from collector.batch import Batch
from collector.evidence import of_verdict
from collector.rollup_store import Rollups
from collector.rows import TRACE_ID
from collector.settling import Settler
from collector.store import Store
from schemas.records import Evaluation, Span
from schemas.retention import RetentionSettings
from schemas.settings import Settings
from tests.collector.test_rollup import ask, held
from tests.collector.test_settling import batch, running, settings, wait_until_settled
from tests.otlp import recorded_spans

__all__ = ["settings"]


DAY_NS = 86_400 * 10**9


def one_run(folder: str, days_ago: int = 0) -> list[Span]:
    """A recorded run, the first of its folder, begun that much earlier."""
    spans = recorded_spans(folder)
    ago = days_ago * DAY_NS
    return [
        span._replace(start_ns=span.start_ns - ago, end_ns=span.end_ns - ago)
        for span in spans
        if span.trace_id == spans[0].trace_id
    ]


OLD = one_run("langgraph-openinference-good", 100)
NEW = one_run("crewai-openinference-good")
SHATTERED = "autogen-builtin-good"

RUNS = "select sum(runs) from rollup_run"
BY_TRACE = ("span", "trace", "trace_key", "evidence")
BY_RUN = ("run", "step", "operation", "failure", "verdict")


def keeping(settings: Settings, **limits: float) -> Settings:
    """The settings with these limits of retention."""
    return settings.model_copy(update={"retention": RetentionSettings(**limits)})


def fill(store: Store, settler: Settler, spans: Sequence[Span]) -> None:
    settler.touch(store.write(batch(spans)))
    wait_until_settled(settler)


def wait_for(store: Store, sql: str, expected: Any, at_most_s: float = 15.0) -> None:
    deadline = time.monotonic() + at_most_s
    while (found := ask(store, sql)) != expected:
        assert time.monotonic() < deadline, f"{sql}: {found}, not {expected}"
        time.sleep(0.05)


def age(store: Store, days: float) -> None:
    """Makes everything that is stored that much older, as far as its receipt goes."""
    with store.cursor() as cursor:
        for table, columns in {
            "span": ["received_ns"],
            "evidence": ["received_ns"],
            "trace": ["first_received_ns", "last_received_ns"],
            "run": ["last_received_ns"],
        }.items():
            moved = ", ".join(f"{column} = {column} - {int(days * DAY_NS)}" for column in columns)
            cursor.execute(f"update store.{table} set {moved}")


def left(store: Store) -> dict[str, int]:
    """Rows by table."""
    return {table: ask(store, f"select count(*) from store.{table}")[0][0] for table in (*BY_TRACE, *BY_RUN)}


@pytest.fixture
def aged(settings: Settings) -> Settings:
    """Settings of a store with one run of 100 days ago and one of now."""
    with running(keeping(settings, days=0, max_gib=0)) as (store, settler):
        fill(store, settler, OLD)
        age(store, 100)
        fill(store, settler, NEW)
    return settings


@contextmanager
def store_of(settings: Settings) -> Iterator[Store]:
    store = Store.open(settings)
    try:
        yield store
    finally:
        store.close()


def traces(spans: Sequence[Span]) -> set[str]:
    return {span.trace_id for span in spans}


def test_a_run_that_nothing_came_for_in_90_days_goes_whole_and_the_others_stay(aged: Settings) -> None:
    """By default, without a word in the settings."""
    with running(aged) as (store, _):
        wait_for(store, "select reason, runs > 0, spans from removal", [("age", True, len(OLD))])
        for table in BY_TRACE[:2]:
            assert {row[0] for row in ask(store, f"select trace_id from store.{table}")} == traces(NEW)
        for table in BY_RUN[:3]:
            assert {row[0] for row in ask(store, f"select run_id from store.{table}")} <= traces(NEW)
        assert {row[0] for row in ask(store, "select trace_id from removed_trace")} == traces(OLD)


def test_figures_of_removed_runs_stay_also_when_the_rollups_are_made_anew(aged: Settings) -> None:
    """Nothing can make them again from runs that are gone, so a rebuild leaves their days alone."""
    with running(keeping(aged, days=0, max_gib=0)) as (store, _):
        before = held(store)
    with running(aged) as (store, _):
        wait_for(store, "select count(*) from removal", [(1,)])
        assert held(store) == before
    with store_of(aged) as store:
        with store.cursor() as cursor:
            rollups = Rollups(cursor)
            rollups.start_anew(cursor)
            while rollups.rebuild_some(cursor):
                pass
            rollups.fold(cursor)
        assert held(store) == before


def test_what_is_settled_during_a_rebuild_still_counts_on_days_that_are_kept(settings: Settings) -> None:
    """A run settled again behind the rebuild's mark moves the figures of such a day by what changed."""
    spans = [s._replace(trace_id="1" * 32) for s in OLD]  # another run of the same day
    with running(keeping(settings, days=0, max_gib=0, rollup_days=0)) as (store, settler):
        fill(store, settler, OLD)
        fill(store, settler, spans)
        assert ask(store, RUNS) == [(2,)]
        answer = settler.forget([OLD[0].trace_id]).result(30)
        assert len(answer.removed) == 1
    with running(settings) as (store, settler):
        settler.rebuild_rollups()
        judged = Evaluation("run", "test", "good", None, "fail", None, spans[0].start_ns)
        evidence = [of_verdict(spans[0].trace_id, None, judged)]
        settler.touch(store.write(Batch([], {}, {}, batch([]).rejected, batch([]).refused, 0, 0, evidence)))
        wait_until_settled(settler)
        deadline = time.monotonic() + 10
        while not settler.has_whole_rollups:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert ask(store, RUNS) == [(2,)]
        assert ask(store, "select sum(runs) from rollup_run where verdict = 'fail'") == [(1,)]


def test_what_comes_too_late_for_a_removed_run_is_rejected_and_counted_across_a_restart(aged: Settings) -> None:
    """It would be half a run; the sender is told, and received = stored + duplicate + rejected holds."""
    spans = OLD
    late = spans[0]._replace(span_id="00000000000000aa")
    said = of_verdict(spans[0].trace_id, None, Evaluation("run", "test", "good", 1.0, None, None, 1))
    for _ in range(2):
        with running(aged) as (store, settler):
            wait_for(store, "select count(*) from removal", [(1,)])
            both = batch([late, *NEW[:1]])._replace(evidence=[said])
            written = store.write(both)
            settler.touch(written)
            wait_until_settled(settler)
            assert written.removed == {late.trace_id}
            assert written.stored == 0  # the other one was there
            assert written.duplicate == 1
            assert left(store)["evidence"] == 0
            assert ask(store, "select sum(balance) from ingest_minute") == [(0,)]
            assert {row[TRACE_ID] for row in ask(store, "select trace_id from store.span")} == traces(NEW)
    with running(aged) as (store, _):
        assert ask(store, "select reason, sum(spans) from ingest_rejection group by 1") == [("run_removed", 2)]


def test_a_run_of_many_traces_goes_with_all_of_them(settings: Settings) -> None:
    with running(keeping(settings, days=0)) as (store, settler):
        fill(store, settler, recorded_spans(SHATTERED))
        time.sleep(settings.rootless_finish_s + 0.5)
        wait_until_settled(settler)
        age(store, 91)
    with running(settings) as (store, _):
        wait_for(store, "select sum(spans) from removal", [(len(recorded_spans(SHATTERED)),)])
        assert not any(left(store).values())


def test_an_open_run_goes_too(settings: Settings) -> None:
    """One whose root never came, or never ended, is as old as the last span that came."""
    spans = [span._replace(end_ns=0) for span in OLD if span.parent_span_id is None]
    with running(keeping(settings, days=0)) as (store, settler):
        fill(store, settler, spans)
        assert ask(store, "select outcome from run") == [("open",)]
        age(store, 91)
    with running(settings) as (store, _):
        wait_for(store, "select sum(runs) from removal", [(1,)])
        assert not any(left(store).values())


def test_a_store_that_is_too_large_loses_its_oldest_runs_but_none_of_the_last_hour(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size counts what the file holds; blocks that are free in it are used again."""
    small = keeping(settings, days=0, max_gib=1e-6)
    with running(small) as (store, settler):
        fill(store, settler, OLD)
        time.sleep(1.0)
        assert ask(store, "select count(*) from removal") == [(0,)]
        age(store, 0.1)
        fill(store, settler, NEW)
    with running(small) as (store, _):
        wait_for(store, "select reason, spans from removal", [("size", len(OLD))])
        assert {row[0] for row in ask(store, "select trace_id from store.span")} == traces(NEW)


def test_a_wish_is_granted_once_and_answers_what_it_did(settings: Settings) -> None:
    """By the run's id or that of any of its traces; an id of nothing is named, and asking again finds nothing."""
    with running(settings) as (store, settler):
        fill(store, settler, OLD)
        fill(store, settler, NEW)
        (run_id,) = {row[0] for row in ask(store, "select run_id from run")} & traces(OLD)
        answer = settler.forget([run_id, "f" * 32]).result(30)
        assert (answer.removed, answer.left, answer.unknown) == ([run_id], [], ["f" * 32])
        again = settler.forget([run_id]).result(30)
        assert (again.removed, again.unknown) == ([], [run_id])
        assert ask(store, "select reason, runs from removal") == [("asked", 1)]


def test_counts_outlive_their_runs_by_the_days_that_are_set_and_no_more(aged: Settings) -> None:
    """A day's roll-ups go when they are older and no stored run counts in them."""
    with running(keeping(aged, days=90, rollup_days=400)) as (store, _):
        wait_for(store, "select count(*) from removal", [(1,)])
        assert len(held(store)["rollup_run"]) == 2
    with store_of(aged) as store, store.cursor() as cursor:
        cursor.execute("update store.removed_trace set removed_ns = removed_ns - ?", [DAY_NS])
    with running(keeping(aged, days=90, rollup_days=0.5)) as (store, _):
        wait_for(store, "select count(*) from removed_trace", [(0,)])
        workflows = {row[0] for row in ask(store, "select distinct workflow from run")}
        assert {row[0] for row in ask(store, "select workflow from rollup_run where runs <> 0")} == workflows


def test_a_long_sweep_takes_many_bites_and_settling_goes_on_between(
    aged: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector.retention, "BITE_RUNS", 1)
    runs = [[span._replace(trace_id=f"{n:032x}") for span in OLD] for n in range(1, 6)]
    with running(keeping(aged, days=0)) as (store, settler):
        for spans in runs:
            fill(store, settler, spans)
        age(store, 100)
    with running(aged) as (store, settler):
        fill(store, settler, [span._replace(trace_id="9" * 32) for span in NEW])
        wait_for(store, "select sum(runs) >= 7 from removal", [(True,)])
        assert {row[0] for row in ask(store, "select trace_id from store.span")} == {"9" * 32}
