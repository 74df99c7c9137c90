"""How a summary's figures read, in every format that people read."""

from datetime import datetime
from typing import Final, Literal

from dashboard import words
from dashboard.analytics.reliability.bands import FEWEST_RUNS
from schemas.reports import (
    Change,
    ChangePoint,
    Estimate,
    FixFirst,
    Latency,
    Ratio,
    Stair,
    Storm,
    WeeklySummary,
    WorkflowSummary,
)
from schemas.taxonomy import LayerA
from schemas.zones import zone_of

MINUS: Final = words.MINUS
NOT_KNOWN: Final = words.NOT_KNOWN
FEWEST_FOR_P95: Final = 72
"""Runs that a band of p95 takes."""
PARTING_FROM: Final = 0.005
"""Below half a point the difference of R and E is not worth a sentence."""

Pieces = tuple[str, ...]
"""Our words and names from spans in turn, our words first."""

DEFINITIONS: Final = (
    (
        "R, compounded",
        "the chance that a run gets through the chain without a failed operation, retries counted as help",
    ),
    ("F, first try", "the same, had nothing been tried twice; R − F is what retries buy"),
    ("E, observed", "finished runs that ended clean or recovered. Clean claims only that no failure was seen"),
    ("E, verified", "of the runs that somebody judged, those that passed"),
    ("silent", "a run with an unhandled failure inside, while nothing at the top says so"),
    ("amplification", "attempts an operation"),
    ("lost to a layer", "finished runs that failed or fell silent, by the layer of the failure that explains them"),
    ("fix first", "what R would gain if a step's failures were cut by half"),
    ("change point", "a day from which on a figure was another one; its p-value allows for having looked everywhere"),
)

METHOD: Final = (
    "A run belongs to the week in which it began. Finished runs are clean, recovered, silent or failed; those that "
    "wait for a human or have not ended are in no share.",
    "R is the product of the steps' reliability along the chain; where the chain branches or loops, the chance to "
    "reach its end in the graph of what followed what. Bands are 95 % (Wilson); a change has a band of its own, and is "
    "told as one only where that band is off 0.",
    "Under 30 runs (of a step: operations) the band is shown without the value, and what rests on the value is left "
    "out: stairs, fixes, changes. Under 72 runs p95 is told as what it is at least. Failures are named by rules from "
    "spans alone; observed, inferred and judged ones are counted apart.",
)


def percent(share: float | None) -> str:
    """A share with one decimal; what is not quite all, or not quite nothing, never reads as if it were."""
    if share is None:
        return NOT_KNOWN
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def share_limit(limit: float) -> str:
    """A share that somebody asked for, to its last digit."""
    return f"{_exact(100 * limit, 1)} %"


def factor_limit(limit: float) -> str:
    """Attempts an operation that somebody asked for, to the last digit."""
    return f"× {_exact(limit, 2)}"


def length_limit(ms: float) -> str:
    """A length of time that somebody asked for, to its last digit."""
    return f"{_exact(ms, 0)} ms" if ms < 1_000 else f"{_exact(ms / 1_000, 0)} s"


def _exact(number: float, digits: int) -> str:
    """All digits that the number was written with, and no fewer after the point than these."""
    whole, _, rest = f"{number:.9f}".rstrip("0").partition(".")
    rest = rest.ljust(digits, "0")
    return f"{whole}.{rest}" if rest else whole


def band(estimate: Estimate) -> str:
    """The two ends of a band, in percent."""
    return f"[{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def enough(n: int) -> bool:
    """Whether so many runs (of a step: operations) are enough for a value; below, the band stands alone."""
    return n >= FEWEST_RUNS


def value(of: Estimate) -> str:
    """The value alone, where there are enough to give one."""
    return percent(of.value) if enough(of.n) else NOT_KNOWN


def estimate(of: Estimate) -> str:
    """Value and band; the band alone where there are too few to give a value."""
    if of.n == 0 or of.value is None:
        return NOT_KNOWN
    return f"{percent(of.value)} {band(of)}" if enough(of.n) else band(of)


def points(fraction: float) -> str:
    """A difference of shares, in percentage points, with its sign."""
    return signed(100 * fraction)


def signed(number: float) -> str:
    """One decimal with its sign."""
    return words.signed(number)


def change(of: Change | None) -> str:
    """A difference and its band, in percentage points."""
    if of is None:
        return NOT_KNOWN
    return f"{points(of.value)} [{points(of.low)}, {points(of.high)}]"


def moved(of: Change | None) -> bool:
    """Whether chance alone explains a difference badly."""
    return of is not None and (of.low > 0 or of.high < 0)


def since_before(workflow: WorkflowSummary, figure: Literal["compounded", "observed", "silent"]) -> Change | None:
    """The change of a figure on the week before; None where either week has too few runs for a value."""
    before = workflow.before
    if before is None or not (enough(getattr(workflow, figure).n) and enough(getattr(before, figure).n)):
        return None
    found: Change | None = getattr(workflow, f"{figure}_change")
    return found


