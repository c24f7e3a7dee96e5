import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alertmanagerFingerprint } from '../../ingest/fingerprint.ts'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { scopeOf } from '../../ingest/scope.ts'
import { alert as alertSchema, type Labels } from '../../schemas/alert.ts'
import { config } from '../../schemas/config.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { cases } from '../fixtures/cases.ts'
import { DEFAULTS } from './settings.ts'

interface FingerprintCase {
  readonly name: string
  readonly input: { readonly labels: Labels }
  readonly expected: { readonly fingerprint: string }
}

/** The definition in plain arithmetic: 64-bit FNV-1a over names and values in the order of their bytes. */
function plainFingerprint(labels: Labels): string {
  const parts = Object.entries(labels).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const separator = Buffer.of(0xff)
  const bytes = Buffer.concat(
    parts.flatMap(([name, value]) => [Buffer.from(name), separator, Buffer.from(value), separator]),
  )
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(16).padStart(16, '0')
}

describe("Alertmanager's fingerprint", () => {
  it.each((cases('fingerprint') as readonly FingerprintCase[]).map((one) => [one.name, one] as const))(
    '%s',
    (_name, { input, expected }) => {
      expect(alertmanagerFingerprint(input.labels)).toBe(expected.fingerprint)
    },
  )

  it('is what its definition says, for any label set', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'z', 'é', '中', '🙂', '\uffff', '\u{10000}', '0') })
    fc.assert(
      fc.property(fc.dictionary(text, text), (labels) => {
        expect(alertmanagerFingerprint(labels)).toBe(plainFingerprint(labels))
      }),
    )
  })
})

describe('scope', () => {
  it.each<[Labels, string]>([
    [{ cluster: 'c', site: 's', tenant: 't' }, 't/s/c'],
    [{ cluster: 'c', tenant: 't' }, 't/c'],
    [{ site: '' }, 'default'],
    [{}, 'default'],
  ])('%j is %s', (labels, scope) => {
    expect(scopeOf(labels, DEFAULTS.scope.labels)).toBe(scope)
  })
})

const raw = (labels: Labels) => ({
  ordinal: 0,
  labels,
  annotations: {},
  generator_url: '',
  starts_at_ms: 1,
  ends_at_ms: null,
})
const normalise = makeNormaliser(DEFAULTS)

describe('severity', () => {
  it.each([
    ['critical', 'critical'],
    ['CRITICAL', 'critical'],
    ['page', 'critical'],
    [' Fatal ', 'critical'],
    ['P1', 'critical'],
    ['emerg', 'critical'],
    ['紧急', 'critical'],
    ['Disaster', 'critical'],
    ['error', 'high'],
    ['major', 'high'],
    ['P2', 'high'],
    ['严重', 'high'],
    ['重要', 'high'],
    ['warning', 'medium'],
    ['WARN', 'medium'],
    ['Average', 'medium'],
    ['p3', 'medium'],
    ['警告', 'medium'],
    ['minor', 'low'],
    ['notice', 'low'],
    ['P4', 'low'],
    ['次要', 'low'],
    ['info', 'info'],
    ['none', 'info'],
    ['debug', 'info'],
    ['P5', 'info'],
    ['提示', 'info'],
    ['Not classified', 'info'],
    ['whatever', 'medium'],
  ])('%s is %s', (word, severity) => {
    expect(normalise(raw({ severity: word }), 'x')).toMatchObject({ severity })
  })

  it('is that of the first label that is present, of own words before the built-in ones, or the default', () => {
    const own = makeNormaliser(
      config.parse({
        severity: {
          labels: ['level', 'severity'],
          map: { Boom: 'critical', warning: 'low' },
          default: 'info',
        },
      }),
    )
    expect(own(raw({ severity: 'critical', level: 'boom' }), 'x')).toMatchObject({ severity: 'critical' })
    expect(own(raw({ severity: 'critical', level: 'warning' }), 'x')).toMatchObject({ severity: 'low' })
    expect(own(raw({ a: 'b' }), 'x')).toMatchObject({ severity: 'info' })
  })
})

describe('identity and entity', () => {
  it('depends on every label and the scope, on nothing else', () => {
    const one = normalise(raw({ a: 'b', instance: 'i', pod: 'p' }), 'x')
    expect(one).toMatchObject({ entity: 'p', scope: 'default', source: 'x', repeats: 1 })
    expect(
      normalise(
        { ...raw({ pod: 'p', a: 'b', instance: 'i' }), annotations: { x: 'y' }, starts_at_ms: 7 },
        'other',
      ),
    ).toMatchObject({ fingerprint: 'fingerprint' in one ? one.fingerprint : '' })
    const others = [
      { a: 'b', instance: 'i' },
      { a: 'c', instance: 'i', pod: 'p' },
      { a: 'b', instance: 'i', pod: 'p', site: 's' },
    ].map((labels) => normalise(raw(labels), 'x'))
    expect(
      new Set([one, ...others].map((alert) => ('fingerprint' in alert ? alert.fingerprint : ''))).size,
    ).toBe(4)
  })
})

describe('bounds', () => {
  it('what is taken is an alert of the schema, what is not has a reason', () => {
    const length = (bound: number) => fc.constantFrom(1, 2, bound, bound + 1)
    const labels = fc
      .array(
        fc.tuple(
          length(LIMITS.label_name_chars),
          length(LIMITS.label_value_chars),
          fc.constantFrom('a', '中', '"'),
        ),
        { minLength: 1, maxLength: 66 },
      )
      .map((list) =>
        Object.fromEntries(
          list.map(([name, value, sign], i) => [`${i}`.padEnd(name, 'n'), sign.repeat(value)]),
        ),
      )
    const time = fc.constantFrom(-1, 0, LIMITS.time_ms_max, LIMITS.time_ms_max + 1)
    const raws = fc.record({
      ordinal: fc.constant(0),
      labels,
      annotations: labels,
      generator_url: length(LIMITS.generator_url_chars).map((n) => 'u'.repeat(n)),
      starts_at_ms: time,
      ends_at_ms: fc.option(time),
    })
    fc.assert(
      fc.property(raws, (given) => {
        const result = normalise(given, 'x')
        const bytes = Buffer.byteLength(JSON.stringify(result))
        const sound = alertSchema.safeParse(result).success && bytes <= LIMITS.alert_bytes
        expect('reason' in result ? result.reason : `sound: ${sound}`).toMatch(
          /more than|outside of|sound: true/,
        )
      }),
      { numRuns: 300 },
    )
  })
})
