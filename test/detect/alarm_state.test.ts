import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Alarm,
  type AlarmEvent,
  type AlarmState,
  isAnnunciated,
  next,
  normal,
} from '../../ingest/detect/alarm_state.ts'

const EVENTS: AlarmEvent[] = [
  'occurs',
  'worsens',
  'clears',
  'acknowledge',
  'shelve',
  'unshelve',
  'shelf-expired',
  'suppress',
  'unsuppress',
  'remove-from-service',
  'return-to-service',
]

/**
 * Every state with whether its condition holds, and what it becomes by each event in the order above; `.` is no change.
 * Where a condition is not followed by the state's name, a sign says it: + holds, − does not.
 */
const TABLE: Record<string, string> = {
  'NORM−': 'UNACK+ UNACK+ . . SHLVD− . . DSUPR− . OOSRV− .',
  'UNACK+': '. . RTNUN− ACKED+ SHLVD+ . . DSUPR+ . OOSRV+ .',
  'ACKED+': '. UNACK+ NORM− . SHLVD+ . . DSUPR+ . OOSRV+ .',
  'RTNUN−': 'UNACK+ UNACK+ . NORM− SHLVD− . . DSUPR− . OOSRV− .',
  'SHLVD+': '. . SHLVD− . . ACKED+ UNACK+ DSUPR+ . OOSRV+ .',
  'SHLVD−': 'SHLVD+ SHLVD+ . . . NORM− NORM− DSUPR− . OOSRV− .',
  'DSUPR+': '. . DSUPR− . . . . . UNACK+ OOSRV+ .',
  'DSUPR−': 'DSUPR+ DSUPR+ . . . . . . NORM− OOSRV− .',
  'OOSRV+': '. . OOSRV− . . . . . . . UNACK+',
  'OOSRV−': 'OOSRV+ OOSRV+ . . . . . . . . NORM−',
}

/** A latched alarm that cleared unacknowledged has a state of its own, and no RTNUN. */
const LATCHED: Record<string, string> = {
  ...Object.fromEntries(Object.entries(TABLE).filter(([state]) => state !== 'RTNUN−')),
  'UNACK+': '. . UNACK− ACKED+ SHLVD+ . . DSUPR+ . OOSRV+ .',
  'UNACK−': 'UNACK+ UNACK+ . NORM− SHLVD− . . DSUPR− . OOSRV− .',
}

const named = (name: string, latched: boolean): Alarm => ({
  state: name.slice(0, -1) as AlarmState,
  holds: name.endsWith('+'),
  latched,
})
const nameOf = ({ state, holds }: Alarm): string => `${state}${holds ? '+' : '−'}`
const rows = [false, true].flatMap((latched) =>
  Object.entries(latched ? LATCHED : TABLE).flatMap(([from, row]) =>
    row.split(' ').map((to, i) => [from, EVENTS[i] ?? 'occurs', to === '.' ? from : to, latched] as const),
  ),
)

describe('an alarm by ISA-18.2', () => {
  it.each(rows)('%s, %s: %s (latched: %s)', (from, event, to, latched) => {
    expect(nameOf(next(named(from, latched), event))).toBe(to)
  })

  it('has no states beside those of the table', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(fc.constantFrom(...EVENTS)), (latched, events) => {
        const end = events.reduce(next, normal(latched))
        expect(Object.keys(latched ? LATCHED : TABLE)).toContain(nameOf(end))
        expect(end.latched).toBe(latched)
      }),
    )
  })

  it('never forgets a condition: whatever was put aside comes back as it is', () => {
    const ends: AlarmEvent[] = ['return-to-service', 'unsuppress', 'shelf-expired']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS)), (events) => {
        const holds = events.findLast((event) => ['occurs', 'worsens', 'clears'].includes(event))
        const end = ends.reduce(next, events.reduce(next, normal()))
        expect(end.holds).toBe(holds !== undefined && holds !== 'clears')
        expect(isAnnunciated(end) || !end.holds).toBe(true)
      }),
    )
  })

  it('makes no flood of shelves that end: only what still holds comes back', () => {
    const shelved = next(next(normal(), 'occurs'), 'shelve')
    expect(isAnnunciated(next(next(shelved, 'clears'), 'shelf-expired'))).toBe(false)
    expect(next(shelved, 'shelf-expired').state).toBe('UNACK')
    expect(next(shelved, 'unshelve').state).toBe('ACKED')
  })
})
