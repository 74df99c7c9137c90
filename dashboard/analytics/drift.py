"""When a daily series changed: change points with p-values, ranges and levels, and what this traffic can see at all.

`examine` judges one series (end-to-end success of a workflow), `examine_family` many of a kind (its steps) with a bound
on false discoveries. A series is `Shares` (good of trials, daily) or `Values` (one number a day: p95, amplification).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, inf, sqrt
from typing import Final, Literal, NamedTuple

import numpy as np

from dashboard.analytics.splits import Ints, Splits, splits_of_shares, splits_of_values, threshold

POSSIBLE: Final = 0.05  # one look at a clean series says "possible" this often
CERTAIN: Final = 0.005  # under 3 % of clean series are ever called changed, looked at daily (docs/accuracy.md)
FALSE_DISCOVERIES: Final = 0.01  # share of false ones among the steps that are named
MOST_DAYS: Final = 90
LEAST_DAYS: Final = 14  # weekends are compared with weekends from here on; before, there is no verdict
WEEKDAY_DAYS: Final = 28  # each weekday with its own from here on
LEAST_A_DAY: Final = 20  # observations that make a day's p95 or amplification a number
RANGE_DROP: Final = 7.352  # of Z² below its best within the 95 % range: −2 ln(1 − √.95), Hansen (2000)
POWER_Z: Final = 0.84  # 80 %
NEAR: Final = timedelta(days=1)
NEW_DAYS: Final = 14  # a fall that is older is how things are, and no news

Verdict = Literal["change point", "possible", "one day"]
Reason = Literal["tested", "too few days", "too little traffic"]


class Version(NamedTuple):
    """Something that was first seen or posted on a day: a deploy, a model, a prompt, a tool."""

    day: date
    kind: str
    name: str


class Level(NamedTuple):
    """What a series held over a stretch of days, with a 95 % band; for `Values` the median of the days."""

    value: float
    low: float
    high: float
    days: int
    trials: int


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A day from which a series stood at another level."""

    at: date
    """First day of the new level."""
    earliest: date
    latest: date
    """The 95 % range of that day."""
    before: Level
    after: Level
    """Up to the change points beside it."""
    z: float
    p_value: float
    verdict: Verdict
    """"one day": without its worst day nothing is left: one bad day so far. `at` is that day, `after` what it held."""
    versions: tuple[Version, ...] = ()
    """What changed in its range or the day before, nearest first."""

    @property
    def change(self) -> float:
        """The level after less the level before."""
        return self.after.value - self.before.value


@dataclass(frozen=True, slots=True)
class Shares:
    """Good of trials, daily, in order of days; days without trials are absent or 0."""

    name: str
    days: Sequence[date]
    good: Sequence[int]
    trials: Sequence[int]

    def kept(self) -> "Shares":
        """The last `MOST_DAYS` days, those with trials."""
        rows = [row for row in zip(self.days, self.good, self.trials, strict=True) if row[2] > 0]
        since = rows[-1][0] - timedelta(days=MOST_DAYS) if rows else date.min
        rows = [row for row in rows if row[0] > since]
        return Shares(self.name, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])

    def splits(self, chosen: Ints, strata: Ints) -> Splits:
        """The test of all splits of some of its days."""
        return splits_of_shares(np.asarray(self.good)[chosen], np.asarray(self.trials)[chosen], strata)

    def level(self, chosen: Ints, overdispersion: float) -> Level:
        """The share over some of its days; overdispersion widens the band."""
        trials = int(np.asarray(self.trials)[chosen].sum())
        share = int(np.asarray(self.good)[chosen].sum()) / trials
        return Level(share, *_wilson(share, trials / overdispersion), len(chosen), trials)


@dataclass(frozen=True, slots=True)
class Values:
    """One number a day, in order of days; a day without one (too few observations) is absent."""

    name: str
    days: Sequence[date]
    values: Sequence[float]

    def kept(self) -> "Values":
        """The last `MOST_DAYS` days."""
        since = self.days[-1] - timedelta(days=MOST_DAYS) if self.days else date.min
        rows = [row for row in zip(self.days, self.values, strict=True) if row[0] > since]
        return Values(self.name, [row[0] for row in rows], [row[1] for row in rows])

    def splits(self, chosen: Ints, strata: Ints) -> Splits:
        """The test of all splits of some of its days."""
        return splits_of_values(np.asarray(self.values, np.float64)[chosen], strata)

    def level(self, chosen: Ints, overdispersion: float) -> Level:
        """The median of some of its days, with the band that order statistics give (all of them below 6 days)."""
        values = sorted(float(self.values[index]) for index in chosen)
        days = len(values)
        out = max(0, int((days - 1.96 * sqrt(days)) / 2)) if days > 5 else 0
        return Level(float(np.median(values)), values[out], values[days - 1 - out], days, days)


