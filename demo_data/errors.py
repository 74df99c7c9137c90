"""The exceptions of the demo's world, in the words of the framework that raises them (`error_texts`)."""

from random import Random
from string import Template

from demo_data.error_texts import ANSWERS, ERROR_TEXTS, Sdk
from demo_data.plan import Raised

__all__ = ["ANSWERS", "ERROR_TEXTS", "FRAMES", "Sdk", "raised"]


FRAMES = {
    Sdk.LANGCHAIN: '  File "/app/site-packages/langgraph/_internal/_runnable.py", line 836, in ainvoke\n'
    "    input = await asyncio.create_task(",
    Sdk.OPENAI: '  File "/app/site-packages/crewai/agent/core.py", line 612, in execute_task\n'
    "    result = self._execute_without_timeout(task_prompt, task)",
    Sdk.PYDANTIC_AI: '  File "/app/site-packages/pydantic_ai/_agent_graph.py", line 977, in _make_request\n'
    "    response = await model.request(message_history, model_settings, model_request_parameters)",
    Sdk.OPENAI_AGENTS: '  File "/app/site-packages/agents/run.py", line 1011, in _run_single_turn\n'
    "    new_response = await cls._get_new_response(",
    Sdk.AUTOGEN: '  File "/app/site-packages/autogen_core/_base_agent.py", line 119, in on_message\n'
    "    return await agent.on_message(",
    Sdk.N8N: "    at ExecuteContext.execute (/app/n8n/nodes-base/HttpRequestV3.node.ts:866:15)",
}


def raised(sdk: Sdk, code: str, rng: Random) -> Raised:
    """The exception this SDK raises for this code, its numbers drawn."""
    error_class, template = ERROR_TEXTS.get((sdk, code)) or ERROR_TEXTS[Sdk.PYTHON, code]
    if "$" not in template:
        return Raised(error_class, template, FRAMES[sdk])
    column = rng.randrange(38, 190)
    message = Template(template).substitute(
        tokens=rng.randrange(129_000, 171_000),
        column=column,
        char=column - 1,
        order=f"A-{rng.randrange(10_000, 99_999)}",
        service=rng.choice(("checkout", "search", "payments")),
    )
    return Raised(error_class, message, FRAMES[sdk])
