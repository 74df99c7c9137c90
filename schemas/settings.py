"""Everything a user can configure, with its unit in the name and its default.

Weakest to strongest: defaults, `seamscope.toml`, `SEAMSCOPE_*` variables, command-line flags. Unknown keys are errors.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from schemas.alerts import AlertSettings
from schemas.redaction import RedactionSettings
from schemas.retention import RetentionSettings
from schemas.rules import UserRules
from schemas.storms import StormSettings
from schemas.zones import zone_of

ENV_PREFIX = "SEAMSCOPE_"
SETTINGS_FILE = "seamscope.toml"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MIB = 1024 * 1024


class SettingsError(ValueError):
    """A setting is unknown or has a value that cannot be; the message names the source, the key and the remedy."""


def default_data_dir() -> Path:
    """Where data goes when nobody says: `$XDG_DATA_HOME/seamscope` or `~/.local/share/seamscope`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "seamscope"


class Settings(BaseModel):
    """All settings of collector, dashboard and command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="folder of the store; made with mode 0700")
    host: str = Field("127.0.0.1", description="address the collector binds; anything but loopback needs a write token")
    grpc_port: int = Field(4317, ge=0, le=65535, description="OTLP/gRPC; 0 picks a free port")
    http_port: int = Field(4318, ge=0, le=65535, description="OTLP/HTTP and the read API; 0 picks a free port")
    ui_port: int = Field(8501, ge=0, le=65535, description="the dashboard; 0 picks a free port")
    ui_host: str = Field("127.0.0.1", description="address the dashboard binds")
    insecure: bool = Field(False, description="allow a bind beyond loopback without tokens or login")

    write_token: SecretStr | None = Field(None, description="bearer token that senders must show")
    read_token: SecretStr | None = Field(None, description="bearer token that readers of /api must show")
    cors_origins: tuple[str, ...] = Field((), description="browser origins that may send spans; none by default")

    max_body_bytes: int = Field(64 * MIB, gt=0, description="one request, after inflation")
    max_request_spans: int = Field(50_000, gt=0, description="spans or log records in one request")
    max_value_bytes: int = Field(
        256 * 1024, gt=0, description="one attribute value or name; longer text is cut and marked"
    )
    max_span_bytes: int = Field(
        4 * MIB,
        gt=0,
        description="one log record, or one span's attributes, events and links; more is rejected",
    )
    max_attributes: int = Field(
        1_000, gt=0, description="attributes of one span or event; the rest is dropped and counted"
    )
    max_events: int = Field(1_000, gt=0, description="events and links of one span; the rest is dropped and counted")
    queue_bytes: int = Field(
        256 * MIB, gt=0, description="requests waiting for the writer; beyond it new ones are refused retryably"
    )
    hold_s: float = Field(
        5.0, gt=0, description="how long a request waits for the writer before it is refused retryably"
    )
    retry_after_s: int = Field(2, ge=1, le=5, description="what a refused client is told to wait")

    checkpoint_mib: int = Field(24, gt=0, description="write-ahead log size at which DuckDB folds it into the file")
    duckdb_memory_mib: int = Field(192, gt=0, description="DuckDB's own memory limit")
    duckdb_threads: int = Field(1, ge=1, description="threads of one query; queries run beside each other anyway")
    min_free_disk_mib: int = Field(
        512, ge=0, description="below this the collector refuses retryably instead of filling the disk"
    )

    settle_quiet_s: float = Field(0.3, gt=0, description="a run is settled when nothing came for this long …")
    settle_max_wait_s: float = Field(1.2, gt=0, description="… or when it has waited this long")
    rootless_finish_s: float = Field(30.0, gt=0, description="a run without a root span finishes after this much quiet")
    abandoned_after_s: float = Field(
        86_400.0, gt=0, description="an open run is shown as abandoned after this much quiet"
    )

    rules: UserRules | None = Field(
        None, description="your own codes and rules, and which tools have side effects; a section of the file"
    )

    sql_timeout_s: float = Field(30.0, gt=0, description="one query of the read API")
    sql_max_rows: int = Field(2_000_000, gt=0, description="rows of one answer; more is an error, never a cut answer")
    sql_max_bytes: int = Field(512 * MIB, gt=0, description="bytes of one answer; more is an error")
    sql_max_concurrent: int = Field(4, ge=1, description="queries of the read API at one time; others wait")

    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="how long runs are kept (docs/retention.md); a section of the file"
    )

    redaction: RedactionSettings = Field(
        default=RedactionSettings(),
        description="what is taken out before anything is stored (docs/retention.md); a section of the file",
    )

    time_zone: str = Field(
        "UTC",
        description="IANA name, as in Europe/Berlin; where a day and a week begin, whoever reads: on pages, in "
        "reports, checks and alerts",
    )

    storms: StormSettings = Field(
        default=StormSettings(), description="from where on retries are a storm (below); a section of the file"
    )

    alerts: AlertSettings | None = Field(
        None, description="who is told of what by webhook or Slack (docs/alerts.md); a section of the file"
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s<>|]+$",
        description="where people reach the dashboard: it answers under that name (a proxy), and alerts link there",
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone_of(name)
        return name

    @classmethod
    def load(
        cls,
        flags: Mapping[str, Any] | None = None,
        *,
        file: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """The settings in force.

        Args:
            flags: values given on the command line; None values are taken as not given.
            file: the TOML file; None reads `seamscope.toml` of the working directory where there is one.
            environ: the environment; None is the process's own.

        Raises:
            SettingsError: a source is unreadable, holds an unknown key, or a value that cannot be.
        """
        toml = file or Path(SETTINGS_FILE)
        layers: list[tuple[str, dict[str, Any]]] = []
        if file is not None or toml.is_file():
            layers.append((str(toml), _read_toml(toml)))
        env = os.environ if environ is None else environ
        layers.append(
            ("environment", {k.removeprefix(ENV_PREFIX).lower(): v for k, v in env.items() if k.startswith(ENV_PREFIX)})
        )
        layers.append(("flag", {k: v for k, v in (flags or {}).items() if v is not None}))
        values: dict[str, Any] = {}
        source: dict[str, str] = {}
        for name, layer in layers:
            for key, value in layer.items():
                if key not in cls.model_fields:
                    raise SettingsError(
                        f"{name}: unknown setting {key!r}; known are {', '.join(sorted(cls.model_fields))}"
                    )
                values[key] = _parsed(key, value, name) if isinstance(value, str) else value
                source[key] = name
        try:
            return cls(**values)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            key = str(first["loc"][0])
            path = ".".join(map(str, first["loc"]))
            raise SettingsError(
                f"{source.get(key, 'default')}: {path}: {first['msg']}; {cls.model_fields[key].description}"
            ) from exc


def _parsed(key: str, text: str, source: str) -> object:
    """The value of a setting that holds several, from the one text that a variable or a flag can hold."""
    if key == "cors_origins":
        return _comma_separated(text)
    if key in ("rules", "alerts", "retention", "redaction"):
        try:
            return json.loads(text)
        except ValueError as exc:
            raise SettingsError(f"{source}: {key}: not valid JSON: {exc}") from exc
    return text


def _comma_separated(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as exc:
        raise SettingsError(f"{path}: cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path}: not valid TOML: {exc}") from exc
