"""Hostile and odd requests against the real collector.

After each one: the answer is the one OTLP asks for, the process lives, the next good request is stored, and memory
stayed within twice the body limit.
"""

import gzip
import json
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests import local
from tests.collecting import Collector
from tests.collector.requests import body_of, request, span
from tests.otlp_json import to_json

MIB = 1 << 20
BODY_LIMIT = 64 * MIB
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with Collector(tmp_path_factory.mktemp("bad") / "data") as collector:
        yield collector
        assert not [line for line in collector.log if "Traceback" in line]


_good = iter(range(1_000_000, 2_000_000))


@pytest.fixture
def collector(running: Collector) -> Iterator[Collector]:
    """The collector; whatever the test sends, a good request afterwards is stored within a second."""
    yield running
    good = span(next(_good))
    started = time.monotonic()
    assert running.post(body_of(good)).status_code == 200
    assert time.monotonic() - started < 2
    assert len(running.spans("trace_id = $id", id=good.trace_id.hex())) == 1
    balance = running.health()["ingest"]
    assert balance["received"] == balance["stored"] + balance["duplicate"] + balance["rejected"]


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def raw_request(*extra: bytes, seed: int) -> bytes:
    """A request with one valid span and these bytes at its end."""
    return field(1, field(2, field(2, span(seed).SerializeToString() + b"".join(extra))))


def nested(levels: int) -> bytes:
    value = field(1, b"leaf")
    for _ in range(levels):
        value = field(5, field(1, value))
    return field(9, field(1, b"nested") + field(2, value))


