import { fieldsOf, optionalFields, textOf, timeOf } from './fields.ts'
import { DROPPED, Unreadable } from './format.ts'
import { oneStatement, type Statement, wordOf } from './statement.ts'

/** Uptime Kuma's webhook. A monitor is an alert while it is down. */

const DOWN = '0'
const UP = '1'
/** Pending and maintenance: neither down nor up. */
const UNDECIDED = new Set(['2', '3'])

export const uptimeKuma = oneStatement((body): Statement | typeof DROPPED => {
  if (body['heartbeat'] === null) return messageOf(textOf(body['msg']))
  const heartbeat = fieldsOf(body['heartbeat'], 'heartbeat')
  const monitor = fieldsOf(body['monitor'], 'monitor')
  const status = wordOf(heartbeat['status'])
  if (UNDECIDED.has(status)) return DROPPED
  if (status !== DOWN && status !== UP)
    throw new Unreadable('status-unknown', 'heartbeat.status is not 0 to 3')
  const time_ms = timeOf(heartbeat['time'], 'heartbeat.time')
  const is_over = status === UP
  return {
    identity: { uptime_monitor: monitor['id'] ?? heartbeat['monitorID'], monitor: monitor['name'] },
    labels: {
      alertname: 'MonitorDown',
      severity: is_over ? '' : 'critical',
      monitor_type: monitor['type'],
      host: monitor['hostname'],
      ...tagsOf(monitor['tags']),
    },
    annotations: { summary: body['msg'], description: heartbeat['msg'], url: monitor['url'] },
    link: monitor['url'],
    is_over,
    started_ms: is_over ? null : time_ms,
    started_is_heard: true,
    ended_ms: time_ms,
  }
})

/** Tests of the notification, and certificates that expire, come as a text alone. */
function messageOf(msg: string): Statement | typeof DROPPED {
  if (msg === '' || /testing$/i.test(msg.trim())) return DROPPED
  return {
    identity: { uptime_message: msg },
    labels: { alertname: 'UptimeKuma', severity: 'warning' },
    annotations: { summary: msg },
    is_over: false,
    started_ms: null,
  }
}

function tagsOf(tags: unknown): Readonly<Record<string, unknown>> {
  if (!Array.isArray(tags)) return {}
  const pairs = tags.map((tag: unknown) => {
    const { name, value } = optionalFields(typeof tag === 'object' ? tag : null, 'the tag')
    return [`tag_${wordOf(name)}`, value === '' ? 'true' : value]
  })
  return Object.fromEntries(pairs.filter(([name]) => name !== 'tag_')) as Readonly<Record<string, unknown>>
}
