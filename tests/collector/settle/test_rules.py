"""Each rule fires on what frameworks really say, and not on what only sounds like it."""

from typing import NamedTuple

import pytest

from collector.settle.rules import OUR_RULES, RULES, Rule, Rules, Said, Where
from schemas.codes import BY_NAME, CODES, UNCLASSIFIED, Severity
from schemas.taxonomy import LayerA

LLM, AGENT, NODE, TOOL, REQUEST = Where.LLM, Where.AGENT, Where.NODE, Where.TOOL, Where.REQUEST


class Example(NamedTuple):
    """A rule, what it must fire on, and what it must not."""

    rule: str
    where: Where
    says: str
    near_miss: str
    finish: str = ""
    near_finish: str = "stop"


EXAMPLES = [
    Example(
        "state.context_overflow/text", LLM,
        "BadRequestError: Error code: 400 - {'error': {'code': 'context_length_exceeded'}}",
        "BadRequestError: Error code: 400 - the context of this request is unknown",
    ),
    Example("state.context_overflow/finish", LLM, "", "", "model_context_window_exceeded", "end_turn"),
    Example(
        "state.concurrent_update/langgraph", NODE,
        "InvalidUpdateError: At key 'answer': Can receive only one value per step. Use an Annotated key",
        "ValueError: expected one value per step",
    ),
    Example(
        "state.invalid_history/text", LLM,
        "BadRequestError: An assistant message with 'tool_calls' must be followed by tool messages responding to each",
        "BadRequestError: tool_calls must be a list",
    ),
    Example(
        "state.checkpoint/class", NODE,
        "ValueError: Checkpointer requires one or more of the following 'configurable' keys: thread_id",
        "A2AError: TaskNotFoundError: no such task",
    ),
    Example(
        "recovery.retry_exhausted/gave-up", AGENT,
        "UnexpectedModelBehavior: Exceeded maximum output retries (2)",
        "ToolRetryError: order id must be numeric",
    ),
    Example(
        "routing.loop_limit/limit", NODE,
        "GraphRecursionError: Recursion limit of 25 reached without hitting a stop condition.",
        "RecursionError: maximum recursion depth exceeded",
    ),
    Example(
        "routing.unknown_agent/target", TOOL,
        "Error executing tool. coworker mentioned not found, it must be one of the following options",
        "coworker not available today",
    ),
    Example(
        "routing.unknown_tool/name", TOOL,
        "Error: pay is not a valid tool, try one of [refund].",
        "Error: pay is not a valid currency, try one of [EUR].",
    ),
    Example("routing.unknown_tool/json-rpc", TOOL, "-32601: Method not found", "-32600: Invalid request"),
    Example(
        "routing.capability_denied/sandbox", TOOL,
        "InterpreterError: Import of os is not allowed. Authorized imports are: ['math']",
        "ImportError: cannot import name 'x' from 'os'",
    ),
    Example(
        "handoff.undelivered/class", NODE,
        "UndeliverableException: No handler for message",
        "DeliveryException: parcel lost",
    ),
    Example(
        "component.rate_limited/text", NODE,
        "OpenAIRateLimitError: slow down",
        "RateTableError: no rate for EUR",
    ),
    Example("component.rate_limited/status", LLM, "429: Error code: 429", "Error code: 420"),
    Example("component.rate_limited/words", LLM, "ApiError: Too many requests", "ApiError: too many tokens"),
    Example(
        "component.auth/text", LLM,
        "AuthenticationError: Incorrect API key provided: sk-***",
        "ApiError: the author is not known",
    ),
    Example("component.auth/status", LLM, "ApiError: status_code: 401", "ApiError: status_code: 410"),
    Example("component.timeout/sdk", NODE, "APITimeoutError: Request timed out.", "ValueError: time to think"),
    Example(
        "component.timeout/n8n", LLM,
        "NodeApiError: The connection was aborted, perhaps the server is offline",
        "NodeApiError: The connection was refused",
    ),
    Example("component.timeout/text", LLM, "ReadTimeout: ", "ValueError: timeout_s must be a number"),
    Example("component.timeout/status", LLM, "ApiError: Error code: 504", "ApiError: Error code: 505"),
    Example(
        "component.unavailable/sdk", NODE,
        "InternalServerError: The server had an error",
        "InternalError: an invariant is broken",
    ),
    Example("component.unavailable/status", LLM, "OpenAIAPIError: Error code: 529", "OpenAIAPIError: Error code: 459"),
    Example("component.unavailable/text", LLM, "ConnectError: [Errno 111]", "ValueError: no connection string"),
    Example(
        "component.refused/text", NODE,
        "Guardrail tripwire triggered: {'guardrail': 'no_pii'}",
        "ValueError: content filtered by date",
    ),
    Example("component.refused/finish", LLM, "", "", "content_filter"),
    Example(
        "handoff.tool_args_invalid/class", NODE,
        "AI_InvalidToolInputError: Invalid input for tool lookup: JSON parsing failed",
        "Error: invalid tool",
    ),
    Example(
        "handoff.schema_invalid/answer", LLM,
        "OutputParserException: Invalid json output: I think",
        "ValueError: not valid",
    ),
    Example(
        "component.bad_request/text", NODE,
        "BadRequestError: Unsupported parameter: 'top_k'",
        "RequestError: bad luck",
    ),
    Example(
        "component.bad_request/words", LLM,
        "NotFoundError: litellm.NotFoundError: the model x does not exist",
        "NotFound: x",
    ),
    Example("component.bad_request/status", LLM, "ApiError: Error code: 422", "ApiError: Error code: 302"),
    Example("handoff.truncated/finish", LLM, "", "", "length"),
    Example(
        "handoff.truncated/text", AGENT,
        "UnexpectedModelBehavior: Model token limit (10) exceeded before any response was generated.",
        "UsageLimitExceeded: Exceeded the total_tokens_limit of 10",
    ),
    Example(
        "handoff.tool_args_invalid/text", TOOL,
        "TypeError: search() got an unexpected keyword argument 'q'",
        "TypeError: unsupported operand type(s) for +",
    ),
    Example("handoff.tool_args_invalid/json-rpc", TOOL, "-32602: Invalid params", "-32603: Internal"),
    Example(
        "handoff.action_unparseable/text", AGENT,
        "AgentParsingError: Error in code parsing: Your code snippet is invalid",
        "SyntaxWarning: invalid escape",
    ),
    Example("handoff.action_unparseable/finish", LLM, "", "", "MALFORMED_FUNCTION_CALL"),
    Example("tool.rate_limited/text", TOOL, "Error: Rate limit hit, wait 3 s", "Error: rates are limited to EUR"),
    Example("tool.rate_limited/status", TOOL, "HTTPError: status code 429", "HTTPError: status code 302"),
    Example("tool.timeout/text", TOOL, "ReadTimeout: timed out after 30 s", "Error: the time is out of range"),
    Example(
        "tool.timeout/n8n", TOOL,
        "NodeApiError: The connection was aborted, perhaps the server is offline",
        "NodeApiError: The connection was refused",
    ),
    Example("tool.timeout/status", TOOL, "-32001: ", "-32003: "),
    Example(
        "tool.timeout/mcp", NODE,
        "McpError: Timed out while waiting for response to ClientRequest. Waited 0.5 seconds.",
        "McpError: Waiting for response",
    ),
    Example("tool.auth/text", TOOL, "Error: access denied", "Error: author not found"),
    Example("tool.auth/status", TOOL, "Error 403", "Error 430"),
    Example("tool.not_found/file", TOOL, "FileNotFoundError: [Errno 2] No such file", "FileExistsError: there already"),
    Example(
        "tool.input_unsupported/text", TOOL,
        "UnsupportedFormatException: formats [.xyz] are not supported",
        "ValueError: this operation is not supported",
    ),
    Example("tool.input_unsupported/status", TOOL, "HTTP 415", "HTTP 416"),
    Example("tool.not_found/text", TOOL, "-32602: Unknown resource: policy://x", "ValueError: nothing known"),
    Example("tool.not_found/status", REQUEST, "HTTP status 404", "HTTP status 304"),
    Example("tool.unavailable/text", TOOL, "Error: connect ECONNREFUSED 10.0.0.1:80", "Error: connection string empty"),
    Example("tool.unavailable/status", TOOL, "HTTPStatusError: Server error '503 Service Unavailable'", "took 503 ms"),
    Example("tool.empty_result/text", TOOL, "Error: No results found for this query", "Error: results are not ready"),
    Example("recovery.deadline/class", NODE, "TimeoutError: ", "ValueError: TimeoutError expected"),
    Example(
        "recovery.deadline/cancelled", TOOL, "CancelledError: Cancelled via cancel scope", "OrderError: Cancelled"
    ),
    Example("state.missing/class", NODE, "KeyError: 'ticket_id'", "ValueError: wrong KeyError"),
    Example(
        "handoff.schema_invalid/text", NODE,
        "JSONDecodeError: Expecting ',' delimiter: line 1 column 45 (char 44)",
        "ValueError: expecting more",
    ),
    Example("tool.error/other", TOOL, "ValueError: payment gateway refused", "TimeoutError: "),
]  # fmt: skip


