import type { Incident } from '../../schemas/incident.ts'
import type { Ask } from '../installation/history.ts'

/** What the history says of the shop's incident. */
export interface Rows {
  readonly alerts: { name: string; ended: number }[]
  readonly incidents: object[]
  readonly memberships: { name: string; ended: number }[]
  readonly revisions: { revision: number }[]
}

/** Null until every change of the incident is there. */
export async function readRows(ask: Ask, { id, revision }: Incident): Promise<Rows | null> {
  const about = `incident_id = '${id}'`
  const revisions = await ask<{ revision: number }>(
    `SELECT revision FROM incident_changes WHERE ${about} ORDER BY revision`,
  )
  const name = `trimRight(labels['alertname'] || ' ' || labels['queue']) AS name`
  const alerts = await ask<Rows['alerts'][number]>(
    `SELECT ${name}, ends_at IS NOT NULL AND ends_at <= at AS ended FROM alerts WHERE labels['service'] = 'shop' GROUP BY ALL ORDER BY name, ended`,
  )
  if (revisions.length < revision || alerts.length < 6) return null
  const time = (column: string) => `toUnixTimestamp64Milli(${column}) AS ${column}_ms`
  return {
    alerts,
    incidents: await ask(
      `SELECT id, state, members_total, ${time('opened_at')}, ${time('acknowledged_at')}, ${time('resolved_at')} FROM incidents FINAL WHERE id = '${id}'`,
    ),
    memberships: await ask(
      `SELECT ${name}, ended_at >= joined_at AS ended FROM memberships FINAL WHERE ${about} ORDER BY name`,
    ),
    revisions,
  }
}

/** Each alert began and ended and was in the incident, whose times and revisions are those that the API told. */
export function wholeStory(incident: Incident): Rows {
  const { id, state, members_total, opened_at_ms, acknowledged_at_ms, resolved_at_ms, revision } = incident
  const names_of_alerts = ['CheckoutSlow', 'QueueLong orders', 'QueueLong payments']
  return {
    alerts: names_of_alerts.flatMap((name) => [0, 1].map((ended) => ({ name, ended }))),
    incidents: [{ id, state, members_total, opened_at_ms, acknowledged_at_ms, resolved_at_ms }],
    memberships: names_of_alerts.map((name) => ({ name, ended: 1 })),
    revisions: Array.from({ length: revision }, (_, i) => ({ revision: i + 1 })),
  }
}
