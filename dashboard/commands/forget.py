"""`forget`: removes runs for good, because someone asks for it."""

import json
import subprocess
import sys
from typing import Any, Final

import click

from dashboard import words
from dashboard.commands.options import child_environment, load_settings, setting_options
from dashboard.commands.rebuild import ask
from dashboard.commands.run import COLLECTOR
from dashboard.endpoint import reachable, running_collector
from dashboard.errors import ChildFailed
from schemas.settings import Settings

AT_ONCE: Final = 1_000
"""Ids of one request."""
TIMEOUT_S: Final = 120.0


@click.command()
@click.argument("run_ids", nargs=-1, required=True, metavar="RUN_ID…")
@setting_options("data_dir")
def forget(run_ids: tuple[str, ...], **flags: Any) -> None:
    """Remove runs for good: their spans, and everything that was derived of them.

    Takes ids of runs, or of any of their traces; `-` reads them from standard input, one a line, as `seamscope sql`
    prints them with --format csv. Charts go on counting the runs, and what still comes for them is refused. A running
    collector does it, beside taking spans; without one it is done here.
    """
    ids = [one.strip().strip('"').lower() for one in (sys.stdin if run_ids == ("-",) else run_ids)]
    ids = list(dict.fromkeys(one for one in ids if one not in ("", "run_id", "trace_id")))
    settings = load_settings(flags)
    done: dict[str, list[str]] = {"removed": [], "left": [], "unknown": []}
    for at in range(0, len(ids), AT_ONCE):
        for fate, of_those in _forget(settings, ids[at : at + AT_ONCE]).items():
            done[fate] += of_those
    click.echo(f"{words.plural(len(done['removed']), 'run')} removed")
    for fate, said in (("left", "go on receiving spans: ask again later"), ("unknown", "of no run that is stored")):
        if done[fate]:
            click.echo(f"{len(done[fate]):,} {said}: {', '.join(done[fate][:10])}", err=True)
    if len(done["left"]) + len(done["unknown"]):
        sys.exit(1)


def _forget(settings: Settings, ids: list[str]) -> dict[str, list[str]]:
    endpoint = running_collector(settings.data_dir)
    if endpoint is not None:
        token = settings.write_token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        host, port = reachable(str(endpoint["host"])), int(endpoint["http_port"])
        answer: dict[str, list[str]] = ask(host, port, "POST", "/api/forget", headers, {"ids": ids}, TIMEOUT_S)
        return answer
    done = subprocess.run(
        [*COLLECTOR, "--forget"],
        input="\n".join(ids),
        env=child_environment(settings),
        check=False,
        text=True,
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        raise ChildFailed(f"the runs could not be removed (exit code {done.returncode})")
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told
