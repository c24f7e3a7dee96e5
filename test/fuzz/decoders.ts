import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { type SourceDecoder, sourceDecoder } from '../../ingest/source_decoder.ts'
import { relabel } from '../../schemas/relabel.ts'
import { EXPIRE_AFTER_MS, SOURCE_FORMATS, type SourceFormat } from '../../schemas/source_formats.ts'
import { SEEDS } from '../ingest/format_seeds.ts'

/** A decoder, and messages that it reads. */
export interface Fuzzed {
  readonly decode: SourceDecoder
  readonly seeds: readonly { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> }[]
}

const SETTINGS = { labels: { site: 'hamburg' }, expire_after_ms: EXPIRE_AFTER_MS }
const seedsOf = (format: SourceFormat): Fuzzed['seeds'] =>
  SEEDS[format].map(({ body, headers }) => ({ body: Buffer.from(body), headers }))

const MAPPED: SourceDecoder = sourceDecoder({
  ...SETTINGS,
  format: 'json',
  mapping: {
    alerts: 'body.alerts',
    drop: 'has(alert.drop) && alert.drop == true',
    labels: { alertname: 'alert.labels.alertname', host: 'alert.?host', all: 'alert.labels' },
    annotations: { summary: 'alert.?annotations.?summary' },
    severity: 'alert.?severity.orValue("none")',
    starts_at: 'alert.startsAt',
    ends_at: 'alert.?endsAt',
    resolved: 'alert.status == "resolved"',
    link: 'alert.?generatorURL',
    fingerprint_labels: ['alertname', 'host'],
  },
})

const RELABELLED: SourceDecoder = sourceDecoder(
  {
    ...SETTINGS,
    name: 'fuzzed',
    format: 'alertmanager-webhook',
    relabel: relabel.parse({
      drop: 'alert.labels.?severity.orValue("") == "none"',
      labels: {
        team: 'lookup("hosts", alert.labels.?instance).?team',
        a: 'alert.labels.alertname.split("i")',
      },
      annotations: { runbook: 'alert.annotations' },
      fingerprint: 'alert.labels.alertname',
    }),
  },
  { scope_labels: ['site'], lookup: (_table, key) => ({ team: key }) },
)

const LOG_RECORDS = [0, 1].map((n) => ({
  resource: resourceFromAttributes({ 'service.name': 'checkout' }),
  instrumentationScope: { name: 'payments' },
  hrTime: [1_795_607_880, n],
  hrTimeObserved: [1_795_607_881, 0],
  severityNumber: 17 + n,
  body: { order: 4711, lines: ['a', 1.5, true] },
  attributes: { 'exception.type': 'TimeoutError', n: -3 },
  droppedAttributesCount: 0,
})) as unknown as Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0]

/** By the name that `--decoder` takes. */
export const DECODERS: Readonly<Record<string, Fuzzed>> = {
  ...Object.fromEntries(
    SOURCE_FORMATS.map((format): [string, Fuzzed] => [
      format,
      { decode: sourceDecoder({ ...SETTINGS, format }), seeds: seedsOf(format) },
    ]),
  ),
  json: { decode: MAPPED, seeds: seedsOf('alertmanager-webhook') },
  relabel: { decode: RELABELLED, seeds: seedsOf('alertmanager-webhook') },
  'otlp-logs-protobuf': {
    decode: sourceDecoder({ ...SETTINGS, format: 'otlp-logs' }),
    seeds: [
      {
        body: Buffer.from(ProtobufLogsSerializer.serializeRequest(LOG_RECORDS) ?? []),
        headers: { 'content-type': 'application/x-protobuf' },
      },
    ],
  },
}
