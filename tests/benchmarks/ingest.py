"""What receiving costs: CPU per span of the ack path and of settling against a frozen reference, and the most it takes.

    python -m tests.benchmarks.ingest [--spans 60000] [--write]

The reference (tests/benchmarks/frozen.py: parse a request and touch every field) runs in the same minute on the same
bodies. The ack path is the collector's whole CPU with settling put off, and a last checkpoint; settling is what comes
on top with it on.
"""

import statistics
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from tests.benchmarks import frozen, harness
from tests.benchmarks.senders import Due, Sent, Transport, at_once, send_all
from tests.benchmarks.spans import Body, make_bodies, stamped

NEVER_S = 86_400
FEW_CLIENTS = 4
MANY_CLIENTS = 24


class Measured(NamedTuple):
    """One load into an empty collector."""

    load_us: float
    """CPU a span until everything was answered, and settled where that is on."""
    stop_us: float
    """CPU a span of stopping, which is the last checkpoint, and settling where that was put off."""
    spans_per_s: float
    """Until the last span was stored and answered."""
    settled_after_s: float
    bytes_per_span: float
    sent: Sent


def measure(
    warm_up: Sequence[Due], load: Sequence[Due], transport: Transport, clients: int, *, settle: bool
) -> Measured:
    """Sends a load into an empty but warm collector."""
    settings = {} if settle else {"settle_quiet_s": NEVER_S, "settle_max_wait_s": NEVER_S}
    with harness.collector(**settings) as running:
        port = running.grpc_port if transport == "grpc" else running.http_port
        send_all(port, transport, warm_up, clients)
        before_s = running.cpu_s()
        sent = send_all(port, transport, load, clients)
        settled_after_s = running.wait_settled() if settle else 0.0
        (stored,) = running.sql("select count(*) as n from span")
        expected = sum(due.spans for due in (*warm_up, *load))
        if stored["n"] != expected or set(sent.answers) != {"ok"}:
            raise RuntimeError(f"sent {expected}, stored {stored['n']}, answers {dict(sent.answers)}")
        loaded_s = running.cpu_s()
        used = running.stop()
        return Measured(
            (loaded_s - before_s) / sent.spans * 1e6,
            (used.cpu_s - loaded_s) / expected * 1e6,
            sent.spans / sent.wall_s,
            settled_after_s,
            running.store_bytes() / expected,
            sent,
        )


def fresh(bodies: Sequence[Body], rounds: int) -> tuple[list[Due], list[Due]]:
    """Bodies to warm a collector up with, and a load, none of which any cache has seen."""
    every = at_once(islice(stamped(bodies), (rounds + 1) * len(bodies)))
    return every[: len(bodies)], every[len(bodies) :]


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--spans", type=int, default=60_000, help="spans of each load")
    args = parser.parse_args()
    busy = harness.other_cores_used()
    bodies = make_bodies(min(args.spans, 6_000))
    rounds = max(1, round(args.spans / sum(body.spans for body in bodies)))
    warm_up, load = fresh(bodies, rounds)
    spans = sum(due.spans for due in load)
    size = sum(len(due.body) for due in load) / spans

    references = [frozen.cost_us_per_span([due.body for due in load], spans)]
    rows: list[list[object]] = []
    for transport in ("grpc", "http"):
        ack = measure(warm_up, load, transport, FEW_CLIENTS, settle=False)
        both = measure(warm_up, load, transport, FEW_CLIENTS, settle=True)
        references.append(frozen.cost_us_per_span([due.body for due in load], spans))
        rows.append([f"ack path, {transport}", ack.load_us + both.stop_us, "at most 3"])
        rows.append([f"settling on top, {transport}", both.load_us - ack.load_us, "at most 2"])
    reference = statistics.median(references)
    rows = [[name, cost, float(cost) / reference, target] for name, cost, target in rows]  # type: ignore[arg-type]
    rows.insert(0, ["reference", reference, 1.0, ""])
    most = measure(*fresh(bodies, rounds * 2), "grpc", MANY_CLIENTS, settle=True)

    text = harness.table(["", "CPU µs a span", "times the reference", "aim"], rows)
    text += "\n\n" + harness.table(
        ["", "measured", "aim"],
        [
            ["spans, bytes a span", f"{spans:,} × {size:,.0f} B, {len(load)} requests", ""],
            [
                f"stored spans/s, {MANY_CLIENTS} clients, gRPC, sender on the same cores",
                most.spans_per_s,
                "at least 12,000",
            ],
            ["settled after the last answer, s", most.settled_after_s, ""],
            ["ack p50 / p99, ms", f"{_ms(most, 0.5)} / {_ms(most, 0.99)}", ""],
            ["bytes a span on disk after a stop", most.bytes_per_span, "at most 900"],
        ],
    )
    harness.report("ingest", text, write=args.write, busy_cores=busy)


def _ms(measured: Measured, ratio: float) -> str:
    return harness.shown(harness.percentile(measured.sent.ack_s, ratio) * 1000)


if __name__ == "__main__":
    main()
