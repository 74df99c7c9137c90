"""Retry storms are found where they are, and nowhere else."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics import amplification
from dashboard.analytics import storms as finding
from dashboard.analytics.storms import (
    MINUTE_NS,
    Episode,
    Failures,
    Found,
    Key,
    Limits,
    in_run_storms,
    loops,
)
from dashboard.analytics.storms.windows import highest_within
from schemas.storms import StormSettings
from tests.dashboard.bucket_by_bucket import Named, named
from tests.dashboard.calls import Calls, by_key

BUCKET = 5 * MINUTE_NS
TOOL = Key("", "tool", "ledger.query")
STEP = Key("refunds", "step", "ledger")
LATER = Key("refunds", "step", "later")


def find(calls: Iterable[Calls], *more: Any, **others: Any) -> Found:
    return finding.find(by_key(calls), *more, **others)


def series(rows: list[tuple[int, int]], key: Key = TOOL, tries: int = 3, first: int = 0) -> list[Calls]:
    """Buckets of (operations, attempts)."""
    return [
        Calls(key, (first + place) * BUCKET, operations, attempts, most_tries=tries)
        for place, (operations, attempts) in enumerate(rows)
        if operations
    ]


def storm_and_calm(key: Key = TOOL) -> list[Calls]:
    return series([(25, 26)] * 6 + [(25, 60)] * 4 + [(25, 26)] * 6, key)


def only(found: Found) -> Episode:
    (episode,) = found.episodes
    return episode


def test_a_storm_has_onset_peak_end_and_sums() -> None:
    """Attempts outrun operations in buckets 6 to 9: exactly those are the episode."""
    storm = only(find(storm_and_calm()))
    assert (storm.status, storm.onset_ns, storm.end_ns) == ("storm", 6 * BUCKET, 10 * BUCKET)
    assert (storm.operations, storm.attempts, storm.amplification) == (100, 240, 2.4)
    assert (storm.peak_amplification, storm.peak_ns, storm.noticed_ns) == (2.4, 8 * BUCKET, 8 * BUCKET)


def test_a_storm_that_goes_on_has_no_end() -> None:
    """It ends with the second evaluation below the threshold, not before."""
    rows = storm_and_calm()
    assert only(find(rows[:10])).end_ns is None
    assert only(find(rows[:12])).end_ns == 10 * BUCKET  # 2.4 and 1.04: 1.72 over ten minutes, then 1.04


def test_a_storm_ends_when_traffic_does() -> None:
    """Nothing arrives any more: two evaluations without calls end it."""
    rows = storm_and_calm()[:10]
    assert only(find(rows, until_ns=11 * BUCKET)).end_ns is None
    assert only(find(rows, until_ns=13 * BUCKET)).end_ns == 10 * BUCKET


def test_what_belonged_to_a_storm_begins_no_other() -> None:
    """The window still holds the end of the one before when traffic stops: that is one episode, not two."""
    assert only(find(series([(20, 40), (1, 1), (20, 40)]), until_ns=8 * BUCKET)).end_ns == 3 * BUCKET


def test_few_retries_are_worth_a_look_only() -> None:
    """At 1.5 attempts an operation it is no storm yet."""
    assert only(find(series([(30, 31)] * 3 + [(30, 45)] * 4 + [(30, 30)] * 4))).status == "look"


@pytest.mark.parametrize(("tries", "threshold"), [(2, 1.75), (3, 2.0), (6, 2.0)])
def test_the_threshold_follows_the_tries_that_are_allowed(tries: int, threshold: float) -> None:
    """One retry can at most double the load, so a storm begins earlier there."""
    limits = Limits()
    assert limits.storm_at(tries) == threshold
    below, above = (
        series([(100, int(100 * threshold) - 1)] * 4, tries=tries),
        series([(100, int(100 * threshold))] * 4, tries=tries),
    )
    assert only(find(below)).status == "look"
    assert only(find(above)).status == "storm"


def test_where_nothing_is_ever_retried_there_is_no_storm() -> None:
    """Polling, pagination and fan-out are operations of one attempt each, however many there are."""
    assert not find(series([(5, 5)] * 5 + [(4_000, 4_000)] * 5, tries=1)).episodes


def test_how_much_could_be_judged_is_told_of_the_window_alone() -> None:
    """The hours before it, in which its storms can have begun, do not count; what was called only then has no share."""
    rows = [*series([(25, 25)] * 10 + [(1, 1)] * 30), *series([(25, 25)] * 10, STEP), *series([(1, 1)] * 20, LATER)]
    assert find(rows, until_ns=40 * BUCKET).judged == {TOOL: 15 / 40, STEP: 1.0, LATER: 0.0}
    assert find(rows, until_ns=40 * BUCKET, judged_since_ns=20 * BUCKET).judged == {TOOL: 0.0, LATER: 0.0}


@pytest.mark.parametrize("a_bucket", [1, 3])
def test_sparse_traffic_is_not_judged(a_bucket: int) -> None:
    """Under 20 operations in half an hour there are too few to tell."""
    found = find(series([(a_bucket, 3 * a_bucket)] * 40))
    assert not found.episodes
    assert found.states[TOOL] == "too few to tell"
    assert found.judged[TOOL] == 0.0


def test_thin_traffic_is_judged_over_half_an_hour() -> None:
    """With 4 operations a bucket it takes 25 minutes to have 20, so a storm shows after 20."""
    storm = only(find(series([(4, 4)] * 6 + [(4, 10)] * 8)))
    assert storm.onset_ns == 6 * BUCKET
    assert storm.noticed_ns == 10 * BUCKET  # 4 calm operations and 16 at 2.5: 2.2


def test_old_retries_alone_are_no_storm() -> None:
    """The window that reaches back half an hour is over the threshold, its last ten minutes are not."""
    found = find(series([(4, 12)] * 4 + [(2, 2)] * 2))
    assert [episode.status for episode in found.episodes] == ["look"]


def failures(*rows: tuple[int, str, int]) -> Failures:
    """Of (bucket, code, how many)."""
    buckets, codes, counts = zip(*rows, strict=True)
    return Failures(np.array(buckets) * BUCKET, np.array(codes, object), np.array(counts))


def test_the_trigger_is_the_first_code_of_the_episode() -> None:
    """Not one before it, of another key, or taken back; of one bucket the most frequent."""
    before, taken_back = (2, "tool.not_found", 9), [(6, "tool.not_found", 7), (6, "tool.not_found", -7)]
    first = [(6, "tool.timeout", 3), (6, "tool.rate_limited", 2), (6, "tool.rate_limited", 2), (7, "tool.auth", 50)]
    told = {TOOL: failures(before, *taken_back, *first), STEP: failures((6, "state.missing", 50))}
    assert only(find(storm_and_calm(), told)).trigger == "tool.rate_limited"
    assert (
        only(find(storm_and_calm(), {TOOL: failures(before, *taken_back, (8, "tool.auth", 1))})).trigger == "tool.auth"
    )
    assert only(find(storm_and_calm(), {TOOL: failures(before, *taken_back)})).trigger is None


def test_spread_names_what_was_hit_in_the_same_time() -> None:
    """A step in trouble during the tool's storm is named, one in trouble an hour later is not."""
    quiet = series([(25, 25)] * 16, Key("refunds", "step", "quiet"))
    later = series([(25, 60)] * 3 + [(25, 25)] * 4, Key("", "model", "m"), first=20)
    found = find([*storm_and_calm(), *storm_and_calm(STEP), *quiet, *later])
    spread = {episode.key: episode.spread for episode in found.episodes}
    assert spread == {TOOL: (STEP,), STEP: (TOOL,), later[0].key: ()}


