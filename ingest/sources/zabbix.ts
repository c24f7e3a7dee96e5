import { type Fields, fieldsOf, numberOf, optionalFields, textOf, timeOf } from './fields.ts'
import { decoder, DROPPED, eachOf, jsonLines, parseJson, Unreadable } from './format.ts'
import type { Acknowledgement } from './raw_alert.ts'
import { foundAlert, type Statement, wordOf } from './statement.ts'

/**
 * Zabbix: the JSON of the media type in docs/sources/zabbix.md, and the lines that its Kafka connector streams. The id of the problem
 * event is in all of its messages, also in that of its recovery.
 */

/** By number, as Zabbix has them. */
const SEVERITIES = ['not classified', 'information', 'warning', 'average', 'high', 'disaster']

function severityOf(value: unknown): unknown {
  const number = numberOf(value)
  return wordOf(value) === '' ? undefined : (SEVERITIES[number] ?? value)
}

/** Tags come as a list, or as the text of one. */
function tagsOf(value: unknown): Fields {
  const list: unknown =
    typeof value === 'string' && value.startsWith('[') ? parseJson(Buffer.from(value)) : value
  if (!Array.isArray(list)) return {}
  const tags = list.flatMap((item: unknown): [string, unknown][] => {
    const { tag, value: content } = optionalFields(typeof item === 'object' ? item : null, 'the tag')
    const name = textOf(tag)
    return name === '' ? [] : [[`tag_${name}`, textOf(content) || 'true']]
  })
  return Object.fromEntries(tags)
}

const isConnector = (body: Fields): boolean => body['eventid'] !== undefined && body['clock'] !== undefined

/** A line of the connector: its recovery names the problem as `p_eventid` and knows nothing else of it. */
function fromConnector(body: Fields): Statement {
  const { clock, ns, value, eventid, p_eventid, name, severity, hosts, groups, tags } = body
  const is_over = wordOf(value) === '0'
  const at_ms = timeOf(clock, 'clock')
  const exact_ms = at_ms === null ? null : at_ms + Math.floor((numberOf(ns) || 0) / 1_000_000)
  return {
    identity: { zabbix_event: is_over ? (p_eventid ?? eventid) : eventid },
    labels: is_over
      ? {}
      : {
          alertname: name,
          severity: severityOf(severity),
          host: namesOf(hosts, 'host'),
          hostgroup: namesOf(groups, 'name'),
          ...tagsOf(tags),
        },
    annotations: is_over ? {} : { summary: name },
    is_over,
    started_ms: is_over ? null : exact_ms,
    ended_ms: is_over ? exact_ms : null,
  }
}

function namesOf(list: unknown, key: string): string {
  if (!Array.isArray(list)) return ''
  const names = list.map((item: unknown) =>
    typeof item === 'object' && item !== null ? textOf((item as Fields)[key]) : textOf(item),
  )
  return names.filter((name) => name !== '').join(',')
}

function fromWebhook(body: Fields): Statement {
  const { event_id, event_value, event_name, trigger_name, severity, host, host_ip, host_groups } = body
  const is_over = wordOf(event_value) === '0'
  return {
    identity: { zabbix_event: event_id },
    labels: {
      alertname: trigger_name ?? event_name,
      severity: severityOf(severity),
      host,
      host_ip,
      hostgroup: host_groups,
      ...tagsOf(body['tags']),
    },
    annotations: {
      summary: event_name,
      description: body['message'],
      operational_data: body['operational_data'],
      trigger_description: body['trigger_description'],
    },
    link: body['url'],
    is_over,
    started_ms: timeOf(body['started_at'], 'started_at'),
    ended_ms: timeOf(body['recovered_at'], 'recovered_at'),
  }
}

/** Updates of a problem: only that it is acknowledged concerns us. */
function acknowledgementOf(body: Fields, ordinal: number): Acknowledgement | typeof DROPPED | null {
  if (isConnector(body) || wordOf(body['update_status']) !== '1') return null
  const { event_id, update_action, update_user } = body
  if (!/(?:^|[^n])acknowledged/.test(wordOf(update_action))) return DROPPED
  return { ordinal, identity: { zabbix_event: textOf(event_id) }, by: textOf(update_user) || 'zabbix' }
}

export const zabbix = decoder((message, settings) => {
  const acknowledgements: Acknowledgement[] = []
  const lines = jsonLines(message.body)
  const only = lines.length === 1 ? fieldsOf(parseJson(message.body), 'the body') : null
  const decoded = eachOf(
    [...lines.entries()],
    ([, line]) => line.toString(),
    ([ordinal, line]) => {
      const body = only ?? fieldsOf(parseJson(line), 'the line')
      const acknowledgement = acknowledgementOf(body, ordinal)
      if (acknowledgement === null) return foundAlert(read(body), message, settings)
      if (acknowledgement !== DROPPED) acknowledgements.push(acknowledgement)
      return DROPPED
    },
  )
  if (acknowledgements.length === 0) return decoded
  const { dropped = 0, ...rest } = decoded
  return { ...rest, dropped: dropped - acknowledgements.length, acknowledgements }
})

function read(body: Fields): Statement {
  if (isConnector(body)) return fromConnector(body)
  if (wordOf(body['event_value']) === '')
    throw new Unreadable('status-unknown', 'event_value is missing: 1 for a problem, 0 for its recovery')
  return fromWebhook(body)
}
