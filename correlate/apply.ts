import type { Alert, Labels } from '../schemas/alert.ts'
import { isWithin, nextTurn } from '../schemas/calendar.ts'
import type { Silence } from '../schemas/command.ts'
import { compileMatchers } from '../schemas/matching.ts'
import { DEFAULT_RULES, type Rules } from '../schemas/rules.ts'
import {
  NO_RELATIONS,
  relationKey,
  type RelationRow,
  scopeAndEntity,
  storedRelations,
} from './match/relations.ts'
import { compileHeartbeats } from './declared_heartbeats.ts'
import { EMPTY_BACKGROUND, type EntityHabits } from './rank/background.ts'
import { compareOpened, isUnresolved } from './home.ts'
import type { SightingRow } from './match/by_pair.ts'
import { agreements, compileGrouping } from './match/compiled.ts'
import { IncidentIndex } from './match/incident_index.ts'
import { Learned } from './match/learned.ts'
import { alertKind, mentionsOf } from './match/mentions.ts'
import { upstreamOf } from './match/upstream.ts'
import type { Waiting } from './match/waiting.ts'
import {
  type AlertRow,
  type CommandOutcome,
  type IncidentRow,
  type MaintenanceRow,
  type Shelf,
  ROW_PREFIX,
  type Row,
  type State,
} from './state.ts'

/** What became of a command is remembered for a day. */
const COMMAND_MEMORY_MS = 86_400_000
/** An expired silence stays visible for five days, as in Alertmanager. */
export const SILENCE_MEMORY_MS = 5 * 86_400_000

/** Installs rows, and with them what follows from rows. The only place that writes a State. */
export function apply(state: State, rows: readonly Row[]): void {
  for (const row of rows) applyRow(state, row)
  if (state.derived.dependencies.outdated) resetDependencies(state)
}

function applyRow(state: State, row: Row): void {
  switch (row.kind) {
    case 'alert':
      return applyAlert(state, row.key, row.value)
    case 'incident':
      return applyIncident(state, row.key, row.value)
    case 'silence':
      return applySilence(state, row.key, row.value)
    case 'maintenance':
      return applyMaintenance(state, row.key, row.value)
    case 'shelf':
      return applyShelf(state, row.key, row.value)
    case 'command':
      return applyCommand(state, row.key, row.value)
    case 'pace':
      state.paces.set(row.key, row.value)
      state.derived.timers.set('storm', row.key, row.value.storm_until_ms ?? null)
      return
    case 'relation':
      return applyRelation(state, row)
    case 'links':
      state.links.set(row.key, row.value)
      return
    case 'topology':
      state.topologies.set(row.key, row.value)
      return
    case 'episode':
      state.backgrounds.set(row.key, {
        head: row.value,
        habits: state.backgrounds.get(row.key)?.habits ?? new Map<string, EntityHabits>(),
      })
      return
    case 'habits':
      return applyHabits(state, row.key, row.value)
    case 'change-events':
      if (row.value === null) state.change_events.delete(row.key)
      else state.change_events.set(row.key, row.value)
      return
    case 'sighting':
      return applySighting(state, row.key, row.value)
    case 'heartbeat':
      if (row.value === null) state.heartbeats.delete(row.key)
      else state.heartbeats.set(row.key, row.value)
      state.derived.timers.set('heartbeat', row.key, row.value?.due_at_ms ?? null)
      return
    case 'origin':
      state.origins.set(row.key, row.value)
      return
    case 'rules':
      return applyRules(state, row.value)
    case 'time':
      state.time_ms = row.value
  }
}

function applyRelation(state: State, { scope, key, value }: Extract<Row, { kind: 'relation' }>): void {
  const { derived, relations } = state
  const before = relations.get(scope, key) ?? NO_RELATIONS
  if (before.declared !== (value ?? NO_RELATIONS).declared) derived.dependencies.topologyChanged()
  if (value === null) relations.delete(scope, key)
  else relations.set(scope, key, value)
  derived.vicinity.changed(scope, key)
}

function applyAlert(state: State, key: string, value: AlertRow | null): void {
  const { derived } = state
  const old = state.alerts.get(key)
  if (old?.firing) derived.firing--
  if (old?.waiting !== value?.waiting) applyWaiting(state, key, old?.waiting, value?.waiting)
  if (!old || !value || !sameIndexed(old, value)) {
    if (old) unindex(state, old)
    if (value) index(state, value)
  }
  if (derived.dependencies.inUse) applyDependencies(state, key, old, value)
  derived.learned.note(old ?? null, value)
  if (value === null) {
    state.alerts.delete(key)
    derived.seen.delete(key)
    derived.timers.set('alert', key, null)
    return
  }
  if (value.firing) derived.firing++
  state.alerts.set(key, value)
  derived.seen.set(key, value)
  derived.timers.set('alert', key, alertTurn(value))
}

