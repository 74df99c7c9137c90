"""Figures set against the window before: what counts as better or worse."""

from collections import Counter

from dashboard.analytics.amplification import amplified
from dashboard.analytics.quantiles import quantile
from dashboard.analytics.reliability import share
from dashboard.components.estimates import amplification_figure, figure, p95_figure, standing


def tone(now: tuple[int, int], before: tuple[int, int]) -> tuple[str | None, str]:
    shown = figure("e", "E", share(*now, "none"), share(*before, "none"), "")
    return shown.change, shown.tone


def test_a_share_is_better_or_worse_where_two_bands_say_so() -> None:
    """An old figure that is itself uncertain must differ by more than both bands explain, as in the report."""
    assert tone((900, 1000), (33, 40)) == ("+7.5 pts", "same")  # 82.5 % lies below [88.0, 91.7], and knows little
    assert tone((900, 1000), (800, 1000)) == ("+10.0 pts", "better")
    assert tone((800, 1000), (900, 1000)) == ("−10.0 pts", "worse")
    assert tone((900, 1000), (2, 2)) == (None, "same")


def test_the_worst_is_not_what_is_known_least() -> None:
    """Of few runs the good end of the band is compared; what nothing is known of comes last."""
    counted = {"one of one fails": (0, 1), "a fifth fails": (785, 1000), "five of five fail": (0, 5), "none": (0, 0)}
    order = sorted(counted, key=lambda name: standing(share(*counted[name], "none")))
    assert order == ["five of five fail", "a fifth fails", "one of one fails", "none"]


def test_amplification_is_set_against_enough_operations_of_the_window_before() -> None:
    """Two operations before are nothing to compare with; nor is a difference that chance explains a worsening."""
    now, few = amplified({1: 900, 2: 100}), amplified({1: 2})
    shown = amplification_figure(now, few)
    assert (shown.change, shown.tone) == (None, "same")
    shown = amplification_figure(now, amplified({1: 38, 2: 2}))
    assert (shown.change, shown.tone) == ("×1.050 before", "same")
    shown = amplification_figure(now, amplified({1: 980, 2: 20}))
    assert (shown.change, shown.tone) == ("×1.020 before", "worse")


def test_p95_is_worse_where_the_difference_is_more_than_chance() -> None:
    """Its band, the other one's and the width of a bucket are all taken into account."""

    def sample(at: int, n: int) -> Counter[int]:
        return Counter({at + i: n // 40 for i in range(40)})

    now = quantile(sample(240, 4_000), 0.95)
    assert p95_figure(now, quantile(sample(239, 4_000), 0.95)).tone == "same"
    assert p95_figure(now, quantile(sample(238, 80), 0.95)).tone == "same"
    assert p95_figure(now, quantile(sample(232, 4_000), 0.95)).tone == "worse"
    assert p95_figure(now, quantile(sample(248, 4_000), 0.95)).tone == "better"
