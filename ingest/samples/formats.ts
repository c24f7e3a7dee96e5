import type { Labels } from '../../schemas/alert.ts'
import { isSampleFormat, type SampleFormat, type TimeUnit } from '../../schemas/source_formats.ts'
import type { DecodeSamples, RawSeries } from './format.ts'
import { prometheusJson } from './prometheus_json.ts'
import { remoteWrite } from './remote_write.ts'

/** What the configuration says of how a source tells its readings. */
export interface SampleSettings {
  /** Null: known by the size of the numbers. */
  readonly time_unit: TimeUnit | null
}

/** Every format; what it makes reads the messages of one source. */
const SAMPLE_DECODERS: Readonly<Record<SampleFormat, (settings: SampleSettings) => DecodeSamples>> = {
  'prometheus-remote-write': remoteWrite,
  'prometheus-json': prometheusJson,
}

/** A source of the configuration, as far as its readings are concerned. */
export interface SampleSourceConfig {
  readonly format: SampleFormat
  /** Given to every series, whatever the sender says. */
  readonly labels: Labels
  readonly time_unit?: TimeUnit | undefined
}

export function isSampleSource<Source extends { readonly format: string }>(
  source: Source,
): source is Source & { readonly format: SampleFormat } {
  return isSampleFormat(source.format)
}

/** Reads the messages of one source as its configuration says. */
export function sampleDecoder({ format, labels, time_unit }: SampleSourceConfig): DecodeSamples {
  const decode = SAMPLE_DECODERS[format]({ time_unit: time_unit ?? null })
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
