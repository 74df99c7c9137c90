"""OTLP against the real collector: every transport, encoding and size, and clients that others wrote."""

import gzip
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from tests.collecting import Collector, DidNotStart
from tests.collector.requests import body_of, request, span, text_attribute
from tests.otlp import spans_of
from tests.otlp_json import to_json
from tests.stored_form import columns_of, json_form

NODE_CLIENT = Path(__file__).parents[1] / "clients" / "node"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with Collector(tmp_path_factory.mktemp("protocol") / "data") as running:
        yield running


# --- P1: our own sender, every field -------------------------------------------------------------------------------


def rich_request(seed: int, count: int) -> ExportTraceServiceRequest:
    """A request whose spans use every field of OTLP, different in every span."""
    chance = random.Random(seed)
    spans = []
    for i in range(count):
        number = chance.getrandbits(32)
        values = [
            AnyValue(string_value=f"Grüße 😀 {number}"),
            AnyValue(bool_value=bool(number & 1)),
            AnyValue(int_value=2**53 + 1 + number),
            AnyValue(double_value=number / 7),
            AnyValue(bytes_value=number.to_bytes(4)),
            AnyValue(double_value=float("nan")),
            AnyValue(),
        ]
        nested = AnyValue(array_value={"values": values})
        attributes = [KeyValue(key=f"key.{n}", value=value) for n, value in enumerate([*values, nested])]
        attributes.append(KeyValue(key="map", value=AnyValue(kvlist_value={"values": list(attributes)})))
        if count > 1_000:
            del attributes[1:]
        event = {
            "name": f"event {i}",
            "time_unix_nano": number,
            "attributes": attributes[:3],
            "dropped_attributes_count": i,
        }
        link = {
            "trace_id": chance.randbytes(16),
            "span_id": chance.randbytes(8),
            "trace_state": "l=1",
            "attributes": attributes[2:4],
            "dropped_attributes_count": 4,
            "flags": 0x301,
        }
        spans.append(
            span(
                seed * 1_000_000 + i,
                parent_span_id=chance.randbytes(8) if i % 3 else b"",
                trace_state=f"vendor={i}",
                flags=0x101,
                kind=i % 7,
                attributes=attributes,
                dropped_attributes_count=i,
                events=[event] * (i % 3),
                dropped_events_count=2**32 - 1,
                links=[link] * (i % 2),
                dropped_links_count=i,
                status={"code": i % 3, "message": f"status {i}"},
            )
        )
    asked = request(*spans)
    asked.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.40.0"
    asked.resource_spans[0].scope_spans[0].schema_url = "https://opentelemetry.io/schemas/1.39.0"
    asked.resource_spans[0].resource.dropped_attributes_count = 3
    asked.resource_spans[0].resource.attributes.append(text_attribute("seed", str(seed)))
    return asked


def by_grpc(collector: Collector, asked: ExportTraceServiceRequest, compression: str) -> None:
    kind = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
    with collector.export() as export:
        assert not ExportTraceServiceResponse.FromString(
            export(asked.SerializeToString(), compression=kind, timeout=60)
        ).HasField("partial_success")


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


def by_http(collector: Collector, asked: ExportTraceServiceRequest, compression: str) -> None:
    answer = collector.post(COMPRESS[compression](asked.SerializeToString()), {"Content-Encoding": compression})
    assert (answer.status_code, answer.content) == (200, b"")


def by_json(collector: Collector, asked: ExportTraceServiceRequest, compression: str) -> None:
    headers = {"Content-Encoding": compression, "Content-Type": "application/json"}
    answer = collector.post(COMPRESS[compression](to_json(asked)), headers)
    assert (answer.status_code, answer.content) == (200, b"{}")


SENDERS = {"grpc": by_grpc, "http": by_http, "json": by_json}
COMBINATIONS = [(t, c) for t in SENDERS for c in COMPRESS if (t, c) != ("grpc", "deflate")]
LARGE = [("grpc", "gzip"), ("http", "deflate"), ("json", "identity")]
"""Each transport and each compression once: together they were sent in the other sizes."""
SENT = [(t, c, count) for t, c in COMBINATIONS for count in (1, 512)]
SENT += [pytest.param(t, c, 10_000, marks=pytest.mark.slow) for t, c in LARGE]  # type: ignore[misc]


