"""What queries say of the demo's history and of all recordings is what the runs say, computed another way."""

import time
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from collector.decode.otlp_protobuf import decode_protobuf
from collector.rollup import BUCKET_NS
from collector.rollup_store import Rollups
from collector.store import Store
from demo_data.send import History, history_runs
from demo_data.telemetry import Player
from schemas.records import Span
from schemas.settings import Settings
from tests.collector.test_rollup import recorded
from tests.collector.test_settling import batch, running, wait_until_settled

pytestmark = pytest.mark.slow

END_NS = 1_795_392_000_000_000_000
"""Mon 2026-11-23 00:00 UTC."""
DAYS = 4
HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
PIECES = 3

DIRECT = """
create or replace temp table closed as
select *, start_ns // 300000000000 * 300000000000 as bucket_ns from run
where outcome <> 'open' and in_environment(environment, '');

create or replace temp table asked as
select c.bucket_ns, c.workflow, c.outcome as run_outcome, coalesce(o.end_ns, o.start_ns) as over_ns, own.position, o.*,
       case o.depth when 1 then '' when 2 then above.name else top.name || ' › ' || above.name end as scope,
       above.status as above_status,
       o.end_ns is not null and not exists (
           from step s where s.run_id = o.run_id and s.operation_id = o.operation_id and s.status = 'pending'
           and s.attempt = (select max(attempt) from step t where t.run_id = o.run_id
                            and t.operation_id = o.operation_id)
       ) as counts
from operation o
join closed c using (run_id)
join step own on own.run_id = o.run_id and own.span_id = o.operation_id
left join step above on above.run_id = o.run_id and above.span_id = o.parent_span_id
left join step top on top.run_id = o.run_id and top.span_id = above.parent_span_id
where o.depth <= 3;

create or replace temp table numbered as
select *, sum(case when start_ns >= before_ns then 1 else 0 end)
              over (partition by run_id, parent_span_id order by start_ns, position) as place
from (select *, coalesce(max(over_ns) over (partition by run_id, parent_span_id order by start_ns, position
                                            rows between unbounded preceding and 1 preceding), 0) as before_ns
      from asked);

create or replace temp table fans as
select *, case when width = 1 then name when width > 8 then name || ' ×9+' else name || ' ×' || width end as fan
from (select run_id, parent_span_id, place, name, any_value(bucket_ns) as bucket_ns,
       any_value(workflow) as workflow, any_value(scope) as scope, any_value(above_status) as above_status,
       any_value(run_outcome) as run_outcome, count(*) as width, count(*) filter (counts) as operations,
       count(*) filter (counts and first_try_ok) as first_good,
       count(*) filter (counts and outcome <> 'failed') as good
from numbered
group by run_id, parent_span_id, place, name);

create or replace temp table visits as
select run_id, parent_span_id, place, any_value(bucket_ns) as bucket_ns, any_value(workflow) as workflow,
       any_value(scope) as scope, any_value(above_status) as above_status, any_value(run_outcome) as run_outcome,
       case when count(*) > 4 then count(*) || ' steps side by side'
            when sum(width) = 1 then any_value(name) else string_agg(fan, ' ‖ ' order by name) end as node,
       bool_and(good = width) as is_good
from fans
group by run_id, parent_span_id, place;
"""

NODES = """
select v.node, f.name as step, count(*) as operations, count(*) filter (f.first_good = f.operations) as first_good,
       count(*) filter (f.good = f.operations) as good
from fans f join visits v on v.run_id = f.run_id and v.parent_span_id is not distinct from f.parent_span_id
                         and v.place = f.place
where f.operations > 0 and f.bucket_ns >= $since_ns and f.bucket_ns < $until_ns
  and f.scope = $scope and ($workflow = '' or f.workflow = $workflow)
group by all
order by all
"""

