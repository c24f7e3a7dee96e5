import type { ClickHouseClient } from '@clickhouse/client'
import type { Topic } from '../runtime/ports.ts'
import { ask } from './recorders.ts'

/** One partition of a log. */
export interface LogPartition {
  readonly topic: Topic
  readonly partition: number
}

/** May anybody have recorded anything of it? Throws whatever the client throws. */
export async function recordingBegan(
  client: ClickHouseClient,
  { topic, partition }: LogPartition,
  signal: AbortSignal,
): Promise<boolean> {
  const query = `
    SELECT 1 FROM recorded_partitions
    WHERE log = {topic:String} AND log_partition = {partition:UInt16}
    LIMIT 1`
  return (await ask(client, query, { topic, partition }, signal)).length > 0
}

/** From now on somebody may. Resolves when ClickHouse has it; throws whatever the client throws. */
export async function beginRecording(
  client: ClickHouseClient,
  { topic, partition }: LogPartition,
  signal: AbortSignal,
): Promise<void> {
  await client.command({
    query: 'INSERT INTO recorded_partitions (log, log_partition) VALUES ({topic:String}, {partition:UInt16})',
    query_params: { topic, partition },
    clickhouse_settings: { async_insert: 0, wait_end_of_query: 1 },
    abort_signal: signal,
  })
}
