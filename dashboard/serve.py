"""`python -m dashboard.serve run app.py …`: `streamlit`, ready early and asking no one outside.

Streamlit compares the origin of a foreign WebSocket with the machine's public address, for which it asks a host on the
Internet and stands still meanwhile: any page in a browser of this machine could have it do so. Nobody reaches the
dashboard by that address: a proxy has a name, see `public_url`.
"""

import atexit
import gc
import sys
from importlib import import_module
from threading import Thread
from typing import Final

from streamlit import net_util
from streamlit.web.cli import main

NEEDED: Final = (
    "dashboard.glance",
    "dashboard.alarms",
    "dashboard.reader",
    "dashboard.reports.build",
    "plotly.graph_objects",
)
"""What pages import that knows nothing of Streamlit."""


def not_asked() -> str | None:
    """The public address of this machine: nobody needs it."""
    return None


def get_ready() -> None:
    """Imports what the first page would wait for, while the server starts. It stays, so no collection looks at it."""
    for module in NEEDED:
        import_module(module)
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # else DuckDB's classes outlive the interpreter, and their binding complains at length


if __name__ == "__main__":
    net_util.get_external_ip = not_asked
    Thread(target=get_ready, daemon=True).start()
    sys.exit(main(prog_name="streamlit"))
