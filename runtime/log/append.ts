import { type Append, type LogEntry, TOPICS, type Topic } from '../ports.ts'

/** How many partitions each topic has, fixed when the log is made. */
export type Partitions = Readonly<Record<Topic, number>>

export const NO_HEADERS: LogEntry['headers'] = Object.freeze({})

/** Beyond this a log in one process needs no more parallelism, only more tables. */
const PARTITIONS_MAX = 128

/** The same number for every topic. Throws RangeError for a number that a log in one process does not take. */
export function samePartitions(partitions: number): Partitions {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw new RangeError(`partitions must be a whole number from 1 to ${PARTITIONS_MAX}, it is ${partitions}`)
  }
  return Object.fromEntries(TOPICS.map((topic) => [topic, partitions])) as Record<Topic, number>
}

/** Throws RangeError: a caller that names a partition that does not exist has a bug, trying again mends nothing. */
export function checkPartition(partitions: Partitions, topic: Topic, partition: number): void {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions[topic]) return
  throw new RangeError(
    `topic ${topic} has partitions 0 to ${partitions[topic] - 1}, there is no ${partition}`,
  )
}

/** A copy that the caller cannot change any more. */
export function ownAppend(append: Append): Append & { readonly headers: LogEntry['headers'] } {
  const { topic, partition, value, headers = NO_HEADERS } = append
  return {
    topic,
    partition,
    value: Buffer.from(value),
    headers: Object.keys(headers).length === 0 ? NO_HEADERS : { ...headers },
  }
}
