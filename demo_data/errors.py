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
    (Sdk.LANGCHAIN, "tool.rate_limited"): (
        "httpx.HTTPStatusError",
        "Client error '429 Too Many Requests' for url 'http://ledger.internal/v2/query'",
    ),
    (Sdk.LANGCHAIN, "tool.auth"): (
        "httpx.HTTPStatusError",
        "Client error '401 Unauthorized' for url 'http://ledger.internal/v2/query'",
    ),
    (Sdk.LANGCHAIN, "tool.not_found"): (
        "FileNotFoundError",
        "[Errno 2] No such file or directory: '/mnt/ledger/$order.json'",
    ),
    (Sdk.LANGCHAIN, "tool.input_unsupported"): (
        "markitdown._exceptions.UnsupportedFormatException",
        "Could not convert stream to Markdown. No converter attempted a conversion, suggesting that the filetype is "
        "simply not supported.",
    ),
    (Sdk.LANGCHAIN, "tool.error"): ("ValueError", "ledger entry of $order has two owners"),
    (Sdk.LANGCHAIN, "component.bad_request"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"Unsupported value: 'temperature' does not support 0.2 with this "
        "model.\", 'type': 'invalid_request_error', 'param': 'temperature', 'code': 'unsupported_value'}}",
    ),
    (Sdk.LANGCHAIN, "component.refused"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"The response was filtered due to the prompt triggering Azure "
        "OpenAI's content management policy.\", 'code': 'content_filter', 'status': 400}}",
    ),
    (Sdk.LANGCHAIN, "state.invalid_history"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"An assistant message with 'tool_calls' must be followed by tool "
        "messages responding to each 'tool_call_id'.\", 'type': 'invalid_request_error'}}",
    ),
    (Sdk.LANGCHAIN, "state.concurrent_update"): (
        "langgraph.errors.InvalidUpdateError",
        "At key 'draft': Can receive only one value per step. Use an Annotated key to handle multiple values.",
    ),
    (Sdk.LANGCHAIN, "state.checkpoint"): ("ValueError", "No checkpointer set"),
    (Sdk.LANGCHAIN, "recovery.deadline"): (
        "langgraph.errors.NodeTimeoutError",
        "Node 'delivery' exceeded its timeout of 30.0 s",
    ),
    (Sdk.LANGCHAIN, "handoff.action_unparseable"): (
        "langchain_core.exceptions.OutputParserException",
        "Could not parse LLM output: `I would refund $order`",
    ),
    (Sdk.OPENAI, "component.unavailable"): (
        "openai.InternalServerError",
        "Error code: 503 - {'error': {'message': 'The engine is currently overloaded', 'type': 'server_error'}}",
    ),
    (Sdk.OPENAI, "component.auth"): (
        "openai.AuthenticationError",
        "Error code: 401 - {'error': {'message': 'Incorrect API key provided', 'type': 'invalid_request_error', "
        "'param': None, 'code': 'invalid_api_key'}}",
    ),
    (Sdk.OPENAI, "component.bad_request"): (
        "openai.NotFoundError",
        "Error code: 404 - {'error': {'message': 'The model `gpt-9` does not exist', 'code': 'model_not_found'}}",
    ),
    (Sdk.PYDANTIC_AI, "component.timeout"): ("pydantic_ai.exceptions.ModelTimeoutError", "Request timed out."),
    (Sdk.PYDANTIC_AI, "component.auth"): (
        "pydantic_ai.exceptions.ModelHTTPError",
        "status_code: 401, model_name: gpt-4o-mini, body: {'message': 'Incorrect API key provided', "
        "'code': 'invalid_api_key'}",
    ),
    (Sdk.PYDANTIC_AI, "component.bad_request"): (
        "pydantic_ai.exceptions.ModelHTTPError",
        "status_code: 400, model_name: gpt-4o-mini, body: {'message': 'Unsupported parameter', "
        "'type': 'invalid_request_error'}",
    ),
    (Sdk.PYDANTIC_AI, "state.context_overflow"): (
        "pydantic_ai.exceptions.ModelHTTPError",
        "status_code: 400, model_name: gpt-4o-mini, body: {'message': \"This model's maximum context length is 128000 "
        "tokens. However, your messages resulted in $tokens tokens.\", 'code': 'context_length_exceeded'}",
    ),
    (Sdk.N8N, "tool.unavailable"): ("NodeApiError", "The service was not able to process your request"),
    (Sdk.N8N, "tool.timeout"): ("NodeApiError", "The connection was aborted, perhaps the server is offline"),
    (Sdk.N8N, "tool.not_found"): ("NodeApiError", "The resource you are requesting could not be found"),
    (Sdk.N8N, "tool.error"): ("NodeOperationError", "The returned data has no field 'company'"),
    (Sdk.N8N, "component.rate_limited"): ("NodeApiError", "The service is receiving too many requests from you"),
    (Sdk.N8N, "component.auth"): ("NodeApiError", "Authorization failed - please check your credentials"),
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
