import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Correlator } from '../../runtime/correlator.ts'
import { systemClock } from '../../runtime/clock.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { otlpTraces } from '../../runtime/tracing.ts'
import { Worker, type WorkerObserver } from '../../runtime/worker.ts'
import { Intake } from '../../ingest/intake.ts'
import { config } from '../../schemas/config.ts'
import { DEFAULT_RULES } from '../../schemas/rules.ts'
import { eventually } from '../contracts/wait.ts'

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

const silent: WorkerObserver = {
  owned() {},
  committed() {},
  batch() {},
  retrying() {},
  fenced() {},
  fatal: (_shard, error) => {
    throw error
  },
}

describe('traces', () => {
  it('follow an alert from ingest through the fold to who reads its changes, by links', async () => {
    const spans: Span[] = []
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as {
          resourceSpans: { scopeSpans: { spans: Span[] }[] }[]
        }
        spans.push(
          ...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
        )
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const tracing = otlpTraces(`http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`, '0')
    const log = new MemoryLog(systemClock, 1)
    const store = new MemoryStore()
    const intake = new Intake({
      log,
      config: config.parse({}),
      observer: { accepted() {}, rejected() {} },
      tracing,
    })
    const worker = new Worker({
      log,
      store,
      clock: systemClock,
      observer: silent,
      tracing,
      topic: 'alerts',
      name: 'correlate',
      make: (partition) =>
        new Correlator({
          partition,
          rules: DEFAULT_RULES,
          topologies: [],
          incidents_partitions: 1,
          deadletters_partitions: 1,
          told() {},
          sized() {},
        }),
    })
    await worker.start()
    const alert = {
      ordinal: 0,
      labels: { alertname: 'Down' },
      annotations: {},
      generator_url: '',
      starts_at_ms: Date.now(),
      ends_at_ms: null,
    }
    const messages = [{ offset: null, decoded: { alerts: [alert], rejects: [] } }]
    await intake.accept({
      source: 'test',
      origin: null,
      received_at_ms: Date.now(),
      messages,
      locate: () => 'test',
    })
    await eventually('the change is told', async () => ((await log.bounds('incidents'))[0]?.next ?? 0) > 0)
    const headers: string[] = []
    const tail = await log.tail(
      'incidents',
      [0],
      (_partition, entries) =>
        void headers.push(...entries.map((entry) => entry.headers['traceparent'] ?? '')),
    )
    await eventually('the change is read', () => headers.length > 0)
    await tail.close()
    await worker.stop()
    await tracing.close()
    collector.close()
    const ingest = spans.find(({ name }) => name === 'ingest')
    const correlate = spans.find(
      ({ name, links }) => name === 'correlate' && links?.some(({ spanId }) => spanId === ingest?.spanId),
    )
    expect(correlate).toBeDefined()
    expect(headers[0]).toBe(`00-${correlate?.traceId}-${correlate?.spanId}-01`)
  })
})
