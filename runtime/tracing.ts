import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  trace,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { LogEntry } from './ports.ts'

/** A batch has many parents; a span links to this many of them. */
const LINKS_MAX = 32

export interface BatchSpan {
  /** For what comes of the batch, so that the next part links to this span; empty when traces are off. */
  readonly headers: Readonly<Record<string, string>>
  end(): void
}

/** Carries traces across the logs: one span a batch, linked to what produced its entries. */
export interface Tracing {
  batch(name: string, size: number, causes: readonly Pick<LogEntry, 'headers'>[]): BatchSpan
  close(): Promise<void>
}

const NO_SPAN: BatchSpan = { headers: {}, end() {} }

export const noTraces: Tracing = { batch: () => NO_SPAN, close: async () => {} }

/** Exports spans by OTLP over HTTP. */
export function otlpTraces(url: string, version: string): Tracing {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'tocsin', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  })
  const tracer = provider.getTracer('tocsin')
  return {
    batch(name, size, causes) {
      const span = tracer.startSpan(name, {
        kind: SpanKind.CONSUMER,
        links: linksTo(causes),
        root: true,
        attributes: { 'messaging.batch.message_count': size },
      })
      const headers: Record<string, string> = {}
      propagator.inject(trace.setSpan(ROOT_CONTEXT, span), headers, defaultTextMapSetter)
      return { headers, end: () => span.end() }
    },
    close: () => provider.shutdown(),
  }
}

const propagator = new W3CTraceContextPropagator()

function linksTo(causes: readonly Pick<LogEntry, 'headers'>[]): Link[] {
  const parents = new Set(
    causes.map(({ headers }) => headers['traceparent']).filter((parent) => parent !== undefined),
  )
  return [...parents].slice(0, LINKS_MAX).flatMap((traceparent) => {
    const context = trace.getSpanContext(
      propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter),
    )
    return context ? [{ context }] : []
  })
}
