"""What must not be stored never is: not in a table, not in a file, not in a log (TESTS.md, S7)."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from collector.dialects import normalise
from collector.redaction import REDACTED, Redactor
from collector.settle import OUR_RULES, Settled, settle
from schemas.records import Normalised, Span
from schemas.redaction import RedactionSettings
from schemas.settings import Settings, SettingsError
from tests import local, otlp_json
from tests.collecting import Collector, DidNotStart
from tests.otlp import recorded_folders, recorded_requests, recorded_spans
from tests.settling import QUIET_NS, batch_of, with_texts

SECRET = "sk-live-4242abcdEFGH4242abcd"
DIALECTS = (
    "langgraph-openinference-good",
    "crewai-openinference-good",
    "autogen-builtin-good",
    "n8n-builtin-subworkflow",
    "mcp2-native-tool-error",
)


def planted(folder: str) -> Iterator[ExportTraceServiceRequest]:
    """The recorded requests of a folder with the secret in every text of every span."""
    for body in recorded_requests(folder):
        request = ExportTraceServiceRequest.FromString(body)
        _plant(request)
        yield request


def _plant(message: Message) -> None:
    for field, value in message.ListFields():
        if isinstance(message, AnyValue) and field.name == "string_value":
            message.string_value = f"{value} key {SECRET}."
        elif field.name in ("name", "message", "version", "schema_url") and isinstance(value, str):
            setattr(message, field.name, f"{value} {SECRET}")
        elif isinstance(value, Message):
            _plant(value)
        elif field.message_type is not None:
            for one in value:
                _plant(one)


def hiding(**settings: Any) -> str:
    """Section `redaction` as a variable."""
    return json.dumps(settings)


def found_in_files(folder: Path, text: str) -> list[str]:
    return [file.name for file in folder.iterdir() if text.encode() in file.read_bytes()]


def found_in_tables(path: Path, text: str) -> list[str]:
    """Columns of any table that hold the text: in the file most are compressed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            "where schema_name = 'store' group by all"
        ).fetchall()
        found = []
        for table, columns in tables:
            sql = f"select bool_or(contains(columns(*)::varchar, $1)) from store.{table}"
            (holds,) = connection.execute(sql, [text]).fetchall()
            found += [f"{table}.{column}" for column, does in zip(columns, holds, strict=True) if does]
        return found


@pytest.mark.parametrize("how", ["protobuf", "json", "grpc"])
def test_a_secret_that_a_pattern_finds_is_in_no_file_and_no_table(how: str, tmp_path: Path) -> None:
    """Planted in every text of five frameworks' spans, in a log record and in posts; after a kill, when the log of
    the store is not folded, and after an orderly stop."""
    data = tmp_path / "data"
    with Collector(data, redaction=hiding(built_in=["api_key"])) as c:
        for folder in DIALECTS:
            for request in planted(folder):
                if how == "grpc":
                    with c.export() as export:
                        export(request.SerializeToString())
                elif how == "json":
                    assert c.post(otlp_json.to_json(request), {"Content-Type": "application/json"}).status_code == 200
                else:
                    assert c.post(request.SerializeToString()).status_code == 200
        trace_id = c.sql("select trace_id from span limit 1")[0]["trace_id"]
        said = {"trace_id": trace_id, "name": f"n {SECRET}", "label": SECRET, "explanation": SECRET, "source": SECRET}
        assert local.post(f"{c.base_url}/api/verdict", json=said).status_code == 200
        marked = {"label": SECRET, "workflow": SECRET, "kind": SECRET}
        assert local.post(f"{c.base_url}/api/marker", json=marked).status_code == 200
        assert c.sql("select count(*) > 100 as many from span where contains(attributes::varchar, $t)", t=REDACTED)
        counted = c.sql("select rule, sum(texts) > 500 as many from ingest_redaction group by rule")
        assert counted == [{"rule": "api_key", "many": True}]
        c.kill()
        assert found_in_files(data, SECRET) == []
        assert SECRET not in "".join(c.log)
    with Collector(data):
        pass
    assert found_in_files(data, SECRET) == []
    assert found_in_tables(data / "seamscope.duckdb", SECRET) == []


def test_without_a_word_in_the_settings_everything_is_stored_as_sent(tmp_path: Path) -> None:
    """What the test above does not find is found here, so it looks in the right places."""
    data = tmp_path / "data"
    with Collector(data) as c:
        for request in planted(DIALECTS[0]):
            c.post(request.SerializeToString())
        c.kill()
        assert found_in_files(data, SECRET) == ["seamscope.duckdb.wal"]
    with Collector(data):
        pass
    assert {"span.attributes", "span.name", "resource.attributes", "scope.name"} <= {
        *found_in_tables(data / "seamscope.duckdb", SECRET)
    }


def redactor(**settings: Any) -> Redactor:
    return Redactor(RedactionSettings(**settings), OUR_RULES)