def test_waste_is_added_up() -> None:
    """What the buckets of a storm lost, and whom it hit."""
    calm, hit = ("calm",), ("refunds", "returns")
    lost = {"wasted_ns": 7, "wasted_tokens": 5, "wasted_nano_usd": 10**7, "failed": 2, "recovered": 6}
    rows = [row._replace(workflows=hit if row.attempts > 30 else calm, **lost) for row in storm_and_calm()]
    storm = only(find(rows))
    assert (storm.wasted_ns, storm.wasted_tokens, storm.wasted_usd) == (28, 20, 0.04)
    assert (storm.recovered_ratio, storm.workflows) == (0.75, hit)


def shown(found: Found) -> list[Named]:
    """What is found, as the machine names it."""
    return [
        Named(
            one.key,
            one.status,
            one.onset_ns,
            one.peak_ns,
            one.end_ns,
            one.noticed_ns,
            one.peak_amplification,
            one.operations,
            one.attempts,
        )
        for one in found.episodes
    ]


ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 0.05, 0.15, 0.3, 0.5, 1]), st.integers(1, 4)), max_size=90
)


@settings(deadline=None)
@given(
    ROWS,
    st.integers(-2, 9),
    st.sampled_from(
        [
            Limits(),
            Limits(tries_ns=6 * BUCKET, quiet_evaluations=1),
            Limits(window_ns=BUCKET, reach_ns=BUCKET, least_operations=5, look=1.1, onset_reach_ns=4 * BUCKET),
        ]
    ),
)
def test_all_at_once_finds_what_bucket_by_bucket_finds(
    rows: list[tuple[int, float, int]], more: int, limits: Limits
) -> None:
    """Reading weeks at once names the episodes that a watch would have named that saw each bucket when it was over."""
    calls = [
        Calls(key, at * BUCKET, n, n + round(share * n * (tries - 1)), most_tries=tries)
        for key, part in ((TOOL, rows), (STEP, rows[::-1]))
        for at, (n, share, tries) in enumerate(part)
        if n
    ]
    until_ns = max(1, len(rows) + more) * BUCKET
    assert shown(find(calls, until_ns=until_ns, limits=limits)) == named(calls, until_ns, limits)


