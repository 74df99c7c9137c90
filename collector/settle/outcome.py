"""How a run ended (DESIGN: words), and the failure that says so."""

from collections.abc import Iterable, Mapping, Sequence

from collector.settle.failures import LOUD, Failures
from collector.settle.joins import AMBIENT_DIALECTS, Run
from collector.settle.naming import Finding
from collector.settle.spans import WORKFLOW, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest
from schemas.codes import Certainty, Severity
from schemas.taxonomy import Outcome


def is_finished(spans: Spans, forest: Forest, run: Run, quiet_since_ns: int) -> bool:
    """Whether nothing more is to come: its root has ended, or it has no root of its own and has been quiet.

    A root whose parent never arrived may be a child whose parent is late.
    """
    if run.root != NONE and run.root not in forest.orphans:
        return spans.end_ns[run.root] != 0
    return max(spans.received_ns[i] for i in run.members) <= quiet_since_ns


def decide(
    spans: Spans, run: Run, steps: Steps, failures: Failures, findings: Mapping[int, Finding], finished: bool
) -> tuple[Outcome, int]:
    """The outcome, and the root occurrence that is its primary failure (NONE without one).

    Low severity decides nothing; what was observed goes before what is only inferred.
    """
    occurrences = sorted(i for i in {*failures.cause.values()} if findings[i].named.code.severity != Severity.LOW)
    unhandled = [i for i in occurrences if i not in failures.recovered]
    seen = [i for i in unhandled or occurrences if findings[i].certainty == Certainty.OBSERVED]
    primary = next(iter(seen or unhandled or occurrences), NONE)
    if not finished:
        return Outcome.OPEN, primary
    reached = _reached_caller(spans, run, steps, failures, unhandled)
    if reached != NONE:
        return Outcome.FAILED, failures.cause[reached]
    if _waits(spans, run, steps):
        return Outcome.PENDING, NONE
    if unhandled:
        return Outcome.SILENT, primary
    return (Outcome.RECOVERED if occurrences else Outcome.CLEAN), primary


def _reached_caller(spans: Spans, run: Run, steps: Steps, failures: Failures, unhandled: Sequence[int]) -> int:
    """The fault that reached who started the run, or NONE."""
    for i in _faces(spans, run, steps):
        if failures.faults.get(i) == LOUD:
            return i
    if run.root != NONE:
        return NONE
    outside = [i for i in unhandled if steps.owner(i) == NONE and failures.faults[i] == LOUD]
    if outside:
        return outside[-1]
    last = max(steps.children.get(NONE, ()), default=NONE)
    return last if failures.faults.get(last) == LOUD else NONE


def _faces(spans: Spans, run: Run, steps: Steps) -> Iterable[int]:
    """The spans that show a run's end to its caller: its root, and below an ambient root the workflow."""
    if run.root == NONE:
        return ()
    if spans.dialect[run.root] not in AMBIENT_DIALECTS:
        return (run.root,)
    inside = [i for i in run.members if spans.step_kind[i] == WORKFLOW and steps.owner(i) == NONE and i != run.root]
    return (run.root, inside[0]) if inside else (run.root,)


def _waits(spans: Spans, run: Run, steps: Steps) -> bool:
    """Whether the run stopped for a human: something was interrupted, and its step did not run to a good end later."""
    last_good: dict[str, int] = {}
    for i in steps.children.get(NONE, ()):
        if not spans.interrupted[i] and not spans.failed[i]:
            last_good[steps.name[i]] = i
    for i in run.members:
        if spans.interrupted[i]:
            owner = steps.owner(i)
            if owner == NONE or last_good.get(steps.name[steps.chain[owner]], NONE) < i:
                return True
    return False
