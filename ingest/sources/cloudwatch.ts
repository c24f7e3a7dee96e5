import { type Fields, fieldsOf, optionalFields, textOf, timeOf } from './fields.ts'
import { DROPPED, parseJson, Unreadable } from './format.ts'
import { oneStatement, type Statement, wordOf } from './statement.ts'

/** Alarms of AWS CloudWatch as SNS delivers them: inside of a notification, or raw. Who sent it is checked before (http/sns.ts). */

/** The alarm of a message; null for what tells of the subscription itself. */
function alarmIn(body: Fields): Fields | null {
  const { Type: type, Message: message } = body
  if (type === undefined) return body
  if (type !== 'Notification') return null
  if (typeof message !== 'string') throw new Unreadable('json-type', 'Message is no text')
  return fieldsOf(parseJson(Buffer.from(message)), 'Message')
}

function dimensionsOf(trigger: Fields): Fields {
  const list: unknown = trigger['Dimensions']
  if (!Array.isArray(list)) return {}
  const pairs = list.map((item: unknown) => {
    const { name, value } = optionalFields(typeof item === 'object' ? item : null, 'the dimension')
    return [textOf(name), textOf(value)] as const
  })
  return Object.fromEntries(pairs.filter(([name]) => name !== ''))
}

export const cloudwatch = oneStatement((body): Statement | typeof DROPPED => {
  const alarm = alarmIn(body)
  if (alarm === null) return DROPPED
  const state = wordOf(alarm['NewStateValue'])
  // Too little data neither starts nor ends anything.
  if (state === 'insufficient_data') return DROPPED
  if (state !== 'alarm' && state !== 'ok')
    throw new Unreadable('status-unknown', 'NewStateValue is neither ALARM nor OK nor INSUFFICIENT_DATA')
  const trigger = optionalFields(alarm['Trigger'], 'Trigger')
  const changed_ms = timeOf(alarm['StateChangeTime'], 'StateChangeTime')
  const is_over = state === 'ok'
  return {
    identity: {
      alarm: alarm['AlarmName'],
      aws_account: alarm['AWSAccountId'],
      aws_region: alarm['Region'],
    },
    labels: {
      alertname: alarm['AlarmName'],
      namespace: trigger['Namespace'],
      metric: trigger['MetricName'],
      ...dimensionsOf(trigger),
    },
    annotations: {
      summary: alarm['AlarmDescription'],
      description: alarm['NewStateReason'],
      alarm_arn: alarm['AlarmArn'],
    },
    is_over,
    started_ms: is_over ? null : changed_ms,
    ended_ms: changed_ms,
  }
})
