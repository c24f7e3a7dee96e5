import { Readable } from 'node:stream'
import { z } from 'zod'
import type { AlertRow, LabelTest } from '../../correlate/state.ts'
import { MUTED_BY } from '../../correlate/suppress.ts'
import { alertmanagerFingerprint } from '../../ingest/fingerprint.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import type { ApiParts } from '../parts.ts'
import { firingAlerts } from '../rows.ts'
import type { App } from '../validation.ts'
import { alertsQuery, filterTest, RECEIVER, wantsReceiver } from './filters.ts'
import { type GettableAlert, gettableAlert } from './shapes.ts'

const isoTime = (time_ms: number) => new Date(time_ms).toISOString()

/** What mutes an alert, in Alertmanager's terms: maintenance windows are its time intervals; what inhibits is told by its rule. */
function mutesOf(
  silenced_by: AlertRow['silenced_by'],
): Pick<GettableAlert['status'], 'inhibitedBy' | 'mutedBy' | 'silencedBy'> {
  const mutes = { inhibitedBy: [] as string[], mutedBy: [] as string[], silencedBy: [] as string[] }
  for (const id of silenced_by) {
    if (id.startsWith(MUTED_BY.maintenance)) mutes.mutedBy.push(id.slice(MUTED_BY.maintenance.length))
    else if (id.startsWith(MUTED_BY.dependency)) mutes.inhibitedBy.push(id.slice(MUTED_BY.dependency.length))
    else if (id.startsWith(MUTED_BY.shelf)) mutes.mutedBy.push(id)
    else mutes.silencedBy.push(id)
  }
  return mutes
}

export function toGettableAlert({
  alert,
  expires_at_ms,
  silenced_by,
  updated_at_ms,
}: AlertRow): GettableAlert {
  return {
    annotations: alert.annotations,
    endsAt: isoTime(alert.ends_at_ms ?? expires_at_ms),
    fingerprint: alertmanagerFingerprint(alert.labels),
    receivers: [{ name: RECEIVER }],
    startsAt: isoTime(alert.starts_at_ms),
    status: { ...mutesOf(silenced_by), state: silenced_by.length > 0 ? 'suppressed' : 'active' },
    updatedAt: isoTime(updated_at_ms),
    ...(alert.generator_url !== '' && { generatorURL: alert.generator_url }),
    labels: alert.labels,
  }
}

/** `active: false` leaves out what nothing mutes, `silenced: false` what a silence mutes, and so on; nothing is unprocessed here. */
export function wantsAlert(
  query: {
    readonly active: boolean
    readonly silenced: boolean
    readonly inhibited?: boolean
    readonly muted?: boolean
  },
  matches: LabelTest,
  row: AlertRow,
  now_ms: number,
): boolean {
  if (row.alert.ends_at_ms !== null && row.alert.ends_at_ms < now_ms) return false
  if (row.silenced_by.length === 0) return query.active && matches(row.alert.labels)
  const { silencedBy, inhibitedBy, mutedBy } = mutesOf(row.silenced_by)
  if (silencedBy.length > 0 && !query.silenced) return false
  if (inhibitedBy.length > 0 && query.inhibited === false) return false
  if (mutedBy.length > 0 && query.muted === false) return false
  return matches(row.alert.labels)
}

const PER_CHUNK = 500

/** A JSON array in chunks, so that a hundred thousand alerts never are one string. */
export function jsonArray(items: readonly object[]): Readable {
  function* chunks() {
    yield '['
    for (let i = 0; i < items.length; i += PER_CHUNK) {
      const chunk = items.slice(i, i + PER_CHUNK).map((item) => JSON.stringify(item))
      yield (i > 0 ? ',' : '') + chunk.join(',')
    }
    yield ']\n'
  }
  return Readable.from(chunks())
}

export function byText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

export function alertsRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alertmanager'],
    summary: 'List alerts that fire (Alertmanager)',
    querystring: alertsQuery,
    response: answers({ 200: z.array(gettableAlert) }),
  }
  app.get('/api/v2/alerts', { schema, config: { role: 'viewer' } }, async ({ query }, reply) => {
    const matches = filterTest(query.filter)
    const wanted = wantsReceiver(query)
    const alerts: GettableAlert[] = []
    await appended.folded()
    const now_ms = clock.now()
    if (wanted)
      for await (const row of firingAlerts(log, store))
        if (wantsAlert(query, matches, row, now_ms)) alerts.push(toGettableAlert(row))
    alerts.sort((a, b) => byText(a.fingerprint, b.fingerprint))
    return reply.type('application/json').send(jsonArray(alerts) as never)
  })
}
