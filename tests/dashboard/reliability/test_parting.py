"""Where R and E part, and where the lost runs went."""

from random import Random

import pytest

from dashboard.analytics.reliability import Outcomes, chain_of, in_percent, losses, parting
from tests.dashboard.reliability.chains import Op, counted, edge, ended, node


def lost(layer: str | None, runs: int, outcome: str = "failed") -> dict[str, object]:
    return {"outcome": outcome, "layer_a": layer, "layer_b": {"tool": "recovery"}.get(layer or "", layer), "runs": runs}


def test_the_three_parts_make_the_gap() -> None:
    """100 runs of one step (.9): 5 lost after it, 4 of its 10 failures rescued. R − E = .05 − .04 + 0."""
    chain = chain_of(
        [node("a", 100, 90)],
        [edge(None, "a", 100), edge("a", "end", 85), edge("a", "outside", 5)],
        ended(clean=85, recovered=4, failed=11, rescued=4),
    )
    parted = parting(chain)
    assert parted is not None
    assert parted.total == pytest.approx(0.9 - 0.89)
    assert parted.outside == pytest.approx(0.9 - 0.85)
    assert parted.rescued.value == pytest.approx(0.04)
    assert parted.dependence.value == pytest.approx(0, abs=1e-12)
    assert parted.total == pytest.approx(parted.outside - parted.rescued.value + parted.dependence.value)


def runs_of_three(random: Random, count: int, *, together: bool) -> list[tuple[list[Op], bool]]:
    """Three steps of .8 that all run whatever fails: each on its own, or all good or bad in the same runs."""
    runs = []
    for _ in range(count):
        luck = [random.random()] * 3 if together else [random.random() for _ in range(3)]
        ops = [Op(f"s{i}", good := x < 0.8, good) for i, x in enumerate(luck)]
        runs.append((ops, all(op.good for op in ops)))
    return runs


@pytest.mark.parametrize("together", [True, False])
def test_failures_that_gather_in_the_same_runs_are_told_from_those_that_do_not(together: bool) -> None:
    """R says .512; the runs say .8 where failures gather. The band of the difference is off 0 there only."""
    runs = runs_of_three(Random(1), 400, together=together)
    good = sum(all_good for _, all_good in runs)
    chain = counted([(ops, "end") for ops, _ in runs], {"clean": good, "failed": 400 - good})
    parted = parting(chain)
    assert parted is not None
    assert parted.gathers is together
    assert parted.dependence.value == pytest.approx(0.512 - 0.8 if together else 0, abs=0.06)


def test_losses_are_all_runs() -> None:
    """Clean, recovered, layers by size, component and unclassified last; the silent part is marked."""
    outcomes = Outcomes.of(ended(clean=60, recovered=20, failed=17, silent=3))
    rows = [lost("component", 9), lost("tool", 4), lost("tool", 2, "silent"), lost(None, 2), lost("state", 1)]
    found = losses(outcomes, rows)
    assert [(part.part, part.runs, part.silent) for part in found] == [
        ("clean", 60, 0),
        ("recovered", 20, 0),
        ("tool", 6, 2),
        ("state", 1, 0),
        ("component", 9, 0),
        ("unclassified", 4, 1),  # two that no row accounts for, one of them silent
    ]
    assert sum(part.share for part in found) == pytest.approx(1, abs=1e-12)
    assert [part.part for part in losses(outcomes, rows, lens="b")][2] == "recovery"


def test_no_finished_runs_have_no_losses() -> None:
    """Nothing to share out."""
    assert losses(Outcomes.of(ended()), []) == ()


def test_percentages_on_screen_add_up_to_100() -> None:
    """Three thirds are 33.4 + 33.3 + 33.3."""
    assert in_percent([1 / 3] * 3) == [33.4, 33.3, 33.3]
    random = Random(1)
    for _ in range(200):
        parts = [random.random() ** 4 for _ in range(random.randint(1, 9))]
        shown = in_percent([part / sum(parts) for part in parts])
        assert round(sum(shown), 9) == 100
        assert all(abs(100 * part / sum(parts) - there) < 0.1 for part, there in zip(parts, shown, strict=True))
