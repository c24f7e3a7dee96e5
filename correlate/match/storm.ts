import type { Change } from '../../schemas/change.ts'
import type { Incident, Reason } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Place } from '../../schemas/record.ts'
import { type Decision, NOTHING } from '../decision.ts'
import { IncidentDraft, SYSTEM } from '../draft.ts'
import { compareOpened, isUnresolved } from '../home.ts'
import type { AlertRow, IncidentRow, Row, State } from '../state.ts'
import { type Finding, joinFound, paced } from './by_evidence.ts'
import { withSeparate } from './apart.ts'
import { newestOf } from './by_rule.ts'
import { groupKey } from './labels.ts'
import { alertKind } from './mentions.ts'
import { enter, open, openedId } from './seat.ts'
import { NEAR_MIN } from './weigh.ts'

/**
 * A scope in which alerts come by the thousand opens no incident for each that nothing speaks for: those near an open incident join it,
 * the rest gather in the one storm incident of the scope, which counts them by kind and class of entity. No alert is lost: each is a
 * member, and in the history. When the storm has passed, that is told.
 */

/** The group of a scope's storm. */
const STORM = { storm: 'yes' }

export function isStorm(state: State, scope: string): boolean {
  return (state.paces.get(scope)?.storm_until_ms ?? null) !== null
}

/** Where an alert goes that would open an incident in a storm. */
export function joinStorm(state: State, fresh: AlertRow, found: Finding, place: Place): Decision {
  const near = found.survey.live.find(({ nearness }) => nearness >= NEAR_MIN)
  if (near) return joinFound(state, fresh, found, near)
  const group_key = groupKey(fresh.alert.scope, '', withSeparate(state, fresh.alert, STORM))
  const reason: Reason = {
    code: 'storm',
    rule: '',
    rules_version: state.rules.version,
    text: 'Alerts come by the thousand in this scope, and nothing speaks for another incident.',
  }
  const row: AlertRow = { ...fresh, reason }
  const home = newestOf(state, group_key)
  if (home && isUnresolved(home)) {
    const { id } = home.incident
    const entered = enter(state, { ...row, incident_id: id }, withCounter(home, row), null)
    return { ...entered, rows: [...entered.rows, ...paced(state, row.alert, id)] }
  }
  const storm = withCounts(null, row)
  const opened = open(state, row, { group_key, group: {}, rule: '', pace: null, storm }, place)
  return { ...opened, rows: [...opened.rows, ...paced(state, row.alert, openedId(state, row, place))] }
}

function withCounter(home: IncidentRow, row: AlertRow): IncidentRow {
  return { ...home, incident: { ...home.incident, storm: withCounts(home.incident.storm ?? null, row) } }
}

type Storm = NonNullable<Incident['storm']>

/** Digits stand for any: `checkout-17` and `checkout-3` are one class. */
function entityClass(entity: string): string {
  return entity.replace(/\d+/g, '#')
}

function withCounts(storm: Storm | null, { alert }: AlertRow): Storm {
  const kind = alertKind(alert)
  const entity_class = entityClass(alert.entity)
  const counters = storm?.counters ?? []
  const at = counters.findIndex((one) => one.kind === kind && one.entity_class === entity_class)
  const known = counters[at]
  if (known)
    return { counters: counters.with(at, { ...known, alerts: known.alerts + 1 }), others: storm?.others ?? 0 }
  if (counters.length >= LIMITS.storm_counters) return { counters, others: (storm?.others ?? 0) + 1 }
  return {
    counters: [...counters, { kind, entity_class, alerts: 1, example: alert.fingerprint }],
    others: storm?.others ?? 0,
  }
}

/** The storm of a scope has passed. Where rules keep alerts apart it gathered in several incidents. */
export function stormEnds(state: State, scope: string): Decision {
  const pace = state.paces.get(scope)
  if (!pace) return NOTHING
  const rows: Row[] = [{ kind: 'pace', key: scope, value: { ...pace, storm_until_ms: null } }]
  const changes: Change[] = []
  for (const home of gatheredIn(state, scope)) {
    const draft = new IncidentDraft(home, state.time_ms)
    const text = `The storm has passed: ${home.incident.members_total} alerts gathered here, ${home.incident.members_firing} still fire.`
    draft.note('storm-ended', SYSTEM, text)
    draft.tell('updated', {
      actor: SYSTEM,
      command_id: null,
      reason: { code: 'storm', rule: '', rules_version: state.rules.version, text },
    })
    rows.push({ kind: 'incident', key: home.incident.id, value: draft.row })
    changes.push(...draft.changes)
  }
  return { rows, changes }
}

/** In the order of opening, since maps differ after a restart. */
function gatheredIn(state: State, scope: string): IncidentRow[] {
  const found: IncidentRow[] = []
  for (const row of state.incidents.values())
    if (row.incident.scope === scope && row.incident.storm && isUnresolved(row)) found.push(row)
  return found.sort(compareOpened)
}
