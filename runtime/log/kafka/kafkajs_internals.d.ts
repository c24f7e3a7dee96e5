/**
 * Parts of kafkajs 2.2.4 that it does not export, as far as they are used here. The version is pinned and has no
 * successor, so they do not change under us.
 */

declare module 'kafkajs/src/cluster/index.js' {
  import type { KafkaMessage } from 'kafkajs'

  export interface ClusterOptions {
    readonly logger: unknown
    readonly socketFactory: unknown
    readonly brokers: readonly string[]
    readonly ssl: unknown
    readonly sasl: unknown
    readonly clientId: string
    readonly connectionTimeout: number
    readonly requestTimeout: number
    readonly enforceRequestTimeout: boolean
    readonly metadataMaxAge: number
    readonly allowAutoTopicCreation: boolean
    readonly maxInFlightRequests: number | null
    readonly retry: unknown
  }

  export interface FetchedPartition {
    readonly partition: number
    readonly highWatermark: string
    readonly abortedTransactions: readonly unknown[]
    readonly messages: readonly KafkaMessage[]
  }

  export interface FetchRequest {
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: string
        readonly maxBytes: number
      }[]
    }[]
  }

  export interface Broker {
    fetch(request: FetchRequest): Promise<{
      readonly responses: readonly {
        readonly topicName: string
        readonly partitions: readonly FetchedPartition[]
      }[]
    }>
  }

  export default class Cluster {
    constructor(options: ClusterOptions)
    connect(): Promise<void>
    disconnect(): Promise<void>
    addMultipleTargetTopics(topics: readonly string[]): Promise<void>
    refreshMetadata(): Promise<void>
    removeBroker(address: { host: string; port: number }): void
    findBroker(node: { nodeId: number }): Promise<Broker>
    findTopicPartitionMetadata(topic: string): readonly { partitionId: number; leader: number }[]
    fetchTopicsOffset(
      topics: readonly {
        topic: string
        partitions: readonly { partition: number }[]
        fromBeginning: boolean
      }[],
    ): Promise<readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]>
  }
}

declare module 'kafkajs/src/consumer/batch.js' {
  import type { KafkaMessage } from 'kafkajs'
  import type { FetchedPartition } from 'kafkajs/src/cluster/index.js'

  /** Leaves out what was before the fetched offset, aborted transactions and control records. */
  export default class Batch {
    constructor(topic: string, fetchedOffset: string, data: FetchedPartition)
    readonly rawMessages: readonly KafkaMessage[]
    readonly messages: readonly KafkaMessage[]
    lastOffset(): string
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  import type { logCreator } from 'kafkajs'

  const loggers: {
    createLogger(options: { level: number; logCreator: logCreator }): unknown
  }
  export default loggers
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[]
    scheduleCheckPendingRequests: (this: RequestQueue) => void
  }
}
