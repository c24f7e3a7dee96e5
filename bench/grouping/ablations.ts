import { DEFAULT_EVIDENCE } from '../../schemas/rules.ts'
import type { Setting } from './play.ts'

const { weights } = DEFAULT_EVIDENCE

/** The defaults with one kind of evidence left out. */
export const ABLATIONS: readonly Setting[] = [
  { name: 'no entity', evidence: { weights: { ...weights, entity: 0 } } },
  { name: 'no related', evidence: { weights: { ...weights, related: 0 } } },
  { name: 'no kind', evidence: { weights: { ...weights, kind: 0 } } },
  { name: 'no time', evidence: { weights: { ...weights, time: 0 } } },
  { name: 'no same_entity_ms', evidence: { same_entity_ms: 0 } },
  {
    // What is declared and what labels taught; that two alerts name the same still counts.
    name: 'no relations',
    no_topology: true,
    prepare: (state, recorded) => {
      state.relations.clear()
      return recorded
    },
  },
  {
    // Nothing switches this off: here senders tell of an alert that fires no other start than the first.
    name: 'no new starts',
    prepare: (state, recorded) => {
      const row = state.alerts.get(recorded.alert.fingerprint)
      if (!row?.firing) return recorded
      return { ...recorded, alert: { ...recorded.alert, starts_at_ms: row.alert.starts_at_ms } }
    },
  },
]
