import { type Context, context, type Link, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { LogEntry } from './ports.ts'

/** A batch has many parents; a span links to this many of them. */
const LINKS_MAX = 32

/** Carries traces across the logs: one span a batch, linked to what produced its entries. */
export interface SpanLinker {
  /** Headers for what comes of the batch; empty when traces are off. */
  link(name: string, entries: readonly LogEntry[]): Readonly<Record<string, string>>
  close(): Promise<void>
}

const NO_HEADERS: Readonly<Record<string, string>> = {}

export const noTraces: SpanLinker = { link: () => NO_HEADERS, close: async () => {} }

/** Exports spans by OTLP over HTTP. */
export function otlpTraces(url: string, version: string): SpanLinker {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'tocsin', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  })
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const tracer = provider.getTracer('tocsin')
  return {
    link(name, entries) {
      const links: Link[] = []
      const seen = new Set<string>()
      for (const { headers } of entries) {
        if (links.length >= LINKS_MAX || headers['traceparent'] === undefined || seen.has(headers['traceparent'])) continue
        seen.add(headers['traceparent'])
        const parent: Context = propagation.extract(ROOT_CONTEXT, headers)
        const spanContext = trace.getSpanContext(parent)
        if (spanContext) links.push({ context: spanContext })
      }
      const span = tracer.startSpan(name, { kind: SpanKind.CONSUMER, links, root: true, attributes: { 'messaging.batch.message_count': entries.length } })
      const carrier: Record<string, string> = {}
      propagation.inject(trace.setSpan(context.active(), span), carrier)
      span.end()
      return carrier
    },
    close: () => provider.shutdown(),
  }
}
