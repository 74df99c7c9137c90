// Makes spans with Deno's built-in tracing and prints what was set. The exporter is chosen by OTEL_* variables.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, createTraceState, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("seamscope.deno", "1.2.3");
const remote = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  isRemote: true,
  traceState: createTraceState("vendor=opaque"),
};
const start = 1790000000000;
const attributes = { text: "Grüße 😀", empty: "", whole: 42, real: 0.1, yes: true, texts: ["a", "b"], wholes: [1, 2] };
const parent = tracer.startSpan(
  "parent Ω",
  { kind: SpanKind.SERVER, startTime: start, attributes, links: [{ context: remote, attributes: { n: 1 } }] },
  trace.setSpanContext(ROOT_CONTEXT, remote),
);
const child = tracer.startSpan("child", { kind: SpanKind.CLIENT, startTime: start + 1 }, trace.setSpan(ROOT_CONTEXT, parent));
child.addEvent("first", { attempt: 1 }, start + 2);
child.addEvent("second", start + 3);
child.setStatus({ code: SpanStatusCode.ERROR, message: "it broke" });
child.end(start + 5);
parent.setStatus({ code: SpanStatusCode.OK });
parent.end(start + 10);

const ns = (ms) => (BigInt(ms) * 1_000_000n).toString();
console.log(
  JSON.stringify([
    {
      trace_id: child.spanContext().traceId,
      span_id: child.spanContext().spanId,
      parent_span_id: parent.spanContext().spanId,
      name: "child",
      kind: 3,
      start_ns: ns(start + 1),
      end_ns: ns(start + 5),
      status_code: 2,
      status_message: "it broke",
      attributes: {},
      events: [
        { time_ns: ns(start + 2), name: "first", attributes: { attempt: 1 } },
        { time_ns: ns(start + 3), name: "second", attributes: {} },
      ],
      links: [],
      scope: { name: "seamscope.deno", version: "1.2.3" },
    },
    {
      trace_id: remote.traceId,
      span_id: parent.spanContext().spanId,
      parent_span_id: remote.spanId,
      name: "parent Ω",
      kind: 2,
      start_ns: ns(start),
      end_ns: ns(start + 10),
      status_code: 1,
      status_message: "",
      attributes,
      events: [],
      links: [{ trace_id: remote.traceId, span_id: remote.spanId, attributes: { n: 1 } }],
      scope: { name: "seamscope.deno", version: "1.2.3" },
    },
  ]),
);
