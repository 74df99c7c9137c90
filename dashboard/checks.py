"""What `seamscope doctor` looks at. Each check gives findings; none changes anything."""

import os
import platform
import re
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from dashboard import words
from dashboard.alerts.state import load
from dashboard.endpoint import running_collector
from dashboard.errors import DashboardError, NoStore
from dashboard.reader import CollectorReader, connect
from schemas.paths import store_path
from schemas.settings import ENV_PREFIX, LOOPBACK, MIB, SETTINGS_FILE, Settings
from schemas.version import SCHEMA_VERSION

OTLP_VARIABLE = "OTEL_EXPORTER_OTLP_{}"
OTLP_TRACES_VARIABLE = "OTEL_EXPORTER_OTLP_TRACES_{}"
COUNTERS = """
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicate), 0)::bigint as duplicate, coalesce(sum(rejected), 0)::bigint as rejected
from ingest_minute
"""


class Grade(Enum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


class Finding(NamedTuple):
    """One thing that was looked at."""

    grade: Grade
    text: str
    remedy: str = ""


def examine(settings: Settings, flags: Mapping[str, str]) -> Iterator[tuple[str, list[Finding]]]:
    """All checks, a section at a time.

    Args:
        settings: the settings in force.
        flags: settings given on the command line, with their flags.
    """
    yield "versions", list(versions())
    yield "settings that are not the default", list(settings_in_force(settings, flags))
    yield f"data folder {settings.data_dir}", list(data_folder(settings))
    yield "collector", list(collector(settings))
    yield "alerts", list(alerts(settings, time.time_ns()))
    yield "senders in this environment", list(sender_variables(_as_bound(settings), os.environ))


def _as_bound(settings: Settings) -> Settings:
    """The settings with the ports that the running collector really has."""
    endpoint = running_collector(settings.data_dir)
    if endpoint is None:
        return settings
    return settings.model_copy(update={name: int(endpoint[name]) for name in ("grpc_port", "http_port")})


def versions() -> Iterator[Finding]:
    """Python and the packages Seamscope names itself, each against what it asks for."""
    yield Finding(Grade.OK, f"seamscope {version('seamscope')}, schema {SCHEMA_VERSION}")
    yield Finding(Grade.OK, f"Python {platform.python_version()} on {platform.platform(terse=True)} ({sys.executable})")
    found, missing = [], []
    for requirement in requires("seamscope") or []:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[<>=!~; \[]", requirement, maxsplit=1)[0]
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(requirement)
    yield Finding(Grade.OK, ", ".join(found))
    for requirement in missing:
        yield Finding(
            Grade.FAULT, f"{requirement} is not installed", "pip install --require-hashes -r requirements.txt"
        )


def settings_in_force(settings: Settings, flags: Mapping[str, str]) -> Iterator[Finding]:
    """Each setting that somebody changed, with its value and where it comes from; secrets are only named."""
    changed = False
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value == field.get_default(call_default_factory=True):
            continue
        changed = True
        shown = "set" if isinstance(value, SecretStr) else value
        yield Finding(Grade.OK, f"{name} = {shown}  ({source_of(name, flags)})")
    if not changed:
        yield Finding(Grade.OK, "none")
    if settings.host not in LOOPBACK and settings.write_token is None:
        yield Finding(
            Grade.NOTE if settings.insecure else Grade.FAULT,
            f"the collector is to bind {settings.host} and no write token is set: anyone who reaches it can send spans",
            f"set {ENV_PREFIX}WRITE_TOKEN and {ENV_PREFIX}READ_TOKEN",
        )


def source_of(name: str, flags: Mapping[str, str]) -> str:
    """Which of the sources a changed setting comes from, strongest first."""
    if name in flags:
        return flags[name]
    variable = ENV_PREFIX + name.upper()
    return variable if variable in os.environ else SETTINGS_FILE


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the folder is there, ours, private, writable, and on a disk with room."""
    folder = settings.data_dir
    if not folder.exists():
        yield Finding(Grade.NOTE, "is not there yet", "the collector makes it: seamscope up")
        return
    if not folder.is_dir():
        yield Finding(Grade.FAULT, "is no folder", "name another one with --data")
        return
    yield from _permissions(folder)
    for file in sorted((*folder.glob("*.duckdb*"), *folder.glob("alerts.*"))):
        yield from _permissions(file)
    yield from _disk(settings)


def _permissions(path: Path) -> Iterator[Finding]:
    state = path.lstat()
    if stat.S_ISLNK(state.st_mode):
        yield Finding(Grade.FAULT, f"{path} is a symbolic link", "put the file or folder itself there")
        return
    wanted = 0o700 if stat.S_ISDIR(state.st_mode) else 0o600
    mode = stat.S_IMODE(state.st_mode)
    if mode & ~wanted:
        yield Finding(
            Grade.FAULT,
            f"{path} has mode {mode:04o}: others on this machine may read what agents said",
            f"chmod {wanted:o} {path}",
        )
    elif state.st_uid != os.geteuid() or not os.access(path, os.R_OK | os.W_OK):
        yield Finding(
            Grade.FAULT, f"{path} belongs to user {state.st_uid}, this is user {os.geteuid()}", f"chown it: {path}"
        )
    else:
        yield Finding(
            Grade.OK,
            f"{path.name}: mode {mode:04o}, {state.st_size / MIB:,.1f} MiB" if path.is_file() else f"mode {mode:04o}",
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    free_mib = shutil.disk_usage(settings.data_dir).free // MIB
    if free_mib < settings.min_free_disk_mib:
        yield Finding(
            Grade.FAULT,
            f"{free_mib:,} MiB free, below the floor of {settings.min_free_disk_mib:,} MiB: new spans are refused",
            "free some disk, or lower min_free_disk_mib",
        )
    else:
        yield Finding(Grade.OK, f"{free_mib:,} MiB free on its disk")


def collector(settings: Settings) -> Iterator[Finding]:
    """The running collector and its counters; without one, whether it could start."""
    endpoint = running_collector(settings.data_dir)
    if endpoint is None:
        yield Finding(Grade.NOTE, "none runs on this data folder", "start one: seamscope up")
        yield from _ports(settings)
    else:
        yield Finding(
            Grade.OK,
            f"version {endpoint.get('version')} runs (pid {endpoint['pid']}): OTLP/HTTP and reads on port "
            f"{endpoint['http_port']}, OTLP/gRPC on port {endpoint['grpc_port']}",
        )
    try:
        reader = connect(settings)
        yield from _counters(reader.query(COUNTERS).to_pylist()[0])
        if isinstance(reader, CollectorReader):
            yield from of_health(reader.health())
    except NoStore:
        yield Finding(Grade.NOTE, f"no store yet at {store_path(settings.data_dir)}")
    except DashboardError as exc:
        yield Finding(Grade.FAULT, str(exc))


def _ports(settings: Settings) -> Iterator[Finding]:
    for what, host, port in (
        ("grpc_port", settings.host, settings.grpc_port),
        ("http_port", settings.host, settings.http_port),
        ("ui_port", settings.ui_host, settings.ui_port),
    ):
        if port and (problem := _cannot_bind(host, port)):
            yield Finding(
                Grade.FAULT,
                f"{what} {port} on {host} cannot be bound: {problem}",
                f"stop what uses it (ss -ltnp 'sport = :{port}'), or choose another: --{what.replace('_', '-')}",
            )


def _cannot_bind(host: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            return exc.strerror or str(exc)
    return None


def _counters(counters: Mapping[str, int]) -> Iterator[Finding]:
    received, stored, duplicate, rejected = (counters[k] for k in ("received", "stored", "duplicate", "rejected"))
    text = f"{received:,} spans received = {stored:,} stored + {duplicate:,} duplicate + {rejected:,} rejected"
    if received != stored + duplicate + rejected:
        yield Finding(
            Grade.FAULT, f"the counters do not balance: {text}", "this is a defect of Seamscope: please report it"
        )
    elif received == 0:
        yield Finding(Grade.NOTE, "no span has arrived yet", "set your agent up as docs/getting-started.md says")
    else:
        yield Finding(Grade.OK, text)
    if rejected:
        yield Finding(
            Grade.NOTE,
            f"{rejected:,} spans were rejected",
            "seamscope sql 'select reason, sum(spans) as spans from ingest_rejection group by all'",
        )


def of_health(health: Mapping[str, object]) -> Iterator[Finding]:
    """What stands out in a collector's own account."""
    refused = health.get("refused_requests_by_reason")
    if isinstance(refused, dict) and refused:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused.items())
        yield Finding(Grade.NOTE, f"whole requests were answered with an error: {reasons}", "docs/limits.md says why")
    settling = health.get("settling")
    if isinstance(settling, dict):
        yield Finding(
            Grade.OK, f"settling is {settling.get('lag_s')} s behind, {settling.get('traces_waiting')} traces wait"
        )
    damage = health.get("damage")
    for found in damage if isinstance(damage, list) else ():
        told = f"{words.iso(int(found['at_ns']))}: {found['what']}; lost: {found['lost']}"
        yield Finding(Grade.NOTE, told, f"kept as {found['kept']} in the data folder: look at it, then delete it")
    removed = health.get("removed")
    if isinstance(removed, dict):
        for reason, sums in removed.items():
            size = f"{sums['bytes'] / MIB:,.1f} MiB of attributes"
            yield Finding(Grade.OK, f"removed ({reason}): {sums['runs']:,} runs of {sums['spans']:,} spans, {size}")
    resettling = health.get("resettling")
    if isinstance(resettling, dict):
        done, total = resettling.get("done"), resettling.get("total")
        yield Finding(
            Grade.NOTE,
            f"the rules changed: {done} of {total} traces of history are settled by rule version "
            f"{resettling.get('rule_version')}",
            "nothing to do: it goes on beside ingest; until its turn a run keeps what earlier rules said",
        )


ALERTS_LATE_NS = 5 * 60 * 1_000_000_000
"""Alerts are evaluated each minute, or by cron not seldomer than this."""


def alerts(settings: Settings, now_ns: int) -> Iterator[Finding]:
    """Whether alerts are evaluated and delivered."""
    if settings.alerts is None:
        yield Finding(Grade.OK, "none are configured")
        return
    try:
        state = load(settings.data_dir)
    except DashboardError as exc:
        yield Finding(Grade.FAULT, str(exc))
        return
    start = "seamscope up starts them, or: seamscope alert"
    if state is None:
        yield Finding(Grade.NOTE, "configured, and never evaluated", start)
        return
    evaluated = "never" if not state.evaluated_ns else words.ago(state.evaluated_ns, now_ns)
    text = f"evaluated {evaluated}, {words.count(len(state.open))} open"
    if state.problem:
        yield Finding(Grade.FAULT, f"{text}; since then it failed: {state.problem}")
    elif now_ns - state.evaluated_ns > ALERTS_LATE_NS:
        yield Finding(Grade.NOTE, text, start)
    else:
        yield Finding(Grade.OK, text)
    for name, box in state.outboxes.items():
        finding = Finding(Grade.OK, f"{name}: {box.summary}")
        if box.problem:
            finding = Finding(Grade.FAULT, f"{finding.text}; last try: {box.problem}", f"look at alerts.{name}")
        yield finding


def sender_variables(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """OpenTelemetry variables of this environment that would keep an agent started here from reaching us."""
    findings = [*_switched_off(environ), *_wrong_address(settings, environ), *_missing_token(settings, environ)]
    yield from findings or [Finding(Grade.OK, "no OTEL_* variable stands in the way")]


def _switched_off(environ: Mapping[str, str]) -> Iterable[Finding]:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield Finding(Grade.FAULT, "OTEL_SDK_DISABLED=true: no span is made", "unset OTEL_SDK_DISABLED")
    exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp")
    if "otlp" not in exporter:
        yield Finding(Grade.FAULT, f"OTEL_TRACES_EXPORTER={exporter}: spans go elsewhere", "set it to otlp")
    sampler = environ.get("OTEL_TRACES_SAMPLER", "parentbased_always_on")
    if not sampler.endswith("always_on"):
        yield Finding(
            Grade.NOTE,
            f"OTEL_TRACES_SAMPLER={sampler}: only part of the runs arrives",
            "reliability needs all: unset it",
        )


def _wrong_address(settings: Settings, environ: Mapping[str, str]) -> Iterable[Finding]:
    for variable in (OTLP_VARIABLE.format("ENDPOINT"), OTLP_TRACES_VARIABLE.format("ENDPOINT")):
        if variable in environ:
            protocol = environ.get(
                OTLP_TRACES_VARIABLE.format("PROTOCOL"), environ.get(OTLP_VARIABLE.format("PROTOCOL"), "")
            )
            yield from address_problems(variable, environ[variable], protocol, settings)


def address_problems(variable: str, endpoint: str, protocol: str, settings: Settings) -> Iterator[Finding]:
    """What is wrong with an exporter's address, seen from our ports."""
    url = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    ports = {settings.grpc_port: "grpc", settings.http_port: "http"}
    try:
        port = url.port
    except ValueError:
        yield Finding(
            Grade.FAULT, f"{variable}={endpoint} has a port that cannot be", f"http://127.0.0.1:{settings.http_port}"
        )
        return
    if port not in ports:
        yield Finding(
            Grade.NOTE,
            f"{variable}={endpoint} points at another port than ours",
            f"OTLP/HTTP is on {settings.http_port}, OTLP/gRPC on {settings.grpc_port}",
        )
        return
    if protocol and protocol.partition("/")[0] != ports[port]:
        right = settings.http_port if protocol.startswith("http") else settings.grpc_port
        yield Finding(
            Grade.FAULT,
            f"{variable}={endpoint} is our {ports[port]} port, the protocol is {protocol}",
            f"use port {right}",
        )
    if url.scheme == "https":
        yield Finding(
            Grade.FAULT,
            f"{variable}={endpoint}: the collector speaks plain HTTP",
            "write http://, or put a proxy before it",
        )
    if variable.endswith("TRACES_ENDPOINT") and ports[port] == "http" and url.path != "/v1/traces":
        yield Finding(
            Grade.FAULT, f"{variable}={endpoint} must name the whole path", f"http://{url.hostname}:{port}/v1/traces"
        )


def _missing_token(settings: Settings, environ: Mapping[str, str]) -> Iterable[Finding]:
    headers = environ.get(OTLP_TRACES_VARIABLE.format("HEADERS"), environ.get(OTLP_VARIABLE.format("HEADERS"), ""))
    if settings.write_token is not None and "authorization" not in headers.lower():
        yield Finding(
            Grade.NOTE,
            "a write token is set, and OTEL_EXPORTER_OTLP_HEADERS shows none",
            "OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20<token>'",
        )
