"""The Retries page: whether retries save runs or hurt them."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from dashboard import alarms, calling
from dashboard.analytics.storms import Key, Limits, find
from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.asking import asking
from tests.dashboard.calls import Calls, by_key
from tests.dashboard.filling import S
from tests.dashboard.lively import lively_runs
from tests.dashboard.pages import component, data_dir, healthy, open_page, warnings, words
from tests.dashboard.stormy import stormy

MINUTE_MS = 60_000
EVERYTHING = {"workflow": "", "version": "", "environment": ""}


@pytest.fixture(scope="module")
def storm_now_dir(tmp_path_factory: pytest.TempPathFactory, now_ns: int) -> Path:
    folder = tmp_path_factory.mktemp("storm_now")
    stores.write(store_path(folder), [stormy(now_ns, still_on=True)])
    return folder


@pytest.fixture
def storm_now(storm_now_dir: Path) -> Iterator[Path]:
    """Pages read a store with a storm that goes on."""
    with data_dir(storm_now_dir):
        yield store_path(storm_now_dir)


def test_a_storm_that_is_over_is_told_with_its_trigger(past_storm: Path) -> None:
    """The first sentence says that it is quiet, what there was, and what set it off."""
    page = open_page("retries", window="6h")
    assert healthy(page)
    said = page.subheader[0].value
    assert said.startswith("Retries are quiet now")
    assert "one storm before, the last at **ledger\\.query** in **refunds**, ×" in said
    assert "trigger tool.unavailable" in said


def test_a_storm_that_goes_on_comes_first(storm_now: Path) -> None:
    """Which step, how strongly, since when, what set it off."""
    page = open_page("retries", window="1h")
    assert healthy(page)
    said = page.subheader[0].value
    assert said.startswith("**ledger\\.query** in **refunds** ×")
    assert " since " in said
    assert "trigger tool.unavailable" in said


def test_the_overview_says_first_that_a_storm_goes_on(storm_now: Path) -> None:
    """The step and its workflow, how strongly, since when; what has changed in the last weeks comes after it."""
    page = open_page("overview")
    said = page.subheader[0].value
    assert re.match(r"A retry storm goes on: \*\*ledger\\.query\*\* in \*\*refunds\*\* ×\d\.\d since ", said)
    assert "delivers" in page.caption[0].value
    ways = {link.proto.label: link.proto.query_string for link in page.get("page_link")}
    assert "workflow=refunds" in ways["Storm"]
    assert "state=" not in ways["Runs"], "none of them failed"


def test_a_healthy_workflow_does_not_hide_the_storm_of_a_step_of_the_same_name(tmp_path: Path, now_ns: int) -> None:
    """What is seen over all workflows is what alerts, checks and reports see of the one; it leads to its runs only."""
    sick = stormy(now_ns, still_on=True, every_ns=60 * S, step="agent")
    well = stormy(now_ns, calm=True, workflow="other", step="agent", every_ns=4 * S, seed=6)
    stores.write(store_path(tmp_path), [sick, well])
    until_ns = now_ns // alarms.STORM_NS * alarms.STORM_NS
    with asking(store_path(tmp_path)) as ask:
        going = {
            workflow: alarms.active_storms(ask, Limits(), until_ns, workflow=workflow, version="", environment="")
            for workflow in ("", "refunds", "other")
        }
    assert [one.key for one in going[""] if one.key.dimension == "step"] == [Key("refunds", "step", "agent")]
    assert [one.key for one in going["refunds"] if one.key.dimension == "step"] == [Key("refunds", "step", "agent")]
    assert going["other"] == []
    assert alarms.of_workflow(going[""], "refunds") == going[""]
    assert alarms.of_workflow(going[""], "other") == []
    with data_dir(tmp_path):
        (row,) = component(open_page("retries", window="1h"), "retries_episodes")["rows"]
    assert (row["params"]["workflow"], row["params"]["called"]) == ("refunds", "step:agent")


def test_a_storm_of_a_shared_tool_is_told_to_every_workflow_that_it_hits(tmp_path: Path, now_ns: int) -> None:
    """However little each of them calls it."""
    names, until_ns = [f"w{number}" for number in range(8)], now_ns // alarms.STORM_NS * alarms.STORM_NS
    with closing(stores.create(store_path(tmp_path))) as con:
        con.execute(
            """
            insert into store.rollup_call by name
            select 1 as level, $until - slot * $width as bucket_ns, workflow, 'look up' as step, 'search' as name,
                   'tool' as kind, 'search' as tool, case when slot <= 6 then 4 else 1 end as tries, 2 as operations,
                   0 as recovered, 0 as failed, 0 as wasted_ns, 0 as wasted_tokens, 0 as wasted_nano_usd
            from (select unnest($names) as workflow), range(1, 40) slots(slot)
            """,
            {"until": until_ns, "width": alarms.STORM_NS, "names": names},
        )
    with asking(store_path(tmp_path)) as ask:
        going = alarms.active_storms(ask, Limits(), until_ns, workflow="", version="", environment="")
    for name in names:
        assert Key("", "tool", "search") in [one.key for one in alarms.of_workflow(going, name)]


def test_the_threshold_of_a_lane_is_that_of_the_days_before_too(tmp_path: Path, now_ns: int) -> None:
    """Four tries were seen hours before the window and two in it: it takes × 2.0 to be a storm, not × 1.75."""
    until_ns = now_ns // alarms.STORM_NS * alarms.STORM_NS
    stores.write(store_path(tmp_path), [lively_runs(now_ns, 6)])
    with closing(duckdb.connect(str(store_path(tmp_path)))) as con:
        stores.add_counted(
            con,
            "rollup_call",
            """
            select $until - slot * $width as bucket_ns, 'w' as workflow, 'find' as step,
                   'find' as name, 'tool' as kind, 'find' as tool, case when slot > 12 then 4 else 2 end as tries,
                   9 as operations, 0 as recovered, 0 as failed, 0 as wasted_ns, 0 as wasted_tokens,
                   0 as wasted_nano_usd
            from (select unnest([1, 2, 3, 40]) as slot)
            """,
            {"until": until_ns, "width": alarms.STORM_NS},
        )
    with data_dir(tmp_path):
        lanes = {lane["name"]: lane for lane in component(open_page("retries", window="1h"), "retries_lanes")["lanes"]}
    assert lanes["find"]["threshold"] == 2.0


def test_storms_come_before_what_is_worth_a_look(tmp_path: Path, now_ns: int) -> None:
    """In list and lanes, though looks are newer and retry more in all; a month has no room to draw looks."""
    until_ns = now_ns // alarms.STORM_NS * alarms.STORM_NS
    stores.write(store_path(tmp_path), [lively_runs(now_ns, 6)])
    with closing(duckdb.connect(str(store_path(tmp_path)))) as con:
        stores.add_counted(
            con,
            "rollup_call",
            """
            select $until - slot * $width as bucket_ns, 'w' as workflow, step, step as name, 'chain' as kind,
                   case when slot between since and until then tries else 1 end as tries, operations,
                   0 as recovered, 0 as failed, 0 as wasted_ns, 0 as wasted_tokens, 0 as wasted_nano_usd
            from range(1, 60) slots(slot),
                 (values ('stormy', 40, 43, 3, 30), ('looking', 20, 23, 2, 300), ('looking', 99, 99, 1, 600))
                 told(step, since, until, tries, operations)
            """,
            {"until": until_ns, "width": alarms.STORM_NS},
        )
    with data_dir(tmp_path):
        near, far = (open_page("retries", window=window) for window in ("6h", "28d"))
        listed = [component(page, "retries_episodes")["rows"] for page in (near, far)]
        lanes = [component(page, "retries_lanes")["lanes"] for page in (near, far)]
        told = words(far)
    for rows in listed:
        assert [row["name"] for row in rows] == [["stormy", "storm"], ["looking", "look"]]
    assert [[lane["name"] for lane in some[:2]] for some in lanes] == [["stormy", "looking"]] * 2
    assert [[len(lane["blocks"]) for lane in some[:2]] for some in lanes] == [[1, 1], [1, 0]]
    assert "Not drawn: 1 stretch that is worth a look" in told


def test_an_episode_leads_to_the_runs_of_its_time_and_step(past_storm: Path, now_ns: int) -> None:
    """A row and a block carry the same exact range."""
    page = open_page("retries", window="6h")
    (row,) = component(page, "retries_episodes")["rows"]
    assert row["page"] == "runs"
    assert row["params"]["called"] == "step:ledger.query"
    assert row["below"] == "hit refunds"
    lane = component(page, "retries_lanes")["lanes"][0]
    assert lane["name"] == "ledger.query"
    (block,) = lane["blocks"]
    assert block["storm"]
    assert block["params"] == row["params"]
    onset_ms, end_ms = now_ns // 1_000_000 - 60 * MINUTE_MS, now_ns // 1_000_000 - 30 * MINUTE_MS
    assert abs(block["since"] - onset_ms) <= 10 * MINUTE_MS
    assert abs(block["until"] - end_ms) <= 10 * MINUTE_MS


def test_a_tool_inside_a_node_of_its_name_does_not_water_down_its_retries(past_storm: Path) -> None:
    """The node was tried four times, each with one good look at the tool: four times, not twice."""
    page = open_page("retries", window="6h")
    lanes = {lane["name"]: lane for lane in component(page, "retries_lanes")["lanes"]}
    assert lanes["ledger.query"]["blocks"][0]["peak"] == pytest.approx(4, abs=0.05)
    assert "ledger.query › ledger.query" not in lanes


@pytest.mark.parametrize("by", ["step", "tool", "model", "provider"])
def test_it_can_be_cut_by_what_steps_depend_on(past_storm: Path, by: str) -> None:
    """The choice stands in the URL; nothing that was tried twice is said so."""
    page = open_page("retries", window="6h", by=by)
    assert healthy(page)
    assert not warnings(page)
    assert page.segmented_control(key="by").value == by
    assert (by == "step") == ("nothing was tried twice" not in words(page))
    assert "one storm before, the last at **ledger\\.query**" in page.subheader[0].value


def test_tries_and_waste_are_counted(past_storm: Path) -> None:
    """The figures and the histogram come from the same operations."""
    page = open_page("retries", window="6h")
    figures = {figure["name"]: figure for figure in component(page, "retries_figures")}
    assert figures["operations"]["value"] == "2,700"  # 1,080 nodes; a tool call for each of their 1,620 tries
    assert figures["operations"]["note"] == "540 retries"
    assert figures["amplification"]["value"] == "×1.20"
    assert figures["budget"]["value"] == "100 %"
    (row,) = component(page, "retries_histogram")["rows"]
    assert row["name"] == ["ledger.query", "chain"]
    assert row["again"] == "180"
    assert row["4"] == [pytest.approx(1 / 6), "180"]


def test_layers_that_retry_one_another_multiply(past_storm: Path) -> None:
    """Path by path, outermost first: of the newest 500 runs 180 tried it four times."""
    (row,) = component(open_page("retries", window="6h"), "retries_paths")["rows"]
    assert row["path"] == "ledger.query › ledger.query"
    assert row["layers"] == "2.08 × 1.00"
    assert row["product"] == "×2.08"


def test_sparse_traffic_is_too_little_to_tell(tmp_path: Path, now_ns: int) -> None:
    """A run every ten minutes gives no verdict on storms, whatever is tried, and the page says so."""
    stores.write(store_path(tmp_path), [stormy(now_ns, every_ns=600 * S)])
    with data_dir(tmp_path):
        page = open_page("retries", window="6h")
    assert healthy(page)
    assert "too few operations at any time to tell a storm" in page.subheader[0].value
    assert "Too few to tell at any time: 2 of 2 steps" in words(page)


def test_a_window_without_operations_says_so(lively: Path) -> None:
    """Nothing matches: a hint, not an empty page."""
    page = open_page("retries", workflow="long_gone")
    assert healthy(page)
    assert "Widen the window" in words(page)


def test_an_empty_store_says_what_to_do(empty: Path) -> None:
    """Nothing has arrived."""
    assert "Nothing has arrived yet" in words(open_page("retries"))


def test_hostile_names_stay_text(tmp_path: Path, now_ns: int) -> None:
    """A step's name is escaped where Markdown would read it, and passed as it is where text is set as text."""
    name = "![x](http://127.0.0.1:9/a) **b**"
    stores.write(store_path(tmp_path), [stormy(now_ns, step=name)])
    with data_dir(tmp_path):
        page = open_page("retries", window="6h")
        assert healthy(page)
        assert name not in words(page)
        assert component(page, "retries_lanes")["lanes"][0]["name"] == name