EDGES = """
with chains as (
    select *, lead(node) over own as next_node, row_number() over own as nth
    from visits
    where scope = $scope and bucket_ns >= $since_ns and bucket_ns < $until_ns
      and ($workflow = '' or workflow = $workflow)
    window own as (partition by run_id, parent_span_id order by place)
),
moves as (
    select null as from_node, node as to_node, null as exit from chains where nth = 1
    union all
    select node, next_node, null from chains where is_good and next_node is not null
    union all
    select node, null,
           case when coalesce(above_status, '') = 'failed' or (above_status is null and run_outcome = 'failed')
                then 'outside' else 'end' end
    from chains
    where is_good and next_node is null and coalesce(above_status, '') in ('', 'ok', 'failed')
      and (above_status is not null or run_outcome <> 'pending')
    union all
    select null, null, case when outcome = 'failed' then 'outside' else 'end' end
    from closed c
    where $scope = '' and outcome <> 'pending' and bucket_ns >= $since_ns and bucket_ns < $until_ns
      and ($workflow = '' or workflow = $workflow)
      and not exists (from visits v where v.run_id = c.run_id and v.scope = '')
)
select from_node, to_node, exit, count(*) as transitions from moves group by all order by all
"""


@cache
def history() -> list[Span]:
    """The spans of a few days of the demo, through the real SDK and encoder; beside them all recordings."""
    ended: list[ReadableSpan] = []
    player = Player(ended.append)
    for run in history_runs(History(seed=7, end_ns=END_NS, days=DAYS, factor=0.15)):
        player.play(run.spans)
    return [*decode_protobuf(encode_spans(ended).SerializeToString(), Settings()).spans, *recorded()]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The history, sent in shuffled pieces: most runs are settled, folded, taken back and settled again."""
    conf = settings_in(tmp_path_factory.mktemp("history"))
    spans = history()[:]
    Random(5).shuffle(spans)
    for piece in range(PIECES):
        with running(conf) as (filled, settler):
            settler.touch(filled.write(batch(spans[piece::PIECES])))
            wait_until_settled(settler, 120)
            if piece == PIECES - 1:
                time.sleep(conf.rootless_finish_s + 0.3)
                wait_until_settled(settler, 120)
        filled = Store.open(conf)
        if piece < PIECES - 1:
            with filled.cursor() as cursor:
                Rollups(cursor).fold(cursor)
            filled.close()
    yield filled
    filled.close()


def settings_in(folder: Path) -> Settings:
    return Settings(
        data_dir=folder, min_free_disk_mib=0, settle_quiet_s=0.02, settle_max_wait_s=0.2, rootless_finish_s=0.3
    )


@pytest.fixture(scope="module", params=["as settled", "folded", "made anew"])
def asked(store: Store, request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the direct tables, on the roll-ups in each state they can be in."""
    with store.cursor() as cursor:
        cursor.execute(DIRECT)
        rollups = Rollups(cursor)
        if request.param == "made anew":
            rollups.start_anew(cursor)
            while rollups.rebuild_some(cursor):
                pass
        if request.param != "as settled":
            rollups.fold(cursor)
        yield cursor


def windows() -> list[tuple[int, int]]:
    """Whole days, ragged ends, less than an hour, and everything."""
    random = Random(11)
    first = END_NS - DAYS * DAY_NS
    found = [(0, 2**63 - 1), (first + DAY_NS, END_NS), (first + 2 * DAY_NS + 7 * HOUR_NS, END_NS - 5 * BUCKET_NS)]
    for _ in range(6):
        since = first + random.randrange(DAYS * 288) * BUCKET_NS
        found.append((since, since + random.randrange(1, 900) * BUCKET_NS))
    return found


def answer(cursor: duckdb.DuckDBPyConnection, question: str, **given: object) -> list[dict[str, Any]]:
    """Rows of one of the dashboard's queries."""
    text = (files("dashboard") / "queries" / f"{question}.sql").read_text("utf-8")
    everything: dict[str, object] = {"workflow": "", "version": "", "environment": "", "scope": "", **given}
    return cursor.sql(text, params=used(text, everything)).to_arrow_table().to_pylist()


