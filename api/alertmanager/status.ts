import { stringify } from 'yaml'
import { z } from 'zod'
import { formatMatcher } from '../../schemas/matcher_syntax.ts'
import type { GroupByRule, GroupingRule } from '../../schemas/grouping.ts'
import type { Rules } from '../../schemas/rules.ts'
import { answers } from '../answers.ts'
import type { ApiParts } from '../parts.ts'
import { rulesInForce } from '../rows.ts'
import type { App } from '../validation.ts'
import { RECEIVER, receiversQuery, wantsReceiver } from './filters.ts'
import { alertmanagerStatus, receiver } from './shapes.ts'

function isGroupBy(rule: GroupingRule): rule is GroupByRule {
  return rule.kind === undefined || rule.kind === 'group_by'
}

function routeOf(rule: GroupByRule) {
  return {
    receiver: RECEIVER,
    ...(rule.match.length > 0 && { matchers: rule.match.map(formatMatcher) }),
    ...(rule.group_by.length > 0 && { group_by: rule.group_by }),
  }
}

/** The rules that group by labels as an Alertmanager would be configured to group alike (it knows no others); tools such as amtool read it. */
function asAlertmanagerConfig(rules: Rules | null): string {
  const routes = rules?.grouping.filter(isGroupBy).map(routeOf) ?? []
  const global = rules
    ? { global: { resolve_timeout: `${Math.ceil(rules.resolve_timeout_ms / 1_000)}s` } }
    : {}
  return stringify({ ...global, route: { receiver: RECEIVER, routes }, receivers: [{ name: RECEIVER }] })
}

export function statusRoutes(app: App, { store, version, started_at_ms }: ApiParts): void {
  const status = {
    tags: ['alertmanager'],
    summary: 'Read version, uptime and configuration (Alertmanager)',
    response: answers({ 200: alertmanagerStatus }),
  }
  app.get('/api/v2/status', { schema: status, config: { role: 'viewer' } }, async () => ({
    cluster: { status: 'disabled' as const, peers: [] },
    config: { original: asAlertmanagerConfig(await rulesInForce(store)) },
    uptime: new Date(started_at_ms).toISOString(),
    versionInfo: {
      branch: '',
      buildDate: '',
      buildUser: '',
      goVersion: `node ${process.version}`,
      revision: '',
      version,
    },
  }))

  const receivers = {
    tags: ['alertmanager'],
    summary: 'List receivers (Alertmanager)',
    querystring: receiversQuery,
    response: answers({ 200: z.array(receiver) }),
  }
  app.get('/api/v2/receivers', { schema: receivers, config: { role: 'viewer' } }, async ({ query }) =>
    wantsReceiver(query) ? [{ name: RECEIVER, labels: {} }] : [],
  )
}
