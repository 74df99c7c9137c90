"""Finds the running collector of a data folder. Imports nothing heavy: the command line starts through it."""

import json
import os
from pathlib import Path
from typing import Any

from schemas.paths import endpoint_path


def running_collector(data_dir: Path) -> dict[str, Any] | None:
    """What the running collector of a data folder says of itself; None where none runs.

    A collector that was killed leaves its file behind, so the process must exist too.
    """
    try:
        endpoint = json.loads(endpoint_path(data_dir).read_text("utf-8"))
        pid = int(endpoint["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return endpoint if _process_exists(pid) else None


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def reachable(host: str) -> str:
    """The address to connect to for an address that was bound."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - looked up, not bound


def url_of(host: str, port: int) -> str:
    """`http://host:port`, with the brackets an IPv6 address needs."""
    name = reachable(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
