"""Log records and posted verdicts count as events of their span: from real exporters, in any order, across restarts."""

import gzip
import itertools
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogMessage
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context
from pydantic import SecretStr

from collector.decode import decode_logs_json, decode_logs_protobuf
from collector.dialects import normalise
from collector.errors import CollectorError
from collector.evidence import of_log
from collector.rows import OTLP_FIELDS, resource_row, scope_row, span_of, span_row
from collector.service import Collector
from schemas.settings import Settings
from tests import local
from tests.collecting import Collector as ChildCollector
from tests.collector.requests import ATTRIBUTES, SPAN_IDS, TEXT, TRACE_IDS, UINT32, UINT64, VALUES
from tests.otlp import recorded_folders, recorded_spans
from tests.otlp_json import to_json

GRPC_EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

EVALUATION = {
    "gen_ai.evaluation.name": "task_success",
    "gen_ai.evaluation.score.value": 0.2,
    "gen_ai.evaluation.score.label": "fail",
    "gen_ai.evaluation.explanation": "refunded twice",
}
EXCEPTION = {"exception.type": "openai.APITimeoutError", "exception.message": "Request timed out."}

SHOP = Resource.create({"service.name": "shop"})


class Running:
    """A collector in this process, and what it holds."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.settings = Settings(
            data_dir=data_dir, grpc_port=0, http_port=0, min_free_disk_mib=0, settle_quiet_s=0.02, settle_max_wait_s=0.2
        ).model_copy(update=settings)
        self.start()

    def start(self) -> None:
        self.collector = Collector(self.settings)
        self.url = f"http://127.0.0.1:{self.collector.http_port}"

    def restart(self) -> None:
        self.collector.stop()
        self.start()

    def post(self, path: str, said: Any, **headers: str) -> httpx.Response:
        return local.post(self.url + path, json=said, headers=headers)

    def sql(self, sql: str) -> list[dict[str, Any]]:
        answer = self.post("/api/sql", {"sql": sql})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def settled(self, sql: str, is_there: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The rows once they are as expected; fails with what there is instead."""
        deadline = time.monotonic() + 15
        while not is_there(rows := self.sql(sql)):
            assert time.monotonic() < deadline, rows
            time.sleep(0.05)
        return rows

    def told(self, is_so: Callable[[dict[str, Any]], bool]) -> None:
        """Waits until /api/health says what is expected: it counts what has been committed."""
        deadline = time.monotonic() + 15
        while not is_so(health := local.get(self.url + "/api/health").json()):
            assert time.monotonic() < deadline, health
            time.sleep(0.05)

    def tracer(self) -> Any:
        provider = TracerProvider(resource=SHOP)
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(self.url + "/v1/traces")))
        return provider.get_tracer("shop")

    def logger(self, transport: str) -> Any:
        exporter = (
            GrpcLogs(endpoint=f"127.0.0.1:{self.collector.grpc_port}", insecure=True)
            if transport == "grpc"
            else HttpLogs(self.url + "/v1/logs")
        )
        provider = LoggerProvider(resource=SHOP)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        return provider.get_logger("shop")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    it = Running(tmp_path)
    yield it
    it.collector.stop()


def event(span: Span, name: str | None, attributes: dict[str, Any]) -> LogRecord:
    return LogRecord(
        timestamp=time.time_ns(),
        context=set_span_in_context(span),
        severity_number=SeverityNumber.WARN,
        body="said beside the span",
        attributes=attributes,
        event_name=name,
    )


def ask_model(tracer: Any, status: StatusCode = StatusCode.UNSET) -> tuple[Span, Span]:
    """A workflow of one model call; both spans are exported when this returns."""
    attributes = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "refunds"}
    with tracer.start_as_current_span("invoke_workflow refunds", attributes=attributes) as root:
        said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai"}
        with tracer.start_as_current_span("chat m", attributes=said) as chat:
            chat.set_status(Status(status))
    return root, chat


def hexed(span: Span) -> tuple[str, str]:
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


RUNS = "select run_id, outcome, verdict, code from run"


