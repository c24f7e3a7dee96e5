import { describe, expect, it } from 'vitest'
import { parseMatcher } from '../../schemas/matcher_syntax.ts'
import { Partition, rulesOf, samplesOf, SECOND_MS, type Told } from './fold_world.ts'
import { START_MS } from './readings.ts'

const at = (second: number): number => START_MS + second * SECOND_MS
const silence = { match: ['equipment=~".*"'], detector: 'stale', options: { gaps: 3, least_ms: 60_000 } }
const METRICS = Array.from({ length: 40 }, (_, i) => `m${i}`)

const all = (second: number, more: Partial<Told> = {}): Told[] =>
  METRICS.map((metric) => ({ metric, value: 1, at_ms: at(second), ...more }))

/** Every ten seconds, as the owner's ticks would come while nothing else does. */
function ticks(partition: Partition, from: number, to: number): void {
  for (let second = from; second <= to; second += 10) partition.tick(at(second))
}

describe('a device', () => {
  it('that says nothing any more is one alert, not one for each of its sensors', () => {
    const partition = new Partition(rulesOf([silence]))
    for (let second = 0; second <= 100; second += 10) partition.readings(all(second))
    ticks(partition, 110, 300)
    partition.readings(all(310))
    expect(partition.alerts()).toEqual(['170 device-silent of m1 begins', '310 device-silent of m1 ends'])
  })

  it('that goes on without one of its sensors tells which', () => {
    const partition = new Partition(rulesOf([silence]))
    for (let second = 0; second <= 400; second += 10)
      partition.readings(all(second).filter(({ metric }) => metric !== 'm7' || second <= 100 || second > 300))
    expect(partition.alerts()).toEqual(['180 m7 missing of m1 begins', '310 m7 missing of m1 ends'])
  })

  it('that vouches for nothing is one alert, and ends nothing', () => {
    const partition = new Partition(
      rulesOf([silence, { match: ['metric="m3"'], detector: 'limits', options: { high: 5 } }]),
    )
    for (let second = 0; second <= 100; second += 10) partition.readings(all(second, { value: 9 }))
    for (let second = 110; second <= 300; second += 10) partition.readings(all(second, { quality: 'bad' }))
    expect(partition.alerts()).toEqual(['0 m3 high of m1 begins', '170 device-bad-quality of m1 begins'])
  })

  it('whose source says that it is gone is one alert, without any rule, unless it is only starting again', () => {
    const partition = new Partition(rulesOf([]))
    partition
      .readings(all(0))
      .readings(all(10, { quality: 'stale' }))
      .readings(all(20))
    ticks(partition, 30, 120)
    partition.readings(all(130, { quality: 'stale' }))
    ticks(partition, 140, 300)
    partition.readings(all(310))
    expect(partition.alerts()).toEqual(['190 device-gone of m1 begins', '310 device-gone of m1 ends'])
  })

  it('of which nothing was heard while nobody kept the clock is not silent for that', () => {
    const partition = new Partition(rulesOf([silence]))
    for (let second = 0; second <= 100; second += 10) partition.readings(all(second))
    // Tocsin was down for an hour; another machine is heard first.
    partition.readings([{ metric: 'm0', machine: 'other', value: 1, at_ms: at(3_700) }])
    ticks(partition, 3_710, 3_750)
    partition.readings(all(3_755))
    ticks(partition, 3_760, 3_800)
    expect(partition.alerts()).toEqual([])
    ticks(partition, 3_810, 4_000)
    // Of the other one it is not known how often it talks.
    expect(partition.alerts()).toEqual(['3820 device-silent of m1 begins'])
  })

  it('that sends a minute of readings at a time has its usual gap learned', () => {
    const partition = new Partition(rulesOf([silence]))
    for (let minute = 0; minute < 20; minute++)
      partition.readings(
        Array.from({ length: 60 }, (_, i) => ({ metric: 'm0', value: 1, at_ms: at(60 * minute + i) })),
      )
    for (let second = 1_210; second <= 1_350; second += 10) partition.tick(at(second))
    expect(partition.alerts()).toEqual([])
    partition.tick(at(1_390))
    expect(partition.alerts()).toEqual(['1390 device-silent of m1 begins'])
  })
})

