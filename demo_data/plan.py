"""A run as it will be written: spans with ids, times and errors, planned before any SDK is touched.

Planning first is what makes history and live traffic the same thing (played at once, or as the clock reaches each
span's end) and what lets a label name the span that shows a fault.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind, StatusCode

from demo_data.faults import NO_FAULT, Fault, Label, Shows, Variant, label_for

MS = 1_000_000
SECOND = 1_000 * MS


class Service(NamedTuple):
    """A process that exports spans: one resource, one TracerProvider."""

    name: str
    version: str
    environment: str
    instance: str = "0"
    extra: tuple[tuple[str, Any], ...] = ()
    """Resource attributes beyond the usual ones."""
    python: bool = True
    """False: the telemetry.sdk.* attributes are left out, as n8n does."""


@dataclass(frozen=True, slots=True)
class Scope:
    """An instrumentation scope and how it writes the end of a span."""

    name: str
    version: str | None
    good: StatusCode
    """The status of a span that ended well: OK in some dialects, UNSET in others."""
    fail: Callable[["PlannedSpan", "Raised", int], None]
    """Writes an error that left the span: status, exception event and attributes, as this instrumentor does."""


class PlannedEvent(NamedTuple):
    """One event of a planned span."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]


class PlannedLink(NamedTuple):
    """One link of a planned span."""

    trace_id: int
    span_id: int


@dataclass(slots=True)
class PlannedSpan:
    """One span to write; `end_ns` is 0 while it is open."""

    service: Service
    scope: Scope
    name: str
    kind: SpanKind
    trace_id: int
    span_id: int
    parent_id: int | None
    start_ns: int
    attributes: dict[str, Any]
    end_ns: int = 0
    status: StatusCode = StatusCode.UNSET
    status_message: str | None = None
    events: list[PlannedEvent] = field(default_factory=list)
    links: Sequence[PlannedLink] = ()


class Raised(Exception):
    """An exception of the demo's world on its way up through the spans.

    `origin` is the first (deepest) span it left that shows it.
    """

    def __init__(self, error_class: str, message: str, frame: str) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.frame = frame
        self.origin: PlannedSpan | None = None

    @property
    def short_class(self) -> str:
        """The class without its module."""
        return self.error_class.rpartition(".")[2]

    def stacktrace(self) -> str:
        """A short traceback as Python prints it."""
        return f"Traceback (most recent call last):\n{self.frame}\n{self.error_class}: {self.message}\n"


class Case(NamedTuple):
    """What is given to a workflow for one run."""

    rng: Random
    start_ns: int
    environment: str
    version: str
    fault: Fault = NO_FAULT
    failing_tries: int = 1
    """How many tries the fault spoils before one is good (or before the workflow gives up)."""


class RunPlan(NamedTuple):
    """One planned run: its spans in the order they end, and the truth about it."""

    spans: list[PlannedSpan]
    label: Label
    then: "RunPlan | None" = None
    """The run that continues this one after a human said yes."""

    @property
    def end_ns(self) -> int:
        """When its last span ends."""
        return self.spans[-1].end_ns


