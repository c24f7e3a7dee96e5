import type { FastifyPluginAsync } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { Admission } from '../../ingest/http/admission.ts'
import { alertmanagerIngest } from '../../ingest/http/alertmanager.ts'
import type { BuiltIn } from '../../ingest/http/built_in.ts'
import { cloudeventsIngest } from '../../ingest/http/cloudevents.ts'
import { opsgenieIngest } from '../../ingest/http/opsgenie.ts'
import { otlpLogsIngest } from '../../ingest/http/otlp_logs.ts'
import { pagerdutyIngest } from '../../ingest/http/pagerduty.ts'
import type { TakingParts } from '../../ingest/http/take.ts'
import { afterDecoding } from '../../ingest/source_decoder.ts'
import { config } from '../../schemas/config.ts'
import { NO_TABLES } from '../../schemas/expression.ts'
import { OTLP_LOGS } from './format_seeds.ts'
import { type SourceServer, sourceServer } from './source_server.ts'

const SAID = {
  labels: { site: 'hamburg' },
  relabel: { drop: 'alert.labels.?noise.orValue("") == "yes"', labels: { by: 'source' } },
  rate_limit: { requests_per_s: 0.001, burst: 2 },
}

/** As the configuration would have it. */
function builtIn(name: string): ReadonlyMap<string, BuiltIn> {
  const [source] = config.parse({ built_in_sources: [{ name, ...SAID }] }).built_in_sources
  if (source === undefined) throw new Error('not configured')
  return new Map([
    [
      name,
      {
        after: afterDecoding(source, { scope_labels: ['site'], lookup: NO_TABLES }),
        admission: new Admission({ ...source, max_body_bytes: 1_000_000 }),
        refused: () => undefined,
      },
    ],
  ])
}

const AM = [{ labels: { alertname: 'Down' } }, { labels: { alertname: 'Loud', noise: 'yes' } }]
const PD = {
  routing_key: 'k',
  event_action: 'trigger',
  payload: { summary: 's', source: 'h', severity: 'error' },
}
const CE = { specversion: '1.0', id: '1', source: '/s', type: 't' }
type Make = (parts: TakingParts) => FastifyPluginAsync
const SOURCES: readonly [name: string, path: string, body: unknown, make: Make][] = [
  [
    'alertmanager',
    '/api/v2/alerts',
    AM,
    (parts) => alertmanagerIngest({ ...parts, resolve_timeout_ms: 1_000 }),
  ],
  [
    'pagerduty',
    '/v2/enqueue',
    PD,
    (parts) => pagerdutyIngest({ ...parts, maySend: () => true, expire_after_ms: 1_000 }),
  ],
  ['cloudevents', '/api/v1/events', CE, cloudeventsIngest],
  ['opsgenie', '/v2/alerts', { message: 'm', alias: 'a' }, opsgenieIngest],
  ['otlp-logs', '/v1/logs', OTLP_LOGS, otlpLogsIngest],
]

let server: SourceServer
afterEach(() => server.close())

describe.each(SOURCES)('the built-in source %s', (name, path, body, make) => {
  it('is relabelled and bounded as the configuration says', async () => {
    server = await sourceServer((parts) => make({ ...parts, built_in: builtIn(name) }))
    const send = () => server.post(path, JSON.stringify(body))
    expect((await send()).status).toBeLessThan(300)
    const alerts = server.log.records.flatMap((record) => record.alerts)
    expect(alerts).toMatchObject([{ scope: 'hamburg', labels: { site: 'hamburg', by: name }, source: name }])
    expect((await send()).status).toBeLessThan(300)
    expect(await send()).toMatchObject({ status: 429, body: { error: { code: 'too-many-requests' } } })
  })
})

it('an exact repeat that is relabelled is taken like the first', async () => {
  server = await sourceServer((parts) =>
    alertmanagerIngest({ ...parts, resolve_timeout_ms: 1_000, built_in: builtIn('alertmanager') }),
  )
  const text = JSON.stringify([{ labels: { alertname: 'Down' }, startsAt: '2026-11-25T11:00:00Z' }])
  for (let i = 0; i < 2; i++) expect((await server.post('/api/v2/alerts', text)).status).toBe(200)
  const records = server.log.records
  expect(records.map(({ repeats }) => repeats?.count ?? 0)).toEqual([0, 0])
  expect(records.map(({ alerts }) => alerts[0]?.labels['by'])).toEqual(['alertmanager', 'alertmanager'])
})
