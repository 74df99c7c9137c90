"""Charts of the printed summary: SVG with words, patterns beside colours, nothing to run.

Every chart is 680 units wide, the width of an A4 page's text at 96 dots an inch, so type keeps its size in print.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from dashboard.analytics.proportions import wilson
from dashboard.components.text import clip
from dashboard.looks import look
from dashboard.reports import words
from schemas.reports import ChangePoint, Day, Estimate, WorkflowSummary
from schemas.taxonomy import LayerA

WIDTH: Final = 680
LABEL: Final = 200
"""Room for names, left of the bars."""
VALUE: Final = 150
"""Room for figures, right of them."""
ROW: Final = 22
LABEL_CHARS: Final = 30
MAX_ROWS: Final = 24

PATTERNS: Final = {
    LayerA.TOOL: '<path d="M0 3h6M3 0v6" stroke="#fff" stroke-width=".9"/>',
    LayerA.STATE: '<path d="M0 3h6" stroke="#fff" stroke-width="1.2"/>',
    LayerA.CONTROL: '<path d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5" stroke="#fff" stroke-width="1.2"/>',
    LayerA.ERROR: '<circle cx="3" cy="3" r="1.3" fill="#fff"/>',
    LayerA.COMPONENT: "",
    LayerA.UNCLASSIFIED: '<path d="M-1 -1L7 7M5 -1L7 1M-1 5L1 7" stroke="#666" stroke-width=".9"/>',
}
"""What tells layers apart in black and white; their colours are those of the dashboard."""


def patterns() -> Markup:
    """The definitions that all charts of a document use; to stand once, at its top."""
    found = "".join(
        f'<pattern id="layer-{layer}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="{look(layer).color}"/>{texture}</pattern>'
        for layer, texture in PATTERNS.items()
    )
    return Markup(f'<svg width="0" height="0" aria-hidden="true"><defs>{found}</defs></svg>')  # noqa: S704 - all ours


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar that adds up to all runs."""

    share: float
    fill: str
    told: str
    edge: str = "none"


def outcomes(workflows: Sequence[WorkflowSummary]) -> Markup:
    """Where the finished runs of each workflow went: one bar each, 100 % wide."""
    shown = [workflow for workflow in workflows if workflow.finished]
    rows = [_bar(index, workflow) for index, workflow in enumerate(shown)]
    height = len(shown) * ROW + 4
    return _chart("Where the finished runs of each workflow went", height, rows)


def _bar(index: int, workflow: WorkflowSummary) -> Markup:
    y = index * ROW + 2
    x, right = float(LABEL), WIDTH - VALUE
    parts = [_label(y, workflow.name)]
    for segment in segments(workflow):
        width = segment.share * (right - LABEL)
        parts.append(
            Markup(
                '<rect x="{}" y="{}" width="{}" height="16" fill="{}" stroke="{}" stroke-width="1.4">'
                "<title>{}</title></rect>"
            ).format(_n(x), y + 1, _n(width), segment.fill, segment.edge, segment.told)
        )
        x += width
    good, whole = workflow.clean + workflow.recovered, workflow.finished
    share = words.percent(good / whole) if words.enough(whole) else f"{good:,}"
    parts.append(_value(y, f"{share} of {whole:,}"))
    return Markup("").join(parts)


def segments(workflow: WorkflowSummary) -> list[Segment]:
    """Clean, recovered, then each layer with its silent part apart. They add up to 1."""
    found = [
        _segment(workflow, workflow.clean, "clean", "#ECECEC", "#fff"),
        _segment(workflow, workflow.recovered, "recovered", "#fff", "#0F766E"),
    ]
    for layer in PATTERNS:
        entries = [entry for entry in workflow.lost if entry.layer_a == layer]
        runs, silent = sum(entry.runs for entry in entries), sum(entry.silent_runs for entry in entries)
        edge = look(layer).color if layer != LayerA.UNCLASSIFIED else "#777"
        found.append(_segment(workflow, runs - silent, f"failed, {layer}", f"url(#layer-{layer})", "#fff"))
        found.append(_segment(workflow, silent, f"silent, {layer}", "#FCF8C5", edge))
    return [segment for segment in found if segment.share > 0]


