"""Pages ask side by side, ahead, what they are about to ask one after another."""

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from collector.settle.own_rules import rules_id
from dashboard import questions, store
from dashboard.chains import Ask, Asked
from dashboard.reader import CollectorReader
from schemas.paths import store_path
from schemas.settings import Settings
from tests.collecting import Collector
from tests.dashboard.pages import data_dir, healthy, open_page

PAGES: dict[str, dict[str, str]] = {
    "overview": {"window": "24h"},
    "steps": {"workflow": "refund_triage"},
    "failures": {},
    "retries": {},
    "runs": {},
    "run": {},
}
Key = tuple[str, str]


@pytest.fixture(scope="module")
def served(lively_dir: Path, tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Iterator[Collector]:
    folder = tmp_path_factory.mktemp("ahead") / "data"
    shutil.copytree(lively_dir, folder)
    with duckdb.connect(store_path(folder)) as connection:  # all of it is settled as it lies there
        known = [["settled_until_ns", str(now_ns)], ["rule_version", rules_id(Settings().rules)]]
        connection.executemany("insert into store.meta values (?, ?)", known)
    with Collector(folder) as collector:
        yield collector


@pytest.fixture
def sent(served: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[Key]]:
    """What goes to the collector while pages are open, and how often."""
    found: Counter[Key] = Counter()
    query = CollectorReader.query

    def counted(self: CollectorReader, sql: str, params: Mapping[str, object] | None = None) -> pa.Table:
        found[key(sql, params or {})] += 1
        return query(self, sql, params)

    monkeypatch.setattr(CollectorReader, "query", counted)
    with data_dir(served.data_dir):
        yield found


def key(sql: str, params: Mapping[str, Any]) -> Key:
    return sql, repr(sorted((name, list(v) if isinstance(v, tuple) else v) for name, v in params.items()))


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_asked_ahead_that_the_page_does_not_show(
    served: Collector, sent: Counter[Key], page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question of `store.ahead` is one that the page asks by itself, with the same parameters."""
    announced: list[Key] = []

    def only_note(ask: Ask, asked: Iterable[Asked]) -> None:
        announced.extend(key(questions.sql(question), params) for question, params in asked)

    monkeypatch.setattr(store, "ahead", only_note)
    (failed,) = served.sql("select run_id from failure where role = 'root' order by run_start_ns desc limit 1")
    assert healthy(open_page(page, **(PAGES[page] | ({"run": failed["run_id"]} if page == "run" else {}))))
    assert announced
    assert set(announced) <= set(sent)


def test_what_was_asked_ahead_is_not_asked_again(served: Collector, sent: Counter[Key]) -> None:
    """The page takes the answer, or waits for the rest of it: what rarely changes goes to the collector once."""
    assert healthy(open_page("steps", **PAGES["steps"]))
    steady = [n for (sql, _), n in sent.items() if sql.startswith(("-- chain_nodes:", "-- step_table:"))]
    assert steady == [1, 1, 1, 1]  # of the window and of the one before


def test_a_question_that_would_be_asked_ahead_too_late_is_left_to_the_page(
    served: Collector, sent: Counter[Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no thread came free in time the page asks by itself, each question once."""
    monkeypatch.setattr(store, "AHEAD_S", -1.0)
    assert healthy(open_page("steps", **PAGES["steps"]))
    steady = [n for (sql, _), n in sent.items() if sql.startswith(("-- chain_nodes:", "-- step_table:"))]
    assert steady == [1, 1, 1, 1]


def test_the_more_pages_are_open_the_older_answers_may_be(
    served: Collector, sent: Counter[Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ten pages one question in 1.2 s goes to the collector; with one page as many as are asked."""

    def asked_thrice() -> int:
        before = sent.total()
        for _ in range(3):
            store.ask("removals", since_ns=7)
            time.sleep(0.6)
        return sent.total() - before

    for number in range(10):
        store.refreshed(f"page {number}")
    assert asked_thrice() == 1
    monkeypatch.setattr(store, "GONE_S", 0.0)
    time.sleep(0.01)
    store.refreshed("page 0")  # the others are gone
    assert asked_thrice() == 3
