import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import type { Reason } from '../../schemas/incident.ts'
import { IncidentDraft } from '../draft.ts'
import { familyOf, homeOf, isUnresolved } from '../home.ts'
import { fireAgain, resolveIfQuiet } from '../lifecycle.ts'
import type { AlertRow, IncidentRow, State } from '../state.ts'
import { find, joinFound, openFound, paced } from './by_evidence.ts'
import { isChronic } from './learned.ts'
import { heatAt, NO_PACE, raised, type Usual } from './pace.ts'
import { placeAlert } from './place.ts'

/**
 * An alert that fires and is told to have begun once more: the condition went and came back, and nobody told the end. One such
 * alert is a repeat. When several members of an incident begin anew together, something else has happened in the same place: they
 * open an incident beside the first, which takes the rest of the burst.
 */

/** A sender that tells when alerts end repeats what fires; replicas of it differ in the start by up to their evaluation interval. */
const ANEW_AFTER_MS = { told_without_end: 1_000, told_with_end: 120_000 }
/** This many members that begin anew within this time make a burst, unless the incident is younger than that. */
const BURST_ALERTS = 4
const BURST_MS = 10_000
const BURST_AGE_MS = 20_000
/** Incidents that an alert was in before. */
const FORMER_MAX = 4

/** Whether the statement is of another occurrence than the one that the row is about. */
export function isAnew(state: State, row: AlertRow, starts_at_ms: number): boolean {
  const { told_without_end, told_with_end } = ANEW_AFTER_MS
  const after_ms = row.by_timeout ? told_without_end : told_with_end
  if (starts_at_ms <= (row.last_start_ms ?? row.alert.starts_at_ms) + after_ms) return false
  // What was left out of incidents has come again.
  if (row.incident_id === '') return !row.waiting && !row.held
  return Boolean(homeOf(state, row.incident_id)?.pace)
}

/** `next` is the alert's row with what the statement says, still in its old incident; not firing if it had stopped there. */
export function beginAnew(state: State, next: AlertRow, place: Place): Decision {
  if (next.incident_id === '') return placeAlert(state, next, place)
  const home = homeOf(state, next.incident_id)
  if (!home?.pace) return kept(next)
  // One that fires all the time begins anew all the time.
  if (isChronic(state, next.alert) && isUnresolved(home)) return stays(state, next, home)
  const usual: Usual = {
    usual_per_s: (state.paces.get(next.alert.scope) ?? NO_PACE).usual_per_s,
    quiet_ms: state.rules.evidence.quiet_ms,
  }
  const never = [home.incident.id, ...(next.was_in ?? [])]
  if (!isUnresolved(home) || heatAt(home.pace, state.time_ms, usual) <= 0)
    return moved(state, next, home, (row) => placeAlert(state, row, place, never))
  const found = find(state, next, never)
  const { best } = found
  if (best && !found.idle && familyOf(best.row) === familyOf(home))
    return moved(state, next, home, (row) => joinFound(state, row, found, best))
  const anew_at_ms = [
    ...home.pace.anew_at_ms.filter((at_ms) => state.time_ms - at_ms <= BURST_MS),
    state.time_ms,
  ].slice(-BURST_ALERTS)
  const old_enough = state.time_ms - home.incident.opened_at_ms >= BURST_AGE_MS
  if (anew_at_ms.length >= BURST_ALERTS && old_enough)
    return moved(state, next, { ...home, pace: { ...home.pace, anew_at_ms: [] } }, (row) =>
      openFound(state, row, found, place, home),
    )
  const pace = { ...raised(home.pace, state.time_ms, usual), anew_at_ms }
  return stays(state, next, { ...home, pace })
}

/** A repeat, or back in its incident if it had stopped. */
function stays(state: State, row: AlertRow, home: IncidentRow): Decision {
  const { id } = home.incident
  const counted = paced(state, row.alert, id)
  if (row.firing)
    return {
      rows: [...kept(row).rows, { kind: 'incident', key: id, value: home }, ...counted],
      changes: [],
    }
  const reason: Reason = {
    code: 'fired-again',
    rule: '',
    rules_version: state.rules.version,
    text: 'The alert fired again and belonged here before.',
  }
  const again = fireAgain(state, home, { ...row, firing: true, reason }, true)
  return { ...again, rows: [...again.rows, ...counted] }
}

function kept(row: AlertRow): Decision {
  return { rows: [{ kind: 'alert', key: row.alert.fingerprint, value: row }], changes: [] }
}

/** The alert leaves its incident, in which it counts as ended, for the one that `seat` gives it; where that is its own, it stays. */
function moved(state: State, row: AlertRow, home: IncidentRow, seat: (row: AlertRow) => Decision): Decision {
  const { rules, time_ms } = state
  const was_in = [home.incident.id, ...(row.was_in ?? [])].slice(0, FORMER_MAX)
  const seated = seat({ ...row, firing: true, was_in, joined_at_ms: time_ms, updated_at_ms: time_ms })
  // Evidence does not choose it, but a rule may: the partner of a pair is there.
  const { fingerprint } = row.alert
  const own = seated.rows.findLast((one) => one.kind === 'alert' && one.key === fingerprint)
  if (own?.kind === 'alert' && own.value?.incident_id === home.incident.id) return stays(state, row, home)
  const draft = new IncidentDraft(home, time_ms)
  if (row.firing) {
    draft.end({ ...row, firing: false, ended_at_ms: time_ms }, row.silenced_by.length === 0)
    resolveIfQuiet(draft, rules, null)
  }
  return {
    ...seated,
    rows: [{ kind: 'incident', key: home.incident.id, value: draft.row }, ...seated.rows],
    changes: [...draft.changes, ...seated.changes],
  }
}
