import { afterAll, describe, expect, it } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
import { Tocsin, until } from '../installation/processes.ts'
import { describeWith, kafka, redis, uniqueName } from '../services/index.ts'

const CONFIG = `
history: {enabled: false}
scope: {labels: [site]}
partitions: 4
sources: [{name: plant, kind: http, format: prometheus-json}]
rules: {grouping: [{name: by-machine, group_by: [equipment]}], reopen_within_ms: 0, flapping: {interval_ms: 0}}
detectors:
  - {name: hot, match: ['metric="temperature"'], detector: limits, options: {high: 80, deadband: 2}, severity: high}
`
const MACHINES = 30
const KILLS = 2

/** Whether a machine is hot in a round. */
const isHot = (machine: number, round: number): boolean => (machine + round) % 3 === 0
const hotIn = (round: number): number[] =>
  Array.from({ length: MACHINES }, (_, machine) => machine).filter((machine) => isHot(machine, round))

/** Machines that tell their temperature to processes of one installation, of which any may be dead at any time. */
class Plant {
  private readonly processes: readonly Tocsin[]
  private now_ms = Date.now() - 600_000
  private raised = 0
  private round = 0

  constructor(processes: readonly Tocsin[]) {
    this.processes = processes
  }

  /** One reading of every machine, a second after the ones before; what is not answered is sent again, as senders do. */
  async send(): Promise<void> {
    this.now_ms += 1_000
    const { round } = this
    const samples = Array.from({ length: MACHINES }, (_, machine) => ({
      timestamp: new Date(this.now_ms).toISOString(),
      value: String(isHot(machine, round) ? 85 : 60),
      name: 'temperature',
      labels: { site: `site-${machine % 7}`, equipment: `acme/m${machine}`, unit: '°C' },
    }))
    let attempt = round
    await until('the readings are taken', async () => {
      const answer = await this.processes[attempt++ % this.processes.length]?.post(
        '/api/v1/sources/plant',
        samples,
      )
      return answer !== undefined && answer.status < 300
    })
    this.raised += hotIn(round).length
    this.round++
  }

  /** What came of the alarms, once there is an incident for each and no more are open than hold; and what should have. */
  async outcome(): Promise<{ found: Outcome; expected: Outcome }> {
    const hot = hotIn(this.round - 1)
    const incidents = await until(
      'every alarm has its incident, and only those that hold are open',
      async () => {
        const all = await (this.processes[0] as Tocsin).incidents()
        return openingsOf(all) >= this.raised && openOf(all).length <= hot.length ? all : null
      },
    )
    const lone = incidents.filter(({ members_total }) => members_total === 1).length
    return {
      found: {
        openings: openingsOf(incidents),
        open: openOf(incidents),
        with_others: incidents.length - lone,
      },
      expected: {
        openings: this.raised,
        open: hot.map((machine) => `acme/m${machine}`).toSorted(),
        with_others: 0,
      },
    }
  }
}

interface Outcome {
  readonly openings: number
  readonly open: readonly string[]
  /** Incidents of more than one alarm, which nobody asked for. */
  readonly with_others: number
}

const openOf = (incidents: readonly Incident[]): string[] =>
  incidents
    .filter(({ state }) => state === 'open')
    .map(({ group }) => group['equipment'] ?? '')
    .toSorted()

/** What ends and begins again in one entry of the log reopens its incident. */
const openingsOf = (incidents: readonly Incident[]): number =>
  incidents.reduce((sum, { reopened }) => sum + 1 + reopened, 0)

/** Three rounds, then a process dies in the middle of whatever it does, as often as asked. */
async function killInTurns(processes: readonly Tocsin[]): Promise<Plant> {
  const plant = new Plant(processes)
  for (let kill = 0; kill < KILLS; kill++) {
    for (let n = 0; n < 3; n++) await plant.send()
    const victim = processes[kill % processes.length] as Tocsin
    await victim.kill9()
    victim.launch()
  }
  await plant.send()
  return plant
}

describe('alarms of detectors, embedded', () => {
  it('are told once, and so are their ends, however often the process is killed', async () => {
    const tocsin = await Tocsin.start({ config: CONFIG })
    try {
      const { found, expected } = await (await killInTurns([tocsin])).outcome()
      expect(found).toEqual(expected)
    } finally {
      await tocsin.remove()
    }
  })
})

const services = async () => {
  const [{ brokers }, { host, port }] = await Promise.all([kafka(), redis()])
  return { brokers, redis_url: `redis://${host}:${port}` }
}

await describeWith(services, 'alarms of detectors, through Kafka and Redis', ({ brokers, redis_url }) => {
  const processes: Tocsin[] = []
  afterAll(() => Promise.all(processes.map((process) => process.remove())))

  it('are told once, and so are their ends, whichever process is killed', async () => {
    const name = uniqueName('detect')
    const config = `mode: distributed\nkafka: {brokers: ['${brokers.join("', '")}'], topic_prefix: '${name}.'}
redis: {url: '${redis_url}', key_prefix: '${name}:'}\n${CONFIG}`
    for (let n = 0; n < 2; n++) processes.push(await Tocsin.start({ config }))
    const { found, expected } = await (await killInTurns(processes)).outcome()
    expect(found).toEqual(expected)
  }, 300_000)
})
