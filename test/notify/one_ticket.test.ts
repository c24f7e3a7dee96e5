import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type Action,
  began,
  type DeliveryRow,
  next,
  type Result,
  settled,
  type SinkPolicy,
} from '../../notify/delivery.ts'
import type { Change } from '../../schemas/change.ts'
import { change, wantChange } from './changes.ts'

const POLICY: SinkPolicy = {
  sink: 'tracker',
  min_severity: 'info',
  update_interval_ms: 5_000,
  create_timeout_ms: 10_000,
  attempt_timeout_ms: 20_000,
  settle_ms: 30_000,
  idempotent: false,
  silent: [],
}

/** What may happen, each with how much later; `late` requests are carried out by the sink some time before the deadline. */
const EVENTS = fc.array(
  fc.record({
    after_ms: fc.integer({ min: 0, max: 60_000 }),
    what: fc.constantFrom('change', 'look', 'look', 'look', 'crash'),
    kind: fc.constantFrom<Change['kind']>(
      'grown',
      'acknowledged',
      'resolved',
      'reopened',
      'suppressed',
      'unsuppressed',
      'merged',
    ),
    outcome: fc.constantFrom(
      'ok',
      'answer-lost',
      'late',
      'late-crash',
      'not-reached',
      'refused',
      'lost-before',
    ),
    late_ms: fc.integer({ min: 0, max: 39_999 }),
  }),
  { minLength: 1, maxLength: 60 },
)

/** A ticket system whose look-up is truthful, and requests that are still under way to it. */
class Tracker {
  tickets = 0
  private readonly under_way: number[] = []
  carryOut(now_ms: number): void {
    for (const at_ms of this.under_way.splice(0)) {
      if (at_ms <= now_ms) this.tickets++
      else this.under_way.push(at_ms)
    }
  }
  later(at_ms: number): void {
    this.under_way.push(at_ms)
  }
}

const NO_ANSWER = {
  kind: 'retry',
  code: 'timeout',
  status: null,
  retry_after_ms: null,
  not_done: false,
} as const satisfies Result

/** The row after an attempt; null result: the process died meanwhile. */
function attempt(tracker: Tracker, action: Action, outcome: string, late_at_ms: number): Result | null {
  if (outcome === 'not-reached') return { ...NO_ANSWER, code: 'connect', not_done: true }
  if (outcome === 'refused') return { kind: 'refused', code: 'http-400', status: 400 }
  if (outcome === 'lost-before') return NO_ANSWER
  if (action === 'look-up')
    return tracker.tickets > 0 ? { kind: 'ok', external_id: '1', url: null } : { kind: 'absent' }
  if (action !== 'create') return { kind: 'ok', external_id: '1', url: null }
  if (outcome.startsWith('late')) tracker.later(late_at_ms)
  else tracker.tickets++
  if (outcome === 'late-crash') return null
  return outcome === 'ok' ? { kind: 'ok', external_id: '1', url: null } : NO_ANSWER
}

const stateOf = (kind: Change['kind']) =>
  kind === 'resolved' || kind === 'merged'
    ? { state: kind, merged_into: kind === 'merged' ? 'inc_x' : null }
    : { suppressed: kind === 'suppressed' }

it('never creates two tickets, however attempts and processes end', () => {
  let created = 0
  fc.assert(
    fc.property(EVENTS, (events) => {
      const tracker = new Tracker()
      let now_ms = 1_000
      let row: DeliveryRow | null = wantChange(null, change('opened', 1), POLICY)
      let revision = 1
      for (const { after_ms, what, kind, outcome, late_ms } of events) {
        now_ms += after_ms
        tracker.carryOut(now_ms)
        if (row === null) break
        if (what === 'change') row = wantChange(row, change(kind, ++revision, stateOf(kind)), POLICY)
        if (row === null || what === 'change') continue
        const todo = next(row, POLICY, now_ms)
        if (todo.action === 'wait' || todo.action === 'none') continue
        const stored = began(row, todo.action, POLICY, now_ms)
        const result =
          what === 'crash' && outcome === 'lost-before'
            ? null
            : attempt(tracker, todo.action, outcome, now_ms + late_ms)
        row = result === null || what === 'crash' ? stored : settled(stored, result, now_ms)
      }
      tracker.carryOut(Number.MAX_SAFE_INTEGER)
      created += tracker.tickets
      expect(tracker.tickets).toBeLessThanOrEqual(1)
    }),
    { numRuns: 3_000 },
  )
  expect(created).toBeGreaterThan(1_000)
})
