import type { Severity } from '../../../schemas/alert.ts'

/** Alarms as the server tells them (api/routes/alarms.ts), and what can be computed of them. Pure. */

export const VIEWS = [
  'active',
  'unacked',
  'shelved',
  'suppressed',
  'out-of-service',
  'stale',
  'chattering',
] as const
export type View = (typeof VIEWS)[number]
export type AlarmState = 'UNACK' | 'RTNUN' | 'ACKED' | 'SHLVD' | 'DSUPR' | 'OOSRV'

type Labels = Readonly<Record<string, string>>

export interface Alarm {
  readonly fingerprint: string
  readonly state: AlarmState
  readonly severity: Severity
  readonly scope: string
  readonly entity: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly incident_id: string | null
  readonly on_since_ms: number
  readonly acknowledged_by: string | null
  readonly shelved: { readonly by: string; readonly until_ms: number } | null
  readonly muted_by: readonly string[]
  readonly chattering: boolean
  readonly first_out: boolean
}

export interface AlarmList {
  readonly alarms: readonly Alarm[]
  readonly counts: Readonly<Record<View, number>>
  readonly total: number
}

export function viewOf(query: URLSearchParams): View {
  const asked = query.get('view')
  return VIEWS.find((view) => view === asked) ?? 'active'
}

/** Incidents that acknowledging these alarms would acknowledge. */
export function acknowledgeable(alarms: readonly Alarm[]): readonly string[] {
  const open = alarms.filter(({ state }) => state === 'UNACK' || state === 'RTNUN')
  return [...new Set(open.flatMap(({ incident_id }) => incident_id ?? []))]
}

export interface Measured {
  readonly value: string
  readonly limit: string | null
  readonly unit: string
}

/** What the alarm was raised on; null: it is not about a value. */
export function measuredOf({ annotations }: Alarm): Measured | null {
  const { value, limit, unit } = annotations
  return value === undefined ? null : { value, limit: limit ?? null, unit: unit ?? '' }
}

/** The part of the plant: the most special of the labels that name one. */
export function areaOf({ labels, scope }: Alarm): string {
  return labels['area'] ?? labels['line'] ?? labels['site'] ?? scope
}

/** The window of maintenance that takes this alarm alone out of service. */
export function serviceWindow({ fingerprint, labels }: Alarm): {
  readonly name: string
  readonly matchers: readonly { readonly name: string; readonly op: '='; readonly value: string }[]
} {
  const matchers = Object.entries(labels).map(([name, value]) => ({ name, op: '=' as const, value }))
  return { name: `out-of-service-${fingerprint.slice(0, 12)}`, matchers }
}
