import { describe, expect, it } from 'vitest'
import { Partition, rulesOf, samplesOf as samples, SECOND_MS } from './fold_world.ts'
import { START_MS } from './readings.ts'

const at = (second: number): number => START_MS + second * SECOND_MS
const hot = { metric: 'temperature' }
const limit = {
  match: ['metric="temperature"'],
  detector: 'limits',
  options: { high: 80, high_high: 90, deadband: 2 },
}

describe('a limit', () => {
  it('is told when it is reached and when it is left, with what an operator needs', () => {
    const partition = new Partition(
      rulesOf([
        {
          ...limit,
          annotations: { cause: 'the pump stands', corrective_action: 'open the valve' },
          time_to_respond_ms: 300_000,
        },
      ]),
    )
    partition.readings([{ ...hot, value: 70, at_ms: at(1) }])
    partition.readings([{ ...hot, value: 81.5, at_ms: at(2) }])
    partition.readings([{ ...hot, value: 79, at_ms: at(3) }])
    partition.readings([{ ...hot, value: 77, at_ms: at(4) }])
    expect(partition.alerts()).toEqual(['2 temperature high of m1 begins', '4 temperature high of m1 ends'])
    const [raised, ended] = partition.outcome.told.flatMap(({ told }) => told).map(({ alert }) => alert)
    expect(raised).toMatchObject({
      severity: 'high',
      entity: 'acme/hall/m1',
      starts_at_ms: at(2),
      labels: { metric: 'temperature', equipment: 'acme/hall/m1', detector: 'limits', condition: 'high' },
      annotations: {
        summary: 'temperature of acme/hall/m1 is 81.5 °C, above 80 °C',
        value: '81.5',
        limit: '80',
        unit: '°C',
        cause: 'the pump stands',
        corrective_action: 'open the valve',
        time_to_respond: '300 s',
      },
    })
    expect(ended).toMatchObject({ fingerprint: raised?.fingerprint, starts_at_ms: at(2), ends_at_ms: at(4) })
  })

  it('behind the limit is an alert of its own, and more severe', () => {
    const partition = new Partition(rulesOf([limit]))
    partition.readings([{ ...hot, value: 95, at_ms: at(1) }])
    const told = partition.outcome.told
      .flatMap((one) => one.told)
      .map(({ alert }) => `${alert.labels['condition']} ${alert.severity}`)
    expect(told.sort()).toEqual(['high high', 'high-high critical'])
  })

  it('is told when its delay runs out, whether something is read or not', () => {
    const delayed = { ...limit, options: { high: 80, on_delay_ms: 30 * SECOND_MS } }
    const partition = new Partition(rulesOf([delayed]))
    partition.readings([{ ...hot, value: 85, at_ms: at(1) }])
    partition.tick(at(20)).tick(at(31)).tick(at(60))
    expect(partition.alerts()).toEqual(['31 temperature high of m1 begins'])
  })

  it('has its delay measured by the clock of the device, however wrong that is', () => {
    const delayed = { ...limit, options: { high: 80, on_delay_ms: 30 * SECOND_MS } }
    const partition = new Partition(rulesOf([delayed]))
    partition.readings([{ ...hot, value: 85, at_ms: at(-7_200) }], at(1))
    partition.tick(at(20)).tick(at(32))
    expect(partition.alerts()).toEqual(['32 temperature high of m1 begins'])
  })

  it('stays reached while nothing is read, or nothing that is vouched for', () => {
    const partition = new Partition(rulesOf([limit]))
    partition.readings([{ ...hot, value: 85, at_ms: at(1) }])
    partition.readings([{ ...hot, value: 0, at_ms: at(2), quality: 'bad' }])
    partition.readings([{ ...hot, value: 20, at_ms: at(3), quality: 'stale' }])
    partition.tick(at(86_400))
    expect(partition.alerts().filter((line) => line.includes('high'))).toEqual([
      '1 temperature high of m1 begins',
    ])
  })
})

