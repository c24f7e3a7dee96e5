import { mkdtempSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { otlpMetricsIngest } from '../../../ingest/http/otlp_metrics.ts'
import { remoteWriteIngest } from '../../../ingest/http/remote_write.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { SqliteLog } from '../../../runtime/log/sqlite.ts'
import type { LogEntry } from '../../../runtime/ports.ts'
import { SqliteEngine } from '../../../runtime/sqlite.ts'
import { QUALITIES } from '../../../schemas/sample.ts'
import { endProgram, startProgram, until } from '../../installation/processes.ts'
import { describeWith } from '../../services/index.ts'
import { freePort, programExists, temporaryFolder, Unavailable } from '../../services/runner.ts'
import { type LoggedReading, readingsOf, type SampleServer, sampleServer } from './server.ts'

/** Real senders, into the log of the embedded mode. */

const TIMEOUT_MS = 120_000

let data_dir: string
let server: SampleServer
let readings: LoggedReading[]
const ends: (() => unknown)[] = []
beforeEach(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'tocsin-samples-'))
  const engine = new SqliteEngine({ data_dir })
  const log = await SqliteLog.open(engine, { clock: systemClock, partitions: 4 })
  readings = []
  await log.tail('samples', [0, 0, 0, 0], (_partition, entries: readonly LogEntry[]) => {
    readings.push(...readingsOf(entries))
  })
  server = await sampleServer(log, (parts) => async (scope) => {
    scope.register(remoteWriteIngest(parts))
    scope.register(otlpMetricsIngest(parts))
  })
  ends.push(async () => {
    await server.close()
    await log.close()
    await engine.close()
    rmSync(data_dir, { recursive: true, force: true })
  })
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const called = (metric: string) => readings.filter(({ labels }) => labels['metric'] === metric)

async function needPrometheus(): Promise<void> {
  if (!programExists('prometheus'))
    throw new Unavailable('Prometheus not installed: apt-get install prometheus')
}

await describeWith(needPrometheus, 'a real Prometheus', () => {
  it('sends what it scrapes, and a stale marker when it is gone', { timeout: TIMEOUT_MS }, async () => {
    const shop = createServer((_request, response) =>
      response.end('queue_length{queue="orders"} 17\nbroken NaN\n'),
    )
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
    ends.push(() => shop.closeAllConnections())
    const target = `127.0.0.1:${(shop.address() as AddressInfo).port}`
    const folder = await temporaryFolder('prometheus')
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'prometheus.yml')
    await writeFile(
      file,
      `
global: {scrape_interval: 1s, external_labels: {cluster: shop}}
scrape_configs: [{job_name: shop, static_configs: [{targets: ['${target}']}]}]
remote_write: [{url: '${server.url}/api/v1/write', queue_config: {batch_send_deadline: 100ms}}]
`,
    )
    const listen = `127.0.0.1:${await freePort()}`
    const options = [
      '--config.file',
      file,
      '--storage.tsdb.path',
      join(folder, 'data'),
      '--web.listen-address',
      listen,
    ]
    const program = startProgram(['prometheus', ...options], {}, () => {})
    ends.push(() => endProgram(program, 'SIGKILL'))
    await until('samples arrive', () => called('queue_length').length > 0 && called('broken').length > 0)
    const labels = { cluster: 'shop', instance: target, job: 'shop', metric: 'queue_length', queue: 'orders' }
    expect(called('queue_length')[0]).toMatchObject({ labels, value: 17, quality: QUALITIES.indexOf('good') })
    expect(Math.abs((called('queue_length')[0]?.at_ms ?? 0) - Date.now())).toBeLessThan(TIMEOUT_MS)
    expect(called('broken')[0]).toMatchObject({ value: 0, quality: QUALITIES.indexOf('bad') })
    await new Promise((resolve) => {
      shop.close(resolve)
      shop.closeAllConnections()
    })
    await until('it is known to be down', () => called('up').some(({ value }) => value === 0))
    await until('what it told is stale', () =>
      called('queue_length').some(({ quality }) => QUALITIES[quality] === 'stale'),
    )
  })
})

/** Gives what an SDK has measured when it is asked. */
class AskedReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

describe('the SDK of OpenTelemetry', () => {
  it.each([
    ['JSON', JsonMetricsSerializer, 'application/json'],
    ['protobuf', ProtobufMetricsSerializer, 'application/x-protobuf'],
  ] as const)('sends its metrics in %s', async (_name, serializer, type) => {
    const reader = new AskedReader()
    const resource = resourceFromAttributes({ 'service.name': 'checkout', 'service.instance.id': 'i-1' })
    const provider = new MeterProvider({ readers: [reader], resource })
    ends.push(() => provider.shutdown())
    const meter = provider.getMeter('test')
    meter.createCounter('orders', { unit: '{order}' }).add(3, { shop: 'hamburg' })
    meter.createGauge('temperature').record(-21.5)
    const histogram = meter.createHistogram('duration', { unit: 's' })
    for (const seconds of [0.5, 1.5]) histogram.record(seconds)
    const { resourceMetrics } = await reader.collect()
    const body = gzipSync(serializer.serializeRequest(resourceMetrics) ?? '')
    const response = await fetch(`${server.url}/v1/metrics`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, 'content-encoding': 'gzip' },
    })
    expect(response.status).toBe(200)
    await until('they are in the log', () => readings.length === 6)
    const of_service = { service: 'checkout', instance: 'i-1' }
    expect(called('orders')).toMatchObject([
      { value: 3, labels: { ...of_service, shop: 'hamburg', unit: '{order}' } },
    ])
    expect(called('temperature')).toMatchObject([{ value: -21.5, labels: of_service }])
    const parts = ['count', 'sum', 'min', 'max'].map((part) => called(`duration_${part}`)[0]?.value)
    expect(parts).toEqual([2, 2, 0.5, 1.5])
  })
})
