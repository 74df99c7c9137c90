"""`seamscope check`: exit codes, against a folder, a running collector and files."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.checks import CheckReport
from tests.collecting import Collector
from tests.dashboard.cli import RECORDINGS, seamscope

GOOD = RECORDINGS / "autogen-builtin-good"
FAILED = RECORDINGS / "autogen-builtin-rate-limit"


def check(*arguments: str | Path) -> tuple[int, str]:
    done = seamscope("check", *arguments, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
class TestFiles:
    def test_good_runs_pass(self) -> None:
        """Exit code 0, a line a threshold."""
        code, said = check("--file", GOOD, "--min-observed", "0.9", "--max-p95", "60s", "--no-storms", "--no-drift")
        assert code == 0
        assert "RoundRobinGroupChat\n  ok    E              100.0 % [20.7 %, 100.0 %] of 1 run, at least 90.0 %" in said
        assert "all 4 checks passed" in said

    def test_failed_runs_fail_as_the_mode_says(self) -> None:
        """One bad run of two is within chance of 90 %, by its value it is not; the reason stands beside it."""
        both = ("--file", GOOD, "--file", FAILED, "--min-observed", "0.9")
        assert check(*both)[0] == 0
        code, said = check(*both, "--point")
        assert code == 1
        assert "FAIL  E              50.0 % [9.5 %, 90.5 %] of 2 runs, at least 90.0 % wanted" in said
        assert "1 of 1 checks failed" in said
        assert check(*both, "--strict")[0] == 1

    def test_json_holds_the_same(self) -> None:
        """It follows its model, and the exit code is that of the text."""
        done = seamscope("check", "--file", FAILED, "--min-observed", "90%", "--point", "--format", "json", check=False)
        assert done.returncode == 1
        Draft202012Validator(CheckReport.model_json_schema(mode="serialization")).validate(json.loads(done.stdout))
        found = CheckReport.model_validate_json(done.stdout)
        (workflow,) = found.workflows
        assert (found.ok, found.mode, workflow.ok, workflow.finished) == (False, "point", False, 1)
        assert (workflow.checks[0].metric, workflow.checks[0].limit) == ("observed", 0.9)

    def test_what_is_no_trace_cannot_be_checked(self, tmp_path: Path) -> None:
        """Exit code 2: neither passed nor failed; the file is named."""
        bad = tmp_path / "bad.jsonl"
        bad.write_text("{nonsense\n")
        code, said = check("--file", GOOD, "--file", bad, "--min-observed", "0.5")
        assert code == 2
        assert "bad.jsonl" in said

    def test_files_without_runs_prove_nothing(self, tmp_path: Path) -> None:
        """An exporter that sent nothing must not pass a gate, unless that is allowed."""
        empty = tmp_path / "empty.jsonl"
        empty.write_text('{"resourceSpans": []}\n')
        code, said = check("--file", empty, "--min-observed", "0.5")
        assert code == 1
        assert "no run has finished in this window: nothing could be checked" in said
        assert check("--file", empty, "--min-observed", "0.5", "--allow-empty")[0] == 0

    def test_a_running_collector_and_its_folder_say_the_same(self, tmp_path: Path) -> None:
        """What was just taken in counts, also while the collector still works it out."""
        data = tmp_path / "data"
        asked = ("--data", data, "--min-observed", "0.9", "--since", "52w", "--format", "json", "--point")
        with Collector(data):
            seamscope("ingest", FAILED, "--data", data)
            live, said = check(*asked)
        code, again = check(*asked)
        assert (live, code) == (1, 1)
        (one,), (other,) = (CheckReport.model_validate_json(text).workflows for text in (said, again))
        assert one == other


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "no threshold"),
        (("--min-observed", "1.5"), "no share"),
        (("--min-observed", "much"), "no share"),
        (("--max-p95", "14"), "no length of time"),
        (("--max-amplification", "0.5"), "Invalid value"),
        (("--min-observed", "0.9", "--strict", "--point"), "exclude each other"),
        (("--min-observed", "0.9", "--since", "1h", "--week", "2026-W46"), "exclude each other"),
        (("--min-observed", "0.9", "--week", "2026-W99"), "no ISO week"),
        (("--min-observed", "0.9", "--file", "nowhere.json"), "does not exist"),
        (("--min-observed", "0.9", "--nope"), "No such option"),
    ],
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    """A gate can tell it from a broken threshold."""
    folder = () if "--file" in arguments else ("--data", tmp_path / "nothing")
    code, said = check(*arguments, *folder)
    assert code == 2
    assert complaint in said or ("no store" in said and complaint == "no ISO week")


def test_a_folder_without_a_store_is_exit_code_2(tmp_path: Path) -> None:
    """There is nothing to ask: neither passed nor failed."""
    code, said = check("--data", tmp_path, "--min-observed", "0.9")
    assert code == 2
    assert "there is no store" in said
