import type { Alert } from '../schemas/alert.ts'
import type { Change } from '../schemas/change.ts'
import type { Silence } from '../schemas/command.ts'
import type { Reason } from '../schemas/incident.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { compileMatchers, MatcherError } from '../schemas/matching.ts'
import { comparePlaces } from '../schemas/places.ts'
import { IncidentDraft } from './draft.ts'
import { homeOf } from './home.ts'
import type { AlertRow, LabelTest, Row, State } from './state.ts'

/** How the entries of `silenced_by` begin that are not the id of a silence. */
export const MUTED_BY = { maintenance: 'maintenance:', dependency: 'dependency:', shelf: 'shelf:' } as const

export function isActive(silence: Silence, now_ms: number): boolean {
  return silence.starts_at_ms <= now_ms && now_ms < silence.ends_at_ms
}

const NOTHING: readonly string[] = []

/** Everything that mutes an alert now, sorted: see `silenced_by` of a member. */
export function silencedBy(state: State, alert: Alert): readonly string[] {
  const { derived, time_ms } = state
  const ids: string[] = []
  for (const silence of state.silences.values()) {
    if (isActive(silence, time_ms) && derived.silence_tests.get(silence.id)?.(alert.labels))
      ids.push(silence.id)
  }
  for (const [name, test] of derived.maintenance_now)
    if (test(alert.labels)) ids.push(MUTED_BY.maintenance + name)
  if (derived.dependencies.inUse)
    for (const rule of derived.dependencies.mutes(alert)) ids.push(MUTED_BY.dependency + rule)
  const shelf = state.shelves.size > 0 ? state.shelves.get(alert.fingerprint) : undefined
  if (shelf) ids.push(MUTED_BY.shelf + shelf.actor)
  return ids.length === 0 ? NOTHING : ids.sort()
}

/** The same, but for who shelved the alert: null when nobody has. */
export function shelvedBy(mutes: readonly string[], actor: string | null): readonly string[] {
  const others = mutes.filter((id) => !id.startsWith(MUTED_BY.shelf))
  return actor === null ? others : [...others, MUTED_BY.shelf + actor].sort()
}

/** The test of a suppressor's matchers, or what is wrong with them. */
export function testOf(matchers: readonly Matcher[]): LabelTest | string {
  try {
    return compileMatchers(matchers)
  } catch (error) {
    if (error instanceof MatcherError) return error.message
    throw error
  }
}

interface Spread {
  readonly rows: readonly Row[]
  readonly changes: readonly Change[]
}

/** Brings the mutes by one suppressor up to date on those of `alerts` (all, unless said) that fire. */
export function remute(
  state: State,
  id: string,
  mutes: (row: AlertRow) => boolean,
  why: Pick<Reason, 'code' | 'rule' | 'text'>,
  alerts: Iterable<AlertRow> = state.alerts.values(),
): Spread {
  return spread(state, alerts, why, (row) => {
    const muted = mutes(row)
    if (muted === row.silenced_by.includes(id)) return row.silenced_by
    const others = row.silenced_by.filter((other) => other !== id)
    return muted ? [...others, id].sort() : others
  })
}

/** The rules changed: what they mute is looked up anew for every alert that fires. */
export function remuteAll(state: State): Spread {
  const text = `The rules ${state.rules.version} took effect.`
  return spread(state, state.alerts.values(), { code: 'rules', rule: '', text }, (row) => {
    const now = silencedBy(state, row.alert)
    const same = now.length === row.silenced_by.length && now.every((id, i) => id === row.silenced_by[i])
    return same ? row.silenced_by : now
  })
}

/** Gives each of `alerts` that fires what mutes it from now on (the same list: nothing changes), and tells their incidents. */
export function spread(
  state: State,
  alerts: Iterable<AlertRow>,
  why: Pick<Reason, 'code' | 'rule' | 'text'>,
  mutesOf: (row: AlertRow) => readonly string[],
): Spread {
  const drafts = new Map<string, IncidentDraft>()
  const rows: Row[] = []
  for (const row of alerts) {
    if (!row.firing) continue
    const silenced_by = mutesOf(row)
    if (silenced_by === row.silenced_by) continue
    const value: AlertRow = { ...row, silenced_by }
    rows.push({ kind: 'alert', key: row.alert.fingerprint, value })
    if (!row.dismissed) draftOf(state, drafts, row.incident_id)?.hear(value, row.silenced_by.length === 0)
  }
  const reason: Reason = { ...why, rules_version: state.rules.version }
  const changes: Change[] = []
  // In the order of opening, because maps differ after a restart.
  const affected = [...drafts.values()].sort((a, b) => comparePlaces(a.row.opened_place, b.row.opened_place))
  for (const draft of affected) {
    draft.tellMuting(reason)
    rows.push({ kind: 'incident', key: draft.incident.id, value: draft.row })
    changes.push(...draft.changes)
  }
  return { rows, changes }
}

function draftOf(
  state: State,
  drafts: Map<string, IncidentDraft>,
  incident_id: string,
): IncidentDraft | undefined {
  const home = homeOf(state, incident_id)
  if (!home) return undefined
  const draft = drafts.get(home.incident.id) ?? new IncidentDraft(home, state.time_ms)
  drafts.set(home.incident.id, draft)
  return draft
}
