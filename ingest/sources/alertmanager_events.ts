import type { Labels } from '../../schemas/alert.ts'
import {
  annotationsOf,
  type Fields,
  fieldsOf,
  firing,
  labelsOf,
  listOf,
  neededText,
  optionalFields,
  over,
  textOf,
  timeOf,
} from './fields.ts'
import { decoder, eachOf, type FoundAlert, jsonLines, parseJson, Unreadable } from './format.ts'

/**
 * What the event recorder of Alertmanager (feature flag `event-recorder`) writes, as JSON: an event a line. Those that show alerts are
 * read, whatever became of them there; silences, muting and Alertmanager's own life are left out. Alerts are the same as those that
 * Prometheus sends, by the same labels. Several peers of a cluster write the same, which changes nothing.
 */

/** Where each event has its alerts. */
const ALERTS_IN: Readonly<Record<string, (event: Fields) => readonly unknown[]>> = {
  alertCreated: ({ alert }) => [alert],
  alertGrouped: ({ alert }) => [detailsOf(alert)],
  alertResolved: ({ alert }) => [detailsOf(alert)],
  // Of those that fire and those that are over there are only hashes in lists of their own.
  notification: ({ alerts }) => listOf(alerts ?? [], 'notification.alerts').map(detailsOf),
}

function detailsOf(grouped: unknown): unknown {
  return fieldsOf(grouped, 'the grouped alert')['details']
}

/** A list of names and values. */
function pairsOf(value: unknown, what: string): Fields {
  const list = listOf(optionalFields(value, what)['labels'] ?? [], what)
  const pairs = list.map((item): [string, string] => {
    const { key, value: text } = fieldsOf(item, what)
    return [neededText(key, `${what}: key`), textOf(text)]
  })
  return Object.fromEntries(pairs)
}

interface Found {
  readonly alert: unknown
  /** The event says that it is over, whatever the alert says. */
  readonly is_over: boolean
}

function alertsIn(line: Buffer): readonly Found[] {
  const data = optionalFields(fieldsOf(parseJson(line), 'the event')['data'], 'data')
  const [kind] = Object.keys(data)
  if (kind === undefined) throw new Unreadable('event-empty', 'the event has no data')
  const read = Object.hasOwn(ALERTS_IN, kind) ? ALERTS_IN[kind] : undefined
  const alerts = read?.(fieldsOf(data[kind], kind)) ?? []
  // An alert without details is told by its hash alone, which names nothing here.
  return alerts
    .filter((alert) => alert !== undefined)
    .map((alert) => ({ alert, is_over: kind === 'alertResolved' }))
}

interface Times {
  readonly at_ms: number
  readonly expire_after_ms: number
}

function alertOf({ alert, is_over }: Found, times: Times): FoundAlert {
  const { labels: named, annotations, startsAt, endsAt, resolved } = fieldsOf(alert, 'the alert')
  const labels: Labels = labelsOf(pairsOf(named, 'labels'))
  if (Object.keys(labels).length === 0) throw new Unreadable('labels-empty', 'the alert has no labels')
  const starts_ms = timeOf(startsAt, 'startsAt')
  return {
    labels,
    annotations: annotationsOf(pairsOf(annotations, 'annotations')),
    generator_url: '',
    ...(is_over || resolved === true
      ? over(starts_ms, timeOf(endsAt, 'endsAt'), times)
      : firing(starts_ms, times)),
  }
}

export const alertmanagerEvents = decoder((message, { expire_after_ms }) => {
  const times = { at_ms: message.at_ms, expire_after_ms }
  const found = jsonLines(message.body).flatMap((line) => alertsIn(line))
  return eachOf(
    found,
    ({ alert }) => JSON.stringify(alert) ?? '',
    (one) => alertOf(one, times),
  )
})
