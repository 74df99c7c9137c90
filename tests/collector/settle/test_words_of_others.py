"""What providers, clients and frameworks say of their failures, in their own words, and what that is."""

from pathlib import Path

import pytest

from collector.dialects.content import find_error, parsed
from collector.settle.rules import OUR_RULES, Said, Where

PLACES = {"llm": Where.LLM, "agent": Where.AGENT, "node": Where.NODE, "tool": Where.TOOL}
LINES = Path(__file__).with_name("words_of_others.tsv").read_text("utf-8").splitlines()[1:]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.replace("\t", " ")[:60])
def test_words_of_others_are_understood(line: str) -> None:
    """Families that were never recorded say it in words of their own; the code is the same."""
    where, code, says = line.split("\t")
    assert OUR_RULES.name(Said(PLACES[where], says.replace("\\n", "\n"))).code.code == code


@pytest.mark.parametrize(
    "result",
    [
        "Tool with name nope not found. Please select a tool from ['a'].",
        "Agent nope not found. Please select a different agent. Available agents: a",
        "Encountered error: database down",
        "Action 'nope' don't exist, these are the only available Actions: a",
        "Invoking `lookup()` failed as the following mandatory input parameters are not present: id",
        "requests.exceptions.ReadTimeout: read timed out",
        "Exception: database down",
        "[ERROR] database down",
        "HTTP/1.1 503 Service Unavailable",
        "HTTP 500: broken",
        "Request failed with status code 502",
        "<!DOCTYPE html><html><head><meta charset='utf-8'><title>Error 403 (Forbidden)</title>",
        "<html>\n<head><title>404 Not Found</title></head>",
        "Address: https://shop/orders\nTitle: Error 403\nViewport position: Showing page 1 of 1.\n## Error 403",
        "Address: https://shop/orders\nTitle: Error\n## Error\n\n('Connection aborted.', RemoteDisconnected())",
        "# 404 Not Found\n\nnginx",
        "meta=None content=[TextContent(type='text', text='database down')] isError=True",
        "content='database down' name='lookup' tool_call_id='1' status='error'",
        '{"statusCode": 404, "message": "Not Found"}',
        '{"code": 500, "message": "database down"}',
        '{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no such order"}',
        '{"data": null, "errors": [{"message": "database down"}]}',
        '{"status": "failed", "error_message": "database down"}',
    ],
)
def test_an_error_in_a_result_is_seen(result: str) -> None:
    """Error pages, problem documents and printed results of tools that claim success."""
    assert find_error(parsed(result)) is not None


@pytest.mark.parametrize(
    "result",
    [
        "No errors found",
        "The error rate is 3 %",
        "500 units in stock",
        "404 pages were read",
        "timeout: 30",
        "HTTP is a protocol",
        "The request timed out for order 3, so it was refunded",
        "<html><head><title>How to fix error 404</title></head>",
        "Title: Error handling in agents\n# Errors\n\n## 500 ways to fail",
        "content='all good' name='lookup' tool_call_id='1' status='success'",
        '{"status": "failed", "order": 3}',
        '{"code": 404, "name": "garden hose", "price": 3}',
        '{"statusCode": 200, "body": "ok"}',
        '{"errors": [], "data": {"a": 1}}',
        '{"error": null, "data": 1}',
        '{"errors": [{"message": "one field is deprecated"}], "data": {"a": 1}}',
    ],
)
def test_a_result_that_only_speaks_of_errors_is_none(result: str) -> None:
    assert find_error(parsed(result)) is None
