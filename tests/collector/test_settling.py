"""What is stored gets settled: soon, whole, once, and the same whatever the order, the splits and the restarts."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

import collector.settling
from collector.batch import Batch
from collector.dialects import normalise
from collector.rollup_store import Rollups
from collector.rows import resource_row, scope_row, span_row
from collector.settling import Settler
from collector.store import Store
from schemas.records import Span
from schemas.rules import UserRules
from schemas.settings import Settings
from tests.collector.stored import batch_of
from tests.otlp import RECORDINGS, recorded_spans, spans_of

OWN = RECORDINGS.parent / "own"

TABLES = {
    "run": "select * exclude (last_received_ns) from store.run order by run_id",
    "step": "select * from store.step order by run_id, position",
    "operation": "select * from store.operation order by run_id, operation_id",
    "failure": "select * from store.failure order by all",
    "verdict": "select * from store.verdict order by all",
    "trace": "select trace_id, run_id, spans from store.trace order by trace_id",
}


def quick(data_dir: Path) -> Settings:
    """Those of a collector that settles at once."""
    return Settings(
        data_dir=data_dir, min_free_disk_mib=0, settle_quiet_s=0.02, settle_max_wait_s=0.2, rootless_finish_s=0.5
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick(tmp_path)


def batch(spans: Sequence[Span]) -> Batch:
    """The spans with what their dialects say."""
    return batch_of(spans)._replace(
        rows=[span_row(span, normalise(span)) for span in spans],
        resources={s.resource.resource_id: resource_row(s.resource) for s in spans},
        scopes={s.scope.scope_id: scope_row(s.scope) for s in spans},
    )


@contextmanager
def running(settings: Settings) -> Iterator[tuple[Store, Settler]]:
    store = Store.open(settings)
    settler = Settler(store, settings, lambda: False)
    settler.start()
    try:
        yield store, settler
    finally:
        settler.stop(5.0)
        store.close()


def wait_until_settled(settler: Settler, at_most_s: float = 30.0) -> None:
    deadline = time.monotonic() + at_most_s
    while settler.lag().traces or settler.is_working():
        assert time.monotonic() < deadline, f"still unsettled: {settler.lag()}"
        time.sleep(0.01)


def tables(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.cursor() as cursor:
        return {name: cursor.execute(sql).fetchall() for name, sql in TABLES.items()}


def settled_at_once(spans: Sequence[Span], settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    with running(settings) as (store, settler):
        settler.touch(store.write(batch(spans)))
        wait_until_settled(settler)
        time.sleep(settings.rootless_finish_s + 0.3)
        wait_until_settled(settler)
        return tables(store)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "seed"),
    [
        ("langgraph-openinference-good", 1),
        ("autogen-builtin-good", 2),
        ("n8n-builtin-subworkflow", 3),
        ("mcp2-native-tool-error", 4),
    ],
)
def test_pieces_in_any_order_across_restarts_settle_to_the_same_rows(
    folder: str, seed: int, tmp_path: Path, settings: Settings
) -> None:
    spans = list(recorded_spans(folder))
    whole = settled_at_once(spans, settings.model_copy(update={"data_dir": tmp_path / "whole"}))
    assert whole["run"]
    shuffled = random.Random(seed).sample(spans, len(spans))
    pieces = [shuffled[i::5] for i in range(5)]
    here = settings.model_copy(update={"data_dir": tmp_path / "pieces"})
    for group in (pieces[:2], pieces[2:4], [*pieces[4:], pieces[0]]):
        with running(here) as (store, settler):
            for piece in group:
                settler.touch(store.write(batch(piece)))
                wait_until_settled(settler)
    with running(here) as (store, settler):
        time.sleep(here.rootless_finish_s + 0.3)
        wait_until_settled(settler)
        assert tables(store) == whole


@pytest.mark.parametrize("folder", ["langgraph-double-parallel", "langgraph-double-agent-stream"])
def test_a_run_whose_traces_come_one_by_one_is_settled_whole_each_time(
    tmp_path: Path, settings: Settings, folder: str
) -> None:
    """A late stray brings its run back, and that run all the strays it already had."""
    spans = [span for file in sorted((OWN / folder).glob("*.pb")) for span in spans_of(file.read_bytes())]
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    whole = settled_at_once(spans, settings.model_copy(update={"data_dir": tmp_path / "whole"}))
    with running(settings) as (store, settler):
        for piece in reversed(by_trace.values()):
            settler.touch(store.write(batch(piece)))
            wait_until_settled(settler)
        assert tables(store) == whole


def test_settling_outlives_an_error_of_what_it_does_besides(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that is opened anew, after a full disk, closes the cursors that were taken before."""
    failed: list[bool] = []

    def fail_once(rollups: Rollups, cursor: duckdb.DuckDBPyConnection) -> None:
        failed.append(True)
        if len(failed) == 1:
            raise duckdb.ConnectionException("Connection already closed")
        fold_if_due(rollups, cursor)

    fold_if_due = Rollups.fold_if_due
    monkeypatch.setattr(Rollups, "fold_if_due", fail_once)
    monkeypatch.setattr(collector.settling, "STUMBLE_S", 0.1)
    with running(settings) as (store, settler):
        deadline = time.monotonic() + 30
        while not failed and time.monotonic() < deadline:
            time.sleep(0.01)
        settler.touch(store.write(batch(list(recorded_spans("langgraph-openinference-good")))))
        wait_until_settled(settler)
        assert tables(store)["run"]
    assert "Connection already closed" in caplog.text