@pytest.mark.parametrize(("transport", "compression", "count"), SENT)
def test_every_field_is_stored_as_sent(collector: Collector, transport: str, compression: str, count: int) -> None:
    seed = 1 + COMBINATIONS.index((transport, compression)) * 10 + len(str(count))
    asked = rich_request(seed, count)
    SENDERS[transport](collector, asked, compression)
    expected = [columns_of(item) for item in spans_of(asked.SerializeToString())]
    stored = collector.spans("resource_attributes->>'seed' = $seed", seed=str(seed))
    expected.sort(key=lambda row: (row["start_ns"], row["span_id"]))
    assert [{key: row[key] for key in expected[0]} for row in stored] == expected


# --- P2: clients that others wrote ---------------------------------------------------------------------------------

REMOTE = SpanContext(
    0x0AF7651916CD43DD8448EB211C80319C,
    0xB7AD6B7169203331,
    is_remote=True,
    trace_flags=TraceFlags(1),
    trace_state=TraceState([("vendor", "opaque"), ("other", "1")]),
)

PYTHON_EXPORTERS: dict[str, Callable[[Collector], SpanExporter]] = {
    "http-none": lambda c: HttpExporter(endpoint=c.url),
    "http-gzip": lambda c: HttpExporter(endpoint=c.url, compression=Compression.Gzip),
    "http-deflate": lambda c: HttpExporter(endpoint=c.url, compression=Compression.Deflate),
    "grpc-none": lambda c: GrpcExporter(endpoint=f"http://127.0.0.1:{c.grpc_port}", insecure=True),
    "grpc-gzip": lambda c: GrpcExporter(
        endpoint=f"http://127.0.0.1:{c.grpc_port}", insecure=True, compression=grpc.Compression.Gzip
    ),
}


