"""The command line: help that explains everything, errors that say what to do, labels that match what was sent."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from demo_data import cli
from demo_data.workflows import WORKFLOWS
from tests.demo_data.conftest import Sink

SMALL = ["--days", "1", "--end", "2026-11-20T12:00:00Z", "--runs-per-day", "30"]


def test_help_explains_every_option_and_workflow() -> None:
    """Each option has a help text, and each workflow is named with what it is."""
    text = CliRunner().invoke(cli.main, ["--help"]).output
    for option in cli.main.params:
        assert isinstance(option, click.Option)
        assert option.opts[0] in text
        assert option.help
    for workflow in WORKFLOWS.values():
        assert workflow.name in text
        assert workflow.about in " ".join(text.split())


def test_history_is_sent_and_labelled(sink: Sink, tmp_path: Path) -> None:
    """Exit code 0, a label for each run, and every label's trace among the spans."""
    labels_path = tmp_path / "labels.jsonl"
    result = CliRunner().invoke(cli.main, ["--endpoint", sink.url, "--labels", str(labels_path), *SMALL])
    assert result.exit_code == 0, result.output
    labels = [json.loads(line) for line in labels_path.read_text().splitlines()]
    traces = {span.trace_id.hex() for span in sink.spans()}
    assert labels
    assert {label["trace_id"] for label in labels} <= traces
    assert f"{len(sink.spans()):,} spans sent, 0 failed" in result.output


def test_only_limits_to_a_workflow(sink: Sink) -> None:
    """Nothing of the others is sent."""
    result = CliRunner().invoke(cli.main, ["--endpoint", sink.url, "--only", "rag_answers", *SMALL])
    assert result.exit_code == 0
    assert {span.name for span in sink.spans() if not span.parent_span_id} == {"rag_answers"}


def test_lost_spans_end_in_exit_code_1(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink that refuses for good: the count is printed and the code says so."""
    monkeypatch.setattr("demo_data.delivery.RETRY_WAITS_S", ())
    sink.refusals = [400] * 1_000
    result = CliRunner().invoke(cli.main, ["--endpoint", sink.url, *SMALL])
    assert result.exit_code == 1
    assert "0 spans sent" in result.output


def test_nothing_listening_says_how_to_start_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the connect time, with address and remedy."""
    monkeypatch.setattr(cli, "CONNECT_WAIT_S", 0.1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli.main, ["--endpoint", f"http://127.0.0.1:{port}", *SMALL])
    assert result.exit_code == 1
    assert f"nothing listens at 127.0.0.1:{port}" in result.output
    assert "seamscope collect" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--end", "yesterday"], "'yesterday' is not an ISO 8601 time"),
        (["--header", "token"], "'token' has no '='"),
        (["--endpoint", "localhost:4318"], "'localhost:4318' is not a URL"),
    ],
)
def test_usage_errors_show_the_value_and_the_right_form(arguments: list[str], words: str) -> None:
    """Exit code 2 and an example to copy."""
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert "write it like" in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_live_traffic_cleanly(sink: Sink, number: signal.Signals) -> None:
    """What has ended is sent, the count is printed, and the exit code is 0."""
    command = [sys.executable, "-m", "demo_data", "--endpoint", sink.url, "--days", "0", "--live", "--live-rate", "600"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not sink.requests and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"{len(sink.spans()):,} spans sent, 0 failed" in said
