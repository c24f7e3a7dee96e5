import type { Alert } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import { isUnresolved } from '../home.ts'
import type { AlertRow, State } from '../state.ts'
import { find, joinOrMerge, openFound } from './by_evidence.ts'
import { joinByRule, newestOf, openByRule } from './by_rule.ts'
import { groupKey, groupOf } from './labels.ts'
import { isChronic } from './learned.ts'
import { enter, open } from './seat.ts'

/**
 * Finds the incident of an alert, or opens one, with the reason: by the first grouping rule that matches, else by evidence.
 * `never` are incidents that evidence must not choose.
 */
export function placeAlert(
  state: State,
  fresh: AlertRow,
  place: Place,
  never: readonly string[] = [],
): Decision {
  const group = groupOf(state, fresh.alert)
  if (group) {
    const joined = joinByRule(state, fresh, group)
    if (joined) return joined
    if (isChronic(state, fresh.alert)) return leftOut(state, fresh)
    return isFull(state) ? overflow(state, fresh, place) : openByRule(state, fresh, group, place)
  }
  const found = find(state, fresh, never)
  const chronic = isChronic(state, fresh.alert)
  if (found.best && !(chronic && found.idle)) return joinOrMerge(state, fresh, found, found.best)
  if (chronic) return leftOut(state, fresh)
  return isFull(state) ? overflow(state, fresh, place) : openFound(state, fresh, found, place, null)
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