describe('readings', () => {
  it('that come late or twice are dropped, and counted', () => {
    const partition = new Partition(rulesOf([limit]))
    const batch = Array.from({ length: 30 }, (_, i) => ({ ...hot, value: i === 20 ? 85 : 60, at_ms: at(i) }))
    partition
      .readings(batch)
      .readings(batch)
      .readings([{ ...hot, value: 99, at_ms: at(5) }], at(31))
    expect(partition.alerts()).toEqual(['29 temperature high of m1 begins', '29 temperature high of m1 ends'])
    expect(partition.outcome.counts).toMatchObject({ readings: 61, late: 31 })
  })

  it('of a clock that was set back are believed after a while', () => {
    const partition = new Partition(rulesOf([limit]))
    partition.readings([{ ...hot, value: 60, at_ms: at(3_600) }], at(1))
    for (let i = 0; i < 20; i++)
      partition.readings([{ ...hot, value: 85, at_ms: at(10 * i) }], at(10 * i + 2))
    for (let i = 20; i < 40; i++)
      partition.readings([{ ...hot, value: 85, at_ms: at(10 * i) }], at(10 * i + 2))
    expect(partition.alerts()).toHaveLength(1)
  })

  it('of the past raise nothing', () => {
    const partition = new Partition(rulesOf([limit]))
    partition.readings([{ ...hot, value: 60, at_ms: at(100) }])
    partition.add({ ...samples([{ ...hot, value: 99, at_ms: at(50) }]), historical: true }, at(101))
    partition.add({ ...samples([{ ...hot, value: 99, at_ms: at(101) }]), historical: true }, at(102))
    expect(partition.alerts()).toEqual([])
  })
})

describe('rules', () => {
  it('that come later end what is not watched any more, and leave alone what is', () => {
    const other = { match: ['metric="temperature"'], detector: 'limits', options: { high: 100 } }
    const partition = new Partition(rulesOf([limit, { match: ['metric="pressure"'], options: { high: 5 } }]))
    partition.readings([
      { ...hot, value: 85, at_ms: at(1) },
      { metric: 'pressure', value: 6, at_ms: at(1) },
    ])
    partition.add(
      {
        kind: 'detect-rules',
        rules: rulesOf([other, { match: ['metric="pressure"'], options: { high: 5 } }]),
      },
      at(2),
    )
    partition.readings([
      { ...hot, value: 85, at_ms: at(3) },
      { metric: 'pressure', value: 6, at_ms: at(3) },
    ])
    expect([...partition.alerts()].sort()).toEqual([
      '1 pressure high of m1 begins',
      '1 temperature high of m1 begins',
      '2 temperature high of m1 ends',
    ])
  })

  it('of the same detector override earlier ones; `none` takes all back; novelty where none matches', () => {
    const partition = new Partition(
      rulesOf([
        { detector: 'limits', options: { high: 10 } },
        { match: ['metric="b"'], detector: 'limits', options: { high: 20 } },
        { match: ['metric="c"'], detector: 'none' },
      ]),
    )
    partition.readings(['a', 'b', 'c'].map((metric) => ({ metric, value: 15, at_ms: at(1) })))
    expect(partition.alerts()).toEqual(['1 a high of m1 begins'])
    const plain = new Partition(rulesOf([]))
    plain.readings([{ ...hot, value: 1, at_ms: at(1) }])
    const [watched] = plain.state.series.values()
    expect(watched?.watches.map(({ spec }) => spec.detector.name)).toEqual(['novelty'])
  })

  it('that this program does not know are left out, and named', () => {
    const partition = new Partition(
      rulesOf([{ detector: 'oracle', name: 'x' }, { detector: 'rate', name: 'y' }, limit]),
    )
    expect(partition.state.plan.faults.map((fault) => fault.slice(0, 2))).toEqual(['x:', 'y:'])
    partition.readings([{ ...hot, value: 85, at_ms: at(1) }])
    expect(partition.alerts()).toHaveLength(1)
  })
})
