import type { Alert } from '../schemas/alert.ts'
import { type DeadLetter, deadLetterOf } from '../schemas/deadletter.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Origin } from '../schemas/record.ts'
import type { Placed } from './combine.ts'
import type { OutOfBounds } from './normalise.ts'
import type { DecodedAlerts, RawAlert, RejectedAlert } from './sources/raw_alert.ts'

/** What one message (or the body of one request, whose `offset` is null) gave. */
export interface DecodedMessage {
  readonly offset: number | null
  readonly decoded: DecodedAlerts
}

/** Messages of one source partition in order, or one request. */
export interface Batch {
  /** Name of the source: of its alerts, its dead letters and its metrics. */
  readonly source: string
  readonly origin: Origin | null
  readonly received_at_ms: number
  readonly messages: readonly DecodedMessage[]
  /** Where a rejected alert came from, e.g. `kafka:plant-alerts/3@1207#4`. */
  readonly locate: (offset: number | null, ordinal: number) => string
}

/** A batch ready for the log: its alerts by partition, and its rejects as dead letters too. */
export interface Prepared {
  readonly source: string
  readonly origin: Origin | null
  readonly received_at_ms: number
  readonly alerts: ReadonlyMap<number, readonly Placed[]>
  readonly alerts_total: number
  readonly rejects: readonly RejectedAlert[]
  readonly letters: readonly DeadLetter[]
  /** Messages of which nothing was taken and something was rejected. */
  readonly messages_rejected: number
}

export type Normalise = (raw: RawAlert, source: string) => Alert | OutOfBounds

interface Sorted {
  readonly alerts: readonly Placed[]
  readonly rejects: readonly RejectedAlert[]
}

function sortMessage({ offset, decoded }: DecodedMessage, source: string, normalise: Normalise): Sorted {
  const alerts: Placed[] = []
  const rejects = [...decoded.rejects]
  for (const raw of decoded.alerts) {
    const alert = normalise(raw, source)
    if ('reason' in alert)
      rejects.push({
        ordinal: raw.ordinal,
        code: alert.code,
        reason: alert.reason,
        payload: JSON.stringify(raw),
      })
    else alerts.push({ alert, place: offset === null ? null : [offset, raw.ordinal] })
  }
  return { alerts, rejects: rejects.sort((a, b) => a.ordinal - b.ordinal) }
}

/** Normalises a batch, and sorts it by partition of the log; places ascend within each. */
export function prepare(batch: Batch, partitions: number, normalise: Normalise): Prepared {
  const alerts = new Map<number, Placed[]>()
  const rejects: RejectedAlert[] = []
  const letters: DeadLetter[] = []
  let alerts_total = 0
  let messages_rejected = 0
  for (const message of batch.messages) {
    const sorted = sortMessage(message, batch.source, normalise)
    for (const one of sorted.alerts) {
      const partition = partitionOf(one.alert.scope, partitions)
      const list = alerts.get(partition)
      if (list === undefined) alerts.set(partition, [one])
      else list.push(one)
    }
    alerts_total += sorted.alerts.length
    if (sorted.alerts.length === 0 && sorted.rejects.length > 0) messages_rejected++
    for (const { ordinal, code, reason, payload } of sorted.rejects) {
      const origin = batch.locate(message.offset, ordinal)
      letters.push(
        deadLetterOf({
          at_ms: batch.received_at_ms,
          source: batch.source,
          origin,
          code,
          reason,
          payload: Buffer.from(payload),
        }),
      )
    }
    rejects.push(...sorted.rejects)
  }
  return {
    source: batch.source,
    origin: batch.origin,
    received_at_ms: batch.received_at_ms,
    alerts,
    alerts_total,
    rejects,
    letters,
    messages_rejected,
  }
}
