"""Names of the files in a data folder. Both sides find each other through them."""

from pathlib import Path

STORE_FILE = "seamscope.duckdb"
"""The store. Only the collector opens it while one runs."""

ENDPOINT_FILE = "collector.json"
"""Written by a running collector, gone after a stop: pid, host, http_port, grpc_port, version, schema_version."""

VIEWS_FILE = "views.json"
"""Views of the dashboard saved under a name. Written by the dashboard."""

ALERTS_FILE = "alerts.json"
"""What alerts are open, what is still to be delivered, and the counters; mode 0600. Written by `seamscope alert`."""


def store_path(data_dir: Path) -> Path:
    """The database file of a data folder."""
    return data_dir / STORE_FILE


def endpoint_path(data_dir: Path) -> Path:
    """The file a running collector says its ports in."""
    return data_dir / ENDPOINT_FILE


def views_path(data_dir: Path) -> Path:
    """The file that keeps saved views."""
    return data_dir / VIEWS_FILE


def alerts_path(data_dir: Path) -> Path:
    """The file in which alerts are kept from one evaluation to the next."""
    return data_dir / ALERTS_FILE
