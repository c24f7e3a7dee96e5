import type { ClickHouseClient } from '@clickhouse/client'
import { changeRow, COLUMNS, incidentRow, membershipRow, type TableName } from '../../analytics/rows.ts'
import type { Change, ChangeKind } from '../../schemas/change.ts'
import type { Incident, Member, Reason } from '../../schemas/incident.ts'
import type { TrueAlarm, TrueIncident } from './truth.ts'

const REASON: Reason = {
  code: 'new-group',
  rule: 'by-service',
  rules_version: 'v1',
  text: 'The first alert of its group.',
}
const SYSTEM = 'tocsin'
const FLUSH_ROWS = 50_000

function memberOf({ service, team }: TrueIncident, alarm: TrueAlarm, ended: boolean): Member {
  return {
    fingerprint: alarm.fingerprint,
    entity: alarm.entity,
    labels: { alertname: alarm.alertname, service, team, instance: alarm.entity },
    severity: alarm.severity,
    firing: !ended,
    silenced_by: [],
    starts_at_ms: alarm.starts_ms,
    ended_at_ms: ended ? alarm.ended_ms : null,
    joined_at_ms: alarm.joined_ms,
    reason: REASON,
  }
}

interface Step {
  readonly at_ms: number
  readonly kind: ChangeKind
  readonly actor: string
  readonly set: Partial<Incident>
}

function stepsOf(truth: TrueIncident): Step[] {
  const steps: Step[] = []
  const add = (at_ms: number | null, kind: ChangeKind, actor: string, set: Partial<Incident>) => {
    if (at_ms !== null) steps.push({ at_ms, kind, actor, set })
  }
  const { acknowledged_ms, mitigated_ms, reviewed_ms } = truth
  add(acknowledged_ms, 'acknowledged', 'alice', {
    acknowledged_at_ms: acknowledged_ms,
    state: 'acknowledged',
  })
  add(mitigated_ms, 'mitigated', 'alice', { mitigated_at_ms: mitigated_ms, state: 'mitigated' })
  for (const { at_ms, name } of truth.assignees) add(at_ms, 'assigned', 'alice', { assignee: name })
  for (const [i, [from_ms, to_ms]] of truth.episodes.entries()) {
    const anew = { state: 'open', resolved_at_ms: null, mitigated_at_ms: null, reopened: i } as const
    if (i > 0) add(from_ms, 'reopened', SYSTEM, anew)
    if (truth.merged_into === null)
      add(to_ms, 'resolved', SYSTEM, { state: 'resolved', resolved_at_ms: to_ms })
  }
  add(reviewed_ms, 'reviewed', 'bob', { state: 'reviewed', reviewed_at_ms: reviewed_ms })
  if (truth.merged_into !== null)
    add(truth.opened_ms + 1, 'merged', 'alice', { state: 'merged', merged_into: truth.merged_into })
  if (truth.flapped) add(truth.opened_ms + 1, 'flapping-started', SYSTEM, {})
  return steps.sort((a, b) => a.at_ms - b.at_ms)
}

/** The changes that a correlator would have told of it. */
function changesOf(truth: TrueIncident): Change[] {
  const { alarms, opened_ms } = truth
  const joined = alarms.map((alarm) => memberOf(truth, alarm, false))
  const ended = alarms
    .filter(({ ended_ms }) => ended_ms !== null)
    .map((alarm) => memberOf(truth, alarm, true))
  let incident: Incident = {
    id: truth.id,
    scope: truth.scope,
    state: 'open',
    severity: truth.severity,
    title: `${alarms[0]?.alertname ?? 'Alert'} on ${truth.service}`,
    group: { service: truth.service },
    rule: 'by-service',
    rules_version: 'v1',
    revision: 1,
    suppressed: false,
    first_event_at_ms: truth.first_event_ms,
    opened_at_ms: opened_ms,
    acknowledged_at_ms: null,
    mitigated_at_ms: null,
    resolved_at_ms: null,
    reviewed_at_ms: null,
    updated_at_ms: opened_ms,
    assignee: null,
    merged_into: null,
    reopened: 0,
    members_total: new Set(alarms.map(({ fingerprint }) => fingerprint)).size,
    members_firing: alarms.length - ended.length,
    causes: [],
    members: joined.slice(0, 25),
    tickets: [],
    timeline: [],
  }
  const told = (
    kind: ChangeKind,
    at_ms: number,
    actor: string,
    memberships: Change['memberships'],
  ): Change => ({
    id: `${truth.id}.${incident.revision}`,
    incident_id: truth.id,
    revision: incident.revision,
    kind,
    at_ms,
    actor,
    command_id: actor === SYSTEM ? null : `command-${truth.index}-${incident.revision}`,
    reason: REASON,
    memberships,
    incident,
  })
  const changes = [told('opened', opened_ms, SYSTEM, { joined, ended })]
  for (const { at_ms, kind, actor, set } of stepsOf(truth)) {
    incident = Object.assign({}, incident, set, { revision: incident.revision + 1, updated_at_ms: at_ms })
    changes.push(told(kind, at_ms, actor, { joined: [], ended: [] }))
  }
  return changes
}

