import type { Append } from '../runtime/ports.ts'
import { encodeRecord } from '../schemas/codec.ts'
import { partitionOf } from '../schemas/ids.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { AlertsRecord, Origin } from '../schemas/record.ts'
import type { Prepared } from './batch.ts'
import { combine, type Placed } from './combine.ts'

/** Common parts of the entries of one run of alerts. */
interface Run {
  readonly origin: Origin | null
  readonly received_at_ms: number
}

function recordOf({ origin, received_at_ms }: Run, placed: readonly Placed[]): AlertsRecord {
  const places = placed.flatMap(({ place }) => (place === null ? [] : [place]))
  return { kind: 'alerts', received_at_ms, origin, places, alerts: placed.map(({ alert }) => alert) }
}

/** Entries within the bounds of limits.ts: what is too large is cut in halves (one alert always fits). */
function entriesOf(run: Run, placed: readonly Placed[]): readonly Buffer[] {
  if (placed.length <= LIMITS.alerts_per_entry) {
    const value = encodeRecord(recordOf(run, placed))
    if (value.length <= LIMITS.entry_bytes || placed.length === 1) return [value]
  }
  const middle =
    placed.length <= LIMITS.alerts_per_entry ? Math.ceil(placed.length / 2) : LIMITS.alerts_per_entry
  return [...entriesOf(run, placed.slice(0, middle)), ...entriesOf(run, placed.slice(middle))]
}

function appendsOf(run: Run, alerts: Prepared['alerts']): readonly Append[] {
  return [...alerts].flatMap(([partition, placed]) =>
    entriesOf(run, combine(placed)).map((value) => ({ topic: 'alerts', partition, value }) as const),
  )
}

/** Requests have no origin, so those that wait together share entries. */
function merged(requests: readonly Prepared[]): Prepared['alerts'] {
  if (requests.length === 1 && requests[0] !== undefined) return requests[0].alerts
  const alerts = new Map<number, Placed[]>()
  for (const request of requests) {
    for (const [partition, placed] of request.alerts)
      alerts.set(partition, [...(alerts.get(partition) ?? []), ...placed])
  }
  return alerts
}

/** What to append for batches that were prepared, in order; dead letters go last. */
export function appendsFor(
  prepared: readonly Prepared[],
  deadletters_partitions: number,
  headers: NonNullable<Append['headers']>,
): readonly Append[] {
  const requests = prepared.filter(({ origin }) => origin === null)
  const received_at_ms = Math.max(0, ...requests.map((request) => request.received_at_ms))
  const entries = [...appendsOf({ origin: null, received_at_ms }, merged(requests))]
  for (const one of prepared) if (one.origin !== null) entries.push(...appendsOf(one, one.alerts))
  for (const letter of prepared.flatMap(({ letters }) => letters)) {
    const partition = partitionOf(letter.id, deadletters_partitions)
    entries.push({ topic: 'deadletters', partition, value: Buffer.from(JSON.stringify(letter)) })
  }
  return Object.keys(headers).length === 0 ? entries : entries.map((entry) => ({ ...entry, headers }))
}
