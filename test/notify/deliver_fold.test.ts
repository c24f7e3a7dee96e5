import { describe, expect, it } from 'vitest'
import { DeliverFold } from '../../notify/deliver_fold.ts'
import { type Action, RETAIN_CLOSED_MS, type Result, type SinkPolicy } from '../../notify/delivery.ts'
import { encodeRow, readDeliveries } from '../../notify/rows.ts'
import type { Sink, Telling } from '../../notify/sinks/sink.ts'
import { systemClock } from '../../runtime/clock.ts'
import { MemoryLog } from '../../runtime/log/memory.ts'
import type { Clock, Store } from '../../runtime/ports.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { Worker } from '../../runtime/worker.ts'
import type { Change } from '../../schemas/change.ts'
import { decodeRecord, encodeChange } from '../../schemas/codec.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { eventually } from '../contracts/wait.ts'
import { change } from './changes.ts'
import { Shard } from './shard.ts'

/** A ticket system of a few lines: answers are held back until the test lets them go, or given at once. */
class Desk implements Sink {
  readonly policy: SinkPolicy
  readonly asked: { action: Action; telling: Telling; answer: (result: Result) => void }[] = []
  readonly tickets = new Map<string, string>()
  most_at_once = 0
  private running = 0
  private readonly held: boolean

  constructor(over: Partial<SinkPolicy> = {}, held = false) {
    this.policy = {
      sink: 'desk',
      min_severity: 'info',
      update_interval_ms: 1,
      create_timeout_ms: 60_000,
      attempt_timeout_ms: 60_000,
      settle_ms: 1,
      idempotent: false,
      silent: ['ticket-linked'],
      ...over,
    }
    this.held = held
  }

  async deliver(action: Action, telling: Telling, signal: AbortSignal): Promise<Result> {
    this.running++
    this.most_at_once = Math.max(this.most_at_once, this.running)
    const ended = new Promise<Result>((answer) => {
      this.asked.push({ action, telling, answer })
      signal.addEventListener('abort', () =>
        answer({ kind: 'retry', code: 'aborted', status: null, retry_after_ms: null, not_done: false }),
      )
    })
    const result = this.held ? await ended : this.carryOut(action, telling)
    this.running--
    return result
  }

  carryOut(action: Action, { summary }: Telling): Result {
    const { incident_id } = summary
    if (action === 'create') {
      if (this.tickets.has(incident_id)) throw new Error(`a second ticket for ${incident_id}`)
      this.tickets.set(incident_id, String(this.tickets.size + 1))
    }
    const external_id = this.tickets.get(incident_id)
    return external_id === undefined
      ? { kind: 'absent' }
      : { kind: 'ok', external_id, url: `https://desk.example.org/${external_id}` }
  }

  close(): void {
    this.asked.length = 0
  }
}

const of = (id: string, kind: Change['kind'] = 'opened', revision = 1, over = {}) =>
  change(kind, revision, over, id)

/** The machine's clock, moved ahead as the test says. */
class AheadClock implements Clock {
  ahead_ms = 0
  now = () => systemClock.now() + this.ahead_ms
  token = () => systemClock.token()
  sleep: Clock['sleep'] = (ms, signal) => systemClock.sleep(ms, signal)
}