Series = Shares | Values


@dataclass(frozen=True, slots=True)
class Examined:
    """What a series showed."""

    name: str
    reason: Reason
    p_value: float | None
    """That of its clearest split; None where nothing could be tested."""
    changes: tuple[ChangePoint, ...]
    """In order of days."""
    level: Level | None
    """Since the last change point; None for a series without days."""
    trials_a_day: float
    overdispersion: float

    @property
    def main(self) -> ChangePoint | None:
        """The last change that is certain and lasts; where there is none the last of any kind."""
        certain = [change for change in self.changes if change.verdict == "change point"]
        return (certain or self.changes or (None,))[-1]

    def standing_fall(self, last: date) -> ChangePoint | None:
        """The newest lasting change up to a day, if it is a fall and news on that day; None otherwise."""
        lasting = [change for change in self.changes if change.verdict != "one day" and change.at <= last]
        newest = lasting[-1] if lasting else None
        if newest is None or newest.change >= 0 or last - newest.at > timedelta(days=NEW_DAYS):
            return None
        return newest

    def days_to_see(self, fall: float, alpha: float = CERTAIN) -> float:
        """Days until a fall by so much of a share is found in 4 of 5 cases, at this traffic."""
        if self.level is None:
            return inf
        return days_to_see(fall, self.level.value, self.trials_a_day, alpha, self.overdispersion)

    def fall_seen(self, days: float, alpha: float = CERTAIN) -> float | None:
        """The smallest fall of a share found within so many days in 4 of 5 cases; None: none is, at this traffic."""
        if self.level is None:
            return None
        return fall_seen(days, self.level.value, self.trials_a_day, alpha, self.overdispersion)


def examine(
    series: Series, versions: Sequence[Version] = (), possible: float = POSSIBLE, certain: float = CERTAIN
) -> Examined:
    """The change points of one series that is looked at for its own sake."""
    return _examined(series.kept(), versions, possible, certain)


def examine_family(
    series: Sequence[Series], versions: Sequence[Version] = (), false_discoveries: float = FALSE_DISCOVERIES
) -> list[Examined]:
    """The change points of many series of a kind, in the given order; at most this share of the series named is false.

    Benjamini–Hochberg over the p-values of the series; the level it gives decides on further splits, too.
    """
    kept = [one.kept() for one in series]
    tests = [_test(one, np.arange(len(one.days))) for one in kept]
    level = accepted_level([p for test in tests if test and (p := test.p_value()) is not None], false_discoveries)
    return [_examined(one, versions, level, level, test) for one, test in zip(kept, tests, strict=True)]


def accepted_level(p_values: Iterable[float], false_discoveries: float) -> float:
    """The largest level k·q/m that k of m p-values keep (Benjamini–Hochberg); 0 where none does."""
    ordered = sorted(p_values)
    levels = [(rank + 1) * false_discoveries / len(ordered) for rank in range(len(ordered))]
    return max((level for p, level in zip(ordered, levels, strict=True) if p <= level), default=0.0)


def days_to_see(
    fall: float, share: float, trials_a_day: float, alpha: float = CERTAIN, overdispersion: float = 1
) -> float:
    """Days until a fall of a share is found in 4 of 5 cases: its trials, and the day that is under way."""
    if trials_a_day <= 0 or fall <= 0:
        return inf
    trials = ((threshold(alpha) + POWER_Z) / fall) ** 2 * share * (1 - share) * overdispersion
    return trials / trials_a_day + 1


def fall_seen(
    days: float, share: float, trials_a_day: float, alpha: float = CERTAIN, overdispersion: float = 1
) -> float | None:
    """The smallest fall of a share that is found within so many days in 4 of 5 cases; None where even 0 is missed."""
    trials = trials_a_day * (days - 1)
    if trials <= 0:
        return None
    fall = (threshold(alpha) + POWER_Z) * sqrt(share * (1 - share) * overdispersion / trials)
    return fall if fall <= share else None


def quantile_of(histogram: Mapping[int, int], p: float = 0.95) -> float:
    """A quantile in ns from counts by `octave_8`: the observation of rank ⌈pn⌉, placed evenly within its bucket.

    The place within the bucket matters to a rank test: middles alone would tie most days with each other.
    """
    rank = ceil(p * sum(histogram.values()))
    for octave_8, count in sorted(histogram.items()):
        if rank <= count:
            return float(2 ** ((octave_8 + (rank - 0.5) / count) / 8))
        rank -= count
    raise ValueError("a histogram without observations has no quantile")


def latency_series(name: str, histograms: Mapping[date, Mapping[int, int]], p: float = 0.95) -> Values:
    """A quantile a day, of the days with at least `LEAST_A_DAY` observations."""
    enough = [day for day in sorted(histograms) if sum(histograms[day].values()) >= LEAST_A_DAY]
    return Values(name, enough, [quantile_of(histograms[day], p) for day in enough])


