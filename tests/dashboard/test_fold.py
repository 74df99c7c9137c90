"""Folding huge runs."""

import time
from collections.abc import Set

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.analytics.fold import DRAWN_TRIES, FIRST_CHILDREN, Folded, fold
from dashboard.analytics.outline import TOP, Outline, circles_cut, parents_by_depth


def outline(
    parents: list[int | None],
    failed: Set[int] = frozenset(),
    first: dict[int, int] | None = None,
) -> Outline:
    size = len(parents)
    bad = np.isin(np.arange(size), list(failed))
    tries = np.array([(first or {}).get(index, index) for index in range(size)], np.int64)
    above = np.array([TOP if parent is None else parent for parent in parents], np.int64)
    return Outline(circles_cut(np.where(above < size, above, TOP)), bad, bad, tries)


def wide(children: int, failed: Set[int] = frozenset()) -> Outline:
    return outline([None, *([0] * children)], failed)


def accounted(folded: Folded) -> int:
    shown = sum(line.step is not None for line in folded.lines)
    on_one_line = sum(line.tried for line in folded.lines if not line.is_open)
    return shown + on_one_line + sum(line.folded + line.inside for line in folded.lines)


@settings(max_examples=300, deadline=None)
@given(some.lists(some.one_of(some.none(), some.integers(0, 60)), max_size=60), some.integers(1, 70), some.data())
def test_no_step_is_lost_or_shown_twice(parents: list[int | None], budget: int, data: some.DataObject) -> None:
    """Shown and folded steps add up to all, whatever parents and tries say: missing ones, circles, several roots."""
    size = len(parents)
    index = some.integers(0, max(0, size - 1))
    first = data.draw(some.dictionaries(index, index)) if size else {}
    first = {later: early for later, early in first.items() if early < later and early not in first}
    failed, wanted, opened = (data.draw(some.lists(index, max_size=4)) if size else [] for _ in range(3))
    matches = data.draw(some.sets(index)) if size else set()
    folded = fold(
        outline(parents, set(failed), first),
        dict.fromkeys(opened, 3),
        wanted,
        set(opened),
        matches=sorted(matches),
        budget=budget,
    )
    assert accounted(folded) == folded.total == size
    shown = [line.step for line in folded.lines if line.step is not None]
    shown += [index for line in folded.lines if not line.is_open for index in line.tries]
    assert len(shown) == len(set(shown)) == folded.shown
    assert folded.hidden_matches == len(matches - set(shown))
    assert sum(line.matches for line in folded.lines) <= len(matches)
    if budget > 60:
        assert set(wanted) <= set(shown)
    assert set(folded.stands_for.values()) <= set(shown)


def test_everything_is_shown_where_it_fits() -> None:
    """Within the budget nothing folds."""
    folded = fold(wide(99))
    assert folded.shown == folded.total == 100
    assert [line.depth for line in folded.lines] == [0] + [1] * 99


def test_a_thousand_way_fan_out_folds_into_one_line() -> None:
    """The first children show, one line stands for the rest and counts its failures."""
    folded = fold(wide(1000))
    assert len(folded.lines) == 1 + FIRST_CHILDREN + 1
    assert folded.lines[-1].folded == 1000 - FIRST_CHILDREN


def test_trouble_is_shown_wherever_it_lies() -> None:
    """A failed step deep in a wide fan-out is on screen."""
    assert 777 in [line.step for line in fold(wide(1000, {777})).lines]


def test_the_selected_step_is_shown_with_all_above_it() -> None:
    """A link to any span opens a tree that holds it."""
    shown = {line.step for line in fold(outline([None, *([0] * 499), 499, 500]), wanted=[501]).lines}
    assert {0, 499, 500, 501} <= shown


def test_an_opened_fold_shows_more() -> None:
    """Opening brings exactly what was asked for."""
    before, after = fold(wide(1000)), fold(wide(1000), {0: 300})
    assert after.shown == before.shown + 300
    assert fold(outline([None] * 1000), {TOP: 300}).shown == FIRST_CHILDREN + 300


def test_tries_of_one_operation_stand_on_one_line() -> None:
    """Three tries are one line that draws them all; opened, a line each below it."""
    tried = outline([None, 0, 0, 0, 0], {1, 2}, {2: 1, 3: 1})
    closed = fold(tried)
    assert [(line.step, line.tries) for line in closed.lines] == [(0, ()), (None, (1, 2, 3)), (4, ())]
    assert closed.shown == closed.total == 5
    opened = fold(tried, opened_tries={2})
    assert [(line.depth, line.step) for line in opened.lines] == [(0, 0), (1, None), (2, 1), (2, 2), (2, 3), (1, 4)]


def test_below_an_operation_stands_what_its_last_try_did() -> None:
    """Steps of earlier tries are counted, and seen once it opens or one of them is asked for."""
    tried = outline([None, 0, 1, 0, 3], {1}, {3: 1})
    closed = fold(tried, beside=[2])
    assert [(line.depth, line.step, line.tries, line.inside) for line in closed.lines] == [
        (0, 0, (), 0),
        (1, None, (1, 3), 1),
        (2, 4, (), 0),
    ]
    assert closed.stands_for == {2: 1}
    for opened in (fold(tried, opened_tries={1}), fold(tried, wanted=[2])):
        assert [line.step for line in opened.lines] == [0, None, 1, 2, 3, 4]


def test_a_fold_says_how_many_matches_it_hides() -> None:
    """What a search found below a fold is counted on its line, and over all."""
    folded = fold(wide(1000), matches=[1, 500, 600, 700])
    assert [line.matches for line in folded.lines] == [0, 1, 0, 0, 0, 0, 3]
    assert folded.hidden_matches == 3


def test_a_thousand_tries_are_drawn_as_the_first_and_the_last() -> None:
    """A storm within one operation is one line with a count."""
    line = fold(outline([None] * 1000, first=dict.fromkeys(range(1, 1000), 0))).lines[0]
    assert (line.tried, len(line.tries), line.tries[0], line.tries[-1]) == (1000, DRAWN_TRIES, 0, 999)


def test_parents_follow_from_depths() -> None:
    """Reading order and depth say the tree."""
    assert parents_by_depth(np.array([1, 2, 3, 3, 2, 1, 2])).tolist() == [TOP, 0, 1, 1, 0, TOP, 5]


def test_a_chain_of_ten_thousand_does_not_recurse() -> None:
    """Depth costs no stack."""
    folded = fold(outline([None, *range(9_999)]))
    assert accounted(folded) == 10_000
    assert folded.shown <= 301


def test_a_million_steps_fold_in_seconds() -> None:
    """A fan-out of a thousand by a thousand; generous, as others use the machine."""
    parents = np.concatenate([[TOP], np.zeros(1000, int), np.repeat(np.arange(1, 1001), 999)])
    size = len(parents)
    began = time.perf_counter()
    folded = fold(Outline(parents, np.zeros(size, bool), np.zeros(size, bool), np.arange(size)))
    assert time.perf_counter() - began < 5
    assert accounted(folded) == size
