import { compileMatchers, MatcherError } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'
import { type Decision, type Event, NOTHING } from './decision.ts'
import { dependencyTurns } from './dependencies.ts'
import { alertEnds, arrive, repeated } from './dedup.ts'
import { compileHeartbeats } from './declared_heartbeats.ts'
import { flappingBegins } from './flapping.ts'
import { heard, heardAgain, heartbeatDue, heartbeatsChanged } from './heartbeats.ts'
import { carryOut } from './lifecycle.ts'
import { compileGrouping } from './match/compiled.ts'
import { waitIsOver } from './match/place.ts'
import { stormEnds } from './match/storm.ts'
import { takeTopology } from './match/topology.ts'
import { incidentDue } from './clocks.ts'
import { maintenanceTurns, windowsOfRules } from './maintenance.ts'
import { shelvesEnd } from './shelves.ts'
import { silenceTurns } from './silences.ts'
import type { Row, State } from './state.ts'
import { remuteAll } from './suppress.ts'

/**
 * Total, synchronous and pure: what one event means, given everything known. `state.time_ms` is the time of the event;
 * the state is not touched (see apply.ts).
 */
export function decide(state: State, event: Event): Decision {
  switch (event.kind) {
    case 'alert':
      return heard(state, event.alert, event.place) ?? arrive(state, event.alert, event.place)
    case 'repeat':
      return heardAgain(state, event.repeat, event.place) ?? repeated(state, event.repeat, event.place)
    case 'alert-due':
      return alertEnds(state, event.fingerprint, event.late_ms)
    case 'incident-due':
      return incidentDue(state, event.incident_id)
    case 'silence-due':
      return silenceTurns(state, event.silence_id)
    case 'maintenance-due':
      return maintenanceTurns(state, event.name)
    case 'shelf-due':
      return shelvesEnd(state)
    case 'command':
      return carryOut(state, event.command, event.place)
    case 'storm-due':
      return stormEnds(state, event.scope)
    case 'command-due':
      return { rows: [{ kind: 'command', key: event.command_id, value: null }], changes: [] }
    case 'waiting-due':
      return waitIsOver(state, event.fingerprint)
    case 'sighting-due':
      return { rows: [{ kind: 'sighting', key: event.key, value: null }], changes: [] }
    case 'heartbeat-due':
      return heartbeatDue(state, event.fingerprint, event.late_ms)
    case 'rules':
      return takeRules(state, event.rules)
    case 'topology':
      return withBehind(state, takeTopology(state, event.topology))
    case 'suppression-changed':
      return { ...remuteAll(state), next: { kind: 'heartbeats-changed' } }
    case 'heartbeats-changed':
      return heartbeatsChanged(state)
    case 'flapping-began':
      return flappingBegins(state, event.fingerprint)
    case 'dependency-turned':
      return dependencyTurns(state, event.turned)
  }
}

/** What a topology says of who carries whom takes effect at once. */
function withBehind(state: State, decision: Decision): Decision {
  if (!state.derived.dependencies.readsTopology) return decision
  return { ...decision, next: { kind: 'suppression-changed' } }
}

/** New rules take effect here. Rules that cannot be used (the configuration's check lets none through) change nothing. */
function takeRules(state: State, rules: Rules): Decision {
  if (rules.version === state.rules.version) return NOTHING
  try {
    compileGrouping(rules.grouping)
    for (const { match } of rules.maintenance) compileMatchers(match)
    compileHeartbeats(rules.heartbeats)
    for (const { source, target } of rules.suppression) compileMatchers([...source, ...target])
  } catch (error) {
    if (error instanceof MatcherError) return NOTHING
    throw error
  }
  const rows: Row[] = [{ kind: 'rules', key: 'rules', value: rules }]
  if (!suppressionChanged(state.rules, rules))
    return { rows, changes: [], next: { kind: 'heartbeats-changed' } }
  rows.push(...windowsOfRules(state, rules.maintenance))
  return { rows, changes: [], next: { kind: 'suppression-changed' } }
}

function suppressionChanged(before: Rules, after: Rules): boolean {
  const muting = ({ maintenance, suppression }: Rules) => JSON.stringify([maintenance, suppression])
  return muting(before) !== muting(after)
}
