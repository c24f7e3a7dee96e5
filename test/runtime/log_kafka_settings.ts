import { systemClock } from '../../runtime/clock.ts'
import type { KafkaLogSettings } from '../../runtime/log/kafka.ts'
import { uniqueName } from '../services/index.ts'

export const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Topics of their own for every call. */
export function settings(
  brokers: readonly string[],
  changes: Partial<KafkaLogSettings> = {},
): KafkaLogSettings {
  return {
    brokers,
    tls: false,
    topic_prefix: `${uniqueName('log')}.`,
    partitions: 8,
    replication_factor: 1,
    retention_ms: 86_400_000,
    samples_retention_ms: 3_600_000,
    samples_retention_bytes: 104_857_600,
    session_timeout_ms: 6_000,
    logger: SILENT,
    clock: systemClock,
    ...changes,
  }
}
