import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { pino } from 'pino'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { Retryable } from '../../runtime/errors.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import type { MqttAccess } from '../../runtime/mqtt/connection.ts'
import { MqttSource } from '../../runtime/mqtt/source.ts'
import type { SourceMessage } from '../../runtime/ports.ts'
import { until } from '../installation/processes.ts'
import { describeWith, mosquitto, startMosquitto, uniqueName } from '../services/index.ts'

const log = new MemoryLog(systemClock, 1)

interface ReaderSettings {
  readonly taken: boolean
  readonly version?: '3.1.1' | '5'
  readonly in_flight_max?: number
  /** Readers of one group are processes with one configuration. */
  readonly group?: string
  readonly access?: Pick<MqttAccess, 'username' | 'password' | 'tls'>
}

/** A reader of one topic that takes messages when it is told to. */
class Reader {
  readonly heard: SourceMessage[] = []
  connected = false
  readonly warnings: string[] = []
  private readonly source: MqttSource
  private readonly topics: readonly string[]
  private readonly taken: boolean
  private readonly group: string
  private refuse: (() => void)[] = []
  private subscription: { close(): Promise<void> } | null = null

  constructor(url: string, client_id: string, topics: readonly string[], settings: ReaderSettings) {
    const { taken, version = '5', in_flight_max = 100, access = {} } = settings
    this.topics = topics
    this.taken = taken
    this.group = settings.group ?? uniqueName('group')
    this.source = new MqttSource(
      {
        name: client_id,
        url,
        client_id,
        version,
        session_expiry_ms: 60_000,
        in_flight_max,
        clock: systemClock,
        logger: pino({ level: 'warn' }, { write: (line: string) => void this.warnings.push(line) }),
        ...access,
        observer: { connected: (_, connected) => (this.connected = connected), waiting: () => {} },
      },
      log,
    )
  }

  /** Whether it comes to a connection is another question. */
  async begin(): Promise<void> {
    this.subscription = await this.source.consume(this.topics, this.group, (_topic, _partition, messages) => {
      this.heard.push(...messages)
      if (this.taken) return Promise.resolve()
      return new Promise((_resolve, reject) => {
        this.refuse.push(() => reject(new Retryable('closing', 'the test ends it')))
      })
    })
  }

  async start(): Promise<this> {
    await this.begin()
    await until('the reader is connected', () => this.connected)
    return this
  }

  async stop(): Promise<void> {
    for (const refuse of this.refuse) refuse()
    await this.subscription?.close()
  }

  publish(): Promise<void> {
    return this.source.publish('topic', Buffer.from('x'))
  }

  get texts(): readonly string[] {
    return this.heard.map(({ value }) => value?.toString() ?? '')
  }
}

