import { describe, expect, it } from 'vitest'
import {
  BACKOFF,
  began,
  type DeliveryRow,
  next,
  RETAIN_CLOSED_MS,
  type Result,
  retiresAt,
  settled,
  type SinkPolicy,
} from '../../notify/delivery.ts'
import type { Change } from '../../schemas/change.ts'
import { change, wantChange } from './changes.ts'

const TICKETS: SinkPolicy = {
  sink: 'tracker',
  min_severity: 'info',
  update_interval_ms: 5_000,
  create_timeout_ms: 10_000,
  attempt_timeout_ms: 20_000,
  settle_ms: 30_000,
  idempotent: false,
  silent: ['command-refused', 'ticket-linked'],
}
const EVENTS: SinkPolicy = { ...TICKETS, sink: 'hook', idempotent: true, settle_ms: 0 }
const OK: Result = { kind: 'ok', external_id: '7', url: 'https://rt.example.org/Ticket/Display.html?id=7' }
const NO_ANSWER: Result = {
  kind: 'retry',
  code: 'timeout',
  status: null,
  retry_after_ms: null,
  not_done: false,
}
const NOT_REACHED: Result = { ...NO_ANSWER, code: 'connect', not_done: true }
const REFUSED: Result = { kind: 'refused', code: 'http-400', status: 400 }

const OPENED = change('opened', 1)
const tell = (row: DeliveryRow | null, ...changes: Change[]): DeliveryRow => {
  const told = changes.reduce((before, each) => wantChange(before, each, TICKETS), row)
  if (told === null) throw new Error('the sink is not to know')
  return told
}
/** What happens when the row is looked at, at that time: its next action is carried out with this result. */
const step = (row: DeliveryRow, result: Result, now_ms: number, policy = TICKETS): DeliveryRow => {
  const todo = next(row, policy, now_ms)
  if (todo.action === 'wait' || todo.action === 'none') throw new Error(`nothing to do: ${todo.reason}`)
  return settled(began(row, todo.action, policy, now_ms), result, now_ms)
}
const ticketed = step(tell(null, OPENED), OK, 2_000)

describe('a creation that an idempotent sink may have had', () => {
  const later = change('grown', 2, { members_total: 9 })
  const begun = began(tell(null, OPENED), 'create', EVENTS, 2_000)

  it.each([
    ['its process died', begun],
    ['its answer was lost', settled(begun, NO_ANSWER, 3_000)],
  ])('is told again as it was, and then what is newer, when %s', (_how, row) => {
    const grown = tell(row, later)
    const repeated = began(grown, next(grown, EVENTS, 90_000).action as 'create', EVENTS, 90_000)
    expect(repeated.creation).toEqual(begun.creation)
    const known = settled(repeated, OK, 91_000)
    expect(known).toMatchObject({ creation: null, told: { revision: 1 } })
    expect(next(known, EVENTS, 100_000)).toMatchObject({ action: 'update' })
  })

  it('tells the newest when the sink was certainly not reached', () => {
    const grown = tell(settled(begun, NOT_REACHED, 3_000), later)
    expect(began(grown, 'create', EVENTS, 90_000).creation).toMatchObject({ revision: 2 })
  })
})

describe('what a sink is told', () => {
  it.each([
    ['a suppressed incident', { suppressed: true }],
    ['an incident below the least severity', { severity: 'low' }],
    ['an incident that was over before the sink knew it', { state: 'resolved' }],
  ] as const)('is nothing of %s', (_what, over) => {
    expect(wantChange(null, change('opened', 1, over), { ...TICKETS, min_severity: 'medium' })).toBeNull()
  })

  it('is an incident once it is not suppressed any more, or severe enough', () => {
    expect(wantChange(null, change('unsuppressed', 2), TICKETS)).toMatchObject({
      state: 'pending',
      wanted: { revision: 2 },
    })
    expect(
      wantChange(null, change('severity-changed', 2, { severity: 'critical' }), {
        ...TICKETS,
        min_severity: 'critical',
      }),
    ).not.toBeNull()
  })

  it('is not what was seen before', () => {
    const row = tell(null, OPENED, change('grown', 2))
    expect(tell(row, OPENED)).toBe(row)
    expect(tell(row, change('grown', 2, { title: 'other' }))).toBe(row)
  })

  it('is bounded, whatever the alerts say', () => {
    const long = 'x'.repeat(100_000)
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`name${i}`, long]))
    const row = tell(
      null,
      change('opened', 1, {
        title: long,
        group: labels,
        timeline: [{ at_ms: 1, kind: 'opened', actor: 'a', text: long, revision: 1 }],
      }),
    )
    expect(JSON.stringify(row).length).toBeLessThan(16_384)
  })
})

