import { afterAll, beforeAll, expect, it } from 'vitest'
import { Tocsin, until } from '../installation/processes.ts'

const CONFIG = `
history: {enabled: false}
scope: {labels: [site]}
sources: [{name: plant, kind: http, format: prometheus-json}]
rules: {grouping: [{name: by-machine, group_by: [equipment]}], reopen_within_ms: 0, flapping: {interval_ms: 0}}
detectors:
  - {name: hot, match: ['metric="temperature"'], detector: limits, options: {high: 80, deadband: 2}, severity: high}
`
const MACHINES = 30
const KILLS = 2

let tocsin: Tocsin
beforeAll(async () => {
  tocsin = await Tocsin.start({ config: CONFIG })
})
afterAll(() => tocsin.remove())

let now_ms = Date.now() - 600_000

/** Whether a machine is hot in a round. */
const isHot = (machine: number, round: number): boolean => (machine + round) % 3 === 0

/** One reading of every machine, a second after the ones before; what is not answered is sent again, as senders do. */
async function send(round: number): Promise<void> {
  now_ms += 1_000
  const samples = Array.from({ length: MACHINES }, (_, machine) => ({
    timestamp: new Date(now_ms).toISOString(),
    value: String(isHot(machine, round) ? 85 : 60),
    name: 'temperature',
    labels: { site: `site-${machine % 7}`, equipment: `acme/m${machine}`, unit: '°C' },
  }))
  await until('the readings are taken', async () => {
    const answer = await tocsin.post('/api/v1/sources/plant', samples)
    return answer.status < 300
  })
}

it('tells each alarm once and its end once, however often the process is killed', async () => {
  let raised = 0
  for (let round = 0; round < 3 * KILLS; round++) {
    await send(round)
    for (let machine = 0; machine < MACHINES; machine++) if (isHot(machine, round)) raised++
    if (round % 3 === 2) {
      await tocsin.kill9()
      tocsin.launch()
    }
  }
  await send(3 * KILLS)
  for (let machine = 0; machine < MACHINES; machine++) if (isHot(machine, 3 * KILLS)) raised++
  const hot = Array.from({ length: MACHINES }, (_, machine) => machine).filter((machine) =>
    isHot(machine, 3 * KILLS),
  )
  const incidents = await until('every alarm has its incident', async () => {
    const all = await tocsin.incidents()
    return all.length >= raised && all.filter(({ state }) => state === 'open').length <= hot.length
      ? all
      : null
  })
  expect(incidents).toHaveLength(raised)
  const open = incidents.filter(({ state }) => state === 'open').map(({ group }) => group['equipment'])
  expect(open.sort()).toEqual(hot.map((machine) => `acme/m${machine}`).sort())
  expect(incidents.every(({ members_total }) => members_total === 1)).toBe(true)
})
