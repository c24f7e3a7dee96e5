import { z } from 'zod'
import type { Store } from '../runtime/ports.ts'
import { severity } from '../schemas/alert.ts'
import { changeKind } from '../schemas/change.ts'
import { partitionOf } from '../schemas/ids.ts'
import { incident, timelineEntry } from '../schemas/incident.ts'
import { ACTIONS, DELIVERY_STATES, deliveryKey, type DeliveryRow, type DeliveryState } from './delivery.ts'

/** How deliveries are stored, and the view of them without owning their shards. */

const told = z.object({
  state: incident.shape.state,
  severity,
  assignee: z.string().nullable(),
  members_total: z.number(),
  revision: z.number(),
  closed: z.boolean(),
  at_ms: z.number(),
})
const summary = incident
  .pick({
    scope: true,
    state: true,
    severity: true,
    title: true,
    group: true,
    rule: true,
    revision: true,
    suppressed: true,
    first_event_at_ms: true,
    opened_at_ms: true,
    acknowledged_at_ms: true,
    resolved_at_ms: true,
    assignee: true,
    merged_into: true,
    reopened: true,
    members_total: true,
    members_firing: true,
  })
  .extend({
    incident_id: z.string(),
    change_id: z.string(),
    kind: changeKind,
    at_ms: z.number(),
    actor: z.string(),
    reason: z.string(),
    members: z.array(
      z.object({ entity: z.string(), severity, firing: z.boolean(), starts_at_ms: z.number() }),
    ),
    news: z.array(timelineEntry),
  })
const deliveryRow = z.object({
  incident_id: z.string(),
  sink: z.string(),
  state: z.enum(DELIVERY_STATES),
  wanted: summary,
  tell_revision: z.number(),
  urgent_revision: z.number(),
  told: told.nullable(),
  external_id: z.string().nullable(),
  url: z.string().nullable(),
  attempts: z.number(),
  intent: z
    .object({
      kind: z.enum(ACTIONS),
      attempt: z.number(),
      started_at_ms: z.number(),
      deadline_ms: z.number(),
      tells: told,
    })
    .nullable(),
  unsure: told.nullable(),
  creation: summary.nullable().default(null),
  next_try_at_ms: z.number().nullable(),
  error: z.object({ code: z.string(), status: z.number().nullable(), at_ms: z.number() }).nullable(),
  created_at_ms: z.number(),
  updated_at_ms: z.number(),
})

export function encodeRow(row: DeliveryRow): Buffer {
  return Buffer.from(JSON.stringify(row))
}

export function decodeRow(value: Buffer): DeliveryRow {
  return deliveryRow.parse(JSON.parse(value.toString('utf8')))
}

export interface DeliveryFilter {
  readonly incident_id?: string
  readonly sink?: string
  readonly state?: DeliveryState
}

/** Deliveries that agree with every condition given, newest step first; at most `limit` of `total`. `partitions`: of the topic `incidents`. */
export async function readDeliveries(
  store: Pick<Store, 'read'>,
  partitions: number,
  filter: DeliveryFilter,
  limit: number,
): Promise<{ readonly total: number; readonly deliveries: readonly DeliveryRow[] }> {
  const { incident_id, sink, state } = filter
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const wanted = incident_id === undefined ? all : [partitionOf(incident_id, partitions)]
  const prefix = incident_id === undefined ? 'd/' : deliveryKey(incident_id, '')
  const pages = await Promise.all(
    wanted.map((partition) => store.read(`deliver/incidents/${partition}`, prefix)),
  )
  const rows = pages
    .flat()
    .map(([, value]) => decodeRow(value))
    .filter(
      (row) => (sink === undefined || row.sink === sink) && (state === undefined || row.state === state),
    )
    .sort((a, b) => b.updated_at_ms - a.updated_at_ms || (a.incident_id < b.incident_id ? -1 : 1))
  return { total: rows.length, deliveries: rows.slice(0, limit) }
}