def direct(cursor: duckdb.DuckDBPyConnection, text: str, **given: object) -> list[tuple[Any, ...]]:
    return cursor.execute(text, used(text, given)).fetchall()


def used(text: str, given: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if f"${name}" in text}


def scopes(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    return [scope for (scope,) in direct(cursor, "select distinct scope from visits order by scope")]


def asked_for(cursor: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Every scope over everything, some scopes over every window."""
    everything, *others = windows()
    found = scopes(cursor)
    for (since_ns, until_ns), some in [(everything, found), *((window, found[::9]) for window in others)]:
        for scope in some:
            yield {"since_ns": since_ns, "until_ns": until_ns, "scope": scope}


def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def test_the_history_has_what_roll_ups_must_tell_apart(asked: duckdb.DuckDBPyConnection) -> None:
    """Deeper chains, steps side by side, retries and every outcome."""
    assert len(scopes(asked)) > 10
    assert direct(asked, "from visits where contains(node, ' ‖ ') limit 1")
    assert direct(asked, "from visits where contains(node, ' ×') limit 1")
    outcomes = {outcome for (outcome,) in direct(asked, "select distinct outcome from closed")}
    assert outcomes >= {"clean", "recovered", "silent", "failed"}


def test_nodes_are_those_of_the_operations(asked: duckdb.DuckDBPyConnection) -> None:
    """Every scope, over windows that take days, hours and 5 minutes."""
    for window in asked_for(asked):
        rolled: dict[tuple[str, str], list[int]] = {}
        for row in answer(asked, "chain_nodes", **window):  # of one name, kinds are told apart only there
            sums = rolled.setdefault((row["node"], row["step"]), [0, 0, 0])
            for at, name in enumerate(("operations", "first_good", "good")):
                sums[at] += row[name]
        expected = {row[:2]: [*row[2:]] for row in direct(asked, NODES, **window, workflow="")}
        assert rolled == expected


def test_edges_are_what_followed_the_operations(asked: duckdb.DuckDBPyConnection) -> None:
    """Starts, steps, ends and ways out, in every scope and for one workflow."""
    for window in asked_for(asked):
        for workflow in ("", "refund_triage"):
            window["workflow"] = workflow
            rolled = [tuple(row.values()) for row in answer(asked, "chain_edges", **window)]
            assert ordered(rolled) == ordered(direct(asked, EDGES, **window))


@pytest.mark.parametrize(
    ("zone", "since", "until", "level"),
    [
        ("UTC", "2026-01-01", "2026-12-31", 3),
        ("Europe/London", "2026-01-01", "2026-03-01", 3),
        ("Europe/London", "2026-01-01", "2029-01-01", 2),
        ("Europe/Berlin", "2026-01-01", "2026-03-01", 2),
        ("Australia/Lord_Howe", "2026-01-01", "2026-03-01", 2),
        ("Australia/Lord_Howe", "2026-01-01", "2029-01-01", 1),
        ("Asia/Kolkata", "2026-01-01", "2026-01-02", 1),
    ],
)
def test_days_are_summed_from_the_widest_rows_that_lie_in_one(
    asked: duckdb.DuckDBPyConnection, zone: str, since: str, until: str, level: int
) -> None:
    """Days (3), hours (2) or 5 minutes (1), as the zone's days begin anywhere in the window."""
    assert direct(
        asked,
        "select coarsest_within_days(epoch_ns($since::timestamp), epoch_ns($until::timestamp), $zone)",
        since=since, until=until, zone=zone,
    ) == [(level,)]  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_days_are_those_of_the_zone(asked: duckdb.DuckDBPyConnection, zone: str) -> None:
    """Also where the zone is off by half an hour."""
    for since_ns, until_ns in windows()[1:]:
        rolled = answer(asked, "chain_daily_runs", since_ns=since_ns, until_ns=until_ns, zone=zone)
        expected = direct(
            asked,
            "select timezone($zone, to_timestamp(bucket_ns // 1000000000))::date as day, "
            "count(*) filter (outcome <> 'pending') as finished, "
            "count(*) filter (outcome in ('clean', 'recovered')) as good from closed "
            "where bucket_ns >= $since_ns and bucket_ns < $until_ns group by day order by day",
            since_ns=since_ns, until_ns=until_ns, zone=zone,
        )  # fmt: skip
        assert [(row["day"], row["finished"], row["good"]) for row in rolled] == expected


def test_percentiles_are_within_five_percent(asked: duckdb.DuckDBPyConnection) -> None:
    """Of every step of every scope, at rank ⌈pn⌉."""
    for scope in scopes(asked):
        lengths: dict[str, list[int]] = {}
        for name, ns in direct(
            asked,
            "select name, case when end_ns > start_ns then end_ns - start_ns else 1 end from asked "
            "where counts and scope = $scope order by all",
            scope=scope,
        ):
            lengths.setdefault(name, []).append(ns)
        for row in answer(asked, "step_table", since_ns=0, until_ns=2**63 - 1, scope=scope):
            for percent in (50, 95, 99):
                known = lengths[row["step"]]
                exact = known[ceil(percent * len(known) / 100) - 1]
                assert row[f"p{percent}_ns"] == pytest.approx(exact, rel=0.05, abs=1)


def test_tokens_and_money_of_a_step_hold_all_that_lies_below_it(asked: duckdb.DuckDBPyConnection) -> None:
    expected = direct(
        asked,
        """
        with recursive below as (
            select run_id, span_id, operation_id as of_operation from step where depth = 1
            union all
            select s.run_id, s.span_id, b.of_operation
            from below b join step s on s.run_id = b.run_id and s.parent_span_id = b.span_id
        )
        select o.name, sum(coalesce(tokens_input, 0))::bigint, sum(coalesce(tokens_output, 0))::bigint,
               sum(coalesce(round(cost_usd * 1e9), 0)) / 1e9
        from asked o join below b on b.run_id = o.run_id and b.of_operation = o.operation_id
        join step s on s.run_id = b.run_id and s.span_id = b.span_id
        where o.depth = 1 and o.counts group by o.name order by o.name
        """,
    )
    totals: dict[str, list[float]] = {}
    for row in answer(asked, "step_table", since_ns=0, until_ns=2**63 - 1):
        sums = totals.setdefault(row["step"], [0, 0, 0])
        for at, name in enumerate(("tokens_input", "tokens_output", "cost_usd")):
            sums[at] += row[name] or 0
    assert len(expected) > 20
    for name, *known in expected:
        assert totals[name] == pytest.approx(known, abs=1e-7)


def test_calls_and_failures_are_those_of_the_runs(asked: duckdb.DuckDBPyConnection) -> None:
    """Tries by the time of the operation, failures by that of the run."""
    for since_ns, until_ns in windows():
        window = {"since_ns": since_ns, "until_ns": until_ns}
        tries = [
            (row["name"], row["kind"], row["tries"], row["operations"])
            for row in answer(asked, "attempts_histogram", **window)
        ]
        expected = direct(
            asked,
            "select o.name, o.kind, o.attempts, count(*) from operation o join closed using (run_id) "
            "where o.start_ns // 300000000000 * 300000000000 between $since_ns and $until_ns - 1 "
            "and o.end_ns is not null and not exists (from step s where s.run_id = o.run_id "
            "and s.operation_id = o.operation_id and s.status = 'pending') group by all",
            **window,
        )
        assert ordered(tries) == ordered(expected)
        codes = [
            (row["code"], row["step"], row["certainty"], row["failures"])
            for row in answer(asked, "failure_codes", **window)
        ]
        expected = direct(
            asked,
            "select f.code, f.step, f.certainty, count(*) from failure f join closed c using (run_id) "
            "where f.role = 'root' and bucket_ns >= $since_ns and bucket_ns < $until_ns group by all",
            **window,
        )
        assert ordered(codes) == ordered(expected)
