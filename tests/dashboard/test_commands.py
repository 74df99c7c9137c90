"""The command line, used as a user would: real processes, a real collector, real files."""

import csv
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import duckdb
import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from dashboard.commands.children import Kept
from dashboard.reader import connect
from schemas.paths import endpoint_path, store_path
from schemas.settings import Settings
from tests import local
from tests.dashboard.cli import ANY_PORTS, RECORDINGS, running, seamscope, wait_for_collector, wait_for_text

RECORDING = RECORDINGS / "client-anthropic-genai-good"
RUN_COLUMNS = [
    "run_id", "root_trace_id", "trace_ids", "workflow", "workflow_version", "session_id", "start_ns", "end_ns",
    "outcome", "verdict", "code", "layer_a", "layer_b", "failing_step", "origin_span_id", "chain", "operations",
    "attempts", "tokens_input", "tokens_output", "cost_usd", "rule_version",
]  # fmt: skip
FAILURE_COLUMNS = [
    "run_id", "trace_id", "span_id", "issuer_span_id", "step", "code", "layer_a", "layer_b", "certainty",
    "severity", "role", "recovered", "silent", "trigger", "evidence", "rule_version",
]  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one recorded run, no collector on it."""
    data = tmp_path_factory.mktemp("stored") / "data"
    assert "0 spans taken" not in seamscope("ingest", RECORDING, "--data", data).stdout
    return data


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose collector runs."""
    data = tmp_path_factory.mktemp("live") / "data"
    with running("collect", "--data", data, *ANY_PORTS, log=data.with_name("log")) as process:
        wait_for_collector(data, process)
        yield data


def rows(data: Path, query: str) -> list[dict[str, object]]:
    """What the dashboard would be told, without a process for it."""
    return connect(Settings(data_dir=data)).query(query).to_pylist()


