"""A steady load for minutes, as many agents would make it: how long answers take, what is refused, how far settling is.

    python -m tests.benchmarks.soak [--minutes 10] [--rate 5000] [--transport grpc] [--write]

Open loop: each request has a due moment, and its time counts from there, whether or not the collector kept up. Beside
the load a probe sends one small run each half second and asks the read API for its spans, then for its run.
"""

import threading
import time
from typing import NamedTuple

from tests.benchmarks import harness
from tests.benchmarks.harness import percentile, shown
from tests.benchmarks.senders import HttpClient, send_all, timetable
from tests.benchmarks.spans import Body, make_bodies, stamp, stamped

CLIENTS = 32
PROBE_EVERY_S = 0.5
PROBE_PATIENCE_S = 15.0
FIRST_PROBE = 1 << 24
"""Round numbers of probes: far beyond those of the load, so that no ids meet."""


class Seen(NamedTuple):
    """What one probe saw."""

    ack_s: float
    visible_s: float
    """From the answer until the read API gave its spans."""
    settled_s: float
    """From the answer until the read API gave its run; the patience where it never did."""


class Probe:
    """Sends a small run of its own and looks for it."""

    def __init__(self, running: harness.Collector) -> None:
        self._running = running
        self._client = HttpClient(running.http_port)
        self._body = self._one_run()
        self._number = FIRST_PROBE

    @staticmethod
    def _one_run() -> Body:
        return make_bodies(1, seed=11)[0]

    def look(self) -> Seen:
        """One round."""
        self._number += 1
        body = stamp(self._body, self._number)
        trace_id = self._trace_id(body)
        since = time.perf_counter()
        answer = self._client.send(body)
        acked = time.perf_counter()
        if answer != "ok":
            raise RuntimeError(answer)
        visible = self._until("select 1 as one from span where trace_id = $trace_id limit 1", trace_id)
        settled = self._until("select 1 as one from run where run_id = $trace_id limit 1", trace_id)
        return Seen(acked - since, visible - acked, settled - acked)

    def _trace_id(self, body: bytes) -> str:
        return body[int(self._body.ids[0]) : int(self._body.ids[0]) + 16].hex()

    def _until(self, query: str, trace_id: str) -> float:
        until = time.perf_counter() + PROBE_PATIENCE_S
        while time.perf_counter() < until:
            if self._running.sql(query, trace_id=trace_id):
                break
            time.sleep(0.02)
        return time.perf_counter()


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=5_000, help="spans a second")
    parser.add_argument("--transport", choices=["grpc", "http"], default="grpc")
    args = parser.parse_args()
    busy = harness.other_cores_used()
    bodies = make_bodies(6_000)
    with harness.collector() as running:
        port = running.grpc_port if args.transport == "grpc" else running.http_port
        probe = harness.Samples(PROBE_EVERY_S, Probe(running).look)
        lag = harness.Samples(0.5, lambda: float(running.health()["settling"]["lag_s"]))
        memory = harness.Samples(1.0, running.rss_mib)
        for samples in (probe, lag, memory):
            samples.start()
        before_s = running.cpu_s()
        sent = send_all(port, args.transport, timetable(stamped(bodies), args.rate, args.minutes * 60), CLIENTS)
        cpu_us = (running.cpu_s() - before_s) / sent.spans * 1e6
        seen, lags, rss = probe.end(), lag.end(), memory.end()
        settled_after_s = running.wait_settled()
        health = running.health()["ingest"]
        stopped = running.stop()
        bytes_per_span = running.store_bytes() / health["stored"]
    refused = sum(count for answer, count in sent.answers.items() if answer != "ok")
    rows = [
        ["spans sent, minutes", f"{sent.spans:,} in {sent.wall_s / 60:.1f}", ""],
        ["ack from the due moment, p50 / p99 / max, ms", _ms(sent.ack_s), "at most 100 / 3,000 / 5,000"],
        ["requests not accepted", f"{refused} {dict(sent.answers) if refused else ''}", "0"],
        ["received − stored − duplicate − rejected", _balance(health), "0"],
        ["settling lag p50 / p95 / max, s", _three(lags), "p95 at most 2"],
        [
            "ack to spans visible through the read API p50 / p95 / max, s",
            _three([s.visible_s for s in seen]),
            "p95 at most 1",
        ],
        ["ack to run visible p50 / p95 / max, s", _three([s.settled_s for s in seen]), ""],
        ["probes that failed", probe.failures, "0"],
        ["settled after the last answer, s", settled_after_s, ""],
        ["memory p50 / max, MiB", f"{shown(percentile(rss, 0.5))} / {shown(max(rss))}", "at most 600"],
        ["CPU µs a span, settling and reads included", cpu_us, ""],
        ["stop, s", stopped.exit_s, "at most 5"],
        ["bytes a span on disk after the stop", bytes_per_span, "at most 900"],
    ]
    text = f"{args.rate:,.0f} spans/s over {args.transport}, {CLIENTS} connections.\n\n"
    text += harness.table(["", "measured", "aim"], rows)
    harness.report("soak", text, write=args.write, busy_cores=busy)


def _balance(ingest: dict[str, int]) -> int:
    return ingest["received"] - ingest["stored"] - ingest["duplicate"] - ingest["rejected"]


def _ms(values: list[float]) -> str:
    return " / ".join(shown(percentile(values, ratio) * 1000) for ratio in (0.5, 0.99, 1))


def _three(values: list[float]) -> str:
    return " / ".join(shown(percentile(values, ratio)) for ratio in (0.5, 0.95, 1))


if __name__ == "__main__":
    threading.stack_size(512 * 1024)
    main()
