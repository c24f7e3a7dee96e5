import type { KafkaMessage } from 'kafkajs'
import type { LogEntry } from '../../ports.ts'

const NO_BYTES = Buffer.alloc(0)
const NO_HEADERS: LogEntry['headers'] = Object.freeze({})

export function toLogEntry(message: KafkaMessage): LogEntry {
  const { offset, timestamp, value } = message
  return {
    position: Number(offset),
    time_ms: Number(timestamp),
    value: value ?? NO_BYTES,
    headers: headersOf(message),
  }
}

/** As text; of a header that is there more than once, the last. */
export function headersOf({ headers = {} }: KafkaMessage): LogEntry['headers'] {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    texts[name] = String((Array.isArray(value) ? value.at(-1) : value) ?? '')
  }
  return Object.keys(texts).length === 0 ? NO_HEADERS : texts
}
