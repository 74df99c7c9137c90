"""Thresholds and what a window holds against them. Values in, verdicts out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from dashboard import words as said
from dashboard.analytics import storms
from dashboard.analytics.reliability import Estimate
from dashboard.analytics.reliability.bands import FEWEST_RUNS
from dashboard.reports import words
from dashboard.reports.figures import Figures
from dashboard.reports.movements import Drifts, blind, counted_once
from schemas.checks import Check

Mode = Literal["confident", "strict", "point"]
MS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is asked for; None (or False) is not asked."""

    min_reliability: float | None = None
    min_observed: float | None = None
    max_amplification: float | None = None
    max_silent: float | None = None
    max_p95_ms: float | None = None
    no_storms: bool = False
    no_drift: bool = False
    allow_empty: bool = False

    @property
    def asks_nothing(self) -> bool:
        """Whether no threshold is given at all."""
        limits = (self.min_reliability, self.min_observed, self.max_amplification, self.max_silent, self.max_p95_ms)
        return all(limit is None for limit in limits) and not (self.no_storms or self.no_drift)


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its band, as a threshold meets it."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def judge(
    of: Figures, stormy: Sequence[storms.Episode], moved: Drifts | None, asked: Thresholds, mode: Mode
) -> Iterator[Check]:
    """One check a threshold that is asked for.

    Args:
        moved: None where drift is not asked for.
    """
    if of.outcomes.finished == 0:
        reason = "no run has finished in this window" + ("" if asked.allow_empty else ": nothing could be checked")
        yield Check(metric="runs", ok=asked.allow_empty, limit=1, value=0, low=None, high=None, n=0, reason=reason)
        return
    if asked.min_reliability is not None:
        yield at_least("reliability", _share(of.compounded), asked.min_reliability, mode)
    if asked.min_observed is not None:
        yield at_least("observed", _share(of.observed), asked.min_observed, mode)
    if asked.max_silent is not None:
        yield at_most("silent", _share(of.silent), asked.max_silent, mode)
    if asked.max_amplification is not None:
        a = of.amplification
        found = Measured(a.value, a.low, a.high, a.operations) if a else Measured(None, None, None, 0)
        yield at_most("amplification", found, asked.max_amplification, mode)
    if asked.max_p95_ms is not None:
        value, low, high = (None if ns is None else ns / MS for ns in of.p95[:3])
        yield at_most("p95_ms", Measured(value, low, high, of.p95.n), asked.max_p95_ms, mode)
    if asked.no_storms:
        yield _no_storms(stormy, of)
    if moved is not None:
        yield _no_drift(moved, of, mode)


def at_least(metric: Literal["reliability", "observed"], found: Measured, limit: float, mode: Mode) -> Check:
    """A figure that must not be lower."""
    good, bad = found.high, found.low
    ok = {
        "confident": good is None or good >= limit,
        "strict": bad is not None and bad >= limit,
        "point": found.value is not None and found.value >= limit,
    }[mode]
    return _check(metric, found, limit, ok, mode)


def at_most(metric: Literal["silent", "amplification", "p95_ms"], found: Measured, limit: float, mode: Mode) -> Check:
    """A figure that must not be higher."""
    good, bad = found.low, found.high
    ok = {
        "confident": good is None or good <= limit,
        "strict": bad is not None and bad <= limit,
        "point": found.value is None or found.value <= limit,
    }[mode]
    return _check(metric, found, limit, ok, mode)


def _check(
    metric: Literal["reliability", "observed", "silent", "amplification", "p95_ms"],
    found: Measured,
    limit: float,
    ok: bool,
    mode: Mode,
) -> Check:
    side = "at least" if metric in ("reliability", "observed") else "at most"
    show = {"amplification": lambda x: f"× {x:.2f}", "p95_ms": words.milliseconds}.get(metric, words.percent)
    wanted = {"amplification": words.factor_limit, "p95_ms": words.length_limit}.get(metric, words.share_limit)(limit)
    band = f"[{'?' if found.low is None else show(found.low)}, {'?' if found.high is None else show(found.high)}]"
    few = words.FEWEST_FOR_P95 if metric == "p95_ms" else FEWEST_RUNS
    unit = "operation" if metric == "amplification" else "run"
    value = "–" if found.value is None else show(found.value)
    seen = f"{value} {band} of {said.plural(found.n, unit)}, {side} {wanted} wanted"
    if found.n < few:
        seen += f"; under {few} {unit}s the band decides, however wide" if mode != "point" else f"; under {few} {unit}s"
    how = {
        ("confident", True): "",
        ("confident", False): ": even the good end of the band breaks it",
        ("strict", True): "",
        ("strict", False): ": the bad end of the band breaks it",
        ("point", True): "",
        ("point", False): ": the value breaks it",
    }[mode, ok]
    return Check(
        metric=metric,
        ok=ok,
        limit=limit,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        reason=seen + how,
    )


def _no_storms(stormy: Sequence[storms.Episode], of: Figures) -> Check:
    worst = max((episode.peak_amplification for episode in stormy), default=0.0)
    many = counted_once(stormy)
    reason = f"{said.plural(many, 'retry storm')}, the worst × {worst:.2f}" if stormy else "no retry storm"
    return Check(
        metric="storms",
        ok=not stormy,
        limit=None,
        value=many,
        low=None,
        high=None,
        n=of.amplification.operations if of.amplification else 0,
        reason=reason,
    )


def _no_drift(moved: Drifts, of: Figures, mode: Mode) -> Check:
    """Falls of E and of steps in the window or standing in it; only certain ones count, but in strict and by point."""
    counts = ("change point",) if mode == "confident" else ("change point", "possible")
    falls = [
        change
        for examined in (moved.observed, *moved.steps)
        for change in examined.changes
        if change.change < 0 and change.verdict in counts
    ]
    if falls:
        reason = f"{said.plural(len(falls), 'fall')} of reliability, the first on {min(c.at for c in falls)}"
    elif moved.observed.reason == "tested":
        reason = "no fall of reliability"
    else:
        reason = f"no verdict: {blind(moved.observed)}"
    return Check(
        metric="drift",
        ok=not falls,
        limit=None,
        value=len(falls),
        low=None,
        high=None,
        n=of.outcomes.finished,
        reason=reason,
    )


def _share(of: Estimate) -> Measured:
    return Measured(of.value, of.low, of.high, of.n) if of.n else Measured(None, None, None, 0)
