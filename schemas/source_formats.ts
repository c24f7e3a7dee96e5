/** Formats of alerts that a source may speak; each is read by `ingest/sources/`. */
export const SOURCE_FORMATS = [
  'alertmanager',
  'alertmanager-webhook',
  'alertmanager-events',
  'grafana',
  'pagerduty',
  'cloudevents',
  'zabbix',
  'datadog',
  'nagios',
  'sentry',
  'uptime-kuma',
  'cloudwatch',
  'azure-monitor',
  'gcp-monitoring',
  'opsgenie',
  'otlp-logs',
  'b2mml',
] as const
/** Sources that need no entry in the configuration: each has an address of its own. */
export const BUILT_IN_SOURCES = ['alertmanager', 'pagerduty', 'cloudevents', 'opsgenie', 'otlp-logs'] as const

/** How long an alert lasts whose end is told by a message of its own, unless the configuration says otherwise. */
export const EXPIRE_AFTER_MS = 7 * 86_400_000
export type SourceFormat = (typeof SOURCE_FORMATS)[number]

/** Their messages hold a secret: they are not kept when they are rejected. */
export const FORMATS_WITH_SECRETS: ReadonlySet<string> = new Set(['pagerduty'])

/** Any JSON, by the mapping of the source. */
export const MAPPED_FORMAT = 'json'

/** Formats of readings; each is read by `ingest/samples/`. */
export const SAMPLE_FORMATS = [
  'prometheus-remote-write',
  'otlp-metrics',
  'influx',
  'telegraf',
  'prometheus-json',
  'metricbeat',
  'samples-json',
  'samples-csv',
  'sparkplug',
  'opcua-json',
  'uns',
  'mtconnect-shdr',
] as const
export type SampleFormat = (typeof SAMPLE_FORMATS)[number]

/** Does a source of this format tell readings, not alerts? */
export function isSampleFormat(format: string): format is SampleFormat {
  return (SAMPLE_FORMATS as readonly string[]).includes(format)
}

/** Units of a time that is told as a number since 1970. */
export const TIME_UNITS = ['s', 'ms', 'us', 'ns'] as const
export type TimeUnit = (typeof TIME_UNITS)[number]
