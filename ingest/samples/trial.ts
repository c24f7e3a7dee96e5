import type { Config } from '../../schemas/config.ts'
import type { Quality, Series } from '../../schemas/sample.ts'
import { SAMPLE_FORMATS } from '../../schemas/source_formats.ts'
import { prepareSamples } from './batch.ts'
import type { DecodeSamples, RejectedSample, SampleMessage } from './format.ts'
import { isSampleSource, sampleDecoder } from './formats.ts'
import { SeriesPlacer } from './normalise.ts'

/** Readings of one series as they would be appended, their times as people read them. */
interface TriedSeries extends Series {
  readonly historical: boolean
  readonly readings: readonly {
    readonly at: string
    readonly value: number | string
    readonly quality: Quality
  }[]
}

/** What a message would come to. Nothing is appended. */
export interface SampleTrial {
  readonly series: readonly TriedSeries[]
  readonly rejects: readonly Pick<RejectedSample, 'ordinal' | 'code' | 'reason'>[]
  readonly dropped: number
}

export type TrySamples = (message: SampleMessage) => SampleTrial

/** The sources of readings of the configuration, and the built-in formats under their own names, as far as no source has that. */
export function triedSampleSources(
  config: Pick<Config, 'sources' | 'scope' | 'entity'>,
): ReadonlyMap<string, TrySamples> {
  const built_in = SAMPLE_FORMATS.map(
    (format) => [format as string, sampleDecoder({ format, labels: {} })] as const,
  )
  const own = config.sources
    .filter(isSampleSource)
    .map((source) => [source.name, sampleDecoder(source)] as const)
  return new Map([...built_in, ...own].map(([name, decode]) => [name, trying(name, decode, config)]))
}

function trying(name: string, decode: DecodeSamples, config: Pick<Config, 'scope' | 'entity'>): TrySamples {
  const placer = new SeriesPlacer(config, 1)
  return (message) => {
    const prepared = prepareSamples(
      {
        source: name,
        received_at_ms: message.at_ms,
        messages: [{ offset: null, decoded: decode(message) }],
        locate: (_offset, ordinal) => `#${ordinal}`,
      },
      placer,
    )
    const series = [...prepared.readings.values()].flat().map(({ series: one, historical, readings }) => ({
      ...one,
      historical,
      readings: readings.map(({ at_ms, value, quality }) => ({
        at: new Date(at_ms).toISOString(),
        value: Number.isFinite(value) ? value : String(value),
        quality,
      })),
    }))
    const rejects = prepared.rejects.map(({ ordinal, code, reason }) => ({ ordinal, code, reason }))
    return { series, rejects, dropped: prepared.dropped }
  }
}
