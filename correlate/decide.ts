import type { Alert } from '../schemas/alert.ts'
import type { Command } from '../schemas/command.ts'
import { MatcherError } from '../schemas/matching.ts'
import type { Place } from '../schemas/record.ts'
import type { Rules } from '../schemas/rules.ts'
import type { TopologyPart } from '../schemas/topology.ts'
import { type Decision, NOTHING } from './decision.ts'
import { alertEnds, arrive, type Repeat, repeated } from './dedup.ts'
import { carryOut } from './lifecycle.ts'
import { compileGrouping } from './match/compiled.ts'
import { waitIsOver } from './match/place.ts'
import { takeTopology } from './match/topology.ts'
import { incidentDue } from './clocks.ts'
import type { State } from './state.ts'
import { silenceTurns } from './suppress.ts'

/** What one decision is about: one alert, one command, new rules, or something that fell due. */
export type Event =
  | { readonly kind: 'alert'; readonly alert: Alert; readonly place: Place }
  | { readonly kind: 'repeat'; readonly repeat: Repeat; readonly place: Place }
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'rules'; readonly rules: Rules }
  | { readonly kind: 'topology'; readonly topology: TopologyPart }
  | { readonly kind: 'alert-due'; readonly fingerprint: string; readonly late_ms: number }
  | { readonly kind: 'incident-due'; readonly incident_id: string }
  | { readonly kind: 'silence-due'; readonly silence_id: string }
  | { readonly kind: 'command-due'; readonly command_id: string }
  | { readonly kind: 'waiting-due'; readonly fingerprint: string }
  | { readonly kind: 'sighting-due'; readonly key: string }

/**
 * Total, synchronous and pure: what one event means, given everything known. `state.time_ms` is the time of the event;
 * the state is not touched (see apply.ts).
 */
export function decide(state: State, event: Event): Decision {
  switch (event.kind) {
    case 'alert':
      return arrive(state, event.alert, event.place)
    case 'repeat':
      return repeated(state, event.repeat, event.place)
    case 'alert-due':
      return alertEnds(state, event.fingerprint, event.late_ms)
    case 'incident-due':
      return incidentDue(state, event.incident_id)
    case 'silence-due':
      return silenceTurns(state, event.silence_id)
    case 'command':
      return carryOut(state, event.command)
    case 'command-due':
      return { rows: [{ kind: 'command', key: event.command_id, value: null }], changes: [] }
    case 'waiting-due':
      return waitIsOver(state, event.fingerprint)
    case 'sighting-due':
      return { rows: [{ kind: 'sighting', key: event.key, value: null }], changes: [] }
    case 'rules':
      return takeRules(state, event.rules)
    case 'topology':
      return takeTopology(state, event.topology)
  }
}

/** New rules take effect here. Rules that cannot be used (the configuration's check lets none through) change nothing. */
function takeRules(state: State, rules: Rules): Decision {
  if (rules.version === state.rules.version) return NOTHING
  try {
    compileGrouping(rules.grouping)
  } catch (error) {
    if (error instanceof MatcherError) return NOTHING
    throw error
  }
  return { rows: [{ kind: 'rules', key: 'rules', value: rules }], changes: [] }
}
