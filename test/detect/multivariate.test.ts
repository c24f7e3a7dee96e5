import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { multivariate, type Row } from '../../ingest/detect/multivariate.ts'
import { MINUTE_MS, START_MS, told, uniform, watch } from './readings.ts'

const COLUMNS = 6
const BEGIN = 700

/** A machine of six sensors on two loads, in units from millionths to millions. */
function machine(
  seed: number,
  rows: number,
  change: (values: number[], i: number) => void = () => {},
): Row[] {
  const next = uniform(seed)
  const noise = (): number => next() + next() + next() - 1.5
  let [load, heat] = [0, 0]
  return Array.from({ length: rows }, (_, i) => {
    load = 0.8 * load + noise()
    heat = 0.9 * heat + noise()
    const values = [
      50 + 10 * load + noise(),
      1e6 * (3 - load + 0.2 * noise()),
      1e-6 * (load + heat + 0.2 * noise()),
      heat + 0.3 * noise(),
      7,
      load - 2 * heat + 0.3 * noise(),
    ]
    change(values, i)
    return { at_ms: START_MS + i * MINUTE_MS, values }
  })
}

const detector = multivariate(COLUMNS)
const raised = (rows: Row[]): number[] =>
  watch(detector, rows).flatMap(({ transitions }, i) =>
    transitions.some(({ to }) => to === 'raised') ? [i] : [],
  )

describe('the detector of a group', () => {
  it.each<[string, number, (values: number[], i: number) => void]>([
    ['a sensor that no longer follows the load', 30, (v, i) => i >= BEGIN && (v[1] = 3e6)],
    ['an offset within the usual range of one sensor', 30, (v, i) => i >= BEGIN && (v[0] = (v[0] ?? 0) + 6)],
    ['a constant that changes', 10, (v, i) => i >= BEGIN && (v[4] = 7.5)],
    ['a slow drift', 200, (v, i) => i >= BEGIN && (v[3] = (v[3] ?? 0) + (i - BEGIN) / 40)],
  ])('tells %s in time, and keeps telling', (_, within, change) => {
    const verdicts = watch(detector, machine(1, 1_300, change))
    expect(verdicts.slice(200, BEGIN).filter(({ alert }) => alert)).toEqual([])
    const first = verdicts.findIndex(({ alert }, i) => alert && i >= BEGIN)
    expect(first).toBeGreaterThanOrEqual(BEGIN)
    expect(first).toBeLessThan(BEGIN + within)
    expect(verdicts.at(-1)?.alert).toBe(true)
  })

  it('is quiet when nothing is wrong: less than one alert in 3,000 rows', () => {
    const seeds = Array.from({ length: 12 }, (_, i) => i + 1)
    const alerts = seeds.flatMap((seed) => raised(machine(seed, 3_000)))
    expect(alerts.length).toBeLessThan(seeds.length)
  })

  it('clears when the machine is as before', () => {
    const verdicts = watch(
      detector,
      machine(4, 1_300, (v, i) => i >= BEGIN && i < BEGIN + 100 && (v[1] = 3e6)),
    )
    expect(told(verdicts).filter((text) => text.endsWith('cleared'))).toHaveLength(1)
    expect(verdicts.at(-1)?.alert).toBe(false)
  })

  it('takes what lasts for the new usual in the end', () => {
    const verdicts = watch(
      detector,
      machine(4, 7_000, (v, i) => i >= BEGIN && (v[1] = 3e6)),
    )
    expect(verdicts[BEGIN + 4_000]?.alert).toBe(true)
    expect(verdicts.at(-1)?.alert).toBe(false)
  })

  it('does not take missing values for a fault', () => {
    const next = uniform(8)
    for (const seed of [5, 6, 7]) {
      const rows = machine(seed, 2_000, (v, i) => {
        for (const k of v.keys()) if (i > BEGIN && next() < 0.2) v[k] = Number.NaN
      })
      expect(raised(rows).length).toBeLessThanOrEqual(1)
    }
  })

  it('comes to the same in other units', () => {
    const change = (v: number[], i: number): void => void (i >= BEGIN && (v[1] = 3e6))
    const scaled = (v: number[], i: number): void => {
      change(v, i)
      for (const k of v.keys()) v[k] = (v[k] ?? 0) * 2 ** (10 * k - 20)
    }
    expect(raised(machine(1, 1_000, scaled))).toEqual(raised(machine(1, 1_000, change)))
  })
})

describe('its state', () => {
  it('goes on after a restart as if nothing had happened', () => {
    const rows = machine(6, 1_000, (v, i) => {
      if (i % 9 === 0) v[2] = Number.NaN
      if (i >= BEGIN) v[1] = 3e6
    })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), (cut) => {
        const state = detector.start()
        const first = watch(detector, rows.slice(0, cut), state)
        const saved = JSON.parse(JSON.stringify(detector.save(state)))
        expect([...first, ...watch(detector, rows.slice(cut), detector.restore(saved))]).toEqual(
          watch(detector, rows),
        )
      }),
      { numRuns: 10, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('has one size, however long it runs', () => {
    const size = (rows: number): number => {
      const state = detector.start()
      watch(detector, machine(7, rows), state)
      return JSON.stringify(detector.save(state)).length
    }
    expect(size(4_000)).toBeLessThan(size(1_000) * 1.1)
  })

  it('of another group is refused', () => {
    expect(() => multivariate(3).restore(detector.save(detector.start()))).toThrow(TypeError)
    expect(() => detector.restore(null)).toThrow(TypeError)
  })
})