@settings(deadline=None)
@given(ROWS, st.integers(0, 90))
def test_what_is_over_stays_as_it_was(rows: list[tuple[int, float, int]], cut: int) -> None:
    """An alert that reads up to now names the storms that a page names later: nothing changes those that are over."""
    calls = series([(n, n + round(share * 2 * n)) for n, share, _ in rows])
    before = find([one for one in calls if one.bucket_ns < cut * BUCKET], until_ns=cut * BUCKET).episodes
    later = find(calls, until_ns=(len(rows) + 3) * BUCKET).episodes
    over = [one for one in before if one.end_ns is not None and one.status == "storm"]
    assert [one for one in later if one in over] == over


def test_order_of_rows_makes_no_difference() -> None:
    """The query may return them in any order."""
    rows = [*storm_and_calm(), *storm_and_calm(STEP)]
    assert find(rows[::-1]) == find(rows)


# ---- simulated traffic -----------------------------------------------------------------------------------------------


def test_storms_in_simulated_traffic_are_found() -> None:
    """At 5 operations a minute precision and recall are at least .95, the onset within two buckets."""
    from tests.benchmarks.storms import measure

    result = measure(np.random.default_rng(7), per_minute=5, series=40)
    assert result.precision >= 0.95
    assert result.recall >= 0.95
    assert result.onset_within_two >= 0.95


# ---- in one run ------------------------------------------------------------------------------------------------------


def operation(attempts: int, seconds: float, **more: Any) -> dict[str, Any]:
    base = {"run_id": "r", "operation_id": "o", "name": "ledger", "attempts": attempts, "start_ns": 0}
    return base | {"end_ns": int(seconds * 1e9), "outcome": "ok"} | more


@pytest.mark.parametrize(
    ("attempts", "seconds", "most"), [(4, 1, None), (5, 60, 5), (5, 61, None), (10, 120, 5), (20, 120, 10)]
)
def test_five_attempts_in_a_minute_are_a_storm_within_a_run(attempts: int, seconds: float, most: int | None) -> None:
    """Where only the operation's times are known, one of its minutes held at least its share of the attempts."""
    assert [storm.attempts for storm in in_run_storms([operation(attempts, seconds)])] == ([most] if most else [])


def test_known_starts_of_attempts_decide() -> None:
    """Five of six attempts lie within a minute although the operation took an hour."""
    starts = [0, *(3_600 * 10**9 + second * 10**9 for second in (0, 10, 20, 30, 60))]
    assert in_run_storms([operation(6, 3_700)], {"o": starts})[0].attempts == 5
    assert not in_run_storms([operation(6, 3_700)], {"o": [second * 20 * 10**9 for second in range(6)]})


