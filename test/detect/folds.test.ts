import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counter } from '../../ingest/detect/counter.ts'
import type { Detector, Reading, TimedDetector, Verdict } from '../../ingest/detect/detector.ts'
import { cusum, pageHinkley } from '../../ingest/detect/drift.ts'
import { eventCount, stateChange } from '../../ingest/detect/events.ts'
import { forecast } from '../../ingest/detect/forecast.ts'
import { limits } from '../../ingest/detect/limits.ts'
import { mOfN } from '../../ingest/detect/m_of_n.ts'
import { rate } from '../../ingest/detect/rate.ts'
import { seasonal } from '../../ingest/detect/seasonal.ts'
import { stale } from '../../ingest/detect/stale.ts'
import { stuck } from '../../ingest/detect/stuck.ts'
import { MINUTE_MS, START_MS } from './readings.ts'

const delays = { on_delay_ms: 2 * MINUTE_MS, off_delay_ms: 3 * MINUTE_MS }
const longest_gap_ms = 60 * MINUTE_MS

/** The state's type is each detector's own affair. */
type Any = Detector<object> & Partial<TimedDetector<object>>
const DETECTORS = [
  limits({ high_high: 40, high: 20, low: -20, low_low: -40, deadband: 5, ...delays }),
  mOfN({ m: 2, n: 4, above: 15, clear_at: 0 }),
  rate({ rise_per_s: 0.3, fall_per_s: 0.3, least_gap_ms: 1_000, longest_gap_ms, ...delays }),
  stuck({ band: 3, after_ms: 5 * MINUTE_MS, least_readings: 3, longest_gap_ms }),
  stale({ gaps: 3, least_ms: MINUTE_MS }),
  cusum({ slack: 0.5, limit: 5, learn_readings: 20 }),
  pageHinkley({ slack: 0.2, limit: 10, learn_readings: 20 }),
  forecast({ high: 30, low: -30, horizon_ms: 30 * MINUTE_MS, memory_ms: 10 * MINUTE_MS, certainty: 3 }),
  counter({ most_per_s: 0.5, least_per_s: 0.01, wraps_at: 65_536, longest_gap_ms, ...delays }),
  seasonal({ deviations: 3, learn_weeks: 1, learn_rate: 0.2, ...delays }),
  stateChange({ alarm_states: [3, 4], ...delays }),
  eventCount({ limit: 20, window_ms: 10 * MINUTE_MS }),
] as unknown as Any[]

type Input = { tick: number } | Reading

const inputs = fc
  .array(
    fc.record({
      gap_ms: fc.oneof(
        fc.integer({ min: 1, max: 3 * MINUTE_MS }),
        fc.integer({ min: -5 * MINUTE_MS, max: 600 * MINUTE_MS }),
      ),
      value: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.double()),
      quality: fc.constantFrom('good', 'good', 'good', 'uncertain', 'bad', 'stale'),
      tick: fc.boolean(),
    }),
    { maxLength: 150 },
  )
  .map((steps): Input[] => {
    let at_ms = START_MS
    return steps.map(({ gap_ms, value, quality, tick }) => {
      if (tick) return { tick: (at_ms += Math.abs(gap_ms)) }
      return { at_ms: (at_ms += gap_ms), value, quality }
    })
  })

function run(detector: Any, all: readonly Input[], state: object): Verdict[] {
  return all.flatMap((input) => {
    if (!('tick' in input)) return [detector.step(state, input)]
    return detector.tick ? [detector.tick(state, input.tick)] : []
  })
}

const LIMITED = { numRuns: 60, interruptAfterTimeLimit: 20_000 }

describe.each(DETECTORS.map((detector) => [detector.name, detector] as const))('%s', (_, detector) => {
  it('goes on after a restart as if nothing had happened', () => {
    fc.assert(
      fc.property(inputs, fc.nat(150), (all, cut) => {
        const state = detector.start()
        const first = run(detector, all.slice(0, cut), state)
        const restored = detector.restore(JSON.parse(JSON.stringify(detector.save(state))))
        expect([...first, ...run(detector, all.slice(cut), restored)]).toEqual(
          run(detector, all, detector.start()),
        )
      }),
      LIMITED,
    )
  })

  it('raises and clears each condition in turn, says when an alert is active, and scores with numbers', () => {
    fc.assert(
      fc.property(inputs, (all) => {
        const active = new Set<string>()
        for (const { score, alert, transitions } of run(detector, all, detector.start())) {
          for (const { to, condition } of transitions) {
            expect(active.has(condition)).toBe(to === 'cleared')
            if (to === 'raised') active.add(condition)
            else active.delete(condition)
          }
          expect(alert).toBe(active.size > 0)
          expect(score).toBeGreaterThanOrEqual(0)
        }
      }),
      LIMITED,
    )
  })

  it('has a state of bounded size', () => {
    fc.assert(
      fc.property(inputs, (all) => {
        const state = detector.start()
        run(detector, all, state)
        expect(JSON.stringify(detector.save(state)).length).toBeLessThan(16_000)
      }),
      LIMITED,
    )
  })

  it('refuses the state of another detector', () => {
    expect(() => detector.restore({ detector: 'another', state: {} })).toThrow(TypeError)
    expect(() => detector.restore(null)).toThrow(TypeError)
  })
})

describe('a gap', () => {
  // Staleness is about gaps, and events that nobody sends are none.
  const affected = new Set(['stale', 'event-count'])
  it.each(
    DETECTORS.filter(({ name }) => !affected.has(name)).map((detector) => [detector.name, detector] as const),
  )('never clears an alert of %s, whatever its length and whatever bad readings are in it', (_, detector) => {
    fc.assert(
      fc.property(inputs, inputs, (all, gap) => {
        const state = detector.start()
        const before = run(detector, all, state).at(-1)?.alert ?? false
        const nothing = gap.map((input): Input => ('tick' in input ? input : { ...input, quality: 'bad' }))
        const during = run(detector, nothing, state)
        expect(during.flatMap(({ transitions }) => transitions).filter(({ to }) => to === 'cleared')).toEqual(
          [],
        )
        expect(!before || during.every(({ alert }) => alert)).toBe(true)
      }),
      LIMITED,
    )
  })
})

describe('a reading that comes late or twice', () => {
  // A device that sends late lives, and a late event is an event.
  const affected = new Set(['stale', 'event-count'])
  const inOrder = fc
    .array(
      fc.record({ value: fc.integer({ min: -50, max: 50 }), late_ms: fc.nat(600_000), twice: fc.boolean() }),
    )
    .map((steps) => steps.map((step, i) => ({ ...step, at_ms: START_MS + i * MINUTE_MS })))
  it.each(
    DETECTORS.filter(({ name }) => !affected.has(name)).map((detector) => [detector.name, detector] as const),
  )('changes nothing for %s', (_, detector) => {
    fc.assert(
      fc.property(inOrder, (steps) => {
        const [clean, disturbed] = [detector.start(), detector.start()]
        for (const { at_ms, value, late_ms, twice } of steps) {
          const reading: Reading = { at_ms, value, quality: 'good' }
          const expected = detector.step(clean, reading)
          expect(detector.step(disturbed, reading)).toEqual(expected)
          const disturbing: Reading = { ...reading, at_ms: at_ms - (twice ? 0 : late_ms), value: -value }
          expect(detector.step(disturbed, disturbing)).toMatchObject({
            alert: expected.alert,
            transitions: [],
          })
        }
      }),
      LIMITED,
    )
  })
})
