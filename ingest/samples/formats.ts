import type { Labels } from '../../schemas/alert.ts'
import { type CsvColumns, csvColumns, type ReadingsMapping } from '../../schemas/readings_mapping.ts'
import { isSampleFormat, type SampleFormat, type TimeUnit } from '../../schemas/source_formats.ts'
import { samplesCsv } from './csv.ts'
import { influx } from './influx.ts'
import { samplesJson } from './json.ts'
import { metricbeat } from './metricbeat.ts'
import { otlpMetrics } from './otlp.ts'
import { prometheusJson } from './prometheus_json.ts'
import { remoteWrite } from './remote_write.ts'
import { telegraf } from './telegraf.ts'
import { placing } from '../sources/equipment.ts'
import type { DecodedSamples, DecodeSamples } from './format.ts'
import { mtconnectShdr } from './mtconnect.ts'
import { opcuaJson } from './opcua.ts'
import { stepSparkplug } from './sparkplug.ts'
import { NO_BIRTHS } from './sparkplug_state.ts'
import { unifiedNamespace } from './uns.ts'

/** What the configuration says of how a source tells its readings. */
export interface SampleSettings {
  /** Null: known by the size of the numbers. */
  readonly time_unit: TimeUnit | null
  /** Null: the JSON has the shape that needs no mapping. */
  readonly readings: ReadingsMapping | null
  readonly csv: CsvColumns
}

/** Every format; what it makes reads the messages of one source. */
const SAMPLE_DECODERS: Readonly<Record<SampleFormat, (settings: SampleSettings) => DecodeSamples>> = {
  'prometheus-remote-write': remoteWrite,
  'otlp-metrics': otlpMetrics,
  influx,
  telegraf,
  'prometheus-json': prometheusJson,
  metricbeat,
  'samples-json': samplesJson,
  'samples-csv': samplesCsv,
  // One message alone, without what births before it told: SparkplugConsumer keeps them.
  sparkplug: () => (message) => stepSparkplug(NO_BIRTHS, message).decoded,
  'opcua-json': () => opcuaJson,
  uns: unifiedNamespace,
  'mtconnect-shdr': () => mtconnectShdr,
}

/** A source of the configuration, as far as its readings are concerned. */
export interface SampleSourceConfig {
  readonly format: SampleFormat
  /** Given to every series, whatever the sender says. */
  readonly labels: Labels
  readonly time_unit?: TimeUnit | undefined
  readonly readings?: ReadingsMapping | undefined
  readonly csv?: CsvColumns | undefined
  /** Beginnings of places → what stands in their stead. */
  readonly equipment?: Readonly<Record<string, string>>
}

export function isSampleSource<Source extends { readonly format: string }>(
  source: Source,
): source is Source & { readonly format: SampleFormat } {
  return isSampleFormat(source.format)
}

/** Reads the messages of one source as its configuration says. */
export function sampleDecoder(source: SampleSourceConfig): DecodeSamples {
  const { format, time_unit = null, readings = null, csv = csvColumns.parse({}) } = source
  const decode = SAMPLE_DECODERS[format]({ time_unit, readings, csv })
  const place = seriesPlacing(source)
  return (message) => place(decode(message))
}

/** Gives series the labels and places that the configuration has for the source. */
export function seriesPlacing({
  labels,
  equipment = {},
}: Pick<SampleSourceConfig, 'labels' | 'equipment'>): (decoded: DecodedSamples) => DecodedSamples {
  const has_labels = Object.keys(labels).length > 0
  const placed = Object.keys(equipment).length > 0 ? placing(equipment) : null
  if (!has_labels && placed === null) return (decoded) => decoded
  return (decoded) => ({
    ...decoded,
    series: decoded.series.map((one) => {
      const { equipment: told } = one.labels
      const moved = placed === null || told === undefined ? {} : { equipment: placed(told) }
      return { ...one, labels: { ...one.labels, ...moved, ...labels } }
    }),
  })
}