/** Writes what happened as the record fold would: the same rows, by the same functions. */
export class TruthWriter {
  private readonly client: ClickHouseClient
  private readonly lines = new Map<TableName, string[]>()
  private position = 0
  rows = 0

  constructor(client: ClickHouseClient) {
    this.client = client
  }

  async add(truth: TrueIncident): Promise<void> {
    for (const change of changesOf(truth)) {
      const place = { partition: 0, position: this.position++, time_ms: change.at_ms }
      this.line('incident_changes', changeRow(place, change))
      this.line('incidents', incidentRow(place, change))
      const { joined, ended } = change.memberships
      for (const member of [...joined, ...ended])
        this.line('memberships', membershipRow(place, change, member))
    }
    for (const [table, lines] of this.lines) if (lines.length >= FLUSH_ROWS) await this.flush(table)
    if (truth.pauses.length > 0) await this.pause(truth)
  }

  async close(): Promise<void> {
    for (const table of this.lines.keys()) await this.flush(table)
    await this.flushPauses()
  }

  private readonly pauses: string[] = []

  private async pause({ id, scope, pauses }: TrueIncident): Promise<void> {
    for (const [leg, [from_ms, to_ms]] of pauses.entries()) {
      const time = (at_ms: number) => (at_ms / 1_000).toFixed(3)
      this.pauses.push(
        JSON.stringify([
          id,
          'resolve',
          leg + 1,
          'paused',
          time(from_ms),
          time(to_ms),
          'waiting for the user',
          scope,
          1,
        ]),
      )
    }
    if (this.pauses.length >= FLUSH_ROWS) await this.flushPauses()
  }

  private async flushPauses(): Promise<void> {
    const columns = 'incident_id, clock, leg, state, began_at, ended_at, reason, scope, revision'
    await this.insert(`clock_legs (${columns})`, this.pauses.splice(0))
  }

  private line(table: TableName, line: string): void {
    const lines = this.lines.get(table)
    if (lines) lines.push(line)
    else this.lines.set(table, [line])
  }

  private async flush(table: TableName): Promise<void> {
    const lines = this.lines.get(table) ?? []
    this.lines.set(table, [])
    await this.insert(`${table} (${COLUMNS[table].join(', ')})`, lines)
  }

  private async insert(target: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return
    this.rows += lines.length
    const { stream } = await this.client.exec({
      query: `INSERT INTO ${target} FORMAT JSONCompactEachRow\n${lines.join('\n')}`,
      clickhouse_settings: { async_insert: 0, max_partitions_per_insert_block: '0' },
    })
    for await (const _ of stream) continue
  }
}

/** Statements about alerts, evenly over a time, made by ClickHouse itself: `count` rows of `repeats` each. */
export async function addStatements(
  client: ClickHouseClient,
  { from_ms, to_ms, count, repeats }: { from_ms: number; to_ms: number; count: number; repeats: number },
): Promise<void> {
  await client.command({
    query: `
      INSERT INTO alerts (at, log_partition, log_position, ordinal, scope, fingerprint, severity, entity, source, labels, starts_at, repeats)
      SELECT fromUnixTimestamp64Milli(toInt64({from_ms:Int64} + intDiv(number * ({to_ms:Int64} - {from_ms:Int64}), {count:UInt64})), 'UTC'), 0, number, 0,
             concat('plant-', toString(number % 4)), leftPad(lower(hex(cityHash64(number % 14400))), 32, '0'), ['critical', 'high', 'medium', 'low'][number % 4 + 1],
             concat('host-', toString(number % 2400)), 'prometheus',
             map('alertname', 'HighLatency', 'service', concat('service-', toString(number % 40)), 'instance', concat('host-', toString(number % 2400))),
             at, {repeats:UInt64}
      FROM (SELECT number, fromUnixTimestamp64Milli(toInt64({from_ms:Int64} + intDiv(number * ({to_ms:Int64} - {from_ms:Int64}), {count:UInt64})), 'UTC') AS at FROM numbers(toUInt64({count:UInt64})))`,
    query_params: { from_ms, to_ms, count, repeats },
    clickhouse_settings: { max_partitions_per_insert_block: '0', async_insert: 0 },
  })
}
