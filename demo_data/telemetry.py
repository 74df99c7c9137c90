"""Plays planned spans through the real OpenTelemetry SDK."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, TraceFlags, Tracer, set_span_in_context

from demo_data.plan import PlannedSpan, Scope, Service

SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class PlannedIds(IdGenerator):
    """Hands the SDK the ids that the plan chose."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id = 0

    def generate_span_id(self) -> int:
        """The planned span's id."""
        return self.span_id

    def generate_trace_id(self) -> int:
        """The planned span's trace id; the SDK asks for it at roots only."""
        return self.trace_id


class HandOver(SpanProcessor):
    """Gives every ended span to one receiver, synchronously: no queue that could drop anything."""

    def __init__(self, receive: Callable[[ReadableSpan], None]) -> None:
        self._receive = receive

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: spans are sent when they end."""

    def on_end(self, span: ReadableSpan) -> None:
        """Pass the span on."""
        self._receive(span)

    def shutdown(self) -> None:
        """Nothing is held here."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held here."""
        return True


class Player:
    """Writes planned spans, each with the TracerProvider of its service and the tracer of its scope."""

    def __init__(self, receive: Callable[[ReadableSpan], None]) -> None:
        self._ids = PlannedIds()
        self._hand_over = HandOver(receive)
        self._providers: dict[Service, TracerProvider] = {}
        self._tracers: dict[tuple[Service, str], Tracer] = {}

    def play(self, spans: Iterable[PlannedSpan]) -> None:
        """Write spans; they reach the receiver in the order given."""
        for span in spans:
            self._write(span)

    def _write(self, planned: PlannedSpan) -> None:
        self._ids.trace_id = planned.trace_id
        self._ids.span_id = planned.span_id
        span = self._tracer(planned.service, planned.scope).start_span(
            planned.name,
            context=_parent_context(planned),
            kind=planned.kind,
            attributes=planned.attributes,
            links=[Link(SpanContext(link.trace_id, link.span_id, False, SAMPLED)) for link in planned.links],
            start_time=planned.start_ns,
        )
        for event in planned.events:
            span.add_event(event.name, event.attributes, event.time_ns)
        if planned.status.value:
            span.set_status(Status(planned.status, planned.status_message))
        span.end(planned.end_ns)

    def _tracer(self, service: Service, scope: Scope) -> Tracer:
        key = (service, scope.name)
        tracer = self._tracers.get(key)
        if tracer is None:
            tracer = self._tracers[key] = self._provider(service).get_tracer(scope.name, scope.version)
        return tracer

    def _provider(self, service: Service) -> TracerProvider:
        provider = self._providers.get(service)
        if provider is None:
            provider = TracerProvider(
                sampler=ALWAYS_ON,  # not what OTEL_TRACES_SAMPLER says: a sampled-away span would be a silent loss
                resource=resource_of(service),
                id_generator=self._ids,
                shutdown_on_exit=False,
            )
            provider.add_span_processor(self._hand_over)
            self._providers[service] = provider
        return provider


def resource_of(service: Service) -> Resource:
    """The resource a process of this service reports; its instance id is derived, so that it is the same every time."""
    attributes = {"service.name": service.name, "service.version": service.version, **dict(service.extra)}
    if not service.python:
        return Resource(attributes)
    digest = sha256("/".join(service[:4]).encode()).digest()
    attributes["service.instance.id"] = str(UUID(bytes=digest[:16], version=4))
    attributes["deployment.environment.name"] = service.environment
    return Resource.create(attributes)


def _parent_context(planned: PlannedSpan) -> Context:
    if planned.parent_id is None:
        return Context()
    parent = SpanContext(planned.trace_id, planned.parent_id, is_remote=False, trace_flags=SAMPLED)
    return set_span_in_context(NonRecordingSpan(parent), Context())
