import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { type DecodingParts, sourceDecoder } from '../../ingest/source_decoder.ts'
import { config as schema } from '../../schemas/config.ts'
import { relabel } from '../../schemas/relabel.ts'
import { EXPIRE_AFTER_MS, type SourceFormat } from '../../schemas/source_formats.ts'
import { VENDORS } from './vendor_seeds.ts'
import { NOW_MS } from './source_server.ts'

const HOSTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'db-1': { team: 'storage', site: 'hamburg' },
}
const PARTS: DecodingParts = {
  scope_labels: ['tenant', 'site'],
  lookup: (table, key) => (table === 'hosts' ? (HOSTS[key] ?? {}) : {}),
}

function decoderOf(
  given: Parameters<typeof relabel.parse>[0],
  { format = 'alertmanager', labels = {} }: { format?: SourceFormat; labels?: Record<string, string> } = {},
) {
  return sourceDecoder(
    { name: 'shop', format, labels, expire_after_ms: EXPIRE_AFTER_MS, relabel: relabel.parse(given) },
    PARTS,
  )
}

const messageOf = (json: unknown, more: object = {}) => ({
  body: Buffer.from(JSON.stringify(json)),
  headers: {},
  at_ms: NOW_MS,
  ...more,
})
const alertsOf = (...labels: Record<string, string>[]) => messageOf(labels.map((one) => ({ labels: one })))

describe('relabel', () => {
  it('sets labels from a table, and takes one away that an expression gives nothing for', () => {
    const decode = decoderOf({
      labels: { team: 'lookup("hosts", alert.labels.host).?team', noise: 'alert.labels.?nothing' },
    })
    const { alerts } = decode(
      alertsOf(
        { alertname: 'Down', host: 'db-1', noise: 'x' },
        { alertname: 'Down', host: 'web-1', team: 'told' },
      ),
    )
    expect(alerts.map(({ labels }) => labels)).toEqual([
      { alertname: 'Down', host: 'db-1', team: 'storage' },
      { alertname: 'Down', host: 'web-1' },
    ])
  })

  it('leaves alerts out, and counts them', () => {
    const decode = decoderOf({ drop: 'alert.labels.severity == "none"' })
    expect(decode(alertsOf({ a: '1', severity: 'none' }, { a: '2', severity: 'page' }))).toMatchObject({
      alerts: [{ ordinal: 1 }],
      rejects: [],
      dropped: 1,
    })
  })

  it('names the scope by token, topic or anything else, and the end of an alert finds it', () => {
    const decode = decoderOf(
      { labels: { tenant: 'token', site: 'topic.split(".")[0]' } },
      { format: 'datadog' },
    )
    const event = (transition: string) =>
      messageOf({ ...VENDORS.datadog.fires, transition }, { token: 'acme', topic: 'hamburg.alerts' })
    const normalise = makeNormaliser(schema.parse({}))
    const [begins, ends] = ['Triggered', 'Recovered'].map((transition) => {
      const [raw] = decode(event(transition)).alerts
      return raw && normalise(raw, 'shop')
    })
    expect(begins).toMatchObject({ scope: 'acme/hamburg', labels: { tenant: 'acme', site: 'hamburg' } })
    expect(ends).toMatchObject({ fingerprint: (begins as { fingerprint: string }).fingerprint })
  })

  it('makes the fingerprint of some labels, or of a text', () => {
    const normalise = makeNormaliser(schema.parse({}))
    const fingerprints = (given: Parameters<typeof relabel.parse>[0], ...labels: Record<string, string>[]) =>
      decoderOf(given)(alertsOf(...labels)).alerts.map((raw) => {
        const alert = normalise(raw, 'shop')
        return 'reason' in alert ? alert.reason : alert.fingerprint
      })
    const two = [
      { alertname: 'Down', host: 'a', pid: '1' },
      { alertname: 'Down', host: 'a', pid: '2' },
    ]
    for (const given of [
      { fingerprint_labels: ['alertname', 'host'] },
      { fingerprint: 'alert.labels.alertname + "/" + alert.labels.host' },
    ])
      expect(new Set(fingerprints(given, ...two)).size).toBe(1)
    expect(new Set(fingerprints({}, ...two)).size).toBe(2)
    // The scope belongs to it in either case.
    const other_scope = fingerprints({ fingerprint: '"same"' }, { site: 'a', x: '1' }, { site: 'b', x: '1' })
    expect(new Set(other_scope).size).toBe(2)
  })

  it('rejects an alert whose expression fails, by its name, and takes the others', () => {
    const decode = decoderOf({ labels: { rack: 'alert.labels.rack' }, annotations: { by: 'source' } })
    expect(decode(alertsOf({ a: '1' }, { a: '2', rack: 'r' }))).toMatchObject({
      alerts: [{ ordinal: 1, annotations: { by: 'shop' } }],
      rejects: [
        {
          ordinal: 0,
          code: 'expression-failed',
          reason: expect.stringMatching(/^relabel\.labels\.rack: /) as string,
        },
      ],
    })
  })

  it('changes acknowledgements as it changes alerts', () => {
    const decode = decoderOf({ labels: { tenant: 'token' } }, { format: 'zabbix', labels: { site: 'b' } })
    const body = { event_id: '5', event_value: '1', update_status: '1', update_action: 'acknowledged' }
    expect(decode(messageOf(body, { token: 'acme' })).acknowledgements).toMatchObject([
      { identity: { zabbix_event: '5', site: 'b', tenant: 'acme' } },
    ])
  })

  it('bounds are enforced after it', () => {
    const decode = decoderOf({ labels: { site: `"${'x'.repeat(300)}"` } })
    const [raw] = decode(alertsOf({ a: '1' })).alerts
    expect(raw && makeNormaliser(schema.parse({}))(raw, 'shop')).toMatchObject({ code: 'scope-length' })
  })

  it('is total: whatever comes ends as alerts, rejects or what is left out', () => {
    const decode = decoderOf({
      drop: 'alert.labels.?drop.orValue("") == "yes"',
      labels: { a: 'alert.labels.b', c: 'lookup("hosts", alert.labels.host).team' },
      fingerprint: 'alert.labels.?f.orValue("same")',
    })
    const labels = fc.dictionary(
      fc.constantFrom('a', 'b', 'drop', 'host', 'f', '__proto__', 'constructor'),
      fc.oneof(fc.string(), fc.constantFrom('yes', 'db-1')),
      { maxKeys: 4 },
    )
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 5 }), (given) => {
        const { alerts, rejects, dropped = 0 } = decode(alertsOf(...given))
        const told = alerts.length + rejects.length + dropped
        expect(told).toBe(rejects.some(({ code }) => code === 'too-many-alerts') ? 1 : given.length)
      }),
      { numRuns: 200 },
    )
  })
})

describe('severity_map', () => {
  it('holds for its source alone', () => {
    const config = schema.parse({
      sources: [{ name: 'shop', kind: 'http', severity_map: { '1': 'critical', page: 'low' } }],
    })
    const normalise = makeNormaliser(config)
    const severityOf = (severity: string, source: string) => {
      const raw = { ordinal: 0, labels: { severity }, annotations: {}, generator_url: '' }
      const alert = normalise({ ...raw, starts_at_ms: NOW_MS, ends_at_ms: null }, source)
      return 'reason' in alert ? alert.reason : alert.severity
    }
    expect(['1', 'page', 'fatal'].map((word) => severityOf(word, 'shop'))).toEqual([
      'critical',
      'low',
      'critical',
    ])
    expect(['1', 'page'].map((word) => severityOf(word, 'other'))).toEqual(['medium', 'critical'])
  })
})
