"""What `seamscope doctor` notices."""

import socket
from pathlib import Path

import pytest

from dashboard.checks import (
    Grade,
    address_problems,
    data_folder,
    examine,
    of_health,
    sender_variables,
    settings_in_force,
)
from schemas.settings import Settings

SETTINGS = Settings(grpc_port=4317, http_port=4318)


@pytest.mark.parametrize(
    ("variable", "endpoint", "protocol", "hint"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317", "http/protobuf", "use port 4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "grpc", "use port 4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:4318", "", "write http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9999", "", "OTLP/HTTP is on 4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:no", "", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318", "", "/v1/traces"),
    ],
)
def test_an_exporter_that_would_miss_us_is_told_where_to_send(
    variable: str, endpoint: str, protocol: str, hint: str
) -> None:
    findings = list(address_problems(variable, endpoint, protocol, SETTINGS))
    assert any(hint in finding.remedy for finding in findings)


@pytest.mark.parametrize(
    ("endpoint", "protocol"),
    [("http://127.0.0.1:4318", "http/json"), ("127.0.0.1:4317", "grpc"), ("http://h:4317", "")],
)
def test_a_right_address_gives_no_finding(endpoint: str, protocol: str) -> None:
    assert not list(address_problems("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, protocol, SETTINGS))


def test_a_switched_off_sdk_is_a_fault() -> None:
    findings = list(sender_variables(SETTINGS, {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER": "traceidratio"}))
    assert [finding.grade for finding in findings] == [Grade.FAULT, Grade.NOTE]


def test_a_token_that_senders_do_not_show_is_noticed() -> None:
    (finding,) = sender_variables(Settings(write_token="s3cret"), {})
    assert finding.grade is Grade.NOTE
    assert "s3cret" not in str(finding)


def test_files_that_others_may_read_are_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "seamscope.duckdb").touch()
    (folder / "seamscope.duckdb").chmod(0o644)
    faults = [f for f in data_folder(Settings(data_dir=folder)) if f.grade is Grade.FAULT]
    assert [f.remedy for f in faults] == [f"chmod 600 {folder / 'seamscope.duckdb'}"]


def test_a_bind_to_everyone_without_a_token_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMSCOPE_READ_TOKEN", "s3cret")
    findings = list(settings_in_force(Settings.load({"host": "0.0.0.0"}), {"host": "--host"}))
    assert any(f.grade is Grade.FAULT for f in findings)
    assert any("host = 0.0.0.0  (--host)" in f.text for f in findings)
    assert any("read_token = set  (SEAMSCOPE_READ_TOKEN)" in f.text for f in findings)


def test_a_port_that_another_program_holds_is_told_with_its_flag(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        settings = Settings(data_dir=tmp_path, http_port=holder.getsockname()[1], grpc_port=0, ui_port=0)
        sections = dict(examine(settings, {}))
    assert any("--http-port" in finding.remedy for finding in sections["collector"])


def test_new_rules_that_still_go_through_history_are_told_with_their_progress() -> None:
    health = {"resettling": {"done": 12, "total": 40, "rule_version": 3}}
    assert any("12 of 40 traces" in finding.text for finding in of_health(health))
    assert not list(of_health({"resettling": None}))