def test_storms_that_go_on_can_be_asked_for_alone(storm_now: Path, past_storm: Path, now_ns: int) -> None:
    """One that is over is none; one that goes on has no end."""
    with asking(past_storm) as ask:
        assert alarms.active_storms(ask, Limits(), now_ns, **EVERYTHING) == []
    with asking(storm_now) as ask:
        (storm,) = alarms.active_storms(ask, Limits(), now_ns, **EVERYTHING)
    assert storm.key.name == "ledger.query"
    assert storm.end_ns is None
    assert storm.trigger == "tool.unavailable"


def counted(rows: pa.Table, workflow: str) -> list[Calls]:
    """Calls of a store with one workflow, as those of its steps and of what it shares."""
    return [
        Calls(
            Key(workflow if row["dimension"] == "step" else "", row["dimension"], row["name"]),
            row["bucket_ns"],
            row["operations"],
            row["attempts"],
            row["failed"],
            row["recovered"],
            row["wasted_ns"],
            row["wasted_tokens"],
            round(row["wasted_usd"] * 1e9),
            row["most_tries"],
        )
        for row in rows.to_pylist()
    ]


def test_storms_are_those_of_every_bucket(past_storm: Path, now_ns: int) -> None:
    """The episodes are those that calls give which SQL summed up, with their workflows and triggers."""
    day_ns, limits = 86_400_000_000_000, Limits()
    window: dict[str, Any] = {**EVERYTHING, "since_ns": (now_ns - 2 * day_ns) // limits.bucket_ns * limits.bucket_ns}
    window["until_ns"] = now_ns // limits.bucket_ns * limits.bucket_ns
    with asking(past_storm) as ask:
        every = ask("calls_over_time", step_ns=limits.bucket_ns, **window)
        found = alarms.storms_found(ask, limits, **window)
    expected = find(by_key(counted(every, "refunds")), None, window["until_ns"])
    bare = [replace(one, workflows=(), trigger=None) for one in found.episodes]
    assert bare == list(expected.episodes) != []
    assert all(one.workflows for one in found.episodes)
    assert any(one.trigger for one in found.episodes)
    assert found.judged == expected.judged
    assert any(ratio > 0 for ratio in found.judged.values())


def test_a_window_may_begin_long_before_there_was_anything(past_storm: Path, now_ns: int) -> None:
    """Nobody asks about decades part by part, or holds a number for each of their five minutes."""
    until_ns = now_ns // alarms.STORM_NS * alarms.STORM_NS
    asked: list[str] = []
    with asking(past_storm) as ask:

        def counting(question: str, **params: Any) -> pa.Table:
            asked.append(question)
            return ask(question, **params)

        lately, ever, never = (
            alarms.storms_found(counting, Limits(), **EVERYTHING, since_ns=since_ns, until_ns=until)
            for since_ns, until in ((until_ns - 86_400 * S, until_ns), (0, until_ns), (0, 86_400 * S))
        )
    assert lately.episodes == ever.episodes != ()
    assert never.episodes == ()
    assert len(asked) < 20


@pytest.mark.parametrize("seed", range(4))
def test_calls_may_be_asked_for_in_parts(
    tmp_path: Path, now_ns: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On random calls, dense and sparse, the episodes are those of SQL's sums, in however many parts they come."""
    limits, dice = Limits(), np.random.default_rng(seed)
    first_ns, buckets = now_ns // limits.bucket_ns * limits.bucket_ns - 5_000 * limits.bucket_ns, 5_000
    window: dict[str, Any] = {**EVERYTHING, "since_ns": first_ns, "until_ns": first_ns + buckets * limits.bucket_ns}
    rate = dice.choice([0.5, 4, 40], (3, buckets // 50)).repeat(50, axis=1)
    trouble = dice.choice([0.02, 0.1, 0.25, 0.6, 0.95], (3, buckets // 10), p=[0.6, 0.25, 0.09, 0.03, 0.03]).repeat(
        10, axis=1
    )
    calls, tried = dice.poisson(rate), dice.binomial(dice.poisson(rate), trouble)
    with closing(stores.create(store_path(tmp_path))) as con:
        for step in range(3):
            for tries, counts in ((1, calls[step]), (3, tried[step])):
                told = pa.table({"slot": np.flatnonzero(counts), "counted": counts[counts > 0]})
                con.register("told", told)
                stores.add_counted(
                    con,
                    "rollup_call",
                    """
                    select $first + slot * $width as bucket_ns, 'w' as workflow,
                           $step as step, $step as name, 'tool' as kind, $tries as tries, counted as operations,
                           counted as recovered,
                           0 as failed, 0 as wasted_ns, 0 as wasted_tokens, 0 as wasted_nano_usd
                    from told
                    """,
                    {"first": first_ns, "width": limits.bucket_ns, "step": f"s{step}", "tries": tries},
                )
    with asking(store_path(tmp_path)) as ask:
        every = ask("calls_over_time", step_ns=limits.bucket_ns, **window)
        found = alarms.storms_found(ask, limits, **window)
        monkeypatch.setattr(calling, "PART_ROWS", 500)
        asked: list[tuple[str, int, int]] = []

        def counting(question: str, **params: Any) -> pa.Table:
            answer = ask(question, **params)
            asked.append((question, params["since_ns"], params["until_ns"]))
            assert question not in ("calls_once", "calls_again") or answer.num_rows <= 500
            return answer

        assert alarms.storms_found(counting, limits, **window) == found
    parts = [(since_ns, until_ns) for question, since_ns, until_ns in asked if question == "calls_again"]
    assert len(parts) > 2
    assert [since_ns for since_ns, _ in parts[1:]] == [until_ns for _, until_ns in parts[:-1]]
    most = {Key("w", "step", f"s{n}"): 3 for n in range(3)}
    expected = find(by_key(counted(every, "w")), None, window["until_ns"], most).episodes
    assert [replace(one, workflows=()) for one in found.episodes] == list(expected) != []
