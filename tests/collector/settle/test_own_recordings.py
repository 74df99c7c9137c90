"""Recordings that we made of frameworks the given ones leave out settle to what their scripts made happen.

Real frameworks against a scripted model: the first call of `length` and `filter` is cut, `pricing` of `parallel` gets a
500 while its siblings wait, `node-retry` and `client-retry` fail twice, `timeout` always. Paths are replaced.
"""

import csv

import pytest

from collector.settle import RunRow
from tests.otlp import RECORDINGS, spans_of
from tests.settling import settle_spans

OWN = RECORDINGS.parent / "own"

with (OWN / "OWN.tsv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def runs_of(folder: str) -> list[RunRow]:
    spans = [span for file in sorted((OWN / folder).glob("*.pb")) for span in spans_of(file.read_bytes())]
    return sorted(settle_spans(spans).run, key=lambda run: run.start_ns)


@pytest.mark.parametrize("folder", sorted({row["folder"] for row in ROWS}))
def test_a_recording_of_ours_settles_to_what_was_scripted(folder: str) -> None:
    said = [
        {
            "folder": folder,
            "run_no": str(n),
            "traces": str(len(run.trace_ids)),
            "workflow": run.workflow,
            "chain": ">".join(run.chain),
            "outcome": str(run.outcome),
            "failing_step": run.failing_step or "",
            "tokens_in": "" if run.tokens_input is None else str(run.tokens_input),
            "tokens_out": "" if run.tokens_output is None else str(run.tokens_output),
        }
        for n, run in enumerate(runs_of(folder), 1)
    ]
    assert said == [row for row in ROWS if row["folder"] == folder]


def test_every_recording_of_ours_has_its_expectation() -> None:
    assert {folder.name for folder in OWN.iterdir() if folder.is_dir()} == {row["folder"] for row in ROWS}
