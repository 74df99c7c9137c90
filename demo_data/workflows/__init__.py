"""The demo's workflows: one module each, all with a pure `plan`."""

from collections.abc import Callable
from typing import NamedTuple

from demo_data.plan import Case, RunPlan
from demo_data.workflows import refund_triage


class Workflow(NamedTuple):
    """A workflow of the demo."""

    name: str
    plan: Callable[[Case], RunPlan]
    runs_per_day: float
    releases: tuple[tuple[float, str], ...]
    """(days before the end of history, version) in order of time; the first is what history begins with."""
    staging: bool = True
    """Whether some of its runs are in the staging environment."""
    about: str = ""

    def version_at(self, age_days: float) -> str:
        """The version in production this many days before the end."""
        current = self.releases[0][1]
        for released_days, version in self.releases:
            if age_days <= released_days:
                current = version
        return current


ALWAYS = float("inf")

WORKFLOWS: dict[str, Workflow] = {
    workflow.name: workflow
    for workflow in (
        Workflow(
            refund_triage.NAME,
            refund_triage.plan,
            310,
            ((ALWAYS, "2.3.0"), (9.2, "2.4.0")),
            about="LangGraph graph with a verify loop (OpenInference)",
        ),
    )
}
