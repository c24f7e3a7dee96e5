import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../schemas/change.ts'
import { CodecError, decodeChange, decodeRecord, encodeChange, encodeRecord } from '../../schemas/codec.ts'
import type { AlertsRecord, LogRecord, Place } from '../../schemas/record.ts'
import { fingerprintWords, type Repeats, RepeatsWriter } from '../../schemas/repeats.ts'

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
const WITH_REPEATS: AlertsRecord = {
  ...ALERTS,
  repeats: repeatsOf(
    ['00112233445566778899aabbccddeeff', 'f'.repeat(32)],
    [
      [2, 0],
      [4, 0],
    ],
  ),
  repeats_before: [1],
}

function repeatsOf(fingerprints: readonly string[], places: readonly Place[]): Repeats {
  const writer = new RepeatsWriter()
  const words = new Int32Array(4)
  for (const [i, fingerprint] of fingerprints.entries()) {
    fingerprintWords(fingerprint, words)
    writer.add(words, 0, 1_700_000_000_123, i === 0 ? NaN : 1_800_000_000_000, places[i] ?? null)
  }
  return writer.done()
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

describe('repeats', () => {
  it('come back with their times, places and order', () => {
    const back = decodeRecord(encodeRecord(WITH_REPEATS))
    if (back.kind !== 'alerts' || back.repeats === undefined) throw new Error('the repeats are gone')
    const { repeats, repeats_before, ...rest } = back
    expect({ ...rest, repeats_before }).toEqual({ ...ALERTS, repeats_before: [1] })
    expect(
      [0, 1].map((i) => [repeats.fingerprint(i), repeats.startsAt(i), repeats.endsAt(i), repeats.places[i]]),
    ).toEqual([
      ['00112233445566778899aabbccddeeff', 1_700_000_000_123, NaN, [2, 0]],
      ['f'.repeat(32), 1_700_000_000_123, 1_800_000_000_000, [4, 0]],
    ])
  })

  it.each<[string, (bytes: Buffer) => Buffer, string]>([
    ['cut within them', (bytes) => bytes.subarray(0, 40), 'entry-format'],
    [
      'of no length',
      (bytes) => Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(4), bytes.subarray(8)]),
      'entry-format',
    ],
    ['longer than the entry', (bytes) => patched(bytes, 4, 0xff), 'entry-format'],
    ['without what follows', (bytes) => bytes.subarray(0, 8 + 64), 'entry-format'],
    [
      'followed by something else',
      (bytes) => Buffer.concat([bytes.subarray(0, 8 + 64), Buffer.from('{"kind":"tick"}')]),
      'entry-shape',
    ],
  ])('%s are refused by a code', (_name, spoil, code) => {
    expect(codeOf(spoil(encodeRecord(WITH_REPEATS)))).toBe(code)
  })

  it.each<[string, Partial<AlertsRecord>]>([
    ['without places, of a source that has some', { repeats: repeatsOf(['0'.repeat(32)], []) }],
    ['in an order that cannot be', { repeats_before: [3] }],
    ['in no order', { repeats_before: [] }],
  ])('%s are refused by a code', (_name, over) => {
    expect(codeOf(encodeRecord({ ...WITH_REPEATS, ...over }))).toBe('entry-shape')
  })

  it('with any byte changed either come back or are refused by a code', () => {
    const bytes = encodeRecord(WITH_REPEATS)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        expect(codeOf(patched(bytes, at, byte))).toMatch(/^(?:sound|entry-format|entry-json|entry-shape)$/)
      }),
      { numRuns: 1_000 },
    )
  })
})

function patched(bytes: Buffer, at: number, byte: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[at] = byte
  return changed
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
