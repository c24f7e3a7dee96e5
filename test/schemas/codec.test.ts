import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../schemas/change.ts'
import { CodecError, decodeChange, decodeRecord, encodeChange, encodeRecord } from '../../schemas/codec.ts'
import type { AlertsRecord, LogRecord } from '../../schemas/record.ts'

const ALERTS: AlertsRecord = {
  kind: 'alerts',
  received_at_ms: 1,
  origin: { source: 's/t', partition: 2 },
  places: [[3, 0]],
  alerts: [
    {
      fingerprint: '0'.repeat(32),
      labels: { a: '🙂' },
      annotations: {},
      generator_url: '',
      severity: 'high',
      entity: 'e',
      scope: 'x',
      source: 's',
      starts_at_ms: 1,
      ends_at_ms: null,
      repeats: 2,
    },
  ],
}
const RECORDS: readonly LogRecord[] = [
  ALERTS,
  { kind: 'tick' },
  {
    kind: 'command',
    command: { id: 'c1', actor: 'me', body: { kind: 'acknowledge', incident_id: 'inc_1' } },
  },
]
const CHANGE = { id: 'inc_1.1', revision: 1, incident: { id: 'inc_1' } } as Change

describe('records', () => {
  it.each(RECORDS)('of kind $kind come back as they were', (record) => {
    expect(decodeRecord(encodeRecord(record))).toEqual(record)
  })

  it.each([
    ['nothing', '', 'entry-format'],
    ['another format', '\u0001abc', 'entry-format'],
    ['an array', '[]', 'entry-format'],
    ['cut JSON', '{"kind":"tick"', 'entry-json'],
    ['no kind', '{}', 'entry-shape'],
    ['another kind', '{"kind":"other"}', 'entry-shape'],
    ['no alerts', JSON.stringify({ ...ALERTS, alerts: [], places: [] }), 'entry-shape'],
    ['null for an alert', JSON.stringify({ ...ALERTS, alerts: [null] }), 'entry-shape'],
    [
      'alerts without labels',
      JSON.stringify({ ...ALERTS, alerts: [{ ...ALERTS.alerts[0], labels: null }] }),
      'entry-shape',
    ],
    ['alerts without places', JSON.stringify({ ...ALERTS, places: [] }), 'entry-shape'],
    ['null for a place', JSON.stringify({ ...ALERTS, places: [null] }), 'entry-shape'],
    ['a command without a body', '{"kind":"command","command":{"id":"x","actor":"y"}}', 'entry-shape'],
  ])('with %s are refused by a code', (_name, text, code) => {
    expect(() => decodeRecord(Buffer.from(text))).toThrow(
      expect.objectContaining({ name: 'CodecError', code }),
    )
  })

  it('with any byte changed either come back or are refused by a code', () => {
    const bytes = encodeRecord(ALERTS)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes)
        changed[at] = byte
        expect(codeOf(changed)).toMatch(/^(?:sound|entry-format|entry-json|entry-shape)$/)
      }),
      { numRuns: 1_000 },
    )
  })
})

/** What decoding gives: a code, or that it is sound. Whatever is thrown beside CodecError is thrown on. */
function codeOf(bytes: Buffer): string {
  try {
    decodeRecord(bytes)
    return 'sound'
  } catch (error) {
    if (error instanceof CodecError) return error.code
    throw error
  }
}

describe('changes', () => {
  it('come back as they were', () => {
    expect(decodeChange(encodeChange(CHANGE))).toEqual(CHANGE)
  })

  it.each([
    ['', 'entry-format'],
    ['{', 'entry-json'],
    ['{}', 'entry-shape'],
    ['{"id":"x","revision":1,"incident":null}', 'entry-shape'],
  ])('%j is refused by a code', (text, code) => {
    expect(() => decodeChange(Buffer.from(text))).toThrow(
      expect.objectContaining({ name: 'CodecError', code }),
    )
  })
})