def _segment(workflow: WorkflowSummary, runs: int, name: str, fill: str, edge: str) -> Segment:
    return Segment(runs / workflow.finished, fill, f"{name} {words.part_of_runs(runs, workflow)}", edge)


@dataclass(frozen=True, slots=True)
class Drop:
    """One row of a cascade: a bar from one level to the next."""

    label: str
    before: float
    after: float
    told: str
    fill: str = "#B8B8B8"
    pale: tuple[float, float] | None = None
    """The same for first tries."""


def staircase(workflow: WorkflowSummary) -> Markup:
    """How R comes about: from 100 % down, a row a step, beside what users got."""
    drops, level, pale = [], 1.0, 1.0
    for name, lost, lost_first in _losses(workflow):
        after, pale_after = max(0.0, level - lost), max(0.0, pale - lost_first)
        told = f"{words.MINUS}{100 * lost:.1f}" if lost >= 0.0005 else "0"
        drops.append(Drop(name, level, after, told, "#D55E00", (pale, pale_after)))
        level, pale = after, pale_after
    ends = [("R", workflow.compounded), ("E", workflow.observed)]
    title = "From 100 % to R: what each step loses; pale, what it would lose without retries"
    floor = min([pale, *(end.low for _, end in ends if end.n)])
    return _cascade(title, drops, ends, floor=floor)


def _losses(workflow: WorkflowSummary) -> list[tuple[str, float, float]]:
    """What each step takes from R and from F, in the order of the chain; the least of too many as one."""
    found = [(stair.node, stair.lost, stair.lost_first_try) for stair in workflow.stairs]
    if len(found) <= MAX_ROWS:
        return found
    worst = sorted(range(len(found)), key=lambda index: (-found[index][1], index))[: MAX_ROWS - 1]
    rest = [found[index] for index in range(len(found)) if index not in worst]
    other = (f"{len(rest)} other steps", sum(lost for _, lost, _ in rest), sum(first for *_, first in rest))
    return [*(found[index] for index in sorted(worst)), other]


def waterfall(point: ChangePoint) -> Markup:
    """What each step contributed to a change of R, from before to after."""
    if point.compounded_before is None or point.compounded_after is None:
        return Markup("")
    biggest = sorted(point.attribution, key=lambda part: (-abs(part.points), part.step, part.kind))
    shown, rest = biggest[: MAX_ROWS // 2], biggest[MAX_ROWS // 2 :]
    level = point.compounded_before
    drops = [Drop("R before", level, level, words.percent(level), "#1a1a1a")]
    for part in shown:
        after = level + part.points / 100
        fill = "#D55E00" if part.points < 0 else "#0072B2"
        drops.append(Drop(part.label, level, after, words.signed(part.points), fill))
        level = after
    if rest:
        total = sum(part.points for part in rest)
        drops.append(Drop(f"{len(rest)} others", level, level + total / 100, words.signed(total)))
        level += total / 100
    drops.append(Drop("R after", level, level, words.percent(level), "#1a1a1a"))
    floor = min(min(drop.before, drop.after) for drop in drops)
    return _cascade("What moved R, in points", drops, [], floor=floor, ceiling=max(drop.before for drop in drops))


def _cascade(
    title: str,
    drops: Sequence[Drop],
    ends: Sequence[tuple[str, Estimate]],
    *,
    floor: float,
    ceiling: float = 1.0,
) -> Markup:
    low = max(0.0, floor - 0.08 * max(ceiling - floor, 0.02))
    high = min(1.0, ceiling + 0.04 * max(ceiling - floor, 0.02))

    def at(level: float) -> float:
        return LABEL + (min(max(level, low), high) - low) / (high - low) * (WIDTH - VALUE - LABEL)

    bottom = (len(drops) + len(ends)) * ROW + 4
    parts = [
        Markup(
            '<path d="M{} 2V{}" class="grid"/><text x="{}" y="{}" text-anchor="middle" class="axis">{}</text>'
        ).format(_n(at(tick)), bottom, _n(at(tick)), bottom + 13, f"{100 * tick:.4g} %")
        for tick in _ticks(low, high, 6)
    ]
    for index, drop in enumerate(drops):
        y = index * ROW + 2
        parts.append(_label(y, drop.label))
        if drop.pale is not None:
            left, right = sorted(map(at, drop.pale))
            parts.append(
                Markup('<rect x="{}" y="{}" width="{}" height="12" class="pale"/>').format(
                    _n(left), y + 3, _n(max(right - left, 0.5))
                )
            )
        left, right = sorted((at(drop.before), at(drop.after)))
        parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="8" fill="{}"/>').format(
                _n(left), y + 5, _n(max(right - left, 2.0)), drop.fill
            )
        )
        if index + 1 < len(drops) or ends:
            x = at(drop.after)
            parts.append(Markup('<path d="M{} {}v{}" class="riser"/>').format(_n(x), y + 13, ROW - 8))
        parts.append(_value(y, drop.told))
    for index, (name, end) in enumerate(ends, len(drops)):
        y = index * ROW + 2
        parts.append(_label(y, {"R": "R, compounded", "E": "E, what users got"}[name], strong=True))
        if end.n and end.value is not None:
            parts.append(
                Markup('<path d="M{} {}H{}m0 -4v8M{} {}v8" class="band"/>').format(
                    _n(at(end.low)), y + 9, _n(at(end.high)), _n(at(end.low)), y + 5
                )
            )
            if words.enough(end.n):
                parts.append(Markup('<circle cx="{}" cy="{}" r="4"/>').format(_n(at(end.value)), y + 9))
        parts.append(_value(y, words.estimate(end)))
    return _chart(title, bottom + 18, parts)


