import type { Transition } from './detector.ts'

/** A condition with on-delay and off-delay: shorter ones neither raise nor clear. */
export interface Delayed {
  active: boolean
  /** Since when readings say the contrary of `active`; null while they agree. */
  contrary_since_ms: number | null
}

export interface Delays {
  readonly on_delay_ms: number
  readonly off_delay_ms: number
}

export const startDelayed = (): Delayed => ({ active: false, contrary_since_ms: null })

/**
 * Takes a reading's word, `true` where the condition holds. What was true at one reading counts until the next, so an on-delay may run
 * out between two readings; an alert is cleared by a reading only, since a gap is no evidence that all is well.
 */
export function settle(
  delayed: Delayed,
  holds: boolean,
  at_ms: number,
  delays: Delays,
  condition: string,
): Transition[] {
  const passed = passTime(delayed, at_ms, delays, condition)
  if (holds === delayed.active) {
    delayed.contrary_since_ms = null
    return passed
  }
  const since_ms = Math.min(delayed.contrary_since_ms ?? at_ms, at_ms)
  delayed.contrary_since_ms = since_ms
  if (at_ms - since_ms < (holds ? delays.on_delay_ms : delays.off_delay_ms)) return passed
  return [...passed, change(delayed, holds, at_ms, condition)]
}

/** Time passes without a reading: an on-delay may run out, an off-delay may not. */
export function passTime(delayed: Delayed, at_ms: number, delays: Delays, condition: string): Transition[] {
  if (delayed.active || delayed.contrary_since_ms === null) return []
  const due_ms = delayed.contrary_since_ms + delays.on_delay_ms
  return at_ms >= due_ms ? [change(delayed, true, due_ms, condition)] : []
}

/** When the first of the on-delays that run will be over; null when none runs. */
export function dueAt(all: readonly Delayed[], delays: Delays): number | null {
  let due_ms = Number.POSITIVE_INFINITY
  for (const { active, contrary_since_ms } of all)
    if (!active && contrary_since_ms !== null)
      due_ms = Math.min(due_ms, contrary_since_ms + delays.on_delay_ms)
  return Number.isFinite(due_ms) ? due_ms : null
}

function change(delayed: Delayed, active: boolean, at_ms: number, condition: string): Transition {
  delayed.active = active
  delayed.contrary_since_ms = null
  return { to: active ? 'raised' : 'cleared', condition, at_ms }
}
