import type { FastifyPluginAsync } from 'fastify'
import Fastify from 'fastify'
import type { SampleTakingParts } from '../../../ingest/http/samples.ts'
import { SampleIntake } from '../../../ingest/samples/intake.ts'
import { systemClock } from '../../../runtime/clock.ts'
import type { Append, Clock, Log } from '../../../runtime/ports.ts'
import { noTraces } from '../../../runtime/tracing.ts'
import { decodeSamples } from '../../../schemas/samples_codec.ts'
import { DEFAULTS } from '../settings.ts'

export interface SampleServer {
  readonly url: string
  close(): Promise<void>
}

/** Routes that take readings, over real HTTP, into this log. */
export async function sampleServer(
  log: Pick<Log, 'append' | 'partitions'>,
  plugin: (parts: SampleTakingParts) => FastifyPluginAsync,
  clock: Clock = systemClock,
): Promise<SampleServer> {
  const observer = { sampled: () => {}, rejected: () => {} }
  const sample_intake = new SampleIntake({ log, config: DEFAULTS, observer, tracing: noTraces })
  const app = Fastify()
  app.setValidatorCompiler(() => (value) => ({ value: value as unknown }))
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  await app.register(plugin({ sample_intake, clock }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, close: () => app.close() }
}

export interface LoggedReading {
  readonly labels: Readonly<Record<string, string>>
  readonly source: string
  readonly at_ms: number
  readonly value: number
  /** Index into QUALITIES. */
  readonly quality: number
}

/** Every reading of entries of the samples log. */
export function readingsOf(entries: readonly Pick<Append, 'value'>[]): readonly LoggedReading[] {
  return entries.flatMap(({ value: entry }) => {
    const { series, source, of, at_ms, value, quality } = decodeSamples(entry)
    return Array.from(of, (number, i) => ({
      labels: series[number]?.labels ?? {},
      source,
      at_ms: at_ms[i] ?? 0,
      value: value[i] ?? 0,
      quality: quality[i] ?? 0,
    }))
  })
}