@pytest.mark.parametrize("transport", ["http", "grpc"])
class TestFromTheSdk:
    def test_an_evaluation_in_a_log_is_a_verdict_on_its_span(self, running: Running, transport: str) -> None:
        root, _ = ask_model(running.tracer())
        running.logger(transport).emit(event(root, "gen_ai.evaluation.result", EVALUATION))
        (run,) = running.settled(RUNS, lambda rows: bool(rows and rows[0]["verdict"]))
        assert (run["outcome"], run["verdict"], run["code"]) == ("clean", "fail", "judged.goal")
        (row,) = running.sql("select * from verdict")
        assert (row["span_id"], row["score"], row["label"]) == (hexed(root)[1], 0.2, "fail")
        assert (row["explanation"], row["source"], row["decides"]) == ("refunded twice", "log", True)
        (kept,) = running.sql("select * from evidence")
        assert (kept["trace_id"], kept["span_id"]) == hexed(root)
        assert (kept["severity_number"], kept["body"]) == (13, '"said beside the span"')

    def test_an_exception_event_in_a_log_fails_its_span(self, running: Running, transport: str) -> None:
        """As a span event `exception` does: the same code and the same words."""
        _, chat = ask_model(running.tracer())
        running.logger(transport).emit(event(chat, "gen_ai.client.operation.exception", EXCEPTION))
        (run,) = running.settled(RUNS, lambda rows: bool(rows and rows[0]["code"]))
        assert (run["outcome"], run["code"]) == ("silent", "component.timeout")
        (failure,) = running.sql("select * from failure where role = 'root'")
        assert (failure["span_id"], failure["certainty"]) == (hexed(chat)[1], "observed")
        assert (failure["error_type"], failure["evidence"]) == (
            "APITimeoutError",
            "APITimeoutError: Request timed out.",
        )

    def test_a_log_line_with_an_exception_explains_a_failed_span_and_fails_no_good_one(
        self, running: Running, transport: str
    ) -> None:
        """An application logs exceptions that it handles."""
        tracer, logger = running.tracer(), running.logger(transport)
        _, bad = ask_model(tracer, StatusCode.ERROR)
        _, good = ask_model(tracer)
        for span in (bad, good):
            logger.emit(event(span, None, EXCEPTION))
        codes = "select root_trace_id, code from run order by code nulls last"
        rows = running.settled(codes, lambda rows: [row["code"] for row in rows] == ["component.timeout", None])
        assert rows[0]["root_trace_id"] == hexed(bad)[0]

    def test_other_log_records_are_refused_with_the_reason_and_counted(self, running: Running, transport: str) -> None:
        root, _ = ask_model(running.tracer())
        logger = running.logger(transport)
        logger.emit(event(root, None, {"user": "42"}))
        logger.emit(LogRecord(timestamp=1, event_name="gen_ai.evaluation.result", attributes=EVALUATION))
        health = local.get(running.url + "/api/health").json()
        assert health["ingest_logs"] == {"received": 2, "stored": 0, "duplicate": 0, "rejected": 2}
        assert health["rejected_logs_by_reason"] == {"no_evidence": 1, "no_span": 1}
        assert health["ingest"]["rejected"] == 0
        assert running.sql("select * from evidence") == []


def test_evidence_and_spans_in_any_order_give_the_same(tmp_path: Path) -> None:
    """Before its span, after it, and after a restart in between."""
    results = set()
    for number, (order, restarts) in enumerate(itertools.product((("log", "span"), ("span", "log")), (False, True))):
        running = Running(tmp_path / str(number))
        held: list[Any] = []
        provider = TracerProvider(resource=SHOP)
        provider.add_span_processor(SimpleSpanProcessor(_Held(held)))
        root, chat = ask_model(provider.get_tracer("shop"))

        def send(what: str, running: Running = running, held: Sequence[Any] = held, root: Any = root, chat: Any = chat):
            if what == "span":
                OTLPSpanExporter(running.url + "/v1/traces").export(held)
            else:
                logger = running.logger("http")
                logger.emit(event(chat, "gen_ai.client.operation.exception", EXCEPTION))
                logger.emit(event(root, "gen_ai.evaluation.result", EVALUATION))
                trace_id, _ = hexed(root)
                running.post("/api/verdict", {"trace_id": trace_id, "name": "accepted", "label": "no", "source": "ci"})

        for what in order:
            send(what)
            if restarts:
                running.restart()
        (run,) = running.settled(RUNS, lambda rows: bool(rows and rows[0]["verdict"] and rows[0]["code"]))
        verdicts = running.settled("select * from verdict order by source", lambda rows: len(rows) == 2)
        failures = running.sql("select * from failure order by code")
        results.add(
            (
                run["outcome"], run["verdict"], run["code"],
                tuple((v["name"], v["verdict"], v["source"], v["span_id"] is None) for v in verdicts),
                tuple((f["code"], f["certainty"], f["role"], f["evidence"]) for f in failures),
            )
        )  # fmt: skip
        running.collector.stop()
    assert len(results) == 1


