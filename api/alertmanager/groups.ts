import { z } from 'zod'
import { apply } from '../../correlate/apply.ts'
import { groupOf } from '../../correlate/match/labels.ts'
import { type AlertRow, emptyState } from '../../correlate/state.ts'
import type { Labels } from '../../schemas/alert.ts'
import type { Rules } from '../../schemas/rules.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import type { ApiParts } from '../parts.ts'
import { firingAlerts, rulesInForce } from '../rows.ts'
import type { App } from '../validation.ts'
import { byText, jsonArray, toGettableAlert, wantsAlert } from './alerts.ts'
import { filterTest, groupsQuery, RECEIVER, wantsReceiver } from './filters.ts'
import { type AlertGroup, alertGroup } from './shapes.ts'

/** Fewer labels first; then by the first name in which they differ (LabelSet.Before of prometheus/common). */
function compareLabels(a: Labels, b: Labels): number {
  const size = Object.keys(a).length - Object.keys(b).length
  if (size !== 0) return size
  for (const name of Object.keys({ ...a, ...b }).sort()) {
    const [x, y] = [a[name], b[name]]
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    if (x !== y) return byText(x, y)
  }
  return 0
}

/** By job, then instance (who has none comes last), then all labels (AlertSlice.Less of Alertmanager). */
function compareAlerts(a: Labels, b: Labels): number {
  for (const name of ['job', 'instance']) {
    const [x, y] = [a[name], b[name]]
    if (x === y) continue
    if (x === undefined || y === undefined) return x === undefined ? 1 : -1
    return byText(x, y)
  }
  return compareLabels(a, b)
}

/** Alerts by the grouping rule that they fall under; alerts of different scopes never share a group. */
function grouped(rules: Rules | null, rows: readonly AlertRow[]): AlertGroup[] {
  const state = emptyState(0)
  if (rules) apply(state, [{ kind: 'rules', key: 'rules', value: rules }])
  const groups = new Map<string, AlertGroup>()
  for (const row of rows) {
    const group = groupOf(state, row.alert)
    const key = group?.key ?? row.alert.fingerprint
    const known = groups.get(key) ?? {
      alerts: [],
      labels: { ...(group?.labels ?? row.alert.labels) },
      receiver: { name: RECEIVER },
      routeLabels: {},
    }
    groups.set(key, known)
    known.alerts.push(toGettableAlert(row))
  }
  for (const group of groups.values()) group.alerts.sort((a, b) => compareAlerts(a.labels, b.labels))
  return [...groups.values()].sort((a, b) => compareLabels(a.labels, b.labels))
}

export function groupsRoute(app: App, { log, store, clock }: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alertmanager'],
    summary: 'List alerts that fire by their groups (Alertmanager)',
    querystring: groupsQuery,
    response: answers({ 200: z.array(alertGroup) }),
  }
  app.get('/api/v2/alerts/groups', { schema, config: { role: 'viewer' } }, async ({ query }, reply) => {
    const matches = filterTest(query.filter)
    const wanted = wantsReceiver(query)
    const rows: AlertRow[] = []
    await appended.folded()
    const now_ms = clock.now()
    if (wanted)
      for await (const row of firingAlerts(log, store))
        if (wantsAlert(query, matches, row, now_ms)) rows.push(row)
    return reply.type('application/json').send(jsonArray(grouped(await rulesInForce(store), rows)) as never)
  })
}
