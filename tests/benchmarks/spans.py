"""Spans for load: runs of a six-step support workflow, about 1.5 KB a span, as ready-made request bodies.

A body is made once and then *stamped* anew for every sending: ids, times and a part of every long text are overwritten
in place, so a load of any length is unique to the store and costs the sender next to nothing.
"""

import random
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

NOISE_CHARS = 12
HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
SECOND = 1_000_000_000
VOCABULARY = (
    "account balance carrier claim customer delivery discount escalate evidence invoice ledger limit memory missing "
    "order partial payment policy product refund region reply retry return review route schema shipment status summary "
    "supplier ticket timeout tier total transfer update verify version voucher warehouse"
)
MODELS = (("openai", "gpt-4.1-mini"), ("openai", "gpt-4.1"), ("anthropic", "claude-sonnet-4-5"))
STEPS = (
    ("classify", "model"),
    ("lookup", "tool"),
    ("search", "retrieval"),
    ("draft", "model"),
    ("check", "model"),
    ("send", "tool"),
)
FAILURES = (
    ("RateLimitError", "429 Too Many Requests: retry after 20 s"),
    ("ToolTimeoutError", "no answer within 10.0 s"),
    ("ValidationError", "1 validation error for Handoff: amount: input should be a valid decimal"),
)


class Body(NamedTuple):
    """One request body and the places that a new stamp overwrites."""

    data: np.ndarray
    spans: int
    ids: np.ndarray
    """Offsets of all ids; a stamp changes four bytes of each, the same for equal ids …"""
    traces: np.ndarray
    """… and four more of those of traces, in the half that is random where the other is a time stamp."""
    times: np.ndarray
    """Offsets of all times, eight bytes each."""
    noise: np.ndarray
    """Offsets of text that differs from span to span, NOISE_CHARS each."""
    newest_ns: int


