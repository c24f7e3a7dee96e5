import type { Labels } from '../../schemas/alert.ts'
import {
  annotationsOf,
  type Fields,
  fieldsOf,
  firing,
  labelsOf,
  linkOf,
  listOf,
  optionalFields,
  over,
  timeOf,
} from './fields.ts'
import { type Decode, decoder, eachOf, type FoundAlert, parseJson, Unreadable } from './format.ts'

/**
 * The webhook of Alertmanager (version 4) and that of Grafana, which has the same form and more. Alerts are the same as those that
 * Prometheus sends itself, by the same labels. Alertmanager's own bookkeeping (groups, receivers) is left out.
 */

type Extras = (alert: Fields, body: Fields) => Readonly<Record<string, unknown>>

interface Times {
  readonly at_ms: number
  readonly expire_after_ms: number
}

function alertOf(value: unknown, body: Fields, extras: Extras, times: Times): FoundAlert {
  const alert = fieldsOf(value, 'the alert')
  const labels: Labels = labelsOf(optionalFields(alert['labels'], 'labels'))
  if (Object.keys(labels).length === 0) throw new Unreadable('labels-empty', 'the alert has no labels')
  const { status } = alert
  if (status !== 'firing' && status !== 'resolved')
    throw new Unreadable('status-unknown', 'status is neither firing nor resolved')
  const starts_ms = timeOf(alert['startsAt'], 'startsAt')
  const annotations = { ...optionalFields(alert['annotations'], 'annotations'), ...extras(alert, body) }
  return {
    labels,
    annotations: annotationsOf(annotations),
    generator_url: linkOf(alert['generatorURL']),
    ...(status === 'resolved'
      ? over(starts_ms, timeOf(alert['endsAt'], 'endsAt'), times)
      : firing(starts_ms, times)),
  }
}

function webhook(extras: Extras): Decode {
  return decoder((message, { expire_after_ms }) => {
    const body = fieldsOf(parseJson(message.body), 'the body')
    const alerts = listOf(body['alerts'], 'alerts')
    const times = { at_ms: message.at_ms, expire_after_ms }
    return eachOf(
      alerts,
      (alert) => JSON.stringify(alert),
      (alert) => alertOf(alert, body, extras, times),
    )
  })
}

export const alertmanagerWebhook = webhook(() => ({}))

/** What Grafana adds for people to look at. */
const GRAFANA_LINKS = ['dashboardURL', 'panelURL', 'silenceURL', 'imageURL'] as const

export const grafana = webhook((alert) => ({
  ...Object.fromEntries(GRAFANA_LINKS.map((name) => [name, linkOf(alert[name])])),
  values: alert['values'] ?? alert['valueString'],
}))
