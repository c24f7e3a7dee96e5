import type { Reason } from '../../schemas/incident.ts'
import type { Decision } from '../decision.ts'
import { IncidentDraft, SYSTEM } from '../draft.ts'
import { familyOf } from '../home.ts'
import { merge } from '../lifecycle.ts'
import type { IncidentRow, State } from '../state.ts'
import type { Finding } from './by_evidence.ts'
import type { Candidate } from './evidence.ts'

/**
 * What begins in two places at once opens two incidents, and is seen to be one when alerts come that belong to both. When a few did,
 * the younger incident is merged into the older, but only while it is young and nobody has taken either.
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
  const [best, ...others] = live.filter((one) => isStrong(one) && one.row.incident.state === 'open')
  if (best === undefined) return null
  const other = others.find(
    ({ row }) =>
      familyOf(row) !== familyOf(best.row) &&
      state.time_ms - Math.max(row.incident.opened_at_ms, best.row.incident.opened_at_ms) <= YOUNG_MS,
  )
  if (other === undefined) return null
  return isOlder(best.row, other.row) ? [best, other] : [other, best]
}

/** That an alert came at the same time is no bridge. */
function isStrong({ strength, terms }: Candidate): boolean {
  return strength >= BRIDGE_STRENGTH && terms.some(({ kind }) => kind === 'entity' || kind === 'related')
}

function isOlder(a: IncidentRow, b: IncidentRow): boolean {
  return (a.opened_place[0] - b.opened_place[0] || a.opened_place[1] - b.opened_place[1]) < 0
}

/** Notes the bridge in the younger incident; gives the decision that merges it when enough alerts made one. */
export function crossed(
  state: State,
  older: IncidentRow,
  younger: IncidentRow,
): { readonly merged: Decision | null; readonly younger: IncidentRow } {
  const pace = younger.pace as NonNullable<IncidentRow['pace']>
  const id = older.incident.id
  const alerts = (pace.bridged.find(([other]) => other === id)?.[1] ?? 0) + 1
  const others = pace.bridged.filter(([other]) => other !== id)
  const noted: IncidentRow = {
    ...younger,
    pace: { ...pace, bridged: [[id, alerts] as const, ...others].slice(0, BRIDGED_MAX) },
  }
  if (alerts < BRIDGE_ALERTS) return { merged: null, younger: noted }
  const draft = new IncidentDraft(younger, state.time_ms)
  const reason: Reason = {
    code: 'merged',
    rule: '',
    rules_version: state.rules.version,
    text: `Merged into ${id}: ${alerts} alerts belong to both.`,
  }
  const { rows, changes } = merge(state, draft, id, { actor: SYSTEM, command_id: null, reason })
  const own = { kind: 'incident', key: younger.incident.id, value: draft.row } as const
  return { merged: { rows: [own, ...rows], changes: [...draft.changes, ...changes] }, younger: noted }
}
