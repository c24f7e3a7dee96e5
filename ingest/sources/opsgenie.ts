import { digestOf } from '../../schemas/ids.ts'
import { cut, type Fields, fieldsOf, neededText, optionalFields, textOf, timeOf } from './fields.ts'
import {
  decoder,
  DROPPED,
  eachOf,
  type FormatSettings,
  parseJson,
  type SourceMessage,
  Unreadable,
} from './format.ts'
import type { Acknowledgement, DecodedAlerts } from './raw_alert.ts'
import { foundAlert, type Statement, wordOf } from './statement.ts'

/**
 * Opsgenie: its webhook (`{action, alert}`), and requests to its Alert API, which senders go on making. The alias names an alert; one that
 * has none is named by what was sent.
 */

const MESSAGE_CHARS = 130

const identityOf = (alias: string): Fields => ({ opsgenie_alias: alias })

function teamOf(alert: Fields): string {
  const all: unknown = alert['responders'] ?? alert['teams']
  if (!Array.isArray(all)) return textOf(alert['team'])
  const names = all.map((one: unknown) => {
    const { name, type } = optionalFields(typeof one === 'object' ? one : null, 'the responder')
    return type === undefined || type === 'team' ? textOf(name) : ''
  })
  return names.filter((name) => name !== '').join(',')
}

const tagsOf = (tags: unknown): string =>
  Array.isArray(tags) ? tags.map((tag) => textOf(tag)).join(',') : textOf(tags)

function statementOf(alert: Fields, alias: string, is_over: boolean): Statement {
  const message = textOf(alert['message'])
  const fires = {
    alertname: cut(message, MESSAGE_CHARS),
    severity: textOf(alert['priority']) || 'P3',
    entity: alert['entity'],
    origin: typeof alert['source'] === 'string' ? alert['source'] : '',
    team: teamOf(alert),
    tags: tagsOf(alert['tags']),
  }
  return {
    identity: identityOf(alias),
    labels: is_over ? {} : fires,
    annotations: is_over
      ? {}
      : {
          summary: message,
          description: alert['description'],
          note: alert['note'],
          ...optionalFields(alert['details'], 'details'),
        },
    is_over,
    started_ms: timeOf(alert['createdAt'], 'createdAt'),
  }
}

/** The alias of an alert to be created; made of the request and its time where it has none. */
function aliasOf(alert: Fields, { body, at_ms }: SourceMessage): string {
  const alias = textOf(alert['alias'])
  return alias === '' ? digestOf(`opsgenie alert at ${at_ms}`, body) : alias
}

/** What a request to the Alert API asks for: `create` an alert, or an action on the one with this alias. */
export interface AlertRequest {
  readonly action: 'create' | 'close' | 'acknowledge'
  /** Null: create, by the alias of the body. */
  readonly alias: string | null
}

/** Bodies of actions may be left out. Throws Unreadable. */
function bodyOf({ body }: SourceMessage, action: string): Fields {
  if (body.length === 0 && action !== 'create') return {}
  return fieldsOf(parseJson(body), 'the body')
}

/** Throws Unreadable. */
export function alertRequest(
  { action, alias }: AlertRequest,
  message: SourceMessage,
  settings: FormatSettings,
): { readonly alias: string; readonly decoded: DecodedAlerts } {
  const alert = bodyOf(message, action)
  if (action === 'create') neededText(alert['message'], 'message')
  const name = alias ?? aliasOf(alert, message)
  if (action === 'acknowledge') {
    const by = textOf(alert['user']) || 'opsgenie'
    const acknowledgement = { ordinal: 0, identity: { opsgenie_alias: name }, by }
    return { alias: name, decoded: { alerts: [], rejects: [], acknowledgements: [acknowledgement] } }
  }
  const found = foundAlert(statementOf(alert, name, action === 'close'), message, settings)
  return { alias: name, decoded: { alerts: [{ ordinal: 0, ...found }], rejects: [] } }
}

const FIRES = new Set([
  'create',
  'unacknowledge',
  'escalate',
  'updatepriority',
  'updatemessage',
  'updatedescription',
])
const ENDS = new Set(['close', 'delete'])

/** The webhook of an Opsgenie that still runs. */
export const opsgenie = decoder((message, settings) => {
  const acknowledgements: Acknowledgement[] = []
  const body = fieldsOf(parseJson(message.body), 'the body')
  const decoded = eachOf(
    [body],
    () => JSON.stringify(body),
    () => {
      const action = wordOf(body['action'])
      if (action === '') throw new Unreadable('status-unknown', 'action is missing')
      const alert = fieldsOf(body['alert'], 'alert')
      const alias = textOf(alert['alias']) || neededText(alert['alertId'], 'alert.alias')
      if (action === 'acknowledge') {
        const by = textOf(alert['username']) || 'opsgenie'
        acknowledgements.push({ ordinal: 0, identity: { opsgenie_alias: alias }, by })
        return DROPPED
      }
      if (!FIRES.has(action) && !ENDS.has(action)) return DROPPED
      return foundAlert(statementOf(alert, alias, ENDS.has(action)), message, settings)
    },
  )
  return acknowledgements.length === 0 ? decoded : { alerts: [], rejects: [], acknowledgements }
})