def test_keys_are_dropped_or_masked_at_any_depth_in_any_case() -> None:
    span = recorded_spans(DIALECTS[0])[0]._replace(
        attributes={
            "User.Email": "a@b.c",
            "http.request.header.cookie": "x",
            "deep": {"list": [{"password": "p"}]},
            "n": 1,
        }
    )
    (clean,), count = redactor(mask_keys=["user.email", "*password"], drop_keys=["http.request.header.*"]).spans([span])
    assert clean.attributes == {"User.Email": REDACTED, "deep": {"list": [{"password": REDACTED}]}, "n": 1}
    assert count == {"keys": 3}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("api_key", "AKIAIOSFODNN7EXAMPLE"),
        ("api_key", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("bearer", "Authorization: Bearer abcdef0123456789abcdef"),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
        ("email", "jane.doe+x@mail.example.co.uk"),
        ("card", "4111 1111 1111 1111"),
        ("card", "378282246310005"),
    ],
)
def test_built_in_patterns_find_what_they_are_named_for(name: str, text: str) -> None:
    texts, count = redactor(built_in=[name]).texts({"said": f"before {text} after"})
    assert text not in str(texts["said"])
    assert REDACTED in str(texts["said"])
    assert count == {name: 1}


def test_ids_are_left_alone_whatever_they_look_like() -> None:
    """Sixteen digits of a span id can look like a card."""
    span = recorded_spans(DIALECTS[0])[0]._replace(span_id="4111111111111111", parent_span_id="4111111111111111")
    (clean,), _ = redactor(built_in=["card"]).spans([span])
    assert clean[:3] == span[:3]


def test_no_pattern_takes_long() -> None:
    """Patterns are matched in linear time: this one would keep Python's own engine busy for years."""
    assert re.compile(r"(a+)+$")
    texts, _ = redactor(patterns={"bad": r"(a+)+$"}).texts({"said": "a" * 250_000 + "!"})
    assert len(str(texts["said"])) == 250_001


@pytest.mark.parametrize(("pattern", "said"), [("(", "missing )"), ("(?=a)", "invalid"), ("a*", "empty text")])
def test_a_pattern_that_is_none_stops_the_start_with_its_name(pattern: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DidNotStart, match=r"redaction\.patterns\.mine: .*" + re.escape(said)) as stopped:
        Collector(tmp_path / "data", redaction=hiding(patterns={"mine": pattern}))
    assert stopped.value.returncode == 2


def test_an_unknown_key_or_pattern_is_named() -> None:
    for wrong in ({"drop": []}, {"built_in": ["phone"]}):
        with pytest.raises(SettingsError, match=r"redaction\.(drop|built_in)"):
            Settings.load({"redaction": wrong}, environ={})


# --- no content -----------------------------------------------------------------------------------------------------


def without_content(span: Span) -> tuple[Span, Normalised]:
    count: Counter[str] = Counter()
    return redactor(drop_content=True).content(span, normalise(span), count)


CANARY = "canary 5a1ty"
NAMES = {"response_id", "model", "finish_reason", "tool", "tool_call_id"}
"""Read from inside an output by some dialects: names and ids stay."""


def with_canary(value: Any) -> Any:
    """The value with the canary in each text that people or models may have said; JSON in a text stays JSON."""
    if isinstance(value, dict):
        return {key: with_canary(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_canary(item) for item in value]
    if not isinstance(value, str):
        return value
    try:
        inner = json.loads(value)
    except ValueError:
        inner = value
    return json.dumps(with_canary(inner)) if isinstance(inner, dict | list) else f"{value} {CANARY}"


def spoken(span: Span) -> Span:
    """The span with the canary in its input and output, wherever its dialect finds them."""
    read = normalise(span)
    keys = tuple(key for key in (read.input_key, read.output_key) if key)

    def is_said(name: str) -> bool:
        return name in keys or any(key.endswith(".") and name.startswith(key) for key in keys)

    return span._replace(
        attributes={name: with_canary(v) if is_said(name) else v for name, v in span.attributes.items()},
        events=[
            event._replace(attributes=with_canary(event.attributes)) if f"event:{event.name}" in keys else event
            for event in span.events
        ],
    )


@pytest.mark.parametrize("folder", recorded_folders())
def test_no_content_leaves_no_word_of_inputs_and_outputs(folder: str) -> None:
    """Of all recordings of all dialects: neither where the dialect found them nor anywhere else in the span."""
    for span in map(spoken, recorded_spans(folder)):
        read = normalise(span)
        bare, meaning = without_content(span)
        assert CANARY not in repr(bare)
        assert [name for name, value in meaning._asdict().items() if CANARY in repr(value) and name not in NAMES] == []
        assert (meaning.input_hash, meaning.output_hash, meaning.output_kind) == (
            read.input_hash,
            read.output_hash,
            read.output_kind,
        )


def test_figures_are_the_same_without_content() -> None:
    """Outcomes, operations, attempts and tokens of every recording; codes but where words alone tell them apart."""
    differing = []
    for folder in recorded_folders():
        spans = recorded_spans(folder)
        whole = settle(with_texts(batch_of(spans), spans, OUR_RULES), QUIET_NS)
        bare = settle(batch_of(spans, lambda span: without_content(span)[1]), QUIET_NS)
        if figures(whole) != figures(bare):
            differing.append(folder)
    assert differing == []


def figures(settled: Settled) -> list[Any]:
    runs = [(r.run_id, r.outcome, r.operations, r.attempts, r.steps, r.tokens_input, r.chain) for r in settled.run]
    return [runs, [(f.span_id, f.code, f.role) for f in settled.failure]]
