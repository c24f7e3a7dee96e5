import { textOf, timeOf } from './fields.ts'
import { DROPPED, Unreadable } from './format.ts'
import { oneStatement, type Statement, wordOf } from './statement.ts'

/** Datadog's webhook with the payload of docs/sources/datadog.md. A cycle key links an alert's trigger with its recovery. */

/** Variables that have no value stay as they are in the payload, or become `null`. */
function valueOf(value: unknown): string {
  const text = textOf(value).trim()
  return text === 'null' || /^\$[A-Z_]+$/.test(text) ? '' : text
}

const FIRES = /^(?:re-)?(?:triggered|no data|warn)$|^renotify$/
const IS_OVER = /recovered$/

function severityOf(body: Readonly<Record<string, unknown>>, transition: string): string {
  const priority = valueOf(body['priority'])
  if (/^p[1-5]$/i.test(priority)) return priority
  return transition.endsWith('warn') ? 'warning' : valueOf(body['type'])
}

/** `env:prod,team:shop` as labels `tag_env`, `tag_team`; what has no colon is no label. */
function tagsOf(value: unknown): Readonly<Record<string, string>> {
  const pairs = valueOf(value)
    .split(',')
    .map((tag) => tag.trim().split(/:(.*)/s))
    .filter(([name, content]) => name !== '' && content !== undefined && content !== '')
  return Object.fromEntries(pairs.map(([name, content]) => [`tag_${name}`, content ?? '']))
}

export const datadog = oneStatement((body): Statement | typeof DROPPED => {
  const transition = wordOf(body['transition'])
  if (!FIRES.test(transition) && !IS_OVER.test(transition)) {
    if (valueOf(body['transition']) === '') return DROPPED
    throw new Unreadable('status-unknown', `the transition ${JSON.stringify(transition)} is not known`)
  }
  const cycle = valueOf(body['cycle_key'])
  const monitor = { datadog_monitor: valueOf(body['monitor_id']), datadog_group: valueOf(body['aggreg_key']) }
  return {
    identity: cycle === '' ? monitor : { datadog_cycle: cycle },
    labels: {
      alertname: valueOf(body['monitor']) || valueOf(body['title']),
      severity: severityOf(body, transition),
      host: valueOf(body['hostname']),
      metric: valueOf(body['metric']),
      datadog_monitor: monitor.datadog_monitor,
      ...tagsOf(body['tags']),
    },
    annotations: {
      summary: valueOf(body['title']),
      description: valueOf(body['body']),
      scope: valueOf(body['scope']),
      transition: valueOf(body['transition']),
    },
    link: body['link'],
    is_over: IS_OVER.test(transition),
    started_ms: null,
    ended_ms: timeOf(valueOf(body['date']), 'date'),
  }
})
