import fc from 'fast-check'
import { seriesHash } from '../../schemas/series_hash.ts'
import { describe, expect, it } from 'vitest'
import { CodecError } from '../../schemas/codec.ts'
import type { SamplesRecord } from '../../schemas/sample.ts'
import { decodeSamples, encodeSamples } from '../../schemas/samples_codec.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((found) => found.toWellFormed())
const labels = fc.dictionary(fc.oneof(text, fc.constant('__proto__'), fc.constant('constructor')), text, {
  maxKeys: 6,
  noNullPrototype: true,
})
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

const record: fc.Arbitrary<SamplesRecord> = fc
  .record({
    received_at_ms: fc.nat(),
    source: text,
    historical: fc.boolean(),
    series: fc.array(fc.record({ scope: text, labels }), { minLength: 1, maxLength: 8 }),
    readings: fc.array(fc.tuple(fc.nat(), finite, finite, fc.nat(3)), { minLength: 1, maxLength: 30 }),
  })
  .map(({ readings, ...rest }) => ({
    kind: 'samples',
    ...rest,
    of: Uint32Array.from(readings, ([of]) => of % rest.series.length),
    at_ms: Float64Array.from(readings, ([, at_ms]) => at_ms),
    value: Float64Array.from(readings, ([, , value]) => value),
    quality: Uint8Array.from(readings, ([, , , quality]) => quality),
  }))

const ONE: SamplesRecord = {
  kind: 'samples',
  received_at_ms: 1_764_072_000_000,
  source: 'plant',
  historical: false,
  series: [{ scope: 'default', labels: { metric: 'temperature', machine: 'press-1' } }],
  of: Uint32Array.of(0),
  at_ms: Float64Array.of(1_764_072_000_000.25),
  value: Float64Array.of(21.5),
  quality: Uint8Array.of(0),
}

/** The code of the CodecError; anything else that is thrown fails the test. */
function codeOf(entry: Uint8Array): string | null {
  try {
    decodeSamples(Buffer.from(entry))
    return null
  } catch (error) {
    if (error instanceof CodecError) return error.code
    throw error
  }
}

describe('an entry of samples', () => {
  it('is read as it was written, wherever its bytes lie', () => {
    fc.assert(
      fc.property(record, fc.nat(8), (given, shift) => {
        const bytes = encodeSamples(given)
        const moved = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift)
        const hashes = Int32Array.from(given.series, seriesHash)
        expect(decodeSamples(moved)).toEqual({ ...given, hashes })
        expect(({} as Record<string, unknown>)['metric']).toBeUndefined()
      }),
    )
  })

  it('may have more texts than two bytes can count', () => {
    const series = Array.from({ length: 40_000 }, (_, i) => ({ scope: `s${i}`, labels: { metric: `m${i}` } }))
    const decoded = decodeSamples(encodeSamples({ ...ONE, series, of: Uint32Array.of(39_999) }))
    expect(decoded.series).toEqual(series)
    expect(decoded.of).toEqual(Uint32Array.of(39_999))
  })

  it('takes 21 bytes for a further reading, and few for a series like another', () => {
    const many = (count: number) => ({
      ...ONE,
      of: new Uint32Array(count),
      at_ms: new Float64Array(count),
      value: new Float64Array(count),
      quality: new Uint8Array(count),
    })
    expect(encodeSamples(many(1_001)).length - encodeSamples(many(1)).length).toBe(21_000)
    const two = { ...ONE, series: [...ONE.series, ...ONE.series] }
    expect(encodeSamples(two).length - encodeSamples(ONE).length).toBeLessThan(16)
  })

  it('that was cut or changed is refused with a code, or is another sound entry', () => {
    const bytes = encodeSamples(ONE)
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(bytes.subarray(0, length))).toMatch(/^entry-/)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes)
        changed[at] = byte
        expect(codeOf(changed) ?? 'entry-sound').toMatch(/^entry-/)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['JSON', Buffer.from('{}'), 'entry-format'],
    ['a later format', Buffer.concat([Buffer.of(3), encodeSamples(ONE).subarray(1)]), 'entry-format'],
    ['a number that is none', encodeSamples({ ...ONE, value: Float64Array.of(Number.NaN) }), 'entry-shape'],
    ['a time that is none', encodeSamples({ ...ONE, at_ms: Float64Array.of(Infinity) }), 'entry-shape'],
    ['an unknown quality', encodeSamples({ ...ONE, quality: Uint8Array.of(4) }), 'entry-shape'],
    ['a series that is not there', encodeSamples({ ...ONE, of: Uint32Array.of(1) }), 'entry-shape'],
  ])('refuses %s', (_name, entry, code) => {
    expect(codeOf(entry)).toBe(code)
  })
})
