"""Sends four weeks of history, then live traffic: plans runs, plays them through the SDK, hands them to delivery."""

import time
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import chain
from random import Random
from threading import Event
from typing import NamedTuple

from demo_data.delivery import Delivery
from demo_data.faults import NO_FAULT, STORM_FAULTS, Fault, Label, draw, faults_of
from demo_data.plan import Case, PlannedSpan, RunPlan
from demo_data.rhythm import DAY, LIVE_STORM, STORMS, daily_starts, live_starts, live_storm_rages, storm_starts
from demo_data.telemetry import Player
from demo_data.workflows import WORKFLOWS, Workflow

STAGING_SHARE = 0.06
MOST_FAILING_TRIES = 5
LIVE_TICK_S = 0.25
TOTAL_RUNS_PER_DAY = sum(workflow.runs_per_day for workflow in WORKFLOWS.values())


class History(NamedTuple):
    """What the history holds: the same values give the same spans, byte for byte."""

    seed: int
    end_ns: int
    days: int = 28
    factor: float = 1.0
    """Scales every workflow's runs a day."""
    workflows: Sequence[str] = tuple(WORKFLOWS)


class Start(NamedTuple):
    """One run that is to be planned."""

    start_ns: int
    workflow: str
    number: int
    """Counts a workflow's runs; with the seed it decides everything about the run."""
    failure_rate: float
    """Chance that a try of the stormy step fails; 0 outside storms."""


def starts_of(history: History) -> list[Start]:
    """Every run of the history in order of start."""
    starts: list[Start] = []
    for name in history.workflows:
        rng = Random(f"{history.seed}/{history.end_ns}/{name}/starts")
        per_day = WORKFLOWS[name].runs_per_day * history.factor
        times = daily_starts(rng, history.end_ns, history.days, per_day)
        storms = [storm for storm in STORMS if storm.workflow == name]
        for storm in storms:
            times += storm_starts(rng, storm, history.end_ns, history.days, history.factor)
        for number, at in enumerate(sorted(times)):
            rate = next((storm.failure_rate for storm in storms if storm.covers(at, history.end_ns)), 0.0)
            starts.append(Start(at, name, number, rate))
    return sorted(starts)


def plan_run(start: Start, *, seed: int, end_ns: int) -> RunPlan:
    """The plan of one run."""
    workflow = WORKFLOWS[start.workflow]
    # The end is part of it: a history with another end has other ids, and no store takes it for a re-send.
    rng = Random(f"{seed}/{end_ns}/{start.workflow}/{start.number}")
    version = workflow.version_at((end_ns - start.start_ns) / DAY)
    fault, tries = _fault(rng, workflow, version, start.failure_rate)
    staging = workflow.staging and rng.random() < STAGING_SHARE
    environment = "staging" if staging else "production"
    return workflow.plan(Case(rng, start.start_ns, environment, version, fault, tries))


def _fault(rng: Random, workflow: Workflow, version: str, failure_rate: float) -> tuple[Fault, int]:
    """The fault of a run and how many tries it spoils; in a storm each try is a toss of its own."""
    failing = 0
    while failure_rate and failing < MOST_FAILING_TRIES and rng.random() < failure_rate:
        failing += 1
    if failing:
        return STORM_FAULTS[workflow.name], failing
    fault = draw(rng, faults_of(workflow.name, version))
    return (fault, rng.choice((1, 1, 1, 2))) if fault is not NO_FAULT else (fault, 0)


def history_runs(history: History) -> Iterator[RunPlan]:
    """The runs of a history that were over by its end, in order of start; a run is followed by what continues it."""
    for start in starts_of(history):
        yield from _runs_from(start, history)


def _runs_from(start: Start, history: History) -> Iterator[RunPlan]:
    run: RunPlan | None = plan_run(start, seed=history.seed, end_ns=history.end_ns)
    while run is not None and run.end_ns <= history.end_ns:
        yield run
        run = run.then


def send_history(
    history: History,
    delivery: Delivery,
    *,
    on_run: Callable[[Label], None] = lambda label: None,
) -> int:
    """Send a history; returns how many runs were sent. `delivery` holds the counts of spans afterwards.

    The newest runs come first: whoever opens the dashboard meanwhile sees the last hour and day at once. It ends
    early once a batch could not be delivered: a collector that went away will not take the rest either.

    Args:
        history: what to send.
        delivery: where to; it is flushed but not closed.
        on_run: called after each run with its label, for the labels file and the progress bar.
    """
    player = Player(delivery.take)
    runs = 0
    for run in chain.from_iterable(_runs_from(start, history) for start in reversed(starts_of(history))):
        player.play(run.spans)
        on_run(run.label)
        runs += 1
        if delivery.failed:
            break
    delivery.flush()
    return runs


class Clock(NamedTuple):
    """Real time, or a test's."""

    now_ns: Callable[[], int] = time.time_ns
    wait: Callable[[Event, float], bool] = Event.wait


REAL_CLOCK = Clock()


def send_live(
    history: History,
    delivery: Delivery,
    stop: Event,
    *,
    runs_per_minute: float,
    on_run: Callable[[Label], None] = lambda label: None,
    clock: Clock = REAL_CLOCK,
) -> int:
    """Go on from the end of a history in real time until `stop` is set; returns how many runs were planned.

    A span is sent once the clock has passed its end, so children arrive before their parents and the spans of one
    run are spread over its duration, as with a real exporter.
    """
    player = Player(delivery.take)
    rng = Random(f"{history.seed}/live/{history.end_ns}")
    waiting: list[tuple[int, int, PlannedSpan]] = []
    starts = live_starts(rng, history.end_ns, runs_per_minute, stormy=LIVE_STORM.workflow in history.workflows)
    start_ns, is_crowd = next(starts)
    runs = sequence = 0
    while not stop.is_set():
        now = clock.now_ns()
        while start_ns <= now:
            run: RunPlan | None = _live_run(rng, history, start_ns, is_crowd=is_crowd)
            while run is not None:
                on_run(run.label)
                runs += 1
                for span in run.spans:
                    sequence += 1
                    heappush(waiting, (span.end_ns, sequence, span))
                run = run.then
            start_ns, is_crowd = next(starts)
        while waiting and waiting[0][0] <= now:
            player.play([heappop(waiting)[2]])
        delivery.flush()
        clock.wait(stop, LIVE_TICK_S)
    return runs


def _live_run(rng: Random, history: History, start_ns: int, *, is_crowd: bool) -> RunPlan:
    weights = [WORKFLOWS[name].runs_per_day for name in history.workflows]
    name = LIVE_STORM.workflow if is_crowd else rng.choices(list(history.workflows), weights)[0]
    workflow = WORKFLOWS[name]
    version = workflow.releases[-1][1]
    is_stormy = name == LIVE_STORM.workflow and live_storm_rages(start_ns - history.end_ns)
    fault, tries = _fault(rng, workflow, version, LIVE_STORM.failure_rate if is_stormy else 0.0)
    return workflow.plan(Case(rng, start_ns, "production", version, fault, tries))