class _Builder:
    """Makes spans, and remembers what in them has to differ the next time."""

    def __init__(self, seed: int, text_chars: int) -> None:
        self.random = random.Random(seed)
        self.noise: list[bytes] = []
        self.words = VOCABULARY.split()
        self.texts = [self._text(text_chars) for _ in range(64)]

    def _text(self, chars: int) -> str:
        text = ""
        while len(text) < chars:
            text += self.random.choice(self.words) + " "
        return text[:chars]

    def text(self, chars: int | None = None) -> str:
        noise = "".join(self.random.choices("0123456789abcdef", k=NOISE_CHARS))
        self.noise.append(noise.encode())
        return f"{noise} {self.random.choice(self.texts)[:chars]}"

    def id(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def run(self, start_ns: int) -> list[Span]:
        """The spans of one run: the workflow, its six steps, one or more calls in each."""
        chance = self.random.random
        trace_id, session = self.id(16), f"session-{self.random.randrange(20_000)}"
        root = self._span(trace_id, b"", "refund_desk", Span.SPAN_KIND_SERVER, start_ns)
        put(root, {"openinference.span.kind": "CHAIN", "session.id": session, "graph.node.id": "root"})
        put(root, {"input.value": self.text(400), "output.value": self.text(400)})
        spans, now, failed = [root], start_ns + 2_000_000, False
        for number, (name, kind) in enumerate(STEPS):
            step = self._span(trace_id, root.span_id, name, Span.SPAN_KIND_INTERNAL, now)
            put(step, {"openinference.span.kind": "CHAIN", "session.id": session, "langgraph_node": name})
            put(step, {"langgraph_step": number, "gen_ai.agent.name": f"{name}_agent", "metadata": '{"tier": "gold"}'})
            spans.append(step)
            for attempt in range(1, 4):
                call = self._call(kind, trace_id, step.span_id, now + 1_000_000)
                put(call, {"retry.attempt": attempt, "langgraph_node": name})
                spans.append(call)
                now = call.end_time_unix_nano + 1_000_000
                failed = chance() < 0.04
                if failed:
                    self._fail(call)
                if not failed or chance() < 0.3:
                    break
            step.end_time_unix_nano = now
            if failed:
                self._fail(step)
                break
        root.end_time_unix_nano = now + 1_000_000
        root.status.code = Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_OK
        return spans

    def _span(self, trace_id: bytes, parent: bytes, name: str, kind: int, start_ns: int) -> Span:
        return Span(
            trace_id=trace_id,
            span_id=self.id(8),
            parent_span_id=parent,
            name=name,
            kind=kind,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns,
            flags=256,
        )

    def _call(self, kind: str, trace_id: bytes, parent: bytes, start_ns: int) -> Span:
        r = self.random
        seconds = {"model": 0.9, "tool": 0.3, "retrieval": 0.12}[kind] * r.lognormvariate(0, 0.6)
        if kind == "model":
            provider, model = r.choice(MODELS)
            span = self._span(trace_id, parent, f"chat {model}", Span.SPAN_KIND_CLIENT, start_ns)
            tokens = {"prompt": r.randint(300, 2400), "completion": r.randint(40, 700)}
            put(
                span,
                {"openinference.span.kind": "LLM", "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider},
            )
            put(span, {"gen_ai.request.model": model, "gen_ai.response.model": model, "llm.model_name": model})
            put(span, {f"llm.token_count.{what}": count for what, count in tokens.items()})
            put(
                span,
                {"gen_ai.usage.input_tokens": tokens["prompt"], "gen_ai.usage.output_tokens": tokens["completion"]},
            )
            put(span, {"gen_ai.request.temperature": 0.2, "gen_ai.response.finish_reasons": ["stop"]})
            put(span, {"input.value": self.text(), "input.mime_type": "text/plain"})
            put(span, {"output.value": self.text(), "output.mime_type": "text/plain"})
        elif kind == "tool":
            span = self._span(trace_id, parent, "execute_tool ledger.query", Span.SPAN_KIND_INTERNAL, start_ns)
            put(span, {"openinference.span.kind": "TOOL", "gen_ai.operation.name": "execute_tool"})
            put(span, {"tool.name": "ledger.query", "gen_ai.tool.call.id": f"call_{r.getrandbits(64):016x}"})
            put(span, {"input.value": f'{{"order": {r.randrange(10**7)}, "fields": ["tier", "total"]}}'})
            put(span, {"output.value": f'{{"rows": {r.randrange(40)}, "note": "{self.text(250)}"}}'})
        else:
            span = self._span(trace_id, parent, "search", Span.SPAN_KIND_CLIENT, start_ns)
            put(span, {"openinference.span.kind": "RETRIEVER", "db.system.name": "pinecone"})
            put(span, {"input.value": self.text(150)})
            for n in range(4):
                put(span, {f"retrieval.documents.{n}.document.content": self.text(300)})
                put(span, {f"retrieval.documents.{n}.document.score": round(r.random(), 4)})
        span.end_time_unix_nano = start_ns + int(seconds * SECOND)
        return span

    def _fail(self, span: Span) -> None:
        kind, message = self.random.choice(FAILURES)
        trace = "".join(f'  File "/app/agents/{m}.py", line 88, in {m}\n    await step.run(state)\n' for m in "abc")
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
        put(event, {"exception.type": kind, "exception.message": message, "exception.stacktrace": trace})
        span.status.code, span.status.message = Status.STATUS_CODE_ERROR, f"{kind}: {message}"


def put(holder: Span | Span.Event, attributes: dict[str, object]) -> None:
    """Adds attributes to a span or an event."""
    for key, value in attributes.items():
        pair: KeyValue = holder.attributes.add(key=key)
        if isinstance(value, list):
            for item in value:
                pair.value.array_value.values.add(string_value=item)
        elif isinstance(value, int):
            pair.value.int_value = value
        elif isinstance(value, float):
            pair.value.double_value = value
        else:
            pair.value.string_value = str(value)


def make_bodies(spans: int, *, spans_per_request: int = 200, seed: int = 7, text_chars: int = 1_700) -> list[Body]:
    """Request bodies that hold at least so many spans together, whole runs in their order, cut at the request size."""
    builder = _Builder(seed, text_chars)
    start_ns = time.time_ns()
    bodies: list[Body] = []
    made = 0
    pending: list[Span] = []
    while made < spans:
        run = builder.run(start_ns + made * 1_000)
        made += len(run)
        pending += run
        while len(pending) >= spans_per_request or (made >= spans and pending):
            bodies.append(_body(pending[:spans_per_request], builder))
            pending = pending[spans_per_request:]
    return bodies


def _body(spans: Sequence[Span], builder: _Builder) -> Body:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in (
        ("service.name", "support-agents"),
        ("service.version", "1.4.2"),
        ("telemetry.sdk.language", "python"),
    ):
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "openinference.instrumentation.langchain", "0.1.80"
    scope.spans.extend(spans)
    data = request.SerializeToString()
    noise = [n for n in builder.noise if n in data]
    builder.noise = [n for n in builder.noise if n not in data]
    ids = {i for span in spans for i in (span.trace_id, span.span_id, span.parent_span_id) if i}
    times = {t for span in spans for t in (span.start_time_unix_nano, span.end_time_unix_nano)}
    return Body(
        np.frombuffer(data, np.uint8),
        len(spans),
        _offsets(data, ids),
        _offsets(data, {span.trace_id for span in spans}),
        _offsets(data, {t.to_bytes(8, "little") for t in times}),
        _offsets(data, set(noise)),
        max(times),
    )


def _offsets(data: bytes, needles: set[bytes]) -> np.ndarray:
    found = []
    for needle in needles:
        at = data.find(needle)
        while at >= 0:
            found.append(at)
            at = data.find(needle, at + len(needle))
    return np.array(sorted(found), np.int64)


def stamp(body: Body, number: int, newest_ns: int | None = None) -> bytes:
    """The body as a new request.

    Args:
        body: what to send again.
        number: which round this is; another number gives other ids and other text. Bodies that share a run must be
            stamped with the same one.
        newest_ns: where the latest of its times shall lie; None: now.
    """
    data = body.data.copy()
    mask = np.frombuffer((number * 0x9E3779B1 & 0xFFFFFFFF).to_bytes(4, "big"), np.uint8)
    for byte in range(4):
        data[body.ids + byte] ^= mask[byte]
        data[body.traces + 8 + byte] ^= mask[byte]
    places = body.times[:, None] + np.arange(8)
    shift = np.uint64(((time.time_ns() if newest_ns is None else newest_ns) - body.newest_ns) % 2**64)
    data[places] = (data[places].copy().view(np.uint64) + shift).view(np.uint8)
    random_source = np.random.default_rng([number, int(body.ids[0]), len(data)])
    data[body.noise[:, None] + np.arange(NOISE_CHARS)] = HEX[
        random_source.integers(0, 16, (len(body.noise), NOISE_CHARS))
    ]
    return data.tobytes()


def stamped(bodies: Sequence[Body], first: int = 0) -> Iterator[tuple[int, bytes]]:
    """Span counts and bodies without end, each round unlike all before it; `first` is the number of the first."""
    for number in count(first):
        for body in bodies:
            yield body.spans, stamp(body, number)
