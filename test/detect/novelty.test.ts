import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../ingest/detect/detector.ts'
import { NOVELTY_BYTES, novelty, startNovelty } from '../../ingest/detect/novelty.ts'
import { MINUTE_MS, readings, START_MS, told, uniform, watch } from './readings.ts'

const STEP_MS = 5 * MINUTE_MS
const DAY = 288

/** A working day's curve with noise. */
function days(count: number, seed: number, change = (x: number, _i: number) => x): number[] {
  const next = uniform(seed)
  return Array.from({ length: count * DAY }, (_, i) =>
    change(50 + 10 * Math.sin((2 * Math.PI * i) / DAY) + 4 * (next() - 0.5), i),
  )
}

const raisedAt = (values: number[]): number[] =>
  watch(novelty, readings(values, { step_ms: STEP_MS })).flatMap(({ alert }, i) => (alert ? [i] : []))

describe('the default detector', () => {
  it.each([
    ['a spike', (x: number, i: number) => (i === 11 * DAY ? x + 60 : x)],
    ['a step within the usual range', (x: number, i: number) => (i >= 11 * DAY + 216 ? x + 12 : x)],
    ['a slow rise', (x: number, i: number) => (i >= 11 * DAY ? x + ((i - 11 * DAY) / DAY) * 20 : x)],
    ['a value that stands still', (x: number, i: number) => (i >= 11 * DAY + 72 ? 60 : x)],
    ['noise that grows', (x: number, i: number) => (i >= 11 * DAY ? 50 + (x - 50) * (i % 2 ? 1.8 : 0.4) : x)],
  ])('warns of %s within a day of its begin, and not in the days before', (_, change) => {
    const raised = raisedAt(days(13, 7, change))
    expect(raised.filter((i) => i >= 8 * DAY && i < 11 * DAY)).toEqual([])
    expect(raised.find((i) => i >= 11 * DAY && i < 12 * DAY)).toBeDefined()
  })

  it('says nothing about a constant, nor about a day like the others, the first included', () => {
    expect(raisedAt(Array.from({ length: 20 * DAY }, () => 7))).toEqual([])
    const day = days(1, 3)
    expect(raisedAt(Array.from({ length: 20 * DAY }, (_, i) => day[i % DAY] ?? 0))).toEqual([])
  })

  it('warns once of what goes on', () => {
    const raised = raisedAt(days(14, 5, (x, i) => (i >= 11 * DAY ? x + 100 : x)))
    expect(raised.filter((i) => i >= 8 * DAY)).toHaveLength(1)
  })

  it('warns again within a day only of what is worse', () => {
    const spikes = (second: number) =>
      raisedAt(
        days(13, 5, (x, i) => (i === 11 * DAY ? x + 100 : i === 11 * DAY + 200 ? x + second : x)),
      ).filter((i) => i >= 8 * DAY)
    expect(spikes(140)).toEqual([11 * DAY])
    expect(spikes(900)).toEqual([11 * DAY, 11 * DAY + 200])
  })

  it('finds the same whatever the unit is', () => {
    const values = days(12, 9, (x, i) => (i === 11 * DAY ? x - 40 : x))
    const found = raisedAt(values)
    expect(found.at(-1)).toBe(11 * DAY)
    expect(raisedAt(values.map((x) => x * 1024))).toEqual(found)
    expect(raisedAt(values.map((x) => 4 - x / 2 ** 20))).toEqual(found)
    expect(raisedAt(values.map((x) => x + 2 ** 40))).toEqual(found)
  })

  it('neither judges nor learns what is no reading of the process', () => {
    const good = readings(days(11, 2), { step_ms: STEP_MS })
    const with_bad = good.flatMap((reading, i): Reading[] => [
      reading,
      ...(i % 7 === 0 ? [{ ...reading, value: 1e9 }] : []),
      ...(i % 11 === 0 ? [{ ...reading, at_ms: reading.at_ms - 3 * STEP_MS, value: -1e9 }] : []),
      { at_ms: reading.at_ms + 1, value: Number.NaN, quality: 'good' },
      { at_ms: reading.at_ms + 1, value: Number.POSITIVE_INFINITY, quality: 'good' },
      { at_ms: reading.at_ms + 1, value: 1e9, quality: 'bad' },
      { at_ms: reading.at_ms + 1, value: 1e9, quality: 'stale' },
    ])
    expect(told(watch(novelty, with_bad))).toEqual(told(watch(novelty, good)))
  })

  it('believes a clock that was set back', () => {
    const state = novelty.start()
    watch(novelty, readings(days(11, 2), { step_ms: STEP_MS }), state)
    const from_ms = START_MS - 30 * DAY * STEP_MS
    const later = watch(
      novelty,
      readings(
        days(11, 3, (x, i) => (i === 3_000 ? x + 80 : x)),
        { step_ms: STEP_MS, from_ms },
      ),
      state,
    )
    expect(later[3_000]?.alert).toBe(true)
  })
})

const anyReadings = fc.array(
  fc.record({
    gap_ms: fc.integer({ min: -3 * MINUTE_MS, max: 90 * MINUTE_MS }),
    value: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.double()),
    quality: fc.constantFrom('good', 'good', 'good', 'uncertain', 'bad', 'stale'),
  }),
  { maxLength: 400, minLength: 200 },
)

function timed(steps: { gap_ms: number; value: number; quality: Reading['quality'] }[]): Reading[] {
  let at_ms = START_MS
  return steps.map(({ gap_ms, value, quality }) => ({ at_ms: (at_ms += gap_ms), value, quality }))
}

describe('its state', () => {
  it('goes on after a restart as if nothing had happened, and has one size', () => {
    fc.assert(
      fc.property(anyReadings, fc.integer({ min: 0, max: 400 }), (steps, cut) => {
        const all = timed(steps)
        const state = novelty.start()
        const first = watch(novelty, all.slice(0, cut), state)
        const saved = novelty.save(state)
        const rest = watch(novelty, all.slice(cut), novelty.restore(JSON.parse(JSON.stringify(saved))))
        expect([...first, ...rest]).toEqual(watch(novelty, all))
        expect(Buffer.from(saved as string, 'base64')).toHaveLength(NOVELTY_BYTES)
      }),
      { numRuns: 50, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('gives scores from 0 to 1 for whatever comes', () => {
    fc.assert(
      fc.property(anyReadings, (steps) => {
        for (const { score } of watch(novelty, timed(steps))) {
          expect(score).toBeGreaterThanOrEqual(0)
          expect(score).toBeLessThan(1)
        }
      }),
      { numRuns: 50, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('of one series is not touched by its neighbours in memory', () => {
    const [left, middle, right] = startNovelty(3)
    const mine = readings(days(3, 1), { step_ms: STEP_MS })
    const theirs = readings(days(3, 2), { step_ms: STEP_MS })
    if (!left || !middle || !right) throw new Error('three states were asked for')
    const together = mine.map((reading, i) => {
      novelty.step(left, theirs[i] ?? reading)
      const verdict = novelty.step(middle, reading)
      novelty.step(right, theirs[i] ?? reading)
      return verdict
    })
    expect(together).toEqual(watch(novelty, mine))
    expect(novelty.save(left)).toEqual(novelty.save(right))
  })

  it('is at most a kilobyte', () => {
    expect(NOVELTY_BYTES).toBeLessThanOrEqual(1_024)
  })

  it('of something else is refused', () => {
    expect(() => novelty.restore('AAAA')).toThrow(TypeError)
    expect(() => novelty.restore({ bytes: 1 })).toThrow(TypeError)
  })
})
