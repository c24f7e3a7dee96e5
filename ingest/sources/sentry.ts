import { type Fields, fieldsOf, optionalFields, textOf, timeOf } from './fields.ts'
import { DROPPED, Unreadable } from './format.ts'
import { oneStatement, type Statement, wordOf } from './statement.ts'

/** Webhooks of a Sentry integration: issues, issue alerts and metric alerts. The id of the issue, or of the metric alert, names an alert. */

const OPENS = new Set(['created', 'unresolved'])
const CLOSES = new Set(['resolved', 'archived', 'ignored'])

function nameOf(project: unknown): unknown {
  return typeof project === 'object' && project !== null ? (project as Fields)['slug'] : project
}

function ofIssue(action: string, issue: Fields): Statement | typeof DROPPED {
  if (!OPENS.has(action) && !CLOSES.has(action)) return DROPPED
  return {
    identity: { sentry_issue: issue['id'] },
    labels: {
      alertname: issue['title'],
      severity: issue['level'],
      project: nameOf(issue['project']),
      short_id: issue['shortId'],
    },
    annotations: { summary: issue['title'], culprit: issue['culprit'], action },
    link: issue['web_url'] ?? issue['permalink'],
    is_over: CLOSES.has(action),
    started_ms: timeOf(issue['firstSeen'], 'firstSeen'),
  }
}

/** An issue alert: an event of an issue broke a rule. */
function ofEvent(data: Fields): Statement {
  const event = fieldsOf(data['event'], 'data.event')
  return {
    identity: { sentry_issue: event['issue_id'] },
    labels: {
      alertname: event['title'],
      severity: event['level'],
      project: nameOf(event['project']),
      environment: event['environment'],
      rule: data['triggered_rule'],
    },
    annotations: { summary: event['title'], culprit: event['culprit'], message: event['message'] },
    link: event['web_url'],
    is_over: false,
    started_ms: timeOf(event['datetime'] ?? event['timestamp'], 'datetime'),
    started_is_heard: true,
  }
}

function ofMetric(action: string, data: Fields): Statement {
  const alert = fieldsOf(data['metric_alert'], 'data.metric_alert')
  const rule = optionalFields(alert['alert_rule'], 'alert_rule')
  const projects: unknown = alert['projects']
  return {
    identity: { sentry_metric_alert: alert['id'] },
    labels: {
      alertname: rule['name'] ?? alert['title'],
      severity: action === 'resolved' ? '' : action,
      project: Array.isArray(projects) ? projects.map((one) => textOf(one)).join(',') : '',
      environment: rule['environment'],
    },
    annotations: { summary: data['description_title'], description: data['description_text'] },
    link: data['web_url'],
    is_over: action === 'resolved',
    started_ms: timeOf(alert['date_started'], 'date_started'),
    ended_ms: timeOf(alert['date_closed'], 'date_closed'),
  }
}

export const sentry = oneStatement((body) => {
  const action = wordOf(body['action'])
  const data = optionalFields(body['data'], 'data')
  if (data['metric_alert'] !== undefined) return ofMetric(action, data)
  if (data['event'] !== undefined) return ofEvent(data)
  if (data['issue'] !== undefined) return ofIssue(action, fieldsOf(data['issue'], 'data.issue'))
  if (body['installation'] !== undefined) return DROPPED
  throw new Unreadable('kind-unknown', 'data holds neither an issue nor an event nor a metric alert')
})
