import type { Alert } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Place } from '../../schemas/record.ts'
import { type Decision, NOTHING } from '../decision.ts'
import { isUnresolved } from '../home.ts'
import type { AlertRow, State } from '../state.ts'
import { joinAgreeing, openAgreeing } from './by_any_of.ts'
import { find, joinOrMerge, openFound } from './by_evidence.ts'
import { joinPartner, sightings } from './by_pair.ts'
import { joinByRule, newestOf, openAlone, openByRule } from './by_rule.ts'
import { agreeable, type CompiledPairs, type MatchingRule } from './compiled.ts'
import { type Group, groupIn, groupKey, groupOf } from './labels.ts'
import { isChronic } from './learned.ts'
import { enter, open } from './seat.ts'
import { isStorm, joinStorm } from './storm.ts'
import { enough, hold, released } from './waiting.ts'

/**
 * Finds the incident of an alert, or opens one, with the reason: by the first grouping rule that has an answer, else by evidence.
 * `never` are incidents that evidence must not choose.
 */
export function placeAlert(
  state: State,
  fresh: AlertRow,
  place: Place,
  never: readonly string[] = [],
): Decision {
  const { rules, halves } = state.derived.grouping
  let placed: Decision | null = null
  for (const compiled of rules) {
    placed = placeByRule(state, fresh, compiled, place)
    if (placed) break
  }
  placed ??= placeByEvidence(state, fresh, place, never)
  return halves.length === 0
    ? placed
    : { ...placed, rows: [...placed.rows, ...sightings(state, fresh.alert)] }
}

/** Null when the rule is not about the alert, or has no answer. */
function placeByRule(
  state: State,
  fresh: AlertRow,
  compiled: MatchingRule | CompiledPairs,
  place: Place,
): Decision | null {
  if (compiled.kind === 'pairs') return joinPartner(state, fresh, compiled)
  const { rule, test } = compiled
  if (!test(fresh.alert.labels)) return null
  if (rule.kind === 'never')
    return isFull(state) ? overflow(state, fresh, place) : openAlone(state, fresh, rule.name, place)
  if (rule.kind !== 'any_of') return placeInGroup(state, fresh, groupIn(state, fresh.alert, rule), place)
  if (agreeable(rule, fresh.alert.labels).length === 0) return null
  const joined = joinAgreeing(state, fresh, rule)
  return joined ?? (isFull(state) ? overflow(state, fresh, place) : openAgreeing(state, fresh, rule, place))
}

function placeInGroup(state: State, fresh: AlertRow, group: Group, place: Place): Decision {
  const joined = joinByRule(state, fresh, group)
  if (joined) return joined
  if (isChronic(state, fresh.alert)) return leftOut(state, fresh)
  const waited = enough(state, fresh, group)
  if (waited === null && group.rule.open_after) return hold(state, fresh, group, group.rule.open_after, place)
  return isFull(state) ? overflow(state, fresh, place) : openByRule(state, fresh, group, place, waited ?? [])
}

function placeByEvidence(state: State, fresh: AlertRow, place: Place, never: readonly string[]): Decision {
  const found = find(state, fresh, never)
  const chronic = isChronic(state, fresh.alert)
  if (found.best && !(chronic && found.idle)) return joinOrMerge(state, fresh, found, found.best)
  if (chronic) return leftOut(state, fresh)
  if (isFull(state)) return overflow(state, fresh, place)
  if (isStorm(state, fresh.alert.scope)) return joinStorm(state, fresh, found, place)
  return openFound(state, fresh, found, place, null)
}

/** Too few of its group came while an alert waited: it is in no incident. Where the rules have changed, they are asked anew. */
export function waitIsOver(state: State, fingerprint: string): Decision {
  const row = state.alerts.get(fingerprint)
  if (!row?.waiting) return NOTHING
  const rest = { ...released(row), joined_at_ms: state.time_ms }
  const group = groupOf(state, row.alert)
  const waits_still = group?.key === row.waiting.group_key && group.rule.open_after !== undefined
  if (!waits_still && row.firing) return placeAlert(state, rest, row.waiting.place)
  return {
    rows: [{ kind: 'alert', key: fingerprint, value: rest }],
    changes: [],
    unassigned: { fingerprint, code: 'too-few' },
  }
}

/**
 * A chronic alert opens no incident. It is kept as one that does not fire, so that a repeat finds it, and is looked at again whenever
 * it is told again.
 */
function leftOut(state: State, fresh: AlertRow): Decision {
  const { fingerprint } = fresh.alert
  const value: AlertRow = {
    ...fresh,
    incident_id: '',
    firing: false,
    ended_at_ms: state.time_ms,
    silenced_by: [],
    forget_at_ms: state.time_ms + LIMITS.ended_alert_kept_ms,
  }
  return {
    rows: [{ kind: 'alert', key: fingerprint, value }],
    changes: [],
    unassigned: { fingerprint, code: 'chronic' },
  }
}

function isFull(state: State): boolean {
  return state.derived.unresolved >= LIMITS.unresolved_incidents_per_partition
}

/** Too many incidents are open: what would open another joins the one overflow incident of its scope. */
function overflow(state: State, fresh: AlertRow, place: Place): Decision {
  const group_key = overflowKey(fresh.alert)
  const text = `More than ${LIMITS.unresolved_incidents_per_partition} incidents are open: further alerts of this scope gather here.`
  const row: AlertRow = {
    ...fresh,
    reason: { code: 'overflow', rule: '', rules_version: state.rules.version, text },
  }
  const home = newestOf(state, group_key)
  if (home && isUnresolved(home)) return enter(state, { ...row, incident_id: home.incident.id }, home, null)
  return open(state, row, { group_key, group: {}, rule: '', pace: null }, place)
}

function overflowKey(alert: Alert): string {
  return groupKey(alert.scope, '', { overflow: 'yes' })
}
