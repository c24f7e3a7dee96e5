import { type Alert, alert as alertSchema } from '../../schemas/alert.ts'
import type { OutOfBounds } from '../../ingest/normalise.ts'
import type { RawAlert } from '../../ingest/sources/raw_alert.ts'

export type Normaliser = (raw: RawAlert, source: string) => Alert | OutOfBounds

/** A line that cannot be read: what is wrong and what would be right. */
export class BadLine extends Error {
  override name = 'BadLine'
}

/** One alert of a recording, and when it was heard. */
export interface Recorded {
  readonly at_ms: number
  readonly alert: Alert
}

/** Fields of a plain object that are no labels. `incident` is the answer in labelled recordings. */
const NO_LABELS = new Set(['ts', 'ends', 'incident', 'labels', 'annotations'])
/** A number that stands alone in a message is a measurement, not part of what happened. */
const MEASUREMENT = /(?<=^|[\s=:(])[-+]?\d+(?:\.\d+)?(?=[\s%,;)]|$)/g

/**
 * Reads one line: a normalised alert as `schemas/alert.ts` has it, heard when it began, or a plain object `{ts, alertname, …}` with
 * `ts` in seconds, whose other texts and numbers are labels (those of an object `labels` as well), `ends` an end in seconds, and
 * `status: "resolved"` an end at `ts`. Throws BadLine.
 */
export function readLine(text: string, normalise: Normaliser): Recorded {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadLine('it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadLine('expected an object such as {"ts": 1647736507.5, "alertname": "Down", "host": "a"}')
  if ('fingerprint' in value && 'starts_at_ms' in value) return readNormalised(value)
  return readPlain(value as Readonly<Record<string, unknown>>, normalise)
}

function readNormalised(value: object): Recorded {
  const parsed = alertSchema.safeParse(value)
  if (parsed.success) return { at_ms: parsed.data.starts_at_ms, alert: parsed.data }
  const [issue] = parsed.error.issues
  throw new BadLine(`a normalised alert has the wrong shape at ${issue?.path.join('.')}: ${issue?.message}`)
}

function readPlain(value: Readonly<Record<string, unknown>>, normalise: Normaliser): Recorded {
  const at_ms = timeOf(value, 'ts')
  if (at_ms === null) throw new BadLine('`ts`, the time in seconds since 1970, is missing')
  const labels = labelsOf(value)
  if (Object.keys(labels).length === 0) throw new BadLine('it has no labels, such as `alertname`')
  const resolved = value['status'] === 'resolved'
  const raw: RawAlert = {
    ordinal: 0,
    labels,
    annotations: textsOf(value['annotations'], 'annotations'),
    generator_url: '',
    starts_at_ms: at_ms,
    ends_at_ms: resolved ? at_ms : timeOf(value, 'ends'),
  }
  const alert = normalise(raw, 'replay')
  if ('reason' in alert) throw new BadLine(alert.reason)
  return { at_ms, alert }
}

function timeOf(value: Readonly<Record<string, unknown>>, field: string): number | null {
  const time_s = value[field]
  if (time_s === undefined || time_s === null) return null
  if (typeof time_s !== 'number' || !Number.isFinite(time_s))
    throw new BadLine(`\`${field}\` is ${JSON.stringify(time_s)}; expected seconds since 1970`)
  return Math.round(time_s * 1_000)
}

function labelsOf(value: Readonly<Record<string, unknown>>): Record<string, string> {
  const labels = textsOf(value['labels'], 'labels')
  for (const [name, content] of Object.entries(value)) {
    if (NO_LABELS.has(name) || name === 'status' || content === null || content === '') continue
    labels[name] = textOf(content, name)
  }
  if (labels['message'] !== undefined) labels['message'] = labels['message'].replace(MEASUREMENT, '#')
  return labels
}

function textsOf(value: unknown, field: string): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new BadLine(`\`${field}\` is ${JSON.stringify(value)}; expected an object of texts`)
  const entries = Object.entries(value).filter(([, content]) => content !== null && content !== '')
  return Object.fromEntries(entries.map(([name, content]) => [name, textOf(content, `${field}.${name}`)]))
}

function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new BadLine(`\`${field}\` is ${JSON.stringify(value).slice(0, 60)}; expected a text or a number`)
}
