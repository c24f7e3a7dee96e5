import type { Consumer } from 'kafkajs'
import { Retryable } from '../../errors.ts'
import type { Position } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, within } from './faults.ts'

export interface MemberEvents {
  gained(topic: string, partition: number): void
  lost(topic: string, partition: number): Promise<void>
}

interface Place {
  readonly topic: string
  readonly partition: number
}

const TICK_MS = 1_000
const HEARTBEAT_MS = 500
/** How often kafkajs looks whether a heartbeat is due. */
const LOOP_MS = 200
const BACKOFF_MS = 500
const BACKOFF_MAX_MS = 10_000
const LEAVE_TIMEOUT_MS = 3_000
const STOP_TIMEOUT_MS = 4_000

/**
 * A member of a consumer group: it is told which partitions it owns and commits how far they were read, and reads
 * nothing itself. kafkajs' consumer runs with everything paused, so no handler ever keeps it from its heartbeats, and a
 * rebalance is told at once. It is made anew when it crashes, which kafkajs may do for good (kafkajs #1712), and when no
 * heartbeat was answered for long.
 */
export class Membership {
  private readonly access: KafkaAccess
  private readonly topics: readonly string[]
  private readonly group: string
  private readonly session_timeout_ms: number
  private readonly events: MemberEvents
  private readonly owned = new Map<string, Place>()
  private readonly progress = new Map<string, Place & { readonly offset: string }>()
  private readonly stopping = new Set<Promise<void>>()
  private readonly closing = new AbortController()
  private member_id = ''
  private last_sign_ms = 0
  private readonly running: Promise<void>

  constructor(
    access: KafkaAccess,
    topics: readonly string[],
    group: string,
    session_timeout_ms: number,
    events: MemberEvents,
  ) {
    this.access = access
    this.topics = topics
    this.group = group
    this.session_timeout_ms = session_timeout_ms
    this.events = events
    this.running = this.run()
  }

  /** Committed with the next tick, and before partitions are handed over. */
  progressed(topic: string, partition: number, position: Position): void {
    this.progress.set(`${topic}/${partition}`, { topic, partition, offset: String(position) })
  }

  /** Leaves the group. Resolves when every owner has stopped, after STOP_TIMEOUT_MS at the latest. */
  async close(): Promise<void> {
    this.closing.abort()
    await within(this.stopped(), STOP_TIMEOUT_MS, this.access.clock, 'stopping').catch((error: unknown) => {
      if (!(error instanceof Retryable)) throw error
      this.access.logger.warn({ group: this.group }, 'left a group while its readers were still busy')
    })
  }

  private async stopped(): Promise<void> {
    await this.running
    await Promise.all(this.stopping)
  }

  private async run(): Promise<void> {
    let backoff_ms = BACKOFF_MS
    while (!this.closing.signal.aborted) {
      const began_ms = this.access.clock.now()
      try {
        await this.live()
      } catch (error) {
        const { code, message } = asRetryable(error, `being a member of group ${this.group}`)
        this.access.logger.warn({ code, topics: this.topics, retry_in_ms: backoff_ms }, message)
      }
      this.loseAll()
      if (this.access.clock.now() - began_ms > BACKOFF_MAX_MS) backoff_ms = BACKOFF_MS
      await this.access.clock.sleep(backoff_ms, this.closing.signal)
      backoff_ms = Math.min(backoff_ms * 2, BACKOFF_MAX_MS)
    }
  }

  /** One life of a consumer. Resolves after close, rejects when it crashed or fell silent. */
  private async live(): Promise<void> {
    const connection = new Connection(this.access, 'brisk')
    const consumer = connection.kafka.consumer({
      groupId: this.group,
      sessionTimeout: this.session_timeout_ms,
      rebalanceTimeout: this.session_timeout_ms,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: LOOP_MS,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: () => Promise.resolve(false) },
    })
    const crashed = Promise.withResolvers<never>()
    crashed.promise.catch(() => undefined)
    this.listen(consumer, crashed.reject)
    const over = new AbortController()
    try {
      await within(this.join(consumer), 3 * this.session_timeout_ms, this.access.clock, 'joining the group')
      await Promise.race([
        crashed.promise,
        this.tick(consumer, AbortSignal.any([this.closing.signal, over.signal])),
      ])
      this.loseAll()
      await within(this.leave(consumer), LEAVE_TIMEOUT_MS, this.access.clock, 'leaving the group')
    } finally {
      // The ticks of a consumer that crashed would take away what the next one has to commit.
      over.abort()
      connection.end()
    }
  }

  private listen(consumer: Consumer, crash: (error: Error) => void): void {
    const sign = () => (this.last_sign_ms = this.access.clock.now())
    consumer.on('consumer.heartbeat', sign)
    consumer.on('consumer.crash', ({ payload }) => crash(payload.error))
    // Said before the member joins again, while it may still commit.
    consumer.on('consumer.rebalancing', () => void this.commit(consumer))
    consumer.on('consumer.group_join', ({ payload }) => {
      sign()
      consumer.pause(this.topics.map((topic) => ({ topic })))
      this.assigned(payload.memberId, payload.memberAssignment)
    })
  }

  private async join(consumer: Consumer): Promise<void> {
    this.last_sign_ms = this.access.clock.now()
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.topics], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
  }

  private async leave(consumer: Consumer): Promise<void> {
    await this.commit(consumer)
    await consumer.disconnect()
  }

  private async tick(consumer: Consumer, ended: AbortSignal): Promise<void> {
    const { clock } = this.access
    while (!ended.aborted) {
      await clock.sleep(TICK_MS, ended)
      if (ended.aborted) return
      const silent_ms = clock.now() - this.last_sign_ms
      if (silent_ms > 3 * this.session_timeout_ms) {
        throw new Retryable('kafka-silent', `no heartbeat was answered for ${silent_ms} ms`)
      }
      await this.commit(consumer)
    }
  }

  private async commit(consumer: Consumer): Promise<void> {
    const progress = [...this.progress]
    if (progress.length === 0) return
    this.progress.clear()
    try {
      await consumer.commitOffsets(progress.map(([, place]) => place))
    } catch (error) {
      // Tried again with the next tick; if it never succeeds nothing is lost, as the next owner reads it again.
      for (const [key, place] of progress)
        if (this.owned.has(key) && !this.progress.has(key)) this.progress.set(key, place)
      const { code, message } = asRetryable(error, `committing how far group ${this.group} is`)
      this.access.logger.info({ code }, message)
    }
  }

  private assigned(member_id: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    // A new member id says that the group went on without this member: others may have owned everything meanwhile.
    if (member_id !== this.member_id) this.loseAll()
    this.member_id = member_id
    const now = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition): [string, Place] => [`${topic}/${partition}`, { topic, partition }]),
    )
    const keys = new Set(now.map(([key]) => key))
    for (const key of [...this.owned.keys()]) if (!keys.has(key)) this.lose(key)
    for (const [key, place] of now) {
      if (this.owned.has(key) || this.closing.signal.aborted) continue
      this.owned.set(key, place)
      this.events.gained(place.topic, place.partition)
    }
  }

  private loseAll(): void {
    for (const key of [...this.owned.keys()]) this.lose(key)
  }

  private lose(key: string): void {
    const place = this.owned.get(key)
    if (place === undefined) return
    this.owned.delete(key)
    if (!this.closing.signal.aborted) this.progress.delete(key)
    const stopping = this.events
      .lost(place.topic, place.partition)
      .finally(() => this.stopping.delete(stopping))
    this.stopping.add(stopping)
  }
}
