/** The time of a series by its readings: it does not go back, unless the sender's clock did. */
export interface Clock {
  last_ms: number | null
  late: number
}

/** A clock that was set back is believed after so many readings in a row from its past; fewer are late or repeated. */
const LATE_READINGS = 10

export const startClock = (): Clock => ({ last_ms: null, late: 0 })

/** Whether a reading of this time is the next one; a late or repeated one is not to be judged. */
export function advance(clock: Clock, at_ms: number): boolean {
  if (clock.last_ms !== null && at_ms <= clock.last_ms && ++clock.late < LATE_READINGS) return false
  clock.late = 0
  clock.last_ms = at_ms
  return true
}