describe('deliveries', () => {
  it('make one ticket, tell the incident of it in the same step, and close it in the end', async () => {
    const desk = new Desk()
    const shard = await Shard.open([desk])
    await shard.tell(of('inc_a'), of('inc_a', 'grown', 2, { members_total: 2 }))
    await shard.until('d/inc_a/desk', (row) => row.state === 'delivered')
    expect(shard.published).toHaveLength(1)
    const [linked] = shard.published
    expect(linked).toMatchObject({ topic: 'alerts', partition: partitionOf('plant-1', 4) })
    expect(decodeRecord(linked?.value ?? Buffer.alloc(0))).toMatchObject({
      kind: 'command',
      command: {
        actor: 'sink:desk',
        body: {
          kind: 'link-ticket',
          incident_id: 'inc_a',
          ticket: { sink: 'desk', external_id: '1', url: 'https://desk.example.org/1' },
        },
      },
    })
    await shard.tell(of('inc_a', 'resolved', 3, { state: 'resolved' }))
    await shard.until('d/inc_a/desk', (row) => row.told?.closed === true)
    expect(desk.asked.map(({ action }) => action)).toEqual(['create', 'close'])
    expect(shard.published).toHaveLength(1)
  })

  it('store what they are about to do before they do it', async () => {
    const desk = new Desk()
    const shard = await Shard.open([desk])
    const step = shard.fold.fold([
      { position: 0, time_ms: 1, value: Buffer.from(JSON.stringify(of('inc_a'))), headers: {} },
    ])
    expect(JSON.parse(String(step.put.get('d/inc_a/desk')))).toMatchObject({
      state: 'in-flight',
      intent: { kind: 'create', attempt: 1 },
    })
    expect(desk.asked).toEqual([])
    await step.after?.(new AbortController().signal)
    expect(desk.asked).toHaveLength(1)
  })

  it('look up what became of a creation when their owner is replaced, and create nothing twice', async () => {
    const clock = new AheadClock()
    const desk = new Desk({ settle_ms: 1_000 })
    const shard = await Shard.open([desk], { clock })
    await shard.tell(of('inc_a'))
    expect(desk.tickets.size).toBe(1)
    await shard.takeOver()
    await shard.turn()
    expect(desk.asked).toHaveLength(1)
    clock.ahead_ms = 120_000
    await shard.until('d/inc_a/desk', (row) => row.external_id === '1')
    expect(desk.asked.map(({ action }) => action)).toEqual(['create', 'look-up'])
    expect(shard.published).toHaveLength(1)
  })

  it('create anew when the replaced owner had not begun', async () => {
    const clock = new AheadClock()
    const desk = new Desk({ settle_ms: 1_000 })
    const shard = await Shard.open([desk], { clock })
    const { put, publish } = shard.fold.fold([
      { position: 0, time_ms: 1, value: Buffer.from(JSON.stringify(of('inc_a'))), headers: {} },
    ])
    await shard.carryOut({ put, publish, delete: new Set() })
    clock.ahead_ms = 120_000
    await shard.takeOver()
    await shard.until('d/inc_a/desk', (row) => row.state === 'delivered')
    expect(desk.asked.map(({ action }) => action)).toEqual(['look-up', 'create'])
  })

  it('create nothing twice when the store lost that a ticket was made', async () => {
    const clock = new AheadClock()
    const desk = new Desk({ settle_ms: 1_000 })
    const shard = await Shard.open([desk], { clock })
    shard.incarnation = 'one'
    await shard.takeOver()
    await shard.tell(of('inc_a'), of('inc_b'), of('inc_c'))
    expect(desk.asked.map(({ action }) => action)).toEqual(['create', 'create', 'create'])
    // The store is another one by now: it never heard of the first, of the second only that it is to be told, and of the
    // third that a ticket was begun, which need not be the last that was.
    shard.rows.delete('d/inc_a/desk')
    const stored = shard.row('d/inc_b/desk')
    if (stored === null) throw new Error('the row is missing')
    shard.rows.set('d/inc_b/desk', encodeRow({ ...stored, state: 'pending', intent: null, unsure: null }))
    shard.incarnation = 'two'
    shard.log_end = 4
    clock.ahead_ms = 20_000
    await shard.takeOver()
    await shard.tell(of('inc_a'))
    await shard.turn()
    // What an owner before may have begun may still be under way.
    expect(desk.asked).toHaveLength(3)
    // The next owner knows of the doubt as well.
    await shard.takeOver()
    clock.ahead_ms = 120_000
    for (const key of ['d/inc_a/desk', 'd/inc_b/desk', 'd/inc_c/desk'])
      await shard.until(key, (row) => row.state === 'delivered' && row.told?.revision === 1)
    expect(desk.tickets.size).toBe(3)
    expect(desk.asked.slice(3).map(({ action }) => action)).toEqual([
      ...['look-up', 'look-up', 'look-up'],
      // Nobody knows what the ticket says by now.
      ...['reopen', 'reopen', 'reopen'],
    ])
    expect(desk.asked.slice(3).every(({ telling }) => telling.repeated)).toBe(true)
  })

  it('are made at once for what is logged after a store was found to be another one', async () => {
    const desk = new Desk({ settle_ms: 1_000 })
    const shard = await Shard.open([desk])
    shard.incarnation = 'one'
    await shard.takeOver()
    await shard.turn()
    await shard.takeOver()
    await shard.tell(of('inc_a'))
    await shard.until('d/inc_a/desk', (row) => row.state === 'delivered')
    expect(desk.asked.map(({ action }) => action)).toEqual(['create'])
  })

  it('do not send what was stored too long ago', async () => {
    const clock = new AheadClock()
    const desk = new Desk()
    const shard = await Shard.open([desk], { clock })
    const step = shard.fold.fold([
      { position: 0, time_ms: 1, value: Buffer.from(JSON.stringify(of('inc_a'))), headers: {} },
    ])
    clock.ahead_ms = 60_000
    await shard.carryOut(step)
    await shard.until('d/inc_a/desk', (row) => row.error?.code === 'begun-too-late')
    expect(desk.asked).toEqual([])
  })

  it('keep to a number of attempts at once, the most severe first, and go on as they end', async () => {
    const desk = new Desk({}, true)
    const shard = await Shard.open([desk], { attempts_max: 2 })
    const many = Array.from({ length: 6 }, (_, i) =>
      of(`inc_${i}`, 'opened', 1, { severity: i === 5 ? 'critical' : 'low' }),
    )
    await shard.tell(...many)
    expect(desk.asked).toHaveLength(2)
    expect(desk.asked[0]?.telling.summary.incident_id).toBe('inc_5')
    expect(shard.fold.dueAt()).toBeNull()
    for (let answered = 0; answered < 6; answered++) {
      const request = await eventually(`request ${answered} was made`, async () => {
        await shard.turn()
        return desk.asked[answered]
      })
      request.answer(desk.carryOut('create', request.telling))
    }
    for (const { incident_id } of many)
      await shard.until(`d/${incident_id}/desk`, (row) => row.state === 'delivered')
    expect(desk.most_at_once).toBe(2)
  })

  it('of a sink that asks for silence wait together, and others do not', async () => {
    const slow = new Desk({}, true)
    const quick = new Desk({ sink: 'quick' })
    const clock = new AheadClock()
    const shard = await Shard.open([slow, quick], { attempts_max: 1, clock })
    await shard.tell(of('inc_a'), of('inc_b'))
    slow.asked[0]?.answer({
      kind: 'retry',
      code: 'http-429',
      status: 429,
      retry_after_ms: 30_000,
      not_done: true,
    })
    await shard.until('d/inc_b/quick', (row) => row.state === 'delivered')
    await shard.until('d/inc_a/desk', (row) => row.state === 'retrying')
    await shard.turn()
    expect(slow.asked).toHaveLength(1)
    expect(shard.fold.dueAt()).toBeGreaterThan(clock.now() + 20_000)
    clock.ahead_ms = 31_000
    await shard.turn()
    expect(slow.asked).toHaveLength(2)
  })

  it('wake the fold, and end when it is closed', async () => {
    const desk = new Desk({}, true)
    const shard = await Shard.open([desk])
    let woken = 0
    shard.fold.wake = () => woken++
    await shard.tell(of('inc_a'), of('inc_b'))
    desk.asked[0]?.answer(desk.carryOut('create', desk.asked[0].telling))
    await eventually('the fold is woken', () => woken === 1)
    await shard.fold.close()
    expect(woken).toBe(1)
  })

  it('are forgotten long after their incident closed, and not before', async () => {
    const clock = new AheadClock()
    const shard = await Shard.open([new Desk()], { clock })
    await shard.tell(of('inc_a'), of('inc_b'))
    await shard.tell(of('inc_a', 'resolved', 2, { state: 'resolved' }))
    await shard.until('d/inc_a/desk', (row) => row.told?.closed === true)
    await shard.until('d/inc_b/desk', (row) => row.state === 'delivered')
    clock.ahead_ms = RETAIN_CLOSED_MS - 60_000
    await shard.turn()
    expect([...shard.rows.keys()].sort()).toEqual(['d/inc_a/desk', 'd/inc_b/desk'])
    clock.ahead_ms = RETAIN_CLOSED_MS + 60_000
    await shard.turn()
    expect([...shard.rows.keys()]).toEqual(['d/inc_b/desk'])
  })

  it('are counted by state, and count for nothing once the partition is lost', async () => {
    const counts = new Map<string, number>()
    const counted = (sink: string, state: string, by: number) =>
      void counts.set(`${sink} ${state}`, (counts.get(`${sink} ${state}`) ?? 0) + by)
    const shard = await Shard.open([new Desk()], { counted })
    await shard.tell(of('inc_a'), of('inc_b'))
    await shard.until('d/inc_a/desk', (row) => row.state === 'delivered')
    await shard.until('d/inc_b/desk', (row) => row.state === 'delivered')
    expect(counts.get('desk delivered')).toBe(2)
    await shard.fold.close()
    expect([...counts.values()].every((count) => count === 0)).toBe(true)
  })

  it('put a change that cannot be read aside, and go on', async () => {
    const shard = await Shard.open([new Desk()])
    await shard.tell(Buffer.from('{"id": 1'), of('inc_a'))
    expect(shard.published.map(({ topic }) => topic)).toEqual(['deadletters'])
    await shard.until('d/inc_a/desk', (row) => row.state === 'delivered')
  })
})

