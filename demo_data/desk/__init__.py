"""One small workflow in many dialects, on which every kind of fault is played: accuracy is measured with it.

It never strikes the demo. `writer` says what a dialect must be able to write, one module each does it; `script` is
what happens.
"""

from functools import partial

from demo_data.desk.genai import GenAi
from demo_data.desk.langsmith import LangSmith
from demo_data.desk.lookalikes import LOOKALIKES
from demo_data.desk.openai_agents import OpenAiAgents
from demo_data.desk.openinference import OpenInference
from demo_data.desk.openllmetry import OpenLlmetry
from demo_data.desk.patterns import PATTERNS
from demo_data.desk.pydantic_ai import PydanticAi
from demo_data.desk.script import Desk
from demo_data.desk.writer import Writer
from demo_data.plan import Case, RunPlan
from demo_data.workflows import ALWAYS, Workflow

WRITERS: dict[str, type[Writer]] = {
    writer.dialect: writer for writer in (OpenInference, OpenLlmetry, LangSmith, GenAi, OpenAiAgents, PydanticAi)
}


def plan(writer: type[Writer], case: Case) -> RunPlan:
    """One run of the desk in a dialect."""
    return Desk(case, writer, PATTERNS | LOOKALIKES).run()


DESKS: dict[str, Workflow] = {
    f"desk-{dialect}": Workflow(f"desk-{dialect}", partial(plan, writer), 0, ((ALWAYS, "1.0.0"),), staging=False)
    for dialect, writer in WRITERS.items()
}
