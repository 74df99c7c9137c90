"""Conditions and messages for the tests of alerts."""

from dataclasses import replace
from datetime import UTC

from dashboard.alerts.conditions import Condition, State
from dashboard.alerts.messages import Words
from schemas.alerts import Alert, Rule, Urgency

HOUR = 3_600 * 10**9
NOW = 1_763_000_000 * 10**9
WORDS = Words("http://127.0.0.1:8501", UTC)


def condition(
    state: State = "holds", *, rule: Rule = "burn", urgency: Urgency = "page", workflow: str = "refund_triage"
) -> Condition:
    """One of a workflow that fails half of its runs."""
    made = Condition(
        state, rule, urgency, workflow, value=0.5, low=0.4, high=0.6, limit=0.3, n=100, since_ns=NOW - 6 * HOUR,
        shown_ns=NOW - 6 * HOUR,
    )  # fmt: skip
    return made if rule == "burn" else replace(made, step="look_up")


def alert(text: str = "refund_triage burns", at_ns: int = NOW) -> Alert:
    """A message that an episode began."""
    return WORDS.begun(condition(), at_ns).model_copy(update={"text": text})