it('the view of deliveries finds them by incident, sink and state', async () => {
  const shard = await Shard.open([new Desk(), new Desk({ sink: 'second' }, true)])
  await shard.tell(of('inc_a'), of('inc_b'))
  await shard.until('d/inc_a/desk', (row) => row.state === 'delivered')
  await shard.until('d/inc_b/desk', (row) => row.state === 'delivered')
  const store: Pick<Store, 'read'> = {
    read: async (_shard, prefix) => [...shard.rows].filter(([key]) => key.startsWith(prefix)),
  }
  const found = async (filter: Parameters<typeof readDeliveries>[2], limit = 10) => {
    const { total, deliveries } = await readDeliveries(store, 1, filter, limit)
    return { total, keys: deliveries.map((row) => `${row.incident_id}/${row.sink}`).sort() }
  }
  expect(await found({ state: 'delivered' })).toEqual({ total: 2, keys: ['inc_a/desk', 'inc_b/desk'] })
  expect(await found({ sink: 'second', state: 'in-flight' })).toEqual({
    total: 2,
    keys: ['inc_a/second', 'inc_b/second'],
  })
  expect(await found({ incident_id: 'inc_a' })).toEqual({ total: 2, keys: ['inc_a/desk', 'inc_a/second'] })
  expect((await found({}, 3)).total).toBe(4)
  await shard.fold.close()
})

