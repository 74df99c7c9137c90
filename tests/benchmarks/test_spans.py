"""The load of the benchmarks is what it claims to be."""

import time
from itertools import islice

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.benchmarks.frozen import extract
from tests.benchmarks.spans import make_bodies, stamped

ROUNDS = 3


def spans_of(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [span for r in request.resource_spans for scope in r.scope_spans for span in scope.spans]


def test_every_round_is_new_and_its_runs_hold_together() -> None:
    """Ids never repeat, parents are found, times are now, and a span is about 1.5 KB."""
    bodies = make_bodies(400, spans_per_request=90)
    load = list(islice(stamped(bodies), ROUNDS * len(bodies)))
    spans = [span for _, body in load for span in spans_of(body)]
    assert sum(count for count, _ in load) == len(spans) == len({(s.trace_id, s.span_id) for s in spans})
    assert len({s.trace_id[8:] for s in spans}) == len({s.trace_id for s in spans})  # what the collector tells them by
    ids = {(s.trace_id, s.span_id) for s in spans}
    assert all((s.trace_id, s.parent_span_id) in ids for s in spans if s.parent_span_id)
    assert all(s.start_time_unix_nano <= s.end_time_unix_nano <= time.time_ns() for s in spans)
    assert 1_200 < sum(len(body) for _, body in load) / len(spans) < 1_700
    texts = [
        a.value.string_value for s in spans for a in s.attributes if a.key == "output.value" and len(s.attributes) > 12
    ]
    assert len(set(texts)) == len(texts)


def test_the_yardstick_touches_every_span() -> None:
    bodies = make_bodies(50)
    _, body = next(stamped(bodies))
    rows = extract(body)
    assert [row[1] for row in rows] == [span.span_id.hex() for span in spans_of(body)]
    assert all(row[9] for row in rows)
