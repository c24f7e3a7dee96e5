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
