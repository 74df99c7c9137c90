"""`python -m dashboard.serve run app.py …`: `streamlit`, but it asks nobody what address this machine has.

Streamlit compares the origin of a foreign WebSocket with the machine's public address, for which it asks a host on the
Internet and stands still meanwhile: any page in a browser of this machine could have it do so. Nobody reaches the
dashboard by that address: a proxy has a name, see `public_url`.
"""

import sys

from streamlit import net_util
from streamlit.web.cli import main


def not_asked() -> str | None:
    """The public address of this machine: nobody needs it."""
    return None


if __name__ == "__main__":
    net_util.get_external_ip = not_asked
    sys.exit(main(prog_name="streamlit"))