class _Held:
    """Keeps finished spans instead of sending them."""

    def __init__(self, held: list[Any]) -> None:
        self.export = held.extend

    def shutdown(self) -> None:
        pass


def request_of(root: Span, *events: tuple[str, dict[str, Any]]) -> ExportLogsServiceRequest:
    """An export request as the SDK makes it."""
    return encode_logs(
        [ReadableLogRecord(event(root, name, said), resource=SHOP, instrumentation_scope=None) for name, said in events]
    )


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/json"])
def test_logs_come_in_every_encoding_and_are_stored_once(running: Running, encoding: str, kind: str) -> None:
    root, _ = ask_model(running.tracer())
    request = request_of(root, ("gen_ai.evaluation.result", EVALUATION), ("app.started", {}))
    body = to_json(request) if kind == "application/json" else request.SerializeToString()
    headers = {"Content-Type": kind, "Content-Encoding": encoding}
    for _ in range(2):
        answer = local.post(running.url + "/v1/logs", content=COMPRESS[encoding](body), headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    if kind == "application/json":
        assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    else:
        partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
        assert partial.rejected_log_records == 1
        assert partial.error_message.startswith("1 log records rejected: 1 no_evidence (first: only evaluation results")
    kept = running.sql("select received, stored, duplicate, rejected from ingest_log")  # a row a minute
    fates = {fate: sum(minute[fate] for minute in kept) for fate in ("received", "stored", "duplicate", "rejected")}
    assert fates == {"received": 4, "stored": 1, "duplicate": 1, "rejected": 2}
    assert len(running.sql("select * from evidence")) == 1


def test_protobuf_and_json_of_a_log_are_the_same_record(running: Running) -> None:
    root, _ = ask_model(running.tracer())
    said = EVALUATION | {"list": [1, 2.5, "x"], "bytes": b"\x00\xff"}
    request = request_of(root, ("gen_ai.evaluation.result", said), ("x.exception", EXCEPTION), ("other", {}))
    from_protobuf = decode_logs_protobuf(request.SerializeToString(), running.settings)
    assert from_protobuf == decode_logs_json(to_json(request), running.settings)
    assert [record.name for record in from_protobuf.records] == ["gen_ai.evaluation.result", "x.exception"]


def test_logs_obey_the_limits_and_tokens_of_traces(tmp_path: Path) -> None:
    running = Running(tmp_path, write_token=SecretStr("s3cret"), max_request_spans=2, max_body_bytes=10_000)
    try:
        bearer = {"Authorization": "Bearer s3cret", "Content-Type": "application/x-protobuf"}
        many = ExportLogsServiceRequest()
        many.resource_logs.add().scope_logs.add().log_records.extend([LogMessage()] * 3)
        url = running.url + "/v1/logs"
        assert local.post(url, content=b"", headers=bearer | {"Authorization": "Bearer no"}).status_code == 401
        assert local.post(url, content=b"", headers=bearer).status_code == 200
        assert local.post(url, content=b"{}", headers=bearer | {"Content-Type": "text/plain"}).status_code == 415
        assert local.post(url, content=many.SerializeToString(), headers=bearer).status_code == 413
        assert local.post(url, content=b"\x00" * 10_001, headers=bearer).status_code == 413
        assert local.post(url, content=b"\x0a\xff", headers=bearer).status_code == 400
        assert local.post(url, content=b"", headers=bearer | {"Origin": "https://evil"}).status_code == 403
        with grpc.insecure_channel(f"127.0.0.1:{running.collector.grpc_port}") as channel:
            export = channel.unary_unary(GRPC_EXPORT)
            with pytest.raises(grpc.RpcError) as refused:
                export(b"")
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert export(b"", metadata=[("authorization", "Bearer s3cret")]) == b""
    finally:
        running.collector.stop()


class TestPostedVerdicts:
    def test_a_verdict_on_a_run_waits_for_its_trace(self, running: Running) -> None:
        """Posted first, joined when the spans come."""
        held: list[Any] = []
        provider = TracerProvider(resource=SHOP)
        provider.add_span_processor(SimpleSpanProcessor(_Held(held)))
        root, _ = ask_model(provider.get_tracer("shop"))
        trace_id, _ = hexed(root)
        answer = running.post("/api/verdict", {"trace_id": trace_id.upper(), "name": "accepted", "score": 0.9})
        assert answer.status_code == 200
        assert answer.json() == {"stored": True, "verdict": "pass", "run_id": None}
        assert running.sql("select trace_id, source from evidence") == [{"trace_id": trace_id, "source": "post"}]
        OTLPSpanExporter(running.url + "/v1/traces").export(held)
        (run,) = running.settled(RUNS, lambda rows: bool(rows and rows[0]["verdict"]))
        assert (run["verdict"], run["outcome"]) == ("pass", "clean")
        assert running.sql("select span_id, source from verdict") == [{"span_id": None, "source": "posted"}]

    def test_the_same_judge_on_the_same_thing_is_replaced(self, running: Running) -> None:
        root, chat = ask_model(running.tracer())
        trace_id, span_id = hexed(chat)
        about = {"trace_id": trace_id, "name": "accepted"}
        for label in ("pass", "pass", "fail"):
            assert running.post("/api/verdict", about | {"label": label}).status_code == 200
        running.post("/api/verdict", about | {"label": "pass", "source": "human"})
        running.post("/api/verdict", about | {"label": "pass", "span_id": span_id})
        rows = running.settled("select * from verdict order by source, span_id nulls first", lambda r: len(r) == 3)
        assert [(r["source"], r["verdict"], r["span_id"]) for r in rows] == [
            ("human", "pass", None), ("posted", "fail", None), ("posted", "pass", span_id)
        ]  # fmt: skip
        (run,) = running.settled(RUNS, lambda rows: rows[0]["verdict"] == "fail")
        assert run["run_id"] == hexed(root)[0]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"trace_id": "12"}, "trace_id: must be 32 hexadecimal digits"),
            ({"trace_id": "0" * 32}, "trace_id: must be 32 hexadecimal digits, not all zero"),
            ({"span_id": "x" * 16}, "span_id: must be 16 hexadecimal digits"),
            ({"name": ""}, "name: String should have at least 1 character"),
            ({"name": None}, "name: "),
            ({"score": "high"}, "score: Input should be a valid number"),
            ({"score": None, "label": None}, "needs a score or a label"),
            ({"verdict": "pass"}, "verdict: unknown; known are trace_id, span_id, name, score, label"),
            ({"at": "2026-11-22T10:00:00"}, "at: Input should have timezone info"),
        ],
    )
    def test_a_mistake_is_told_with_its_field(self, running: Running, change: dict[str, Any], said: str) -> None:
        good = {"trace_id": "ab" * 16, "name": "accepted", "score": 1}
        answer = running.post("/api/verdict", good | change)
        assert answer.status_code == 400
        assert said in answer.json()["error"]
        assert running.sql("select * from evidence") == []


