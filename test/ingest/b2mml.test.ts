import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { b2mml } from '../../ingest/sources/b2mml.ts'
import type { Alert } from '../../schemas/alert.ts'
import { CANCEL_JSON, PROCESS_JSON, workAlertXml } from './b2mml_seeds.ts'
import { DEFAULTS } from './settings.ts'

const AT_MS = Date.UTC(2026, 10, 25, 12)
const normalise = makeNormaliser(DEFAULTS)

const decode = (body: unknown) =>
  b2mml(
    { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), headers: {}, at_ms: AT_MS },
    { expire_after_ms: 3_600_000 },
  )

function alertOf(body: unknown): Alert {
  const [raw] = decode(body).alerts
  const alert = raw && normalise(raw, 'mes')
  if (!alert || 'reason' in alert) throw new Error('the message gives an alert')
  return alert
}

const DELETE =
  '<b:ActionCriteria><b:ActionExpression actionCode="Delete">/WorkAlert</b:ActionExpression></b:ActionCriteria>'
const REJECTED = '<b:ResponseCriteria><b:ResponseExpression actionCode="Rejected"/></b:ResponseCriteria>'

describe('a work alert', () => {
  it.each([
    ['in JSON', PROCESS_JSON],
    ['in XML', workAlertXml('Process')],
  ])('%s has its place in the plant, its order and its severity', (_, body) => {
    const alert = alertOf(body)
    expect(alert).toMatchObject({
      severity: 'high',
      starts_at_ms: Date.UTC(2026, 10, 25, 11, 58),
      labels: {
        alertname: 'PressureLow',
        work_alert: 'WA-4711',
        enterprise: 'ACME',
        site: 'Hamburg',
        area: 'Bottling',
        line: 'Line 3',
        cell: 'Filler-2',
        work_order: 'WO-99',
      },
      annotations: { description: 'Filling pressure too low', Pressure: '2.05 bar' },
    })
    expect(alert.annotations['summary']).toMatch(/^Pressure of filler 2 fell below 2\.1 bar/)
    expect(alert.labels['equipment']).toMatch(/^ACME\/Hamburg\/Bottling\/Line 3\/Filler-2/)
    expect(alert.entity).toBe(alert.labels['equipment']?.split('/').at(-1))
  })

  it.each(['Process', 'Sync', 'Change'])('%s says that it holds', (verb) => {
    expect(alertOf(workAlertXml(verb)).ends_at_ms).toBe(AT_MS + 3_600_000)
  })

  it.each([
    ['Cancel in XML', workAlertXml('Cancel')],
    ['Cancel in JSON with the ID alone', CANCEL_JSON],
    ['Sync with Delete', workAlertXml('Sync', DELETE)],
  ])('%s ends it', (_, body) => {
    const end = alertOf(body)
    expect(end.fingerprint).toBe(alertOf(PROCESS_JSON).fingerprint)
    expect(end.ends_at_ms).toBeLessThan(AT_MS)
  })

  it('Acknowledge acknowledges it, unless it says that the alert was rejected', () => {
    expect(decode(workAlertXml('Acknowledge'))).toEqual({
      alerts: [],
      rejects: [],
      acknowledgements: [{ ordinal: 0, identity: { work_alert: 'WA-4711' }, by: 'mes' }],
    })
    expect(decode(workAlertXml('Acknowledge', REJECTED))).toEqual({ alerts: [], rejects: [], dropped: 1 })
  })

  it.each(['Get', 'Show', 'Respond'])('%s says nothing new', (verb) => {
    expect(decode(workAlertXml(verb))).toEqual({ alerts: [], rejects: [], dropped: 1 })
  })

  it('an effective end in the past ends it, and one to come does not', () => {
    const ending = (EffectiveEndDate: string) => ({
      WorkAlert: { ID: 'WA-1', Category: 'x', EffectiveEndDate },
    })
    expect(alertOf(ending('2026-11-25T11:00:00Z')).ends_at_ms).toBe(Date.UTC(2026, 10, 25, 11))
    expect(alertOf(ending('2026-11-26T11:00:00Z')).ends_at_ms).toBe(AT_MS + 3_600_000)
  })

  it('several come in one message, also in groups, and one without ID is refused alone', () => {
    const group = { WorkAlert: [{ ID: 'a', Category: 'x' }, { Category: 'y' }] }
    const body = { SyncWorkAlertInformation: { DataArea: { Sync: {}, WorkAlertInformation: [group] } } }
    const { alerts, rejects } = decode(body)
    expect(alerts.map(({ identity }) => identity)).toEqual([{ work_alert: 'a' }])
    expect(rejects).toMatchObject([{ ordinal: 1, code: 'identity-missing' }])
  })
})

describe('odd documents', () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>${workAlertXml('Process')}`
  it.each([
    ['a DOCTYPE', bomb, 'xml-doctype'],
    ['tags that are not closed', '<ProcessWorkAlert><DataArea>', 'xml-syntax'],
    ['elements in elements without end', '<a>'.repeat(5_000) + '</a>'.repeat(5_000), 'xml-syntax'],
    ['a prototype as an element', '<a><__proto__>1</__proto__></a>', 'xml-syntax'],
    ['another document', '<Other/>', 'document-unknown'],
    ['XML without end', `<a>${' '.repeat(1_048_576)}</a>`, 'xml-size'],
    ['a transaction without data', '{"ProcessWorkAlert":{}}', 'json-type'],
  ])('%s are refused with a reason', (_, body, code) => {
    expect(decode(body)).toMatchObject({ alerts: [], rejects: [{ ordinal: 0, code }] })
  })

  it('whatever becomes of a document, nothing is thrown', () => {
    const text = workAlertXml('Process')
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 10 }), (at, cut, put) => {
        const { alerts, rejects } = decode(text.slice(0, at) + put + text.slice(at + cut))
        for (const raw of alerts) expect(raw.labels['work_alert']).not.toBe('')
        for (const { code, reason } of rejects) expect(code && reason).toBeTruthy()
      }),
      { numRuns: 300 },
    )
  })
})
