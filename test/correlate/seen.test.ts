import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SeenAlerts } from '../../correlate/seen.ts'
import type { AlertRow } from '../../correlate/state.ts'
import { fingerprintWords, RepeatsWriter } from '../../schemas/repeats.ts'

const TIMEOUT_MS = 300_000
const fingerprintOf = (n: number) => n.toString(16).padStart(8, '0').repeat(4)

function row(expires_at_ms: number): AlertRow {
  return {
    alert: { starts_at_ms: 0 },
    firing: true,
    dismissed: false,
    by_timeout: false,
    expires_at_ms,
  } as AlertRow
}

/** Of each alert from 0 on, whether a repeat that ends at `ends_at_ms` would change nothing. */
function covered(seen: SeenAlerts, alerts: number, ends_at_ms: number): boolean[] {
  const writer = new RepeatsWriter()
  const words = new Int32Array(4)
  for (let n = 0; n < alerts; n++) {
    fingerprintWords(fingerprintOf(n), words)
    writer.add(words, 0, 0, ends_at_ms, null)
  }
  const repeats = writer.done()
  return Array.from({ length: alerts }, (_, n) => seen.covers(repeats, n, 1, TIMEOUT_MS))
}

it('knows of the alerts that are there what they were last set to, however many came and went', () => {
  const steps = fc.array(
    fc.record({
      first: fc.nat(3_000),
      count: fc.integer({ min: 1, max: 2_500 }),
      expires_at_ms: fc.constantFrom(null, 100, 200),
    }),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(steps, (list) => {
      const seen = new SeenAlerts()
      const plain = new Map<number, number>()
      for (const { first, count, expires_at_ms } of list) {
        for (let n = first; n < first + count; n++) {
          if (expires_at_ms === null) {
            seen.delete(fingerprintOf(n))
            plain.delete(n)
          } else {
            seen.set(fingerprintOf(n), row(expires_at_ms))
            plain.set(n, expires_at_ms)
          }
        }
      }
      const expected = Array.from({ length: 6_000 }, (_, n) => (plain.get(n) ?? 0) >= 150)
      // As text, since comparing long lists takes most of the time.
      expect(covered(seen, 6_000, 150).join(' ')).toBe(expected.join(' '))
    }),
    { numRuns: 20 },
  )
})
