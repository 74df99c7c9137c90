"""How soon a fall is found in simulated daily series, and how often a clean one alarms. Writes docs/accuracy.md.

    pip install ruptures river
    python -m tests.benchmarks.drift --write

Beside our test stand PELT (ruptures) and ADWIN (river) on the very same series. Without them their rows say so.
"""

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics import drift
from dashboard.analytics.drift import Shares, Values
from dashboard.analytics.splits import threshold
from tests.benchmarks import harness
from tests.markers import replace_between

Array = NDArray[Any]

RESULTS = Path(__file__).parents[2] / "docs" / "accuracy.md"
SERIES = 300
VALUE_SERIES = 100  # drawing their days and looking at each takes longer
DAYS = 90
LOOKS = (1_300, 1_700, 2_200)
FIRST_LOOK = 14
MONDAY = date(2026, 8, 24)
WEEKEND = np.array([(MONDAY + timedelta(days=place)).weekday() >= 5 for place in range(2 * DAYS)])
MISSING = "not measured: `pip install {}`"

Draw = Callable[[np.random.Generator], tuple[Array, Array]]
"""One series: good and trials of each day."""


def days(count: int) -> list[date]:
    """Days in a row."""
    return [MONDAY + timedelta(days=place) for place in range(count)]


def series(good: Array, trials: Array) -> Shares:
    """Counts as a series."""
    return Shares("E", days(len(good)), good.tolist(), trials.tolist())


# ---- detectors -------------------------------------------------------------------------------------------------------


class Detector(NamedTuple):
    """Something that says whether a series changed."""

    name: str
    needs: str | None
    """The package it comes from; None: ours."""
    alarms: Callable[[Array, Array, int], bool]
    """(good, trials, day): an alarm at a look at the end, or after that day where it watches run by run."""
    every_run: bool = False


def ours(alpha: float) -> Detector:
    """Our test at one level, whatever the verdict on it."""
    return Detector(f"ours, p ≤ {alpha:g}", None, lambda good, trials, _: _p(examined(good, trials)) <= alpha)


def named() -> Detector:
    """What is called a change point, and alerted on: p ≤ .005, and it does not rest on one day."""

    def alarms(good: Array, trials: Array, _: int) -> bool:
        return any(change.verdict == "change point" for change in examined(good, trials).changes)

    return Detector("ours, called a change point", None, alarms)


def examined(good: Array, trials: Array) -> drift.Examined:
    """The series examined, once for all that ask."""
    return _examined(tuple(good.tolist()), tuple(trials.tolist()))


@cache
def _examined(good: tuple[int, ...], trials: tuple[int, ...]) -> drift.Examined:
    return drift.examine(Shares("E", days(len(good)), good, trials))


def _p(one: drift.Examined) -> float:
    return 1.0 if one.p_value is None else one.p_value


def pelt(penalty: float, why: str) -> Detector:
    """PELT with the cost of a normal mean, on daily shares divided by their standard deviation.

    KernelCPD with a linear kernel is ruptures' compiled form of PELT for that cost: the same result, much faster.
    """

    def alarms(good: Array, trials: Array, _: int) -> bool:
        rate = good.sum() / trials.sum()
        standardised = (good / trials - rate) / np.sqrt(rate * (1 - rate) / trials)
        model = import_module("ruptures").KernelCPD(kernel="linear", min_size=2)
        return len(model.fit(standardised).predict(pen=penalty)) > 1

    return Detector(f"PELT, l2, min_size 2, penalty {penalty:.1f} ({why})", "ruptures", alarms)


def adwin(delta: float) -> Detector:
    """ADWIN, fed run by run in random order within a day, else with river's settings."""

    def alarms(good: Array, trials: Array, after: int) -> bool:
        random = np.random.default_rng(int(good.sum()))
        detector = import_module("river.drift").ADWIN(delta=delta)
        for place, (won, all_of) in enumerate(zip(good, trials, strict=True)):
            runs = random.permutation(np.arange(all_of) < won)
            for run in runs.tolist():
                detector.update(run)
                if place >= after and detector.drift_detected:
                    return True
        return False

    return Detector(f"ADWIN, δ {delta:g}, clock 32, every run", "river", alarms, every_run=True)


