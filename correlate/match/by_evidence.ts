import type { Alert } from '../../schemas/alert.ts'
import type { Reason } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import { familyOf } from '../home.ts'
import type { AlertRow, IncidentRow, Row, State } from '../state.ts'
import { type Apart, apartFrom } from './apart.ts'
import { bridgeOf, crossed } from './bridge.ts'
import { type Survey, survey } from './evidence.ts'
import { groupKey } from './labels.ts'
import { isChronic } from './learned.ts'
import { firstPace, NO_PACE, raised, withAlert } from './pace.ts'
import { learnedRelations } from './relations.ts'
import { enter, open, openedId } from './seat.ts'
import { type Candidate, termsOf } from './weigh.ts'
import { JOINED, packed, rounded, type Why } from './why.ts'

/** What the evidence came to for one alert. */
export interface Finding {
  /** Without incidents that the alert must not join. */
  readonly survey: Survey
  /** The incident to join. */
  readonly best: Candidate | null
  /** The best of the others, for people: what was nearly chosen, or what would have been. */
  readonly runner_up: Candidate | null
  /** The best incident takes no alerts any more but those about its own entities. */
  readonly idle: boolean
  /** What would have been strong enough, had a rule not kept the alert apart from it. */
  readonly kept_apart: (Apart & { readonly incident_id: string }) | null
}

/** Looks for the incident of an alert. `never` are incidents that it must not join. */
export function find(state: State, fresh: AlertRow, never: readonly string[]): Finding {
  const found = survey(state, fresh.alert)
  let kept_apart: Finding['kept_apart'] = null
  const allowed = ({ row, strength }: Candidate) => {
    const incident_id = row.incident.id
    if (never.includes(incident_id)) return false
    const apart = apartFrom(state, fresh.alert, row)
    if (apart === null) return true
    if (strength >= state.rules.evidence.join_at) kept_apart ??= { ...apart, incident_id }
    return false
  }
  const live = found.live.filter(allowed)
  const strong = live.find(({ strength }) => strength >= state.rules.evidence.join_at) ?? null
  const idle = strong ? null : (found.idle.find(allowed) ?? null)
  const best = strong ?? idle
  return {
    survey: { ...found, live },
    best,
    runner_up: live.find((other) => other !== best) ?? null,
    idle: idle !== null,
    kept_apart,
  }
}

/** The alert joins the incident that was found; if it belongs to two, they may turn out to be one. */
export function joinOrMerge(state: State, fresh: AlertRow, found: Finding, best: Candidate): Decision {
  const bridge = found.idle || isChronic(state, fresh.alert) ? null : bridgeOf(state, found)
  if (bridge === null) return joinFound(state, fresh, found, best)
  const [older, younger] = bridge
  const { merged, younger: noted, changes } = crossed(state, older.row, younger.row)
  if (merged === null) {
    const joined = joinFound(state, fresh, found, best === younger ? { ...best, row: noted } : best)
    const rows: readonly Row[] =
      best === younger
        ? joined.rows
        : [{ kind: 'incident', key: noted.incident.id, value: noted }, ...joined.rows]
    return { rows, changes: [...changes, ...joined.changes] }
  }
  const parent = merged.rows.findLast((row) => row.kind === 'incident' && row.key === older.row.incident.id)
  const row = parent?.kind === 'incident' && parent.value ? parent.value : older.row
  const joined = joinFound(state, fresh, found, { ...older, row })
  return { rows: [...merged.rows, ...joined.rows], changes: [...merged.changes, ...joined.changes] }
}

/** The alert joins the incident that was found. */
export function joinFound(state: State, fresh: AlertRow, found: Finding, best: Candidate): Decision {
  const { row } = best
  const { usual } = found.survey
  // An alert that an incident takes for its entity alone does not keep it going, nor does one that fires all the time.
  const keeps_going = !found.idle && !isChronic(state, fresh.alert)
  const pace = row.pace && keeps_going ? raised(row.pace, state.time_ms, usual) : (row.pace ?? null)
  const reason = joinedReason(state, found, best)
  const entered = enter(state, { ...fresh, incident_id: row.incident.id, reason }, row, pace)
  return withLearned(state, fresh, found.survey, row.incident.id, entered)
}

/** The alert opens an incident, because none was found or, with `burst`, because the members of one began anew together. */
export function openFound(
  state: State,
  fresh: AlertRow,
  found: Finding,
  place: Place,
  burst: IncidentRow | null,
): Decision {
  const reason = openedReason(state, found, burst)
  const opening = {
    group_key: groupKey(fresh.alert.scope, '', { fingerprint: fresh.alert.fingerprint }),
    group: {},
    rule: '',
    pace: firstPace(state.time_ms, burst && familyOf(burst), found.survey.usual),
  }
  const opened = open(state, { ...fresh, reason }, opening, place)
  return withLearned(state, fresh, found.survey, openedId(state, fresh, place), opened)
}

/** The pace of the scope and what the labels taught go with the decision. */
function withLearned(
  state: State,
  { alert }: AlertRow,
  { mentions }: Survey,
  incident_id: string,
  decision: Decision,
): Decision {
  const rows = [
    ...decision.rows,
    ...learnedRelations(state, alert, mentions),
    ...paced(state, alert, incident_id),
  ]
  return { ...decision, rows }
}

/** The pace of the alert's scope after the alert, which `incident_id` took. */
export function paced(state: State, { scope }: Alert, incident_id: string): Row[] {
  const pace = state.paces.get(scope)
  if (!pace && state.paces.size >= LIMITS.paced_scopes_per_partition) return []
  return [{ kind: 'pace', key: scope, value: withAlert(pace ?? NO_PACE, state.time_ms, incident_id) }]
}

/** What came second, if it is worth a word. */
function runnerUp({ runner_up }: Finding): Reason['runner_up'] {
  if (runner_up === null || rounded(runner_up.strength) === 0) return undefined
  return { incident_id: runner_up.row.incident.id, strength: rounded(runner_up.strength) }
}

function joinedReason(state: State, found: Finding, best: Candidate): Why {
  return packed({
    code: found.idle ? JOINED.idle : JOINED.related,
    rules_version: state.rules.version,
    gap_ms: state.time_ms - best.row.last_joined_at_ms,
    strength: rounded(best.strength),
    runner_up: runnerUp(found) ?? null,
    terms: termsOf(best),
  })
}

function openedReason(state: State, found: Finding, burst: IncidentRow | null): Reason {
  const rules_version = state.rules.version
  if (burst)
    return {
      code: 'new-burst',
      rule: '',
      rules_version,
      text: `Opened beside ${burst.incident.id}: alerts of that incident began anew together.`,
    }
  const { kept_apart } = found
  const runner_up = runnerUp(found)
  const second = runner_up ? { runner_up } : {}
  const text = `Opened: ${nearestText(state, found)}.`
  if (kept_apart === null) return { code: 'unrelated', rule: '', rules_version, text, ...second }
  return {
    code: 'kept-apart',
    rule: kept_apart.rule,
    rules_version,
    text: `${text} Rule ${kept_apart.rule} keeps it apart from ${kept_apart.incident_id}: ${kept_apart.text}.`,
    ...second,
  }
}

function nearestText(state: State, { runner_up, kept_apart }: Finding): string {
  if (runner_up !== null)
    return `the evidence for the nearest, ${runner_up.row.incident.id}, is ${rounded(runner_up.strength)}, less than ${state.rules.evidence.join_at}`
  return kept_apart === null
    ? 'no open incident of this scope takes alerts now'
    : 'no other open incident of this scope takes alerts now'
}
