import type Cluster from 'kafkajs/src/cluster/index.js'
import type { Position } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, within } from './faults.ts'

const TIMEOUT_MS = 5_000

export interface Bounds {
  readonly first: Position
  readonly next: Position
}

/** First kept and next position of each of the partitions. */
export async function boundsOf(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
): Promise<Bounds[]> {
  const ask = async (fromBeginning: boolean) => {
    const asked = partitions.map((partition) => ({ partition }))
    const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: asked, fromBeginning }])
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }
  await cluster.connect()
  await cluster.addMultipleTargetTopics([topic])
  const [first, next] = await Promise.all([ask(true), ask(false)])
  return partitions.map((partition) => {
    const [from, to] = [first.get(partition), next.get(partition)]
    if (from === undefined || to === undefined) throw new Error(`no positions of ${topic} ${partition}`)
    return { first: from, next: to }
  })
}

/** Short questions to the brokers. After a failure the next one begins with a new connection. */
export class Inquiries {
  private readonly access: KafkaAccess
  private client: { readonly connection: Connection; readonly cluster: Cluster } | null = null

  constructor(access: KafkaAccess) {
    this.access = access
  }

  bounds(topic: string, partitions: readonly number[]): Promise<Bounds[]> {
    return this.ask(`asking for the positions of ${topic}`, (cluster) => boundsOf(cluster, topic, partitions))
  }

  ping(): Promise<void> {
    return this.ask('asking the brokers', async (cluster) => {
      await cluster.connect()
      await cluster.refreshMetadata()
    })
  }

  close(): void {
    this.client?.connection.end()
    this.client = null
  }

  private async ask<Answer>(doing: string, question: (cluster: Cluster) => Promise<Answer>): Promise<Answer> {
    const client = this.client ?? this.connect()
    try {
      return await within(question(client.cluster), TIMEOUT_MS, this.access.clock, doing)
    } catch (error) {
      client.connection.end()
      if (this.client === client) this.client = null
      throw asRetryable(error, doing)
    }
  }

  private connect() {
    const connection = new Connection(this.access, 'brisk')
    this.client = { connection, cluster: connection.cluster() }
    return this.client
  }
}