/** When an alert stops, may be forgotten, has waited long enough, or is steady again. */
function alertTurn({ firing, expires_at_ms, forget_at_ms, history, held }: AlertRow): number | null {
  if (!firing) return forget_at_ms
  if (held) return Math.min(expires_at_ms, held.until_ms)
  if (history?.settles_at_ms == null) return expires_at_ms
  return history.rests_since_ms === null
    ? Math.min(expires_at_ms, history.settles_at_ms)
    : history.settles_at_ms
}

/** Everything that suppresses, and is suppressed, is looked up anew. */
function resetDependencies(state: State): void {
  state.derived.dependencies.reset(
    state.rules.suppression,
    [...state.alerts.values()].filter(counts).map(({ alert }) => alert),
    (scope, entity) => upstreamOf(state, scope, entity),
  )
}

/** Only an alert that begins, stops or has other labels than before is looked at. */
function applyDependencies(
  { derived }: State,
  key: string,
  old: AlertRow | undefined,
  value: AlertRow | null,
): void {
  const before = old && counts(old) ? old.alert : null
  const after = value && counts(value) ? value.alert : null
  if (before === after || (before && after && sameSpots(before, after))) return
  derived.dependencies.set(key, after)
}

/** An alert that an operator dismissed counts for nothing, though its source says that it fires. */
function counts(row: AlertRow): boolean {
  return row.firing && !row.dismissed
}

function sameSpots(a: Alert, b: Alert): boolean {
  return a.entity === b.entity && sameLabels(a.labels, b.labels)
}

function sameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

function applyWaiting(
  state: State,
  key: string,
  old: Waiting | undefined,
  waiting: Waiting | undefined,
): void {
  const { derived } = state
  if (old) derived.waiting.remove(old.group_key, key)
  if (waiting) derived.waiting.add(waiting.group_key, key)
  derived.timers.set('waiting', key, waiting?.until_ms ?? null)
}

function applySighting(state: State, key: string, value: SightingRow | null): void {
  if (value === null) state.sightings.delete(key)
  else state.sightings.set(key, value)
  state.derived.timers.set('sighting', key, value?.until_ms ?? null)
}

/** What is indexed follows from the incident, the labels and the entity. Repeats share their labels, or differ in none. */
function sameIndexed(old: AlertRow, row: AlertRow): boolean {
  if (old.incident_id !== row.incident_id || old.alert.entity !== row.alert.entity) return false
  return old.alert.labels === row.alert.labels || sameLabels(old.alert.labels, row.alert.labels)
}

function index(state: State, { alert, incident_id }: AlertRow): void {
  if (incident_id === '') return
  const { members, mentioned, kinds, grouping } = state.derived
  const others = members.get(incident_id)
  if (others) others.add(alert.fingerprint)
  else members.set(incident_id, new Set([alert.fingerprint]))
  if (grouping.with_any_of) indexAgreements(state, alert, incident_id)
  for (const { value } of mentionsOf(alert)) mentioned.add(alert.scope, value, incident_id)
  kinds.add(alert.scope, alertKind(alert), incident_id)
}

function indexAgreements({ derived }: State, alert: Alert, incident_id: string): void {
  for (const value of agreements(derived.grouping, alert.labels))
    derived.agreed.add(alert.scope, value, incident_id)
}

function unindex(state: State, { alert, incident_id }: AlertRow): void {
  if (incident_id === '') return
  const { members, mentioned, kinds, grouping, agreed } = state.derived
  const others = members.get(incident_id)
  if (others?.delete(alert.fingerprint) && others.size === 0) members.delete(incident_id)
  if (grouping.with_any_of)
    for (const value of agreements(grouping, alert.labels)) agreed.remove(alert.scope, value, incident_id)
  for (const { value } of mentionsOf(alert)) mentioned.remove(alert.scope, value, incident_id)
  kinds.remove(alert.scope, alertKind(alert), incident_id)
}

function applyIncident(state: State, key: string, value: IncidentRow | null): void {
  const { derived } = state
  const old = state.incidents.get(key)
  if (old && isUnresolved(old)) derived.unresolved--
  if (old && (value === null || value.group_key !== old.group_key)) leaveGroup(state, old.group_key, key)
  if (value === null) {
    state.incidents.delete(key)
    derived.timers.set('incident', key, null)
    return
  }
  if (isUnresolved(value)) derived.unresolved++
  state.incidents.set(key, value)
  if (!old || value.group_key !== old.group_key) enterGroup(state, value.group_key, key)
  derived.timers.set('incident', key, value.tell_at_ms ?? value.retire_at_ms)
}

function leaveGroup(state: State, group_key: string, id: string): void {
  const rest = (state.derived.groups.get(group_key) ?? []).filter((other) => other !== id)
  if (rest.length > 0) state.derived.groups.set(group_key, rest)
  else state.derived.groups.delete(group_key)
}