def json_spans(path: Path, trace_ids: list[str]) -> Path:
    """A file of JSON lines, one request of one span a line."""
    lines = []
    for n, trace_id in enumerate(trace_ids):
        span = {
            "traceId": trace_id,
            "spanId": f"{n + 1:016x}",
            "name": f"step {n}",
            "startTimeUnixNano": str(time.time_ns()),
        }
        lines.append(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_recording_comes_in_without_a_collector_and_again_without_a_double(stored: Path) -> None:
    (before,) = rows(stored, "select count(*) as spans, count(distinct span_id) as ids from span")
    assert before["spans"] == before["ids"] != 0
    assert not endpoint_path(stored).exists()
    again = seamscope("ingest", RECORDING, "--data", stored)
    assert f"{before['spans']} spans taken" in again.stdout
    assert rows(stored, "select count(*) as spans, count(distinct span_id) as ids from span") == [before]


def test_what_is_refused_is_told_by_file_and_line(live: Path, tmp_path: Path) -> None:
    """Line 2 holds an invalid span, line 4 is broken; the rest is stored."""
    good = ["1a" * 16, "00" * 16, "1b" * 16]
    path = json_spans(tmp_path / "spans.jsonl", good)
    path.write_text(path.read_text() + "{broken\n")
    done = seamscope("ingest", path, "--data", live, check=False)
    assert done.returncode == 1
    assert f"{path}:2: 1 of 1 spans refused: " in done.stderr
    assert f"{path}:4: is not valid JSON" in done.stderr
    assert "2 spans taken from 3 requests in 1 files, 1 spans refused" in done.stdout
    (found,) = rows(live, f"select count(*) as n from span where trace_id in ('{good[0]}', '{good[2]}')")
    assert found["n"] == 2


def test_a_file_full_of_control_characters_cannot_steer_the_terminal(live: Path, tmp_path: Path) -> None:
    path = tmp_path / "\x1b]0;owned\x07.json"
    path.write_text("{")
    assert "\x1b" not in seamscope("ingest", path, "--data", live, check=False).stderr


@pytest.mark.parametrize("folder", ["stored", "live"])
@pytest.mark.parametrize(
    "query",
    [
        "delete from store.run",
        "with gone as (delete from store.span returning *) select * from gone",
        "create table t as select 1 as x",
        "copy (select 1) to '/tmp/never-written.csv'",
        "select * from read_text('/etc/hostname')",
        "attach '/tmp/never-attached.duckdb'",
    ],
)
def test_sql_can_read_the_store_and_nothing_else(request: pytest.FixtureRequest, folder: str, query: str) -> None:
    done = seamscope("sql", query, "--data", request.getfixturevalue(folder), check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert not Path("/tmp/never-written.csv").exists()


@pytest.mark.parametrize("folder", ["stored", "live"])
def test_sql_binds_parameters(request: pytest.FixtureRequest, folder: str) -> None:
    data = request.getfixturevalue(folder)
    done = seamscope(
        "sql", "select $a + 1 as n, $b as text", "-p", "a=41", "-p", "b=x'--", "--format", "csv", "--data", data
    )
    assert list(csv.reader(done.stdout.splitlines())) == [["n", "text"], ["42", "x'--"]]


@pytest.mark.parametrize(("kind", "columns"), [("runs", RUN_COLUMNS), ("failures", FAILURE_COLUMNS)])
def test_exports_have_the_columns_others_rely_on(stored: Path, tmp_path: Path, kind: str, columns: list[str]) -> None:
    for form in ("parquet", "csv", "jsonl"):
        seamscope("export", kind, "--format", form, "--out", tmp_path / f"x.{form}", "--data", stored)
        assert stat.S_IMODE((tmp_path / f"x.{form}").stat().st_mode) == 0o600
    assert pq.read_schema(tmp_path / "x.parquet").names == columns
    assert next(csv.reader((tmp_path / "x.csv").read_text().splitlines())) == columns
    for line in (tmp_path / "x.jsonl").read_text().splitlines():
        assert list(json.loads(line)) == columns


def test_an_export_pages_through_everything_once(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard.commands import export
    from dashboard.reader import FileReader

    monkeypatch.setattr(export, "PAGE_ROWS", 3)
    pages = list(export.pages(FileReader(store_path(stored)), "spans"))
    assert len(pages) > 2
    ids = [row["span_id"] for page in pages for row in page.select(["span_id"]).to_pylist()]
    assert sorted(ids) == sorted(str(row["span_id"]) for row in rows(stored, "select span_id from span"))


def test_doctor_finds_nothing_wrong_with_a_running_collector(live: Path) -> None:
    seamscope("ingest", RECORDING, "--data", live)
    done = seamscope("doctor", "--data", live)
    assert "nothing is wrong" in done.stdout
    assert "spans received = " in done.stdout


def test_a_second_collector_on_a_folder_is_refused_with_the_first_ones_pid(live: Path, tmp_path: Path) -> None:
    pid = json.loads(endpoint_path(live).read_text())["pid"]
    done = seamscope("up", "--data", live, *ANY_PORTS, "--ui-port", "0", check=False)
    assert done.returncode == 1
    assert f"(pid {pid})" in done.stderr


def test_errors_are_one_line(tmp_path: Path) -> None:
    for arguments in (["sql", "select 1"], ["export", "runs", "--out", str(tmp_path / "x")]):
        done = seamscope(*arguments, "--data", tmp_path / "nothing", check=False)
        assert done.returncode == 1
        assert "start one with `seamscope up`" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_setting_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMSCOPE_HTP_PORT", "1")
    done = seamscope("doctor", check=False)
    assert done.returncode == 1
    assert "unknown setting 'htp_port'" in done.stderr


def test_a_left_behind_endpoint_file_is_no_collector(stored: Path) -> None:
    endpoint_path(stored).write_text(json.dumps({"pid": 2**22 + 1, "host": "127.0.0.1", "http_port": 1}))
    try:
        assert rows(stored, "select 1 as one") == [{"one": 1}]
    finally:
        endpoint_path(stored).unlink()


@pytest.mark.slow
def test_up_starts_both_and_one_interrupt_ends_both(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with running("up", "--data", data, *ANY_PORTS, "--ui-port", "0", log=log) as process:
        said = wait_for_text(log, "Ctrl-C stops everything", process)
        assert "dashboard      http://127.0.0.1:" in said
        pid = json.loads(endpoint_path(data).read_text())["pid"]
    assert process.returncode == 0
    assert not endpoint_path(data).exists()
    assert not Path(f"/proc/{pid}").exists()
    with duckdb.connect(store_path(data), read_only=True) as connection:
        assert connection.sql("select count(*) from run").fetchall() == [(0,)]


SPOILT = "update store.rollup_run set runs = runs + 5"
ROLLED_UP = "select sum(runs)::bigint as runs from rollup_run"


def test_rebuild_makes_the_roll_ups_anew_without_a_collector_and_through_one(stored: Path, tmp_path: Path) -> None:
    """Spoilt figures come right, and nothing else changes."""
    data = shutil.copytree(stored, tmp_path / "data")
    right = rows(data, ROLLED_UP)
    with duckdb.connect(store_path(data)) as connection:
        connection.execute(SPOILT)
    assert rows(data, ROLLED_UP) != right
    assert "roll-ups made anew" in seamscope("rebuild", "--data", data).stdout
    assert rows(data, ROLLED_UP) == right
    with duckdb.connect(store_path(data)) as connection:
        connection.execute(SPOILT)
    with running("collect", "--data", data, *ANY_PORTS, log=tmp_path / "log") as process:
        wait_for_collector(data, process)
        assert "roll-ups made anew" in seamscope("rebuild", "--data", data).stdout
        assert rows(data, ROLLED_UP) == right


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with several runs, no collector on it."""
    data = tmp_path_factory.mktemp("several") / "data"
    seamscope("ingest", RECORDINGS / "langgraph-openinference-good", "--data", data)
    return data


@pytest.mark.parametrize("is_running", [False, True], ids=["without a collector", "through one"])
def test_forget_removes_runs_for_good_and_says_what_it_did_not_find(
    is_running: bool, several: Path, tmp_path: Path
) -> None:
    """Ids come as arguments, or as a query prints them; asking again finds nothing and says so."""
    data = shutil.copytree(several, tmp_path / "data")
    ids = [row["run_id"] for row in rows(data, "select run_id from run")]
    with (
        running("collect", "--data", data, *ANY_PORTS, log=tmp_path / "log") if is_running else nullcontext() as process
    ):
        if process is not None:
            wait_for_collector(data, process)
        assert "1 run removed" in seamscope("forget", ids[0], "--data", data).stdout
        assert [row["run_id"] for row in rows(data, "select run_id from run")] == ids[1:]
        again = seamscope("forget", ids[0], "--data", data, check=False)
        assert again.returncode == 1
        assert f"of no run that is stored: {ids[0]}" in again.stderr
        assert rows(data, "select reason, sum(runs)::bigint as runs from removal group by 1") == [
            {"reason": "asked", "runs": 1}
        ]


def wait_for_another(data: Path, process: subprocess.Popen[str], dead: int) -> dict[str, object]:
    """What the collector says of itself that was started after one that died."""
    until = time.monotonic() + 30
    while (told := wait_for_collector(data, process))["pid"] == dead:
        assert time.monotonic() < until, "no other one came up"
        time.sleep(0.05)
    return told


@pytest.mark.slow
def test_a_collector_that_dies_is_told_and_started_again_on_its_ports(tmp_path: Path) -> None:
    """The dashboard stays; an interrupt in a pause ends everything at once."""
    data, log = tmp_path / "data", tmp_path / "log"
    with running("up", "--data", data, *ANY_PORTS, "--ui-port", "0", log=log) as process:
        said = wait_for_text(log, "Ctrl-C stops everything", process)
        first = json.loads(endpoint_path(data).read_text())
        dashboard = re.search(r"dashboard +(http\S+)", said)
        assert dashboard
        os.kill(first["pid"], signal.SIGKILL)
        second = wait_for_another(data, process, first["pid"])
        assert {**second, "pid": 0} == {**first, "pid": 0}
        assert local.get(f"{dashboard[1]}/_stcore/health").status_code == 200
        assert rows(data, "select 1 as one") == [{"one": 1}]
        os.kill(int(str(second["pid"])), signal.SIGKILL)
        wait_for_text(log, "(killed by SIGKILL); it is started again in 1 s", process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 5
    said = log.read_text()
    assert "the collector ended by itself (killed by SIGKILL); it is started again now" in said
    assert "nanobind" not in said


@pytest.mark.slow
def test_a_dashboard_that_dies_is_started_again(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with running("up", "--data", data, *ANY_PORTS, "--ui-port", "0", log=log) as process:
        said = wait_for_text(log, "Ctrl-C stops everything", process)
        dashboard = re.search(r"dashboard +(http\S+)", said)
        assert dashboard
        (served,) = (one for one in psutil.Process(process.pid).children() if "dashboard.serve" in one.cmdline())
        served.kill()
        wait_for_text(log, "the dashboard ended by itself (killed by SIGKILL); it is started again now", process)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if local.get(f"{dashboard[1]}/_stcore/health").status_code == 200:
                    break
            time.sleep(0.1)
        else:
            raise TimeoutError("no dashboard came back")


def test_a_collector_that_cannot_start_ends_everything_with_its_own_words(tmp_path: Path) -> None:
    """At the first start nothing is tried again: what is wrong is the user's to mend."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    store_path(data).symlink_to(tmp_path / "elsewhere")
    done = seamscope("up", "--data", data, *ANY_PORTS, "--ui-port", "0", check=False)
    assert done.returncode == 1
    assert str(store_path(data)) in done.stderr
    assert "the collector ended by itself (exit code 1)" in done.stderr
    assert "started again" not in done.stderr


def test_a_child_that_keeps_ending_is_left_alone_longer_each_time() -> None:
    """Up to half a minute; one that ran well in between begins anew."""
    kept = Kept(["true"], {}, started_s=0.0)
    assert [kept.pause_s(now_s=1.0) for _ in range(9)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert [kept.pause_s(now_s=100.0), kept.pause_s(now_s=1.0)] == [0, 1]


@pytest.mark.slow
def test_the_traffic_of_the_demo_goes_on_after_the_collector_died(tmp_path: Path) -> None:
    """What it could not send meanwhile it sends then."""
    data, log = tmp_path / "data", tmp_path / "log"
    newest = "select max(received_ns) as at_ns from span"
    with running("demo", "--quick", "--data", data, *ANY_PORTS, "--ui-port", "0", log=log) as process:
        wait_for_text(log, "live: ", process)
        first = json.loads(endpoint_path(data).read_text())
        (before,) = rows(data, newest)
        os.kill(first["pid"], signal.SIGKILL)
        wait_for_another(data, process, first["pid"])
        until = time.monotonic() + 60
        while rows(data, newest)[0]["at_ns"] == before["at_ns"]:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, "nothing came"
            time.sleep(0.2)
    assert process.returncode == 0
    assert "spans were lost" not in log.read_text()


@pytest.mark.slow
def test_demo_loads_history_once_and_then_goes_on_live(tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = ["demo", "--quick", "--data", data, *ANY_PORTS, "--ui-port", "0"]
    with running(*arguments, log=tmp_path / "first") as process:
        wait_for_text(tmp_path / "first", "live: ", process)
    (first,) = rows(data, "select count(*) as runs, count(distinct workflow) as workflows from run")
    assert int(str(first["runs"])) > 100
    assert int(str(first["workflows"])) >= 5
    with running(*arguments, log=tmp_path / "second") as process:
        wait_for_text(tmp_path / "second", "live: ", process)
    (second,) = rows(data, "select count(*) as runs from run")
    assert int(str(second["runs"])) - int(str(first["runs"])) < 20


def test_a_request_that_is_too_large_comes_in_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMSCOPE_MAX_REQUEST_SPANS", "3")
    done = seamscope("ingest", RECORDING, "--data", tmp_path / "data")
    (stored,) = rows(tmp_path / "data", "select count(*) as n from span")
    assert stored["n"] > 3
    assert f"{stored['n']} spans taken from 1 requests" in done.stdout


def test_a_write_token_is_shown_and_never_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both commands learn it from the environment; neither prints it."""
    monkeypatch.setenv("SEAMSCOPE_WRITE_TOKEN", "s3cret-token")
    data = tmp_path / "data"
    with running("collect", "--data", data, *ANY_PORTS, log=tmp_path / "log") as process:
        wait_for_collector(data, process)
        taken = seamscope("ingest", RECORDING, "--data", data)
        doctor = seamscope("doctor", "--data", data)
        monkeypatch.delenv("SEAMSCOPE_WRITE_TOKEN")
        refused = seamscope("ingest", RECORDING, "--data", data, check=False)
        assert "s3cret-token" not in Path(f"/proc/{process.pid}/cmdline").read_text()
    assert refused.returncode == 1
    assert "HTTP 401" in refused.stderr
    for said in (taken.stdout, taken.stderr, doctor.stdout, (tmp_path / "log").read_text()):
        assert "s3cret-token" not in said
