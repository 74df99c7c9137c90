"""Which part of a window a page of runs is read from."""

from bisect import bisect_left, bisect_right

import numpy as np
import pytest

from dashboard.analytics.reach import reach

BUCKET = 60


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_page_is_whole_and_little_more_is_read(seed: int, newer: bool) -> None:
    """The runs next to a moment are those of the whole window; the part ends in the bucket where they are enough."""
    dice = np.random.default_rng(seed)
    since, until, least = 130, 3_111, int(dice.integers(1, 40))
    starts = sorted(dice.integers(since, until, int(dice.integers(0, 200))).tolist())
    counts = [{"bucket_ns": start // BUCKET * BUCKET, "runs": 1} for start in starts]
    for at in (since - 7, since, *dice.integers(since, until, 20).tolist(), until, until + 9):
        first, last = reach(counts, BUCKET, since, until, at_ns=at, newer=newer, least=least)
        assert (since <= first, last <= until) == (True, True)
        if newer:
            wanted = starts[bisect_right(starts, at) :][:least]
            assert [start for start in starts if at < start and first <= start < last][:least] == wanted
            beyond = [start for start in starts if start >= (at // BUCKET + 1) * BUCKET]
        else:
            wanted = starts[: bisect_left(starts, at)][::-1][:least]
            assert [start for start in starts[::-1] if start < at and first <= start < last][:least] == wanted
            beyond = [start for start in starts[::-1] if start < at // BUCKET * BUCKET]
        if len(beyond) >= least and first < last:
            assert (last - beyond[least - 1] if newer else beyond[least - 1] - first) <= BUCKET


def test_without_enough_runs_all_of_one_side_is_read() -> None:
    """A window with too few runs is read to its end."""
    counts = [{"bucket_ns": 0, "runs": 3}]
    assert reach(counts, BUCKET, 0, 600, at_ns=600, newer=False, least=4) == (0, 600)
    assert reach(counts, BUCKET, 0, 600, at_ns=30, newer=True, least=1) == (30, 600)
