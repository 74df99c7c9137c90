"""Folding huge runs."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.analytics.fold import FIRST_CHILDREN, TOP, Folded, fold

Steps = list[Mapping[str, Any]]


def step(number: int, parent: int | None, status: str = "ok") -> Mapping[str, Any]:
    return {
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "status": status,
    }


def accounted(folded: Folded) -> int:
    return sum(line.step is not None for line in folded.lines) + sum(line.folded_steps for line in folded.lines)


@settings(max_examples=200, deadline=None)
@given(some.lists(some.one_of(some.none(), some.integers(0, 60)), max_size=60), some.integers(1, 40), some.data())
def test_no_step_is_lost_or_shown_twice(parents: list[int | None], budget: int, data: some.DataObject) -> None:
    """Shown and folded steps add up to all of them, whatever the parents say: missing ones, circles, several roots."""
    statuses = data.draw(
        some.lists(some.sampled_from(["ok", "failed", "open"]), min_size=len(parents), max_size=len(parents))
    )
    steps: Steps = [
        step(number, parent, status) for number, (parent, status) in enumerate(zip(parents, statuses, strict=True))
    ]
    folded = fold(steps, {}, budget=budget)
    assert accounted(folded) == folded.total == len(steps)
    shown = [line.step for line in folded.lines if line.step is not None]
    assert len(shown) == len(set(shown)) == folded.shown


def test_everything_is_shown_where_it_fits() -> None:
    """Within the budget nothing folds."""
    folded = fold([step(0, None), *(step(n, 0) for n in range(1, 100))], {})
    assert folded.shown == folded.total == 100
    assert [line.depth for line in folded.lines] == [0] + [1] * 99


def test_a_thousand_way_fan_out_folds_into_one_line() -> None:
    """The first children show, one line stands for the rest and counts its failures."""
    folded = fold([step(0, None), *(step(n, 0) for n in range(1, 1001))], {})
    assert len(folded.lines) == 1 + FIRST_CHILDREN + 1
    assert folded.lines[-1].folded_steps == 1000 - FIRST_CHILDREN


def test_trouble_is_shown_wherever_it_lies() -> None:
    """A failed step deep in a wide fan-out is on screen."""
    steps = [step(0, None), *(step(n, 0, "failed" if n == 777 else "ok") for n in range(1, 1001))]
    assert 777 in [line.step for line in fold(steps, {}).lines]


def test_the_selected_step_is_shown_with_all_above_it() -> None:
    """A link to any span opens a tree that holds it."""
    steps = [step(0, None), *(step(n, 0) for n in range(1, 500)), step(500, 499), step(501, 500)]
    shown = {line.step for line in fold(steps, {}, wanted=steps[501]["span_id"]).lines}
    assert {0, 499, 500, 501} <= shown


def test_an_opened_fold_shows_more() -> None:
    """Opening brings exactly what was asked for."""
    steps = [step(0, None), *(step(n, 0) for n in range(1, 1001))]
    before, after = fold(steps, {}), fold(steps, {steps[0]["span_id"]: 300})
    assert after.shown == before.shown + 300
    assert fold(steps[1:], {TOP: 300}).shown == FIRST_CHILDREN + 300


def test_a_chain_of_ten_thousand_does_not_recurse() -> None:
    """Depth costs no stack."""
    folded = fold([step(0, None), *(step(n, n - 1) for n in range(1, 10_000))], {})
    assert accounted(folded) == 10_000
    assert folded.shown <= 301
