import type { Labels } from '../schemas/alert.ts'
import type { SourceConfig } from '../schemas/config.ts'
import type { SourceMessage } from './sources/format.ts'
import { FORMATS } from './sources/formats.ts'
import type { DecodedAlerts, RawAlert } from './sources/raw_alert.ts'

/** Reads the messages of one source as its configuration says. Total. */
export type SourceDecoder = (message: SourceMessage) => DecodedAlerts

/** Labels of the configuration go before those of the sender: they name the scope that a sender cannot leave. */
function withLabels(alert: RawAlert, own: Labels): RawAlert {
  const { identity } = alert
  return {
    ...alert,
    labels: { ...alert.labels, ...own },
    ...(identity && { identity: { ...identity, ...own } }),
  }
}

export function sourceDecoder(
  source: Pick<SourceConfig, 'format' | 'labels' | 'expire_after_ms'>,
): SourceDecoder {
  const { format, labels, expire_after_ms } = source
  const decode = FORMATS[format]
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
