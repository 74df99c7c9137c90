"""What each SDK's exceptions look like for each code: class and message as recorded from the real libraries."""

from enum import StrEnum
from random import Random
from string import Template

from demo_data.plan import Raised


class Sdk(StrEnum):
    """Whose exception it is."""

    LANGCHAIN = "langchain"
    OPENAI = "openai"
    PYDANTIC_AI = "pydantic_ai"
    N8N = "n8n"


ERROR_TEXTS: dict[tuple[Sdk, str], tuple[str, str]] = {
    (Sdk.LANGCHAIN, "component.rate_limited"): (
        "langchain_openai.chat_models.base.OpenAIRateLimitError",
        "Error code: 429 - Rate limit reached for requests",
    ),
    (Sdk.LANGCHAIN, "component.unavailable"): (
        "langchain_openai.chat_models.base.OpenAIAPIError",
        "Error code: 500 - The server had an error while processing your request",
    ),
    (Sdk.LANGCHAIN, "component.timeout"): (
        "langchain_openai.chat_models.base.OpenAITimeoutError",
        "Request timed out.",
    ),
    (Sdk.LANGCHAIN, "component.auth"): (
        "openai.AuthenticationError",
        "Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-proj-****f3Qa.', "
        "'type': 'invalid_request_error', 'param': None, 'code': 'invalid_api_key'}}",
    ),
    (Sdk.LANGCHAIN, "state.context_overflow"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"This model's maximum context length is 128000 tokens. However, "
        'your messages resulted in $tokens tokens. Please reduce the length of the messages.", '
        "'type': 'invalid_request_error', 'param': 'messages', 'code': 'context_length_exceeded'}}",
    ),
    (Sdk.LANGCHAIN, "state.missing"): ("KeyError", "'ticket_id'"),
    (Sdk.LANGCHAIN, "handoff.schema_invalid"): (
        "json.decoder.JSONDecodeError",
        "Expecting ',' delimiter: line 1 column $column (char $char)",
    ),
    (Sdk.LANGCHAIN, "handoff.tool_args_invalid"): (
        "pydantic_core._pydantic_core.ValidationError",
        "1 validation error for ledger_query\norder_id\n  Field required [type=missing, "
        "input_value={'order': '$order'}, input_type=dict]\n"
        "    For further information visit https://errors.pydantic.dev/2.12/v/missing",
    ),
    (Sdk.LANGCHAIN, "routing.unknown_agent"): ("KeyError", "'refunds_emea'"),
    (Sdk.LANGCHAIN, "routing.loop_limit"): (
        "langgraph.errors.GraphRecursionError",
        "Recursion limit of 12 reached without hitting a stop condition. You can increase the limit by setting the "
        "`recursion_limit` config key.\nFor troubleshooting, visit: "
        "https://docs.langchain.com/oss/python/langgraph/errors/GRAPH_RECURSION_LIMIT",
    ),
    (Sdk.LANGCHAIN, "tool.timeout"): ("httpx.ReadTimeout", "timed out after 30.0 s"),
    (Sdk.LANGCHAIN, "tool.unavailable"): (
        "httpx.HTTPStatusError",
        "Server error '503 Service Unavailable' for url 'http://ledger.internal/v2/query'",
    ),
    (Sdk.OPENAI, "component.rate_limited"): (
        "openai.RateLimitError",
        "Error code: 429 - {'error': {'message': 'Rate limit reached for requests', 'type': 'rate_limit_error', "
        "'param': None, 'code': 'rate_limit_error'}}",
    ),
    (Sdk.OPENAI, "component.timeout"): ("openai.APITimeoutError", "Request timed out."),
    (Sdk.OPENAI, "state.context_overflow"): (
        "crewai.utilities.exceptions.context_window_exceeding_exception.LLMContextLengthExceededError",
        "LLM context length exceeded. Original error: This model's maximum context length is 128000 tokens. However, "
        "your messages resulted in $tokens tokens.\nConsider using a smaller input or implementing a text splitting "
        "strategy.",
    ),
    (Sdk.OPENAI, "handoff.schema_invalid"): (
        "pydantic_core._pydantic_core.ValidationError",
        "1 validation error for MarketFigures\n  Invalid JSON: EOF while parsing a list at line 1 column $column "
        '[type=json_invalid, input_value=\'{"segments": ["retail"\', input_type=str]\n'
        "    For further information visit https://errors.pydantic.dev/2.12/v/json_invalid",
    ),
    (Sdk.OPENAI, "tool.error"): ("ValueError", "photo archive has no files for this claim"),
    (Sdk.OPENAI, "recovery.retry_exhausted"): (
        "Exception",
        "Task failed guardrail validation after 2 retries. Last error: no source named for a figure",
    ),
    (Sdk.PYDANTIC_AI, "component.rate_limited"): (
        "pydantic_ai.exceptions.ModelRateLimitError",
        "status_code: 429, model_name: gpt-4o-mini, body: {'message': 'Rate limit reached for requests', "
        "'type': 'rate_limit_error', 'param': None, 'code': 'rate_limit_error'}",
    ),
    (Sdk.PYDANTIC_AI, "component.unavailable"): (
        "pydantic_ai.exceptions.ModelServerError",
        "status_code: 500, model_name: gpt-4o-mini, body: {'message': 'The server had an error', "
        "'type': 'server_error', 'param': None, 'code': 'server_error'}",
    ),
    (Sdk.PYDANTIC_AI, "routing.loop_limit"): (
        "pydantic_ai.exceptions.UsageLimitExceeded",
        "The next request would exceed the request_limit of 6",
    ),
    (Sdk.PYDANTIC_AI, "tool.rate_limited"): (
        "pydantic_ai.exceptions.ToolRetryError",
        "Error executing tool query_metrics: 429 Too Many Requests",
    ),
    (Sdk.PYDANTIC_AI, "tool.error"): (
        "pydantic_ai.exceptions.ToolRetryError",
        "Error executing tool restart_service: change freeze is active for $service",
    ),
    (Sdk.PYDANTIC_AI, "tool.timeout"): ("TimeoutError", "tools/call query_metrics timed out after 20.0 s"),
    (Sdk.PYDANTIC_AI, "handoff.tool_args_invalid"): (
        "pydantic_ai.exceptions.ToolRetryError",
        "1 validation error for query_metrics\nwindow_minutes\n  Input should be a valid integer, unable to parse "
        "string as an integer [type=int_parsing, input_value='last hour', input_type=str]",
    ),
    (Sdk.N8N, "tool.rate_limited"): ("NodeApiError", "The service is receiving too many requests from you"),
    (Sdk.N8N, "tool.auth"): ("NodeApiError", "Authorization failed - please check your credentials"),
    (Sdk.N8N, "component.unavailable"): ("NodeApiError", "The service was not able to process your request"),
    (Sdk.N8N, "component.timeout"): ("NodeApiError", "The connection was aborted, perhaps the server is offline"),
    (Sdk.N8N, "handoff.schema_invalid"): (
        "WrappedExecutionError",
        "Expected ',' or '}' after property value in JSON at position $char [line 1]",
    ),
}
"""(whose, code) to (exception class, message); `$names` in a message are filled in."""

FRAMES = {
    Sdk.LANGCHAIN: '  File "/app/site-packages/langgraph/_internal/_runnable.py", line 836, in ainvoke\n'
    "    input = await asyncio.create_task(",
    Sdk.OPENAI: '  File "/app/site-packages/crewai/agent/core.py", line 612, in execute_task\n'
    "    result = self._execute_without_timeout(task_prompt, task)",
    Sdk.PYDANTIC_AI: '  File "/app/site-packages/pydantic_ai/_agent_graph.py", line 977, in _make_request\n'
    "    response = await model.request(message_history, model_settings, model_request_parameters)",
    Sdk.N8N: "    at ExecuteContext.execute (/app/n8n/nodes-base/HttpRequestV3.node.ts:866:15)",
}


def raised(sdk: Sdk, code: str, rng: Random) -> Raised:
    """The exception this SDK raises for this code, its numbers drawn."""
    error_class, template = ERROR_TEXTS[sdk, code]
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
