"""What an evaluator says of some runs: a verdict, as an event by OpenTelemetry's conventions."""

from random import Random

from demo_data.faults import LOW_SEVERITY, Shows, Variant
from demo_data.plan import PlannedEvent, PlannedSpan, Script

EVALUATED_SHARE = 0.15
SEEN_SHARE = 0.7
"""Of silent failures an evaluator sees this many."""


def verdict(rng: Random, name: str, *, good: bool, now_ns: int) -> PlannedEvent:
    """One evaluation; the score leaves no doubt."""
    attributes = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.value": round(rng.uniform(0.74, 0.99) if good else rng.uniform(0.05, 0.38), 2),
        "gen_ai.evaluation.score.label": "pass" if good else "fail",
    }
    if not good:
        attributes["gen_ai.evaluation.explanation"] = "The answer claims what its sources do not say."
    return PlannedEvent("gen_ai.evaluation.result", now_ns, attributes)


def evaluate(script: Script, root: PlannedSpan, name: str) -> None:
    """The verdict on a run that ended well, on its root; only some runs are evaluated.

    A run whose fault is that it was judged wrong always is; what stayed silent is mostly seen; the rest passes.
    """
    fault, rng = script.case.fault, script.rng
    is_judged = fault.shows is Shows.JUDGED
    if not is_judged and rng.random() >= EVALUATED_SHARE:
        return
    is_grave = fault.variant is Variant.SILENT and fault.code not in LOW_SEVERITY
    is_seen = is_grave and rng.random() < SEEN_SHARE
    root.events.append(verdict(rng, name, good=not (is_judged or is_seen), now_ns=script.now_ns))
    if is_judged:
        script.blame(root)