describe('a worker that takes over from one that stopped within a creation', () => {
  const clock = new AheadClock()
  const installation = () => {
    const log = new MemoryLog(clock, 1)
    const store = new MemoryStore()
    const errors: unknown[] = []
    const observer = {
      owned() {},
      batch() {},
      committed() {},
      retrying() {},
      fenced() {},
      fatal: (_shard: string, error: unknown) => void errors.push(error),
    }
    const start = async (sink: Sink): Promise<Worker> => {
      const parts = {
        partition: 0,
        sinks: [sink],
        clock,
        attempts_max: 4,
        alerts_partitions: 1,
        deadletters_partitions: 1,
        attempted: () => {},
        counted: () => {},
      }
      const worker = new Worker({
        log,
        store,
        clock,
        observer,
        tracing: noTraces,
        topic: 'incidents',
        name: 'deliver',
        make: () => new DeliverFold(parts),
      })
      await worker.start()
      return worker
    }
    return { log, store, errors, start }
  }
  /** The first is asked for a ticket; the second finds the same tickets. */
  const desks = () => {
    const [silent, talking] = [new Desk({}, true), new Desk()]
    const asked = () => eventually('the creation was sent', () => silent.asked[0])
    const handOver = () => silent.tickets.forEach((id, incident_id) => talking.tickets.set(incident_id, id))
    return { silent, talking, asked, handOver }
  }

  it('finds the ticket and links it', async () => {
    const { log, store, errors, start } = installation()
    const { silent, talking, asked, handOver } = desks()
    const first = await start(silent)
    await log.append([{ topic: 'incidents', partition: 0, value: encodeChange(of('inc_a')) }])
    silent.carryOut('create', (await asked()).telling)
    await first.stop()
    handOver()
    clock.ahead_ms = 120_000
    const second = await start(talking)
    const linked = async () =>
      (await readDeliveries(store, 1, { state: 'delivered' }, 10)).deliveries[0]?.external_id
    expect(await eventually('the ticket is known', linked)).toBe('1')
    await second.stop()
    expect(talking.asked.map(({ action }) => action)).toEqual(['look-up'])
    expect((await log.bounds('alerts'))[0]?.next).toBe(1)
    expect(errors).toEqual([])
  })

  it('need not look for the ticket when the answer came soon', async () => {
    const { log, store, errors, start } = installation()
    const { silent, talking, asked, handOver } = desks()
    const first = await start(silent)
    await log.append([{ topic: 'incidents', partition: 0, value: encodeChange(of('inc_a')) }])
    const { answer, telling } = await asked()
    const stopped = first.stop()
    answer(silent.carryOut('create', telling))
    await stopped
    handOver()
    const [row] = (await readDeliveries(store, 1, { state: 'delivered' }, 10)).deliveries
    expect(row).toMatchObject({ external_id: '1', intent: null })
    expect((await log.bounds('alerts'))[0]?.next).toBe(1)
    const second = await start(talking)
    await log.append([
      {
        topic: 'incidents',
        partition: 0,
        value: encodeChange(of('inc_a', 'resolved', 2, { state: 'resolved' })),
      },
    ])
    await eventually('the ticket is closed', () => talking.asked.length > 0)
    await second.stop()
    expect(talking.asked.map(({ action }) => action)).toEqual(['close'])
    expect(errors).toEqual([])
  })
})