describe('what to do next', () => {
  type Case = readonly [what: string, row: DeliveryRow, now_ms: number, expected: object]
  const severe = change('severity-changed', 3, { severity: 'critical' })
  const merged = change('merged', 2, { state: 'merged', merged_into: 'inc_other' })
  const intent_open = began(tell(null, OPENED), 'create', TICKETS, 2_000)
  const in_doubt = settled(intent_open, NO_ANSWER, 12_000)
  const cases: readonly Case[] = [
    ['a new incident', tell(null, OPENED), 2_000, { action: 'create', reason: 'not-told-yet' }],
    ['a told one', ticketed, 2_000, { action: 'none', reason: 'told' }],
    [
      'growth just after',
      tell(ticketed, change('grown', 2)),
      3_000,
      { action: 'wait', until_ms: 7_000, reason: 'held-back' },
    ],
    [
      'growth later',
      tell(ticketed, change('grown', 2)),
      7_000,
      { action: 'update', reason: 'newer-revision' },
    ],
    [
      'rising severity',
      tell(ticketed, change('grown', 2), severe),
      3_000,
      { action: 'update', reason: 'newer-revision' },
    ],
    [
      'falling severity',
      tell(ticketed, change('severity-changed', 2, { severity: 'low' })),
      3_000,
      { action: 'wait', until_ms: 7_000 },
    ],
    [
      'an acknowledgement',
      tell(ticketed, change('acknowledged', 2, { state: 'acknowledged' })),
      3_000,
      { action: 'update' },
    ],
    [
      'an acknowledgement after which it grew',
      tell(ticketed, change('acknowledged', 2), change('grown', 3)),
      3_000,
      { action: 'update' },
    ],
    [
      'its own ticket',
      tell(ticketed, change('ticket-linked', 2)),
      60_000,
      { action: 'none', reason: 'told' },
    ],
    [
      'a resolved incident',
      tell(ticketed, change('resolved', 2, { state: 'resolved' })),
      3_000,
      { action: 'close', reason: 'state-resolved' },
    ],
    ['a merged incident', tell(ticketed, merged), 3_000, { action: 'close', reason: 'state-merged' }],
    [
      'a merged incident that was never told',
      tell(null, OPENED, merged),
      3_000,
      { action: 'none', reason: 'merged-before-told' },
    ],
    [
      'suppression before it was told',
      tell(null, OPENED, change('suppressed', 2, { suppressed: true })),
      3_000,
      { action: 'none', reason: 'suppressed' },
    ],
    [
      'growth while suppressed',
      tell(ticketed, change('grown', 2, { suppressed: true })),
      60_000,
      { action: 'none', reason: 'suppressed' },
    ],
    [
      'resolution while suppressed',
      tell(ticketed, change('resolved', 2, { state: 'resolved', suppressed: true })),
      3_000,
      { action: 'close' },
    ],
    [
      'another owner’s attempt',
      intent_open,
      41_999,
      { action: 'wait', until_ms: 42_000, reason: 'attempt-may-be-running' },
    ],
    [
      'another owner’s attempt that must be over',
      intent_open,
      42_000,
      { action: 'look-up', reason: 'creation-in-doubt' },
    ],
    ['no answer to a creation', in_doubt, 41_999, { action: 'wait', until_ms: 42_000, reason: 'backoff' }],
    ['no answer to a creation, later', in_doubt, 42_000, { action: 'look-up', reason: 'creation-in-doubt' }],
    ['a merge while a creation is in doubt', tell(in_doubt, merged), 42_000, { action: 'look-up' }],
  ]
  it.each(cases)('about %s', (_what, row, now_ms, expected) => {
    expect(next(row, TICKETS, now_ms)).toMatchObject(expected)
  })

  it('creates after a look-up found nothing, and only then', () => {
    const looked = step(in_doubt, { kind: 'absent' }, 42_000)
    expect(next(looked, TICKETS, 42_000)).toMatchObject({ action: 'create' })
    expect(next(step(in_doubt, NO_ANSWER, 42_000), TICKETS, 100_000)).toMatchObject({ action: 'look-up' })
  })

  it('keeps the ticket that a look-up found, and tells it what came since', () => {
    const row = step(tell(in_doubt, change('resolved', 2, { state: 'resolved' })), OK, 42_000)
    expect(row).toMatchObject({ external_id: '7', told: { revision: 1 } })
    expect(next(row, TICKETS, 42_000)).toMatchObject({ action: 'close' })
  })

  it('opens and closes a ticket for an incident that ended while the sink was away', () => {
    const opened = step(tell(null, OPENED, change('resolved', 2, { state: 'resolved' })), OK, 3_000)
    expect(next(opened, TICKETS, 3_000)).toMatchObject({ action: 'close' })
    const closed = step(opened, OK, 3_000)
    expect(closed).toMatchObject({ state: 'delivered', told: { closed: true } })
    expect(next(tell(closed, change('reopened', 3)), TICKETS, 3_001)).toMatchObject({
      action: 'reopen',
      reason: 'state-open',
    })
  })

  it('sends events again at once after a crash, and one event for what came and went', () => {
    const row = wantChange(
      wantChange(null, OPENED, EVENTS),
      change('resolved', 2, { state: 'resolved' }),
      EVENTS,
    )
    if (row === null) throw new Error('not wanted')
    expect(next(began(row, 'create', EVENTS, 2_000), EVENTS, 2_001)).toMatchObject({ action: 'create' })
    expect(
      next(step(row, { kind: 'ok', external_id: null, url: null }, 2_000, EVENTS), EVENTS, 2_000),
    ).toMatchObject({ action: 'none' })
  })

  it('takes over a ticket that an operator linked, instead of creating one', () => {
    const tickets = [
      { sink: 'tracker', external_id: '41', url: '' },
      { sink: 'other', external_id: '9', url: '' },
    ]
    const row = tell(null, OPENED, change('ticket-linked', 2, { tickets }))
    expect(row.external_id).toBe('41')
    expect(next(row, TICKETS, 2_000)).toMatchObject({ action: 'update', reason: 'ticket-linked-by-hand' })
    expect(tell(ticketed, change('ticket-linked', 2, { tickets })).external_id).toBe('7')
  })
})

