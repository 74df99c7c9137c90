"""How the dashboard is started."""

import sys
from importlib.resources import files
from urllib.parse import urlsplit

from schemas.settings import LOOPBACK, Settings


def streamlit_argv(settings: Settings) -> list[str]:
    """The command that serves the dashboard.

    Theme, hardening and privacy settings lie in `.streamlit/config.toml` beside `app.py`, where Streamlit finds them
    from any working directory; only what the user's settings decide is given here. `ui_port` 0 is for the caller to
    resolve.
    """
    argv = [
        sys.executable,
        "-m",
        "dashboard.serve",
        "run",
        str(files("dashboard") / "app.py"),
        "--server.port",
        str(settings.ui_port),
        "--server.address",
        settings.ui_host,
    ]
    if settings.ui_host not in LOOPBACK:
        # Reached under names we cannot know; whoever binds beyond loopback has a proxy or said --insecure.
        argv += ["--server.allowedHosts", "*"]
    elif settings.public_url is not None and (host := urlsplit(settings.public_url).hostname):
        for allowed in ("127.0.0.1", "localhost", host):  # a proxy before us passes on the name that people use
            argv += ["--server.allowedHosts", allowed]
    return argv