def json_nested(levels: int) -> bytes:
    value = '{"arrayValue":{"values":[' * levels + '{"intValue":1}' + "]}}" * levels
    attribute = '{"key":"k","value":' + value + "}"
    return ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[' + attribute + "]}]}]}]}").encode()


def attribute(key: str, value: Any) -> KeyValue:
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return KeyValue(key=key, value=AnyValue(**{kinds[type(value)]: value}))


GOOD = body_of(span(10))

REFUSED: dict[str, tuple[Callable[[], bytes], dict[str, str], int]] = {
    "garbage": (lambda: random.Random(1).randbytes(4096), {}, 400),
    "json sent as protobuf": (lambda: b'{"resourceSpans":[]}', {}, 400),
    "protobuf sent as json": (lambda: GOOD, JSON, 400),
    "broken json": (lambda: b'{"resourceSpans":[{', JSON, 400),
    "cut off": (lambda: GOOD[: len(GOOD) // 2], {}, 400),
    "cut off gzip": (lambda: gzip.compress(GOOD)[:-12], GZIP, 400),
    "gzip header on a plain body": (lambda: GOOD, GZIP, 400),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(GOOD)), GZIP, 400),
    "unknown compression": (lambda: GOOD, {"Content-Encoding": "br"}, 415),
    "unknown content type": (lambda: GOOD, {"Content-Type": "text/plain"}, 415),
    "invalid UTF-8 in a name": (lambda: raw_request(field(5, b"\xff\xfe\xc3\x28"), seed=11), {}, 400),
    "invalid UTF-8 in a value": (
        lambda: raw_request(field(9, field(1, b"k") + field(2, field(1, b"\xff"))), seed=12),
        {},
        400,
    ),
    "values 48 deep": (lambda: raw_request(nested(48), seed=13), {}, 400),
    "values 20,000 deep": (lambda: raw_request(nested(20_000), seed=14), {}, 400),
    "json values 900 deep": (lambda: json_nested(900), JSON, 400),
    "json values 100,000 deep": (lambda: json_nested(100_000), JSON, 400),
    "json lists 100,000 deep": (lambda: b"[" * 100_000, JSON, 400),
    "two million empty spans": (lambda: field(1, field(2, b"\x12\x00" * 2_000_000)), {}, 413),
    "two million empty spans in gzip": (lambda: gzip.compress(field(1, field(2, b"\x12\x00" * 2_000_000))), GZIP, 413),
    "thirty million empty messages": (lambda: b"\x0a\x00" * (30 * MIB), {}, 413),
    "twenty million json objects": (lambda: b'{"resourceSpans":[' + b"{}," * (20 * MIB) + b"{}]}", JSON, 413),
    "thirty million json numbers": (lambda: b'{"x":[' + b"1," * (30 * MIB) + b"1]}", JSON, 413),
    "a byte over the limit": (lambda: bytes(BODY_LIMIT + 1), {}, 413),
    "64 MiB and a span": (lambda: body_of(span(15, attributes=[attribute("v", "x" * BODY_LIMIT)])), {}, 413),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(collector: Collector, case: str) -> None:
    make, headers, status = REFUSED[case]
    answer = collector.post(make(), headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    if headers is JSON:
        assert answer.json()["message"]


def zeros_in_gzip(size: int) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(MIB)
    return b"".join(press.compress(block) for _ in range(size // MIB)) + press.flush()


@pytest.mark.parametrize("path", ["zeros", "a valid request"])
def test_a_gzip_bomb_is_refused_while_it_inflates(tmp_path: Any, path: str) -> None:
    size = 512 * MIB
    if path == "zeros":
        bomb = zeros_in_gzip(size)
    else:
        head = field(1, field(2, field(2, span(20).SerializeToString())))
        bomb = gzip.compress(head) + zeros_in_gzip(size)
    with Collector(tmp_path / "data") as collector:
        collector.post(GOOD)
        before = collector.peak_rss_bytes()
        started = time.monotonic()
        assert collector.post(bomb, GZIP).status_code == 413
        assert time.monotonic() - started < 2
        assert collector.peak_rss_bytes() - before < 2 * BODY_LIMIT
        assert collector.post(GOOD).status_code == 200


def test_a_grpc_bomb_is_refused_while_it_inflates(tmp_path: Any) -> None:
    with Collector(tmp_path / "data") as collector, collector.export() as export:
        export(GOOD)
        before = collector.peak_rss_bytes()
        with pytest.raises(grpc.RpcError) as caught:
            export(bytes(512 * MIB), compression=grpc.Compression.Gzip, timeout=60)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert collector.peak_rss_bytes() - before < 2 * BODY_LIMIT + 32 * MIB
        assert export(GOOD) == b""


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_empty_objects_by_the_million_cost_little(tmp_path: Any, encoding: str) -> None:
    with Collector(tmp_path / "data") as collector:
        collector.post(GOOD)
        before = collector.peak_rss_bytes()
        if encoding == "json":
            body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 1_300_000 + b"{}]}]}]}"
        else:
            body = field(1, field(2, b"\x12\x00" * 2_000_000))
        answer = collector.post(body, JSON if encoding == "json" else {})
        assert answer.status_code == 413
        assert collector.peak_rss_bytes() - before < 300 * MIB


# --- stored, but not as sent ---------------------------------------------------------------------------------------


def stored(collector: Collector, body: bytes, trace_id: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The one stored span of the request."""
    answer = collector.post(body, headers)
    assert answer.status_code == 200, answer.text
    (row,) = collector.spans("trace_id = $id", id=trace_id.hex())
    return row


def test_a_hundred_thousand_attributes(collector: Collector) -> None:
    sent = span(30, attributes=[attribute(f"k{i:06d}", i) for i in range(100_000)])
    row = stored(collector, body_of(sent), sent.trace_id)
    assert len(row["attributes"]) == 1_000
    assert row["dropped_attributes_count"] == 99_000
    assert row["truncated"]


def test_large_names_values_and_keys_are_cut(collector: Collector) -> None:
    sent = span(31, name="n" * MIB, attributes=[attribute("k" * MIB, 1), attribute("value", "v" * MIB)])
    row = stored(collector, body_of(sent), sent.trace_id)
    assert len(row["name"]) == 256 * 1024
    assert sorted(map(len, row["attributes"])) == [5, 256 * 1024]
    assert len(row["attributes"]["value"]) == 256 * 1024
    assert row["truncated"]


def test_a_span_of_ten_megabytes_is_rejected_and_its_neighbours_kept(collector: Collector) -> None:
    huge = span(32, attributes=[attribute("v", "x" * (10 * MIB))])
    good = span(33)
    answer = collector.post(body_of(huge, good))
    assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1
    assert len(collector.spans("trace_id in ($a, $b)", a=good.trace_id.hex(), b=huge.trace_id.hex())) == 1


def test_a_hundred_thousand_events_and_links(collector: Collector) -> None:
    link = {"trace_id": b"l" * 16, "span_id": b"l" * 8}
    sent = span(34, events=[{"name": "e"}] * 100_000, links=[link] * 100_000)
    row = stored(collector, body_of(sent), sent.trace_id)
    assert (len(row["events"]), row["dropped_events_count"]) == (1_000, 99_000)
    assert (len(row["links"]), row["dropped_links_count"]) == (1_000, 99_000)


def test_duplicate_and_empty_keys(collector: Collector) -> None:
    sent = span(35, attributes=[attribute("k", 1), attribute("", "empty"), attribute("k", 2)])
    assert stored(collector, body_of(sent), sent.trace_id)["attributes"] == {"k": 2, "": "empty"}


TEXTS = [
    "nul \0 inside",
    "\u202egnp.exe",
    "\x1b[31mred\x1b[0m",
    "😀",
    "two\nlines\r\n",
    "zero\u200bwidth",
    "<b>x</b>",
    "",
]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_odd_texts_are_stored_as_sent(collector: Collector, number: int, encoding: str) -> None:
    text = TEXTS[number]
    sent = span(40 + number + 100 * (encoding == "json"), name=text, attributes=[attribute(f"k{text}", text)])
    body, headers = (body_of(sent), None) if encoding == "protobuf" else (to_json(request(sent)), JSON)
    row = stored(collector, body, sent.trace_id, headers)
    assert row["name"] == text
    assert row["attributes"] == {f"k{text}": text}


def test_a_lone_surrogate_is_replaced_and_the_batch_is_stored(collector: Collector) -> None:
    body = to_json(request(span(50, name="LONE"), span(51))).replace(b"LONE", rb"a\ud800b")
    row = stored(collector, body, span(50).trace_id, JSON)
    assert row["name"] == "a\ufffdb"
    assert len(collector.spans("trace_id = $id", id=span(51).trace_id.hex())) == 1


NUMBERS: list[Any] = [float("nan"), float("inf"), float("-inf"), -0.0, 2**63 - 1, -(2**63), 1e308, -5, "many", True]
TOKEN_KEYS = ("gen_ai.usage.input_tokens", "llm.token_count.prompt", "gen_ai.usage.cost", "llm.token_count.completion")


@pytest.mark.parametrize("number", range(len(NUMBERS)))
def test_impossible_numbers_never_become_figures(collector: Collector, number: int) -> None:
    value = NUMBERS[number]
    kinds = [attribute("openinference.span.kind", "LLM"), attribute("gen_ai.operation.name", "chat")]
    sent = span(60 + number, attributes=[*kinds, *(attribute(key, value) for key in TOKEN_KEYS)])
    row = stored(collector, body_of(sent), sent.trace_id)
    for column in ("tokens_input", "tokens_output", "cost_usd"):
        assert row[column] is None or 0 <= row[column] < 1e300
    (total,) = collector.sql("select sum(tokens_input) as tokens, sum(cost_usd) as cost from span")
    assert total["tokens"] is None or total["tokens"] >= 0
    assert total["cost"] is None or total["cost"] < 1e300


def test_attributes_of_the_wrong_type_leave_a_readable_step(collector: Collector) -> None:
    wrong: dict[str, Any] = {
        "openinference.span.kind": 17, "llm.token_count.prompt": "many", "llm.token_count.total": -5,
        "gen_ai.usage.cost": "free", "session.id": 3, "retry.attempt": "two", "gen_ai.operation.name": True,
        "input.value": 1.5, "output.value": '{"broken', "gen_ai.input.messages": "[[[", "metadata": "{",
        "llm.input_messages.x.message.role": "user", "gen_ai.request.model": 4, "exception.type": 7,
    }  # fmt: skip
    attributes = [attribute(key, value) for key, value in wrong.items()]
    lists = AnyValue(array_value={"values": [AnyValue(string_value="x"), AnyValue(int_value=1)]})
    attributes += [KeyValue(key=key, value=lists) for key in ("gen_ai.tool.name", "tool.name", "agent.name")]
    sent = span(75, name="odd", attributes=attributes)
    row = stored(collector, body_of(sent), sent.trace_id)
    assert row["step_name"]
    assert row["tokens_input"] is None


TIMES = [
    (0, 0),
    (2**64 - 1, 2**64 - 1),
    (2**63, 2**63 + 5),
    (10**19, 1),
    (16_725_225_600 * 10**9, 16_725_225_601 * 10**9),
]


@pytest.mark.parametrize("number", range(len(TIMES)))
def test_odd_times_are_stored_as_given(collector: Collector, number: int) -> None:
    start, end = TIMES[number]
    sent = span(80 + number, start_time_unix_nano=start, end_time_unix_nano=end)
    row = stored(collector, body_of(sent), sent.trace_id)
    assert (row["start_ns"], row["end_ns"]) == (start, end)


@pytest.mark.parametrize("shape", ["own parent", "two in a circle", "two roots", "no root", "ten thousand deep"])
def test_odd_trees_are_settled(collector: Collector, shape: str) -> None:
    trace_id = random.Random(shape).randbytes(16)
    ids = [struct.pack(">Q", i + 1) for i in range(10_000 if shape == "ten thousand deep" else 2)]
    parents = {
        "own parent": [ids[0], b""],
        "two in a circle": [ids[1], ids[0]],
        "two roots": [b"", b""],
        "no root": [b"elsewher", b"elsewhe2"],
        "ten thousand deep": [b"", *ids[:-1]],
    }[shape]
    tree = [
        span(i, trace_id=trace_id, span_id=own, parent_span_id=parent)
        for i, (own, parent) in enumerate(zip(ids, parents, strict=True))
    ]
    assert collector.post(body_of(*tree)).status_code == 200
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if collector.sql("select 1 from store.trace where trace_id = $id", id=trace_id.hex()):
            return
        time.sleep(0.1)
    pytest.fail("the trace was not settled")


@pytest.mark.parametrize(
    "ids", [{"trace_id": b"x" * 8}, {"trace_id": b"x" * 20}, {"trace_id": bytes(16)}, {"trace_id": b""}]
)
def test_one_bad_span_does_not_take_the_batch_with_it(collector: Collector, ids: dict[str, bytes]) -> None:
    seed = 90 + len(ids["trace_id"])
    good = [span(seed), span(seed + 100)]
    answer = collector.post(body_of(good[0], span(1, **ids), good[1]))
    assert answer.status_code == 200
    assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1
    for item in good:
        assert len(collector.spans("trace_id = $id", id=item.trace_id.hex())) == 1


def test_the_same_span_twice_in_one_request_is_stored_once(collector: Collector) -> None:
    before = collector.health()["ingest"]["duplicate"]
    assert collector.post(body_of(span(97), span(97))).status_code == 200
    assert len(collector.spans("trace_id = $id", id=span(97).trace_id.hex())) == 1
    assert collector.health()["ingest"]["duplicate"] == before + 1


# --- any bytes at all ----------------------------------------------------------------------------------------------


def send_anything(
    collector: Collector, body: bytes, client: httpx.Client, export: grpc.UnaryUnaryMultiCallable
) -> None:
    for content_type in ("application/x-protobuf", "application/json"):
        answer = client.post(collector.url, content=body, headers={"Content-Type": content_type})
        assert answer.status_code in {200, 400, 413}
        assert "Traceback" not in answer.text
    try:
        export(body, timeout=30)
    except grpc.RpcError as exc:
        assert exc.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}  # noqa: PT017


MUTATED = st.builds(
    lambda at, bite, insert: GOOD[: at % len(GOOD)] + insert + GOOD[at % len(GOOD) + bite :],
    st.integers(0, 10_000),
    st.integers(0, 4),
    st.binary(max_size=4),
)
JSON_BYTES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "name", "attributes", "kind"]), inner
        )
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
ANYTHING = st.binary(max_size=200) | MUTATED | JSON_BYTES


@pytest.mark.parametrize("examples", [300, pytest.param(700, marks=pytest.mark.slow)])  # 1,000 together
def test_any_bytes_are_answered_and_never_with_a_server_error(collector: Collector, examples: int) -> None:
    with local.Client() as client, collector.export() as export:

        @given(ANYTHING)
        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def answered(body: bytes) -> None:
            send_anything(collector, body, client, export)

        answered()
