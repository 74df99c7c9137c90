"""The demo's workflows: one module each, all with a pure `plan`."""

from collections.abc import Callable
from typing import NamedTuple

from demo_data.plan import Case, RunPlan
from demo_data.workflows import (
    claims_panel,
    lead_enrichment,
    market_brief,
    ops_assistant,
    rag_answers,
    refund_triage,
)


class Workflow(NamedTuple):
    """A workflow of the demo."""

    name: str
    plan: Callable[[Case], RunPlan]
    runs_per_day: float
    releases: tuple[tuple[float, str], ...]
    """(days before the end of history, version) in order of time; the first is what history begins with.

    refund_triage 2.4.0 upgrades a model and makes a step worse (see `faults.py`); the other releases change nothing.
    """
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
            285,
            ((ALWAYS, "2.3.0"), (9.2, "2.4.0")),
            about="LangGraph graph with a verify loop (OpenInference)",
        ),
        Workflow(
            rag_answers.NAME,
            rag_answers.plan,
            40,
            ((ALWAYS, "1.9.1"), (20.4, "1.9.2")),
            about="straight LangChain chain over a manual (OpenInference)",
        ),
        Workflow(
            market_brief.NAME,
            market_brief.plan,
            30,
            ((ALWAYS, "0.8.0"),),
            about="CrewAI crew with delegation (OpenLLMetry)",
        ),
        Workflow(
            ops_assistant.NAME,
            ops_assistant.plan,
            30,
            ((ALWAYS, "3.0.4"), (13.3, "3.1.0")),
            about="Pydantic AI agent with MCP tools (both native)",
        ),
        Workflow(
            lead_enrichment.NAME,
            lead_enrichment.plan,
            35,
            ((ALWAYS, "12"), (6.1, "13")),
            staging=False,
            about="n8n automation (native)",
        ),
        Workflow(
            claims_panel.NAME,
            claims_panel.plan,
            5,
            ((ALWAYS, "0.3.0"),),
            about="AutoGen group chat, shattered over traces (native)",
        ),
    )
}