def calls(*pairs: tuple[str, str], outcome: str = "ok") -> Iterator[dict[str, Any]]:
    for place, (asked, answered) in enumerate(pairs):
        yield operation(1, 1, start_ns=place, input_hash=asked, output_hash=answered, outcome=outcome)


def test_the_same_answer_three_times_is_a_loop() -> None:
    """Also with others in between."""
    (loop,) = loops(calls(("a", "x"), ("b", "y"), ("a", "x"), ("b", "y"), ("a", "x")))
    assert (loop.times, loop.start_ns) == (3, 0)


def test_polling_pagination_and_retries_are_no_loops() -> None:
    """The answer changes, or the question, or it failed; what is unknown accuses nobody."""
    assert not loops(calls(("a", "x"), ("a", "y"), ("a", "z")))
    assert not loops(calls(("a", "x"), ("b", "x"), ("c", "x")))
    assert not loops(calls(*[("a", "x")] * 5, outcome="failed"))
    assert not loops(calls(*[("", "")] * 5))


# ---- amplification ---------------------------------------------------------------------------------------------------


def test_expected_amplification_is_that_of_simulated_retries() -> None:
    """(1 − fᵐ)/(1 − f) against drawn tries, and its ends."""
    tries = np.minimum(np.random.default_rng(3).geometric(1 - 0.6, 200_000), 4)
    assert amplification.expected_amplification(0.6, 4) == pytest.approx(tries.mean(), abs=0.01)
    assert amplification.expected_amplification(0.3, 3) == pytest.approx(1.39)
    assert amplification.expected_amplification(1.0, 5) == 5.0
    assert amplification.expected_amplification(0.0, 5) == 1.0


def test_a_fifth_of_the_operations_may_be_retried() -> None:
    """The budget is spent at 1.2; nothing asked for has none."""
    assert amplification.budget_used(120, 100) == pytest.approx(1.0)
    assert amplification.budget_used(0, 0) is None
    assert amplification.amplification(0, 0) is None


def test_layers_of_retries_multiply_along_a_path() -> None:
    """An agent's 2 tries of a framework call that takes 3 tries each make 6 requests for one task."""
    task = {"operation_id": "t", "parent_span_id": None, "name": "task", "attempts": 2}
    inner = [{"operation_id": f"c{n}", "parent_span_id": f"try{n}", "name": "search", "attempts": 3} for n in range(2)]
    (path,) = amplification.paths([task, *inner], {"try0": "t", "try1": "t"})
    assert (path.names, path.amplifications, path.product) == (("task", "search"), (2.0, 3.0), 6.0)


def test_settings_move_the_limits() -> None:
    """What is no storm by the limits that were measured can be one by a team's own, in a window and in a run."""
    calls = series([(30, 31)] * 3 + [(30, 45)] * 4 + [(30, 30)] * 4)
    strict = Limits.of(StormSettings(amplification=1.4, share_of_retries=0.4, in_run_attempts=3, in_run_seconds=10))
    assert only(find(calls)).status == "look"
    assert [one.status for one in find(calls, limits=strict).episodes] == ["storm"]
    patient = Limits.of(StormSettings(least_operations=500))
    assert set(find(calls, limits=patient).states.values()) == {"too few to tell"}
    tried = {"run_id": "r", "operation_id": "o", "name": "call", "attempts": 3, "start_ns": 0, "end_ns": 5 * 10**9}
    assert not in_run_storms([tried])
    assert [one.attempts for one in in_run_storms([tried], limits=strict)] == [3]


def test_the_defaults_of_the_settings_are_the_limits_that_were_measured() -> None:
    """Whoever sets nothing gets what docs/accuracy.md tells of."""
    assert Limits.of(StormSettings()) == Limits()


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 70))
def test_the_highest_of_each_and_those_before(numbers: list[int], length: int) -> None:
    """As slices tell it."""
    expected = [max(numbers[max(0, end - length) : end]) for end in range(1, len(numbers) + 1)]
    assert highest_within(np.array(numbers, np.int64), length).tolist() == expected
