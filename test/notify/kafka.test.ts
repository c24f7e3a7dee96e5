import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeTopic } from '../../bench/load/kafka.ts'
import { makeSink } from '../../notify/sinks/registry.ts'
import type { Sink } from '../../notify/sinks/sink.ts'
import { systemClock } from '../../runtime/clock.ts'
import { kafkaPublisher, kafkaSource } from '../../runtime/log/kafka.ts'
import type { SourceMessage, Subscription } from '../../runtime/ports.ts'
import { config } from '../../schemas/config.ts'
import { telling } from '../contracts/sink.ts'
import { eventually } from '../contracts/wait.ts'
import { Tocsin, until } from '../installation/processes.ts'
import { describeWith, kafka, uniqueName } from '../services/index.ts'
import { SILENT } from '../runtime/log_kafka_settings.ts'
import { change } from './changes.ts'

const NEVER = new AbortController().signal

interface WorkAlert {
  readonly ID: string
  readonly Description: readonly string[]
  readonly HierarchyScope: { readonly EquipmentID: string }
  readonly Priority: string
  readonly Category: string
}
interface Message {
  readonly SyncWorkAlert: {
    readonly ApplicationArea: { readonly BODID: string }
    readonly DataArea: { readonly Sync: unknown; readonly WorkAlert: readonly WorkAlert[] }
  }
}

function sinkTo(brokers: readonly string[], topic: string, timeout_ms = 15_000): Sink {
  const [entry] = config.parse({
    sinks: [{ name: 'mes', kind: 'kafka', topic, timeout_ms, cluster: { brokers } }],
  }).sinks
  if (entry === undefined) throw new Error('no sink')
  return makeSink(entry, {
    secret: () => '',
    now: Date.now,
    public_url: 'https://tocsin.example.org',
    publisher: async ({ cluster, timeout_ms: bound_ms }) =>
      kafkaPublisher(
        { brokers: cluster?.brokers ?? [], tls: false, logger: SILENT, clock: systemClock },
        bound_ms,
      ),
  })
}

await describeWith(kafka, 'the Kafka sink', ({ brokers }) => {
  const topic = uniqueName('mes')
  const messages: SourceMessage[] = []
  let reading: Subscription
  beforeAll(async () => {
    await makeTopic(brokers, topic, 2)
    const source = kafkaSource({ brokers, tls: false, logger: SILENT, clock: systemClock })
    reading = await source.consume([topic], topic, async (_topic, _partition, found) => {
      messages.push(...found)
    })
  })
  afterAll(() => reading.close())

  const of = (incident: string) => messages.filter(({ key }) => key?.toString() === incident)
  const alertsOf = (incident: string) =>
    of(incident).map(({ value }) => (JSON.parse(String(value)) as Message).SyncWorkAlert)

  it('tells an incident as a work alert, in order, under its key', async () => {
    const sink = sinkTo(brokers, topic)
    const id = uniqueName('inc')
    const steps = [
      ['create', change('opened', 1, {}, id)],
      ['update', change('grown', 2, { members_total: 5 }, id)],
      ['close', change('resolved', 3, { state: 'resolved' }, id)],
    ] as const
    for (const [action, told] of steps)
      expect(await sink.deliver(action, telling(told), NEVER)).toEqual({
        kind: 'ok',
        external_id: null,
        url: null,
      })
    await eventually('the messages are there', () => Promise.resolve(of(id).length >= 3))
    const alerts = alertsOf(id)
    expect(alerts.map(({ ApplicationArea }) => ApplicationArea.BODID)).toEqual([
      `${id}.1`,
      `${id}.2`,
      `${id}.3`,
    ])
    expect(alerts.map(({ DataArea }) => DataArea.WorkAlert[0]?.Category)).toEqual([
      'open',
      'open',
      'resolved',
    ])
    expect(alerts[0]?.DataArea).toMatchObject({
      Sync: { ActionCriteria: [{ ActionExpression: [{ actionCode: 'Add' }] }] },
      WorkAlert: [{ ID: id, HierarchyScope: { EquipmentID: 'pump-7' }, Priority: 'high' }],
    })
    sink.close()
  })

  it('says what is wrong where nobody answers, and where there is no such topic', async () => {
    const nobody = sinkTo(['127.0.0.1:1'], topic, 2_000)
    expect(await nobody.deliver('create', telling(change('opened', 1)), NEVER)).toMatchObject({
      kind: 'retry',
      code: 'kafka-unavailable',
    })
    nobody.close()
    const nowhere = sinkTo(brokers, uniqueName('nowhere'), 5_000)
    expect(await nowhere.deliver('create', telling(change('opened', 1)), NEVER)).toMatchObject({
      kind: 'retry',
    })
    nowhere.close()
  })

  it('tells a MES of a reading beyond its limit', async () => {
    const tocsin = await Tocsin.start({
      config: `
history: {enabled: false}
sources: [{name: plant, kind: http, format: prometheus-json}]
detectors: [{name: hot, match: ['metric="temperature"'], detector: limits, options: {high: 80}, severity: high}]
sinks: [{name: mes, kind: kafka, topic: ${topic}, cluster: {brokers: ['${brokers.join("', '")}']}}]
`,
    })
    try {
      const readings = [60, 85].map((value, i) => ({
        timestamp: new Date(Date.now() - 10_000 + 1_000 * i).toISOString(),
        value: String(value),
        name: 'temperature',
        labels: { equipment: 'acme/line-3/oven', unit: '°C' },
      }))
      expect((await tocsin.post('/api/v1/sources/plant', readings)).status).toBeLessThan(300)
      const incident = await until('there is an incident', async () => (await tocsin.incidents())[0] ?? null)
      await eventually('the MES is told', () => Promise.resolve(of(incident.id).length > 0))
      const [alert] = alertsOf(incident.id)[0]?.DataArea.WorkAlert ?? []
      expect(alert).toMatchObject({
        HierarchyScope: { EquipmentID: 'acme/line-3/oven' },
        Priority: 'high',
        Category: 'open',
      })
    } finally {
      await tocsin.remove()
    }
  })
})
