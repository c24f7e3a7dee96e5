import { expect, it } from 'vitest'
import { emptyOutcome, foldRecord } from '../../correlate/fold.ts'
import { emptyState } from '../../correlate/state.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Retryable } from '../../runtime/errors.ts'
import { layFirstRules } from '../../runtime/first_rules.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import { decodeRecord, encodeRecord } from '../../schemas/codec.ts'
import { DEFAULT_RULES } from '../../schemas/rules.ts'
import { readFrom, subscribeAlone } from '../contracts/owner.ts'

const RULES = { ...DEFAULT_RULES, version: 'configured' }
const parts = { clock: systemClock, logger: { warn: () => {} } }

it('rules come before the first alert of every partition, and not again', async () => {
  const log = new MemoryLog(systemClock, 3)
  await log.append([{ topic: 'alerts', partition: 1, value: encodeRecord({ kind: 'tick' }) }])
  await layFirstRules(log, RULES, parts)
  await layFirstRules(log, RULES, parts)
  const bounds = await log.bounds('alerts')
  expect(bounds.map(({ next }) => next)).toEqual([1, 1, 1])
  const { owner } = await subscribeAlone(log, 'alerts', 'check')
  const [entry] = await readFrom(owner.reader(0), 0, 1)
  const state = emptyState(0)
  foldRecord(
    state,
    { position: 0, time_ms: 1, record: decodeRecord(entry?.value ?? Buffer.alloc(0)) },
    emptyOutcome(),
  )
  expect(state.rules).toEqual(RULES)
})

it('rules are logged as soon as the log takes them', async () => {
  const log = new MemoryLog(systemClock, 1)
  let refusals = 2
  const refusing = {
    bounds: log.bounds.bind(log),
    append: (appends: Parameters<MemoryLog['append']>[0]) =>
      refusals-- > 0 ? Promise.reject(new Retryable('away', 'away')) : log.append(appends),
  }
  await layFirstRules(refusing, RULES, { ...parts, clock: { ...systemClock, sleep: async () => {} } })
  expect((await log.bounds('alerts'))[0]?.next).toBe(1)
})
