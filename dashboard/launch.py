"""How the dashboard is started."""

import sys
from importlib.resources import files

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
        "streamlit",
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
    return argv