def factor(of: Ratio) -> str:
    """Attempts an operation without the band, where there are enough operations to give a value."""
    return f"× {of.value:.2f}" if of.value is not None and enough(of.operations) else NOT_KNOWN


def ratio(of: Ratio) -> str:
    """Attempts an operation, with the band; the band alone where there are too few."""
    if of.value is None or of.low is None or of.high is None:
        return factor(of)
    span = f"[{of.low:.2f}, {of.high:.2f}]"
    return f"{factor(of)} {span}" if enough(of.operations) else span


def milliseconds(ms: float | None) -> str:
    """A duration given in milliseconds."""
    return words.duration(None if ms is None else round(ms * 1e6))


def quantile(of: Latency) -> str:
    """A p95 without its band; where there are too few for one number, what it is at least."""
    if of.n >= FEWEST_FOR_P95:
        return milliseconds(of.value_ms)
    return NOT_KNOWN if of.low_ms is None else f"≥ {milliseconds(of.low_ms)}"


def latency(of: Latency) -> str:
    """A p95 and its band."""
    if of.n < FEWEST_FOR_P95 or of.low_ms is None or of.high_ms is None:
        return quantile(of)
    return f"{milliseconds(of.value_ms)} [{milliseconds(of.low_ms)}, {milliseconds(of.high_ms)}]"


def p_value(p: float) -> str:
    """A p-value without false digits."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def day(at: datetime, summary: WeeklySummary) -> str:
    """A day in the summary's time zone."""
    return at.astimezone(zone_of(summary.time_zone)).strftime("%a %-d %b")


def minute(at: datetime, summary: WeeklySummary) -> str:
    """A moment in the summary's time zone, to the minute."""
    return at.astimezone(zone_of(summary.time_zone)).strftime("%a %-d %b %H:%M")


def stretch(storm: Storm, summary: WeeklySummary) -> str:
    """From when to when a storm went, the day once where it is the same."""
    began = minute(storm.start, summary)
    if storm.end is None:
        return f"{began}, goes on"
    ended = minute(storm.end, summary)
    same_day = day(storm.start, summary) == day(storm.end, summary)
    return f"{began}–{ended[-5:]}" if same_day else f"{began} – {ended}"


def dates(summary: WeeklySummary) -> str:
    """The days of the week, as in `9–15 November 2026`."""
    zone = zone_of(summary.time_zone)
    first = summary.start.astimezone(zone)
    last = datetime.fromtimestamp(summary.end.timestamp() - 1, zone)
    if first.month == last.month:
        return f"{first.day}–{last.day} {last:%B %Y}"
    if first.year == last.year:
        return f"{first:%-d %B} – {last:%-d %B %Y}"
    return f"{first:%-d %B %Y} – {last:%-d %B %Y}"


def worst_layer(workflow: WorkflowSummary) -> tuple[LayerA, int] | None:
    """The layer of lens A that lost most runs, and how many; None where nothing was lost."""
    runs: dict[LayerA, int] = {}
    for lost in workflow.lost:
        runs[lost.layer_a] = runs.get(lost.layer_a, 0) + lost.runs
    return max(runs.items(), key=lambda entry: (entry[1], entry[0]), default=None)


def part_of_runs(runs: int, workflow: WorkflowSummary) -> str:
    """The share of finished runs; where there are too few for one, how many of them."""
    if enough(workflow.finished):
        return percent(runs / workflow.finished)
    return f"{runs:,} of {workflow.finished:,}"


def leaked_most(workflow: WorkflowSummary) -> Pieces:
    """The layer that lost most runs, and the share."""
    worst = worst_layer(workflow)
    return ("nothing",) if worst is None else (f"{worst[0]} {part_of_runs(worst[1], workflow)}",)


def fixes(workflow: WorkflowSummary) -> tuple[FixFirst, ...]:
    """What better steps would buy; nothing where there are too few runs to put a number on it."""
    return workflow.fix_first if enough(workflow.compounded.n) else ()


def stairs(workflow: WorkflowSummary) -> tuple[Stair, ...]:
    """What each place of the chain loses; nothing where there are too few runs to put a number on it."""
    return workflow.stairs if enough(workflow.compounded.n) else ()


def fix_first(workflow: WorkflowSummary) -> Pieces:
    """The step that would buy most, and how much."""
    if not enough(workflow.compounded.n):
        return (NOT_KNOWN,)
    best = next(iter(workflow.fix_first), None)
    if best is None or best.gain < 0.0005:
        return ("nothing",)
    return ("", best.step, f" {points(best.gain)}")


def judged(workflow: WorkflowSummary) -> str:
    """How many runs carry a verdict, and what it was; empty where none does."""
    of = workflow.verified
    if of is None:
        return ""
    passed = f"{workflow.verdicts.passed:,} passed"
    return f"Judged from outside: {of.n:,} of {words.plural(workflow.runs, 'run')}, of which {passed}, {estimate(of)}."