DETECTORS = (
    ours(drift.POSSIBLE),
    ours(drift.CERTAIN),
    named(),
    pelt(2 * log(DAYS), "BIC"),
    pelt(threshold(drift.POSSIBLE) ** 2, "b.05²"),
    pelt(threshold(drift.CERTAIN) ** 2, "b.005²"),
    adwin(0.002),
)


def is_there(detector: Detector) -> bool:
    """Its package is installed."""
    return detector.needs is None or find_spec(detector.needs) is not None


# ---- series ----------------------------------------------------------------------------------------------------------


def clean(rate: float = 0.83, a_day: int = 400, rhythm: float = 0.0, wander: float = 0.0, growth: float = 1.0) -> Draw:
    """Series without a change of level.

    Args:
        rate, a_day: good share, trials a day.
        rhythm: by how much the share is lower at weekends.
        wander: standard deviation of the share from day to day.
        growth: traffic of the last day over that of the first.
    """

    def draw(random: np.random.Generator) -> tuple[Array, Array]:
        rates = rate - rhythm * WEEKEND[:DAYS] + random.normal(0, wander, DAYS)
        trials = np.maximum(random.poisson(a_day * growth ** np.linspace(0, 1, DAYS)), 1)
        return random.binomial(trials, np.clip(rates, 0, 1)), trials

    return draw


CLEAN = {
    "even": clean(),
    "weekends 10 points lower": clean(rhythm=0.10),
    "days wander by ±2 points": clean(wander=0.02),
    "40 runs a day": clean(a_day=40),
    ".99 good": clean(rate=0.99),
    "traffic grows tenfold": clean(a_day=40, growth=10),
}


def fallen(random: np.random.Generator, runs: int) -> tuple[Array, Array, int]:
    """Ninety days at 400 runs a day that fell from .83 to .78 so many runs ago, and the day of the fall."""
    full, rest = divmod(runs, 400)
    tail = [400] * full + [rest] * (rest > 0)
    trials = np.array([400] * (DAYS - len(tail)) + tail)
    rates = np.array([0.83] * (DAYS - len(tail)) + [0.78] * len(tail))
    return random.binomial(trials, rates), trials, DAYS - len(tail)


# ---- tables ----------------------------------------------------------------------------------------------------------


def side_by_side() -> str:
    """Found in time, and false alarms, for each detector on the same series."""
    random = np.random.default_rng(42)
    changed = {runs: [fallen(random, runs) for _ in range(SERIES)] for runs in LOOKS}
    even, weekly = ([CLEAN[name](random) for _ in range(SERIES)] for name in ("even", "weekends 10 points lower"))
    rows = []
    for detector in DETECTORS:
        if not is_there(detector):
            rows.append([detector.name, *[MISSING.format(detector.needs)] * 6])
            continue
        found = [np.mean([detector.alarms(*one) for one in changed[runs]]) for runs in LOOKS]
        once = [np.mean([detector.alarms(*one, 0) for one in kind]) for kind in (even, weekly)]
        ever = once[0] if detector.every_run else np.mean([_ever(detector, *one) for one in even])
        rows.append([detector.name, *(f"{share:.1%}" for share in (*found, once[0], ever, once[1]))])
    head = [f"found by {runs:,} runs" for runs in LOOKS]
    head += ["clean: one look", "clean: ever in daily looks", "weekly rhythm: one look"]
    return harness.table(["detector", *head], rows)


def _ever(detector: Detector, good: Array, trials: Array) -> bool:
    return any(detector.alarms(good[:look], trials[:look], 0) for look in range(FIRST_LOOK, DAYS + 1))


def clean_kinds() -> str:
    """False alarms of our test on all kinds of clean series."""
    rows = []
    for name, draw in CLEAN.items():
        random = np.random.default_rng(len(name))
        drawn = [draw(random) for _ in range(SERIES)]
        once = np.mean([ours(drift.POSSIBLE).alarms(*one, 0) for one in drawn])
        ever, called = (np.mean([_ever(one, *two) for two in drawn]) for one in (ours(drift.CERTAIN), named()))
        rows.append([name, f"{once:.1%}", f"{ever:.1%}", f"{called:.1%}"])
    head = ["clean series", "one look, p ≤ .05", "ever in daily looks, p ≤ .005", "ever called a change point"]
    return harness.table(head, rows)