describe('how attempts end', () => {
  it('retries what was not reached ever later, spread, and for ever', () => {
    let row = tell(null, OPENED)
    let now_ms = 2_000
    const waits: number[] = []
    for (let attempt = 1; attempt <= 60; attempt++) {
      row = step(row, NOT_REACHED, now_ms)
      expect(row.state).toBe('retrying')
      waits.push((row.next_try_at_ms ?? 0) - now_ms)
      now_ms = row.next_try_at_ms ?? 0
    }
    expect(next(row, TICKETS, now_ms)).toMatchObject({ action: 'create' })
    waits.forEach((wait_ms, i) => {
      const step_ms = Math.min(BACKOFF.max_ms, BACKOFF.first_ms * 2 ** i)
      expect(wait_ms).toBeGreaterThanOrEqual(step_ms / 2)
      expect(wait_ms).toBeLessThanOrEqual(step_ms)
    })
    expect(new Set(waits.slice(20)).size).toBeGreaterThan(10)
  })

  it.each([
    [90_000, 90_000],
    [86_400_000, BACKOFF.retry_after_max_ms],
  ])('waits as long as the sink asks: %d ms become %d', (retry_after_ms, wait_ms) => {
    const row = step(
      tell(null, OPENED),
      { kind: 'retry', code: 'http-429', status: 429, retry_after_ms, not_done: true },
      2_000,
    )
    expect(row.next_try_at_ms).toBe(2_000 + wait_ms)
    expect(row.error).toEqual({ code: 'http-429', status: 429, at_ms: 2_000 })
  })

  it('shows what was refused, and tries once more when something important happens', () => {
    const row = step(tell(ticketed, change('acknowledged', 2, { state: 'acknowledged' })), REFUSED, 3_000)
    expect(row).toMatchObject({ state: 'failed-for-good', error: { code: 'http-400', status: 400 } })
    expect(next(tell(row, change('grown', 3)), TICKETS, 60_000)).toMatchObject({
      action: 'none',
      reason: 'failed-for-good',
    })
    expect(next(tell(row, change('resolved', 3, { state: 'resolved' })), TICKETS, 3_001)).toMatchObject({
      action: 'close',
    })
  })

  it('is disabled by a sink that is gone, whatever comes', () => {
    const row = step(tell(null, OPENED), { kind: 'gone', code: 'http-410', status: 410 }, 2_000)
    expect(next(tell(row, change('resolved', 2, { state: 'resolved' })), TICKETS, 60_000)).toMatchObject({
      action: 'none',
      reason: 'disabled',
    })
  })

  it('tells only the newest of what came while it was away', () => {
    const failed = step(tell(ticketed, change('acknowledged', 2)), NOT_REACHED, 3_000)
    const row = tell(failed, change('grown', 3), change('assigned', 4, { assignee: 'kim' }))
    const told = step(row, OK, row.next_try_at_ms ?? 0)
    expect(told).toMatchObject({
      state: 'delivered',
      attempts: 0,
      error: null,
      told: { revision: 4, assignee: 'kim' },
    })
    expect(next(told, TICKETS, 1_000_000)).toMatchObject({ action: 'none', reason: 'told' })
  })

  it('tells what came during an attempt by another one', () => {
    const running = began(tell(ticketed, change('acknowledged', 2)), 'update', TICKETS, 3_000)
    const row = settled(tell(running, change('assigned', 3)), OK, 3_500)
    expect(row).toMatchObject({ state: 'pending', told: { revision: 2 } })
    expect(next(row, TICKETS, 3_500)).toMatchObject({ action: 'update' })
  })

  it('keeps a row long enough for its incident to reopen', () => {
    const closed = step(tell(ticketed, change('resolved', 2, { state: 'resolved' })), OK, 9_000)
    expect(retiresAt(closed, TICKETS)).toBe(9_000 + RETAIN_CLOSED_MS)
    expect(retiresAt(ticketed, TICKETS)).toBeNull()
    expect(retiresAt(tell(ticketed, change('resolved', 2, { state: 'resolved' })), TICKETS)).toBeNull()
  })
})
