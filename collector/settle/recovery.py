"""What a run did about its failures (TAXONOMY R4, R5): retries that were used up or are not to be seen, silence."""

from collections.abc import Mapping

from collector.settle.failures import INFERRED, JUDGED, RETRIED, Failures
from collector.settle.naming import Finding
from collector.settle.operations import Operation
from collector.settle.spans import NO_WORK, Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE, Forest
from schemas.taxonomy import Outcome

SILENT_FAILURE = "recovery.silent_failure"


def note_retries(
    steps: Steps,
    failures: Failures,
    findings: Mapping[int, Finding],
    operation_of: Mapping[int, Operation],
    outcome: Outcome,
    primary: int,
) -> None:
    """Adds `retry_exhausted` where every try failed; `no_retry` where one might have saved the run and none is seen."""
    open_ones = [i for i in findings if i not in failures.recovered and failures.faults[i] not in (RETRIED, INFERRED)]
    if not open_ones:
        return
    retried = {NONE: False}
    for step in steps.order:
        retried[step] = operation_of[step].tries > 1 or retried[steps.above[step]]
    for i in open_ones:
        found = findings[i]
        if retried[steps.owner(i)]:
            found.add("recovery.retry_exhausted")
        elif i == primary and outcome == Outcome.FAILED and found.may_pass():
            found.add("recovery.no_retry")


def hiding_span(spans: Spans, forest: Forest, failures: Failures, of_steps: Mapping[int, str], primary: int) -> int:
    """The nearest span above the primary failure that ended well all the same, or NONE.

    Above every span that passed the failure on. What is only inferred or judged of a span does not keep it from having
    ended well; a failure that a turn or a twin tells does.
    """
    top = i = primary
    while i != NONE:
        top = i if failures.cause.get(i) == primary else top
        i = forest.parent[i]
    i = forest.parent[top]
    while i != NONE and (
        failures.faults.get(i, INFERRED) not in (INFERRED, JUDGED) or i in of_steps or spans.step_kind[i] in NO_WORK
    ):
        i = forest.parent[i]
    return i