function enterGroup(state: State, group_key: string, id: string): void {
  const ids = [...(state.derived.groups.get(group_key) ?? []), id]
  const rows = ids.map((other) => state.incidents.get(other)).filter((row) => row !== undefined)
  state.derived.groups.set(
    group_key,
    rows.sort(compareOpened).map(({ incident }) => incident.id),
  )
}

function applyHabits(state: State, key: string, value: EntityHabits | null): void {
  const [scope, entity] = scopeAndEntity(key)
  const background = state.backgrounds.get(scope) ?? {
    head: EMPTY_BACKGROUND.head,
    habits: new Map<string, EntityHabits>(),
  }
  state.backgrounds.set(scope, background)
  if (value === null) background.habits.delete(entity)
  else background.habits.set(entity, value)
}

function applySilence(state: State, key: string, value: Silence | null): void {
  const { derived } = state
  if (value === null) {
    state.silences.delete(key)
    derived.silence_tests.delete(key)
    derived.timers.set('silence', key, null)
    return
  }
  state.silences.set(key, value)
  derived.silence_tests.set(key, compileMatchers(value.matchers))
  derived.timers.set('silence', key, silenceTurn(value, state.time_ms))
}

/** When a silence begins, ends, or may be forgotten: whichever comes next after `now_ms`. */
function silenceTurn(silence: Silence, now_ms: number): number {
  if (now_ms < silence.starts_at_ms) return silence.starts_at_ms
  if (now_ms < silence.ends_at_ms) return silence.ends_at_ms
  return silence.ends_at_ms + SILENCE_MEMORY_MS
}

function applyMaintenance(state: State, key: string, value: MaintenanceRow | null): void {
  const { derived } = state
  if (value === null) {
    state.maintenance.delete(key)
    derived.maintenance_now.delete(key)
    derived.timers.set('maintenance', key, null)
    return
  }
  state.maintenance.set(key, value)
  // What it costs to ask a calendar is paid at its turns, not by every alert.
  if (isWithin(value.window, state.time_ms))
    derived.maintenance_now.set(key, compileMatchers(value.window.match))
  else derived.maintenance_now.delete(key)
  derived.timers.set('maintenance', key, nextTurn(value.window, state.time_ms))
}

function applyShelf(state: State, key: string, value: Shelf | null): void {
  if (value === null) state.shelves.delete(key)
  else state.shelves.set(key, value)
  state.derived.timers.set('shelf', key, value && value.until_ms)
}

function applyCommand(state: State, key: string, value: CommandOutcome | null): void {
  if (value === null) state.commands.delete(key)
  else state.commands.set(key, value)
  state.derived.timers.set('command', key, value === null ? null : value.at_ms + COMMAND_MEMORY_MS)
}

function applyRules(state: State, rules: Rules): void {
  // Rules that were stored by an older version lack what is new.
  const before = state.rules.suppression
  state.rules = { ...DEFAULT_RULES, ...rules }
  const { suppression } = state.rules
  if (JSON.stringify(before) !== JSON.stringify(suppression)) resetDependencies(state)
  const { derived } = state
  derived.heartbeats = compileHeartbeats(state.rules.heartbeats)
  derived.learned = new Learned(state.rules.learned, state.alerts)
  derived.grouping = compileGrouping(rules.grouping)
  derived.agreed = new IncidentIndex()
  if (!derived.grouping.with_any_of) return
  for (const { alert, incident_id } of state.alerts.values())
    if (incident_id !== '') indexAgreements(state, alert, incident_id)
}

const ROW_KINDS = Object.keys(ROW_PREFIX) as Row['kind'][]

/** The stored key of a row. */
export function storedKey(row: Row): string {
  return ROW_PREFIX[row.kind] + (row.kind === 'relation' ? relationKey(row.scope, row.key) : row.key)
}

/** Puts a stored row back; `text` is the JSON of its value. Rows may come in any order, the time first or last. */
export function restoreRow(state: State, stored_key: string, text: string): void {
  const kind = ROW_KINDS.find((name) => stored_key.startsWith(ROW_PREFIX[name]))
  if (!kind) throw new RangeError(`a stored row has the unknown key ${stored_key}`)
  const value: unknown = JSON.parse(text)
  const key = stored_key.slice(2)
  if (kind !== 'relation') return applyRow(state, { kind, key, value } as Row)
  const [scope, entity] = scopeAndEntity(key)
  applyRow(state, { kind, scope, key: entity, value: storedRelations(value as RelationRow) })
}

/** After the last stored row: what follows from the state's time, which may have come after the rows of calendars. */
export function restored(state: State): void {
  for (const [key, value] of state.silences) applySilence(state, key, value)
  for (const [key, value] of state.maintenance) applyMaintenance(state, key, value)
  // Alerts may have been restored before the topology that they were looked up in.
  if (state.derived.dependencies.readsTopology) resetDependencies(state)
  state.derived.dependencies.settled()
}
