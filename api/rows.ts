import type { HeartbeatRow } from '../correlate/declared_heartbeats.ts'
import {
  EVERY_SCOPE,
  relationKey,
  type RelationRow,
  storedRelations as readableRelations,
  type Toward,
} from '../correlate/match/relations.ts'
import {
  type AlertRow,
  type CommandOutcome,
  type IncidentRow,
  type MaintenanceRow,
  ROW_PREFIX,
  type Shelf,
} from '../correlate/state.ts'
import type { Log, Position, Shard, Store } from '../runtime/ports.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Silence } from '../schemas/command.ts'
import type { Rules } from '../schemas/rules.ts'

/** Reading the correlator's rows without owning them. Everything here may lag behind by one commit. */

export function correlateShard(partition: number): Shard {
  return `correlate/alerts/${partition}`
}

async function values<Row>(store: Store, partition: number, prefix: string): Promise<Row[]> {
  const rows = await store.read(correlateShard(partition), prefix)
  return rows.map(([, value]) => JSON.parse(value.toString()) as Row)
}

export function incidentRows(store: Store, partition: number): Promise<IncidentRow[]> {
  return values<IncidentRow>(store, partition, ROW_PREFIX.incident)
}

/** Every partition keeps every silence, so one is enough. */
export function storedSilences(store: Store): Promise<Silence[]> {
  return values<Silence>(store, 0, ROW_PREFIX.silence)
}

/** Every partition keeps every window, so one is enough. */
export function storedMaintenance(store: Store): Promise<MaintenanceRow[]> {
  return values<MaintenanceRow>(store, 0, ROW_PREFIX.maintenance)
}

/** Of all partitions, by name and when they were heard, the longest silent first. */
export async function storedHeartbeats(log: Log, store: Store): Promise<HeartbeatRow[]> {
  const partitions = Array.from({ length: log.partitions('alerts') }, (_, partition) => partition)
  const rows = await Promise.all(
    partitions.map((partition) => values<HeartbeatRow>(store, partition, ROW_PREFIX.heartbeat)),
  )
  return rows.flat().sort((a, b) => a.heard_at_ms - b.heard_at_ms)
}

/** Null before the first rules were folded. */
export async function rulesInForce(store: Store): Promise<Rules | null> {
  const [rules] = await values<Rules>(store, 0, ROW_PREFIX.rules)
  return rules ?? null
}

/** Every partition keeps what was declared for every scope, so one is enough. Relations read off labels are in the scope's own. */
export async function storedRelations(store: Store, scope: string, entity: string) {
  const key = ROW_PREFIX.relation + relationKey(scope, entity)
  const rows = await store.read(correlateShard(0), key)
  const found = rows.find(([stored]) => stored === key)
  const row = found && (JSON.parse(found[1].toString()) as RelationRow)
  const relations = (row?.declared ?? []).flatMap(({ source, relations: list }) =>
    list.map(([to, kind, toward]) => ({ to, kind, toward, source })),
  )
  return { hub: row?.hub ?? false, relations }
}

/** Relations read off labels: entity and label in turns. */
function inTurns(flat: readonly string[], toward: Toward) {
  return flat.flatMap((to, i) => (i % 2 === 0 ? [{ to, kind: flat[i + 1] ?? '', toward, source: null }] : []))
}

/** Relations of an entity in its scope and in all: declared ones, and (`source` null) those read off the labels of alerts. */
export async function knownRelations(
  store: Store,
  log: Log,
  { scope, entity }: { readonly scope: string; readonly entity: string },
) {
  const shard = correlateShard(partitionOf(scope, log.partitions('alerts')))
  const keys = [scope, EVERY_SCOPE].map((of) => ROW_PREFIX.relation + relationKey(of, entity))
  const found = await Promise.all(
    keys.map(async (key) => (await store.read(shard, key)).find(([stored]) => stored === key)),
  )
  const rows = found.flatMap((row) =>
    row ? [readableRelations(JSON.parse(row[1].toString()) as RelationRow)] : [],
  )
  const relations = rows.flatMap(({ named, named_by, declared }) => [
    ...inTurns(named, 'dependency'),
    ...inTurns(named_by, 'dependent'),
    ...declared.flatMap(({ source, relations: list }) =>
      list.map(([to, kind, toward]) => ({ to, kind, toward, source })),
    ),
  ])
  return { hub: rows.some(({ hub }) => hub), relations }
}

/** What became of a command that was folded before. */
export async function commandOutcome(
  store: Store,
  partition: number,
  command_id: string,
): Promise<CommandOutcome | null> {
  const key = ROW_PREFIX.command + command_id
  const rows = await store.read(correlateShard(partition), key)
  const row = rows.find(([found]) => found === key)
  return row ? (JSON.parse(row[1].toString()) as CommandOutcome) : null
}

const ROWS_PER_TURN = 2_000

/** Alerts that operators put aside, by fingerprint. */
export async function storedShelves(log: Log, store: Store): Promise<ReadonlyMap<string, Shelf>> {
  const shelves = new Map<string, Shelf>()
  for (let partition = 0; partition < log.partitions('alerts'); partition++)
    for (const [key, value] of await store.read(correlateShard(partition), ROW_PREFIX.shelf))
      shelves.set(key.slice(ROW_PREFIX.shelf.length), JSON.parse(value.toString()) as Shelf)
  return shelves
}

/** Every alert that is kept, those that ended while their incident is kept included; other requests get their turn in between. */
export async function* keptAlerts(log: Log, store: Store): AsyncGenerator<AlertRow> {
  for (let partition = 0; partition < log.partitions('alerts'); partition++) {
    const rows = await store.read(correlateShard(partition), ROW_PREFIX.alert)
    for (const [i, [, value]] of rows.entries()) {
      if (i % ROWS_PER_TURN === ROWS_PER_TURN - 1) await new Promise((resolve) => setImmediate(resolve))
      yield JSON.parse(value.toString()) as AlertRow
    }
  }
}

/** Every alert that fires and that no operator has dismissed. */
export async function* firingAlerts(log: Log, store: Store): AsyncGenerator<AlertRow> {
  for await (const row of keptAlerts(log, store)) if (row.firing && !row.dismissed) yield row
}

/** Has the correlator committed everything of this partition up to and including `appended`? */
export async function hasFolded(store: Store, partition: number, appended: Position): Promise<boolean> {
  const position = await store.position(correlateShard(partition))
  return position !== null && position > appended
}
