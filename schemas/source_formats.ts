/** Formats of alerts that a source may speak; each is read by `ingest/sources/`. */
export const SOURCE_FORMATS = ['alertmanager', 'alertmanager-webhook', 'grafana'] as const
export type SourceFormat = (typeof SOURCE_FORMATS)[number]
