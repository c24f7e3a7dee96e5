import type { Silence } from '../schemas/command.ts'
import { compileMatchers } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'
import { NOTHING_LEARNED } from '../schemas/learned.ts'
import { DEFAULT_EVIDENCE } from '../schemas/rules.ts'
import { scopeAndEntity } from './causes.ts'
import { EMPTY_BACKGROUND, type EntityHabits } from './rank/background.ts'
import { isUnresolved } from './home.ts'
import { Learned } from './match/learned.ts'
import { alertKind, mentionsOf } from './match/mentions.ts'
import {
  type AlertRow,
  type CommandOutcome,
  type IncidentRow,
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
}

function applyRow(state: State, row: Row): void {
  switch (row.kind) {
    case 'alert':
      return applyAlert(state, row.key, row.value)
    case 'incident':
      return applyIncident(state, row.key, row.value)
    case 'silence':
      return applySilence(state, row.key, row.value)
    case 'command':
      return applyCommand(state, row.key, row.value)
    case 'pace':
      state.paces.set(row.key, row.value)
      return
    case 'relation':
      if (row.value === null) state.relations.delete(row.key)
      else state.relations.set(row.key, row.value)
      return
    case 'episode':
      state.backgrounds.set(row.key, {
        head: row.value,
        habits: state.backgrounds.get(row.key)?.habits ?? new Map<string, EntityHabits>(),
      })
      return
    case 'habits':
      return applyHabits(state, row.key, row.value)
    case 'origin':
      state.origins.set(row.key, row.value)
      return
    case 'rules':
      return applyRules(state, row.value)
    case 'time':
      state.time_ms = row.value
  }
}

function applyAlert(state: State, key: string, value: AlertRow | null): void {
  const { derived } = state
  const old = state.alerts.get(key)
  if (old?.firing) derived.firing--
  if (!old || !value || !sameIndexed(old, value)) {
    if (old) unindex(state, old)
    if (value) index(state, value)
  }
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
  derived.timers.set('alert', key, value.firing ? value.expires_at_ms : value.forget_at_ms)
}

/** What is indexed follows from the incident, the labels and the entity. Repeats share their labels, or differ in none. */
function sameIndexed(old: AlertRow, row: AlertRow): boolean {
  if (old.incident_id !== row.incident_id || old.alert.entity !== row.alert.entity) return false
  const [before, after] = [old.alert.labels, row.alert.labels]
  if (before === after) return true
  const names = Object.keys(before)
  return names.length === Object.keys(after).length && names.every((name) => before[name] === after[name])
}

function index(state: State, { alert, incident_id }: AlertRow): void {
  if (incident_id === '') return
  const { members, mentioned, kinds } = state.derived
  const others = members.get(incident_id)
  if (others) others.add(alert.fingerprint)
  else members.set(incident_id, new Set([alert.fingerprint]))
  for (const { value } of mentionsOf(alert)) mentioned.add(alert.scope, value, incident_id)
  kinds.add(alert.scope, alertKind(alert), incident_id)
}

function unindex(state: State, { alert, incident_id }: AlertRow): void {
  if (incident_id === '') return
  const { members, mentioned, kinds } = state.derived
  const others = members.get(incident_id)
  if (others?.delete(alert.fingerprint) && others.size === 0) members.delete(incident_id)
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
  const place = (other: string) => state.incidents.get(other)?.opened_place ?? [0, 0]
  const ids = [...(state.derived.groups.get(group_key) ?? []), id]
  ids.sort((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1])
  state.derived.groups.set(group_key, ids)
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
  derived.timers.set('silence', key, nextTurn(value, state.time_ms))
}

/** When a silence begins, ends, or may be forgotten: whichever comes next after `now_ms`. */
function nextTurn(silence: Silence, now_ms: number): number {
  if (now_ms < silence.starts_at_ms) return silence.starts_at_ms
  if (now_ms < silence.ends_at_ms) return silence.ends_at_ms
  return silence.ends_at_ms + SILENCE_MEMORY_MS
}

function applyCommand(state: State, key: string, value: CommandOutcome | null): void {
  if (value === null) state.commands.delete(key)
  else state.commands.set(key, value)
  state.derived.timers.set('command', key, value === null ? null : value.at_ms + COMMAND_MEMORY_MS)
}

function applyRules(state: State, stored: Rules): void {
  // Rows stored before evidence was weighed, or anything was learned, have no rules for it.
  const rules = {
    ...stored,
    evidence: stored.evidence ?? DEFAULT_EVIDENCE,
    learned: stored.learned ?? NOTHING_LEARNED,
  }
  state.rules = rules
  state.derived.learned = new Learned(rules.learned, state.alerts)
  state.derived.rule_tests = rules.grouping.map((rule) => compileMatchers(rule.match))
}

const ROW_KINDS = Object.keys(ROW_PREFIX) as Row['kind'][]

/** The stored key of a row. */
export function storedKey(row: Row): string {
  return ROW_PREFIX[row.kind] + row.key
}

/** Puts a stored row back; `text` is the JSON of its value. Rows may come in any order, the time first or last. */
export function restoreRow(state: State, stored_key: string, text: string): void {
  const kind = ROW_KINDS.find((name) => stored_key.startsWith(ROW_PREFIX[name]))
  if (!kind) throw new RangeError(`a stored row has the unknown key ${stored_key}`)
  const value: unknown = JSON.parse(text)
  applyRow(state, { kind, key: stored_key.slice(2), value } as Row)
}
