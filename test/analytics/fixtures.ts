import type { Alert } from '../../schemas/alert.ts'
import type { Change } from '../../schemas/change.ts'
import { encodeChange, encodeRecord } from '../../schemas/codec.ts'
import type { Incident, Member } from '../../schemas/incident.ts'
import type { AlertsRecord, Origin, Place } from '../../schemas/record.ts'
import { fingerprintWords, RepeatsWriter } from '../../schemas/repeats.ts'
import type { LogEntry } from '../../runtime/ports.ts'

/** A moment in the middle of a month. */
export const NOON_MS = Date.UTC(2026, 4, 15, 12)

export function alertOf(n: number, more: Partial<Alert> = {}): Alert {
  return {
    fingerprint: n.toString(16).padStart(32, '0'),
    labels: { alertname: 'DiskFull', instance: `host-${n}:9100`, job: 'node', severity: 'critical' },
    annotations: { summary: `disk of host-${n} is full` },
    generator_url: 'http://prometheus.example.org/graph',
    severity: 'critical',
    entity: `host-${n}`,
    scope: 'plant-1',
    source: 'alertmanager',
    starts_at_ms: NOON_MS - 60_000,
    ends_at_ms: null,
    repeats: 1,
    ...more,
  }
}

function entryOf(position: number, time_ms: number, value: Buffer): LogEntry {
  return { position, time_ms, value, headers: {} }
}

/** An entry of the alerts log with the given alerts; with an origin, one place for each. */
export function alertsEntry(
  position: number,
  alerts: readonly Alert[],
  more: { time_ms?: number; origin?: Origin; places?: Place[] } = {},
): LogEntry {
  const { time_ms = NOON_MS, origin = null, places = [] } = more
  return entryOf(
    position,
    time_ms,
    encodeRecord({ kind: 'alerts', received_at_ms: time_ms, origin, places, alerts: [...alerts] }),
  )
}

/** An entry of the alerts log with repeats of the alerts `alertOf(n)`; with an origin, one place for each. */
export function repeatsEntry(
  position: number,
  numbers: readonly number[],
  more: { time_ms?: number; origin?: Origin; places?: Place[] } = {},
): LogEntry {
  const { time_ms = NOON_MS, origin = null, places = [] } = more
  const writer = new RepeatsWriter()
  const words = new Int32Array(4)
  for (const [i, n] of numbers.entries()) {
    fingerprintWords(alertOf(n).fingerprint, words)
    writer.add(words, 0, NOON_MS - 60_000, NaN, places[i] ?? null)
  }
  const record: AlertsRecord = {
    kind: 'alerts',
    received_at_ms: time_ms,
    origin,
    places: [],
    alerts: [],
    repeats: writer.done(),
    repeats_before: [],
  }
  return entryOf(position, time_ms, encodeRecord(record))
}

/** `entries` entries with `alerts_each` alerts, from a position on. */
export function alertsEntries(
  entries: number,
  alerts_each: number,
  first_position = 0,
  time_ms = NOON_MS,
): LogEntry[] {
  return Array.from({ length: entries }, (_, i) => {
    const position = first_position + i
    return alertsEntry(
      position,
      Array.from({ length: alerts_each }, (__, j) => alertOf(position * alerts_each + j)),
      { time_ms: time_ms + i },
    )
  })
}

const reason = {
  code: 'new-group',
  rule: 'by-alertname',
  rules_version: 'v1',
  text: 'The first alert of its group.',
} as const

export function memberOf(n: number, more: Partial<Member> = {}): Member {
  const { fingerprint, entity, labels, severity, starts_at_ms } = alertOf(n)
  return {
    fingerprint,
    entity,
    labels,
    severity,
    firing: true,
    silenced_by: [],
    starts_at_ms,
    ended_at_ms: null,
    joined_at_ms: NOON_MS,
    reason,
    ...more,
  }
}

export function incidentOf(id: string, more: Partial<Incident> = {}): Incident {
  return {
    id,
    scope: 'plant-1',
    state: 'open',
    severity: 'critical',
    title: 'DiskFull on host-1',
    group: { alertname: 'DiskFull' },
    rule: 'by-alertname',
    rules_version: 'v1',
    revision: 1,
    suppressed: false,
    first_event_at_ms: NOON_MS - 60_000,
    opened_at_ms: NOON_MS,
    acknowledged_at_ms: null,
    mitigated_at_ms: null,
    resolved_at_ms: null,
    reviewed_at_ms: null,
    updated_at_ms: NOON_MS,
    assignee: null,
    merged_into: null,
    reopened: 0,
    members_total: 1,
    members_firing: 1,
    causes: [],
    members: [memberOf(1)],
    tickets: [],
    timeline: [],
    ...more,
  }
}

export function changeOf(incident: Incident, more: Partial<Change> = {}): Change {
  return {
    id: `${incident.id}.${incident.revision}`,
    incident_id: incident.id,
    revision: incident.revision,
    kind: 'opened',
    at_ms: incident.updated_at_ms,
    actor: 'system',
    command_id: null,
    reason,
    memberships: { joined: [], ended: [] },
    incident,
    ...more,
  }
}

export function changeEntry(position: number, change: Change): LogEntry {
  return entryOf(position, change.at_ms, encodeChange(change))
}
