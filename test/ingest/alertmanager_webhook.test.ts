import { describe, expect, it } from 'vitest'
import { FORMATS } from '../../ingest/sources/formats.ts'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { decodeAlerts } from '../../ingest/sources/alertmanager.ts'
import type { SourceFormat } from '../../schemas/source_formats.ts'
import { SEEDS } from './format_seeds.ts'
import { DEFAULTS } from './settings.ts'

const AT_MS = Date.UTC(2026, 10, 25, 12)
const EXPIRE_MS = 3_600_000

const decode = (format: SourceFormat, body: string) =>
  FORMATS[format]({ body: Buffer.from(body), headers: {}, at_ms: AT_MS }, { expire_after_ms: EXPIRE_MS })
const example = (format: SourceFormat) => SEEDS[format][0]?.body ?? ''
const one = (alert: object) =>
  decode('alertmanager-webhook', JSON.stringify({ version: '4', alerts: [alert] }))

describe("Alertmanager's webhook", () => {
  it('gives alerts that fire until they are resolved, and resolved ones', () => {
    expect(decode('alertmanager-webhook', example('alertmanager-webhook')).alerts).toMatchObject([
      {
        ordinal: 0,
        labels: { alertname: 'DiskFull', severity: 'critical', instance: 'db-1' },
        annotations: { summary: 'The disk of db-1 is full' },
        generator_url: 'http://prometheus.example:9090/graph?g0.expr=up',
        starts_at_ms: Date.UTC(2026, 10, 25, 11, 58, 3, 157),
        ends_at_ms: AT_MS + EXPIRE_MS,
      },
      {
        ordinal: 1,
        starts_at_ms: Date.UTC(2026, 10, 25, 11, 40),
        ends_at_ms: Date.UTC(2026, 10, 25, 11, 59, 30),
      },
    ])
  })

  it('gives the same alerts as Prometheus itself would', () => {
    const labels = { alertname: 'Down', job: 'api', cluster: 'eu' }
    const normalise = makeNormaliser(DEFAULTS)
    const [hooked] = one({ status: 'firing', labels }).alerts
    const context = { resolve_timeout_ms: 300_000, lone_alert: false }
    const [direct] = decodeAlerts(Buffer.from(JSON.stringify([{ labels }])), AT_MS, context).alerts
    if (!hooked || !direct) throw new Error('both give an alert')
    const [a, b] = [normalise(hooked, 'hook'), normalise(direct, 'direct')]
    expect('fingerprint' in a && a.fingerprint).toBe('fingerprint' in b && b.fingerprint)
  })

  it('ends an alert now when the sender says it ends in the future: it says that it is over', () => {
    const [alert] = one({ status: 'resolved', labels: { a: '1' }, endsAt: '2026-11-25T13:00:00Z' }).alerts
    expect(alert?.ends_at_ms).toBeLessThan(AT_MS)
    expect(alert?.starts_at_ms).toBeLessThanOrEqual(alert?.ends_at_ms ?? 0)
  })

  it.each([
    ['no labels', { status: 'firing', labels: {} }, 'labels-empty'],
    ['labels that are empty', { status: 'firing', labels: { a: '' } }, 'labels-empty'],
    ['labels that are a list', { status: 'firing', labels: [] }, 'json-type'],
    ['no status', { labels: { a: '1' } }, 'status-unknown'],
    [
      'a start that is no time',
      { status: 'firing', labels: { a: '1' }, startsAt: 'yesterday' },
      'time-syntax',
    ],
  ])('an alert with %s is rejected, with itself as payload', (_name, alert, code) => {
    expect(one(alert)).toMatchObject({
      alerts: [],
      rejects: [{ ordinal: 0, code, payload: JSON.stringify(alert) }],
    })
  })

  it('without a list of alerts is rejected as a whole', () => {
    expect(decode('alertmanager-webhook', '{"version":"4"}').rejects).toMatchObject([{ code: 'json-type' }])
  })
})

describe("Grafana's webhook", () => {
  it('keeps links and values for people', () => {
    expect(decode('grafana', example('grafana')).alerts).toMatchObject([
      {
        labels: { alertname: 'High memory usage', team: 'blue', zone: 'us-1' },
        annotations: {
          summary: 'Memory of zone us-1',
          runbook_url: 'https://runbooks.example/1234',
          dashboardURL: 'https://grafana.example/d/abc',
          silenceURL: 'https://grafana.example/alerting/silence/new?alertmanager=grafana',
          values: '{"B":44.23943737541908,"C":1}',
        },
        generator_url: 'https://grafana.example/alerting/1afz29v7z/edit',
        starts_at_ms: Date.UTC(2026, 10, 25, 11, 51, 3, 157),
      },
    ])
  })

  it('has no link that a browser would run', () => {
    const alert = { status: 'firing', labels: { a: '1' }, panelURL: 'javascript:alert(1)' }
    const [found] = decode('grafana', JSON.stringify({ alerts: [alert] })).alerts
    expect(found?.annotations).toEqual({})
  })
})
