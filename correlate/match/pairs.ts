import type { Alert } from '../../schemas/alert.ts'
import type { Nearness } from '../../schemas/learned.ts'
import type { State } from '../state.ts'
import { alertKind } from './mentions.ts'
import { passage, type Way } from './relations.ts'
import type { Term } from './why.ts'

/** Alerts of one kind that are looked at for each pair, the newest first. */
const LEADS_MAX = 32
/** A pair counts in full up to its usual gap, then falls by e for each gap more, and for nothing after this many. */
const GAPS_MAX = 4
const GAP_MIN_MS = 1_000

/** Each incident in which an alert usually followed by this one came just before: its id and the term. */
export function* pairTerms(
  state: State,
  alert: Alert,
  ways: ReadonlyMap<string, Way>,
): Generator<readonly [incident_id: string, term: Extract<Term, readonly ['pair', ...unknown[]]>]> {
  for (const pair of state.derived.learned.pairsOf(alertKind(alert))) {
    const gap_ms = Math.max(GAP_MIN_MS, pair.gap_p90_ms)
    const leads = state.derived.learned.leadsOf(alert.scope, pair.first)
    const oldest = Math.max(0, leads.length - LEADS_MAX)
    for (let i = leads.length - 1; i >= oldest; i--) {
      const lead = leads[i] as (typeof leads)[number]
      const after_ms = state.time_ms - lead.at_ms
      if (after_ms > GAPS_MAX * gap_ms) break
      const row = state.alerts.get(lead.fingerprint)
      if (!row || row.alert.fingerprint === alert.fingerprint) continue
      if (nearnessOf(state, alert.scope, alert.entity, ways, row.alert.entity) !== pair.where) continue
      const weight = pair.confidence * Math.exp(-Math.max(0, after_ms - gap_ms) / gap_ms)
      yield [row.incident_id, ['pair', weight, row.alert.entity, pair]]
    }
  }
}

/** How an alert about `entity`, which is near those of `ways`, stands to an earlier one about `other`; null: it has no part in a pair with it. */
export function nearnessOf(
  state: State,
  scope: string,
  entity: string,
  ways: ReadonlyMap<string, Way>,
  other: string,
): Nearness | null {
  if (entity === '' || other === '') return null
  if (other === entity) return 'same-entity'
  return ways.has(other) && passage(state, scope, other) > 0 ? 'related' : null
}
