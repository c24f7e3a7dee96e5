import type { Labels } from '../schemas/alert.ts'
import type { SourceConfig } from '../schemas/config.ts'
import { isSampleFormat, MAPPED_FORMAT, type SampleFormat } from '../schemas/source_formats.ts'
import type { Decode, SourceMessage } from './sources/format.ts'
import { FORMATS } from './sources/formats.ts'
import { mapped } from './sources/mapped.ts'
import type { DecodedAlerts, RawAlert } from './sources/raw_alert.ts'

type AlertFormat = Exclude<SourceConfig['format'], SampleFormat>
type Decoding = { readonly format: AlertFormat } & Partial<Pick<SourceConfig, 'mapping'>>

/** Reads the messages of one source as its configuration says. Total. */
export type SourceDecoder = (message: SourceMessage) => DecodedAlerts

/** Does it tell alerts, not readings? */
export function isAlertSource<Source extends Pick<SourceConfig, 'format'>>(
  source: Source,
): source is Source & { readonly format: AlertFormat } {
  return !isSampleFormat(source.format)
}

/** Labels of the configuration go before those of the sender: they name the scope that a sender cannot leave. */
function withLabels(alert: RawAlert, own: Labels): RawAlert {
  const { identity } = alert
  return {
    ...alert,
    labels: { ...alert.labels, ...own },
    ...(identity && { identity: { ...identity, ...own } }),
  }
}

function decodeOf({ format, mapping }: Decoding): Decode {
  if (format !== MAPPED_FORMAT) return FORMATS[format]
  if (!mapping) throw new Error('a source with `format: json` was configured without its mapping')
  return mapped(mapping)
}

export function sourceDecoder(
  source: Decoding & Pick<SourceConfig, 'labels' | 'expire_after_ms'>,
): SourceDecoder {
  const { labels, expire_after_ms } = source
  const decode = decodeOf(source)
  return (message) => {
    const decoded = decode(message, { expire_after_ms })
    if (Object.keys(labels).length === 0) return decoded
    const { alerts, acknowledgements = [] } = decoded
    return {
      ...decoded,
      alerts: alerts.map((alert) => withLabels(alert, labels)),
      acknowledgements: acknowledgements.map((one) => ({ ...one, identity: { ...one.identity, ...labels } })),
    }
  }
}

/** Alertmanager's form as it comes: its exact repeats need not be read. */
export function isPlainAlertmanager({ format, labels }: Pick<SourceConfig, 'format' | 'labels'>): boolean {
  return format === 'alertmanager' && Object.keys(labels).length === 0
}
