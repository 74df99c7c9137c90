"""The collector as a whole: its parts wired together, started and stopped in order."""

import logging
import os
import shutil
import time
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

import orjson

from collector.api import api_routes
from collector.ingest import Ingestor
from collector.posts import Posts
from collector.receive.grpc import start_grpc
from collector.receive.http import http_app, start_http
from collector.retention import removed_in_all
from collector.settling import Settler
from collector.store import Store
from schemas.paths import endpoint_path
from schemas.settings import Settings
from schemas.version import RULE_VERSION, SCHEMA_VERSION

log = logging.getLogger(__name__)

VERSION = version("seamscope")

SERVER_GRACE_S = 1.5
"""How long open requests may take to end at a stop."""

SETTLE_GRACE_S = 1.0
"""How long settling may go on at a stop; what is left is settled at the next start."""


class Collector:
    """A running collector: made by constructing it, ended by `stop`, which leaves a file without a write-ahead log.

    Raises:
        CollectorError: the store cannot be used or a port cannot be bound; nothing is left open.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started_s = time.monotonic()
        with ExitStack() as undo:
            self._store = Store.open(settings)
            undo.callback(self._store.close)
            self._ingestor = Ingestor(self._store, settings)
            self._settler = Settler(self._store, settings, self._ingestor.is_busy)
            self._ingestor.start(self._settler.touch)
            undo.callback(self._ingestor.stop)
            self._settler.start()
            undo.callback(self._settler.stop, SETTLE_GRACE_S)
            self._grpc = start_grpc(self._ingestor, settings)
            undo.callback(self._grpc.stop, 0.0)
            routes = [
                *api_routes(self._store, settings, self.health),
                *Posts(self._ingestor, self._store, self._settler, settings).routes(),
            ]
            app = http_app(self._ingestor, settings, routes)
            self._http = start_http(app, settings)
            undo.pop_all()
        self._announce()

    @property
    def grpc_port(self) -> int:
        """The port OTLP/gRPC is bound to."""
        return self._grpc.port

    @property
    def http_port(self) -> int:
        """The port OTLP/HTTP and the read API are bound to."""
        return self._http.port

    def stop(self) -> None:
        """Stops accepting, answers what was accepted, settles what it can and closes the file."""
        endpoint_path(self._settings.data_dir).unlink(missing_ok=True)
        for server in (self._grpc, self._http):
            server.stop(SERVER_GRACE_S)
        self._close()

    def _close(self) -> None:
        self._ingestor.stop()
        self._settler.stop(SETTLE_GRACE_S)
        self._store.close()

    def health(self) -> dict[str, Any]:
        """What GET /api/health answers."""
        with self._store.cursor() as cursor:
            (counters,) = cursor.execute(_COUNTERS).fetchall()
            rejections = dict(cursor.execute(_REJECTIONS).fetchall())
            refusals = dict(cursor.execute(_REFUSALS).fetchall())
            logs = dict(cursor.execute(_LOGS).fetchall())
            removed = removed_in_all(cursor)
            damage = (
                cursor.sql("select at_ns, what, kept, lost from damage order by at_ns").to_arrow_table().to_pylist()
            )
        names = ("received", "stored", "duplicate", "conflict", "rejected", "truncated", "late", "requests", "bytes")
        requests, queued_bytes = self._ingestor.backlog()
        lag = self._settler.lag()
        resettling = self._settler.resettling
        return {
            "version": VERSION,
            "schema_version": SCHEMA_VERSION,
            "rule_version": RULE_VERSION,
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._started_s, 1),
            "grpc_port": self.grpc_port,
            "http_port": self.http_port,
            "ingest": dict(zip(names, counters, strict=True)),
            "rejected_by_reason": rejections,
            "ingest_logs": {
                "received": sum(logs.values()),
                "stored": logs.pop("stored", 0),
                "duplicate": logs.pop("duplicate", 0),
                "rejected": sum(logs.values()),
            },
            "rejected_logs_by_reason": logs,
            "refused_requests_by_reason": refusals,
            "last_received_ns": self._settler.last_received_ns,
            "queue": {"requests": requests, "bytes": queued_bytes},
            "settling": {"traces_waiting": lag.traces, "lag_s": round(lag.seconds, 3)},
            "resettling": resettling and {**resettling._asdict(), "rule_version": RULE_VERSION},
            "removed": removed,
            "damage": damage,
            "rollups": {"whole": self._settler.has_whole_rollups},
            "disk": {
                "store_bytes": sum(file.stat().st_size for file in self._store.files()),
                "free_bytes": shutil.disk_usage(self._settings.data_dir).free,
            },
        }

    def _announce(self) -> None:
        path = endpoint_path(self._settings.data_dir)
        path.write_bytes(
            orjson.dumps(
                {
                    "pid": os.getpid(),
                    "host": self._settings.host,
                    "http_port": self.http_port,
                    "grpc_port": self.grpc_port,
                    "version": VERSION,
                    "schema_version": SCHEMA_VERSION,
                }
            )
        )
        path.chmod(0o600)


_COUNTERS = """
select coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
       coalesce(sum(conflict), 0)::bigint, coalesce(sum(rejected), 0)::bigint, coalesce(sum(truncated), 0)::bigint,
       coalesce(sum(late), 0)::bigint, coalesce(sum(requests), 0)::bigint, coalesce(sum(bytes), 0)::bigint
from store.ingest_minute
"""
_REJECTIONS = "select reason, sum(spans)::bigint from store.ingest_rejection group by 1 order by 1"
_REFUSALS = "select reason, sum(requests)::bigint from store.ingest_refusal group by 1 order by 1"
_LOGS = "select fate, sum(records)::bigint from store.ingest_log group by 1 order by 1"
