import type { Labels } from '../../schemas/alert.ts'
import {
  annotationsOf,
  type Fields,
  fieldsOf,
  labelsOf,
  listOf,
  numberOf,
  optionalFields,
  textOf,
  timeOf,
  HEARD,
} from './fields.ts'
import { attributesOf, labelsOfResource, valueOf } from './otlp.ts'
import { readLogs } from './otlp_logs_protobuf.ts'
import { decoder, DROPPED, eachOf, type FoundAlert, parseJson, type SourceMessage } from './format.ts'

/**
 * Logs of OpenTelemetry (OTLP in JSON or protobuf). A record of severity ERROR or worse is an alert, which is over when no such record came for as
 * long as the resolve timeout; whatever is less severe is left out. What differs from record to record (text, trace) is no label.
 */

/** The first number of ERROR; FATAL begins at the other. */
const ERROR = 17
const FATAL = 21

/** 0 where it is not told; a text stands for it then. */
function severityOf(record: Fields): number {
  const number = numberOf(record['severityNumber'] ?? 0)
  if (number > 0) return number
  const text = textOf(record['severityText'])
  if (/^(?:fatal|crit|emerg|alert|panic)/i.test(text)) return FATAL
  return /^err/i.test(text) ? ERROR : 0
}

interface LogRecord {
  readonly resource: Fields
  readonly scope: Fields
  readonly record: unknown
}

/** All records of a request, in order. Throws Unreadable. */
function recordsOf(body: Fields): readonly LogRecord[] {
  return listOf(body['resourceLogs'], 'resourceLogs').flatMap((item) => {
    const of_resource = fieldsOf(item, 'resourceLogs')
    const resource = optionalFields(of_resource['resource'], 'resource')
    return listOf(of_resource['scopeLogs'] ?? [], 'scopeLogs').flatMap((inner) => {
      const of_scope = fieldsOf(inner, 'scopeLogs')
      const scope = optionalFields(of_scope['scope'], 'scope')
      return listOf(of_scope['logRecords'] ?? [], 'logRecords').map((record) => ({ resource, scope, record }))
    })
  })
}

function alertOf({ resource, scope, record }: LogRecord, at_ms: number): FoundAlert | typeof DROPPED {
  const log = fieldsOf(record, 'the log record')
  const severity = severityOf(log)
  if (severity < ERROR) return DROPPED
  const attributes = attributesOf(log['attributes'])
  const exception = attributes['exception.type']
  const event = textOf(log['eventName']) || attributes['event.name']
  const labels: Labels = labelsOf({
    ...labelsOfResource(attributesOf(resource['attributes'])),
    alertname: event ?? exception ?? 'ErrorLog',
    severity: severity >= FATAL ? 'fatal' : 'error',
    exception,
    logger: scope['name'],
  })
  const told_ms = timeOf(zeroless(log['timeUnixNano']), 'timeUnixNano')
  const seen_ms = timeOf(zeroless(log['observedTimeUnixNano']), 'observedTimeUnixNano')
  return {
    labels,
    annotations: annotationsOf({
      summary: valueOf(log['body']),
      exception_message: attributes['exception.message'],
      trace_id: log['traceId'],
      span_id: log['spanId'],
    }),
    generator_url: '',
    starts_at_ms: Math.min(told_ms ?? seen_ms ?? at_ms, at_ms),
    ...HEARD,
    ends_at_ms: null,
  }
}

const zeroless = (time: unknown): unknown => (time === 0 || time === '0' ? null : time)

/** A line feed is none: it is the tag that protobuf begins with. */
const JSON_BEGINS = new Set(Buffer.from('{[ \t\r'))

/** Its type tells how it is written; a message of Kafka has none, and begins with a bracket when it is JSON. */
function requestOf({ body, headers }: SourceMessage): Fields {
  const type = headers['content-type'] ?? ''
  const is_protobuf =
    type === '' ? !JSON_BEGINS.has(body[0] ?? 0x7b) : type.startsWith('application/x-protobuf')
  return is_protobuf ? readLogs(body) : fieldsOf(parseJson(body), 'the body')
}

export const otlpLogs = decoder((message: SourceMessage) =>
  eachOf(
    recordsOf(requestOf(message)),
    ({ record }) => JSON.stringify(record) ?? '',
    (one) => alertOf(one, message.at_ms),
  ),
)
