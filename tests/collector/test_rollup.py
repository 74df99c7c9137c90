"""Roll-ups hold exactly what the runs hold: added, taken back, folded, and made anew."""

import shutil
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from collector.decode import decode_protobuf
from collector.rollup import MEASURES, Derived, deltas, octaves_8
from collector.rollup_store import LEVELS, Rollups
from collector.rows import to_table
from collector.settle import Settled, settle
from collector.settling import replace
from collector.store import Store
from demo_data.send import History, history_runs
from demo_data.telemetry import Player
from schemas.records import Span
from schemas.settings import Settings
from schemas.taxonomy import Outcome
from tests.collector.rollup_by_run import run_by_run
from tests.collector.test_settling import batch, quick, running, settings, wait_until_settled
from tests.otlp import recorded_folders, recorded_spans
from tests.settling import QUIET_NS, batch_of

__all__ = ["settings"]


@cache
def recorded() -> list[Span]:
    """All recordings, each once: many frameworks, many ways to fail."""
    return [span for folder in recorded_folders() for span in recorded_spans(folder)]


@cache
def demo() -> list[Span]:
    """A day of the demo's workflows with all their faults."""
    ended: list[ReadableSpan] = []
    player = Player(ended.append)
    for run in history_runs(History(seed=7, end_ns=1_795_392_000_000_000_000, days=1, factor=0.15)):
        player.play(run.spans)
    return list(decode_protobuf(encode_spans(ended).SerializeToString(), Settings()).spans)


def derived(settled: Settled, store: Store) -> Derived:
    """Settled rows as the tables they are stored as."""
    return Derived(*(to_table(getattr(settled, name), store.derived_schemas[name]) for name in Derived._fields))


def _sum(table: pa.Table, column: int) -> int:
    return sum(table.column(table.num_columns + column).to_pylist())


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


@pytest.fixture
def empty(settings: Settings) -> Iterator[Store]:
    store = Store.open(settings)
    yield store
    store.close()


