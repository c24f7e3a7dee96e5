import type { CommandBody } from '../schemas/command.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { Done } from './decision.ts'
import { EVERY_SCOPE } from './match/relations.ts'
import type { ChangeEvent } from './rank/evidence.ts'
import type { Row, State } from './state.ts'

/** What people and machines did to entities of late (deployments, configuration), by scope: suspects when something breaks. */

/** Older ones are no suspects (rank/changes.ts), however late the alerts come. */
const KEPT_MS = 3 * 3_600_000

/** Notes a change; those that are too old, and beyond the bound the oldest, are forgotten. */
export function noteChange(
  state: State,
  { change: { scope, entity, at_ms, text } }: Extract<CommandBody, { kind: 'change-event' }>,
): Done {
  const fresh: ChangeEvent = { entity, at_ms, text }
  const all = [...(state.change_events.get(scope) ?? []), fresh]
    .filter((one) => one.at_ms > state.time_ms - KEPT_MS)
    .sort((a, b) => a.at_ms - b.at_ms)
  if (all.length === 0)
    return { rows: [], changes: [], refused: 'the change is too old to have caused anything now' }
  const value = all.slice(-LIMITS.change_events_per_scope)
  return {
    rows: [{ kind: 'change-events', key: scope, value }, ...forgotten(state, scope)],
    changes: [],
    refused: null,
  }
}

/** When there are too many scopes, the one whose newest change is the oldest makes room. */
function forgotten({ change_events }: State, fresh: string): Row[] {
  if (change_events.has(fresh) || change_events.size < LIMITS.change_event_scopes_per_partition) return []
  let oldest: readonly [key: string, at_ms: number] | null = null
  for (const [key, changes] of change_events) {
    const at_ms = changes.at(-1)?.at_ms ?? 0
    if (!oldest || at_ms < oldest[1] || (at_ms === oldest[1] && key < oldest[0])) oldest = [key, at_ms]
  }
  return oldest ? [{ kind: 'change-events', key: oldest[0], value: null }] : []
}

/** The changes of a scope, and those that concern all. */
export function changesOf({ change_events }: State, scope: string): readonly ChangeEvent[] {
  const own = change_events.get(scope) ?? []
  const everywhere = change_events.get(EVERY_SCOPE) ?? []
  return everywhere.length === 0 ? own : [...own, ...everywhere]
}