def fitting(example: Example, says: str, finish: str) -> set[str]:
    """Ids of the rules that fit, each asked alone."""
    said = Said(example.where, says, finish)
    return {rule.rule_id for rule in RULES if Rules([rule]).name(said).rule_id}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_rule_fires_on_what_frameworks_say(example: Example) -> None:
    assert example.rule in fitting(example, example.says, example.finish)
    code = example.rule.split("/")[0]
    named = OUR_RULES.name(Said(example.where, example.says, example.finish))
    assert code in (named.code.code, *named.contributing)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_rule_does_not_fire_on_a_near_miss(example: Example) -> None:
    named = OUR_RULES.name(Said(example.where, example.near_miss, example.near_finish))
    assert named.rule_id != example.rule


def test_every_rule_has_an_example() -> None:
    assert [example.rule for example in EXAMPLES] == [rule.rule_id for rule in RULES]


def test_every_code_of_a_rule_is_in_the_table() -> None:
    assert {rule.code for rule in RULES} <= set(BY_NAME)
    assert len(BY_NAME) == len(CODES)


def test_every_row_says_where_it_looks_and_what_for() -> None:
    for rule in RULES:
        assert rule.where
        assert rule.says or rule.status or rule.finish or rule.is_last_resort


PRECEDENCE = [
    (LLM, "BadRequestError: Error code: 400 - maximum context length is 8192 tokens", "state.context_overflow"),
    (LLM, "RateLimitError: Error code: 429 - {'code': 'insufficient_quota'}", "component.rate_limited"),
    (LLM, "ApiError: insufficient_quota", "component.auth"),
    (LLM, "BadRequestError: Error code: 400 - {'code': 'content_filter'}", "component.refused"),
    (AGENT, "ConnectionError: Failed to connect to OpenAI API: Request timed out.", "component.timeout"),
    (AGENT, "TimeoutError: ", "recovery.deadline"),
    (TOOL, "McpError: -32602: Unknown tool: pay", "routing.unknown_tool"),
    (TOOL, "ValidationError: 1 validation error for pay\nField required", "handoff.tool_args_invalid"),
    (NODE, "ValidationError: 1 validation error for Answer\nField required", "handoff.schema_invalid"),
    (TOOL, "RuntimeError: Server error '503 Service Unavailable' after ReadTimeout", "tool.timeout"),
    (TOOL, "HTTPError: 401 Client Error: Unauthorized", "tool.auth"),
    (TOOL, "HTTPError: 404 Client Error: Not Found for url", "tool.not_found"),
    (TOOL, "KeyError: 'order'", "tool.error"),
    (REQUEST, "-32602: Unknown resource: policy://nothing", "tool.not_found"),
    (NODE, "HTTPStatusError: Client error '429 Too Many Requests' for url 'http://crm/'", "unclassified"),
    (LLM, "NodeApiError: Authorization failed - please check your credentials", "component.auth"),
    (TOOL, "NodeApiError: The resource you are requesting could not be found", "tool.not_found"),
    (TOOL, "NodeApiError: The service was not able to process your request", "tool.unavailable"),
    (NODE, "ValueError: No more mock responses available", "unclassified"),
    (
        LLM,
        "BadRequestError(\"messages with role \\'tool\\' must be a response to a preceeding message\")",
        "state.invalid_history",
    ),
    (LLM, "Could not parse response content as the request was rejected by the content filter", "component.refused"),
    (TOOL, "Could not convert it, suggesting that the filetype is simply not supported.", "tool.input_unsupported"),
    (NODE, "Tool not found: {'tool_name': 'find_order'}", "routing.unknown_tool"),
]


