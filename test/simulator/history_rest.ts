import { AlertsRecorder } from '../../analytics/alerts_recorder.ts'
import { Batch } from '../../analytics/batch.ts'
import type { TableName } from '../../analytics/rows.ts'
import type { Change } from '../../schemas/change.ts'
import { decodeChange } from '../../schemas/codec.ts'
import { repeatRows } from './history.ts'
import type { Simulation } from './simulation.ts'

const ALL = 1_000_000

/** Everything is recorded: is every row there, once, and as a plain reading of the log from its beginning says? */
export async function checkHistory(simulation: Simulation): Promise<void> {
  const { history, reference, audit, world } = simulation
  const wanted = await alertsWanted(simulation)
  // Nothing makes one of two equal rows here.
  const lines = history.rows('alerts').map(({ line }) => line)
  same(
    simulation,
    'alerts',
    counted(wanted.lines.map((line) => [line, 1])),
    counted(lines.map((line) => [line, 1])),
  )
  const repeats = history.rows('alert_repeats').map(({ cells }) => repeatsOf(cells))
  same(simulation, 'alert_repeats', counted(wanted.repeats), counted(repeats))
  // Here rows with equal keys become one.
  same(
    simulation,
    'change_events',
    once(wanted.changes),
    once(history.rows('change_events').map(({ line }) => line)),
  )
  const keys = (table: TableName, ...columns: string[]) =>
    once(history.rows(table).map(({ cells }) => columns.map((column) => cells[column]).join('.')))
  const changes = [...reference.changes].map(([id, bytes]) => ({ id, change: decodeChange(bytes) }))
  const ids = once(changes.map(({ id }) => id))
  same(simulation, 'incident_changes', ids, keys('incident_changes', 'id'))
  same(simulation, 'incidents', ids, keys('incidents', 'id', 'revision'))
  const members = changes.flatMap(({ change: { incident_id, memberships } }) =>
    [...memberships.joined, ...memberships.ended].map(({ fingerprint }) => `${incident_id}.${fingerprint}`),
  )
  same(simulation, 'memberships', once(members), keys('memberships', 'incident_id', 'fingerprint'))
  same(simulation, 'dead_letters', once([...audit.letters.keys()]), keys('dead_letters', 'id'))
  const told = new Map(changes.map(({ id, change }) => [id, withoutMembers(change)]))
  for (const { cells } of history.rows('incident_changes')) {
    if (told.get(String(cells['id'])) !== cells['change'])
      world.violate('11: a row of history is what the log says', `incident_changes ${String(cells['id'])}`)
  }
}

/** What is counted, and how often. */
type Counted = readonly [what: string, times: number]

async function alertsWanted({ broker }: Simulation): Promise<{
  readonly lines: readonly string[]
  readonly repeats: readonly Counted[]
  readonly changes: readonly string[]
}> {
  const lines: string[] = []
  const repeats: Counted[] = []
  const changes: string[] = []
  for (const reader of broker.readers('alerts')) {
    const recorder = new AlertsRecorder()
    const batch = new Batch(0)
    for (const entry of await reader.poll(ALL, 0)) recorder.add(reader.partition, entry, batch)
    for (const insert of batch.inserts()) {
      if (insert.table === 'change_events') changes.push(...insert.lines)
      else lines.push(...insert.lines)
      for (const counts of insert.repeats.values())
        for (const bytes of counts.rows()) repeats.push(...repeatRows(bytes).map(repeatsOf))
    }
  }
  return { lines, repeats, changes }
}

/** Rows are counted over whatever a batch was, so the sum of an alert's repeats is all that can be compared. */
function repeatsOf(cells: Readonly<Record<string, unknown>>): Counted {
  const { log_partition, origin_source, origin_partition, fingerprint_bytes, repeats } = cells
  return [[log_partition, origin_source, origin_partition, fingerprint_bytes].join('.'), Number(repeats)]
}

function withoutMembers({ memberships: _told, incident, ...rest }: Change): string {
  const { members: _listed, ...summary } = incident
  return JSON.stringify({ ...rest, incident: summary })
}

function counted(all: readonly Counted[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const [what, times] of all) sums.set(what, (sums.get(what) ?? 0) + times)
  return sums
}

function once(all: readonly string[]): ReadonlyMap<string, number> {
  return new Map(all.map((one) => [one, 1]))
}

/** Both hold the same, each as often as the other. */
function same(
  { world }: Simulation,
  table: TableName,
  wanted: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): void {
  for (const what of new Set([...wanted.keys(), ...found.keys()])) {
    const [due, there] = [wanted.get(what) ?? 0, found.get(what) ?? 0]
    if (there < due)
      world.violate('11: a row of history is written', `${table} has ${there} of ${due} times ${what}`)
    if (there > due)
      world.violate(
        '11: a row of history is written once',
        `${table} has ${there} instead of ${due} times ${what}`,
      )
  }
}
