"""`rebuild`: makes the roll-ups anew from the stored runs."""

import http.client
import json
import subprocess
import time
from collections.abc import Mapping
from typing import Any, Final

import click

from dashboard.commands.options import child_environment, load_settings, setting_options
from dashboard.commands.run import COLLECTOR
from dashboard.endpoint import reachable, running_collector
from dashboard.errors import ChildFailed, CollectorDown
from schemas.settings import Settings

POLL_S: Final = 0.5
TIMEOUT_S: Final = 5.0


@click.command()
@setting_options("data_dir")
def rebuild(**flags: Any) -> None:
    """Make the roll-ups anew from the stored runs.

    They are kept with every settling and made anew by themselves after an update, so this is for when figures of
    pages and runs differ. A running collector does it in the background and goes on taking spans; without one it is
    done here. Pages show what is there already meanwhile, newest runs first.
    """
    settings = load_settings(flags)
    endpoint = running_collector(settings.data_dir)
    started = time.monotonic()
    if endpoint is None:
        done = subprocess.run([*COLLECTOR, "--rebuild"], env=child_environment(settings), check=False)
        if done.returncode:
            raise ChildFailed(
                f"the roll-ups could not be made anew (exit code {done.returncode}); what there was is kept"
            )
    else:
        _by_collector(settings, reachable(str(endpoint["host"])), int(endpoint["http_port"]))
    click.echo(f"roll-ups made anew in {time.monotonic() - started:.1f} s")


def _by_collector(settings: Settings, host: str, port: int) -> None:
    write, read = (
        {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        for token in (settings.write_token, settings.read_token)
    )
    ask(host, port, "POST", "/api/rebuild", write)
    while not ask(host, port, "GET", "/api/health", read)["rollups"]["whole"]:
        time.sleep(POLL_S)


def ask(
    host: str,
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: object = None,
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """What the collector answers to a request; its refusal is an error of the command."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        told = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), {**headers, **told})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException) as exc:
        raise CollectorDown(f"{host}:{port}", str(exc) or type(exc).__name__) from exc
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise click.ClickException(f"the collector refused: {answer.get('message') or answer.get('error')}")
    return answer
