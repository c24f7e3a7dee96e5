/** What a run must leave behind, whatever went wrong meanwhile: that which a faultless run of the same input leaves. */
import { expect } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
import { incidentUrn } from '../../notify/sinks/request_tracker.ts'
import { expectedGroups, keyOf, type Statement } from '../reference/groups.ts'
import type { Follower } from './follower.ts'
import type { Ask } from './history.ts'
import { GROUP_BY } from './input.ts'
import type { Ledger } from './ledger.ts'
import { until } from './processes.ts'
import type { Receiver, Taken } from './receiver.ts'
import type { Sent } from './sender.ts'
import type { TicketServer } from './ticket_server.ts'

type Labels = Readonly<Record<string, string>>

/** Where an installation has left its traces. */
export interface Traces {
  readonly ask: Ask
  /** The live view of any of its processes. */
  readonly incidents: readonly Incident[]
  readonly receiver: Receiver
  readonly tickets: TicketServer
  readonly loss: Loss | null
}

/**
 * The store lost what it had acknowledged. A webhook may then be told under a second id that an incident opened of which it
 * has heard. How much the receiver had been told when it began, and when the store worked again.
 */
export interface Loss {
  readonly told_before: number
  readonly told_by_then: number
}

export interface Given {
  readonly statements: readonly Statement[]
  /** Identity of an alert (`keyOf`) → what its senders know. */
  readonly sent: ReadonlyMap<string, Sent>
}

/** What was checked, to be told with the test. */
export interface Figures {
  readonly alerts: number
  readonly statements: number
  readonly incidents: number
  readonly changes: number
  readonly tellings: number
  readonly tickets: number
}

const SEVERITY_OF: Labels = { critical: 'critical', warning: 'medium', info: 'info' }
const ORDER = Object.values(SEVERITY_OF)

interface Summary {
  readonly group: string
  readonly state: string
  readonly severity: string
  readonly members_total: number
  readonly members_firing: number
  readonly alerts: readonly string[]
}

/** Worked out from the input alone, by nothing of the product. */
export function summariesDue(statements: readonly Statement[]): Summary[] {
  const { groups } = expectedGroups(statements, GROUP_BY)
  const last = new Map(statements.map((statement) => [keyOf(statement.labels), statement]))
  const severityOf = (alert: string) => SEVERITY_OF[last.get(alert)?.labels['severity'] ?? ''] ?? ''
  return [...groups]
    .map(([group, { alerts, state }]) => ({
      group,
      state,
      severity: ORDER[Math.min(...[...alerts].map((alert) => ORDER.indexOf(severityOf(alert))))] ?? '',
      members_total: alerts.size,
      members_firing: [...alerts].filter((alert) => last.get(alert)?.endsAt === undefined).length,
      alerts: [...alerts].sort(),
    }))
    .sort(byGroup)
}

function byGroup(a: Summary, b: Summary): number {
  return a.group < b.group ? -1 : 1
}

interface IncidentRow {
  readonly id: string
  readonly revision: number
  readonly state: string
  readonly severity: string
  readonly title: string
  readonly group_labels: Labels
  readonly members_total: number
  readonly members_firing: number
}

/** Checks everything; throws at the first difference. */
export async function expectOutcome(traces: Traces, { statements, sent }: Given): Promise<Figures> {
  const { ask, incidents, loss } = traces
  const rows = await ask<IncidentRow>(
    'SELECT id, revision, state, severity, title, group_labels, members_total, members_firing FROM incidents FINAL',
  )
  await expectIncidents(ask, rows, incidents, statements)
  const changes = await expectChanges(ask, rows)
  const recorded = await expectStatements(ask, sent)
  expectTellings(traces.receiver, rows)
  for (const told of tellingsWithoutLoss(traces.receiver, loss)) expectOpenedOnce(told)
  expectTickets(traces.tickets, rows)
  expectCommentsOnce(traces.tickets)
  return {
    alerts: sent.size,
    statements: recorded,
    incidents: rows.length,
    changes,
    tellings: traces.receiver.taken.length,
    tickets: traces.tickets.tickets.length,
  }
}

/** Every alert is in the incident of its group and in no other; the live view and the history agree. */
async function expectIncidents(
  ask: Ask,
  rows: readonly IncidentRow[],
  incidents: readonly Incident[],
  statements: readonly Statement[],
): Promise<void> {
  const members = await ask<{ incident_id: string; labels: Labels; firing: number }>(
    'SELECT incident_id, labels, ended_at IS NULL AS firing FROM memberships FINAL',
  )
  const of = Map.groupBy(members, ({ incident_id }) => incident_id)
  const found = rows.map((row) => {
    const { id, state, severity, group_labels, members_total, members_firing } = row
    const alerts = (of.get(id) ?? []).map(({ labels }) => keyOf(labels)).sort()
    return { group: keyOf(group_labels), state, severity, members_total, members_firing, alerts }
  })
  expect(found.sort(byGroup)).toEqual(summariesDue(statements))
  const firing = members.filter(({ firing: is_firing }) => is_firing === 1).length
  expect(firing).toBe(rows.reduce((sum, { members_firing }) => sum + members_firing, 0))
  const same = ({
    id,
    revision,
    state,
    severity,
    title,
    members_total,
    members_firing,
  }: IncidentRow | Incident) =>
    JSON.stringify([id, revision, state, severity, title, members_total, members_firing])
  expect(incidents.map(same).sort()).toEqual(rows.map(same).sort())
}

