"""`python -m collector`: runs the collector until it is told to stop."""

import gc
import json
import logging
import os
import signal
import sys
import threading
from importlib.abc import MetaPathFinder
from pathlib import Path

import click

from collector.errors import CollectorError
from collector.rollup_store import rebuild_rollups
from collector.service import Collector
from collector.settling import forget_runs
from schemas.settings import Settings, SettingsError

GC_THRESHOLDS = (50_000, 20, 50)
"""A batch is hundreds of thousands of short-lived objects without cycles: at Python's own 700, looking for
cycles among them took a third of the decoder's time."""

SWITCH_S = 0.001
"""The writer needs the interpreter ten times a COMMIT, and would wait Python's own 5 ms for it each time."""
LOOKS_UP_S = 0.5
"""Only the main thread handles signals, and one that another thread of the process was given does not wake it."""


class _WithoutPandas(MetaPathFinder):
    """Keeps pandas out: pyarrow imports it at its first array where it can, and needs it for nothing that we do.

    That would be 54 MiB and 0.3 s of a process that others wait for.
    """

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "pandas":
            raise ImportError("the collector runs without pandas")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", "data_dir", type=click.Path(path_type=Path), help="Folder of the store.")
@click.option("--host", help="Address to bind; anything but loopback needs a write token or --insecure.")
@click.option("--grpc-port", type=int, help="OTLP/gRPC port; 0 picks a free one.")
@click.option("--http-port", type=int, help="OTLP/HTTP and read API port; 0 picks a free one.")
@click.option("--insecure", is_flag=True, default=None, help="Bind beyond loopback without a token.")
@click.option("--rebuild", is_flag=True, help="Make the roll-ups anew from the stored runs, and stop.")
@click.option(
    "--forget", is_flag=True, help="Remove the runs whose ids come on standard input, tell what became of them, stop."
)
@click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path), help="Settings file instead of ./seamscope.toml."
)
def main(settings_file: Path | None, rebuild: bool, forget: bool, **flags: object) -> None:
    """Receive OTLP on gRPC and HTTP, store it, settle it, and serve the read API.

    Prints one line when it accepts spans. SIGTERM or Ctrl-C stop it after what was accepted is on disk.
    """
    sys.meta_path.insert(0, _WithoutPandas())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = Settings.load(flags, file=settings_file)
        if rebuild:
            rebuild_rollups(settings)
            return
        if forget:
            click.echo(json.dumps(forget_runs(settings, sys.stdin.read().split())._asdict()))
            return
        collector = Collector(settings)
    except (CollectorError, SettingsError) as exc:
        click.echo(f"seamscope collect: {exc}", err=True)
        sys.exit(2 if isinstance(exc, SettingsError) else 1)
    host = settings.host
    click.echo(
        f"seamscope collector accepts OTLP/gRPC on {host}:{collector.grpc_port} "
        f"and OTLP/HTTP on {host}:{collector.http_port}, data in {settings.data_dir} (pid {os.getpid()})"
    )
    sys.stdout.flush()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_S)
    while not stop.wait(LOOKS_UP_S):
        pass
    collector.stop()


if __name__ == "__main__":
    main()
