import { type Fields, neededText, optionalFields, timeOf } from './fields.ts'
import { DROPPED, Unreadable } from './format.ts'
import { type Acknowledged, oneStatement, type Statement, wordOf } from './statement.ts'

/**
 * Notifications of Nagios and Icinga: the JSON of the notification command in docs/sources/nagios.md, whose names are those of the macros,
 * and events of Icinga's own stream (`Notification`, `StateChange`, `CheckResult`, `AcknowledgementSet`), one a line. Host and service name an
 * alert.
 */

const SERVICE_STATES = ['ok', 'warning', 'critical', 'unknown']
const HOST_STATES = ['up', 'down', 'unreachable']
const OK = new Set(['ok', 'up'])
/** What is no change of the object's state: flapping, in downtime, removed, sent by hand. */
const OTHER = /^(?:flapping|downtime|custom)/

/** Of Icinga's stream, what is no change of state either. */
const OTHER_EVENTS = /^(?:acknowledgementcleared|comment|downtime|flapping|object)/

/** State as a word, from a word or from Icinga's number. */
function stateOf(value: unknown, service: string): string {
  const word = wordOf(value)
  return (
    (service === '' ? HOST_STATES : SERVICE_STATES)[/^\d+(?:\.0)?$/.test(word) ? Number(word) : -1] ?? word
  )
}

/** Icinga streams soft states too, which are not certain yet. */
function isSoft(body: Fields, check: Fields): boolean {
  const after = optionalFields(check['vars_after'], 'check_result.vars_after')
  const word = wordOf(body['state_type'] ?? after['state_type'])
  return word === 'soft' || word === '0'
}

export const nagios = oneStatement((body): Statement | Acknowledged | typeof DROPPED => {
  const host = neededText(body['host'], 'host')
  const service = wordOf(body['service']) === '' ? '' : neededText(body['service'], 'service')
  const type = wordOf(body['notification_type'])
  if (type === 'acknowledgement' || wordOf(body['type']) === 'acknowledgementset')
    return { acknowledged: { host, service }, by: body['author'] }
  if (OTHER_EVENTS.test(wordOf(body['type']))) return DROPPED
  const check = optionalFields(body['check_result'], 'check_result')
  if (OTHER.test(type) || (type === '' && isSoft(body, check))) return DROPPED
  const state = stateOf(body['state'] ?? check['state'], service)
  if (state === '' && type === '')
    throw new Unreadable('status-unknown', 'neither state nor notification_type is told')
  const time_ms = timeOf(body['time'] ?? body['timestamp'], 'time')
  const is_over = type === 'recovery' || OK.has(state)
  return {
    identity: { host, service },
    labels: {
      alertname: service === '' ? 'HostState' : service,
      severity: is_over ? '' : state,
      host_address: body['address'],
      hostgroup: body['hostgroup'],
      servicegroup: body['servicegroup'],
    },
    annotations: {
      summary: body['output'] ?? check['output'],
      description: body['long_output'],
      comment: body['comment'] ?? body['text'],
    },
    link: body['url'],
    is_over,
    started_ms: is_over ? null : time_ms,
    ended_ms: time_ms,
  }
})
