import type { Admin, Kafka } from 'kafkajs'
import { systemClock } from '../runtime/clock.ts'
import { RedisStore } from '../runtime/store/redis.ts'
import { connect } from './load/kafka.ts'

/** How far readers of a broker are: groups of its own by their offsets, folds by what they have committed to the store. */
export class Lag {
  private readonly kafka: Kafka
  private readonly name: string
  readonly store: RedisStore

  private constructor(kafka: Kafka, store: RedisStore, name: string) {
    this.kafka = kafka
    this.store = store
    this.name = name
  }

  /** `name`: what internal topics and keys begin with, before `.` and `:`. */
  static async open(brokers: readonly string[], redis_url: string, name = 'tocsin'): Promise<Lag> {
    const logger = { info: () => {}, warn: () => {} }
    return new Lag(
      connect(brokers),
      await RedisStore.open({
        url: redis_url,
        cluster: false,
        key_prefix: `${name}:`,
        logger,
        clock: systemClock,
      }),
      name,
    )
  }

  /** Next offset of each partition. */
  async ends(topic: string): Promise<readonly number[]> {
    const found = await this.ask((admin) => admin.fetchTopicOffsets(topic))
    return found.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high))
  }

  /** Messages that a group has not taken yet, as lag tools see it, and those that it has. */
  async ofGroup(topic: string, group: string): Promise<{ readonly lag: number; readonly taken: number }> {
    const next = await this.ends(topic)
    const [found] = await this.ask((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }))
    const offsets = new Map(
      found?.partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]),
    )
    const taken = next.reduce((sum, _, partition) => sum + (offsets.get(partition) ?? 0), 0)
    return { lag: next.reduce((sum, end) => sum + end, -taken), taken }
  }

  /** Entries of an internal topic between what a fold has committed and the end. */
  async ofFold(fold: string, topic: string): Promise<number> {
    const next = await this.ends(`${this.name}.${topic}`)
    const positions = await Promise.all(
      next.map((_, partition) => this.store.position(`${fold}/${topic}/${partition}`)),
    )
    return next.reduce((sum, end, partition) => sum + end - (positions[partition] ?? 0), 0)
  }

  close(): Promise<void> {
    return this.store.close()
  }

  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin()
    await admin.connect()
    try {
      return await question(admin)
    } finally {
      await admin.disconnect()
    }
  }
}
