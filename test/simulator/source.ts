import { Retryable } from '../../runtime/errors.ts'
import type { SourceMessage, Subscription, TopicSource } from '../../runtime/ports.ts'
import { Group, type Member } from './group.ts'
import type { Host, World } from './world.ts'

const IDLE_MS = 400

type Handle = Parameters<TopicSource['consume']>[2]

/** One topic of users, and the progress of one group in it. Batches are cut anyhow; progress is kept late, gets lost and goes back. */
export class SourceServer {
  readonly topic: string
  readonly committed: number[]
  readonly group: Group
  readonly messages: readonly (readonly SourceMessage[])[]
  private readonly world: World

  /** `messages[partition][offset]`; each can be read from its own time on. */
  constructor(world: World, topic: string, messages: readonly (readonly SourceMessage[])[]) {
    this.world = world
    this.topic = topic
    this.messages = messages
    this.committed = messages.map(() => 0)
    this.group = new Group(world, 'source', messages.length)
  }

  get drained(): boolean {
    return this.committed.every((offset, partition) => offset === this.messages[partition]?.length)
  }

  /** The progress that was kept is lost in part. */
  goBack(): void {
    for (const [partition, offset] of this.committed.entries())
      this.commit(partition, Math.max(0, offset - this.world.random.between(0, 8)))
  }

  commit(partition: number, offset: number): void {
    this.committed[partition] = offset
    this.world.note('source', 'keeps progress', `${partition}@${offset}`)
  }

  /** `acknowledges_first`: progress is kept before the messages are taken. A deliberate defect. */
  client(host: Host, acknowledges_first: boolean): TopicSource {
    return {
      consume: async (_topics, _group, handle) =>
        this.join(
          host,
          acknowledges_first ? async (...given) => void handle(...given).catch(() => {}) : handle,
        ),
      ping: async () => {},
    }
  }

  private join(host: Host, handle: Handle): Subscription {
    const running = new Map<number, { ended: boolean }>()
    const member: Member = {
      host,
      gained: (partition) => {
        const run = { ended: false }
        running.set(partition, run)
        this.read(host, partition, this.committed[partition] ?? 0, handle, run)
      },
      lost: (partition) => {
        const run = running.get(partition)
        if (run !== undefined) run.ended = true
      },
    }
    this.group.join(member)
    const close = async () => {
      for (const run of running.values()) run.ended = true
      this.group.leave(member)
    }
    return { close }
  }

  /** Reads on from an offset, batch after batch, until the member has learned that it lost the partition. */
  private read(host: Host, partition: number, offset: number, handle: Handle, run: { ended: boolean }): void {
    const { world } = this
    const again = (from: number, delay_ms: number) =>
      world.scheduler.after(
        delay_ms,
        () => host.awaits() && !run.ended && this.read(host, partition, from, handle, run),
      )
    const there = (this.messages[partition] ?? []).filter(
      (message) => message.offset >= offset && message.time_ms <= world.now_ms,
    )
    const batch = there.slice(0, world.random.between(1, 8))
    const end = (batch.at(-1)?.offset ?? offset - 1) + 1
    if (batch.length === 0) {
      // A member that is idle finds out where the group stands.
      again(Math.min(offset, this.committed[partition] ?? 0), IDLE_MS)
      return
    }
    world.note(host.name, 'reads', `source/${partition}@${offset}..${end}`)
    handle(this.topic, partition, batch).then(
      () => {
        if (!world.random.chance(world.rates.refused))
          world.scheduler.after(
            world.latency(),
            () => host.awaits() && !run.ended && this.commit(partition, end),
          )
        again(end, world.latency())
      },
      (error: unknown) => {
        if (!(error instanceof Retryable)) return world.violate('a bug', String(error))
        again(offset, world.latency())
      },
    )
  }
}
