import type { Alert } from '../schemas/alert.ts'
import type { Change } from '../schemas/change.ts'
import type { CommandBody, Silence } from '../schemas/command.ts'
import type { Reason } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import { compileMatchers, MatcherError } from '../schemas/matching.ts'
import { SILENCE_MEMORY_MS } from './apply.ts'
import { type Decision, NOTHING } from './decision.ts'
import { homeOf } from './home.ts'
import { IncidentDraft } from './draft.ts'
import type { Done } from './decision.ts'
import type { AlertRow, LabelTest, Row, State } from './state.ts'

function isActive(silence: Silence, now_ms: number): boolean {
  return silence.starts_at_ms <= now_ms && now_ms < silence.ends_at_ms
}

/** Ids of the silences that mute an alert now, sorted. */
export function silencedBy(state: State, alert: Alert): readonly string[] {
  const ids: string[] = []
  for (const silence of state.silences.values()) {
    if (isActive(silence, state.time_ms) && state.derived.silence_tests.get(silence.id)?.(alert.labels))
      ids.push(silence.id)
  }
  return ids.sort()
}

/** Makes, changes or ends a silence, and mutes or unmutes what fires. */
export function changeSilences(
  state: State,
  actor: string,
  body: Extract<CommandBody, { kind: 'silence' | 'expire-silence' }>,
): Done {
  if (body.kind === 'silence')
    return setSilence(state, { ...body.silence, created_by: body.silence.created_by || actor })
  const silence = state.silences.get(body.silence_id)
  if (!silence || silence.ends_at_ms <= state.time_ms)
    return refusedSilence(`no silence ${body.silence_id} is active or pending`)
  // A pending silence ends before it began, as in Alertmanager: both times become now.
  return setSilence(state, {
    ...silence,
    starts_at_ms: Math.min(silence.starts_at_ms, state.time_ms),
    ends_at_ms: state.time_ms,
    updated_at_ms: state.time_ms,
  })
}

function refusedSilence(refused: string): Done {
  return { rows: [], changes: [], refused }
}

function setSilence(state: State, silence: Silence): Done {
  if (!state.silences.has(silence.id) && state.silences.size >= LIMITS.silences_per_partition) {
    return refusedSilence(`there are ${LIMITS.silences_per_partition} silences already`)
  }
  const test = testOf(silence)
  if (typeof test === 'string') return refusedSilence(test)
  const spread = remute(state, silence, test)
  return {
    rows: [{ kind: 'silence', key: silence.id, value: silence }, ...spread.rows],
    changes: spread.changes,
    refused: null,
  }
}

function testOf(silence: Silence): LabelTest | string {
  try {
    return compileMatchers(silence.matchers)
  } catch (error) {
    if (error instanceof MatcherError) return error.message
    throw error
  }
}

/** A silence begins, ends, or is old enough to be forgotten. */
export function silenceTurns(state: State, silence_id: string): Decision {
  const silence = state.silences.get(silence_id)
  const test = state.derived.silence_tests.get(silence_id)
  if (!silence || !test) return NOTHING
  if (state.time_ms >= silence.ends_at_ms + SILENCE_MEMORY_MS)
    return { rows: [{ kind: 'silence', key: silence_id, value: null }], changes: [] }
  const spread = remute(state, silence, test)
  return {
    rows: [{ kind: 'silence', key: silence_id, value: silence }, ...spread.rows],
    changes: spread.changes,
  }
}

/** Brings the mutes by this one silence up to date on every alert that fires. */
function remute(state: State, silence: Silence, test: LabelTest): { rows: Row[]; changes: Change[] } {
  const active = isActive(silence, state.time_ms)
  const drafts = new Map<string, IncidentDraft>()
  const rows: Row[] = []
  for (const row of state.alerts.values()) {
    const muted = active && test(row.alert.labels)
    if (!row.firing || muted === row.silenced_by.includes(silence.id)) continue
    const others = row.silenced_by.filter((id) => id !== silence.id)
    const value: AlertRow = { ...row, silenced_by: muted ? [...others, silence.id].sort() : others }
    rows.push({ kind: 'alert', key: row.alert.fingerprint, value })
    if (!row.dismissed) draftOf(state, drafts, row.incident_id)?.hear(value, row.silenced_by.length === 0)
  }
  const reason: Reason = {
    code: 'silenced',
    rule: '',
    rules_version: state.rules.version,
    text: active
      ? `Silence ${silence.id} by ${silence.created_by} began: ${silence.comment}`
      : `Silence ${silence.id} by ${silence.created_by} is over.`,
  }
  const changes: Change[] = []
  for (const id of [...drafts.keys()].sort()) {
    const draft = drafts.get(id) as IncidentDraft
    draft.tellMuting(reason)
    rows.push({ kind: 'incident', key: id, value: draft.row })
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