@pytest.mark.parametrize(("where", "says", "code"), PRECEDENCE)
def test_the_strongest_rule_names_the_failure(where: Where, says: str, code: str) -> None:
    assert OUR_RULES.name(Said(where, says)).code.code == code


def test_the_other_rules_that_fit_contribute() -> None:
    named = OUR_RULES.name(Said(LLM, "BadRequestError: Error code: 400 - context_length_exceeded"))
    assert named.contributing == ("component.bad_request",)


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("RateLimitError: Error code: 429 - {'type': 'invalid_request_error'}", "component.rate_limited"),
        ("AuthenticationError: Error code: 401 - {'type': 'invalid_request_error'}", "component.auth"),
        ("ModelHTTPError: status_code: 403, model_name: x", "component.auth"),
        ("NodeApiError: The service is receiving too many requests from you", "component.rate_limited"),
        ("APIStatusError: Error code: 408", "component.timeout"),
    ],
)
def test_a_status_with_a_code_of_its_own_is_no_wrong_request(says: str, code: str) -> None:
    named = OUR_RULES.name(Said(LLM, says))
    assert (named.code.code, named.contributing) == (code, ())


def test_nothing_is_guessed_where_no_rule_fits() -> None:
    named = OUR_RULES.name(Said(NODE, "ArithmeticError: broken"))
    assert (named.code, named.rule_id, named.contributing) == (UNCLASSIFIED, None, ())