describe('what is heard no more', () => {
  const DAY_S = 86_400
  /** Another machine is read all the time. */
  function played(dies: boolean): Partition {
    const partition = new Partition(rulesOf([]))
    partition.readings(all(0)).snapshot()
    for (let second = 80; second < 15 * DAY_S; second += 80) {
      partition.readings([{ metric: 'm0', machine: 'other', value: 1, at_ms: at(second) }])
      if (dies && second === 14.5 * DAY_S) partition.crash()
    }
    return partition
  }

  it.each([false, true])('is forgotten after two weeks, and stored no more (its owner died: %s)', (dies) => {
    const partition = played(dies)
    expect(partition.state.series.size).toBe(1)
    partition.snapshot()
    expect([...partition.stored().keys()].filter((key) => key.startsWith('i/'))).toHaveLength(1)
    partition.readings(all(15 * DAY_S)).snapshot()
    expect(partition.state.series.size).toBe(1 + METRICS.length)
    expect([...partition.stored().keys()].filter((key) => key.startsWith('i/'))).toHaveLength(2)
    expect(partition.alerts()).toEqual([])
  })

  it('is not told any more once an operator has accepted it', () => {
    const partition = new Partition(rulesOf([silence]))
    for (let second = 0; second <= 100; second += 10) partition.readings(all(second))
    ticks(partition, 110, 200)
    partition.add(
      { kind: 'accept', id: 'a', actor: 'me', match: [parseMatcher('equipment="acme/hall/m1"')] },
      at(210),
    )
    ticks(partition, 220, 500)
    expect(partition.alerts()).toEqual(['170 device-silent of m1 begins', '210 device-silent of m1 ends'])
  })
})

describe('a machine that stands', () => {
  const stop = {
    name: 'the machine stands',
    match: [parseMatcher('metric=~"m.*"')],
    weekly: null,
    state: { match: [parseMatcher('metric="execution"')], values: [0] },
    settle_ms: 30_000,
  }
  const state = (value: number, second: number): Told => ({ metric: 'execution', value, at_ms: at(second) })

  it('raises nothing until it runs again and has settled, and then what still holds', () => {
    const partition = new Partition(
      rulesOf([{ match: ['metric=~"m.*"'], detector: 'limits', options: { low: 5 } }], [stop]),
    )
    partition.readings([state(1, 0), ...all(0, { value: 9 })])
    partition.readings([state(0, 10)]).readings(all(20, { value: 0 }))
    partition.readings([state(1, 60)]).readings(all(70, { value: 0 }))
    expect(partition.alerts()).toEqual([])
    expect(partition.outcome.counts.suppressed).toBe(METRICS.length)
    partition.readings(all(95, { value: 9 }).map((one) => (one.metric === 'm5' ? { ...one, value: 0 } : one)))
    expect(partition.alerts()).toEqual(['95 m5 low of m1 begins'])
  })

  it('teaches nothing meanwhile', () => {
    const learning = { match: ['metric="m0"'], detector: 'cusum', options: { learn_readings: 20 } }
    const partition = new Partition(rulesOf([learning], [stop]))
    partition.readings([state(0, 0)])
    for (let second = 1; second <= 100; second++)
      partition.readings([{ metric: 'm0', value: 0, at_ms: at(second) }])
    partition.readings([state(1, 110)])
    for (let second = 150; second <= 300; second++)
      partition.readings([{ metric: 'm0', value: 50 + (second % 3), at_ms: at(second) }])
    expect(partition.alerts()).toEqual([])
  })
})

describe('an incident of the machine', () => {
  const rest = (resting: boolean) => ({
    kind: 'rest' as const,
    id: 'inc',
    device: '7:defaultacme/hall/m1',
    resting,
  })
  /** Two days of what is usual, two hours of a fault, a day of what is usual, and the same fault again. */
  function played(paused: boolean): Partition {
    const partition = new Partition(rulesOf([]))
    let minute = 0
    const read = (minutes: number, value: number) => {
      for (let i = 0; i < minutes; i++, minute++)
        partition.readings([
          { metric: 'x', value: value + (value === 20 ? minute % 7 : 0), at_ms: at(60 * minute) },
        ])
    }
    read(2_880, 20)
    if (paused) partition.add(rest(true), at(60 * minute))
    read(120, 60)
    if (paused) partition.add(rest(false), at(60 * minute))
    read(1_500, 20)
    read(120, 60)
    return partition
  }

  it('teaches nothing: the same fault is told again', () => {
    expect(played(false).alerts()).toHaveLength(1)
    // At once, again when an hour is over and it goes on, and when it comes back.
    const times = played(true)
      .alerts()
      .map((line) => Number(line.split(' ')[0]) / 60)
    expect(times).toEqual([2_880, 2_940, 4_500])
  })
})

