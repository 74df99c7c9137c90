"""Every recording against what its scripted fakes did (EXPECTED.tsv), as far as single spans can tell."""

import csv
from collections.abc import Iterator
from functools import cache

import pytest

from collector.dialects import normalise
from schemas.records import Normalised, Span
from tests.otlp import RECORDINGS, recorded_folders, recorded_spans

NO_TOKENS = (
    "crewai-openinference",  # the instrumentation makes no model spans
    "openai_agents-genai",  # nor does this one
    "n8n-builtin",
)
"""Families whose spans carry no token counts."""

UNREADABLE_TOKENS = frozenset(
    {
        "autogen-builtin-single-agent",  # no team, no messages
        "openai_agents-openinference-filter",  # the SDK raises before it records the usage
        "crewai-openllmetry-guardrail-error",  # a crew's totals are its only counts, and a failed crew says none
        "crewai-openllmetry-handoff-error",
        "crewai-openllmetry-rate-limit",
        "crewai-openllmetry-server-error",
        "crewai-openllmetry-timeout",
    }
)

SELECTORS = ("autogen-builtin-selector", "autogen-builtin-selector-bad-route")
"""The selector's own model calls make no message, so the spans tell of fewer tokens than were used."""

UNREADABLE_WORKFLOWS = frozenset({"F", "F2"})
"""CrewAI flows are named by a uuid."""


@cache
def rows() -> dict[str, list[dict[str, str]]]:
    """The truth, by folder."""
    found: dict[str, list[dict[str, str]]] = {}
    with (RECORDINGS / "EXPECTED.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.setdefault(row["folder"], []).append(row)
    return found


@cache
def read_folder(folder: str) -> list[tuple[Span, Normalised]]:
    """The recording and what its dialects say."""
    return [(span, normalise(span)) for span in recorded_spans(folder)]


def of_run(row: dict[str, str]) -> Iterator[tuple[Span, Normalised]]:
    """The spans of one run."""
    traces = set(row["trace_ids"].split(","))
    return ((span, said) for span, said in read_folder(row["folder"]) if span.trace_id in traces)


def runs() -> list[pytest.ParameterSet]:
    return [
        pytest.param(row, id=f"{folder}-{row['run_no']}") for folder in recorded_folders() for row in rows()[folder]
    ]


@pytest.mark.parametrize("row", runs())
def test_tokens_are_counted_once(row: dict[str, str]) -> None:
    own: dict[str, tuple[int, int]] = {}
    sums: list[tuple[int, int]] = []
    for span, said in of_run(row):
        if said.tokens_input is not None:
            counts = (said.tokens_input, said.tokens_output or 0)
            if said.tokens_are_sum:
                sums.append(counts)
            else:
                own[said.response_id or span.span_id] = counts
    if row["family"] in NO_TOKENS or row["folder"] in UNREADABLE_TOKENS:
        assert not own
        return
    said_tokens = list(own.values()) or sums[:1]
    total = sum(taken for taken, _ in said_tokens), sum(given for _, given in said_tokens)
    expected = int(row["tokens_in"] or 0), int(row["tokens_out"] or 0)
    if row["folder"] in SELECTORS:
        assert total == (49, 3) < expected
    else:
        assert total == expected


@pytest.mark.parametrize("row", runs())
def test_steps_carry_the_names_a_user_expects(row: dict[str, str]) -> None:
    names = {said.step_name for _, said in of_run(row)}
    expected = [step for step in row["chain"].split(">") if step and not step.startswith("(") and step != "model"]
    assert [step for step in expected if step not in names] == []


@pytest.mark.parametrize("row", runs())
def test_the_workflow_is_named(row: dict[str, str]) -> None:
    said = {name for _, one in of_run(row) for name in (one.workflow, one.service)}
    assert (row["workflow"] in said) == (row["workflow"] not in UNREADABLE_WORKFLOWS)


@pytest.mark.parametrize("row", runs())
def test_failures_and_nothing_else_are_seen(row: dict[str, str]) -> None:
    spans = list(of_run(row))
    trouble = [
        said
        for _, said in spans
        if said.failed or said.in_band_error or said.resend_count or said.finish_reason in ("length", "content_filter")
    ]
    if row["outcome"] == "clean":
        assert trouble == []
    elif row["outcome"] == "pending":
        assert any(said.interrupted for _, said in spans)
        assert trouble == []
    elif row["observable"] == "yes":
        assert trouble != []
    if row["outcome"] == "failed":
        assert any(said.failed for _, said in spans)


@pytest.mark.parametrize("row", runs())
def test_the_origin_of_a_failure_is_no_echo(row: dict[str, str]) -> None:
    for span, said in of_run(row):
        if span.span_id == row["origin_span_id"] and row["observable"] == "yes":
            assert not said.collateral


def test_no_recording_is_unreadable_or_of_unknown_dialect() -> None:
    ours = {"refund.app", "orders.app"}
    for folder in recorded_folders():
        for span, said in read_folder(folder):
            assert "dialect_error" not in said.gaps
            assert said.dialect != "generic" or span.scope.name in ours
