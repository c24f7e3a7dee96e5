import type { Change } from '../../schemas/change.ts'
import type { Reason } from '../../schemas/incident.ts'
import type { Decision } from '../decision.ts'
import { IncidentDraft, SYSTEM } from '../draft.ts'
import { compareOpened, familyOf } from '../home.ts'
import { merge } from '../regroup.ts'
import type { IncidentRow, State } from '../state.ts'
import type { Finding } from './by_evidence.ts'
import type { Candidate } from './weigh.ts'

/**
 * What begins in two places at once opens two incidents, and is seen to be one when alerts come that belong to both. When a few did,
 * the younger incident is merged into the older while it is young; when somebody has taken one of them, that is proposed.
 */

const BRIDGE_STRENGTH = 0.7
const BRIDGE_ALERTS = 2
const YOUNG_MS = 120_000
const BRIDGED_MAX = 4

/** Two incidents that the alert belongs to, the older first; null when there are none. */
export function bridgeOf(
  state: State,
  { survey: { live } }: Finding,
): readonly [Candidate, Candidate] | null {
  const [best, ...others] = live.filter(isStrong)
  if (best === undefined) return null
  const other = others.find(
    ({ row }) =>
      familyOf(row) !== familyOf(best.row) &&
      state.time_ms - Math.max(row.incident.opened_at_ms, best.row.incident.opened_at_ms) <= YOUNG_MS,
  )
  if (other === undefined) return null
  return compareOpened(best.row, other.row) < 0 ? [best, other] : [other, best]
}

/** That an alert came at the same time is no bridge. */
function isStrong({ strength, nearness }: Candidate): boolean {
  return strength >= BRIDGE_STRENGTH && nearness > 0
}

/** What an alert between two incidents comes to: it is noted in the younger one, they are merged, or that is proposed. */
export interface Crossing {
  /** Rows and changes of the merger; null when there is none. */
  readonly merged: Decision | null
  readonly younger: IncidentRow
  readonly changes: readonly Change[]
}

export function crossed(state: State, older: IncidentRow, younger: IncidentRow): Crossing {
  const pace = younger.pace as NonNullable<IncidentRow['pace']>
  const { id } = older.incident
  const alerts = (pace.bridged.find(([other]) => other === id)?.[1] ?? 0) + 1
  const others = pace.bridged.filter(([other]) => other !== id)
  const bridged = [[id, alerts] as const, ...others].slice(0, BRIDGED_MAX)
  const noted: IncidentRow = { ...younger, pace: { ...pace, bridged } }
  if (alerts < BRIDGE_ALERTS) return { merged: null, younger: noted, changes: [] }
  const taken = [older, younger].some(({ incident }) => incident.state !== 'open')
  if (!taken) return { merged: mergedInto(state, younger, id, alerts), younger: noted, changes: [] }
  if (alerts > BRIDGE_ALERTS) return { merged: null, younger: noted, changes: [] }
  return proposed(state, noted, id, alerts)
}

function reasonOf(state: State, code: Reason['code'], text: string): Reason {
  return { code, rule: '', rules_version: state.rules.version, text }
}

function mergedInto(state: State, younger: IncidentRow, into: string, alerts: number): Decision {
  const draft = new IncidentDraft(younger, state.time_ms)
  const reason = reasonOf(state, 'merged', `Merged into ${into}: ${alerts} alerts belong to both.`)
  const { rows, changes } = merge(state, draft, into, { actor: SYSTEM, command_id: null, reason })
  const own = { kind: 'incident', key: younger.incident.id, value: draft.row } as const
  return { rows: [own, ...rows], changes: [...draft.changes, ...changes] }
}

/** Somebody has one of them already: a person decides. */
function proposed(state: State, younger: IncidentRow, into: string, alerts: number): Crossing {
  const draft = new IncidentDraft(younger, state.time_ms)
  const text = `${alerts} alerts belong to ${into} as well: should this be merged into it?`
  draft.note('merge-proposed', SYSTEM, text)
  draft.tell('updated', { actor: SYSTEM, command_id: null, reason: reasonOf(state, 'merge-proposed', text) })
  return { merged: null, younger: draft.row, changes: draft.changes }
}