class TestMarkers:
    def test_a_marker_is_stored_once(self, running: Running) -> None:
        """With a time ever, without one within a minute."""
        deploy = {"label": "v2.4.0", "workflow": "refunds", "at": "2026-11-22T10:00:00+01:00"}
        for said in (deploy, deploy, {"label": "prompt 7", "kind": "prompt"}, {"label": "prompt 7", "kind": "prompt"}):
            assert running.post("/api/marker", said).status_code == 200
        rows = running.sql("select * from marker order by at_ns")
        assert [(row["workflow"], row["kind"], row["label"]) for row in rows] == [
            ("refunds", "deploy", "v2.4.0"), (None, "prompt", "prompt 7")
        ]  # fmt: skip
        assert rows[0]["at_ns"] == 1_795_338_000 * 10**9

    def test_a_mistake_is_told_with_its_field(self, running: Running) -> None:
        answer = running.post("/api/marker", {"kind": "deploy"})
        assert (answer.status_code, answer.json()) == (400, {"error": "label: Field required"})


def test_posting_needs_the_write_token_and_json(tmp_path: Path) -> None:
    running = Running(tmp_path, write_token=SecretStr("s3cret"))
    try:
        said = {"label": "v1"}
        refused = running.post("/api/marker", said)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert running.post("/api/marker", said, Authorization="Bearer s3cret").status_code == 200
        form = {"Authorization": "Bearer s3cret", "Content-Type": "text/plain"}
        assert local.post(running.url + "/api/marker", content=b'{"label": "v1"}', headers=form).status_code == 415
        large = running.post("/api/marker", {"label": "x" * 70_000}, Authorization="Bearer s3cret")
        assert large.status_code == 413
        counted = {"content_type": 1, "too_large": 1, "unauthenticated": 1}
        running.told(lambda health: health["refused_requests_by_reason"] == counted)
    finally:
        running.collector.stop()


