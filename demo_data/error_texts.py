"""What each framework's exceptions look like for each code: class and message as recorded, or as in its source."""

from enum import StrEnum


class Sdk(StrEnum):
    """Whose exception it is."""

    PYTHON = "python"
    """A library below any framework: builtins, httpx, openai, pydantic."""
    LANGCHAIN = "langchain"
    OPENAI = "openai"
    OPENAI_AGENTS = "openai_agents"
    PYDANTIC_AI = "pydantic_ai"
    AUTOGEN = "autogen"
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
    (Sdk.PYTHON, "component.rate_limited"): (
        "openai.RateLimitError",
        "Error code: 429 - {'error': {'message': 'Rate limit reached for requests', 'type': 'rate_limit_error'}}",
    ),
    (Sdk.PYTHON, "component.unavailable"): (
        "openai.InternalServerError",
        "Error code: 500 - {'error': {'message': 'The server had an error', 'type': 'server_error'}}",
    ),
    (Sdk.PYTHON, "component.timeout"): ("openai.APITimeoutError", "Request timed out."),
    (Sdk.PYTHON, "component.auth"): (
        "openai.AuthenticationError",
        "Error code: 401 - {'error': {'message': 'Incorrect API key provided', 'code': 'invalid_api_key'}}",
    ),
    (Sdk.PYTHON, "component.bad_request"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"Unsupported parameter: 'max_tokens' is not supported with this "
        "model.\", 'type': 'invalid_request_error', 'param': 'max_tokens', 'code': 'unsupported_parameter'}}",
    ),
    (Sdk.PYTHON, "component.refused"): (
        "openai.ContentFilterFinishReasonError",
        "Could not parse response content as the request was rejected by the content filter",
    ),
    (Sdk.PYTHON, "state.context_overflow"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"This model's maximum context length is 128000 tokens. However, "
        "your messages resulted in $tokens tokens.\", 'code': 'context_length_exceeded'}}",
    ),
    (Sdk.PYTHON, "state.invalid_history"): (
        "openai.BadRequestError",
        "Error code: 400 - {'error': {'message': \"Invalid parameter: messages with role 'tool' must be a response to "
        "a preceeding message with 'tool_calls'.\", 'type': 'invalid_request_error', 'param': 'messages.[2].role'}}",
    ),
    (Sdk.PYTHON, "state.missing"): ("KeyError", "'customer_id'"),
    (Sdk.PYTHON, "handoff.schema_invalid"): (
        "pydantic_core._pydantic_core.ValidationError",
        "1 validation error for Reply\nbody\n  Field required [type=missing, input_value={'text': 'Dear'}, "
        "input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.12/v/missing",
    ),
    (Sdk.PYTHON, "handoff.tool_args_invalid"): (
        "TypeError",
        "lookup_order() got an unexpected keyword argument 'order'",
    ),
    (Sdk.PYTHON, "routing.capability_denied"): (
        "smolagents.local_python_executor.InterpreterError",
        "Import of os is not allowed. Authorized imports are: ['math', 're', 'statistics', 'time']",
    ),
    (Sdk.PYTHON, "tool.rate_limited"): (
        "httpx.HTTPStatusError",
        "Client error '429 Too Many Requests' for url 'http://orders.internal/v1/orders'",
    ),
    (Sdk.PYTHON, "tool.timeout"): ("httpx.ReadTimeout", "The read operation timed out"),
    (Sdk.PYTHON, "tool.unavailable"): (
        "httpx.ConnectError",
        "[Errno 111] Connection refused",
    ),
    (Sdk.PYTHON, "tool.auth"): (
        "httpx.HTTPStatusError",
        "Client error '403 Forbidden' for url 'http://orders.internal/v1/orders'",
    ),
    (Sdk.PYTHON, "tool.not_found"): (
        "httpx.HTTPStatusError",
        "Client error '404 Not Found' for url 'http://orders.internal/v1/orders/$order'",
    ),
    (Sdk.PYTHON, "tool.input_unsupported"): (
        "markitdown._exceptions.UnsupportedFormatException",
        "Could not convert stream to Markdown. No converter attempted a conversion, suggesting that the filetype is "
        "simply not supported.",
    ),
    (Sdk.PYTHON, "tool.error"): ("ZeroDivisionError", "division by zero"),
    (Sdk.PYTHON, "recovery.retry_exhausted"): (
        "tenacity.RetryError",
        "RetryError[<Future at 0x7f1c2c0a3d90 state=finished raised ReadTimeout>]",
    ),
    (Sdk.PYTHON, "recovery.deadline"): ("TimeoutError", "step exceeded its deadline of 30 s"),
    (Sdk.PYTHON, "unclassified"): ("desk.ledger.LedgerOutOfBalance", "debit and credit differ by 4 cents"),
    (Sdk.LANGCHAIN, "routing.unknown_tool"): (
        "ValueError",
        "find_order is not a valid tool, try one of [lookup_order, send_reply].",
    ),
    (Sdk.OPENAI_AGENTS, "routing.loop_limit"): ("agents.exceptions.MaxTurnsExceeded", "Max turns (10) exceeded"),
    (Sdk.OPENAI_AGENTS, "routing.unknown_tool"): (
        "agents.exceptions.ModelBehaviorError",
        "Tool find_order not found in agent work",
    ),
    (Sdk.OPENAI_AGENTS, "handoff.action_unparseable"): (
        "agents.exceptions.ModelBehaviorError",
        "Invalid JSON input for tool send_reply: {'order_id': 'A-1",
    ),
    (Sdk.OPENAI_AGENTS, "handoff.schema_invalid"): (
        "agents.exceptions.ModelBehaviorError",
        'Invalid JSON when parsing {"body": "Dear for TypeAdapter(Reply); 1 validation error for Reply\n'
        "  Invalid JSON: EOF while parsing a string at line 1 column 14 [type=json_invalid]",
    ),
    (Sdk.PYDANTIC_AI, "recovery.retry_exhausted"): (
        "pydantic_ai.exceptions.UnexpectedModelBehavior",
        "Exceeded maximum output retries (2)",
    ),
    (Sdk.PYDANTIC_AI, "routing.unknown_tool"): (
        "pydantic_ai.exceptions.UnexpectedModelBehavior",
        "Unknown tool name: 'find_order'. Available tools: 'lookup_order', 'send_reply'",
    ),
    (Sdk.PYDANTIC_AI, "component.refused"): (
        "pydantic_ai.exceptions.ContentFilterError",
        "Content filter triggered. Finish reason: 'content_filter'",
    ),
}
"""(whose, code) to (exception class, message); `$names` in a message are filled in."""

ANSWERS = {
    "tool.error": "Error executing tool {tool}: order {order} is locked by a running settlement",
    "tool.auth": "Error: 403 Forbidden - token lacks scope orders:read for order {order}",
    "tool.rate_limited": "Error: 429 Too Many Requests, try again in 12 s",
    "tool.timeout": "Error: request to orders.internal timed out after 30 s",
    "tool.unavailable": '{{"error": "upstream orders-eu answered 503 Service Unavailable"}}',
    "tool.not_found": '{{"error": {{"code": 404, "message": "404 Not Found: no order {order}"}}}}',
    "tool.input_unsupported": "Error: file format .heic is not supported, send .jpg or .png",
    "tool.empty_result": "No results found for {order}.",
    "handoff.tool_args_invalid": "Error invoking tool '{tool}' with kwargs {{'order': '{order}'}} with error:\n"
    " order_id: Field required\n Please fix the error and try again.",
    "routing.capability_denied": "Error: Import of os is not allowed. Authorized imports are: ['math', 're', 'time']",
    "routing.unknown_agent": "Error: coworker mentioned not found, it must be one of the following options:\n- billing",
}
"""What a tool answers under a good status when it failed."""