def held(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What the views of the roll-ups sum up to."""
    found = {}
    with store.cursor() as cursor:
        for table in MEASURES:
            columns = [row[0] for row in cursor.execute(f"describe {table}").fetchall()]
            keys, sums = columns[: -MEASURES[table]], columns[-MEASURES[table] :]
            sql = (
                f"select {', '.join(keys)}, {', '.join(f'round(sum({s}), 6)' for s in sums)} from {table} group by all"
            )
            rows = cursor.execute(f"from ({sql}) order by all").fetchall()
            found[table] = [row for row in rows if any(row[-MEASURES[table] :])]
    return found


@pytest.fixture(scope="module")
def filled_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which every recording has been settled."""
    settings = quick(tmp_path_factory.mktemp("filled"))
    with running(settings) as (store, settler):
        settler.touch(store.write(batch(recorded())))
        wait_until_settled(settler, 60)
        time.sleep(settings.rootless_finish_s + 0.5)
        wait_until_settled(settler, 60)
    return settings.data_dir


@pytest.fixture
def filled(filled_dir: Path, settings: Settings) -> Iterator[Store]:
    """A copy of it, open, with its settler at work."""
    shutil.copytree(filled_dir, settings.data_dir, dirs_exist_ok=True)
    with running(settings) as (store, _):
        yield store


def ask(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def test_runs_by_outcome_are_those_that_are_stored(filled: Store) -> None:
    """Counts, tokens and lengths of runs add up to the runs', open ones apart."""
    columns = "workflow, outcome, layer_a, code"
    rolled = ask(
        filled,
        f"select {columns}, sum(runs), sum(tokens_input), sum(operations), sum(duration_ns) from rollup_run "
        "group by all order by all",
    )
    direct = ask(
        filled,
        f"select {columns}, count(*), sum(coalesce(tokens_input, 0)), sum(operations), "
        "sum(coalesce(duration_ns, 0)) from run where outcome <> 'open' group by all order by all",
    )
    assert rolled == direct
    assert len(rolled) > 20


def test_operations_of_depth_1_are_those_that_are_stored(filled: Store) -> None:
    """Good, first good and tried: a step's sums are those of its operations that are over."""
    rolled = ask(
        filled,
        "select workflow, step, sum(operations), sum(good), sum(first_good), sum(attempts) from rollup_step "
        "where scope = '' group by all order by all",
    )
    direct = ask(
        filled,
        "select workflow, o.name, count(*), count(*) filter (o.outcome <> 'failed'), count(*) filter (first_try_ok), "
        "sum(o.attempts) from operation o join run r using (run_id) where o.depth = 1 and r.outcome <> 'open' "
        "and o.end_ns is not null and not exists (from step s where s.run_id = o.run_id and s.operation_id = "
        "o.operation_id and s.status = 'pending') group by all order by all",
    )
    assert rolled == direct


def test_calls_count_every_operation_once_at_its_own_time(filled: Store) -> None:
    """Attempts of models and tools add up, whatever the depth."""
    rolled = ask(filled, "select kind, sum(operations), sum(tries * operations) from rollup_call group by 1 order by 1")
    direct = ask(
        filled,
        "select o.kind, count(*), sum(o.attempts) from operation o join run r using (run_id) "
        "where r.outcome <> 'open' and o.end_ns is not null and not exists (from step s where s.run_id = o.run_id "
        "and s.operation_id = o.operation_id and s.status = 'pending') group by 1 order by 1",
    )
    assert rolled == direct


def test_root_failures_are_those_that_are_stored(filled: Store) -> None:
    """By code, certainty and whether they were recovered."""
    columns = "code, certainty, recovered, silent"
    rolled = ask(filled, f"select {columns}, sum(failures) from rollup_failure group by all order by all")
    direct = ask(
        filled,
        f"select {columns}, count(*) from failure join run using (run_id) where role = 'root' and outcome <> 'open' "
        "group by all order by all".replace("code,", "failure.code,"),
    )
    assert rolled == direct


def test_every_run_starts_once_and_what_went_well_is_followed_by_one_thing(filled: Store) -> None:
    """Transitions out of a node are its good visits, but where the run waits."""
    ((starts, runs),) = ask(
        filled,
        "select (select sum(transitions) from rollup_edge where scope = '' and from_node is null), "
        "(select sum(runs) from rollup_run)",
    )
    assert starts == runs
    too_many = ask(
        filled,
        "with visits as (select workflow, node, step, sum(trials_good) as good from rollup_step where scope = '' "
        "group by all), best as (select workflow, node, min(good) as good from visits group by all), "
        "followed as (select workflow, from_node as node, sum(transitions) as n from rollup_edge where scope = '' "
        "and from_node is not null group by all) from followed join best using (workflow, node) where n > good",
    )
    assert too_many == []


def test_time_along_the_critical_path_is_the_time_of_the_runs(filled: Store) -> None:
    """Steps of depth 1, with all below them, lie on the path for no longer than the runs took."""
    ((critical, runs),) = ask(
        filled,
        "select (select sum(critical_ns) from rollup_step where scope = ''), (select sum(duration_ns) from rollup_run)",
    )
    assert 0 < critical <= runs
    wrong = ask(filled, "from rollup_run where model_ns + tool_ns + retrieval_ns + critical_wasted_ns > duration_ns")
    assert wrong == []


@pytest.mark.parametrize("spans", [recorded, demo], ids=["recordings", "demo"])
def test_columns_say_what_one_run_after_the_other_says(empty: Store, spans: Callable[[], list[Span]]) -> None:
    """Every key with every sum, of many frameworks and of many kinds of failure."""
    settled = settle(batch_of(spans()), QUIET_NS)
    by_columns = deltas([derived(settled, empty)])
    for table, expected in run_by_run(settled).items():
        assert rows_of(by_columns[table]) == sorted(expected, key=repr), table


def test_taking_runs_back_leaves_nothing(empty: Store) -> None:
    """Added and taken back, whatever the runs look like."""
    everything = derived(settle(batch_of(recorded()), QUIET_NS), empty)
    assert deltas([everything], [everything]) == {}


def test_runs_that_are_taken_back_count_less(empty: Store) -> None:
    """What some runs add less what others had added, each figure of it."""
    everything = derived(settle(batch_of(recorded()), QUIET_NS), empty)
    is_kept = np.arange(everything.run.num_rows) % 3 > 0
    taken_back = everything.only(~is_kept)
    left, kept = deltas([everything], [taken_back]), deltas([everything.only(is_kept)])
    assert {table: rows_of(rows) for table, rows in left.items()} == {t: rows_of(rows) for t, rows in kept.items()}


def test_nothing_adds_nothing(empty: Store) -> None:
    """Also where runs are taken back and none comes in their place, and where nothing but open runs is there."""
    nothing = derived(Settled([], [], [], [], [], []), empty)
    with empty.cursor() as cursor:
        stored = Derived(*(cursor.table(f"store.{name}").to_arrow_table() for name in Derived._fields))
    everything = derived(settle(batch_of(recorded()), QUIET_NS), empty)
    assert deltas([nothing]) == deltas([stored]) == deltas([stored], [nothing]) == {}
    assert deltas([everything], [stored]).keys() == deltas([stored], [everything]).keys() == set(MEASURES)
    rootless = derived(settle(batch_of([span for span in recorded() if span.parent_span_id]), 0), empty)
    assert {*rootless.run.column("outcome").to_pylist()} == {"open"}
    assert deltas([rootless]) == {}


def test_settling_in_pieces_gives_what_settling_at_once_gives(filled: Store, tmp_path: Path) -> None:
    """Spans that come late take back what was counted before."""
    pieces = recorded()[:]
    Random(3).shuffle(pieces)
    conf = Settings(data_dir=tmp_path / "pieces", min_free_disk_mib=0, settle_quiet_s=0.02, settle_max_wait_s=0.1,
                    rootless_finish_s=0.5)  # fmt: skip
    with running(conf) as (store, settler):
        for first in range(0, len(pieces), 400):
            settler.touch(store.write(batch(pieces[first : first + 400])))
            wait_until_settled(settler, 60)
        time.sleep(conf.rootless_finish_s + 0.5)
        wait_until_settled(settler, 60)
        assert held(store) == held(filled)


def test_runs_that_wait_are_in_the_roll_ups_with_the_next_ones(empty: Store) -> None:
    """While more is to be settled nothing is written; what was settled last brings all of it."""
    first, second = (settle(batch_of(spans), QUIET_NS) for spans in (recorded(), demo()))
    with empty.cursor() as cursor:
        rollups = Rollups(cursor)
        replace(cursor, empty, rollups, [run.trace_id for run in first.trace], first, 1, may_wait=True)
        assert not any(held(empty).values())
        replace(cursor, empty, rollups, [run.trace_id for run in second.trace], second, 2)
    both = [derived(settled, empty) for settled in (first, second)]
    assert ask(empty, "select sum(runs) from rollup_run") == [(_sum(deltas(both)["rollup_run"], -12),)]
    assert ask(empty, "select sum(transitions) from rollup_edge") == [(_sum(deltas(both)["rollup_edge"], -1),)]


def test_runs_that_wait_are_not_lost_in_a_crash(empty: Store) -> None:
    """The store names them; the next start adds them, once."""
    settled = settle(batch_of(recorded()), QUIET_NS)
    traces = [trace.trace_id for trace in settled.trace]
    with empty.cursor() as cursor:
        replace(cursor, empty, Rollups(cursor), traces, settled, 1, may_wait=True)
        for _ in range(2):
            Rollups(cursor)
            assert ask(empty, "select sum(runs) from rollup_run") == [
                (sum(run.outcome != Outcome.OPEN for run in settled.run),)
            ]


def test_a_run_that_waits_may_be_settled_again(empty: Store) -> None:
    """It counts as what it is now."""
    settled = settle(batch_of(recorded()), QUIET_NS)
    traces = [trace.trace_id for trace in settled.trace]
    with empty.cursor() as cursor:
        rollups = Rollups(cursor)
        for mark in (1, 2):
            replace(cursor, empty, rollups, traces, settled, mark, may_wait=True)
    assert ask(empty, "select sum(runs) from rollup_run") == [(sum(r.outcome != Outcome.OPEN for r in settled.run),)]


def test_folding_changes_no_sum_at_any_level(filled: Store) -> None:
    """5 minutes, hours and days each hold all of it, one row a key, also when folded again."""
    before = held(filled)
    with filled.cursor() as cursor:
        rollups = Rollups(cursor)
        rollups.fold(cursor)
        rollups.fold(cursor)
    assert held(filled) == before
    assert ask(filled, "select count(*) from store.rollup_run where level = 0") == [(0,)]
    totals = [ask(filled, f"select sum(runs), sum(tokens_input) from store.rollup_run{level}") for level, _ in LEVELS]
    assert totals[0] == totals[1] == totals[2]
    for level, width in LEVELS:
        table = f"store.rollup_edge{level}"
        keys = "select * exclude (transitions), count(*) as n"
        assert ask(filled, f"{keys} from {table} group by all having n > 1") == []
        assert ask(filled, f"from {table} where bucket_ns % {width} <> 0") == []


def test_a_rebuild_gives_the_same(filled: Store) -> None:
    """Made anew from the stored runs, chunk by chunk."""
    before = held(filled)
    with filled.cursor() as cursor:
        rollups = Rollups(cursor)
        rollups.start_anew(cursor)
        assert not any(held(filled).values())
        while rollups.rebuild_some(cursor):
            pass
        assert rollups.is_whole
    assert held(filled) == before


def test_a_rebuild_goes_on_after_a_restart(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is stored with each chunk, so no run is counted twice or left out."""
    monkeypatch.setattr("collector.rollup_store.CHUNK_RUNS", 7)
    before = held(filled)
    with filled.cursor() as cursor:
        rollups = Rollups(cursor)
        rollups.start_anew(cursor)
        for _ in range(4):
            rollups.rebuild_some(cursor)
        again = Rollups(cursor)
        assert not again.is_whole
        while again.rebuild_some(cursor):
            pass
    assert held(filled) == before


@pytest.mark.parametrize("ns", [1, 999, 1_500_000, 2_000_000_000, 86_400_000_000_000])
def test_a_length_is_read_back_within_five_percent(ns: int) -> None:
    """Eight buckets an octave."""
    (octave,) = octaves_8(np.array([ns], np.uint64)).tolist()
    assert 2 ** ((octave + 0.5) / 8) == pytest.approx(ns, rel=0.05)


def test_a_failure_says_what_its_run_and_its_step_say(filled: Store) -> None:
    """Of its run: workflow, version, environment, start. Of its step: kind, and how long it took if it failed."""
    ((failures, lost, told_else),) = ask(
        filled,
        "select count(*), count(lost_ns), count(*) filter (where (f.workflow, f.workflow_version, f.environment, "
        "f.run_start_ns, f.kind, f.lost_ns) is distinct from (r.workflow, r.workflow_version, r.environment, "
        "r.start_ns, s.kind, case when s.status = 'failed' or s.in_band_error is not null then s.duration_ns end)) "
        "from failure f join run r using (run_id) left join step s on s.run_id = f.run_id and s.trace_id = f.trace_id "
        "and s.span_id = f.span_id",
    )
    assert (failures > 0, lost > 0, told_else) == (True, True, 0)


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        ("last_of_run", "certainty"),
        ("last_of_code", "certainty, code"),
        ("last_of_step", "certainty, workflow, step, layer_a, layer_b"),
    ],
)
def test_runs_with_failures_are_counted_without_their_ids(filled: Store, last: str, kept: str) -> None:
    """The last root occurrence of a run stands for it: they are as many as the runs, whatever window is asked for."""
    told = ask(
        filled,
        f"select {kept}, run_start_ns // 1_000_000_000_000, count(*) filter (where {last}), count(distinct run_id), "
        "count(*) from failure where role = 'root' group by all",
    )
    assert told
    assert all(row[-3] == row[-2] for row in told)
    assert any(row[-2] < row[-1] for row in told)
    assert ask(filled, f"select count(*) from failure where {last} and role <> 'root'") == [(0,)]
