import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Tocsin, until } from '../installation/processes.ts'

const CONFIG = `
history: {enabled: false}
partitions: 2
sources: [{name: plant, kind: http, format: prometheus-json}]
detectors:
  - name: hot
    match: ['metric="temperature"']
    detector: limits
    options: {high: 80, deadband: 2}
    impact: major
    time_to_respond_ms: 120000
    alertname: BoilerHot
    annotations: {cause: the pump stands}
  - {name: level, match: ['metric="level"'], detector: cusum, options: {learn_readings: 20}}
`

let tocsin: Tocsin
beforeAll(async () => {
  tocsin = await Tocsin.start({ config: CONFIG })
})
afterAll(() => tocsin.remove())

const began_ms = Date.now() - 3_600_000

/** Readings of one metric, ten seconds apart from the given one on. */
async function send(name: string, values: readonly number[], from = 0): Promise<void> {
  const samples = values.map((value, i) => ({
    timestamp: new Date(began_ms + 10_000 * (from + i)).toISOString(),
    value: String(value),
    name,
    labels: { equipment: 'acme/boiler', unit: '°C' },
  }))
  const answer = await tocsin.post('/api/v1/sources/plant', samples)
  expect(answer.status).toBeLessThan(300)
}

interface Listed {
  readonly total: number
  readonly series: readonly {
    readonly labels: Record<string, string>
    readonly value: number
    readonly detectors: unknown
  }[]
}

const list = (query: string): Promise<Listed> => tocsin.get<Listed>(`/api/v1/series?${query}`)

describe('the API of series', () => {
  it('lists series with their last value and what holds, and keeps the plot of an alert', async () => {
    await send('temperature', [...Array.from({ length: 300 }, (_, i) => 60 + (i % 7)), 81, 84])
    const incident = await until('there is an incident', async () => (await tocsin.incidents())[0] ?? null)
    const [member] = incident.members
    expect(incident).toMatchObject({ severity: 'high', members_total: 1 })
    const { series, total } = await until('the alert is seen', async () => {
      const found = await list('alerting=true')
      return found.total > 0 ? found : null
    })
    expect({ total, series }).toMatchObject({
      total: 1,
      series: [
        {
          labels: { metric: 'temperature' },
          device: 'acme/boiler',
          value: 84,
          detectors: [{ rule: 'hot', detector: 'limits', holds: [{ condition: 'high', told: true }] }],
        },
      ],
    })
    await send('temperature', [70], 302)
    const evidence = await until('the plot is complete', async () => {
      const found = await tocsin.get<{
        cleared_at_ms: number | null
        points: readonly (readonly number[])[]
      }>(`/api/v1/series/evidence?fingerprint=${member?.fingerprint}`)
      return found.cleared_at_ms === null ? null : found
    })
    expect(evidence).toMatchObject({
      alertname: 'BoilerHot',
      condition: 'high',
      limit: 80,
      value: 81,
      unit: '°C',
    })
    // What was before, in stretches; then each reading.
    expect(evidence.points.length).toBeGreaterThan(8)
    expect(evidence.points[0]).toMatchObject({ 2: 60, 3: 66 })
    expect(evidence.points.slice(-2).map(([, , low]) => low)).toEqual([84, 70])
  })

  it('takes what is now as the new usual', async () => {
    await send('level', [
      ...Array.from({ length: 30 }, (_, i) => 10 + (i % 3)),
      ...Array.from({ length: 20 }, () => 30),
    ])
    await until(
      'the drift is told',
      async () => (await list('match=metric="level"&alerting=true')).total === 1,
    )
    const answer = await tocsin.post('/api/v1/series/accept', { matchers: ['metric="level"'] })
    expect(answer.status).toBe(200)
    await until('it is over', async () => (await list('match=metric="level"&alerting=true')).total === 0)
    await send(
      'level',
      Array.from({ length: 40 }, (_, i) => 30 + (i % 3)),
      60,
    )
    await until('it is read', async () => (await list('match=metric="level"')).series[0]?.value === 30)
    expect((await list('match=metric="level"&alerting=true')).total).toBe(0)
  })

  it('says what is wrong with a question', async () => {
    await expect(list('match=a%3D~%22(%22')).rejects.toThrow(/match\.0/)
    await expect(tocsin.get(`/api/v1/series/evidence?fingerprint=${'0'.repeat(32)}`)).rejects.toThrow(
      /evidence-unknown/,
    )
  })
})
