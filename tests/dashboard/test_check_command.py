"""`seamscope check`: exit codes, against a folder, a running collector and files."""

import contextlib
import importlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from dashboard.cli import main
from schemas.checks import CheckReport
from schemas.paths import store_path
from tests.collecting import Collector
from tests.dashboard import stores
from tests.dashboard.cli import RECORDINGS, START_S, running, seamscope
from tests.dashboard.drifting import drifting
from tests.dashboard.stormy import stormy

check_module = importlib.import_module("dashboard.commands.check")

GOOD = RECORDINGS / "autogen-builtin-good"
FAILED = RECORDINGS / "autogen-builtin-rate-limit"


def check(*arguments: str | Path) -> tuple[int, str]:
    done = seamscope("check", *arguments, check=False)
    return done.returncode, done.stdout + done.stderr


def opened_once_read(pipe: Path, process: subprocess.Popen[str]) -> int:
    """The writing end of a named pipe, once somebody opens the other."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError):  # ENXIO: nobody reads it yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        assert process.poll() is None, "it ended"
        time.sleep(0.05)
    raise TimeoutError("nobody reads it")


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

    def test_ctrl_c_breaks_it_off_and_is_no_answer(self, tmp_path: Path) -> None:
        """Exit code 130, also while the collector of its own takes the files in: neither passed nor failed."""
        endless = tmp_path / "endless.jsonl"
        os.mkfifo(endless)
        log = tmp_path / "log"
        with running("check", "--file", endless, "--min-observed", "0.5", log=log) as process:
            writer = opened_once_read(endless, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130, log.read_text()
            os.close(writer)

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
        (("--max-amplification", "nan"), "no finite number"),
        (("--max-amplification", "inf"), "no finite number"),
        (("--min-observed", "nan"), "no share"),
        (("--max-p95", "9" * 400 + "d"), "too long"),
        (("--min-observed", "0.9", "--workflow", ""), "the name is empty"),
        (("--min-observed", "0.9", "--environment", " "), "the name is empty"),
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


def test_what_goes_wrong_in_the_check_itself_is_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: exit code 1 says that a threshold is broken, and nothing else. The traceback is kept."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(check_module, "load_settings", fail)
    done = CliRunner().invoke(check_module.check, ["--min-observed", "0.9"])
    assert done.exit_code == 2
    assert "the check itself failed (ZeroDivisionError)" in done.output
    assert "Traceback" in done.output


def test_ctrl_c_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of a broken threshold nor that of a passed check; no traceback."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_module, "load_settings", interrupt)
    done = CliRunner().invoke(main, ["check", "--min-observed", "0.9"])
    assert (done.exit_code, done.output.strip()) == (130, "interrupted")


def test_a_fall_that_still_stands_is_drift_in_any_window(tmp_path: Path) -> None:
    """It is found days after its date, so that a daily look at one day must not lose it; one that is old is no news."""
    new, old = tmp_path / "new", tmp_path / "old"
    stores.write(store_path(new), [drifting(time.time_ns(), worse_for=9)])
    stores.write(store_path(old), [drifting(time.time_ns(), worse_for=20)])
    code, said = check("--data", new, "--no-drift", "--since", "24h")
    assert code == 1
    assert re.search(r"FAIL  drift +\d falls? of reliability, the first on 20\d\d-\d\d-\d\d", said)
    assert check("--data", old, "--no-drift", "--since", "24h")[0] == 0


def test_a_storm_of_a_step_that_wraps_a_tool_of_its_name_is_one(tmp_path: Path) -> None:
    """It is told once, though it is found in the step and in the tool."""
    stores.write(store_path(tmp_path), [stormy(time.time_ns())])
    code, said = check("--data", tmp_path, "--no-storms", "--since", "6h")
    assert code == 1
    assert "1 retry storm, the worst" in said


def test_a_folder_without_a_store_is_exit_code_2(tmp_path: Path) -> None:
    """There is nothing to ask: neither passed nor failed."""
    code, said = check("--data", tmp_path, "--min-observed", "0.9")
    assert code == 2
    assert "there is no store" in said
