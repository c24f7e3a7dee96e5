import type { SourceFormat } from '../../schemas/source_formats.ts'
import { decodeAlerts, RefusedBody } from './alertmanager.ts'
import { alertmanagerEvents } from './alertmanager_events.ts'
import { alertmanagerWebhook, grafana } from './alertmanager_webhook.ts'
import { azureMonitor } from './azure.ts'
import { b2mml } from './b2mml.ts'
import { cloudevents } from './cloudevents.ts'
import { cloudwatch } from './cloudwatch.ts'
import { datadog } from './datadog.ts'
import { type Decode, decoder, Unreadable } from './format.ts'
import { gcpMonitoring } from './gcp.ts'
import { nagios } from './nagios.ts'
import { opsgenie } from './opsgenie.ts'
import { otlpLogs } from './otlp_logs.ts'
import { pagerduty } from './pagerduty.ts'
import { sentry } from './sentry.ts'
import { uptimeKuma } from './uptime_kuma.ts'
import { zabbix } from './zabbix.ts'

/** Alertmanager's own form, as any other format: a start in the future without an end is judged by the usual timeout. */
const RESOLVE_TIMEOUT_MS = 300_000

const alertmanager = decoder(({ body, at_ms }) => {
  try {
    return decodeAlerts(body, at_ms, { resolve_timeout_ms: RESOLVE_TIMEOUT_MS, lone_alert: true })
  } catch (error) {
    if (!(error instanceof RefusedBody)) throw error
    throw new Unreadable(error.code, error.message)
  }
})

/** Every built-in format. */
export const FORMATS: Readonly<Record<SourceFormat, Decode>> = {
  alertmanager,
  'alertmanager-webhook': alertmanagerWebhook,
  'alertmanager-events': alertmanagerEvents,
  grafana,
  pagerduty,
  cloudevents,
  zabbix,
  datadog,
  nagios,
  sentry,
  'uptime-kuma': uptimeKuma,
  cloudwatch,
  'azure-monitor': azureMonitor,
  'gcp-monitoring': gcpMonitoring,
  opsgenie,
  'otlp-logs': otlpLogs,
  b2mml,
}