def ranges() -> str:
    """Whether the date's range holds the day, and how wide it is, 30 days after the fall."""
    rows = []
    for a_day in (40, 100, 400, 2_000):
        random = np.random.default_rng(a_day)
        rates = np.array([0.83] * 60 + [0.78] * 30)
        held, width, off = [], [], []
        for _ in range(SERIES):
            examined = drift.examine(series(random.binomial(a_day, rates), np.full(DAYS, a_day)))
            for change in [one for one in examined.changes if one.verdict != "one day"][:1]:
                held.append(change.earliest <= days(61)[60] <= change.latest)
                width.append((change.latest - change.earliest).days / 2)
                off.append(abs((change.at - days(61)[60]).days))
        shares = f"{len(held) / SERIES:.1%}", f"{np.mean(held):.1%}"
        rows.append([f"{a_day:,}", *shares, f"± {np.median(width):g}", f"{np.median(off):g}"])
    head = ["runs a day", "found", "range holds the day", "range, days (median)", "date off by, days (median)"]
    return harness.table(head, rows)


def latencies(random: np.random.Generator, factor: Array, a_day: int) -> Values:
    """Daily p95 through the roll-up's buckets: log-normal times, each day's multiplied by its factor."""
    histograms = {}
    for day, times in zip(days(len(factor)), factor, strict=True):
        nanoseconds = np.exp(random.normal(21, 0.6, a_day)) * times
        buckets, counts = np.unique(np.floor(8 * np.log2(nanoseconds)).astype(int), return_counts=True)
        histograms[day] = dict(zip(buckets.tolist(), counts.tolist(), strict=True))
    return drift.latency_series("p95", histograms)


def amplifications(random: np.random.Generator, failing: Array, a_day: int) -> Values:
    """Daily amplification of operations with up to 3 tries."""
    tries = [int(np.minimum(random.geometric(1 - chance, a_day), 3).sum()) for chance in failing]
    return drift.amplification_series("A", days(len(failing)), tries, [a_day] * len(failing))


def wandering(random: np.random.Generator, count: int, memory: float = 0.0) -> Array:
    """Factors around 1 by which days differ: 5 %, each day remembering so much of the one before."""
    steps = random.normal(0, 0.05 * np.sqrt(1 - memory**2), count)
    logs = np.empty(count)
    logs[0] = random.normal(0, 0.05)
    for place in range(1, count):
        logs[place] = memory * logs[place - 1] + steps[place]
    return np.exp(logs)


def stormy(random: np.random.Generator) -> Array:
    """Failure chances of days, one in fifteen of which sees a storm."""
    return np.where(random.random(DAYS) < 1 / 15, 0.5, 0.05)


VALUES: dict[str, Callable[[np.random.Generator], Values]] = {
    "p95, 300 a day, even": lambda random: latencies(random, np.ones(DAYS), 300),
    "p95, days wander by ±5 %": lambda random: latencies(random, wandering(random, DAYS), 300),
    "p95, and resemble their neighbours by .3": lambda random: latencies(random, wandering(random, DAYS, 0.3), 300),
    "p95, and resemble their neighbours by .6": lambda random: latencies(random, wandering(random, DAYS, 0.6), 300),
    "p95, weekends 30 % faster": lambda random: latencies(random, 1 - 0.3 * WEEKEND[:DAYS], 300),
    "A, 200 a day, 5 % fail": lambda random: amplifications(random, np.full(DAYS, 0.05), 200),
    "A, one day in 15 sees a storm": lambda random: amplifications(random, stormy(random), 200),
}
CHANGED_VALUES: dict[str, Callable[[np.random.Generator, int], Values]] = {
    "p95 gets 20 % slower": lambda random, ago: latencies(random, _risen(1.0, 1.2, ago), 300),
    "p95 gets 50 % slower": lambda random, ago: latencies(random, _risen(1.0, 1.5, ago), 300),
    "A goes from 1.05 to 1.11": lambda random, ago: amplifications(random, _risen(0.05, 0.10, ago), 200),
}


def _risen(before: float, after: float, ago: int) -> Array:
    return np.array([before] * (DAYS - ago) + [after] * ago)


