import { Retryable } from '../runtime/errors.ts'
import type { Clock, Log } from '../runtime/ports.ts'
import { encodeRecord } from '../schemas/codec.ts'
import type { HeartbeatEntry } from '../schemas/config_heartbeats.ts'
import { HEARTBEAT_LABEL } from '../schemas/heartbeat.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Normalise } from './batch.ts'

export interface SignsOfLifeParts {
  readonly log: Pick<Log, 'append' | 'partitions'>
  readonly clock: Clock
  readonly normalise: Normalise
  readonly heartbeats: readonly HeartbeatEntry[]
}

/** A sign of life is written at most this often within its period. */
const TIMES_PER_PERIOD = 4

interface Expected {
  readonly entry: HeartbeatEntry
  written_ms: number
}

/**
 * Alerts of a source lie in many partitions, so none of them knows whether the source as a whole is silent: ingest, which hears all of it,
 * writes a sign of life into the one partition of the heartbeat's scope.
 */
export class SignsOfLife {
  private readonly parts: SignsOfLifeParts
  private readonly by_source = new Map<string, Expected[]>()

  constructor(parts: SignsOfLifeParts) {
    this.parts = parts
    for (const entry of parts.heartbeats) {
      if (entry.source === undefined || entry.match !== undefined) continue
      const others = this.by_source.get(entry.source) ?? []
      this.by_source.set(entry.source, [...others, { entry, written_ms: -Infinity }])
    }
  }

  /** Something came from the source, whatever it was. What cannot be written now is written with what comes next. */
  async heard(source: string): Promise<void> {
    for (const expected of this.by_source.get(source) ?? []) {
      const now_ms = this.parts.clock.now()
      if (now_ms - expected.written_ms < expected.entry.every_ms / TIMES_PER_PERIOD) continue
      const before_ms = expected.written_ms
      expected.written_ms = now_ms
      try {
        await this.write(source, expected.entry, now_ms)
      } catch (error) {
        if (!(error instanceof Retryable)) throw error
        expected.written_ms = before_ms
      }
    }
  }

  private async write(source: string, { name, labels }: HeartbeatEntry, now_ms: number): Promise<void> {
    const { log, normalise } = this.parts
    const raw = {
      ordinal: 0,
      labels: { ...labels, alertname: 'Heartbeat', [HEARTBEAT_LABEL]: name, source },
      annotations: {},
      generator_url: '',
      starts_at_ms: now_ms,
      ends_at_ms: null,
    }
    const alert = normalise(raw, source)
    if ('reason' in alert) throw new Error(`the heartbeat ${name} is out of bounds: ${alert.reason}`)
    const record = {
      kind: 'alerts' as const,
      received_at_ms: now_ms,
      origin: null,
      places: [],
      alerts: [alert],
    }
    const partition = partitionOf(alert.scope, log.partitions('alerts'))
    await log.append([{ topic: 'alerts', partition, value: encodeRecord(record) }])
  }
}