@pytest.mark.parametrize("folder", recorded_folders())
def test_a_stored_span_reads_as_the_one_received(folder: str) -> None:
    """So that evidence that comes later is read with the very span its dialect saw."""
    for span in recorded_spans(folder):
        row = span_row(span, normalise(span))
        again = span_of(row[:OTLP_FIELDS], resource_row(span.resource), scope_row(span.scope))
        assert normalise(again) == normalise(span)
        assert again == span


def test_the_posts_in_the_documents_are_taken(running: Running) -> None:
    """Every curl of docs/getting-started.md, sent as it stands."""
    text = (Path(__file__).parents[2] / "docs" / "getting-started.md").read_text("utf-8")
    posts = re.findall(r"curl http://127\.0\.0\.1:4318(/api/\w+) .*?-d '(.*?)'", text, re.DOTALL)
    assert [path for path, _ in posts] == ["/api/verdict", "/api/marker"]
    for path, said in posts:
        assert running.post(path, json.loads(said)).status_code == 200


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """Log records, posted verdicts and markers are on disk before their 2xx."""
    with ChildCollector(tmp_path / "data") as child:
        provider = TracerProvider()
        root, _ = ask_model(provider.get_tracer("shop"))
        body = request_of(root, ("gen_ai.evaluation.result", EVALUATION)).SerializeToString()
        kind = {"Content-Type": "application/x-protobuf"}
        assert local.post(child.base_url + "/v1/logs", content=body, headers=kind).status_code == 200
        said = {"trace_id": hexed(root)[0], "name": "accepted", "label": "pass"}
        assert local.post(child.base_url + "/api/verdict", json=said).status_code == 200
        assert local.post(child.base_url + "/api/marker", json={"label": "v1"}).status_code == 200
        child.kill()
    with ChildCollector(tmp_path / "data") as child:
        assert child.sql("select source from evidence order by source") == [{"source": "log"}, {"source": "post"}]
        assert child.sql("select label from marker") == [{"label": "v1"}]
        assert child.sql("select received, stored from ingest_log") == [{"received": 1, "stored": 1}]


def test_pages_of_listed_origins_may_send_logs_and_post_nothing(tmp_path: Path) -> None:
    running = Running(tmp_path, cors_origins=("https://shop.example",))
    try:
        origin = {"Origin": "https://shop.example"}
        kind = {"Content-Type": "application/x-protobuf"}
        answer = local.post(running.url + "/v1/logs", content=b"", headers=origin | kind)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.status_code == 200
        assert running.post("/api/verdict", {}, **origin).status_code == 403
        assert running.post("/api/marker", {"label": "v1"}, **origin).status_code == 403
    finally:
        running.collector.stop()


LOG = st.builds(
    LogMessage,
    time_unix_nano=UINT64,
    observed_time_unix_nano=UINT64,
    severity_number=st.integers(0, 24),
    severity_text=TEXT,
    body=VALUES,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    flags=UINT32,
    trace_id=st.just(bytes(16)) | TRACE_IDS | st.binary(max_size=4),
    span_id=st.just(b"") | SPAN_IDS,
    event_name=st.sampled_from(["gen_ai.evaluation.result", "gen_ai.client.operation.exception", "app.started", ""]),
)


@given(st.lists(LOG, max_size=4), st.booleans())
def test_both_encodings_of_any_log_records_say_the_same(records: list[LogMessage], raises: bool) -> None:
    """Every record is taken or refused, none is lost, and what is taken can be stored."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.extend(records)
    for record in request.resource_logs[0].scope_logs[0].log_records:
        if raises:
            record.attributes.add(key="exception.message").value.string_value = "no"
    from_protobuf = decode_logs_protobuf(request.SerializeToString(), Settings())
    from_json = decode_logs_json(to_json(request), Settings())
    assert repr(from_protobuf) == repr(from_json)
    assert len(from_protobuf.records) + len(from_protobuf.rejections) == len(records)
    for record in from_protobuf.records:
        assert len(of_log(record).trace_id) == 32


@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_are_refused_as_such(body: bytes) -> None:
    for decode in (decode_logs_protobuf, decode_logs_json):
        with suppress(CollectorError):
            decode(body, Settings())
