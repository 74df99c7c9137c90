"""What roll-ups cost beside settling: CPU a span at a steady rate and over a history, and how fast they are made anew.

    python -m tests.benchmarks.rollups [--spans 45000] [--write]

The same settled passes are written to two stores in turn, one of which keeps no roll-ups: what the other takes more,
with its folds and its last checkpoint, is what they cost. A pass holds what comes in 0.3 s, as the collector's do at
5,000 spans/s; while more comes, runs wait for their place in the roll-ups as they do there. The reference
(tests/benchmarks/frozen.py) runs in the same minute.
"""

import gc
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from collector.decode import decode_protobuf
from collector.rollup_store import FOLD_EVERY_S, FOLD_ROWS, WAIT_S, Rollups, Waiting
from collector.settle import Settled, settle
from collector.settling import replace
from collector.store import Store
from demo_data.send import History, history_runs
from demo_data.telemetry import Player
from schemas.records import Span
from schemas.settings import Settings
from tests.benchmarks import frozen, harness
from tests.benchmarks.spans import make_bodies, stamped
from tests.settling import QUIET_NS, batch_of

RATES = (5_000, 1_000)
PASS_S = 0.3
HISTORY_PASS_SPANS = 2_000
HISTORY_END_NS = 1_795_392_000_000_000_000
"""Mon 2026-11-23 00:00 UTC."""


class Pass(NamedTuple):
    """What one settling pass derived."""

    settled: Settled
    spans: int


class Cost(NamedTuple):
    """CPU seconds of roll-ups over some passes."""

    spans: int
    passes_s: float
    fold_s: float
    loose_rows: int
    """Rows that were not folded yet before the fold."""


class NoRollups(Rollups):
    """Keeps none."""

    def replace(self, *_: object, **__: object) -> Waiting:
        """Nothing is added."""
        return Waiting()


def passes_of(spans: Iterable[Span], size: int) -> Iterator[Pass]:
    """Spans, run by run, as settled passes of about so many."""
    gathered: list[Span] = []
    for _, run in groupby(spans, key=lambda span: span.trace_id):
        gathered += run
        if len(gathered) >= size:
            yield Pass(settle(batch_of(gathered), QUIET_NS), len(gathered))
            gathered = []
    if gathered:
        yield Pass(settle(batch_of(gathered), QUIET_NS), len(gathered))


def live_spans(count: int) -> Iterator[Span]:
    """The load of the other benchmarks, whole runs in their order."""
    bodies = make_bodies(6_000)
    rounds = -(-count // sum(body.spans for body in bodies))
    for _, body in islice(stamped(bodies), rounds * len(bodies)):
        yield from decode_protobuf(body, Settings()).spans


def history_spans(factor: float) -> list[Span]:
    """Four weeks of the demo, thinned out, by run."""
    ended: list[ReadableSpan] = []
    player = Player(ended.append)
    for run in history_runs(History(seed=7, end_ns=HISTORY_END_NS, days=28, factor=factor)):
        player.play(run.spans)
    found = decode_protobuf(encode_spans(ended).SerializeToString(), Settings()).spans
    return sorted(found, key=lambda span: span.trace_id)


def cost(folder: Path, passes: Sequence[Pass], every_s: float) -> Cost:
    """What keeping roll-ups takes more than not keeping them.

    Args:
        folder: for the two stores.
        passes: what is written.
        every_s: from one pass to the next; 0: everything is there at once.
    """
    stores = [Store.open(Settings(data_dir=folder / name, min_free_disk_mib=0)) for name in ("with", "without")]
    cursors = [store.cursor() for store in stores]
    kept = [Rollups(cursors[0]), NoRollups(cursors[1])]
    spent = [0.0, 0.0]
    waited_s = 0.0
    gc.collect()
    gc.disable()  # what it finds among so many rows would be put down to whichever store had its turn
    for number, one in enumerate(passes):
        waited_s += every_s
        may_wait = 0 < waited_s < WAIT_S and number < len(passes) - 1
        waited_s = waited_s if may_wait else 0.0
        traces = [trace.trace_id for trace in one.settled.trace]
        for side in (0, 1) if number % 2 else (1, 0):
            since = time.process_time()
            replace(cursors[side], stores[side], kept[side], traces, one.settled, number, may_wait=may_wait)
            spent[side] += time.process_time() - since
    loose = kept[0].loose_rows
    since = time.process_time()
    kept[0].fold(cursors[0])
    fold_s = time.process_time() - since
    for side, store in enumerate(stores):
        cursors[side].close()
        since = time.process_time()
        store.close()
        spent[side] += time.process_time() - since
    gc.enable()
    return Cost(sum(one.spans for one in passes), spent[0] - spent[1], fold_s, loose)


def rebuild_s(folder: Path) -> float:
    """CPU seconds of making the roll-ups of a store anew."""
    store = Store.open(Settings(data_dir=folder / "with", min_free_disk_mib=0))
    with store.cursor() as cursor:
        rollups = Rollups(cursor)
        since = time.process_time()
        rollups.start_anew(cursor)
        while rollups.rebuild_some(cursor):
            rollups.fold_if_due(cursor)
        rollups.fold(cursor)
        seconds = time.process_time() - since
    store.close()
    return seconds


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--spans", type=int, default=45_000, help="spans of each load")
    args = parser.parse_args()
    busy = harness.other_cores_used()
    made = make_bodies(6_000)
    bodies = [body for _, body in islice(stamped(made), 3 * len(made))]
    references = [frozen.cost_us_per_span(bodies, 3 * sum(body.spans for body in made))]
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder:
        for rate in RATES:
            passes = [*passes_of(live_spans(args.spans * rate // RATES[0]), int(rate * PASS_S))]
            found = cost(Path(folder) / str(rate), passes, PASS_S)
            until_fold = min(rate * FOLD_EVERY_S, FOLD_ROWS / found.loose_rows * found.spans)
            passes_us, fold_us = found.passes_s / found.spans * 1e6, found.fold_s / until_fold * 1e6
            rows += [
                [f"{rate:,} spans/s: computed and written", passes_us, ""],
                [f"{rate:,} spans/s: folded", fold_us, ""],
                [f"{rate:,} spans/s: all", passes_us + fold_us, "at most 3" if rate == RATES[0] else ""],
            ]
        data = Path(folder) / "history"
        found = cost(data, [*passes_of(history_spans(factor=0.25), HISTORY_PASS_SPANS)], 0)
        rows += [
            ["28 days at once: computed and written", found.passes_s / found.spans * 1e6, ""],
            ["28 days at once: folded", found.fold_s / found.spans * 1e6, ""],
            ["28 days made anew", rebuild_s(data) / found.spans * 1e6, ""],
        ]
    references.append(frozen.cost_us_per_span(bodies, 3 * sum(body.spans for body in made)))
    reference = sum(references) / len(references)
    rows.insert(0, ["reference", reference, ""])
    table = [[name, us, float(us) / reference, aim] for name, us, aim in rows]  # type: ignore[arg-type]
    text = harness.table(["", "CPU µs a span", "times the reference", "aim"], table)
    harness.report("rollups", text, write=args.write, busy_cores=busy)


if __name__ == "__main__":
    main()
