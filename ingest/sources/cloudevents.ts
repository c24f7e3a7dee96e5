import type { Labels } from '../../schemas/alert.ts'
import {
  annotationsOf,
  type Fields,
  fieldsOf,
  firing,
  labelsOf,
  linkOf,
  listOf,
  neededText,
  optionalFields,
  over,
  textOf,
  timeOf,
  HEARD,
} from './fields.ts'
import {
  decoder,
  eachOf,
  type FormatSettings,
  type FoundAlert,
  parseJson,
  shownBody,
  type SourceMessage,
  Unreadable,
} from './format.ts'

/**
 * CloudEvents 1.0, over HTTP and Kafka: structured, batch (HTTP), and binary, where the attributes are headers (`ce-` over HTTP, `ce_` in
 * Kafka). Data in the form of an alert of Alertmanager is one; of any other data the event itself is the alert, under its type.
 */

export interface CloudEvent {
  /** Context attributes and extensions, by name. */
  readonly attributes: Fields
  /** JSON where its type is; text or bytes (as base64) otherwise. */
  readonly data: unknown
}

const STRUCTURED = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'
const ATTRIBUTE = /^ce[-_]([a-z0-9]+)$/
const NEEDED = ['id', 'source', 'type'] as const

/** A media type without its parameters. */
function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Attributes in headers of HTTP are percent-encoded where they are not ASCII. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return value
  }
}

function checked(event: CloudEvent): CloudEvent {
  const { specversion } = event.attributes
  if (specversion !== '1.0')
    throw new Unreadable('specversion', `specversion is ${textOf(specversion) || 'missing'}, not 1.0`)
  for (const name of NEEDED) neededText(event.attributes[name], name)
  return event
}

function structured(value: unknown): CloudEvent {
  const { data, data_base64, ...attributes } = fieldsOf(value, 'the event')
  return checked({ attributes, data: data ?? data_base64 })
}

function binary({ body, headers }: SourceMessage): CloudEvent {
  const datacontenttype = headers['content-type']
  const named = Object.entries(headers).flatMap(([header, value]) => {
    const name = ATTRIBUTE.exec(header)?.[1]
    return name === undefined ? [] : [[name, decoded(value)] as const]
  })
  const attributes = Object.fromEntries(named)
  return checked({
    attributes: datacontenttype === undefined ? attributes : { ...attributes, datacontenttype },
    data: dataOf(body, mediaTypeOf(datacontenttype)),
  })
}

function dataOf(body: Buffer, type: string): unknown {
  if (body.length === 0) return undefined
  if (type === '' || type === 'application/json' || type.endsWith('+json')) return parseJson(body)
  return type.startsWith('text/') ? body.toString() : body.toString('base64')
}

interface UncheckedEvent {
  /** Throws Unreadable. */
  readonly read: () => CloudEvent
  /** As it was received. */
  readonly text: () => string
}

/** The events of a message, each still to be checked. Throws Unreadable. */
function eventsIn(message: SourceMessage): readonly UncheckedEvent[] {
  const { body, headers } = message
  const type = mediaTypeOf(headers['content-type'])
  if (type === BATCH)
    return listOf(parseJson(body), 'the batch').map((value) => ({
      read: () => structured(value),
      text: () => JSON.stringify(value),
    }))
  const text = () => shownBody(body)
  const has_attributes = Object.keys(headers).some((name) => ATTRIBUTE.test(name))
  if (type !== STRUCTURED && has_attributes) return [{ read: () => binary(message), text }]
  if (type !== STRUCTURED && type !== '' && type !== 'application/json')
    throw new Unreadable(
      'content-type',
      `${type} without attributes in headers is no form of CloudEvents in JSON`,
    )
  const value = parseJson(body)
  return [{ read: () => structured(value), text }]
}

/** The events of a message as the conformance tests ask for them. Throws Unreadable. */
export function readEvents(message: SourceMessage): readonly CloudEvent[] {
  return eventsIn(message).map(({ read }) => read())
}

function alertOf(
  { attributes, data }: CloudEvent,
  { at_ms }: SourceMessage,
  { expire_after_ms }: FormatSettings,
): FoundAlert {
  const fields = typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Fields) : {}
  const told = timeOf(attributes['time'], 'time')
  const began_ms = timeOf(fields['startsAt'], 'data.startsAt')
  const starts_ms = began_ms ?? told
  const times = { at_ms, expire_after_ms }
  return {
    ...(fields['labels'] === undefined ? plainAlert(attributes, data) : givenAlert(attributes, fields)),
    generator_url: linkOf(fields['generatorURL']) || linkOf(attributes['source']),
    ...(fields['status'] === 'resolved'
      ? over(starts_ms, timeOf(fields['endsAt'], 'data.endsAt') ?? told, times)
      : { ...firing(starts_ms, times), ...(began_ms === null ? HEARD : {}) }),
  }
}

type Content = Pick<FoundAlert, 'labels' | 'annotations' | 'identity'>

/** The data is an alert: its labels name it, as they would name one of Alertmanager. */
function givenAlert(attributes: Fields, data: Fields): Content {
  const labels = labelsOf(optionalFields(data['labels'], 'data.labels'))
  if (Object.keys(labels).length === 0) throw new Unreadable('labels-empty', 'data.labels is empty')
  const annotations = optionalFields(data['annotations'], 'data.annotations')
  return {
    labels:
      labels['alertname'] === undefined
        ? { ...labels, ...labelsOf({ alertname: attributes['type'] }) }
        : labels,
    annotations: annotationsOf({ ...annotations, ce_id: attributes['id'], ce_source: attributes['source'] }),
  }
}

/** Who sees it, of which type, about what: these name the alert. Extensions are labels beside them. */
function plainAlert({ id, source, type, subject, ...others }: Fields, data: unknown): Content {
  const { specversion: _, time: __, datacontenttype: ___, dataschema, severitytext, ...extensions } = others
  const identity: Labels = labelsOf({ alertname: type, ce_source: source, subject })
  const severity = extensions['severity'] ?? severitytext ?? severityIn(data)
  return {
    labels: { ...labelsOf({ ...extensions, severity }), ...identity },
    identity,
    annotations: annotationsOf({ data, ce_id: id, dataschema }),
  }
}

function severityIn(data: unknown): unknown {
  const value = typeof data === 'object' && data !== null ? (data as Fields)['severity'] : undefined
  return typeof value === 'string' ? value : undefined
}

export const cloudevents = decoder((message, settings) =>
  eachOf(
    eventsIn(message),
    ({ text }) => text(),
    ({ read }) => alertOf(read(), message, settings),
  ),
)
