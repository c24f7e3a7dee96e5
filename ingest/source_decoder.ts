import type { Labels } from '../schemas/alert.ts'
import type { SourceConfig } from '../schemas/config.ts'
import { type Lookup, NO_TABLES } from '../schemas/expression.ts'
import { isSampleFormat, MAPPED_FORMAT, type SampleFormat } from '../schemas/source_formats.ts'
import type { Decode, SourceMessage } from './sources/format.ts'
import { FORMATS } from './sources/formats.ts'
import { mapped } from './sources/mapped.ts'
import type { DecodedAlerts, RawAlert } from './sources/raw_alert.ts'
import { type Relabelling, relabelling } from './sources/relabel.ts'

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

function decodeOf({ format, mapping }: Decoding, lookup: Lookup): Decode {
  if (format !== MAPPED_FORMAT) return FORMATS[format]
  if (!mapping) throw new Error('a source with `format: json` was configured without its mapping')
  return mapped(mapping, lookup)
}

/** What decoders of sources are given beside the configuration of their source. */
export interface DecodingParts {
  /** Labels that name the scope. */
  readonly scope_labels: readonly string[]
  readonly lookup: Lookup
}

/** The source's own labels, then its relabelling. Total. */
export function afterDecoding(
  {
    name = '',
    labels,
    relabel,
  }: Pick<SourceConfig, 'labels'> & Partial<Pick<SourceConfig, 'name' | 'relabel'>>,
  parts: DecodingParts,
): Relabelling {
  const relabelled: Relabelling = relabel
    ? relabelling(relabel, { source: name, ...parts })
    : (decoded) => decoded
  if (Object.keys(labels).length === 0) return relabelled
  return (decoded, message) => {
    const { alerts, acknowledgements = [] } = decoded
    const labelled = {
      ...decoded,
      alerts: alerts.map((alert) => withLabels(alert, labels)),
      acknowledgements: acknowledgements.map((one) => ({ ...one, identity: { ...one.identity, ...labels } })),
    }
    return relabelled(labelled, message)
  }
}

export function sourceDecoder(
  source: Decoding &
    Pick<SourceConfig, 'labels' | 'expire_after_ms'> &
    Partial<Pick<SourceConfig, 'name' | 'relabel'>>,
  parts: DecodingParts = { scope_labels: [], lookup: NO_TABLES },
): SourceDecoder {
  const { expire_after_ms } = source
  const decode = decodeOf(source, parts.lookup)
  const after = afterDecoding(source, parts)
  return (message) => after(decode(message, { expire_after_ms }), message)
}

/** Alertmanager's form as it comes: its exact repeats need not be read. */
export function isPlainAlertmanager({
  format,
  labels,
  relabel,
}: Pick<SourceConfig, 'format' | 'labels' | 'relabel'>): boolean {
  return format === 'alertmanager' && Object.keys(labels).length === 0 && !relabel
}