class Script:
    """Writes the plan of one run: holds the clock, the open spans and the blame for what goes wrong.

    `root_trace_id` names the run in its label; a run that a framework shatters over traces sets it to its main one.
    """

    def __init__(self, case: Case, workflow: str, service: Service) -> None:
        self.case = case
        self.rng = case.rng
        self.workflow = workflow
        self.service = service
        self.now_ns = case.start_ns
        self.trace_id = self.new_id(128)
        self.root_trace_id = self.trace_id
        self._open: list[PlannedSpan] = []
        self._spans: list[PlannedSpan] = []
        self._blamed: list[PlannedSpan] = []
        self._variant = case.fault.variant
        self._strikes = 0
        self.ran_out = False
        """A framework tried as often as it may."""

    def new_id(self, bits: int) -> int:
        """A trace id (128 bits) or span id (64); never 0, which OTLP forbids."""
        return self.rng.getrandbits(bits) | 1

    def hex(self, digits: int) -> str:
        """Random lower-case hex, for ids inside attributes."""
        return f"{self.rng.getrandbits(digits * 4):0{digits}x}"

    def uuid(self) -> str:
        """A random UUID (version 4) as text."""
        raw = self.hex(32)
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"

    def wait(self, median_ms: float, spread: float = 0.35) -> None:
        """Let time pass: log-normal around a median, as latencies are."""
        self.now_ns += int(self.rng.lognormvariate(0.0, spread) * median_ms * MS)

    def pause(self, seconds: float) -> None:
        """Let an exact time pass (a time-out, a back-off)."""
        self.now_ns += int(seconds * SECOND)

    @contextmanager
    def span(
        self,
        name: str,
        scope: Scope,
        attributes: dict[str, Any],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        service: Service | None = None,
        links: Sequence[PlannedLink] = (),
        new_trace: bool = False,
    ) -> Iterator[PlannedSpan]:
        """A span around what the block does; an error that leaves the block is written as the scope writes it."""
        parent = None if new_trace or not self._open else self._open[-1]
        trace_id = self.new_id(128) if new_trace else parent.trace_id if parent else self.trace_id
        planned = PlannedSpan(
            service=service or self.service,
            scope=scope,
            name=name,
            kind=kind,
            trace_id=trace_id,
            span_id=self.new_id(64),
            parent_id=parent.span_id if parent else None,
            start_ns=self.now_ns,
            attributes=attributes,
            status=scope.good,
            links=links,
        )
        self._open.append(planned)
        try:
            yield planned
        except Raised as error:
            events = len(planned.events)
            scope.fail(planned, error, self.now_ns)
            if error.origin is None and (planned.status is StatusCode.ERROR or len(planned.events) > events):
                error.origin = planned
            raise
        finally:
            self._open.pop()
            planned.end_ns = max(self.now_ns, planned.start_ns + 1)
            self._spans.append(planned)

    def together(self, branches: Iterable[Callable[[], object]]) -> None:
        """Run branches at the same time: each begins now, and it goes on, or fails, when the last has ended."""
        begun = ended = self.now_ns
        try:
            for branch in branches:
                self.now_ns = begun
                branch()
                ended = max(ended, self.now_ns)
        finally:
            self.now_ns = max(ended, self.now_ns)

    def strikes(self, step: str, shows: Shows) -> bool:
        """Whether the injected fault hits here and now: a recovered one spoils only the first tries."""
        fault = self.case.fault
        if fault.step != step or fault.shows is not shows:
            return False
        self._strikes += 1
        return fault.variant is not Variant.RECOVERED or self._strikes <= self.case.failing_tries

    def blame(self, span: PlannedSpan | None, variant: Variant | None = None) -> None:
        """Note a span that shows the fault (one for each failed try), and what became of it where chance decided."""
        if span is not None and all(span is not other for other in self._blamed):
            self._blamed.append(span)
        if variant is not None:
            self._variant = variant

    def finish(self) -> RunPlan:
        """The plan so far with its label.

        What a later try made good is blamed on the first try, what ended the run on the last.
        """
        first = self._variant is Variant.RECOVERED
        origin = self._blamed[0 if first else -1] if self._blamed else None
        also = [*self._failed_above(origin), *(span for span in self._blamed if span is not origin)]
        label = label_for(
            self.case.fault,
            variant=self._variant,
            trace_id=f"{self.root_trace_id:032x}",
            workflow=self.workflow,
            environment=self.case.environment,
            start_ns=self.case.start_ns,
            origin_span_id=f"{origin.span_id:016x}" if origin else None,
            origin_also=tuple(f"{span.span_id:016x}" for span in also),
            tries=len(self._blamed),
            ran_out=self.ran_out,
        )
        return RunPlan(sorted(self._spans, key=attrgetter("end_ns")), label)

    def _failed_above(self, origin: PlannedSpan | None) -> Iterator[PlannedSpan]:
        """The ancestors that end with an error too, from the deepest up."""
        by_id = {span.span_id: span for span in self._spans} if origin else {}
        span = origin
        while span is not None and span.parent_id is not None:
            span = by_id.get(span.parent_id)
            if span is not None and span.status is StatusCode.ERROR:
                yield span