def ranked() -> str:
    """False alarms of the rank test, and how soon it finds a change."""
    rows = []
    for name, draw in VALUES.items():
        random = np.random.default_rng(len(name))
        drawn = [draw(random) for _ in range(VALUE_SERIES)]
        once = np.mean([_rank_p(one) <= drift.POSSIBLE for one in drawn])
        ever = np.mean([_rank_ever(one) for one in drawn])
        rows.append([name, f"{once:.1%}", f"{ever:.1%}"])
    text = harness.table([f"{VALUE_SERIES} clean series", "one look, p ≤ .05", "ever in daily looks, p ≤ .005"], rows)
    rows = []
    for name, draw_changed in CHANGED_VALUES.items():
        random = np.random.default_rng(len(name))
        shares = [
            np.mean([_rank_p(draw_changed(random, ago)) <= drift.CERTAIN for _ in range(100)]) for ago in (5, 7, 10, 14)
        ]
        rows.append([name, *(f"{share:.0%}" for share in shares)])
    head = ["change", *(f"found after {ago} days, p ≤ .005" for ago in (5, 7, 10, 14))]
    return f"{text}\n\n{harness.table(head, rows)}"


def _rank_p(values: Values) -> float:
    return _p(drift.examine(values))


def _rank_ever(values: Values) -> bool:
    looks = range(FIRST_LOOK, len(values.days) + 1)
    return any(_rank_p(Values("", values.days[:look], values.values[:look])) <= drift.CERTAIN for look in looks)


def families() -> str:
    """Steps named in families of twenty, none or one of which fell."""
    random = np.random.default_rng(20)
    false_families = false_steps = named = found = 0
    for _ in range(SERIES // 3):
        quiet = [clean(0.97)(random) for _ in range(19)]
        none = drift.examine_family([series(*one) for one in [*quiet, clean(0.97)(random)]])
        false_families += any(one.changes for one in none)
        rates = np.array([0.97] * 76 + [0.94] * 14)
        one_fell = drift.examine_family(
            [series(*one) for one in quiet] + [series(random.binomial(400, rates), np.full(90, 400))]
        )
        found += bool(one_fell[-1].changes)
        false_steps += sum(bool(one.changes) for one in one_fell[:-1])
        named += sum(bool(one.changes) for one in one_fell)
    total = SERIES // 3
    return harness.table(
        ["families of 20 steps at .97, 400 a day", "measured"],
        [
            ["none fell: some step is named", f"{false_families / total:.1%}"],
            ["one fell to .94 two weeks ago: it is named", f"{found / total:.1%}"],
            ["share of the named steps that did not fall", f"{false_steps / named:.1%}" if named else "–"],
        ],
    )


def speed() -> str:
    """Milliseconds for 100 series."""
    random = np.random.default_rng(1)
    shares = [series(*clean()(random)) for _ in range(100)]
    values = [VALUES["A, 200 a day, 5 % fail"](random) for _ in range(100)]
    best = []
    for family in (shares, values):
        took = []
        for _ in range(5):
            started = time.perf_counter()
            drift.examine_family(family)
            took.append(time.perf_counter() - started)
        best.append(min(took) * 1_000)
    return f"100 series of 90 days take {best[0]:.0f} ms (shares) and {best[1]:.0f} ms (values), on one core."


def main() -> None:
    """Measures and reports."""
    args = harness.options(__doc__).parse_args()
    started = time.perf_counter()
    tools = [f"{name} {version(name)}" for name in ("ruptures", "river") if find_spec(name)]
    text = (
        f"{SERIES} series of each kind, 90 days, 400 runs a day where nothing else is said; *found*: .83 → .78 so many "
        f"runs before the look, which is the last day's. Daily looks: each day from the {FIRST_LOOK}th on. At p ≤ an "
        "alarm counts even where all rests on one day. "
        f"Compared with: {', '.join(tools) or 'nothing, as neither ruptures nor river is installed'}.\n\n"
        f"{side_by_side()}\n\n"
        "ADWIN watches every run, so it has no looks; what it raised on clean series it raised in 90 days. "
        "PELT and ADWIN know no weekdays.\n\n"
    )
    text += "\n\n".join((clean_kinds(), ranges(), ranked(), families(), speed()))
    print(text)  # noqa: T201 - a benchmark's result is its output
    print(f"\n{time.perf_counter() - started:.0f} s")  # noqa: T201
    if args.write:
        replace_between(RESULTS, "drift", text)


if __name__ == "__main__":
    main()