/** Revisions 1, 2, 3, … of each incident, each once. Returns how many there are. */
async function expectChanges(ask: Ask, rows: readonly IncidentRow[]): Promise<number> {
  const told = await ask<{ id: string; revisions: number[] }>(
    'SELECT incident_id AS id, arraySort(groupArray(revision)) AS revisions FROM incident_changes GROUP BY id ORDER BY id',
  )
  const due = rows.map(({ id, revision }) => ({
    id,
    revisions: upTo(revision),
  }))
  expect(told).toEqual(due.sort((a, b) => (a.id < b.id ? -1 : 1)))
  return due.reduce((sum, { revisions }) => sum + revisions.length, 0)
}

/** Every statement that was answered is in the history, and nothing more often than it was sent. Returns how many are there. */
async function expectStatements(ask: Ask, sent: ReadonlyMap<string, Sent>): Promise<number> {
  const twice = await ask(
    'SELECT log_partition, log_position, ordinal FROM alerts GROUP BY ALL HAVING count() > 1',
  )
  expect(twice).toEqual([])
  const rows = await ask<{ labels: Labels; statements: number }>(
    `SELECT any(labels) AS labels, sum(statements) AS statements
     FROM alert_statements LEFT ANY JOIN (SELECT DISTINCT fingerprint, labels FROM alerts) AS told USING fingerprint
     GROUP BY fingerprint`,
  )
  const recorded = new Map(rows.map(({ labels, statements }) => [keyOf(labels), statements]))
  const lost = [...sent].filter(([alert, { answered }]) => (recorded.get(alert) ?? 0) < answered)
  const doubled = [...recorded].filter(([alert, count]) => count > (sent.get(alert)?.sent ?? 0))
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] })
  return [...recorded.values()].reduce((sum, count) => sum + count, 0)
}

/** The newest revision that the webhook was told is the last one. */
function expectTellings({ taken }: Receiver, rows: readonly IncidentRow[]): void {
  const by_incident = Map.groupBy(taken, ({ incident_id }) => incident_id)
  const newest = rows.map(({ id }) => {
    const told = (by_incident.get(id) ?? []).toSorted((a, b) => a.revision - b.revision).at(-1)
    return {
      id,
      revision: told?.revision,
      state: told?.state,
      severity: told?.severity,
      members_total: told?.members_total,
    }
  })
  expect(newest).toEqual(
    rows.map(({ id, revision, state, severity, members_total }) => ({
      id,
      revision,
      state,
      severity,
      members_total,
    })),
  )
  expect([...by_incident.keys()].sort()).toEqual(rows.map(({ id }) => id).sort())
}

/** All of them, or those before the loss, and those after it about incidents that the receiver had not heard of. */
function tellingsWithoutLoss({ taken }: Receiver, loss: Loss | null): (readonly Taken[])[] {
  if (loss === null) return [taken]
  const known = new Set(taken.slice(0, loss.told_by_then).map(({ incident_id }) => incident_id))
  const later = taken.slice(loss.told_by_then).filter(({ incident_id }) => !known.has(incident_id))
  return [taken.slice(0, loss.told_before), later]
}

/** Whoever drops repetitions by `webhook-id` hears of one beginning of each incident. */
function expectOpenedOnce(taken: readonly Taken[]): void {
  const wrong = [...Map.groupBy(taken, ({ incident_id }) => incident_id).values()].filter((told) => {
    const ids = new Set(told.filter(({ kind }) => kind === 'opened').map(({ webhook_id }) => webhook_id))
    // An incident that was over before anybody could be told begins with its end.
    const first = told.toSorted((a, b) => a.revision - b.revision)[0]
    return ids.size !== (first?.kind === 'resolved' ? 0 : 1)
  })
  expect(wrong).toEqual([])
}

/** One ticket for each critical incident, in its state. */
function expectTickets(server: TicketServer, rows: readonly IncidentRow[]): void {
  const twice = [...Map.groupBy(server.tickets, ({ refers_to }) => refers_to).values()]
  expect(twice.filter(({ length }) => length > 1)).toEqual([])
  const found = server.tickets.map(
    ({ refers_to, status }) => `${refers_to} ${status === 'resolved' ? 'resolved' : 'open'}`,
  )
  const due = rows
    .filter(({ severity }) => severity === 'critical')
    .map(({ id, state }) => `${incidentUrn(id)} ${state === 'resolved' ? 'resolved' : 'open'}`)
  expect(found.sort()).toEqual(due.sort())
}

function expectCommentsOnce(server: TicketServer): void {
  const repeated = server.tickets.filter(({ comments }) => new Set(comments).size !== comments.length)
  expect(repeated).toEqual([])
}

/** Whoever follows the changes and connects again whenever the process dies hears each of them. */
export async function expectFollowed(follower: Follower, incidents: readonly Incident[]): Promise<void> {
  await until('the follower was told every change', () => {
    const seen = new Set(follower.changes.map(({ id }) => id))
    return incidents.every(({ id, revision }) => upTo(revision).every((n) => seen.has(`${id}.${n}`)))
  })
  expect(follower.resyncs).toBe(0)
}

/** What was published is, byte for byte, what the alerts log comes to in one thread. */
export function expectReplay(ledger: Ledger): void {
  const { gaps, contradictions, unassigned } = ledger
  expect({ gaps, contradictions, unassigned, differences: ledger.differences() }).toEqual({
    gaps: [],
    contradictions: [],
    unassigned: [],
    differences: [],
  })
}

function upTo(revision: number): number[] {
  return Array.from({ length: revision }, (_, i) => i + 1)
}
