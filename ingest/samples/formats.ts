import type { Labels } from '../../schemas/alert.ts'
import { type CsvColumns, csvColumns, type ReadingsMapping } from '../../schemas/readings_mapping.ts'
import { isSampleFormat, type SampleFormat, type TimeUnit } from '../../schemas/source_formats.ts'
import { samplesCsv } from './csv.ts'
import type { DecodeSamples, RawSeries } from './format.ts'
import { influx } from './influx.ts'
import { samplesJson } from './json.ts'
import { metricbeat } from './metricbeat.ts'
import { otlpMetrics } from './otlp.ts'
import { prometheusJson } from './prometheus_json.ts'
import { remoteWrite } from './remote_write.ts'
import { telegraf } from './telegraf.ts'

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
}

/** A source of the configuration, as far as its readings are concerned. */
export interface SampleSourceConfig {
  readonly format: SampleFormat
  /** Given to every series, whatever the sender says. */
  readonly labels: Labels
  readonly time_unit?: TimeUnit | undefined
  readonly readings?: ReadingsMapping | undefined
  readonly csv?: CsvColumns | undefined
}

export function isSampleSource<Source extends { readonly format: string }>(
  source: Source,
): source is Source & { readonly format: SampleFormat } {
  return isSampleFormat(source.format)
}

/** Reads the messages of one source as its configuration says. */
export function sampleDecoder(source: SampleSourceConfig): DecodeSamples {
  const { format, labels, time_unit = null, readings = null, csv = csvColumns.parse({}) } = source
  const decode = SAMPLE_DECODERS[format]({ time_unit, readings, csv })
  if (Object.keys(labels).length === 0) return decode
  return (message) => {
    const decoded = decode(message)
    return { ...decoded, series: decoded.series.map((one) => withLabels(one, labels)) }
  }
}

/** Labels of the configuration go before those of the sender: they name the scope that a sender cannot leave. */
function withLabels(series: RawSeries, own: Labels): RawSeries {
  return { ...series, labels: { ...series.labels, ...own } }
}