def amplification_series(name: str, days: Sequence[date], attempts: Sequence[int], operations: Sequence[int]) -> Values:
    """Attempts an operation of each day with at least `LEAST_A_DAY` operations."""
    rows = [row for row in zip(days, attempts, operations, strict=True) if row[2] >= LEAST_A_DAY]
    return Values(name, [day for day, _, _ in rows], [tries / asked for _, tries, asked in rows])


# ---- one series ------------------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """A split of a segment that passed."""

    at: int
    earliest: int
    latest: int
    z: float
    p_value: float
    odd_day: int | None
    """The day without which nothing is left."""


def _examined(
    series: Series, versions: Sequence[Version], possible: float, certain: float, test: Splits | None = None
) -> Examined:
    days = len(series.days)
    everything = np.arange(days)
    test = test or _test(series, everything)
    p_value = test.p_value() if test else None
    phi = test.overdispersion if test else 1.0
    found = sorted(_search(series, 0, days, possible, test)) if p_value is not None and p_value <= possible else []
    bounds = [0, *(one.at for one in found if one.odd_day is None), days]
    changes = [_change(series, one, bounds, phi, certain, versions) for one in found]
    reason: Reason = "too few days" if test is None else "too little traffic" if p_value is None else "tested"
    recent = everything[bounds[-2] :]
    level = series.level(recent, phi) if days else None
    trials_a_day = 0.0
    if days:
        last = recent[-WEEKDAY_DAYS:]
        span = (series.days[-1] - series.days[int(last[0])]).days + 1
        trials_a_day = series.level(last, phi).trials / span
    changes.sort(key=lambda change: change.at)
    return Examined(series.name, reason, p_value, tuple(changes), level, trials_a_day, phi)


def _test(series: Series, chosen: Ints) -> Splits | None:
    """The test of some days; None below `LEAST_DAYS`."""
    if len(chosen) < LEAST_DAYS:
        return None
    weekdays = np.array([series.days[index].weekday() for index in chosen])
    strata = weekdays if len(chosen) >= WEEKDAY_DAYS else weekdays >= 5
    return series.splits(chosen, np.unique(strata, return_inverse=True)[1].astype(np.int64))


def _search(series: Series, low: int, high: int, alpha: float, test: Splits | None) -> list[_Found]:
    """Binary segmentation of the days from `low` up to `high`."""
    if test is None or (p_value := test.p_value()) is None or p_value > alpha:
        return []
    best = test.best()
    assert best is not None
    z = float(test.z[best])
    within = np.flatnonzero(test.allowed & (test.z * np.sign(z) > 0) & (z * z - test.z**2 <= RANGE_DROP))
    pull = test.scores * np.sign(z) * np.where(np.arange(high - low) > best, 1, -1)
    odd = int(np.argmax(pull))
    rest = _test(series, np.delete(np.arange(low, high), odd))
    rest_p = rest.p_value() if rest else None
    if rest_p is None or rest_p > alpha:
        return [_Found(low + odd, low + odd, low + odd, z, p_value, low + odd)]
    at = low + best + 1
    found = _Found(at, low + int(within[0]) + 1, low + int(within[-1]) + 1, z, p_value, None)
    left = _search(series, low, at, alpha, _test(series, np.arange(low, at)))
    right = _search(series, at, high, alpha, _test(series, np.arange(at, high)))
    return [*left, found, *right]


def _change(
    series: Series, found: _Found, bounds: Sequence[int], phi: float, certain: float, versions: Sequence[Version]
) -> ChangePoint:
    at, earliest, latest = (series.days[index] for index in (found.at, found.earliest, found.latest))
    if found.odd_day is not None:
        start = max(bound for bound in bounds if bound <= found.at)
        end = min(bound for bound in bounds if bound > found.at)
        before, after = np.delete(np.arange(start, end), found.at - start), np.arange(found.at, found.at + 1)
        verdict: Verdict = "one day"
    else:
        place = bounds.index(found.at)
        before, after = np.arange(bounds[place - 1], found.at), np.arange(found.at, bounds[place + 1])
        verdict = "change point" if found.p_value <= certain else "possible"
    near = sorted((one for one in versions if earliest - NEAR <= one.day <= latest), key=lambda v: (abs(v.day - at), v))
    levels = series.level(before, phi), series.level(after, phi)
    return ChangePoint(at, earliest, latest, *levels, found.z, found.p_value, verdict, tuple(near))


def _wilson(share: float, trials: float) -> tuple[float, float]:
    z2 = 1.959963984540054**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials * trials))) / (1 + z2 / trials)
    # At the ends the formula gives 0 and 1 but for rounding.
    return 0.0 if share == 0 else centre - half, 1.0 if share == 1 else centre + half
