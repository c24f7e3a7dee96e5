import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { SqliteLog } from '../../runtime/log/sqlite.ts'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { QUALITIES } from '../../schemas/sample.ts'
import { isDetectRecord } from '../../schemas/detect.ts'
import { decodeSamples } from '../../schemas/samples_codec.ts'
import { CANCEL_JSON, PROCESS_JSON } from '../ingest/b2mml_seeds.ts'
import { Tocsin, until } from '../installation/processes.ts'
import { describeWith, startMosquitto } from '../services/index.ts'
import { EdgeNode } from './edge_node.ts'

const PARTITIONS = 4

const configuration = (url: string) => `
history: {enabled: false}
sources:
  - {name: edges, kind: mqtt, url: '${url}', topics: ['spBv1.0/#'], format: sparkplug}
  - {name: uns, kind: mqtt, url: '${url}', topics: ['umh/v1/#'], format: uns, version: 3.1.1}
  - {name: mes, kind: mqtt, url: '${url}', topics: [mes/alerts], format: b2mml}
`

/** A reading in words, whatever its time. */
interface Told {
  readonly equipment: string
  readonly metric: string
  readonly value: number
  readonly quality: string
}

function readingsOf(entry: Buffer): Told[] {
  const { series, of, value, quality } = decodeSamples(entry)
  return Array.from(of, (which, i) => {
    const { equipment = '', metric = '' } = series[which]?.labels ?? {}
    return { equipment, metric, value: value[i] ?? 0, quality: QUALITIES[quality[i] ?? 0] ?? '' }
  })
}

/** Everything in the samples log of a tocsin that has ended. */
async function samplesIn(data_dir: string): Promise<readonly Told[]> {
  const engine = new SqliteEngine({ data_dir })
  const log = await SqliteLog.open(engine, { clock: systemClock, partitions: PARTITIONS })
  const told: Told[] = []
  const missing = (await log.bounds('samples')).map(({ next }) => next)
  const tail = await log.tail(
    'samples',
    Array.from<number>({ length: PARTITIONS }).fill(0),
    (partition, entries) => {
      for (const { position, value: bytes } of entries) {
        // What detectors are told lies in the same log.
        if (!isDetectRecord(bytes)) told.push(...readingsOf(bytes))
        if (position + 1 >= (missing[partition] ?? 0)) missing[partition] = 0
      }
    },
  )
  await until('the samples log is read', () => missing.every((next) => next === 0))
  await tail.close()
  await log.close()
  await engine.close()
  return told
}

await describeWith(
  () => startMosquitto(),
  'an MQTT broker',
  (broker) => {
    let tocsin: Tocsin
    let publisher: MqttClient
    let node: EdgeNode
    let sent = 0

    const metric = async (name: string, source = 'edges'): Promise<number> => {
      const text = await (await fetch(`${tocsin.url}/metrics`)).text()
      const line = text.split('\n').find((one) => one.startsWith(name) && one.includes(`source="${source}"`))
      return Number(line?.split(' ').at(-1) ?? 0)
    }
    const measure = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await node.measure(sent++, Date.now())
    }
    /** All that the node sent until now is durable: what is left out is counted in order with the rest. */
    const caughtUp = async (): Promise<void> => {
      const before = await metric('tocsin_samples_dropped_total')
      await node.say('here')
      await until('all of it is taken', async () => (await metric('tocsin_samples_dropped_total')) > before)
    }

    beforeAll(async () => {
      tocsin = await Tocsin.start({ config: configuration(broker.url) })
      publisher = await connectAsync(broker.url)
      node = await EdgeNode.connect(broker.url, 'press', 1)
    })
    afterAll(async () => {
      await node?.close()
      await publisher?.endAsync(true)
      await tocsin?.remove()
      await broker.stop()
    })

    it('a node whose birth was not heard is asked for it, once, and then understood', async () => {
      await until('it listens', async () => (await metric('tocsin_source_connected')) === 1)
      await until('the node is asked', async () => {
        await node.measure(-1, Date.now())
        return node.asked > 0
      })
      await until('births are heard', async () => (await metric('tocsin_samples_total')) > 0)
      await measure(50)
      await caughtUp()
      expect(node.asked).toBe(1)
    })

    it('a kill in the middle loses nothing, and nobody is asked again', async () => {
      const before = await metric('tocsin_samples_total')
      let is_dead = false
      const sending = (async () => {
        while (!is_dead) await measure(1)
      })()
      await until('it is in the middle', async () => (await metric('tocsin_samples_total')) > before + 20)
      await tocsin.kill9()
      is_dead = true
      await sending
      // Nobody hears these but the broker.
      await measure(20)
      await tocsin.start()
      await measure(50)
      await caughtUp()
      expect(await metric('tocsin_sparkplug_rebirths_total')).toBe(0)
      expect(await metric('tocsin_sparkplug_gaps_total')).toBe(0)
      expect(node.asked).toBe(1)
    })

    it('when the broker comes back, so does tocsin', async () => {
      const before = await metric('tocsin_samples_total')
      await until('all is taken', async () => (await metric('tocsin_source_waiting_messages')) === 0)
      await broker.restart()
      await until('it is back', async () => {
        await measure(1)
        return (
          (await metric('tocsin_source_connected')) === 1 && (await metric('tocsin_samples_total')) > before
        )
      })
      expect(await metric('tocsin_rejects_total')).toBe(0)
    })

    it('readings of a Unified Namespace come by MQTT 3.1.1', async () => {
      await until('it is heard', async () => {
        const topic = 'umh/v1/acme/hamburg/line-3/_historian/temperature'
        await publisher.publishAsync(topic, JSON.stringify({ timestamp_ms: Date.now(), value: 21.5 }), {
          qos: 1,
        })
        return (await metric('tocsin_samples_total', 'uns')) > 0
      })
      expect(await metric('tocsin_rejects_total', 'uns')).toBe(0)
    })

    it('a work alert of a manufacturing system opens an incident, and its cancellation ends it', async () => {
      const states = async () => (await tocsin.incidents()).map(({ state }) => state)
      await until('it listens', async () => (await metric('tocsin_source_connected', 'mes')) === 1)
      await publisher.publishAsync('mes/alerts', JSON.stringify(PROCESS_JSON), { qos: 1 })
      await until('an incident is open', async () => (await states()).includes('open'))
      await publisher.publishAsync('mes/alerts', JSON.stringify(CANCEL_JSON), { qos: 1 })
      await until('it is resolved', async () => !(await states()).includes('open'))
      expect(await states()).toEqual(['resolved'])
    })

    it('the death of the node makes its metrics stale; the samples log has all that was sent', async () => {
      const before = await metric('tocsin_samples_total')
      await node.die()
      await until('the death is heard', async () => (await metric('tocsin_samples_total')) > before)
      await tocsin.stop()
      const told = await samplesIn(tocsin.data_dir)
      const oven = told.filter(({ equipment }) => equipment === 'plant/press/oven')
      const values = new Set(oven.flatMap(({ value, quality }) => (quality === 'good' ? [value] : [])))
      const missing = Array.from({ length: sent }, (_, value) => value).filter((value) => !values.has(value))
      expect(missing).toEqual([])
      expect(oven.at(-1)).toEqual({
        equipment: 'plant/press/oven',
        metric: 'Temperature',
        value: sent - 1,
        quality: 'stale',
      })
      expect(told).toContainEqual({
        equipment: 'acme/hamburg/line-3',
        metric: 'temperature',
        value: 21.5,
        quality: 'good',
      })
    })
  },
)