await describeWith(mosquitto, 'an MQTT source', ({ url }) => {
  async function publishAll(topic: string, texts: readonly string[]): Promise<void> {
    const client = await connectAsync(url)
    for (const text of texts) await client.publishAsync(topic, text, { qos: 1 })
    await client.endAsync()
  }

  /** A topic, and the id of a session at the broker, that no other test has. */
  const names = () => ({ topic: uniqueName('topic'), client_id: uniqueName('client') })

  describe.each(['3.1.1', '5'] as const)('by MQTT %s', (version) => {
    it('what was heard and not taken comes again, and what was taken does not', async () => {
      const { topic, client_id } = names()
      const first = await new Reader(url, client_id, [topic], { taken: false, version }).start()
      await publishAll(topic, ['a', 'b'])
      await until('something is heard', () => first.heard.length > 0)
      await first.stop()
      const second = await new Reader(url, client_id, [topic], { taken: true, version }).start()
      await until('both come again', () => new Set(second.texts).size === 2)
      expect(second.heard[0]?.headers).toEqual({ 'mqtt-dup': 'true' })
      await publishAll(topic, ['c'])
      await until('it goes on', () => second.texts.includes('c'))
      await second.stop()
      const third = await new Reader(url, client_id, [topic], { taken: true, version }).start()
      onTestFinished(() => third.stop())
      await publishAll(topic, ['d'])
      await until('it goes on', () => third.texts.includes('d'))
      expect(third.texts).toEqual(['d'])
    })

    it('what comes while nobody is connected comes afterwards', async () => {
      const { topic, client_id } = names()
      const first = await new Reader(url, client_id, [`${topic}/#`], { taken: true, version }).start()
      await publishAll(`${topic}/x`, ['a'])
      await until('it is heard', () => first.heard.length > 0)
      await first.stop()
      await publishAll(`${topic}/y`, ['b'])
      const second = await new Reader(url, client_id, [`${topic}/#`], { taken: true, version }).start()
      onTestFinished(() => second.stop())
      await until('it is heard', () => second.heard.length > 0)
      expect(second.heard.map(({ unkept, value }) => [unkept?.topic, value?.toString()])).toEqual([
        [`${topic}/y`, 'b'],
      ])
    })
  })

  it('no more is taken from the broker than may be in flight', async () => {
    const { topic, client_id } = names()
    const reader = await new Reader(url, client_id, [topic], { taken: false, in_flight_max: 3 }).start()
    await publishAll(topic, ['1', '2', '3', '4', '5', '6', '7', '8', '9'])
    await until('something is heard', () => reader.heard.length > 0)
    await reader.stop()
    const all = await new Reader(url, client_id, [topic], { taken: true, in_flight_max: 3 }).start()
    onTestFinished(() => all.stop())
    await until('all of it comes', () => all.texts.at(-1) === '9')
    expect(all.texts).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(reader.heard.length).toBeLessThanOrEqual(3)
  })

  it('of two processes one reads, and when it ends the other goes on in its session', async () => {
    const { topic, client_id } = names()
    const settings = { taken: true, group: uniqueName('group') }
    const first = await new Reader(url, client_id, [topic], settings).start()
    const second = new Reader(url, client_id, [topic], settings)
    onTestFinished(() => second.stop())
    await second.begin()
    await publishAll(topic, ['a'])
    await until('it is heard', () => first.heard.length > 0)
    await first.stop()
    await publishAll(topic, ['b'])
    await until('the other hears', () => second.heard.length > 0)
    expect([first.texts, second.texts]).toEqual([['a'], ['b']])
  })

  it('subscriptions may be shared: each message goes to one of the readers', async () => {
    const { topic } = names()
    const shared = [`$share/tocsin/${topic}`]
    const readers = await Promise.all(
      [1, 2].map(() => new Reader(url, uniqueName('client'), shared, { taken: true }).start()),
    )
    onTestFinished(async () => {
      for (const reader of readers) await reader.stop()
    })
    // A subscription takes a moment longer than the connection.
    await until('both hear', async () => {
      await publishAll(topic, ['x', 'y'])
      return readers.every(({ heard }) => heard.length > 0)
    })
    const before = readers.flatMap(({ texts }) => texts).length
    await publishAll(topic, ['once'])
    await until('it is heard', () => readers.flatMap(({ texts }) => texts).length > before)
    expect(readers.flatMap(({ texts }) => texts).filter((text) => text === 'once')).toHaveLength(1)
  })
})

await describeWith(
  () => startMosquitto(),
  'a broker that goes away',
  (broker) => {
    afterAll(() => broker.stop())

    it('is connected to again, and meanwhile publishing says that it cannot be reached', async () => {
      const [topic, client_id] = [uniqueName('topic'), uniqueName('client')]
      const reader = await new Reader(broker.url, client_id, [topic], { taken: true }).start()
      onTestFinished(() => reader.stop())
      await broker.kill9()
      await until('it is noticed', () => !reader.connected)
      await expect(reader.publish()).rejects.toMatchObject({ code: 'mqtt-unreachable' })
      await broker.restart()
      await until('it is connected again', () => reader.connected)
      await until('messages come', async () => {
        const client = await connectAsync(broker.url)
        await client.publishAsync(topic, 'back', { qos: 1 })
        await client.endAsync()
        return reader.texts.includes('back')
      })
    })
  },
)

/** A key and a certificate for `localhost` that it signs itself. */
function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-mqtt-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`
  execFileSync('openssl', request.split(' '), { stdio: 'pipe' })
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
  return pair
}

const pair = selfSigned()
const login = { username: 'tocsin', password: 'correct horse' }

await describeWith(
  () => startMosquitto({ login, tls: pair }),
  'a broker with TLS and logins',
  (broker) => {
    afterAll(() => broker.stop())

    const reader = (access: Pick<MqttAccess, 'username' | 'password' | 'tls'>) =>
      new Reader(broker.url, uniqueName('client'), ['topic'], { taken: true, access })

    it('is read with the login, over a certificate that is verified', async () => {
      const allowed = await reader({ ...login, tls: { ca: pair.cert } }).start()
      onTestFinished(() => allowed.stop())
      await until('it hears what it says itself', async () => {
        await allowed.publish()
        return allowed.texts.length > 0
      })
      expect(allowed.texts[0]).toBe('x')
    })

    it.each([
      ['another password', { username: 'tocsin', password: 'wrong', tls: { ca: pair.cert } }, /authori/i],
      ['a certificate of an authority that is not known', login, /self.signed/i],
    ])('is not read with %s, and the log says why', async (_, access, why) => {
      const refused = reader(access)
      onTestFinished(() => refused.stop())
      await refused.begin()
      await until('it is told', () => refused.warnings.some((warning) => why.test(warning)))
      expect(refused.connected).toBe(false)
      expect(refused.warnings.join()).not.toContain('wrong')
    })
  },
)