def test_a_rule_of_the_users_own_sees_attributes_of_spans(settings: Settings) -> None:
    rules = UserRules.model_validate(
        {"match": [{"code": "judged.route", "attribute": "llm.model_name", "value": "^gpt"}]}
    )
    with running(settings.model_copy(update={"rules": rules})) as (store, settler):
        settler.touch(store.write(batch(recorded_spans("langgraph-openinference-good"))))
        wait_until_settled(settler)
        with store.cursor() as cursor:
            named = cursor.execute("select distinct rule_id from store.failure where role = 'root'").fetchall()
    assert named == [("judged.route/own-1",)]


def test_what_a_crash_left_unsettled_is_settled_at_the_next_start(settings: Settings) -> None:
    spans = list(recorded_spans("langgraph-openinference-good"))
    store = Store.open(settings)
    store.write(batch(spans))
    store.close()
    with running(settings) as (store, settler):
        wait_until_settled(settler)
        assert len(tables(store)["run"]) == 2


def test_nothing_is_settled_again_at_a_start_when_nothing_is_left(settings: Settings) -> None:
    with running(settings) as (store, settler):
        settler.touch(store.write(batch(list(recorded_spans("langgraph-openinference-good")))))
        wait_until_settled(settler)
        mark = store.settled_until_ns()
    with running(settings) as (store, settler):
        assert settler.lag().traces == 0
        assert store.settled_until_ns() == mark


def test_a_run_without_a_root_finishes_after_quiet(settings: Settings) -> None:
    spans = [s for s in recorded_spans("langgraph-openinference-good") if s.parent_span_id is not None]
    with running(settings) as (store, settler):
        settler.touch(store.write(batch(spans)))
        wait_until_settled(settler)
        assert {row[0] for row in outcomes(store)} == {"open"}
        time.sleep(settings.rootless_finish_s + 0.3)
        wait_until_settled(settler)
        assert {row[0] for row in outcomes(store)} == {"clean"}


def outcomes(store: Store) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute("select outcome from store.run").fetchall()


def test_one_run_that_cannot_be_settled_keeps_no_other_from_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = list(recorded_spans("langgraph-openinference-good"))
    bad = list(recorded_spans("crewai-openinference-good"))
    poison = bad[0].trace_id
    real = collector.settling.settle

    def settle(table: Any, quiet_since_ns: int, rules: Any) -> Any:
        if poison in table.column("trace_id").to_pylist():
            raise RuntimeError("cannot settle this")
        return real(table, quiet_since_ns, rules)

    monkeypatch.setattr(collector.settling, "settle", settle)
    with running(settings) as (store, settler):
        settler.touch(store.write(batch([*good, *bad])))
        deadline = time.monotonic() + 10
        while len(outcomes(store)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert settler.lag().traces == 1
    assert poison in caplog.text
    monkeypatch.setattr(collector.settling, "settle", real)
    with running(settings) as (store, settler):
        wait_until_settled(settler)
        assert len(outcomes(store)) == 3


def test_words_of_calls_are_read_from_the_store_only_where_they_matter(settings: Settings) -> None:
    """Three searches in a row that ask the same in other words; with a contract, the words of every step."""
    spans = list(recorded_spans("langgraph-openinference-good"))
    tool = next(s for s in spans if s.attributes.get("openinference.span.kind") == "TOOL")
    asked = (
        "dragon article joke removed leap day",
        "leap day joke removed from the dragon article",
        "when was the joke on leap day removed, dragon article",
    )
    length = tool.end_ns - tool.start_ns
    calls = [
        tool._replace(
            span_id=f"{n:016x}",
            start_ns=tool.end_ns + n * length,
            end_ns=tool.end_ns + (n + 1) * length,
            attributes={**tool.attributes, "input.value": f'{{"query": "{text}"}}'},
        )
        for n, text in enumerate(asked, 1)
    ]
    contract = {"name": "tells the weather", "input": "refund", "output": "no such words"}
    held = settings.model_copy(update={"rules": UserRules.model_validate({"contracts": [contract]})})
    for now, codes in (
        (settings, {"state.redundant_step"}),
        (held, {"handoff.contract_missing", "state.redundant_step"}),
    ):
        with running(now) as (store, settler):
            settler.touch(store.write(batch([*spans, *calls])))
            wait_until_settled(settler)
            deadline = time.monotonic() + 10
            while settler.resettling is not None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            with store.cursor() as cursor:
                found = cursor.execute("select distinct code from store.failure where role = 'root'").fetchall()
        assert {code for (code,) in found} == codes
