"""market_brief: a CrewAI crew with delegation, seen by OpenLLMetry: researcher, analyst, manager (→ writer), editor."""

import json
from typing import NamedTuple

from demo_data import words
from demo_data.dialects import openllmetry_crewai as crewai
from demo_data.errors import Sdk, raised
from demo_data.faults import Shows, Variant
from demo_data.plan import Case, PlannedSpan, Raised, RunPlan, Script, Service

NAME = "market_brief"
MODEL = "gpt-4o-mini"
GUARDRAIL_TRIES = 3


class Role(NamedTuple):
    """One member of the crew and its task."""

    name: str
    goal: str
    backstory: str
    task: str
    expected: str
    seconds: float
    """Typical duration of its work."""
    delegates_to: str = ""


CREW = (
    Role("researcher", "find recent sources", "ex-librarian", "Collect sources on {topic}", "list of sources", 14.0),
    Role("analyst", "turn sources into figures", "likes tables", "Size the market for {topic}", "figures as JSON", 9.0),
    Role("manager", "get the brief written", "calm", "Get a one-page brief on {topic}", "brief", 3.0, "writer"),
    Role("editor", "short and sourced", "was a sub-editor", "Edit the brief on {topic}", "final brief", 7.0),
)
WRITER = Role("writer", "write plainly", "former journalist", "", "brief", 11.0)


def plan(case: Case) -> RunPlan:
    """One market brief."""
    return _Crew(case).run()


class _Crew:
    """One kickoff of the crew."""

    def __init__(self, case: Case) -> None:
        self.fault = case.fault
        self.script = Script(case, NAME, Service("briefing", case.version, case.environment))
        self.rng = self.script.rng
        self.topic = self.rng.choice(words.MARKETS)
        self.ids = {role.name: self.script.uuid() for role in (*CREW, WRITER)}

    def run(self) -> RunPlan:
        """Play the crew; what leaves it has failed the run."""
        tasks = [{"agent": role.name, "description": role.task.format(topic=self.topic)} for role in CREW]
        agents = [{"role": role.name, "goal": role.goal, "llm": MODEL} for role in (*CREW, WRITER)]
        attributes = crewai.crew(NAME, self.script.uuid(), json.dumps(tasks), json.dumps(agents))
        try:
            with self.script.span("crewai.workflow", crewai.SCOPE, attributes) as root:
                for role in CREW:
                    self._task(role)
                crewai.finish_crew(
                    root, self._text(), self.rng.randrange(5_200, 9_800), self.rng.randrange(900, 1_900), 5
                )
        except Raised as error:
            self.script.blame(error.origin, Variant.LOUD)
        return self.script.finish()

    def _text(self) -> str:
        return f"{self.topic.capitalize()}: demand grows {self.rng.randrange(3, 28)} % a year, three vendors lead."

    def _task(self, role: Role) -> None:
        description = role.task.format(topic=self.topic)
        attributes = crewai.task(self.script.uuid(), role.name, description, role.expected)
        self.script.wait(20)
        with self.script.span(f"{description}.task", crewai.SCOPE, attributes) as span:
            if self.script.strikes(role.name, Shows.VALIDATION_RETRIES):
                for _ in range(GUARDRAIL_TRIES):
                    self._agent(role)
                raise raised(Sdk.OPENAI, "recovery.retry_exhausted", self.rng)
            self._agent(role)
            span.attributes["traceloop.entity.output"] = self._text()

    def _agent(self, role: Role) -> PlannedSpan:
        attributes = crewai.agent(
            self.ids[role.name], role.name, role.goal, role.backstory, MODEL, delegates=bool(role.delegates_to)
        )
        self.script.wait(2)
        with self.script.span(f"{role.name}.agent", crewai.SCOPE, attributes) as span:
            if self.script.strikes(role.name, Shows.MODEL_RAISES):
                self.script.pause(120.0 if self.fault.code == "component.timeout" else self.rng.uniform(2.0, 4.0))
                raise raised(Sdk.OPENAI, self.fault.code or "", self.rng)
            if self.script.strikes(role.name, Shows.SLOW_RETRY):
                self.script.pause(self.rng.uniform(20.0, 45.0))
            self.script.wait(role.seconds * 1_000)
            if role.delegates_to:
                self._agent(WRITER)
            if self.script.strikes(role.name, Shows.STEP_RAISES):
                raise raised(Sdk.OPENAI, "handoff.schema_invalid", self.rng)
            crewai.finish_agent(span, MODEL)
        return span