describe('sensors of a machine together', () => {
  const together = {
    name: 'drive',
    match: ['metric=~"m[0-5]"'],
    detector: 'multivariate',
    severity: 'high' as const,
  }
  const wave = (i: number, second: number) =>
    10 * (i + 1) + Math.sin(second / 17) * (i + 1) + (((second * (i + 3) * 7919) % 101) - 50) / 200

  function played(
    strange: (i: number, value: number) => number,
    sent_alone: boolean,
    dies = false,
  ): Partition {
    const partition = new Partition(rulesOf([together]))
    for (let second = 0; second < 3_000; second += 2) {
      const readings = METRICS.slice(0, 6).map((metric, i) => {
        const value = wave(i, second)
        return { metric, value: second < 2_400 ? value : strange(i, value), at_ms: at(second) + i }
      })
      if (sent_alone) for (const one of readings) partition.readings([one], at(second))
      else partition.readings(readings, at(second))
      if (dies && second % 500 === 0) partition.snapshot()
      if (dies && second % 700 === 0) partition.crash()
    }
    return partition
  }

  it.each([true, false])(
    'tell what no sensor alone shows, and which are furthest (each sent alone: %s)',
    (sent_alone) => {
      const partition = played((i, value) => (i === 2 ? 60 - value : value), sent_alone)
      const [first, ...more] = partition.alerts().filter((line) => line.includes('drive'))
      expect(first).toMatch(/^24\d\d drive of m1 begins$/)
      expect(more).toEqual([])
      const alert = partition.outcome.told
        .flatMap((one) => one.told)
        .find((one) => one.alert.labels['alertname'] === 'drive')
      expect(alert?.alert.annotations['summary']).toMatch(
        /^6 series of acme\/hall\/m1 do not fit together as usual; furthest: m\d/,
      )
    },
  )

  it('tell the same where their owner dies', () => {
    const strange = (i: number, value: number) => (i === 2 ? 60 - value : value)
    expect(played(strange, false, true).alerts()).toEqual(played(strange, false).alerts())
  })

  it('tell nothing while all is as usual', () => {
    expect(
      played((_, value) => value, false)
        .alerts()
        .filter((line) => line.includes('drive')),
    ).toEqual([])
  })
})

describe('oddities of plants', () => {
  const novelty = (
    values: readonly number[],
    quality: (i: number) => Told['quality'] = () => 'good',
  ): Partition => {
    const partition = new Partition(rulesOf([]))
    for (const [i, value] of values.entries())
      partition.readings([{ metric: 'x', value, at_ms: at(60 * i), quality: quality(i) ?? 'good' }])
    return partition
  }
  const steady = (count: number): number[] => Array.from({ length: count }, (_, i) => 20 + (i % 7))

  it('a constant series says nothing', () => {
    expect(novelty(Array.from({ length: 3_000 }, () => 42)).alerts()).toEqual([])
  })

  it('values that are no numbers, or have run over, are not judged, nor learned', () => {
    const values = steady(3_000).map((value, i) => (i % 100 === 50 ? (i % 200 === 50 ? 1.7e308 : 0) : value))
    expect(novelty(values, (i) => (i % 200 === 150 ? 'bad' : 'good')).alerts()).toEqual([])
  })

  it('a new unit is a new series, which is learned anew', () => {
    const partition = novelty(steady(3_000))
    for (let i = 0; i < 400; i++)
      partition.readings([
        { metric: 'x', value: 68 + 1.8 * (i % 7), at_ms: at(60 * (3_000 + i)), labels: { unit: '°F' } },
      ])
    expect(partition.alerts()).toEqual([])
  })

  it('a jump is told once, with what was usual, and its alert ends by itself', () => {
    const partition = novelty([...steady(3_000), ...Array.from({ length: 90 }, () => 90)])
    const told = partition.outcome.told.flatMap((one) => one.told).map(({ alert }) => alert)
    expect(partition.alerts()).toEqual(['180000 x novelty of m1 begins'])
    expect(told[0]?.ends_at_ms).toBe(at(180_000 + 3_600))
    expect(told[0]?.annotations['summary']).toMatch(
      /^x of acme\/hall\/m1 is 90 °C, as it has not been before \(usual: \S+ °C to \S+ °C\)$/,
    )
  })

  it('a back-fill raises nothing, whatever is in it, and does not disturb what is live', () => {
    const partition = novelty(steady(3_000))
    partition.add(
      samplesOf(
        [
          { metric: 'x', value: 5_000, at_ms: at(60) },
          { metric: 'y', value: 5_000, at_ms: at(60) },
        ],
        true,
      ),
      at(60 * 3_000),
    )
    partition.readings([{ metric: 'x', value: 21, at_ms: at(60 * 3_000) }])
    expect(partition.alerts()).toEqual([])
  })
})
