import { type DeliveryRow, next } from '../../notify/delivery.ts'
import { decodeRow } from '../../notify/rows.ts'
import { RECORDED_TOPICS } from '../../analytics/writer.ts'
import { checkHistory } from './history_rest.ts'
import { difference } from './audit.ts'
import type { Events } from './events.ts'
import { HOOK_POLICY } from './sinks.ts'
import type { Simulation } from './simulation.ts'

const CLOSED: ReadonlySet<string> = new Set(['resolved', 'reviewed', 'merged'])

async function deliveries(simulation: Simulation): Promise<DeliveryRow[]> {
  const rows: DeliveryRow[] = []
  for (let partition = 0; partition < simulation.scenario.partitions; partition++) {
    for (const [key, value] of await simulation.store.all(`deliver/incidents/${partition}`))
      if (key.startsWith('d/')) rows.push(decodeRow(value))
  }
  return rows
}

function policyOf({ tracker }: Simulation, sink: string) {
  return sink === 'hook' ? HOOK_POLICY : tracker.policy
}

/** What is still to be done; null when everything is at rest. */
export async function unfinished(simulation: Simulation, events: Events): Promise<string | null> {
  const { broker, source, store, reference, world, scenario } = simulation
  if (!source.drained) return `the source was read to ${source.committed.join(', ')}`
  if (reference.missing > 0) return `${reference.missing} alerts of the source are not in the log`
  if (events.open > 0) return `${events.open} requests have no answer`
  const recorded = scenario.with_history ? RECORDED_TOPICS : []
  for (const [shards, topic] of [
    ['correlate/alerts', 'alerts'],
    ['deliver/incidents', 'incidents'],
    ...recorded.map((one) => [`record/${one}`, one] as const),
  ] as const) {
    const ends = await broker.next(topic)
    for (let partition = 0; partition < scenario.partitions; partition++) {
      const position = await store.position(`${shards}/${partition}`)
      if ((position ?? 0) !== ends[partition])
        return `${shards}/${partition} was folded to ${position ?? 'nothing'} of ${ends[partition]}`
    }
  }
  if (reference.overdue(world.now_ms + broker.offset_ms)) return 'something is due and nobody ticks'
  for (const row of await deliveries(simulation)) {
    const todo = next(row, policyOf(simulation, row.sink), Number.MAX_SAFE_INTEGER)
    if (todo.action !== 'none' || row.intent !== null)
      return `delivery of ${row.incident_id} to ${row.sink}: ${todo.action} because of ${todo.reason}`
  }
  return null
}

/** Everything is at rest: is it as the reference fold says? */
export async function checkRest(simulation: Simulation): Promise<void> {
  const { reference, audit, store, world, scenario } = simulation
  for (const [partition, rows] of reference.rows.entries()) {
    const found = new Map(
      (await store.all(`correlate/alerts/${partition}`)).map(([key, value]) => [key, value.toString()]),
    )
    for (const key of new Set([...rows.keys(), ...found.keys()])) {
      const [a, b] = [rows.get(key) ?? 'nothing', found.get(key) ?? 'nothing']
      if (a !== b)
        world.violate(
          '5: the stored state is that of the reference fold',
          `${partition}: row ${key}: ${difference(a, b)}`,
        )
    }
  }
  for (const [id, { revision }] of reference.newest) {
    if (audit.published.get(id) !== revision)
      world.violate(
        '3: every change is in the incidents log',
        `${id} is at revision ${revision}, the log at ${audit.published.get(id) ?? 'nothing'}`,
      )
  }
  if (audit.letters.size !== scenario.bad_messages)
    world.violate(
      '8: what cannot be read is in the dead letters once',
      `${scenario.bad_messages} bad messages, ${audit.letters.size} letters`,
    )
  await checkDeliveries(simulation)
  if (scenario.with_history) await checkHistory(simulation)
}

async function checkDeliveries(simulation: Simulation): Promise<void> {
  const { reference, tracker, hook, world, scenario } = simulation
  const rows = await deliveries(simulation)
  const known = new Set(rows.map((row) => `${row.sink}/${row.incident_id}`))
  for (const id of reference.audible) {
    for (const sink of scenario.with_hook ? ['tracker', 'hook'] : ['tracker']) {
      if (!known.has(`${sink}/${id}`))
        world.violate('10: deliveries reach the last revision', `${sink} does not know ${id}`)
    }
  }
  for (const row of rows) {
    const what = `${row.incident_id} in ${row.sink}`
    const newest = reference.newest.get(row.incident_id)
    if (row.wanted.revision !== newest?.revision)
      world.violate(
        '10: deliveries reach the last revision',
        `${what}: seen ${row.wanted.revision} of ${newest?.revision ?? 'none'}`,
      )
    if (row.state === 'disabled' || row.state === 'failed-for-good')
      world.violate(
        '10: deliveries reach the last revision',
        `${what} is ${row.state}: ${row.error?.code ?? ''}`,
      )
    if (row.told === null || (row.wanted.suppressed && !CLOSED.has(row.wanted.state))) continue
    if (row.told.revision < row.tell_revision)
      world.violate(
        '10: deliveries reach the last revision',
        `${what}: told ${row.told.revision} of ${row.tell_revision}`,
      )
    const ticket = tracker.tickets.get(row.incident_id)?.find(({ id }) => id === row.external_id)
    if (row.sink === 'hook') {
      if (!hook.received.has(`${row.incident_id}.${row.told.revision}`))
        world.violate('10: what is told has been received', `${what}: ${row.told.revision}`)
    } else if (
      ticket?.id !== row.external_id ||
      ticket?.revision !== row.told.revision ||
      ticket.closed !== row.told.closed
    ) {
      world.violate(
        '10: what is told is what the ticket says',
        `${what}: told ${JSON.stringify(row.told)}, the ticket is ${JSON.stringify(ticket ?? null)}`,
      )
    }
  }
}
