"""Live traffic: spans are sent as their runs proceed, children before parents."""

import itertools
from random import Random
from threading import Event

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from demo_data.delivery import Delivery
from demo_data.faults import Label
from demo_data.plan import SECOND
from demo_data.rhythm import LIVE_STORM_FIRST, live_starts
from demo_data.send import Clock, History, send_live

END_NS = 1_795_392_000_000_000_000
MINUTES = 4


class TestClock:
    """Time that moves only when somebody waits, and stops everything after some minutes."""

    __test__ = False

    def __init__(self) -> None:
        self.now_ns = END_NS

    def read(self) -> int:
        return self.now_ns

    def wait(self, stop: Event, seconds: float) -> bool:
        self.now_ns += int(seconds * SECOND)
        if self.now_ns > END_NS + MINUTES * 60 * SECOND:
            stop.set()
        return stop.is_set()


class Recording(SpanExporter):
    """Notes when each span was exported."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.exported: list[tuple[int, ReadableSpan]] = []

    def export(self, spans: list[ReadableSpan]) -> SpanExportResult:
        self.exported += [(self.clock.now_ns, span) for span in spans]
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


def live(rate: float = 10.0) -> tuple[list[tuple[int, ReadableSpan]], list[Label], int]:
    """Some minutes of live traffic: (when, span), the labels, and the number of runs."""
    clock = TestClock()
    exporter = Recording(clock)
    delivery = Delivery(exporter)
    labels: list[Label] = []
    runs = send_live(
        History(seed=7, end_ns=END_NS),
        delivery,
        Event(),
        runs_per_minute=rate,
        on_run=labels.append,
        clock=Clock(clock.read, clock.wait),
    )
    delivery.close()
    return exporter.exported, labels, runs


def test_live_traffic_goes_on_from_the_end_of_history_at_the_given_rate() -> None:
    """The first run begins where history ended, and the rate is about what was asked."""
    _, labels, runs = live(rate=10.0)
    assert len(labels) == runs
    assert labels[0].start_ns == END_NS
    assert 0.6 * 10 * MINUTES < runs < 1.5 * 10 * MINUTES


def test_a_span_is_sent_once_its_end_has_come_and_not_before() -> None:
    """Within a tick of its end, as an exporter with a short delay sends it."""
    exported, _, _ = live()
    assert exported
    for sent_ns, span in exported:
        assert span.end_time is not None
        assert span.end_time <= sent_ns <= span.end_time + SECOND


def test_children_are_sent_before_their_parents() -> None:
    """A late MCP server's span apart, which outlives its client's."""
    exported, _, _ = live()
    position = {span.context.span_id: at for at, (_, span) in enumerate(exported)}
    for at, (_, span) in enumerate(exported):
        if span.parent is not None and span.parent.span_id in position and not span.name.startswith("tools/call"):
            assert at < position[span.parent.span_id]


def test_a_run_is_spread_over_its_duration() -> None:
    """Some run's first and last span are sent seconds apart."""
    exported, _, _ = live()
    first: dict[int, int] = {}
    longest = 0
    for sent_ns, span in exported:
        longest = max(longest, sent_ns - first.setdefault(span.context.trace_id, sent_ns))
    assert longest > 2 * SECOND


def test_live_traffic_holds_a_fault_now_and_then() -> None:
    """Not every live run is clean."""
    _, labels, _ = live(rate=60.0)
    assert 0.03 < sum(1 for label in labels if label.code) / len(labels) < 0.4


def test_a_storm_comes_minutes_after_live_traffic_began_and_not_before() -> None:
    """At least five runs a minute in a row of ten minutes and more, whose ledger look-ups are tried twice and more."""
    begin = END_NS
    early = live_starts_until(begin, 40, stormy=True)
    assert [at for at, _ in early] == sorted(at for at, _ in early)
    crowd = [at - begin for at, is_crowd in early if is_crowd]
    assert crowd[0] >= LIVE_STORM_FIRST
    minutes = (crowd[-1] - crowd[0]) / (60 * SECOND)
    assert minutes > 10
    assert len(crowd) / minutes > 4
    assert not any(is_crowd for _, is_crowd in live_starts_until(begin, 40, stormy=False))


def live_starts_until(begin: int, minutes: int, *, stormy: bool) -> list[tuple[int, bool]]:
    """The starts of that many minutes."""
    starts = live_starts(Random(3), begin, 6.0, stormy=stormy)
    return list(itertools.takewhile(lambda start: start[0] < begin + minutes * 60 * SECOND, starts))
