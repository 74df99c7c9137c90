"""The read API reads, and nothing else: whole answers or a clear error."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from collector.api import ARROW_STREAM, QueryRefused, QueryRunner, api_routes
from collector.store import Store
from schemas.settings import Settings
from tests.collector.stored import batch_of
from tests.otlp import recorded_spans

READ_TOKEN = SecretStr("reader")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path, min_free_disk_mib=0, sql_timeout_s=1.0, sql_max_rows=5_000, sql_max_bytes=1_000_000
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = Store.open(settings)
    store.write(batch_of(recorded_spans("langgraph-openinference-good")))
    yield store
    store.close()


class Api:
    """The routes behind a real HTTP client, without a socket."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._app = Starlette(routes=api_routes(store, settings, lambda: {"state": "ok"}))

    async def sql(self, sql: str, params: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
            return await client.post("/api/sql", json={"sql": sql, "params": params or {}}, headers=headers)


@pytest.fixture
def ask(store: Store, settings: Settings) -> Any:
    def ask(sql: str, params: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return asyncio.run(Api(store, settings).sql(sql, params, **headers))

    return ask


def test_rows_come_as_objects_with_the_values_they_have(ask: Any) -> None:
    answer = ask(
        "select 'x' as t, 18446744073709551615::ubigint as u, 3::hugeint as h, 'nan'::double as n, [1, 2] as l, "
        "1.50::decimal(9, 2) as d, null as z, date '2026-11-22' as day, 'ab'::blob as b"
    )
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "t": "x",
            "u": 2**64 - 1,
            "h": 3,
            "n": None,
            "l": [1, 2],
            "d": 1.5,
            "z": None,
            "day": "2026-11-22",
            "b": "6162",
        }
    ]


def test_parameters_are_bound_not_pasted(ask: Any) -> None:
    answer = ask("select count(*) as n from span where name = $name", {"name": "' or 1 = 1 --"})
    assert answer.json() == [{"n": 0}]


def test_an_arrow_stream_holds_the_same_rows(ask: Any) -> None:
    answer = ask("select span_id, start_ns from span order by 1", Accept=ARROW_STREAM)
    assert answer.headers["content-type"] == ARROW_STREAM
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.num_rows == 28
    assert table.schema.field("start_ns").type == pa.uint64()


@pytest.mark.parametrize(
    "sql",
    [
        "with d as (delete from store.span returning *) select * from d",
        "delete from store.span",
        "insert into store.meta values ('a', 'b')",
        "create table t as select 1",
        "drop view span",
        "update store.meta set value = '9'",
        "attach ':memory:' as other",
        "attach '/tmp/other.duckdb'",
        "copy store.span to 'out.csv'",
        "export database 'out'",
        "set memory_limit = '90GB'",
        "pragma database_list",
        "install httpfs",
        "load httpfs",
        "create secret s (type s3)",
        "checkpoint",
        "begin",
        "select 1; select 2",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from glob('/etc/*')",
        "select * from '/etc/passwd'",
        "selec 1",
        "",
    ],
)
def test_nothing_but_one_reading_statement_is_run(ask: Any, store: Store, sql: str) -> None:
    answer = ask(sql)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    with store.cursor() as cursor:
        assert cursor.execute("select count(*) from span").fetchone() == (28,)
        assert cursor.execute("select count(*) from store.meta").fetchone() == (4,)


@pytest.mark.parametrize("spaces", [0, 40_000])
def test_a_question_asked_again_is_answered_anew(store: Store, settings: Settings, spaces: int) -> None:
    """With other values, of other types, and after the store has changed; a refused one is refused again."""
    runner, more = QueryRunner(store, settings), " " * spaces
    question = "select $a as a, count(*) as n from store.meta" + more
    for value in (1, "x", 2.5, None):
        assert runner.run(question, {"a": value}).to_pylist() == [{"a": value, "n": 4}]
    with store.cursor() as cursor:
        cursor.execute("insert into store.meta values ('one', 'more')")
    assert runner.run(question, {"a": 1}).to_pylist() == [{"a": 1, "n": 5}]
    for _ in range(2):
        with pytest.raises(QueryRefused, match="only reading"):
            runner.run("delete from store.meta" + more, {})


def test_a_query_that_takes_too_long_is_stopped_and_says_so(ask: Any) -> None:
    answer = ask("select count(*) from range(1000000) a, range(1000000) b where (a.range * b.range) % 7 = 3")
    assert answer.status_code == 408
    assert "sql_timeout_s" in answer.json()["error"]


def test_an_answer_with_too_many_rows_is_an_error_not_a_part(ask: Any) -> None:
    assert ask("select * from range(5000)").status_code == 200
    answer = ask("select * from range(5001)")
    assert answer.status_code == 400
    assert "sql_max_rows" in answer.json()["error"]


def test_an_answer_with_too_many_bytes_is_an_error_not_a_part(ask: Any) -> None:
    answer = ask("select repeat('x', 10000) || range::varchar as t from range(200)")
    assert answer.status_code == 400
    assert "sql_max_bytes" in answer.json()["error"]


def test_a_wrong_question_says_what_was_expected(store: Store, settings: Settings) -> None:
    async def post(body: bytes) -> httpx.Response:
        app = Starlette(routes=api_routes(store, settings, dict))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://collector") as client:
            return await client.post("/api/sql", content=body)

    for body, status in (
        (b"select 1", 400),
        (json.dumps({"query": "select 1"}).encode(), 400),
        (b'{"sql": "' + b"x" * 2_000_000 + b'"}', 413),
    ):
        answer = asyncio.run(post(body))
        assert answer.status_code == status
        assert answer.json()["error"]


def test_readers_need_the_read_token_where_one_is_set(store: Store, settings: Settings) -> None:
    api = Api(store, settings.model_copy(update={"read_token": READ_TOKEN}))
    assert asyncio.run(api.sql("select 1 as one")).status_code == 401
    assert asyncio.run(api.sql("select 1 as one", Authorization="Bearer writer")).status_code == 401
    assert asyncio.run(api.sql("select 1 as one", Authorization="Bearer reader")).json() == [{"one": 1}]
