"""How series and their change points are written, in a word or two."""

from datetime import date
from typing import Final

from dashboard import words
from dashboard.analytics import drift
from dashboard.analytics.drift import ChangePoint, Examined, Level

SAID: Final = {
    "success": "Runs that got through, E",
    "reliability": "Reliability",
    "p95": "p95 latency",
    "amplification": "Attempts an operation",
}
SHORT: Final = {"success": "E "}
STATUS: Final = {"change point": "change point", "possible": "possible", "one day": "one bad day so far"}
BLIND: Final = {
    "too few days": "not enough days",
    "too little traffic": "not enough traffic",
    "tested": "nothing",
}


def said(day: date) -> str:
    """A day as one writes it."""
    return day.strftime("%d %b").lstrip("0")


def dated(change: ChangePoint) -> list[str]:
    """The day of a change, and the range of days it may have been."""
    if change.earliest == change.latest:
        return [said(change.at)]
    return [said(change.at), f"{said(change.earliest)} – {said(change.latest)}"]


def figure(kind: str, value: float) -> str:
    """A value of a series with its unit."""
    if kind == "p95":
        return words.duration(round(value))
    return f"×{value:.3f}" if kind == "amplification" else f"{100 * value:.1f} %"


def moved(kind: str, change: ChangePoint) -> str:
    """By how much a series moved."""
    if kind in ("success", "reliability"):
        return f"{words.signed(100 * change.change)} pts"
    return f"{words.signed(100 * change.change / change.before.value, 0)} %" if change.before.value else words.NOT_KNOWN


def band(kind: str, level: Level) -> str:
    """The band of a level, short."""
    if kind in ("success", "reliability"):
        return f"[{100 * level.low:.1f}, {100 * level.high:.1f}]"
    return f"[{figure(kind, level.low)}, {figure(kind, level.high)}]"


def status(examined: Examined) -> str:
    """What a series showed, in a word or two."""
    if examined.main is not None:
        return STATUS[examined.main.verdict]
    if examined.p_value is not None and examined.p_value <= drift.POSSIBLE:
        return "not certain"
    return BLIND[examined.reason]


def probability(p: float | None) -> str | None:
    """A p-value as it is read."""
    return None if p is None else "< .0001" if p < 0.0001 else f"{p:.4f}"[1:] if p < 1 else "1"
