import type { ClickHouseClient } from '@clickhouse/client'
import { digestOf } from '../schemas/ids.ts'
import type { ImportedIncident } from '../schemas/imported.ts'

const INCIDENT_COLUMNS =
  'id, revision, scope, state, severity, title, rule, first_event_at, opened_at, acknowledged_at, mitigated_at, resolved_at, reviewed_at, updated_at, assignee, reopened, tickets, labels, entity, root_fingerprint, impact_start_at, detected_at, impact_end_at, satisfaction, imported_from'
const LEG_COLUMNS = 'incident_id, clock, leg, state, began_at, ended_at, reason, revision, scope'
const CLOCK = 'resolve'

const seconds = (at_ms: number) => (at_ms / 1_000).toFixed(3)
const orNull = (at_ms: number | null) => (at_ms === null ? null : seconds(at_ms))

/** The id of an imported incident: the same incident of the same system has the same. */
function importedId({ source, external_id }: ImportedIncident): string {
  return `imp_${digestOf(`incident of ${source}`, external_id).slice(0, 20)}`
}

function stateOf(it: ImportedIncident): string {
  if (it.reviewed_ms !== null) return 'reviewed'
  if (it.resolved_ms !== null) return 'resolved'
  if (it.mitigated_ms !== null) return 'mitigated'
  return it.acknowledged_ms === null ? 'open' : 'acknowledged'
}

/** Of two imports of an incident the one that knows newer times holds. */
const revisionOf = ({ updated_ms }: ImportedIncident) => Math.floor(updated_ms / 1_000)

function incidentValues(it: ImportedIncident): unknown[] {
  const service = it.labels['service'] ?? ''
  const root = it.recurrence_key || `${it.title}\u0000${service}`
  return [
    importedId(it),
    revisionOf(it),
    it.scope,
    stateOf(it),
    it.severity,
    it.title,
    `import:${it.source}`,
    seconds(it.impact_start_ms ?? it.detected_ms ?? it.opened_ms),
    seconds(it.opened_ms),
    orNull(it.acknowledged_ms),
    orNull(it.mitigated_ms),
    orNull(it.resolved_ms),
    orNull(it.reviewed_ms),
    seconds(it.updated_ms),
    it.assignee,
    it.reopened,
    [{ sink: it.source, external_id: it.external_id, url: it.url }],
    it.labels,
    service,
    digestOf(`what recurs in ${it.source}`, root),
    orNull(it.impact_start_ms),
    orNull(it.detected_ms),
    orNull(it.impact_end_ms),
    it.satisfaction,
    it.source,
  ]
}

function legValues(it: ImportedIncident): unknown[][] {
  return it.pauses.map(({ from_ms, to_ms, reason }, index) => {
    const [began, ended] = [seconds(from_ms), orNull(to_ms)]
    return [importedId(it), CLOCK, index + 1, 'paused', began, ended, reason, revisionOf(it), it.scope]
  })
}

/**
 * Writes incidents of another system into the history. To write them again changes nothing: equal ids give one row. Throws what the
 * client throws.
 */
export async function writeImported(
  client: ClickHouseClient,
  incidents: readonly ImportedIncident[],
): Promise<void> {
  await insert(client, `clock_legs (${LEG_COLUMNS})`, incidents.flatMap(legValues))
  await insert(client, `incidents (${INCIDENT_COLUMNS})`, incidents.map(incidentValues))
}

async function insert(client: ClickHouseClient, target: string, rows: readonly unknown[][]): Promise<void> {
  if (rows.length === 0) return
  const { stream } = await client.exec({
    query: `INSERT INTO ${target} FORMAT JSONCompactEachRow\n${rows.map((row) => JSON.stringify(row)).join('\n')}`,
    // A batch of an export may span many months; each is a part of its own.
    clickhouse_settings: { async_insert: 0, wait_end_of_query: 1, max_partitions_per_insert_block: '0' },
  })
  // The answer is empty; reading it to its end tells of errors that came late.
  for await (const _ of stream) continue
}