def python_spans(exporter: SpanExporter, service: str) -> list[ReadableSpan]:
    """Sends a few spans that use all of the API; what the SDK had in hand."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({"service.name": service, "unicode": "Grüße 😀"}),
        span_limits=SpanLimits(max_span_attributes=14, max_events=2, max_links=2),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("seamscope.python", "1.2.3", "https://example.org/schema", {"scope.attribute": 1})
    above = set_span_in_context(NonRecordingSpan(REMOTE))
    links = [Link(REMOTE, {"n": n}) for n in range(3)]
    start_ns = 1_790_000_000_000_000_001
    parent = tracer.start_span("parent Ω", above, SpanKind.SERVER, links=links, start_time=start_ns)
    parent.set_attributes(
        {
            "text": "Grüße 😀 \0 \u202e", "empty": "", "large": 2**53 + 1, "least": -(2**63), "real": 0.1,
            "yes": True, "bytes": b"\x00\xff", "texts": ["a", "ß"], "wholes": [1, 2], "reals": [0.5], "truths": [True],
        }
    )  # fmt: skip
    for i in range(30):
        parent.set_attribute(f"extra.{i}", i)
    child = tracer.start_span("child", set_span_in_context(parent), SpanKind.CLIENT, start_time=start_ns + 1)
    child.add_event("dropped", timestamp=start_ns + 2)
    child.add_event("first", {"attempt": 1}, timestamp=start_ns + 3)
    child.record_exception(ValueError("it broke"), timestamp=start_ns + 4)
    child.set_status(Status(StatusCode.ERROR, "it broke"))
    child.end(start_ns + 5)
    parent.set_status(Status(StatusCode.OK))
    parent.end(start_ns + 10)
    provider.shutdown()
    return list(kept.get_finished_spans())


def columns_of_python(item: ReadableSpan) -> dict[str, Any]:
    """What the store must hold for a span of the Python SDK."""
    context, parent = item.get_span_context(), item.parent
    assert context is not None
    assert item.instrumentation_scope is not None
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_span_id": f"{parent.span_id:016x}" if parent else None,
        "trace_state": context.trace_state.to_header(),
        "name": item.name,
        "kind": item.kind.value + 1,
        "start_ns": item.start_time,
        "end_ns": item.end_time,
        "status_code": item.status.status_code.value,
        "status_message": item.status.description or "",
        "attributes": json_form(dict(item.attributes or {})),
        "dropped_attributes_count": item.dropped_attributes,
        "events": [
            {
                "time_ns": e.timestamp,
                "name": e.name,
                "attributes": dict(e.attributes or {}),
                "dropped_attributes_count": 0,
            }
            for e in item.events
        ],
        "dropped_events_count": item.dropped_events,
        "links": [(f"{link.context.trace_id:032x}", dict(link.attributes or {})) for link in item.links],
        "dropped_links_count": item.dropped_links,
        "resource_attributes": dict(item.resource.attributes),
        "scope_name": item.instrumentation_scope.name,
        "scope_version": item.instrumentation_scope.version,
        "scope_schema_url": item.instrumentation_scope.schema_url,
        "scope_attributes": dict(item.instrumentation_scope.attributes or {}),
    }


@pytest.mark.parametrize("kind", PYTHON_EXPORTERS)
def test_the_python_sdk_arrives_whole(collector: Collector, kind: str) -> None:
    service = f"python-{kind}"
    sent = python_spans(PYTHON_EXPORTERS[kind](collector), service)
    expected = sorted((columns_of_python(item) for item in sent), key=lambda row: row["start_ns"])
    stored = collector.spans("service = $service", service=service)
    for row in stored:
        row["events"] = row["events"] or []
        row["links"] = [(link["trace_id"], link["attributes"]) for link in row["links"] or []]
    assert [{key: row[key] for key in expected[0]} for row in stored] == expected
    assert expected[0]["dropped_attributes_count"] > 0
    assert expected[0]["dropped_links_count"] == 1
    assert expected[1]["dropped_events_count"] == 1


def run_client(command: list[str], **environment: str) -> list[dict[str, Any]]:
    """What a client of another language says it sent."""
    if not (NODE_CLIENT / "node_modules" / "@opentelemetry").is_dir():
        pytest.fail("the Node clients are not installed: make setup-dev")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which(command[0], path=path)
    assert program, f"{command[0]} is not installed: make setup-dev"
    done = subprocess.run(
        [program, *command[1:]],
        cwd=NODE_CLIENT,
        env={"PATH": path, "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent: list[dict[str, Any]] = json.loads(done.stdout)
    return sent


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["proto", "json", "grpc"])
def test_the_node_sdk_arrives_whole(collector: Collector, protocol: str, compression: str) -> None:
    url = f"http://127.0.0.1:{collector.grpc_port}" if protocol == "grpc" else collector.url
    sent = run_client(["node", "client.mjs", protocol, compression, url])
    stored = collector.spans("service = $service", service=f"node-{protocol}-{compression}")
    sent.sort(key=lambda row: int(row["start_ns"]))
    assert len(stored) == len(sent) == 2
    for said, row in zip(sent, stored, strict=True):
        resource, scope = said.pop("resource"), said.pop("scope")
        for event in row["events"] or []:
            event["time_ns"] = str(event["time_ns"])
        for link in row["links"] or []:
            assert link.pop("flags") == 0x301
        row |= {"start_ns": str(row["start_ns"]), "end_ns": str(row["end_ns"])}
        row |= {"events": row["events"] or [], "links": row["links"] or []}
        assert {key: row[key] for key in said} == said
        assert row["resource_attributes"] == resource
        assert (row["scope_name"], row["scope_version"]) == (scope["name"], scope["version"])
    assert sent[0]["dropped_attributes_count"] == 24
    assert sent[0]["dropped_links_count"] == 1
    assert sent[1]["dropped_events_count"] == 1


DENO_TIME_ERROR_NS = 500
"""Deno turns milliseconds into nanoseconds with floating point."""


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
def test_deno_arrives_whole(collector: Collector, protocol: str) -> None:
    service = f"deno-{protocol}"
    sent = run_client(
        ["deno", "run", "--no-prompt", "--no-lock", "--allow-env", "--allow-net", "--node-modules-dir=manual",
         "deno_client.mjs"],
        OTEL_DENO="true",
        OTEL_SERVICE_NAME=service,
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT=(
            f"http://127.0.0.1:{collector.grpc_port}" if protocol == "grpc" else collector.base_url
        ),
        OTEL_METRICS_EXPORTER="none",
    )  # fmt: skip
    stored = collector.spans("service = $service", service=service)
    sent.sort(key=lambda row: int(row["start_ns"]))
    assert len(stored) == len(sent) == 2
    for said, row in zip(sent, stored, strict=True):
        for key in ("trace_id", "span_id", "parent_span_id", "name", "kind", "status_code", "status_message"):
            assert row[key] == said[key]
        assert row["attributes"] == said["attributes"]
        assert abs(row["start_ns"] - int(said["start_ns"])) <= DENO_TIME_ERROR_NS
        assert abs(row["end_ns"] - int(said["end_ns"])) <= DENO_TIME_ERROR_NS
        events = row["events"] or []
        assert [(e["name"], e["attributes"]) for e in events] == [(e["name"], e["attributes"]) for e in said["events"]]
        links = row["links"] or []
        assert [{key: link[key] for key in ("trace_id", "span_id", "attributes")} for link in links] == said["links"]
        assert (row["scope_name"], row["scope_version"]) == (said["scope"]["name"], said["scope"]["version"])


# --- P9: partial success -------------------------------------------------------------------------------------------


def test_invalid_spans_of_a_good_request_are_rejected_alone_and_counted(collector: Collector) -> None:
    before = collector.health()
    spans = [span(70_000 + i, name="p9") for i in range(95)]
    spans[10:10] = [span(i, trace_id=b"x" * 15) for i in range(3)]
    spans[50:50] = [span(i, span_id=bytes(8)) for i in range(2)]
    answer = collector.post(body_of(*spans))
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 5
    assert "3 invalid_trace_id" in partial.error_message
    assert len(collector.spans("name = 'p9'")) == 95
    after = collector.health()
    assert after["ingest"]["rejected"] - before["ingest"]["rejected"] == 5
    assert after["rejected_by_reason"]["invalid_trace_id"] >= 3
    assert after["rejected_by_reason"]["invalid_span_id"] >= 2
    balance = after["ingest"]
    assert balance["received"] == balance["stored"] + balance["duplicate"] + balance["rejected"]


@pytest.mark.parametrize("kind", ["http-none", "grpc-none"])
def test_a_client_does_not_send_rejected_spans_again(collector: Collector, kind: str) -> None:
    before = collector.health()["ingest"]["requests"]
    exporter = PYTHON_EXPORTERS[kind](collector)
    nowhere = ReadableSpan("rejected", SpanContext(0, 1, is_remote=False), start_time=1, end_time=2)
    assert exporter.export([nowhere]) is SpanExportResult.SUCCESS
    exporter.shutdown()
    assert collector.health()["ingest"]["requests"] == before + 1


# --- P14, P15 ------------------------------------------------------------------------------------------------------


def test_only_loopback_is_listened_on(collector: Collector) -> None:
    sockets = psutil.Process(collector.process.pid).net_connections("inet")
    listening = {(s.laddr.ip.removeprefix("::ffff:"), s.laddr.port) for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", collector.grpc_port), ("127.0.0.1", collector.http_port)}


@pytest.mark.parametrize("taken", ["grpc_port", "http_port"])
def test_a_taken_port_ends_the_start_and_leaves_nothing(tmp_path: Path, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        with pytest.raises(DidNotStart, match="Address already in use") as caught:
            Collector(tmp_path / "data", **{taken: busy.getsockname()[1]})
        assert caught.value.returncode == 1
        assert "Traceback" not in str(caught.value)
    with Collector(tmp_path / "data") as collector:
        assert collector.post(body_of(span())).status_code == 200


def test_another_address_without_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DidNotStart, match="--insecure"):
        Collector(tmp_path / "data", host="0.0.0.0")


def test_a_hundred_streams_are_served_at_once(collector: Collector) -> None:
    with collector.export() as export:
        calls = [export.future(body_of(span(80_000 + i, name="p15")), timeout=30) for i in range(100)]
        assert {call.result() for call in calls} == {b""}
    assert len(collector.spans("name = 'p15'")) == 100


def test_clients_that_give_up_leave_nothing_behind(collector: Collector) -> None:
    """Cancelled requests are stored whole or not at all; descriptors and threads stay flat over a thousand."""
    process = psutil.Process(collector.process.pid)
    bodies = [body_of(*(span(90_000 + 10 * i + n, name=f"p15 {i}") for n in range(10))) for i in range(1_000)]
    with collector.export() as export:
        export(bodies[0], timeout=10)
        before = process.num_fds(), process.num_threads()
        for i, body in enumerate(bodies):
            if i % 2:
                export.future(body, timeout=0.001)
            else:
                export.future(body).cancel()
            if i % 50 == 0:
                time.sleep(0.02)
        assert export(body_of(span(99, name="after")), timeout=30) == b""
        time.sleep(0.5)
        assert process.num_fds() <= before[0] + 4
        assert process.num_threads() <= before[1] + 2
    counts = collector.sql("select count(*) as n from span where name like 'p15 %' group by name")
    assert {row["n"] for row in counts} == {10}


def test_threads_of_http_stay_flat(collector: Collector) -> None:
    process = psutil.Process(collector.process.pid)
    collector.post(gzip.compress(b""), {"Content-Encoding": "gzip"})
    before = process.num_threads()
    senders = [
        threading.Thread(
            target=collector.post, args=(gzip.compress(body_of(span(60_000 + i))), {"Content-Encoding": "gzip"})
        )
        for i in range(100)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert process.num_threads() <= before + 8
