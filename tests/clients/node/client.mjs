// Sends a few spans that use all of the API through a stock exporter, then prints what the SDK had in hand.
//   node client.mjs {proto|json|grpc} {none|gzip} URL
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, context, createTraceState, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor, BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";

const [protocol, compression, url] = process.argv.slice(2);
const Exporter = { proto: ProtoExporter, json: JsonExporter, grpc: GrpcExporter }[protocol];
const kept = new InMemorySpanExporter();
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": `node-${protocol}-${compression}`, unicode: "Grüße 😀" }),
  spanLimits: { attributeCountLimit: 16, eventCountLimit: 3, linkCountLimit: 2 },
  spanProcessors: [new SimpleSpanProcessor(kept), new BatchSpanProcessor(new Exporter({ url, compression }))],
});
const tracer = provider.getTracer("seamscope.node", "1.2.3");

const remote = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  isRemote: true,
  traceState: createTraceState("vendor=opaque,other=1"),
};
const start = 1790000000000;
const parent = tracer.startSpan(
  "parent Ω",
  { kind: SpanKind.SERVER, startTime: start, links: [1, 2, 3].map((n) => ({ context: remote, attributes: { n } })) },
  trace.setSpanContext(ROOT_CONTEXT, remote),
);
parent.setAttributes({
  text: "Grüße 😀 \u0000 \u202e",
  empty: "",
  whole: 42,
  large: Number.MAX_SAFE_INTEGER,
  negative: -7,
  real: 0.1,
  yes: true,
  texts: ["a", "b", "ß"],
  wholes: [1, 2, 3],
  truths: [true, false],
});
for (let i = 0; i < 30; i++) parent.setAttribute(`extra.${i}`, i);
const child = tracer.startSpan("child", { kind: SpanKind.CLIENT, startTime: start + 1 }, trace.setSpan(context.active(), parent));
child.addEvent("dropped", {}, start + 1);
child.recordException(new Error("it broke"), start + 2);
child.addEvent("second", { attempt: 2 }, start + 3);
child.addEvent("third", {}, start + 4);
child.setStatus({ code: SpanStatusCode.ERROR, message: "it broke" });
child.end(start + 5);
parent.setStatus({ code: SpanStatusCode.OK });
parent.end(start + 10.25);

const spans = kept.getFinishedSpans();
await provider.shutdown();

const ns = ([seconds, nanos]) => (BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toString();
const dump = spans.map((span) => ({
  trace_id: span.spanContext().traceId,
  span_id: span.spanContext().spanId,
  parent_span_id: span.parentSpanContext?.spanId ?? null,
  flags: span.spanContext().traceFlags | 0x100 | (span.parentSpanContext?.isRemote ? 0x200 : 0),
  trace_state: span.spanContext().traceState?.serialize() ?? "",
  name: span.name,
  kind: span.kind + 1,
  start_ns: ns(span.startTime),
  end_ns: ns(span.endTime),
  status_code: span.status.code,
  status_message: span.status.message ?? "",
  attributes: span.attributes,
  dropped_attributes_count: span.droppedAttributesCount,
  events: span.events.map((e) => ({ time_ns: ns(e.time), name: e.name, attributes: e.attributes ?? {}, dropped_attributes_count: e.droppedAttributesCount ?? 0 })),
  dropped_events_count: span.droppedEventsCount,
  links: span.links.map((l) => ({ trace_id: l.context.traceId, span_id: l.context.spanId, trace_state: l.context.traceState?.serialize() ?? "", attributes: l.attributes ?? {}, dropped_attributes_count: l.droppedAttributesCount ?? 0 })),
  dropped_links_count: span.droppedLinksCount,
  resource: span.resource.attributes,
  scope: { name: span.instrumentationScope.name, version: span.instrumentationScope.version },
}));
console.log(JSON.stringify(dump));
