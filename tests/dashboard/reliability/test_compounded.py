"""R and F against chains that were computed by hand, and against counted runs."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics import reliability
from dashboard.analytics.reliability import chain_of, compounded, first_try, observed, together
from tests.dashboard.reliability.chains import Op, counted, edge, ended, group, node, straight

EXACT = 1e-9


def value(found: reliability.Estimate) -> float:
    assert found.value is not None, found.reason
    return found.value


def test_six_steps_at_97_percent_are_83_percent() -> None:
    """A straight chain is the product of its steps, after recovery and at the first try."""
    chain = straight([0.97] * 6, [1000] * 6, [0.9] * 6)
    assert value(compounded(chain)) == pytest.approx(0.97**6, abs=EXACT)
    assert value(first_try(chain)) == pytest.approx(0.9**6, abs=EXACT)


def test_branches_are_weighted_by_what_followed_success() -> None:
    """After a (.9): three in four go to b (.8), one in four ends."""
    chain = chain_of(
        [node("a", 1000, 900), node("b", 675, 540)],
        [edge(None, "a", 1000), edge("a", "b", 675), edge("a", "end", 225), edge("b", "end", 540)],
    )
    assert value(compounded(chain)) == pytest.approx(0.9 * (0.75 * 0.8 + 0.25), abs=EXACT)


def test_a_loop_counts_every_visit() -> None:
    """draft (.9) → check (.95), which sends a fifth back: R = .9·.95·.8 / (1 − .9·.95·.2)."""
    chain = chain_of(
        [node("draft", 1000, 900), node("check", 900, 855)],
        [
            edge(None, "draft", 829),
            edge("draft", "check", 900),
            edge("check", "draft", 171),
            edge("check", "end", 684),
        ],
    )
    assert value(compounded(chain)) == pytest.approx(0.9 * 0.95 * 0.8 / (1 - 0.9 * 0.95 * 0.2), abs=EXACT)


def test_a_parallel_group_is_the_product_of_its_members() -> None:
    """All members of a group must succeed."""
    chain = chain_of(
        group(node("a", 100, 90), node("b", 100, 80)),
        [edge(None, "a ‖ b", 100), edge("a ‖ b", "end", 72)],
    )
    assert value(compounded(chain)) == pytest.approx(0.72, abs=EXACT)


def test_a_fan_out_is_one_trial() -> None:
    """Three items at once count once, as all good or not, and apart from the same step alone."""
    chain = chain_of(
        [node("a", 50, 45), node("a", 50, 40) | {"node": "a ×3"}],
        [edge(None, "a", 50), edge(None, "a ×3", 50), edge("a", "end", 45), edge("a ×3", "end", 40)],
    )
    assert value(compounded(chain)) == pytest.approx(0.5 * 0.9 + 0.5 * 0.8, abs=EXACT)


def test_a_run_that_skips_every_step_reaches_end() -> None:
    """START may lead to END: a workflow that had nothing to do."""
    chain = chain_of([node("a", 50, 25)], [edge(None, "a", 50), edge(None, "end", 50), edge("a", "end", 25)])
    assert value(compounded(chain)) == pytest.approx(0.75, abs=EXACT)


def test_early_deaths_do_not_flatter() -> None:
    """Later steps are visited less where runs die early; the product stays what it is (never Π r^visits)."""
    chain = straight([0.5, 0.5], [1000, 500])
    assert value(compounded(chain)) == pytest.approx(0.25, abs=EXACT)


def test_runs_that_wait_take_nothing_from_it() -> None:
    """A run that waits after a good step gives no transition, so R is that of the others."""
    chain = chain_of(
        [node("a", 100, 100), node("b", 60, 30)],
        [edge(None, "a", 100), edge("a", "b", 60), edge("b", "end", 30)],
    )
    assert value(compounded(chain)) == pytest.approx(0.5, abs=EXACT)


def test_the_worked_example_of_the_concepts_holds() -> None:
    """docs/concepts.md, "The arithmetic": plan → ledger.query → answer, which sends 100 back, in 1,000 runs."""
    chain = chain_of(
        [node("plan", 1000, 980), node("ledger.query", 1080, 1026, 918), node("answer", 1026, 1000)],
        [
            edge(None, "plan", 1000), edge("plan", "ledger.query", 980), edge("ledger.query", "answer", 1026),
            edge("answer", "ledger.query", 100), edge("answer", "end", 900),
        ],
    )  # fmt: skip
    found, tried = compounded(chain), first_try(chain)
    assert [round(100 * x, 1) for x in (value(found), found.low, found.high)] == [90.0, 88.0, 91.7]
    assert [round(100 * x, 1) for x in (value(tried), tried.low, tried.high)] == [79.7, 77.1, 82.0]
    assert [round(100 * stair.drop, 1) for stair in reliability.staircase(chain)] == [2.0, 5.4, 2.6]
    assert [(fix.step, round(100 * fix.gain_half, 1)) for fix in reliability.fix_first(chain)] == [
        ("ledger.query", 2.6), ("answer", 1.3), ("plan", 0.9),
    ]  # fmt: skip
    assert found.more_for_2_points is None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 6), runs=st.integers(1, 60))
def test_r_is_e_where_every_failed_step_ends_the_run(seed: int, steps: int, runs: int) -> None:
    """Whatever branches and loops a workflow has, its counted R is the observed share, to the last digit."""
    random = Random(seed)
    names = [f"s{i}" for i in range(steps)]
    r = {name: random.choice([0.0, 0.5, 0.9, 1.0]) for name in names}
    ways = {n: [random.random() ** 2 for _ in range(steps)] + [random.random() + 0.2] for n in [None, *names]}
    walked: list[tuple[list[Op], str | None]] = []
    reached = 0
    for _ in range(runs):
        ops: list[Op] = []
        at: str = random.choices([*names, "end"], ways[None])[0]
        while at != "end":
            ops.append(Op(at, good := random.random() < r[at], good))
            if not good:
                break
            at = random.choices([*names, "end"], ways[at])[0]
        reached += at == "end"
        walked.append((ops, "end" if at == "end" else None))
    chain = counted(walked, {"clean": reached, "failed": runs - reached})
    assert chain.outcomes is not None
    assert value(compounded(chain)) == pytest.approx(value(observed(chain.outcomes)), abs=1e-12)
    parting = reliability.parting(chain)
    assert parting is not None
    assert (parting.outside, parting.rescued.value) == (0, 0)
    assert parting.dependence.low == pytest.approx(0, abs=1e-6)
    assert parting.dependence.high == pytest.approx(0, abs=1e-6)
    assert sum(figures.lost for figures in reliability.node_figures(chain)) == pytest.approx(
        1 - value(compounded(chain)), abs=1e-9
    )


# ---- nothing known ---------------------------------------------------------------------------------------------------


def test_no_runs_give_a_reason_instead_of_a_number() -> None:
    """Every figure of an empty chain says why there is none, and no table has a row."""
    chain = chain_of([], [], ended())
    assert chain.outcomes is not None
    for found in (compounded(chain), first_try(chain), reliability.retries_buy(chain)):
        assert (found.value, found.reason, found.shown, found.more_for_2_points) == (None, "no runs", "nothing", None)
    assert observed(chain.outcomes).reason == "no run has finished"
    assert reliability.verified(chain.outcomes).reason == "no run carries a verdict"
    assert reliability.parting(chain) is None
    assert reliability.what_if(chain, {"a": 1.0}) is None
    assert (reliability.fix_first(chain), reliability.staircase(chain), reliability.node_figures(chain)) == ((), (), ())


def test_one_run_is_a_band() -> None:
    """One good run: the value is there, the screen shows the band."""
    found = compounded(straight([1.0], [1]))
    assert (found.value, found.shown, found.n) == (1.0, "band", 1)
    assert found.low == pytest.approx(0.2065, abs=1e-4)


def test_a_step_that_never_succeeded_makes_it_zero() -> None:
    """Nothing follows it, so what fixing it gains is an upper end."""
    chain = chain_of([node("a", 40, 40), node("b", 40, 0)], [edge(None, "a", 40), edge("a", "b", 40)])
    assert value(compounded(chain)) == 0
    assert compounded(chain).high == pytest.approx(0.0876, abs=1e-4)
    (fix,) = reliability.fix_first(chain)
    assert (fix.step, fix.gain_never, fix.at_most) == ("b", 1.0, True)


def test_a_circle_that_no_run_has_left_is_no_failure() -> None:
    """Runs go round and none has failed or ended: nothing is known against them, and nothing is singular."""
    chain = chain_of(
        [node("a", 12, 12), node("b", 10, 10)], [edge(None, "a", 2), edge("a", "b", 10), edge("b", "a", 10)]
    )
    assert value(compounded(chain)) == 1
    assert reliability.node_figures(chain)[0].visits == pytest.approx(6)


def test_a_circle_that_runs_only_leave_by_failing_is_zero() -> None:
    """No run of the circle ever ended, and some failed."""
    chain = chain_of(
        [node("a", 12, 12), node("b", 12, 10)], [edge(None, "a", 2), edge("a", "b", 12), edge("b", "a", 10)]
    )
    assert value(compounded(chain)) == 0
    assert reliability.what_if(chain, {"b": 1.0}) == 0
    assert [stair.bottom for stair in reliability.staircase(chain)] == pytest.approx([1, 0], abs=EXACT)


def test_runs_that_were_all_lost_outside_leave_the_steps_in_peace() -> None:
    """The steps delivered; the whole gap is outside."""
    chain = chain_of([node("a", 40, 40)], [edge(None, "a", 40), edge("a", "outside", 40)], ended(failed=40))
    assert value(compounded(chain)) == 1
    parting = reliability.parting(chain)
    assert parting is not None
    assert (parting.total, parting.outside, parting.dependence.value) == (1, 1, 0)


def test_transitions_to_nowhere_are_left_out_and_named() -> None:
    """A node without operations has no reliability: its transitions do not count, and it is named."""
    chain = chain_of(
        [node("a", 40, 40), node("gone", 0, 0)],
        [edge(None, "a", 40), edge("a", "ghost", 20), edge("a", "end", 20), edge("gone", "a", 3), edge("a", "a", -1)],
    )
    assert chain.unknown == ("ghost", "gone")
    assert value(compounded(chain)) == 1


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_whatever_the_rows_say_every_figure_is_a_number(seed: int) -> None:
    """Counts that contradict each other, dead ends, circles, retractions: no crash, nothing that is not finite."""
    random = Random(seed)
    names = [f"s{i}" for i in range(random.randint(1, 6))]
    some = [0, 0, 1, 2, 30, 1000]
    rows = [node(n, random.choice([1, 2, 30, 1000, -1]), random.choice(some), random.choice(some)) for n in names]
    rows += group(node("a", 10, random.choice(some)), node("b", 9, random.choice(some)))
    places = [*names, "a ‖ b", "ghost", "end", "outside"]
    edges = [
        edge(random.choice([None, *places[:-2]]), random.choice(places), random.choice(some))
        for _ in range(random.randint(0, 12))
    ]
    chain = chain_of(
        rows, edges, ended(**{name: random.choice(some) for name in ("clean", "recovered", "failed", "rescued")})
    )
    found = [compounded(chain), first_try(chain), reliability.retries_buy(chain)]
    parted = reliability.parting(chain)
    found += [parted.rescued, parted.dependence] if parted else []
    numbers = [x for estimate in found for x in (estimate.value or 0, estimate.low, estimate.high)]
    for figures in reliability.node_figures(chain):
        numbers += [
            figures.visits,
            figures.reaches_end,
            figures.lost,
            figures.reliability.low,
            figures.reliability.high,
        ]
    numbers += [fix.gain_never for fix in reliability.fix_first(chain)]
    numbers += [stair.bottom for stair in reliability.staircase(chain)]
    numbers += [reliability.what_if(chain, {name: 1.0}) or 0 for name in chain.steps]
    assert all(math.isfinite(number) for number in numbers)
    for estimate in found[:3]:
        assert estimate.value is None or 0 <= estimate.low <= estimate.value + 1e-12 <= estimate.high + 1e-9 <= 1 + 1e-9
    if chain.runs:
        lost = sum(figures.lost for figures in reliability.node_figures(chain))
        assert lost == pytest.approx(1 - value(compounded(chain)), abs=1e-6)


def test_workflows_together_deliver_their_mean_by_runs() -> None:
    """Steps of one name stay apart: 100 runs at .9 · .8 and 300 at .5 are .72 and .5 in the shares 1 to 3."""
    one, other = straight([0.9, 0.8], [100, 90], [0.9, 0.8]), straight([0.5], [300], [0.5])
    both = together({"one": one, "other": other})
    assert both.runs == one.runs + other.runs
    shares = [one.runs / both.runs, other.runs / both.runs]
    mean = shares[0] * value(compounded(one)) + shares[1] * value(compounded(other))
    assert value(compounded(both)) == pytest.approx(mean, abs=EXACT)
    assert len(both.nodes) == 3


def test_a_workflow_alone_is_what_it_is_together() -> None:
    """Value and band are the same."""
    chain = straight([0.97] * 6, [1000] * 6, [0.9] * 6)
    alone, found = compounded(chain), compounded(together({"w": chain}))
    assert (found.value, found.low, found.high) == pytest.approx((alone.value, alone.low, alone.high))
    assert together({}).runs == 0
