/** What can be computed from two looks at the sources. Pure. */

export interface Source {
  readonly name: string
  readonly kind: string
  readonly last_event_at_ms: number | null
  readonly alerts: number
  readonly rejects: number
  readonly halted: number
}

export interface Looked {
  readonly at_ms: number
  readonly sources: readonly Source[]
}

/** Alerts a second between two looks; null for a source that was not there before, or that began anew. */
export function rateOf(source: Source, now_ms: number, before: Looked | null): number | null {
  const old = before?.sources.find(({ name }) => name === source.name)
  if (!before || !old || now_ms <= before.at_ms || source.alerts < old.alerts) return null
  return ((source.alerts - old.alerts) * 1_000) / (now_ms - before.at_ms)
}

/** Of everything that came, from 0 to 1. */
export function rejectedShare({ alerts, rejects }: Source): number {
  return rejects === 0 ? 0 : rejects / (alerts + rejects)
}

export type DeliveryState =
  | 'pending'
  | 'in-flight'
  | 'delivered'
  | 'retrying'
  | 'failed-for-good'
  | 'disabled'

export interface Delivery {
  readonly sink: string
  readonly state: DeliveryState
  readonly error: { readonly code: string; readonly status: number | null; readonly at_ms: number } | null
}

export interface SinkSum {
  readonly sink: string
  readonly counts: Readonly<Record<DeliveryState, number>>
  readonly error: Delivery['error']
}

/** Deliveries by sink, with the newest error of each. */
export function sinksOf(deliveries: readonly Delivery[]): readonly SinkSum[] {
  const sums = new Map<
    string,
    { sink: string; counts: Record<DeliveryState, number>; error: Delivery['error'] }
  >()
  for (const { sink, state, error } of deliveries) {
    const sum = sums.get(sink) ?? {
      sink,
      counts: { pending: 0, 'in-flight': 0, delivered: 0, retrying: 0, 'failed-for-good': 0, disabled: 0 },
      error: null,
    }
    sum.counts[state]++
    if (error && error.at_ms > (sum.error?.at_ms ?? 0)) sum.error = error
    sums.set(sink, sum)
  }
  return [...sums.values()].sort((a, b) => (a.sink < b.sink ? -1 : 1))
}
