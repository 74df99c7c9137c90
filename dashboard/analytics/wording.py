"""What a workflow delivers, in one sentence: the figure with its band, since when it changed, and what changed it."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from dashboard import words
from dashboard.analytics.attribution import AT_START, Attribution, Part
from dashboard.analytics.drift import Level
from dashboard.analytics.findings import Finding
from dashboard.analytics.proportions import Band, difference
from dashboard.analytics.reliability import Estimate

STEPS: Final = {"tool": "tool", "llm": "model call", "retrieval": "look-up", "agent": "agent"}
A_CAUSE: Final = 0.25  # of a change; below this no single cause is worth its name alone
ALL_OF_IT: Final = 0.995


class Change(NamedTuple):
    """A change point of E, what users of a workflow got."""

    at_ns: int
    before: Level
    after: Level
    attribution: Attribution | None = None
    """Of the change of R over the same days."""
    version: str | None = None
    """The version that was first seen near it."""
    possibly: tuple[int, Level] | None = None
    """Since when E may be at another level again, and that one."""
    certain: bool = True
    """Otherwise it is told as possible, and nobody is alarmed."""

    @property
    def ratio(self) -> float:
        """After minus before, of 1."""
        return self.after.value - self.before.value


class Measure(NamedTuple):
    """What a sentence is about: the words before the figure and those after it."""

    does: str
    ends: str = ""


R: Final = Measure("delivers")
E: Final = Measure("gets", " of its runs through")


def delivers(
    workflow: str,
    now: Estimate,
    zone: tzinfo,
    now_ns: int,
    *,
    measure: Measure = R,
    steady_ns: int | None = None,
    before: Estimate | None = None,
) -> Finding:
    """The sentence that a page opens with where no change point is to be told.

    Args:
        now: the figure of the window.
        measure: what the figure is.
        steady_ns: since when there was no change point, where history is long enough to tell.
        before: the figure of the window before; told where chance does not explain the difference.
    """
    does, ends = measure
    if now.value is None:
        return Finding(("", workflow, f": {now.reason}."), alarming=False)
    if now.shown == "band":
        runs = words.plural(now.n, "run")
        between = f"between {100 * now.low:.1f} and {100 * now.high:.1f} %{ends}"
        return Finding(("", workflow, f" {does} {between}: {runs}, too few for one figure."), alarming=False)
    said = f" {does} {100 * now.value:.1f} % [{100 * now.low:.1f}, {100 * now.high:.1f}]{ends}"
    since = f" since {words.lately(steady_ns, zone, now_ns)}" if steady_ns is not None else ""
    if before is None or not other(now, before):
        return Finding(("", workflow, f"{said}{', as usual' if since else ''}{since}."), alarming=False)
    points = 100 * (now.value - (before.value or 0.0))
    said += f", {abs(points):.1f} points {'less' if points < 0 else 'more'} than in the window before"
    lasting = f"; no lasting change{since}" if since else ""
    return Finding(("", workflow, f"{said}{lasting}."), alarming=False)


def changed(workflow: str, change: Change, zone: tzinfo, now_ns: int) -> Finding:
    """The sentence that a page opens with where E changed: E since then and before, and what moved R meanwhile."""
    now, before = change.after, change.before
    digits = 1 if _read(now.value) != _read(before.value) else 2
    figure, low, high, old = (f"{100 * each:.{digits}f}" for each in (now.value, now.low, now.high, before.value))
    way = ("" if change.certain else "possibly ") + ("down" if change.ratio < 0 else "up")
    since = words.lately(change.at_ns, zone, now_ns)
    said = f" {E.does} {figure} % [{low}, {high}]{E.ends}, {way} from {old} % since {since}"
    if change.possibly is not None:
        again_ns, level = change.possibly
        said += f", possibly {100 * level.value:.1f} % since {words.lately(again_ns, zone, now_ns)}"
    return Finding(("", workflow, *_because(said, change)), alarming=change.certain and change.ratio < 0)


def other(now: Estimate, before: Estimate) -> bool:
    """Whether two figures with enough runs differ by more than chance explains."""
    if now.value is None or before.value is None or "band" in (now.shown, before.shown):
        return False
    moved = difference(before.value, Band(before.low, before.high), now.value, Band(now.low, now.high))
    return not moved.low <= 0 <= moved.high


def _read(share: float) -> int:
    """A share as it is read: in tenths of a percent."""
    return round(1000 * share)


def _because(said: str, change: Change) -> tuple[str, ...]:
    """The rest of the sentence, from its words so far: the largest cause, and the version it came with.

    Causes are parts of the change of R. Where that is not the change of E as it is read, it is told apart.
    """
    found = change.attribution
    if found is None:
        return _ended(said, change.version)
    first, last = _read(found.before), _read(found.after)
    course = "stayed at" if first == last else f"{'fell' if last < first else 'rose'} from {first / 10:.1f} to"
    by_steps = f" R, by its steps, {course} {last / 10:.1f} %"
    causes = (
        [part for part in found.parts if part.points * change.ratio > 0] if (last - first) * change.ratio > 0 else []
    )
    if not causes:
        return _ended(said, change.version, f"{by_steps}: no step explains it.")
    if (first, last) == (_read(change.before.value), _read(change.after.value)):
        said, what = f"{said} —", "the drop" if change.ratio < 0 else "the rise"
    else:
        said, what = f"{said}.{by_steps}:", "that"
    ours, *theirs = _cause(causes[0])
    said += f" {_part_of(causes[0].points / found.points, what)} {ours}"
    return (said, *theirs, *_ended("", change.version)) if theirs else _ended(said, change.version)


def _part_of(share: float, what: str) -> str:
    if share >= ALL_OF_IT:
        return f"all of {what} is"
    if share >= A_CAUSE:
        return f"{100 * share:.0f} % of {what} is"
    return f"no single cause; the largest, {100 * share:.0f} % of {what}, is"


def _ended(said: str, version: str | None, more: str = "") -> tuple[str, ...]:
    """The end of a sentence, with the version that came with what it tells."""
    return (f"{said}, first seen in ", version, f".{more}") if version else (f"{said}.{more}",)


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
