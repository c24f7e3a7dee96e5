import { workedUntil } from './business_time.ts'
import { AS_OF, type Pieces } from './pieces.ts'

const ms = (time: string) => `toUnixTimestamp64Milli(${time})`
const BEGIN_MS = ms('assumeNotNull(begin_at)')
const END_MS = `greatest(${BEGIN_MS}, ${ms(`assumeNotNull(coalesce(event_at, closed_at, ${AS_OF}))`)})`

/** Pauses of the clock of resolution; they do not overlap. */
const PAUSES = `
  SELECT incident_id, groupArray((${ms('began_at')}, ${ms(`assumeNotNull(coalesce(ended_at, ${AS_OF}))`)})) AS pauses
  FROM clocks WHERE clock = 'resolve' AND state = 'paused' AND began_at <= ${AS_OF} GROUP BY incident_id`

/**
 * The subjects of a duration with `elapsed_ms`: until the event, or until it became impossible, or until the time of asking. By the
 * wall clock, or in working time less pauses.
 */
export function elapsed(subjects: string, { business }: Pieces): string {
  if (!business) return `SELECT *, ${END_MS} - ${BEGIN_MS} AS elapsed_ms FROM (${subjects})`
  const inside = (time: string) => workedUntil(`least(greatest(${time}, begin_ms), end_ms)`)
  const paused = `arraySum(pause -> ${inside('pause.2')} - ${inside('pause.1')}, pauses)`
  return `
    SELECT * EXCEPT (incident_id, pauses, begin_ms, end_ms),
           ${workedUntil('end_ms')} - ${workedUntil('begin_ms')} - ${paused} AS elapsed_ms
    FROM (SELECT *, ${BEGIN_MS} AS begin_ms, ${END_MS} AS end_ms FROM (${subjects})) AS subject
    LEFT JOIN (${PAUSES}) AS pausing ON pausing.incident_id = subject.id`
}
