"""What a workflow delivers, in one sentence: the figure with its band, since when it changed, and what changed it."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from dashboard import words
from dashboard.analytics.attribution import AT_START, Attribution, Part
from dashboard.analytics.findings import Finding
from dashboard.analytics.proportions import Band, difference
from dashboard.analytics.reliability import Estimate

STEPS: Final = {"tool": "tool", "llm": "model call", "retrieval": "look-up", "agent": "agent"}
A_CAUSE: Final = 0.25  # of a change; below this no single cause is worth its name alone
ALL_OF_IT: Final = 0.995
STILL: Final = 0.0005  # a change that one digit does not show


class Change(NamedTuple):
    """A change point of what a workflow delivers."""

    at_ns: int
    ratio: float
    """After minus before, of 1."""
    attribution: Attribution | None = None
    version: str | None = None
    """The version that was first seen near it."""


def delivers(
    workflow: str,
    now: Estimate,
    change: Change | None,
    zone: tzinfo,
    now_ns: int,
    *,
    steady_ns: int | None = None,
    before: Estimate | None = None,
) -> Finding:
    """The sentence that a page opens with.

    Args:
        now: the compounded reliability of the window.
        change: the latest change point, where there is one.
        steady_ns: since when there was none, where history is long enough to tell.
        before: the compounded reliability of the window before; told where chance does not explain the difference.
    """
    if now.value is None:
        return Finding(("", workflow, f": {now.reason}."), alarming=False)
    if now.shown == "band":
        runs = words.plural(now.n, "run")
        said = f" delivers between {100 * now.low:.1f} and {100 * now.high:.1f} %: {runs}, too few for one figure."
        return Finding(("", workflow, said), alarming=False)
    said = f" delivers {100 * now.value:.1f} % [{100 * now.low:.1f}, {100 * now.high:.1f}]"
    if change is None or abs(change.ratio) < STILL:
        since = f" since {words.lately(steady_ns, zone, now_ns)}" if steady_ns is not None else ""
        if before is None or not other(now, before):
            return Finding(("", workflow, f"{said}{', as usual' if since else ''}{since}."), alarming=False)
        points = 100 * (now.value - (before.value or 0.0))
        said += f", {abs(points):.1f} points {'less' if points < 0 else 'more'} than in the window before"
        lasting = f"; no lasting change{since}" if since else ""
        return Finding(("", workflow, f"{said}{lasting}."), alarming=False)
    way = "down" if change.ratio < 0 else "up"
    said += f", {way} {_points(change):.1f} points since {words.lately(change.at_ns, zone, now_ns)}"
    return Finding(("", workflow, *_because(said, change)), alarming=change.ratio < 0)


def other(now: Estimate, before: Estimate) -> bool:
    """Whether two figures with enough runs differ by more than chance explains."""
    if now.value is None or before.value is None or "band" in (now.shown, before.shown):
        return False
    moved = difference(before.value, Band(before.low, before.high), now.value, Band(now.low, now.high))
    return not moved.low <= 0 <= moved.high


def _points(change: Change) -> float:
    """By how much R moved, as the figures beside it are read; what users got, where R did not go that way."""
    found = change.attribution
    if found is None or found.points * change.ratio <= 0:
        return 100 * abs(change.ratio)
    return abs(round(1000 * found.after) - round(1000 * found.before)) / 10


def _because(said: str, change: Change) -> tuple[str, ...]:
    """The rest of the sentence, from its words so far: the largest cause, and the version it came with."""
    found = change.attribution
    causes = [part for part in found.parts if part.points * change.ratio > 0] if found else []
    of_all = causes[0].points / found.points if found and causes and found.points * change.ratio > 0 else 0.0
    came = (", first seen in ", change.version, ".") if change.version else (".",)
    if not of_all:
        return (said + came[0], *came[1:])
    what = "drop" if change.ratio < 0 else "rise"
    if of_all >= ALL_OF_IT:
        said += f" — all of the {what} is "
    elif of_all >= A_CAUSE:
        said += f" — {100 * of_all:.0f} % of the {what} is "
    else:
        said += f" — no single cause; the largest, {100 * of_all:.0f} % of the {what}, is "
    ours, *theirs = _cause(causes[0])
    if theirs:
        return (said + ours, *theirs, *came)
    return (said + ours + came[0], *came[1:])


def _cause(part: Part) -> tuple[str, ...]:
    """A part of the change in our words, then its step."""
    if part.kind == "reliability":
        return (f"{STEPS.get(part.step_kind, 'step')} ", part.step)
    if part.step == AT_START:
        return ("a step added or removed at the start" if part.kind == "path" else "where runs begin",)
    return ("a step added or removed after " if part.kind == "path" else "where runs go after ", part.step)


def in_tenths(before: float, after: float, points: Sequence[float]) -> tuple[float, float, list[float]]:
    """Two shares in percent and the points between them, to one digit, so that they add up as they are read.

    The points that lose most to rounding give or take the last digit.
    """
    first, last = round(1000 * before), round(1000 * after)
    exact = [10 * point for point in points]
    rounded = [round(each) for each in exact]
    left = last - first - sum(rounded)
    order = sorted(range(len(exact)), key=lambda index: (rounded[index] - exact[index]) * (1 if left > 0 else -1))
    for index in order[: abs(left)]:
        rounded[index] += 1 if left > 0 else -1
    return first / 10, last / 10, [each / 10 for each in rounded]
