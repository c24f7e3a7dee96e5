import type { Alert } from './alert.ts'
import { type Change, change } from './change.ts'
import { LIMITS } from './limits.ts'
import { type AlertsRecord, type LogRecord, record } from './record.ts'

/** Bytes that are no entry of ours. `code` is `entry-format`, `entry-json` or `entry-shape`. */
export class CodecError extends Error {
  override name = 'CodecError'
  readonly code: 'entry-format' | 'entry-json' | 'entry-shape'
  constructor(code: CodecError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The first byte tells the format: `{` is JSON; others are kept for compact ones. */
const JSON_FORMAT = 0x7b

function parse(value: Buffer): unknown {
  if (value[0] !== JSON_FORMAT)
    throw new CodecError(
      'entry-format',
      `an entry begins with byte ${value[0] ?? 'none'}, which is no known format`,
    )
  try {
    return JSON.parse(value.toString())
  } catch {
    throw new CodecError('entry-json', `an entry of ${value.length} bytes is not JSON`)
  }
}

export function encodeRecord(value: LogRecord): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** Throws CodecError. Alerts, which only ingest writes and has validated, are checked for their shape only: that is a fifth of the cost. */
export function decodeRecord(value: Buffer): LogRecord {
  const parsed = parse(value)
  if (isAlertsRecord(parsed)) return parsed
  const checked = record.safeParse(parsed)
  if (checked.success && checked.data.kind !== 'alerts') return checked.data
  throw new CodecError(
    'entry-shape',
    `a record has the wrong shape at ${checked.error?.issues[0]?.path.join('.') ?? 'places'}`,
  )
}

function isAlertsRecord(value: unknown): value is AlertsRecord {
  const { kind, alerts, places, origin } = value as Partial<AlertsRecord>
  if (kind !== 'alerts' || !Array.isArray(alerts) || !Array.isArray(places)) return false
  if (
    alerts.length === 0 ||
    alerts.length > LIMITS.alerts_per_entry ||
    places.length !== (origin ? alerts.length : 0)
  )
    return false
  return (
    alerts.every(hasShapeOfAlert) &&
    places.every(
      (place) => Array.isArray(place) && typeof place[0] === 'number' && typeof place[1] === 'number',
    )
  )
}

function hasShapeOfAlert(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const alert = value as Partial<Alert>
  return (
    typeof alert.fingerprint === 'string' &&
    typeof alert.scope === 'string' &&
    typeof alert.severity === 'string' &&
    typeof alert.starts_at_ms === 'number' &&
    typeof alert.repeats === 'number' &&
    typeof alert.labels === 'object' &&
    alert.labels !== null &&
    typeof alert.annotations === 'object' &&
    alert.annotations !== null &&
    (alert.ends_at_ms === null || typeof alert.ends_at_ms === 'number')
  )
}

export function encodeChange(value: Change): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** Throws CodecError. Changes come from the correlator alone, so their shape is checked, not every field. */
export function decodeChange(value: Buffer): Change {
  const parsed = parse(value) as Partial<Change>
  const { id, revision, incident } = parsed
  if (
    typeof id === 'string' &&
    typeof revision === 'number' &&
    typeof incident === 'object' &&
    incident !== null
  )
    return parsed as Change
  const checked = change.safeParse(parsed)
  if (checked.success) return checked.data
  throw new CodecError(
    'entry-shape',
    `a change has the wrong shape at ${checked.error.issues[0]?.path.join('.') ?? ''}`,
  )
}
