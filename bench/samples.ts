import type { DecodedSamples } from '../ingest/samples/format.ts'
import { sampleDecoder } from '../ingest/samples/formats.ts'
import type { SampleFormat } from '../schemas/source_formats.ts'
import { startEmbedded } from './http_round.ts'
import { mtconnectShdr, opcuaJson, sparkplugData, sparkplugReader, uns } from './load/plant_bodies.ts'
import {
  bodies,
  influx,
  type LoadReading,
  metricbeat,
  otlpJson,
  otlpProtobuf,
  prometheusJson,
  remoteWrite1,
  remoteWrite2,
  samplesCsv,
  samplesJson,
  telegraf,
} from './load/sample_bodies.ts'
import type { SamplesOrder, SamplesResult } from './load/samples.ts'
import type { BenchOptions } from './options.ts'
import { cpuSeconds, rssMegabytes, runScript } from './processes.ts'
import { type Figure, type Report, rounded, summarise, type Table } from './report.ts'
import { TocsinMetrics } from './tocsin_metrics.ts'

/**
 * Samples in: what each decoder costs, and Prometheus remote write over HTTP into the log of the embedded mode, answered when durable.
 * Load comes from a process of its own; nothing folds the samples.
 */

const ROUNDS = 3
const DISTINCT = 20_000
const BATCH = 500
const DECODED_MS = 700
const YAML = 'log_level: error\nparts: [api, ingest]\nhistory: {enabled: false}\n'

const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request'

interface Decoded {
  readonly name: string
  readonly format: SampleFormat
  readonly encode: (part: readonly LoadReading[]) => Buffer
  readonly content_type?: string
  readonly topic?: string
  /** Of a format whose messages need what others told before; for messages of so many readings. */
  readonly reader?: (batch: number) => (body: Buffer) => DecodedSamples
}

const DECODED: readonly Decoded[] = [
  { name: 'remote write 1.0', format: 'prometheus-remote-write', encode: remoteWrite1 },
  { name: 'remote write 2.0', format: 'prometheus-remote-write', encode: remoteWrite2, content_type: V2 },
  { name: 'OTLP protobuf', format: 'otlp-metrics', encode: otlpProtobuf },
  { name: 'OTLP JSON', format: 'otlp-metrics', encode: otlpJson },
  { name: 'line protocol', format: 'influx', encode: influx },
  { name: 'Telegraf', format: 'telegraf', encode: telegraf },
  { name: 'Prometheus in Kafka', format: 'prometheus-json', encode: prometheusJson },
  { name: 'Metricbeat', format: 'metricbeat', encode: metricbeat },
  { name: 'JSON', format: 'samples-json', encode: samplesJson },
  { name: 'CSV', format: 'samples-csv', encode: samplesCsv },
  { name: 'OPC UA JSON', format: 'opcua-json', encode: opcuaJson },
  { name: 'Unified Namespace', format: 'uns', encode: uns, topic: 'umh/v1/acme/hamburg/oven/_historian' },
  { name: 'MTConnect SHDR', format: 'mtconnect-shdr', encode: mtconnectShdr, topic: 'hamburg/oven' },
  { name: 'Sparkplug B, by alias', format: 'sparkplug', encode: sparkplugData, reader: sparkplugReader },
]

export async function run(options: BenchOptions): Promise<Report> {
  const { seconds, warmup_seconds, batch = BATCH, connections, cpu_profile_dir } = options
  const distinct = options.distinct?.[0] ?? DISTINCT
  const decoders = Object.fromEntries(DECODED.map((one) => [one.name, decode(one, distinct, batch)]))
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? ROUNDS); round++)
    rounds.push(await measure({ distinct, batch, connections, warmup_seconds, seconds }, cpu_profile_dir))
  const table: Table = { title: `decoders, ${batch} readings a message, 8 labels`, rows: decoders }
  return {
    name: 'samples',
    parameters: { seconds, warmup_seconds, distinct, batch, connections, rounds: rounds.length },
    ...summarise(rounds),
    tables: [table],
  }
}

/** Over and over the same messages, as a sender that scrapes gives them: after the first time the series are known. */
function decode(
  { format, encode, content_type, topic = '', reader }: Decoded,
  distinct: number,
  batch: number,
): Record<string, Figure> {
  const all = bodies(encode, { distinct, batch, times: 2, end_ms: Date.now() })
  const headers: Record<string, string> = content_type === undefined ? {} : { 'content-type': content_type }
  const decoder = sampleDecoder({ format, labels: {} })
  const read =
    reader?.(batch) ?? ((body: Buffer) => decoder({ body, headers, topic, key: null, at_ms: Date.now() }))
  const pass = (): number => {
    let samples = 0
    for (const body of all) {
      const { series, rejects } = read(body)
      if (rejects.length > 0) throw new Error(`${format}: ${rejects[0]?.reason}`)
      for (const { readings } of series) samples += readings.length
    }
    return samples
  }
  const in_one_pass = pass()
  pass()
  let samples = 0
  const began = process.cpuUsage()
  for (const end = performance.now() + DECODED_MS; performance.now() < end; ) samples += pass()
  const { user, system } = process.cpuUsage(began)
  const bytes = all.reduce((sum, { length }) => sum + length, 0)
  return {
    cpu_us_per_sample: rounded((user + system) / samples, 3),
    bytes_per_sample: rounded(bytes / in_one_pass, 1),
  }
}

async function measure(
  order: Omit<SamplesOrder, 'url'>,
  cpu_profile_dir: string | undefined,
): Promise<Record<string, Figure>> {
  const tocsin = await startEmbedded(YAML, cpu_profile_dir)
  try {
    const pid = tocsin.child.pid as number
    let before = cpuSeconds(pid).own
    const result = await runScript<SamplesResult>('./load/samples.ts', { ...order, url: tocsin.url }, () => {
      before = cpuSeconds(pid).own
    })
    const cpu = cpuSeconds(pid).own - before
    const taken = (await TocsinMetrics.of(tocsin.url)).sum('tocsin_samples_total')
    if (taken < result.sent_in_all)
      throw new Error(`${result.sent_in_all} samples were answered, but only ${taken} were taken`)
    return {
      samples_per_s: Math.round(result.sent / result.seconds),
      tocsin_cpu_us_per_sample: rounded((cpu * 1e6) / result.sent, 3),
      generator_cpu_us_per_sample: rounded(result.cpu_us_per_sample, 3),
      body_bytes_per_sample: rounded(result.bytes_per_sample, 1),
      answer_p50_ms: rounded(result.answer_p50_ms),
      answer_p99_ms: rounded(result.answer_p99_ms),
      refused: result.refused,
      tocsin_rss_mb: rssMegabytes(pid),
    }
  } finally {
    await tocsin.stop()
  }
}
