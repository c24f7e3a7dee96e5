import { MUTED_BY } from '../correlate/suppress.ts'
import type { AlertRow, Shelf } from '../correlate/state.ts'
import type { Silence } from '../schemas/command.ts'
import type { Incident } from '../schemas/incident.ts'

/** Alerts as a plant's operators know them: by the states of ISA-18.2 (IEC 62682). Pure. */

export const ALARM_STATES = ['UNACK', 'RTNUN', 'ACKED', 'SHLVD', 'DSUPR', 'OOSRV'] as const
export type AlarmState = (typeof ALARM_STATES)[number]
export const ALARM_VIEWS = [
  'active',
  'unacked',
  'shelved',
  'suppressed',
  'out-of-service',
  'stale',
  'chattering',
] as const
export type AlarmView = (typeof ALARM_VIEWS)[number]

const STALE_AFTER_MS = 86_400_000

/** What mutes alerts, as far as it says until when. */
export interface Mutes {
  readonly shelves: ReadonlyMap<string, Shelf>
  readonly silences: ReadonlyMap<string, Silence>
}

/** Put aside by a person for a time, by planned work, or by what depends on what; what lasts longest decides. */
function asideOf(silenced_by: readonly string[]): AlarmState | null {
  if (silenced_by.length === 0) return null
  if (silenced_by.some((by) => by.startsWith(MUTED_BY.maintenance))) return 'OOSRV'
  return silenced_by.some((by) => by.startsWith(MUTED_BY.dependency)) ? 'DSUPR' : 'SHLVD'
}

/** Null: nothing that an operator would see. */
export function alarmStateOf(row: AlertRow, incident: Incident | undefined): AlarmState | null {
  const is_open = incident?.state === 'open'
  if (!row.firing) return is_open ? 'RTNUN' : null
  if (row.dismissed || row.held) return null
  return asideOf(row.silenced_by) ?? (incident === undefined || is_open ? 'UNACK' : 'ACKED')
}

/** Until when it is put aside, and by whom; null: nobody did, or without an end. */
function shelvedOf(row: AlertRow, { shelves, silences }: Mutes): { by: string; until_ms: number } | null {
  const shelf = shelves.get(row.alert.fingerprint)
  if (shelf) return { by: shelf.actor, until_ms: shelf.until_ms }
  const silence = row.silenced_by.flatMap((id) => silences.get(id) ?? [])[0]
  return silence ? { by: silence.created_by, until_ms: silence.ends_at_ms } : null
}

export function alarmOf(row: AlertRow, state: AlarmState, incident: Incident | undefined, mutes: Mutes) {
  const { fingerprint, scope, severity, entity, labels, annotations } = row.alert
  const on_since_ms = row.last_start_ms ?? row.alert.starts_at_ms
  return {
    fingerprint,
    state,
    severity,
    scope,
    entity,
    labels,
    annotations,
    incident_id: row.incident_id === '' ? null : row.incident_id,
    on_since_ms,
    acknowledged_by: incident?.timeline.findLast(({ kind }) => kind === 'acknowledged')?.actor ?? null,
    shelved: shelvedOf(row, mutes),
    muted_by: [...row.silenced_by],
    chattering: row.history?.settles_at_ms != null,
    first_out: false,
  }
}
export type Alarm = ReturnType<typeof alarmOf>

/** Of each incident with several alarms the one that came first; none where several came at once. */
export function markFirstOut(alarms: readonly Alarm[]): void {
  const groups = Map.groupBy(alarms, ({ incident_id }) => incident_id)
  for (const [id, own] of groups) {
    if (id === null) continue
    const [first, second] = own.toSorted((a, b) => a.on_since_ms - b.on_since_ms)
    if (first && second && first.on_since_ms < second.on_since_ms) first.first_out = true
  }
}

export function isInView(
  view: AlarmView,
  { state, chattering, on_since_ms }: Alarm,
  now_ms: number,
): boolean {
  const is_seen = state === 'UNACK' || state === 'RTNUN' || state === 'ACKED'
  switch (view) {
    case 'active':
      return is_seen
    case 'unacked':
      return state === 'UNACK' || state === 'RTNUN'
    case 'shelved':
      return state === 'SHLVD'
    case 'suppressed':
      return state === 'DSUPR'
    case 'out-of-service':
      return state === 'OOSRV'
    case 'stale':
      return is_seen && state !== 'RTNUN' && now_ms - on_since_ms > STALE_AFTER_MS
    case 'chattering':
      return is_seen && chattering
  }
}
