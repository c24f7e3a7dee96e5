import { setTimeout as pause } from 'node:timers/promises'
import type { SourceMessage, TopicSource } from '../../runtime/ports.ts'
import { sourceContract, type SourceUnderTest } from '../contracts/source.ts'
import { SourceServer } from './source.ts'
import { CALM, Host, World } from './world.ts'

const SEED = 1
const STEPS_PER_TURN = 50

/** The simulator's source in a calm world whose time goes on by itself: one server for each topic and group. */
class CalmSources implements SourceUnderTest {
  readonly source: TopicSource
  private readonly world = new World(SEED, CALM)
  private readonly topics = new Map<string, SourceMessage[][]>()
  private readonly servers = new Map<string, SourceServer>()
  private readonly running: Promise<void>
  private ended = false
  private hosts = 0

  constructor() {
    this.source = this.sourceOf(this.host())
    this.running = this.run()
  }

  mortal(): ReturnType<SourceUnderTest['mortal']> {
    const host = this.host()
    const kill = async () => {
      host.die()
      for (const { group } of this.servers.values()) group.miss(host)
    }
    return Promise.resolve({ source: this.sourceOf(host), kill })
  }

  makeTopic(partitions: number): Promise<string> {
    const topic = `topic-${this.topics.size}`
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => []),
    )
    return Promise.resolve(topic)
  }

  send(...[topic, partition, sent]: Parameters<SourceUnderTest['send']>): Promise<void> {
    const messages = this.topics.get(topic)?.[partition] ?? []
    for (const message of sent)
      messages.push({ ...message, offset: messages.length, time_ms: this.world.now_ms })
    return Promise.resolve()
  }

  kept(topic: string, group: string): Promise<readonly number[]> {
    return Promise.resolve([...this.serverOf(topic, group).committed])
  }

  rebalance(topic: string, group: string): void {
    this.serverOf(topic, group).group.share()
  }

  async cleanup(): Promise<void> {
    this.ended = true
    await this.running
    const { violation } = this.world
    if (violation !== null) throw new Error(`${violation.check}: ${violation.text}`)
  }

  private host(): Host {
    return new Host(this.world, `process-${this.hosts++}`, 0, () => undefined)
  }

  private sourceOf(host: Host): TopicSource {
    return {
      consume: async (topics, group, handle) => {
        const clients = topics.map((topic) => this.serverOf(topic, group).client(host, false))
        const parts = await Promise.all(clients.map((client) => client.consume(topics, group, handle)))
        return { close: async () => void (await Promise.all(parts.map((part) => part.close()))) }
      },
      ping: () => Promise.resolve(),
    }
  }

  private serverOf(topic: string, group: string): SourceServer {
    const key = `${topic}/${group}`
    const server = this.servers.get(key) ?? new SourceServer(this.world, topic, this.topics.get(topic) ?? [])
    this.servers.set(key, server)
    return server
  }

  /** Far faster than the wall clock, and still in step with the tests, which look at it every few milliseconds. */
  private async run(): Promise<void> {
    while (!this.ended) {
      for (let n = 0; n < STEPS_PER_TURN; n++) await this.world.scheduler.step()
      this.world.history.length = 0
      await pause(1)
    }
  }
}

sourceContract('simulator', () => Promise.resolve(new CalmSources()))