def sentence(workflow: WorkflowSummary) -> Pieces:
    """What to know of a workflow's week, with number, band and cause."""
    if workflow.finished == 0:
        many = words.plural(workflow.runs, "run")
        return ("", workflow.name, f" had {many} and none has finished.")
    if not enough(workflow.observed.n):
        said = (
            f" had {words.plural(workflow.finished, 'finished run')}, too few for a value: between "
            f"{100 * workflow.observed.low:.0f} and {100 * workflow.observed.high:.0f} % of them get through"
        )
    else:
        said = (
            f" got {percent(workflow.observed.value)} {band(workflow.observed)} of "
            f"{words.plural(workflow.finished, 'run')} through"
        )
    pieces = ["", workflow.name, said + _moved_since(workflow)]
    lost = workflow.failed + workflow.silent_runs
    if lost == 0:
        pieces[-1] += "; no run failed or fell silent."
        return tuple(pieces)
    worst = worst_layer(workflow)
    if worst is not None:
        layer = "what no rule names yet" if worst[0] == LayerA.UNCLASSIFIED else _layer(worst[0])
        pieces[-1] += f". {layer[0].upper()}{layer[1:]} leaked most, {part_of_runs(worst[1], workflow)}"
        pieces[-1] += " of runs" if enough(workflow.finished) else " runs"
    best = next(iter(fixes(workflow)), None)
    if best is not None and best.gain >= 0.0005:
        pieces[-1] += "; halving the failures of "
        pieces += [best.step, f" would buy {points(best.gain).lstrip('+')} points"]
    pieces[-1] += "."
    return tuple(pieces)


def _moved_since(workflow: WorkflowSummary) -> str:
    since = since_before(workflow, "observed")
    if since is None:
        return ""
    if not moved(since):
        return ", within chance of the week before"
    direction = "up" if since.value > 0 else "down"
    return f", {direction} {abs(100 * since.value):.1f} points on the week before"


def _layer(layer: LayerA) -> str:
    return "a component itself (model, provider, tool body)" if layer == LayerA.COMPONENT else f"the {layer} layer"


def change_point(point: ChangePoint, summary: WeeklySummary) -> Pieces:
    """One change point as a sentence."""
    what = ("End-to-end reliability", "", "") if point.step is None else ("Reliability of ", point.step, "")
    verb = "rose" if point.after > point.before else "fell"
    first, last = point.at_range
    span = "" if first == last else f" (between {day(first, summary)} and {day(last, summary)})"
    said = (
        f" {verb} from {percent(point.before)} to {percent(point.after)} on {day(point.at, summary)}{span}: "
        f"{point.certainty}, {p_value(point.p_value)}."
    )
    return (*what[:2], what[2] + said)


def parting(workflow: WorkflowSummary) -> str:
    """Why R and E differ; empty where they hardly do."""
    parts, r, e = workflow.parting, workflow.compounded.value, workflow.observed.value
    if (
        parts is None
        or r is None
        or e is None
        or abs(r - e) < PARTING_FROM
        or not enough(min(workflow.compounded.n, workflow.observed.n))
    ):
        return ""
    said = (
        f"R − E is {points(r - e)} points: {points(parts.outside)} lost outside a step, {points(-parts.rescued)} "
        f"rescued after a failed step, {points(parts.dependence)} "
    )
    low, high = parts.dependence_low, parts.dependence_high
    apart = low is None or high is None or not low <= 0 <= high
    said += "because failures do not fall independently." if apart else "left over, which chance explains."
    if parts.dependence_high is not None and parts.dependence_high < 0:
        said += " Failures gather in the same runs: E predicts the next run, R says what to fix."
    return said


def quality(summary: WeeklySummary) -> list[str]:
    """What the figures rest on, a sentence each."""
    of, source = summary.data_quality, summary.generated_from
    said = []
    if of.spans_received:
        said.append(
            f"While the week lasted, {of.spans_received:,} spans were received = {of.spans_stored:,} stored + "
            f"{of.spans_duplicate:,} duplicate + {of.spans_rejected:,} rejected."
        )
    else:
        said.append("No span was received while the week lasted: its runs were taken in at another time.")
    said.append(
        f"The runs that began in it have {of.spans:,} spans: {of.orphan_spans:,} whose parent never arrived, and "
        f"{of.dialect_gaps:,} facts missing that a figure needed."
    )
    if of.runs_removed:
        said.append(
            f"{words.plural(of.runs_removed, 'run')} of its days (UTC) went since, by retention or on request: their "
            "spans are not counted here."
        )
    said.append(
        f"Failures with a cause of their own: {of.failures:,}, of them {of.failures_observed:,} observed, "
        f"{of.failures_inferred:,} inferred, {of.failures_judged:,} judged; {of.failures_unclassified:,} have no rule "
        "yet."
    )
    if source.first_run and source.last_run:
        said.append(f"The store holds runs from {day(source.first_run, summary)} to {day(source.last_run, summary)}.")
    return said


def plain(pieces: Pieces) -> str:
    """The pieces as one text."""
    return "".join(pieces)
