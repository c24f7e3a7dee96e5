import type { Turned } from './dependency_index.ts'
import type { Decision } from './decision.ts'
import { titleOf } from './draft.ts'
import type { AlertRow, State } from './state.ts'
import { MUTED_BY, remute } from './suppress.ts'

/** Sources of a suppression rule came or went: brings the mutes of what depends on them up to date. */
export function dependencyTurns(state: State, turned: Turned): Decision {
  const { dependencies } = state.derived
  const rule = dependencies.nameOf(turned.rule)
  const source = state.alerts.get(dependencies.firstSource(turned) ?? '')
  const text = source
    ? `Suppressed by rule ${rule} while ${titleOf(source.alert)} fires.`
    : `Nothing fires any more by which rule ${rule} suppresses this.`
  return remute(
    state,
    MUTED_BY.dependency + rule,
    ({ alert }) => dependencies.isMuted(turned.rule, alert),
    { code: 'dependency', rule, text },
    rowsOf(state, dependencies.targets(turned)),
  )
}

function* rowsOf(state: State, fingerprints: Iterable<string>): Generator<AlertRow> {
  for (const fingerprint of fingerprints) {
    const row = state.alerts.get(fingerprint)
    if (row) yield row
  }
}
