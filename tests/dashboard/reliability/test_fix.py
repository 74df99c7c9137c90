"""What fixing a step is worth, and the way down from 100 % to R."""

import pytest

from dashboard.analytics.reliability import chain_of, compounded, first_try, fix_first, staircase, what_if
from tests.dashboard.reliability.chains import edge, group, node, straight

LOOP = chain_of(
    [node("draft", 1000, 900), node("check", 900, 855)],
    [edge(None, "draft", 829), edge("draft", "check", 900), edge("check", "draft", 171), edge("check", "end", 684)],
)


def test_the_staircase_of_a_straight_chain_is_the_running_product() -> None:
    """100 → .9 → .9·.8 → .9·.8·.5, and the same with first tries."""
    chain = straight([0.9, 0.8, 0.5], [1000] * 3, [0.8, 0.8, 0.25])
    assert [(stair.node, stair.top, stair.bottom) for stair in staircase(chain)] == [
        ("s0", 1, pytest.approx(0.9, abs=1e-9)),
        ("s1", pytest.approx(0.9, abs=1e-9), pytest.approx(0.72, abs=1e-9)),
        ("s2", pytest.approx(0.72, abs=1e-9), pytest.approx(0.36, abs=1e-9)),
    ]
    assert staircase(chain, first_try=True)[-1].bottom == pytest.approx(first_try(chain).value, abs=1e-9)


def test_with_loops_the_drops_add_up_to_what_is_lost() -> None:
    """Each node's drop is the chance that a run first fails there, all visits together."""
    stairs = staircase(LOOP)
    assert [stair.node for stair in stairs] == ["draft", "check"]
    assert sum(stair.drop for stair in stairs) == pytest.approx(1 - compounded(LOOP).value, abs=1e-9)
    assert stairs[0].drop == pytest.approx(0.1 / (1 - 0.9 * 0.95 * 0.2), abs=1e-9)


def test_the_way_is_read_forwards_though_some_go_back() -> None:
    """A loop is cut at its rare way back, also where a few runs begin in its middle."""
    names = ["plan", "act", "judge"]
    chain = chain_of(
        [node(name, 100, 100) for name in names],
        [
            edge(None, "judge", 2), edge(None, "plan", 98), edge("plan", "act", 100),
            edge("act", "judge", 98), edge("judge", "plan", 30), edge("judge", "end", 70),
        ],
    )  # fmt: skip
    assert [item.name for item in chain.nodes] == names


def test_the_most_worth_fixing_comes_first() -> None:
    """.9·.8: the second step's failures halved give .9·.1, the first's .05·.8."""
    fixes = fix_first(straight([0.9, 0.8, 1.0], [100] * 3))
    assert [(fix.step, fix.at_most) for fix in fixes] == [("s1", False), ("s0", False)]
    assert [fix.gain_half for fix in fixes] == pytest.approx([0.09, 0.04], abs=1e-9)
    assert [fix.gain_never for fix in fixes] == pytest.approx([0.18, 0.08], abs=1e-9)


def test_the_weakest_step_is_not_always_the_first_to_fix() -> None:
    """A bad step that few runs come to is worth less than a fair one that all do."""
    chain = chain_of(
        [node("all", 1000, 900), node("few", 90, 45)],
        [edge(None, "all", 1000), edge("all", "few", 90), edge("all", "end", 810), edge("few", "end", 45)],
    )
    assert [fix.step for fix in fix_first(chain)] == ["all", "few"]


def test_what_if_moves_one_step_and_nothing_else() -> None:
    """Sliders set reliabilities; steps nobody knows change nothing."""
    chain = straight([0.9, 0.8, 1.0], [100] * 3)
    assert what_if(chain, {}) == pytest.approx(0.72, abs=1e-9)
    assert what_if(chain, {"s1": 1.0, "s2": 0.5, "nobody": 0.1}) == pytest.approx(0.45, abs=1e-9)
    assert what_if(LOOP, {"check": 1.0}) == pytest.approx(0.9 * 0.8 / (1 - 0.9 * 0.2), abs=1e-9)


def test_a_step_in_several_nodes_is_fixed_in_all_of_them() -> None:
    """Alone it fails in 10 of 50, beside b in 20 of 50: .7 in all. At .85 both halve."""
    chain = chain_of(
        [node("a", 50, 40), *group(node("a", 50, 30), node("b", 50, 50))],
        [edge(None, "a", 50), edge(None, "a ‖ b", 50), edge("a", "end", 40), edge("a ‖ b", "end", 30)],
    )
    assert what_if(chain, {"a": 0.85}) == pytest.approx(0.5 * 0.9 + 0.5 * 0.8, abs=1e-9)
    (fix,) = fix_first(chain)
    assert (fix.step, fix.gain_half) == ("a", pytest.approx(0.15, abs=1e-9))
