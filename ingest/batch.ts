import type { Alert } from '../schemas/alert.ts'
import type { DeadLetter } from '../schemas/deadletter.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Origin } from '../schemas/record.ts'
import { lettersOf, type Received } from './dead_letters/letters.ts'
import { type Numbered, ShareCollector, type Shares } from './shares.ts'
import type { OutOfBounds } from './normalise.ts'
import type { Learnt, Recogniser } from './recognise/recogniser.ts'
import type { DecodedAlerts, Mark, RawAlert, RejectedAlert } from './sources/raw_alert.ts'

/** What one message (or the body of one request, whose `offset` is null) gave. */
export interface DecodedMessage {
  readonly offset: number | null
  /** Where it came from, of a source that keeps no places (MQTT). */
  readonly from?: string
  readonly decoded: DecodedAlerts
  /** The same with every alert in full; must be given where `decoded` has repeats. */
  readonly inFull?: () => DecodedAlerts
  /** Kept where something of it is rejected; left out where it must not be. */
  readonly received?: Received
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

/** Where something of a message came from. */
export function locate(
  batch: Pick<Batch, 'locate'>,
  { offset, from }: Pick<DecodedMessage, 'offset' | 'from'>,
  ordinal: number,
): string {
  return from === undefined ? batch.locate(offset, ordinal) : `${from}#${ordinal}`
}

/** A batch ready for the log: its alerts by partition, and its rejects as dead letters too. */
export interface Prepared {
  readonly source: string
  readonly origin: Origin | null
  readonly received_at_ms: number
  readonly shares: Shares
  readonly alerts_total: number
  /** To be recognised when they come again, once they are durable. */
  readonly learnt: readonly Learnt[]
  readonly rejects: readonly RejectedAlert[]
  readonly letters: readonly DeadLetter[]
  /** Messages of which nothing was taken and something was rejected. */
  readonly messages_rejected: number
}

/** What a batch is prepared with. */
export interface Preparation {
  /** Of the alerts log. */
  readonly partitions: number
  readonly normalise: Normalise
  readonly recogniser: Recogniser
}

export type Normalise = (raw: RawAlert, source: string) => Alert | OutOfBounds

type Marked = Numbered & { readonly mark: Mark | null }

interface Sorted {
  readonly alerts: readonly Marked[]
  readonly rejects: readonly RejectedAlert[]
}

function sortMessage({ offset, decoded }: DecodedMessage, source: string, normalise: Normalise): Sorted {
  const alerts: Marked[] = []
  const rejects = [...decoded.rejects]
  for (const raw of decoded.alerts) {
    const alert = normalise(raw, source)
    if ('reason' in alert)
      rejects.push({
        ordinal: raw.ordinal,
        code: alert.code,
        reason: alert.reason,
        payload: JSON.stringify(raw),
        was_read: true,
      })
    else
      alerts.push({
        alert,
        place: offset === null ? null : [offset, raw.ordinal],
        repeats_before: 0,
        ordinal: raw.ordinal,
        mark: raw.mark ?? null,
      })
  }
  return { alerts, rejects: rejects.sort((a, b) => a.ordinal - b.ordinal) }
}

/** Normalises a batch, and sorts it by partition of the log; places ascend within each. */
export function prepare(batch: Batch, preparation: Preparation): Prepared {
  const { recogniser } = preparation
  const prepared = prepareOnce(batch, preparation)
  if (!recogniser.complete()) return prepared
  const messages = batch.messages.map(({ decoded, inFull, ...rest }) => ({
    ...rest,
    decoded: inFull?.() ?? decoded,
  }))
  const again = prepareOnce({ ...batch, messages }, preparation)
  recogniser.complete()
  return again
}

function prepareOnce(batch: Batch, { partitions, normalise, recogniser }: Preparation): Prepared {
  const shares = new ShareCollector()
  const learnt: Learnt[] = []
  const rejects: RejectedAlert[] = []
  const letters: DeadLetter[] = []
  let alerts_total = 0
  let messages_rejected = 0
  for (const message of batch.messages) {
    const sorted = sortMessage(message, batch.source, normalise)
    const alerts = new Map<number, Numbered[]>()
    for (const one of sorted.alerts) {
      const partition = partitionOf(one.alert.scope, partitions)
      const { fingerprint, annotations, starts_at_ms, ends_at_ms } = one.alert
      const learning = recogniser.told({
        fingerprint,
        annotations,
        at_ms: batch.received_at_ms,
        starts_at_ms,
        ends_at_ms,
        partition,
        mark: one.mark,
      })
      if (learning !== null) learnt.push(learning)
      const list = alerts.get(partition)
      if (list === undefined) alerts.set(partition, [one])
      else list.push(one)
    }
    const repeats = message.decoded.repeats ?? new Map()
    shares.message(alerts, repeats)
    const taken = sorted.alerts.length + countOf(repeats)
    alerts_total += taken
    if (taken === 0 && sorted.rejects.length > 0) messages_rejected++
    const from = {
      ...batch,
      locate: (_offset: number | null, ordinal: number) => locate(batch, message, ordinal),
    }
    letters.push(...lettersOf(from, message, sorted.rejects))
    rejects.push(...sorted.rejects)
  }
  return {
    source: batch.source,
    origin: batch.origin,
    received_at_ms: batch.received_at_ms,
    shares: shares.done(),
    alerts_total,
    learnt,
    rejects,
    letters,
    messages_rejected,
  }
}

function countOf(repeats: NonNullable<DecodedAlerts['repeats']>): number {
  let count = 0
  for (const { ordinals } of repeats.values()) count += ordinals.length
  return count
}
