import type { Append } from '../runtime/ports.ts'
import { encodeRecord } from '../schemas/codec.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { AlertsRecord, Origin } from '../schemas/record.ts'
import type { Prepared } from './batch.ts'
import { combine } from './combine.ts'
import { letterAppends } from './dead_letters.ts'
import { halves, type Share, ShareCollector, type Shares } from './shares.ts'

/** Common parts of the entries of one run of alerts. */
interface Run {
  readonly origin: Origin | null
  readonly received_at_ms: number
}

function recordOf({ origin, received_at_ms }: Run, { repeats, alerts }: Share): AlertsRecord {
  const places = alerts.flatMap(({ place }) => (place === null ? [] : [place]))
  const record = {
    kind: 'alerts' as const,
    received_at_ms,
    origin,
    places,
    alerts: alerts.map(({ alert }) => alert),
  }
  if (repeats.count === 0) return record
  return { ...record, repeats, repeats_before: alerts.map(({ repeats_before }) => repeats_before) }
}

/** Entries within the bounds of limits.ts: what is too large is cut in halves (one alert always fits). */
function entriesOf(run: Run, share: Share): readonly Buffer[] {
  const { alerts, repeats } = share
  if (alerts.length <= LIMITS.alerts_per_entry && repeats.count <= LIMITS.repeats_per_entry) {
    const value = encodeRecord(recordOf(run, share))
    if (value.length <= LIMITS.entry_bytes || alerts.length + repeats.count === 1) return [value]
  }
  const [first, second] = halves(share, LIMITS.alerts_per_entry, LIMITS.repeats_per_entry)
  return [...entriesOf(run, first), ...entriesOf(run, second)]
}

function appendsOf(run: Run, shares: Shares): readonly Append[] {
  return [...shares].flatMap(([partition, { alerts, repeats }]) =>
    entriesOf(run, { alerts: combine(alerts), repeats }).map(
      (value) => ({ topic: 'alerts', partition, value }) as const,
    ),
  )
}

/** Requests have no origin, so those that wait together share entries. */
function merged(requests: readonly Prepared[]): Shares {
  const [only] = requests
  if (requests.length === 1 && only !== undefined) return only.shares
  const all = new ShareCollector()
  for (const { shares } of requests) all.add(shares)
  return all.done()
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
  for (const one of prepared) if (one.origin !== null) entries.push(...appendsOf(one, one.shares))
  const letters = prepared.flatMap((one) => one.letters)
  entries.push(...letterAppends(letters, deadletters_partitions))
  return Object.keys(headers).length === 0 ? entries : entries.map((entry) => ({ ...entry, headers }))
}
