"""`up`, `demo`, `collect`, `dashboard`: the processes of Seamscope, together or one alone."""

import http.client
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from dashboard.commands.children import Child, Children
from dashboard.commands.options import child_environment, load_settings, setting_options
from dashboard.endpoint import reachable, running_collector, url_of
from dashboard.errors import AlreadyRunning, ChildFailed
from schemas.settings import Settings, default_data_dir

COLLECTOR = [sys.executable, "-m", "collector"]
ALERT = [sys.executable, "-m", "dashboard.cli", "alert"]
DEMO_DATA = [sys.executable, "-m", "demo_data"]
START_TIMEOUT_S = 60.0
"""A collector that replays a large write-ahead log needs seconds; more than this is a fault."""
HISTORY_DAYS = 28
QUICK_HISTORY_DAYS = 2


def demo_data_dir() -> Path:
    """Where demo data goes when nobody says: beside the default data folder, never in it."""
    return default_data_dir().expanduser().absolute().with_name("seamscope-demo")


@click.command()
@setting_options("data_dir", "host", "grpc_port", "http_port", "ui_host", "ui_port", "insecure")
def up(**flags: Any) -> None:
    """Start collector and dashboard; Ctrl-C stops both.

    One of them that dies is started again, at once at first and then after growing pauses."""
    settings = with_ui_port(load_settings(flags))
    with Children() as children:
        start_both(children, settings)
        start_alerts(children, settings)
        until_stopped(children)


@click.command()
@setting_options(
    "data_dir",
    "host",
    "grpc_port",
    "http_port",
    "ui_host",
    "ui_port",
    "insecure",
    data_dir_default=str(demo_data_dir()),
)
@click.option("--quick", is_flag=True, help=f"{QUICK_HISTORY_DAYS} days of history instead of {HISTORY_DAYS}")
def demo(quick: bool, **flags: Any) -> None:
    """Start both on demo data: four weeks of runs, then live ones.

    Realistic workflows with failures, retry storms and a model upgrade that went wrong. Keeps its data apart from
    yours (a folder of its own unless --data names one), and loads history only once.
    """
    settings = with_ui_port(load_settings(flags))
    if settings.data_dir == default_data_dir().expanduser().absolute():
        settings = settings.model_copy(update={"data_dir": demo_data_dir()})
    with Children() as children:
        collector = start_both(children, settings)
        start_alerts(children, settings)
        days = 0 if holds_spans(settings) else QUICK_HISTORY_DAYS if quick else HISTORY_DAYS
        command = [*DEMO_DATA, "--endpoint", collector, "--days", str(days), "--live"]
        children.start("the demo traffic", command, {**child_environment(settings), **sender_environment(settings)})
        until_stopped(children)


@click.command()
@setting_options("data_dir", "host", "grpc_port", "http_port", "insecure")
def collect(**flags: Any) -> None:
    """Start the collector alone.

    It receives OTLP, keeps the store and answers reads."""
    become(COLLECTOR, child_environment(load_settings(flags)))


@click.command()
@setting_options("data_dir", "ui_host", "ui_port", "insecure")
def dashboard(**flags: Any) -> None:
    """Start the dashboard alone.

    It reads through the collector of the data folder, or the store itself where none runs."""
    from dashboard import launch  # here, so that `collect` need not wait for it

    settings = with_ui_port(load_settings(flags))
    become(launch.streamlit_argv(settings), child_environment(settings))


def holds_spans(settings: Settings) -> bool:
    """Whether the store of the running collector holds anything yet."""
    from dashboard.reader import connect

    return bool(connect(settings).query("select 1 as one from span limit 1").num_rows)


def sender_environment(settings: Settings) -> dict[str, str]:
    """The variables through which an OpenTelemetry exporter learns the write token, where there is one."""
    if settings.write_token is None:
        return {}
    return {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=" + quote(f"Bearer {settings.write_token.get_secret_value()}")}


def with_ui_port(settings: Settings) -> Settings:
    """The settings with a port for the dashboard that is free just now, where 0 asked for any."""
    if settings.ui_port:
        return settings
    with socket.socket(socket.AF_INET6 if ":" in settings.ui_host else socket.AF_INET) as probe:
        probe.bind((settings.ui_host, 0))
        return settings.model_copy(update={"ui_port": probe.getsockname()[1]})


def start_both(children: Children, settings: Settings) -> str:
    """Starts collector and dashboard, says where they are, and gives back the collector's address.

    Once up they are kept: whichever ends is started again, the collector on the ports that senders know by then.

    Raises:
        ChildFailed: one of them ended before it was up, or did not come up in time.
        AlreadyRunning: a collector already runs on the data folder.
    """
    from dashboard import launch

    child, endpoint = start_collector(children, settings)
    ports = {port: int(endpoint[port]) for port in ("grpc_port", "http_port")}
    children.keep(child, COLLECTOR, child_environment(settings.model_copy(update=ports)))
    command = launch.streamlit_argv(settings)
    child = children.start("the dashboard", command, child_environment(settings))
    wait_until(children, child, lambda: _answers(settings.ui_host, settings.ui_port))
    children.keep(child, command, child_environment(settings))
    collector = url_of(endpoint["host"], int(endpoint["http_port"]))
    click.echo(f"\n  dashboard      {url_of(settings.ui_host, settings.ui_port)}")
    click.echo(f"  OTLP/HTTP      {collector}")
    click.echo(f"  OTLP/gRPC      {url_of(endpoint['host'], int(endpoint['grpc_port']))}")
    click.echo(f"  data           {settings.data_dir}\n\n  Ctrl-C stops everything.\n")
    return collector


def start_alerts(children: Children, settings: Settings) -> None:
    """Starts what tells of broken reliability, where somebody is to be told."""
    if settings.alerts is not None:
        children.start("the alerts", ALERT, child_environment(settings))


def start_collector(children: Children, settings: Settings) -> tuple[Child, dict[str, Any]]:
    """Starts a collector and gives it back, with what it says of itself, once it accepts spans."""
    running = running_collector(settings.data_dir)
    if running is not None:
        raise AlreadyRunning(settings.data_dir, int(running["pid"]))
    child = children.start("the collector", COLLECTOR, child_environment(settings))
    wait_until(children, child, lambda: _accepts(settings.data_dir, child))
    return child, running_collector(settings.data_dir) or {}


def wait_until(children: Children, child: Child, is_up: Callable[[], bool]) -> None:
    """Waits for a child to come up.

    Raises:
        ChildFailed: it ended, or is not up after `START_TIMEOUT_S`.
        SystemExit: somebody asked to stop meanwhile.
    """
    for _ in children.ticks(START_TIMEOUT_S):
        if is_up():
            return
    if children.stopping:
        raise SystemExit(0)
    raise ChildFailed(f"{child.name} did not come up within {START_TIMEOUT_S:.0f} s; see `seamscope doctor`")


def until_stopped(children: Children) -> None:
    """Returns when somebody asks to stop."""
    for _ in children.ticks():
        pass
    click.echo("\nstopping …")


def become(command: list[str], environment: dict[str, str]) -> None:
    """Replaces this process: signals and exit codes then need nobody in between."""
    os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is wanted


def _accepts(data_dir: Path, child: Child) -> bool:
    endpoint = running_collector(data_dir)
    return (
        endpoint is not None
        and int(endpoint["pid"]) == child.process.pid
        and _answers(str(endpoint["host"]), int(endpoint["http_port"]))
    )


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(reachable(host), port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
