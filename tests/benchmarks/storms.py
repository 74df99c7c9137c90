"""How surely retry storms are found in simulated traffic, and that look-alikes are left alone. Writes docs/accuracy.md.

    python -m tests.benchmarks.storms --write

Days of one tool's traffic: operations as a Poisson process, each attempt fails with a chance of 1–8 %, up to m tries.
Into each day come two storms (15–60 minutes in which an attempt fails with a chance of .85–.98), a brownout (.2–.4:
worth a look, no storm) and a rush (half an hour of ten times the calls). Look-alikes are the demo's runs, settled.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from collector.settle import OperationRow
from dashboard.analytics.storms import MINUTE_NS, Episode, Key, find
from demo_data.desk import DESKS
from demo_data.faults import FAULTS, NO_FAULT, Fault, Shows
from demo_data.plan import Case
from demo_data.probes import LOOKALIKES
from demo_data.workflows import WORKFLOWS
from tests.benchmarks import harness
from tests.benchmarks.demo_truth import settled_plan
from tests.dashboard.calls import Calls, by_key
from tests.markers import replace_between

RESULTS = Path(__file__).parents[2] / "docs" / "accuracy.md"
BUCKET_NS = 5 * MINUTE_NS
DAY_MINUTES = 1_440
RATES = (0.5, 1, 3, 5, 10, 50)
DAYS = 200
TRIES = (2, 3, 4, 6)
LOOK_ALIKE_RUNS = 3
PLAIN = "plain runs"
ALIKE = (Shows.POLLING, Shows.PAGINATION, Shows.FAN_OUT, Shows.MAP_OVER, Shows.OTHER_ARGUMENTS)


class Storm(NamedTuple):
    """One that was put in, in minutes."""

    start: float
    end: float


class Measured(NamedTuple):
    """Storms found against storms put in."""

    put_in: int
    found: int
    named: int
    false: int
    onset_errors: list[int]
    """Buckets between the true onset and the one named."""
    end_errors: list[int]
    noticed: list[float]
    """Minutes from the onset until it could be known."""

    @property
    def precision(self) -> float:
        """Share of the episodes named that were put in."""
        return 1 - self.false / self.named if self.named else 1.0

    @property
    def recall(self) -> float:
        """Share of the storms put in that were named."""
        return self.found / self.put_in

    @property
    def onset_within_two(self) -> float:
        """Share of the storms found whose onset is at most two buckets off."""
        return float(np.mean([abs(error) <= 2 for error in self.onset_errors])) if self.onset_errors else 1.0


def day(
    random: np.random.Generator, per_minute: float, key: Key, failing: tuple[float, float] = (0.85, 0.98)
) -> tuple[list[Calls], list[Storm]]:
    """A day of traffic and the storms in it."""
    tries = int(random.choice(TRIES))
    # Four stretches of six hours in random order, each with one event well inside.
    starts = random.permutation(4) * 360 + random.uniform(60, 240, 4)
    lengths = random.uniform(15, 60, 4)
    storms = [Storm(start, start + length) for start, length in zip(starts[:2], lengths[:2], strict=True)]
    at = random.uniform(0, DAY_MINUTES, random.poisson(per_minute * DAY_MINUTES))
    rush = random.uniform(starts[3], starts[3] + 30, random.poisson(9 * per_minute * 30))
    at = np.concatenate([at, rush])
    chance = np.full(len(at), random.uniform(0.01, 0.08))
    for storm in storms:
        chance[(at >= storm.start) & (at < storm.end)] = random.uniform(*failing)
    chance[(at >= starts[2]) & (at < starts[2] + lengths[2])] = random.uniform(0.2, 0.4)
    attempts = np.minimum(random.geometric(1 - chance), tries)
    buckets = (at // 5).astype(int)
    operations = np.bincount(buckets, minlength=288)
    all_tries = np.bincount(buckets, attempts, minlength=288).astype(int)
    calls = [
        Calls(key, place * BUCKET_NS, int(operations[place]), int(all_tries[place]), most_tries=tries)
        for place in np.flatnonzero(operations)
    ]
    return calls, storms


def measure(
    random: np.random.Generator, per_minute: float, series: int, failing: tuple[float, float] = (0.85, 0.98)
) -> Measured:
    """Storms found in so many days."""
    result = Measured(0, 0, 0, 0, [], [], [])
    put_in = found = named = false = 0
    for number in range(series):
        calls, storms = day(random, per_minute, Key("", "tool", f"tool-{number}"), failing)
        episodes = [one for one in find(by_key(calls), until_ns=288 * BUCKET_NS).episodes if one.status == "storm"]
        put_in += len(storms)
        named += len(episodes)
        false += sum(not any(_meet(episode, storm) for storm in storms) for episode in episodes)
        for storm in storms:
            hit = next((episode for episode in episodes if _meet(episode, storm)), None)
            if hit is not None:
                found += 1
                result.onset_errors.append(hit.onset_ns // BUCKET_NS - int(storm.start // 5))
                assert hit.end_ns is not None
                result.end_errors.append(hit.end_ns // BUCKET_NS - (int(storm.end // 5) + 1))
                result.noticed.append(hit.noticed_ns / MINUTE_NS - storm.start)
    return result._replace(put_in=put_in, found=found, named=named, false=false)


def _meet(episode: Episode, storm: Storm) -> bool:
    start, end = episode.onset_ns / MINUTE_NS, (episode.end_ns or 0) / MINUTE_NS
    return start < storm.end + 5 and storm.start - 5 < end


def by_rate() -> str:
    """The table of rates."""
    rows = []
    for rate in RATES:
        m = measure(np.random.default_rng(int(rate * 10)), rate, DAYS)
        rows.append(
            [
                f"{rate:g}", m.put_in, m.named, f"{m.precision:.3f}", f"{m.recall:.3f}", f"{m.onset_within_two:.3f}",
                f"{np.mean([abs(e) <= 2 for e in m.end_errors]):.3f}" if m.end_errors else "–",
                f"{np.median(m.noticed):.0f}" if m.noticed else "–",
            ]
        )  # fmt: skip
    head = ["operations a minute", "storms", "named", "precision", "recall", "onset ≤ 2 buckets off"]
    return harness.table([*head, "end ≤ 2 buckets off", "noticed after, minutes (median)"], rows)


def by_strength() -> str:
    """How strong a storm has to be: recall at 5 operations a minute."""
    rows = []
    for chance in (0.5, 0.6, 0.7, 0.8, 0.9):
        m = measure(np.random.default_rng(int(chance * 100)), 5, DAYS // 2, (chance, chance + 1e-9))
        rows.append([f"{chance:.1f}", f"{m.recall:.3f}", f"{m.precision:.3f}"])
    return harness.table(["an attempt fails with a chance of", "named a storm", "precision"], rows)


def look_alikes() -> Iterator[tuple[str, list[OperationRow]]]:
    """What only looks like retries in every dialect of the demo, and plain runs, as settling reads them."""
    kinds: dict[str, list[Fault]] = {shows.value: [] for shows in ALIKE}
    for fault in (*FAULTS, *LOOKALIKES):
        if fault.shows in ALIKE:
            kinds[fault.shows.value].append(fault)
    kinds[PLAIN] = [NO_FAULT._replace(workflow=name) for name in (*WORKFLOWS, *DESKS)]
    for name, faults in kinds.items():
        operations: list[OperationRow] = []
        for fault in faults:
            workflow = (WORKFLOWS | DESKS)[fault.workflow]
            for seed in range(LOOK_ALIKE_RUNS):
                random = Random(f"{fault.name}/{fault.workflow}/{seed}")
                case = Case(random, 10**18, "production", workflow.releases[-1][1], fault, int(name != PLAIN))
                operations += settled_plan(workflow.plan(case)).operation
        yield name, operations


def calls_in(operations: Iterable[OperationRow], repeats: int = 60) -> list[Calls]:
    """These operations once a minute, for an hour."""
    attempts: dict[tuple[Key, int], list[int]] = defaultdict(list)
    rows = list(operations)
    for repeat in range(repeats):
        for row in rows:
            attempts[Key("", row.kind, row.tool or row.name), repeat // 5 * BUCKET_NS].append(row.attempts)
    # Others were seen to be retried: else there would be nothing to mistake.
    return [Calls(key, bucket_ns, len(tries), sum(tries), most_tries=3) for (key, bucket_ns), tries in attempts.items()]


def false_alarms() -> str:
    """Episodes named in look-alikes."""
    rows = []
    for name, operations in look_alikes():
        calls = calls_in(operations)
        episodes = find(by_key(calls)).episodes
        rows.append([name, f"{len(operations) * 60:,}", len({one.key for one in calls}), len(episodes)])
    return harness.table(["look-alike", "operations", "tools, models and steps", "episodes"], rows)


def main() -> None:
    """Measures and reports."""
    args = harness.options(__doc__).parse_args()
    started = time.perf_counter()
    text = f"{DAYS} days for each rate, two storms a day, up to {', '.join(map(str, TRIES))} tries.\n\n{by_rate()}\n\n"
    text += f"{by_strength()}\n\n{false_alarms()}"
    print(text)  # noqa: T201 - a benchmark's result is its output
    print(f"\n{time.perf_counter() - started:.0f} s")  # noqa: T201
    if args.write:
        replace_between(RESULTS, "storms", text)


if __name__ == "__main__":
    main()