def test_last_resort_never_contributes() -> None:
    named = OUR_RULES.name(Said(TOOL, "TimeoutError: slow"))
    assert named.contributing == ()


def test_a_row_that_says_several_things_wants_them_all() -> None:
    rules = Rules([Rule("tool.auth", "both", TOOL, "ledger", status=("409",))])
    assert rules.name(Said(TOOL, "ledger: HTTP 409")).rule_id == "tool.auth/both"
    assert rules.name(Said(TOOL, "ledger: HTTP 408")).rule_id is None


def test_hostile_text_costs_no_time() -> None:
    """Patterns are linear: 2,000 characters that begin many matches and end none."""
    for text in ("9" * 2_000, "RateLimit" * 222, "exceeds " * 250, "target agent " * 150, "a." * 1_000, "error " * 333):
        for where in Where:
            OUR_RULES.name(Said(where, text))


def test_codes_that_can_be_cured_say_how() -> None:
    for code in CODES:
        assert code.meaning.endswith(".")
        assert code.remedy.endswith(".")
        assert len(code.meaning) <= 120
        assert (code.layer_a == LayerA.UNCLASSIFIED) == (code is UNCLASSIFIED)
    assert {code.code for code in CODES if code.severity is Severity.LOW} == {
        "state.redundant_step", "handoff.contract_missing", "routing.tools_bypassed", "tool.empty_result",
    }  # fmt: skip