def week(days: Sequence[Day]) -> Markup:
    """E of each day with its band."""
    height, top = 96, 6
    column = (WIDTH - 40) / max(len(days), 1)
    bands = [wilson(day.good, day.finished) for day in days]
    low = min([band.low for band, day in zip(bands, days, strict=True) if day.finished], default=0.0)
    low = max(0.0, low - 0.02)

    def at(level: float) -> float:
        return top + (1 - level) / (1 - low) * (height - top - 6)

    parts = [
        Markup('<path d="M40 {}H{}" class="grid"/><text x="34" y="{}" text-anchor="end" class="axis">{}</text>').format(
            _n(at(tick)), WIDTH, _n(at(tick) + 4), f"{100 * tick:.4g} %"
        )
        for tick in _ticks(low, 1.0, 4)
    ]
    for index, (day, band) in enumerate(zip(days, bands, strict=True)):
        x = 40 + (index + 0.5) * column
        if day.finished:
            parts.append(
                Markup('<path d="M{} {}V{}" class="band"/><circle cx="{}" cy="{}" r="4"/>').format(
                    _n(x), _n(at(band.low)), _n(at(band.high)), _n(x), _n(at(day.good / day.finished))
                )
            )
        told = f"{date.fromisoformat(day.day):%a %-d} · {f'{day.finished:,}' if day.finished else 'no runs'}"
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="middle" class="axis">{}</text>').format(_n(x), height + 10, told)
        )
    return _chart("E of each day with its band; under it the day and its finished runs", height + 16, parts)


def swatch(layer: LayerA) -> Markup:
    """A layer's pattern, for a legend."""
    return Markup(
        '<svg class="swatch" viewBox="0 0 18 10" width="18" height="10" aria-hidden="true">'
        '<rect width="18" height="10" fill="url(#layer-{})"/></svg>'
    ).format(layer)


def _ticks(low: float, high: float, most: int) -> list[float]:
    step = next((s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= most), 0.25)
    first = -(-low // step)
    return [round((first + k) * step, 6) for k in range(int((high - first * step) / step + 1e-9) + 1)]


def _label(y: int, name: str, *, strong: bool = False) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="end"{}>{}</text>').format(
        LABEL - 8, y + 13, Markup(' class="strong"') if strong else "", clip(name, LABEL_CHARS)
    )


def _value(y: int, told: str) -> Markup:
    return Markup('<text x="{}" y="{}" class="number">{}</text>').format(WIDTH - VALUE + 8, y + 13, told)


def _chart(title: str, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, _n(height), title, Markup("").join(parts)
    )


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
