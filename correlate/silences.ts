import type { CommandBody, Silence } from '../schemas/command.ts'
import type { Reason } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import { SILENCE_MEMORY_MS } from './apply.ts'
import { type Decision, type Done, NOTHING, refused } from './decision.ts'
import type { LabelTest, State } from './state.ts'
import { isActive, remute, testOf } from './suppress.ts'

/** Makes, changes or ends a silence, and mutes or unmutes what fires. */
export function changeSilences(
  state: State,
  actor: string,
  body: Extract<CommandBody, { kind: 'silence' | 'expire-silence' }>,
): Done {
  if (body.kind === 'silence')
    return setSilence(state, { ...body.silence, created_by: body.silence.created_by || actor })
  const silence = state.silences.get(body.silence_id)
  if (!silence || silence.ends_at_ms <= state.time_ms)
    return refused(`no silence ${body.silence_id} is active or pending`)
  // A pending silence ends before it began, as in Alertmanager: both times become now.
  return setSilence(state, {
    ...silence,
    starts_at_ms: Math.min(silence.starts_at_ms, state.time_ms),
    ends_at_ms: state.time_ms,
    updated_at_ms: state.time_ms,
  })
}

function setSilence(state: State, silence: Silence): Done {
  if (!state.silences.has(silence.id) && state.silences.size >= LIMITS.silences_per_partition) {
    return refused(`there are ${LIMITS.silences_per_partition} silences already`)
  }
  const test = testOf(silence.matchers)
  if (typeof test === 'string') return refused(test)
  return { ...turned(state, silence, test), refused: null }
}

/** A silence begins, ends, or is old enough to be forgotten. */
export function silenceTurns(state: State, silence_id: string): Decision {
  const silence = state.silences.get(silence_id)
  const test = state.derived.silence_tests.get(silence_id)
  if (!silence || !test) return NOTHING
  if (state.time_ms >= silence.ends_at_ms + SILENCE_MEMORY_MS)
    return { rows: [{ kind: 'silence', key: silence_id, value: null }], changes: [] }
  return turned(state, silence, test)
}

function turned(state: State, silence: Silence, test: LabelTest): Decision {
  const active = isActive(silence, state.time_ms)
  const why: Pick<Reason, 'code' | 'rule' | 'text'> = {
    code: 'silenced',
    rule: '',
    text: active
      ? `Silence ${silence.id} by ${silence.created_by} began: ${silence.comment}`
      : `Silence ${silence.id} by ${silence.created_by} is over.`,
  }
  const { rows, changes } = remute(state, silence.id, ({ alert }) => active && test(alert.labels), why)
  return { rows: [{ kind: 'silence', key: silence.id, value: silence }, ...rows], changes }
}
