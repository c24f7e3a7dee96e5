import type { Alert } from '../schemas/alert.ts'
import type { Incident } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import { changesOf } from './change_events.ts'
import type { Decision } from './decision.ts'
import { mentionsOf, alertKind } from './match/mentions.ts'
import { declaredRelations, relationKey } from './match/relations.ts'
import { type Background, EMPTY_BACKGROUND, learn } from './rank/background.ts'
import type { EntityEvidence, Graph } from './rank/evidence.ts'
import { rankCauses } from './rank/rank.ts'
import type { AlertRow, Row, State } from './state.ts'

/** With fewer members there is nothing to choose from. */
const MEMBERS_MIN = 2
/** A ranking holds until there are this many times the members: it is not cheap, and a few more seldom change it (likely causes of recorded faults are the same as with 1.2). */
const GROWTH = 1.5

/**
 * A decision whose rows are in the state, with the likely causes in what it tells; an incident that resolved is learned from.
 * Here and not where the change is made, because all members have to be in place.
 */
export function withCauses(state: State, decision: Decision): Decision {
  if (decision.changes.length === 0) return decision
  const causes = new Map<string, Incident['causes']>()
  const learned: Row[] = []
  for (const [incident_id, changes] of Map.groupBy(decision.changes, (change) => change.incident_id)) {
    const row = state.incidents.get(incident_id)
    if (!row) continue
    const { scope, members_total } = row.incident
    const resolved = changes.some(({ kind }) => kind === 'resolved')
    const grown = members_total >= (row.ranked_members ?? 0) * GROWTH
    const ranks = members_total >= MEMBERS_MIN && (resolved || grown)
    if (!ranks && !resolved) continue
    const entities = evidenceOf(state, incident_id)
    if (ranks) causes.set(incident_id, ranked(state, scope, entities))
    if (resolved) learned.push(...learnFrom(state, scope, entities))
  }
  if (causes.size === 0 && learned.length === 0) return decision
  const told = (incident: Incident): Incident => {
    const found = causes.get(incident.id)
    return found ? { ...incident, causes: found } : incident
  }
  return {
    ...decision,
    rows: [
      ...decision.rows.map((row) =>
        row.kind === 'incident' && row.value && causes.has(row.key)
          ? {
              ...row,
              value: {
                ...row.value,
                ranked_members: row.value.incident.members_total,
                incident: told(row.value.incident),
              },
            }
          : row,
      ),
      ...learned,
    ],
    changes: decision.changes.map((change) => ({ ...change, incident: told(change.incident) })),
  }
}

function ranked(state: State, scope: string, entities: readonly EntityEvidence[]): Incident['causes'] {
  const graph: Graph = { edges: (entity) => declaredRelations(state, scope, entity) }
  return rankCauses(entities, graph, changesOf(state, scope), state.backgrounds.get(scope))
}

function learnFrom(state: State, scope: string, entities: readonly EntityEvidence[]): Row[] {
  if (entities.length === 0) return []
  const background: Background = state.backgrounds.get(scope) ?? EMPTY_BACKGROUND
  const { head, changed, forgotten } = learn(background, entities, state.time_ms)
  return [
    { kind: 'episode', key: scope, value: head },
    ...changed.map(
      (habits): Row => ({ kind: 'habits', key: relationKey(scope, habits.entity), value: habits }),
    ),
    ...forgotten.map((entity): Row => ({ kind: 'habits', key: relationKey(scope, entity), value: null })),
  ]
}

interface Gathering extends EntityEvidence {
  readonly alertnames: Map<string, { alerts: number; first_at_ms: number }>
  readonly mentions: Map<string, number>
  first_at_ms: number
}

/** The members of an incident by entity: the first thousand by arrival, so that it does not depend on the order of a map. */
function evidenceOf(state: State, incident_id: string): readonly EntityEvidence[] {
  const entities = new Map<string, Gathering>()
  for (const { alert } of membersByArrival(state, incident_id)) {
    if (alert.entity === '') continue
    let found = entities.get(alert.entity)
    if (found === undefined) {
      found = {
        entity: alert.entity,
        alertnames: new Map(),
        mentions: new Map(),
        first_at_ms: alert.starts_at_ms,
      }
      entities.set(alert.entity, found)
    }
    found.first_at_ms = Math.min(found.first_at_ms, alert.starts_at_ms)
    const name = alertKind(alert)
    const { alerts, first_at_ms } = found.alertnames.get(name) ?? {
      alerts: 0,
      first_at_ms: alert.starts_at_ms,
    }
    found.alertnames.set(name, { alerts: alerts + 1, first_at_ms: Math.min(first_at_ms, alert.starts_at_ms) })
    for (const { value } of mentionsOf(alert))
      if (value !== alert.entity && isThing(alert, value))
        found.mentions.set(value, (found.mentions.get(value) ?? 0) + 1)
  }
  return [...entities.values()]
}

/** Labels that say among what an alert is, or who looks after it: nothing that breaks. */
const SURROUNDINGS = new Set([
  'cluster',
  'namespace',
  'environment',
  'env',
  'stage',
  'region',
  'zone',
  'availability_zone',
  'datacenter',
  'tenant',
  'site',
  'team',
  'owner',
  'job',
  'prometheus',
  'exporter',
  'release',
  'version',
])

/** Whether some label names the value as something that could be the cause. */
function isThing({ labels }: Alert, value: string): boolean {
  for (const name in labels) if (labels[name] === value && !SURROUNDINGS.has(name)) return true
  return false
}

function membersByArrival(state: State, incident_id: string): readonly AlertRow[] {
  const rows: AlertRow[] = []
  for (const fingerprint of state.derived.members.get(incident_id) ?? []) {
    const row = state.alerts.get(fingerprint)
    if (row) rows.push(row)
  }
  rows.sort((a, b) => a.joined_at_ms - b.joined_at_ms || (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1))
  return rows.slice(0, LIMITS.members_ranked_per_incident)
}
